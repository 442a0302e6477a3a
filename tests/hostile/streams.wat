;; A request artifact in one module, in the place of gateway and pack. What it answers is the first letter of the path: `count` gives three pieces, `endless`
;; never stops, `trap` and `loop` do so after their first piece; any other path is answered at once.
(module
  (import "[export]valet:mcp/pieces@0.1.0" "[resource-new]pieces" (func $new (param i32) (result i32)))
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 32768))
  (global $given (mut i32) (i32.const 0))

  ;; response: status 200, no fields, whole, and where the text is
  (data (i32.const 16) "\c8\00\00\00" "\00\00\00\00" "\00\00\00\00" "\00\00\00\00" "\00\01\00\00" "\09\00\00\00")
  (data (i32.const 256) "I am well")
  ;; response: status 200, one field, growing
  (data (i32.const 48) "\c8\00\00\00" "\50\00\00\00" "\01\00\00\00" "\01\00\00\00")
  (data (i32.const 80) "\40\01\00\00" "\0c\00\00\00" "\60\01\00\00" "\11\00\00\00")
  (data (i32.const 320) "content-type")
  (data (i32.const 352) "text/event-stream")
  ;; option<list<u8>>: a piece of 17 bytes, none, and a piece of 8192 bytes
  (data (i32.const 400) "\01\00\00\00" "\00\02\00\00" "\11\00\00\00")
  (data (i32.const 416) "\00\00\00\00")
  (data (i32.const 432) "\01\00\00\00" "\00\20\00\00" "\00\20\00\00")
  (data (i32.const 512) "data: {\"piece\":0}")
  ;; kind: other; answer: nothing; result: ok
  (data (i32.const 560) "\02\00\00\00")
  (data (i32.const 576) "\00\00\00\00")

  (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (local.get $at))

  (func (export "valet:mcp/endpoint@0.1.0#check") (result i32) (i32.const 576))
  (func (export "valet:mcp/endpoint@0.1.0#ready") (result i32) (i32.const 576))
  (func (export "valet:mcp/messages@0.1.0#inspect") (param i32 i32) (result i32) (i32.const 560))
  (func (export "valet:mcp/messages@0.1.0#handle") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 576))

  (func (export "valet:mcp/endpoint@0.1.0#handle")
    (param i32 i32) (param $target i32) (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (local $letter i32)
    (local.set $letter (i32.load8_u offset=1 (local.get $target)))
    (if (i32.or
          (i32.or (i32.eq (local.get $letter) (i32.const 99)) (i32.eq (local.get $letter) (i32.const 101)))
          (i32.or (i32.eq (local.get $letter) (i32.const 116)) (i32.eq (local.get $letter) (i32.const 108))))
      (then
        (i32.store (i32.const 64) (call $new (local.get $letter)))
        (return (i32.const 48))))
    (i32.const 16))

  (func (export "valet:mcp/pieces@0.1.0#[method]pieces.next") (param $letter i32) (result i32)
    (global.set $given (i32.add (global.get $given) (i32.const 1)))
    (if (i32.eq (local.get $letter) (i32.const 101)) (then (return (i32.const 432)))) ;; e
    (if (i32.gt_u (global.get $given) (i32.const 1))
      (then
        (if (i32.eq (local.get $letter) (i32.const 116)) (then unreachable)) ;; t
        (if (i32.eq (local.get $letter) (i32.const 108)) (then (loop $for-ever (br $for-ever)))))) ;; l
    (if (i32.gt_u (global.get $given) (i32.const 3)) (then (return (i32.const 416))))
    (i32.store8 (i32.const 527) (i32.add (i32.const 48) (global.get $given)))
    (i32.const 400)))
