;; A static file server for Spin's wagi executor (CGI): the request comes in environment variables,
;; the response goes to standard output, and the files are those that spin.toml mounts.
;;
;;   GET /            -> index.html          GET /css/shop.css -> css/shop.css
;;   GET /about/      -> about/index.html    anything else     -> 404 with 404.html
(module
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

  (memory (export "memory") 2)

  ;; 0..63 is scratch for WASI's answers: 0 and 4 an iovec, 8 a count of bytes, 12 a file descriptor,
  ;; 16 and 20 the number and the size of the environment variables.
  ;; The second page (65536..131071) is the buffer that files go through.
  (data (i32.const 64) "PATH_INFO=")
  (data (i32.const 80) "index.html")
  (data (i32.const 96) "404.html")
  (data (i32.const 112) "Content-Type: ")
  (data (i32.const 128) "\n\n")
  (data (i32.const 144) "Status: 404 Not Found\n")
  (data (i32.const 176) "There is no such page.\n")
  (data (i32.const 256) ".html") (data (i32.const 264) "text/html; charset=utf-8")
  (data (i32.const 320) ".css")  (data (i32.const 328) "text/css; charset=utf-8")
  (data (i32.const 384) ".js")   (data (i32.const 392) "text/javascript; charset=utf-8")
  (data (i32.const 448) ".svg")  (data (i32.const 456) "image/svg+xml")
  (data (i32.const 512) ".txt")  (data (i32.const 520) "text/plain; charset=utf-8")
  (data (i32.const 576) "application/octet-stream")

  (func (export "_start")
    (local $path i32) (local $length i32) (local $file i32) (local $read i32)
    (call $requested_path)
    (local.set $length)
    (local.set $path)
    (local.set $file (call $open (local.get $path) (local.get $length)))
    ;; The first bytes are read before the first is answered: a folder can be opened, but not read.
    (if (i32.ge_s (local.get $file) (i32.const 0))
      (then (local.set $read (call $read (local.get $file)))))
    (if (i32.or (i32.lt_s (local.get $file) (i32.const 0)) (i32.lt_s (local.get $read) (i32.const 0)))
      (then (call $not_found) (return)))
    (call $header (call $media_type (local.get $path) (local.get $length)))
    (call $copy (local.get $file) (local.get $read)))

  (func $not_found
    (local $file i32) (local $read i32)
    (call $write (i32.const 144) (i32.const 22))
    (local.set $file (call $open (i32.const 96) (i32.const 8)))
    (if (i32.lt_s (local.get $file) (i32.const 0))
      (then
        (call $header (i32.const 520) (i32.const 25))
        (call $write (i32.const 176) (i32.const 23))
        (return)))
    (local.set $read (call $read (local.get $file)))
    (call $header (i32.const 264) (i32.const 24))
    (call $copy (local.get $file) (local.get $read)))

  (func $header (param $type i32) (param $length i32)
    (call $write (i32.const 112) (i32.const 14))
    (call $write (local.get $type) (local.get $length))
    (call $write (i32.const 128) (i32.const 2)))

  ;; The rest of a file: what is in the buffer first, then buffer by buffer.
  (func $copy (param $file i32) (param $read i32)
    (loop $next
      (if (i32.gt_s (local.get $read) (i32.const 0))
        (then
          (call $write (i32.const 65536) (local.get $read))
          (local.set $read (call $read (local.get $file)))
          (br $next)))))

  ;; PATH_INFO without its leading slashes, `index.html` appended where it names a folder.
  (func $requested_path (result i32 i32)
    (local $path i32) (local $length i32)
    (call $environment_variable (i32.const 64) (i32.const 10))
    (local.set $length)
    (local.set $path)
    (block $done
      (loop $slash
        (br_if $done (i32.eqz (local.get $length)))
        (br_if $done (i32.ne (i32.load8_u (local.get $path)) (i32.const 0x2f)))
        (local.set $path (i32.add (local.get $path) (i32.const 1)))
        (local.set $length (i32.sub (local.get $length) (i32.const 1)))
        (br $slash)))
    (if (i32.eqz (local.get $length)) (then (return (i32.const 80) (i32.const 10))))
    (if (i32.eq (i32.load8_u (i32.sub (i32.add (local.get $path) (local.get $length)) (i32.const 1))) (i32.const 0x2f))
      (then (return (call $append_index (local.get $path) (local.get $length)))))
    (local.get $path) (local.get $length))

  (func $append_index (param $path i32) (param $length i32) (result i32 i32)
    (local $copy i32)
    (local.set $copy (call $allocate (i32.add (local.get $length) (i32.const 10))))
    (memory.copy (local.get $copy) (local.get $path) (local.get $length))
    (memory.copy (i32.add (local.get $copy) (local.get $length)) (i32.const 80) (i32.const 10))
    (local.get $copy) (i32.add (local.get $length) (i32.const 10)))

  (func $media_type (param $path i32) (param $length i32) (result i32 i32)
    (if (call $ends_with (local.get $path) (local.get $length) (i32.const 256) (i32.const 5))
      (then (return (i32.const 264) (i32.const 24))))
    (if (call $ends_with (local.get $path) (local.get $length) (i32.const 320) (i32.const 4))
      (then (return (i32.const 328) (i32.const 23))))
    (if (call $ends_with (local.get $path) (local.get $length) (i32.const 384) (i32.const 3))
      (then (return (i32.const 392) (i32.const 30))))
    (if (call $ends_with (local.get $path) (local.get $length) (i32.const 448) (i32.const 4))
      (then (return (i32.const 456) (i32.const 13))))
    (if (call $ends_with (local.get $path) (local.get $length) (i32.const 512) (i32.const 4))
      (then (return (i32.const 520) (i32.const 25))))
    (i32.const 576) (i32.const 24))

  (func $ends_with (param $text i32) (param $length i32) (param $end i32) (param $end_length i32) (result i32)
    (if (i32.lt_u (local.get $length) (local.get $end_length)) (then (return (i32.const 0))))
    (call $equal
      (i32.add (local.get $text) (i32.sub (local.get $length) (local.get $end_length)))
      (local.get $end) (local.get $end_length)))

  (func $equal (param $a i32) (param $b i32) (param $length i32) (result i32)
    (local $at i32)
    (block $different
      (loop $next
        (if (i32.ge_u (local.get $at) (local.get $length)) (then (return (i32.const 1))))
        (br_if $different (i32.ne
          (i32.load8_u (i32.add (local.get $a) (local.get $at)))
          (i32.load8_u (i32.add (local.get $b) (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i32.const 0))

  ;; Where the value stands and how long it is, for a name with its `=`; (0, 0) without such a variable.
  (func $environment_variable (param $name i32) (param $name_length i32) (result i32 i32)
    (local $count i32) (local $pointers i32) (local $at i32) (local $entry i32) (local $end i32)
    (call $must (call $environ_sizes_get (i32.const 16) (i32.const 20)))
    (local.set $count (i32.load (i32.const 16)))
    (local.set $pointers (call $allocate
      (i32.add (i32.mul (local.get $count) (i32.const 4)) (i32.load (i32.const 20)))))
    (call $must (call $environ_get
      (local.get $pointers) (i32.add (local.get $pointers) (i32.mul (local.get $count) (i32.const 4)))))
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $at) (local.get $count)))
        (local.set $entry (i32.load (i32.add (local.get $pointers) (i32.mul (local.get $at) (i32.const 4)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $next (i32.eqz (call $equal (local.get $entry) (local.get $name) (local.get $name_length))))
        (local.set $entry (i32.add (local.get $entry) (local.get $name_length)))
        (local.set $end (local.get $entry))
        (block $ended
          (loop $character
            (br_if $ended (i32.eqz (i32.load8_u (local.get $end))))
            (local.set $end (i32.add (local.get $end) (i32.const 1)))
            (br $character)))
        (return (local.get $entry) (i32.sub (local.get $end) (local.get $entry)))))
    (i32.const 0) (i32.const 0))

  ;; Fresh pages, enough for `size` bytes and a few to read past the end of them.
  (func $allocate (param $size i32) (result i32)
    (local $pages i32)
    (local.set $pages (memory.grow (i32.add (i32.shr_u (local.get $size) (i32.const 16)) (i32.const 2))))
    (call $must (i32.eq (local.get $pages) (i32.const -1)))
    (i32.shl (local.get $pages) (i32.const 16)))

  ;; A file below the first mounted folder (descriptor 3), for reading; -1 where there is none.
  (func $open (param $path i32) (param $length i32) (result i32)
    (if (call $path_open
          (i32.const 3) (i32.const 1) (local.get $path) (local.get $length)
          (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 12))
      (then (return (i32.const -1))))
    (i32.load (i32.const 12)))

  ;; Into the buffer; how many bytes, 0 at the end, -1 for what is no file.
  (func $read (param $file i32) (result i32)
    (i32.store (i32.const 0) (i32.const 65536))
    (i32.store (i32.const 4) (i32.const 65536))
    (if (call $fd_read (local.get $file) (i32.const 0) (i32.const 1) (i32.const 8)) (then (return (i32.const -1))))
    (i32.load (i32.const 8)))

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
