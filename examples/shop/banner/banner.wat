;; A component in text: answers every request with the variable `text`, which spin.toml gives this component.
;;
;; A core module under the wagi executor can't read Spin's variables; a component can. This one speaks two of Spin's
;; own interfaces: it exports `fermyon:spin/inbound-http` and imports `fermyon:spin/variables@2.0.0`.
(component
  (import "fermyon:spin/variables@2.0.0" (instance $variables
    (type $variant (variant
      (case "invalid-name" string) (case "undefined" string) (case "provider" string) (case "other" string)))
    (export "error" (type $error (eq $variant)))
    (export "get" (func (param "name" string) (result (result string (error $error)))))))

  ;; Memory, and what hands out places in it to strings that come in: one after the other, never freed,
  ;; since each request gets an instance of its own.
  (core module $Heap
    (memory (export "memory") 2)
    (global $free (mut i32) (i32.const 1024))
    (func (export "realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
      (local $place i32)
      (local.set $place (i32.and
        (i32.add (global.get $free) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
      (global.set $free (i32.add (local.get $place) (local.get $size)))
      (block $fits
        (loop $grow
          (br_if $fits (i32.le_u (global.get $free) (i32.shl (memory.size) (i32.const 16))))
          (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (unreachable)))
          (br $grow)))
      (memory.copy (local.get $place) (local.get $old) (local.get $old_size))
      (local.get $place)))

  (core module $Banner
    (import "heap" "memory" (memory 1))
    (import "variables" "get" (func $get (param i32 i32 i32)))
    ;; At 64 the outcome of `get`: its case (1 byte: 0 is ok), then from 68 the text, or from 68 the error.
    ;; At 128 the response: status (2 bytes), from 132 its headers, from 144 its body, each with a byte that says
    ;; whether there is one. At 160 the one header: name and value.
    (data (i32.const 0) "text")
    (data (i32.const 8) "content-type")
    (data (i32.const 24) "text/plain; charset=utf-8")
    (func (export "handle-request")
      (param $method i32) (param $uri i32) (param $uri_length i32) (param $headers i32) (param $header_count i32)
      (param $params i32) (param $param_count i32) (param $has_body i32) (param $body i32) (param $body_length i32)
      (result i32)
      (call $get (i32.const 0) (i32.const 4) (i32.const 64))
      (if (i32.load8_u (i32.const 64)) (then (i32.store16 (i32.const 128) (i32.const 500)) (return (i32.const 128))))
      (i32.store16 (i32.const 128) (i32.const 200))
      (i32.store8 (i32.const 132) (i32.const 1))
      (i32.store (i32.const 136) (i32.const 160))
      (i32.store (i32.const 140) (i32.const 1))
      (i32.store (i32.const 160) (i32.const 8))
      (i32.store (i32.const 164) (i32.const 12))
      (i32.store (i32.const 168) (i32.const 24))
      (i32.store (i32.const 172) (i32.const 25))
      (i32.store8 (i32.const 144) (i32.const 1))
      (i32.store (i32.const 148) (i32.load (i32.const 68)))
      (i32.store (i32.const 152) (i32.load (i32.const 72)))
      (i32.const 128)))

  (core instance $heap (instantiate $Heap))
  (alias core export $heap "memory" (core memory $memory))
  (alias core export $heap "realloc" (core func $realloc))
  (alias export $variables "get" (func $variables-get))
  (core func $get (canon lower (func $variables-get) (memory $memory) (realloc $realloc) string-encoding=utf8))
  (core instance $banner (instantiate $Banner
    (with "heap" (instance $heap))
    (with "variables" (instance (export "get" (func $get))))))

  (type $method (enum "get" "post" "put" "delete" "patch" "head" "options"))
  (type $pairs (list (tuple string string)))
  (type $request (record
    (field "method" $method) (field "uri" string) (field "headers" $pairs) (field "params" $pairs)
    (field "body" (option (list u8)))))
  (type $response (record
    (field "status" u16) (field "headers" (option $pairs)) (field "body" (option (list u8)))))
  (alias core export $banner "handle-request" (core func $handle-request))
  (func $handle (param "req" $request) (result $response)
    (canon lift (core func $handle-request) (memory $memory) (realloc $realloc) string-encoding=utf8))

  (instance $inbound-http
    (export "method" (type $method))
    (export "request" (type $request))
    (export "response" (type $response))
    (export "handle-request" (func $handle)))
  (export "fermyon:spin/inbound-http" (instance $inbound-http)))
