;; Greets in the first language that the request's Accept-Language names, for Spin's wagi executor (CGI).
(module
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

  (memory (export "memory") 1)

  ;; 0..63 is scratch for WASI's answers: 0 and 4 an iovec, 8 a count of bytes,
  ;; 16 and 20 the number and the size of the environment variables.
  (data (i32.const 64) "Content-Type: text/plain; charset=utf-8\n\n")
  (data (i32.const 128) "HTTP_ACCEPT_LANGUAGE=de")
  (data (i32.const 160) "HTTP_ACCEPT_LANGUAGE=fr")
  (data (i32.const 192) "Hallo!\n")
  (data (i32.const 208) "Bonjour !\n")
  (data (i32.const 224) "Hello!\n")

  (func (export "_start")
    (call $write (i32.const 64) (i32.const 41))
    (if (call $environment_variable (i32.const 128) (i32.const 23))
      (then (call $write (i32.const 192) (i32.const 7)) (return)))
    (if (call $environment_variable (i32.const 160) (i32.const 23))
      (then (call $write (i32.const 208) (i32.const 10)) (return)))
    (call $write (i32.const 224) (i32.const 7)))

  ;; What follows `start` in the variable that begins with it; 0 where none does.
  (func $environment_variable (param $start i32) (param $length i32) (result i32)
    (local $pointers i32) (local $last i32) (local $pages i32)
    (call $must (call $environ_sizes_get (i32.const 16) (i32.const 20)))
    (local.set $last (i32.mul (i32.load (i32.const 16)) (i32.const 4)))
    (local.set $pages (memory.grow (i32.add (i32.const 2)
      (i32.shr_u (i32.add (local.get $last) (i32.load (i32.const 20))) (i32.const 16)))))
    (call $must (i32.eq (local.get $pages) (i32.const -1)))
    (local.set $pointers (i32.shl (local.get $pages) (i32.const 16)))
    (local.set $last (i32.add (local.get $pointers) (local.get $last)))
    (call $must (call $environ_get (local.get $pointers) (local.get $last)))
    (loop $next
      (if (i32.lt_u (local.get $pointers) (local.get $last))
        (then
          (if (call $equal (i32.load (local.get $pointers)) (local.get $start) (local.get $length))
            (then (return (i32.add (i32.load (local.get $pointers)) (local.get $length)))))
          (local.set $pointers (i32.add (local.get $pointers) (i32.const 4)))
          (br $next))))
    (i32.const 0))

  (func $equal (param $a i32) (param $b i32) (param $length i32) (result i32)
    (local $at i32)
    (loop $next
      (if (i32.eq (local.get $at) (local.get $length)) (then (return (i32.const 1))))
      (if (i32.ne
            (i32.load8_u (i32.add (local.get $a) (local.get $at)))
            (i32.load8_u (i32.add (local.get $b) (local.get $at))))
        (then (return (i32.const 0))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next))
    (unreachable))

  (func $write (param $text i32) (param $length i32)
    (loop $rest
      (if (local.get $length)
        (then
          (i32.store (i32.const 0) (local.get $text))
          (i32.store (i32.const 4) (local.get $length))
          (call $must (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
          (local.set $text (i32.add (local.get $text) (i32.load (i32.const 8))))
          (local.set $length (i32.sub (local.get $length) (i32.load (i32.const 8))))
          (br $rest)))))

  (func $must (param $error i32)
    (if (local.get $error) (then (call $proc_exit (i32.const 1)) (unreachable)))))
