;; The product list for Spin's wagi executor (CGI): every file of the folder `catalogue/products`, in the order of
;; their names, as one JSON array. Which files are there is up to `files` and `exclude_files` in spin.toml.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir" (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

  ;; First page: constants and scratch. Second: the folder's entries. Third: the buffer that files go through.
  (memory (export "memory") 3)

  ;; 0..63 is scratch for WASI's answers: 0 and 4 an iovec, 8 a count of bytes, 12 a file descriptor.
  (data (i32.const 64) "catalogue/products")
  (data (i32.const 96) "Content-Type: application/json\n\n[")
  (data (i32.const 144) ",")
  (data (i32.const 146) "]\n")

  (func (export "_start")
    (local $folder i32) (local $end i32) (local $entry i32) (local $printed i32)
    (local.set $folder (call $open (i32.const 3) (i32.const 64) (i32.const 18) (i32.const 2)))
    (local.set $end (call $list (local.get $folder)))
    (call $write (i32.const 96) (i32.const 33))
    (loop $next
      (local.set $entry (call $following (local.get $entry) (local.get $end)))
      (if (local.get $entry)
        (then
          (if (local.get $printed) (then (call $write (i32.const 144) (i32.const 1))))
          (call $print (local.get $folder) (local.get $entry))
          (local.set $printed (i32.const 1))
          (br $next))))
    (call $write (i32.const 146) (i32.const 2)))

  ;; The folder's entries, all at once, to the second page; where they end. A page holds over 1,000 names.
  ;; An entry is: cookie (8 bytes), inode (8), length of the name (4), kind (4: 4 is a file), name.
  (func $list (param $folder i32) (result i32)
    (call $must (call $fd_readdir
      (local.get $folder) (i32.const 65536) (i32.const 65536) (i64.const 0) (i32.const 8)))
    (i32.add (i32.const 65536) (i32.load (i32.const 8))))

  ;; The file whose name comes next after that of `previous` (0: the first of all); 0 after the last one.
  (func $following (param $previous i32) (param $end i32) (result i32)
    (local $entry i32) (local $best i32)
    (local.set $entry (i32.const 65536))
    (loop $next
      (if (i32.le_u (call $after (local.get $entry)) (local.get $end))
        (then
          (if (call $between (local.get $previous) (local.get $entry) (local.get $best))
            (then (local.set $best (local.get $entry))))
          (local.set $entry (call $after (local.get $entry)))
          (br $next))))
    (local.get $best))

  ;; Where the next entry begins.
  (func $after (param $entry i32) (result i32)
    (i32.add (local.get $entry) (i32.add (i32.const 24) (i32.load (i32.add (local.get $entry) (i32.const 16))))))

  ;; Whether `entry` is a file with a name after that of `low` and before that of `high` (0: no such bound).
  (func $between (param $low i32) (param $entry i32) (param $high i32) (result i32)
    (if (i32.ne (i32.load8_u (i32.add (local.get $entry) (i32.const 20))) (i32.const 4))
      (then (return (i32.const 0))))
    (if (local.get $low)
      (then (if (i32.eqz (call $before (local.get $low) (local.get $entry))) (then (return (i32.const 0))))))
    (if (local.get $high) (then (return (call $before (local.get $entry) (local.get $high)))))
    (i32.const 1))

  (func $before (param $a i32) (param $b i32) (result i32)
    (local $a_end i32) (local $b_end i32) (local $difference i32)
    (local.set $a_end (call $after (local.get $a)))
    (local.set $b_end (call $after (local.get $b)))
    (local.set $a (i32.add (local.get $a) (i32.const 24)))
    (local.set $b (i32.add (local.get $b) (i32.const 24)))
    (loop $next
      (if (i32.eq (local.get $b) (local.get $b_end)) (then (return (i32.const 0))))
      (if (i32.eq (local.get $a) (local.get $a_end)) (then (return (i32.const 1))))
      (local.set $difference (i32.sub (i32.load8_u (local.get $a)) (i32.load8_u (local.get $b))))
      (local.set $a (i32.add (local.get $a) (i32.const 1)))
      (local.set $b (i32.add (local.get $b) (i32.const 1)))
      (br_if $next (i32.eqz (local.get $difference))))
    (i32.lt_s (local.get $difference) (i32.const 0)))

  (func $print (param $folder i32) (param $entry i32)
    (local $file i32)
    (local.set $file (call $open
      (local.get $folder)
      (i32.add (local.get $entry) (i32.const 24))
      (i32.load (i32.add (local.get $entry) (i32.const 16)))
      (i32.const 0)))
    (loop $next
      (i32.store (i32.const 0) (i32.const 131072))
      (i32.store (i32.const 4) (i32.const 65536))
      (call $must (call $fd_read (local.get $file) (i32.const 0) (i32.const 1) (i32.const 8)))
      (if (i32.load (i32.const 8))
        (then
          (call $write (i32.const 131072) (i32.load (i32.const 8)))
          (br $next))))
    (call $must (call $fd_close (local.get $file))))

  ;; A file (flags 0) or a folder (flags 2) below `parent`. Rights: fd_read and fd_readdir, also for what is in it.
  (func $open (param $parent i32) (param $path i32) (param $length i32) (param $flags i32) (result i32)
    (call $must (call $path_open
      (local.get $parent) (i32.const 1) (local.get $path) (local.get $length)
      (local.get $flags) (i64.const 0x4002) (i64.const 0x4002) (i32.const 0) (i32.const 12)))
    (i32.load (i32.const 12)))

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
