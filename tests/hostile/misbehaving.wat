;; A tool pack whose imports and exports are those of a good one. What it does is the first letter of the tool's name: `loop`, `grow`, `trap`;
;; any other tool answers.
(module
  (import "valet:identity/principal@0.1.0" "[resource-drop]principal" (func $let-go (param i32)))
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 4096))

  ;; result<answer, failure>: ok, complete, and where the text is
  (data (i32.const 16) "\00\00\00\00" "\00\00\00\00" "\00\01\00\00" "\30\00\00\00")
  (data (i32.const 256) "{\"content\":[{\"type\":\"text\",\"text\":\"I am well\"}]}")

  (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (local.get $at))

  ;; list<string>: the tools, the texts at 1024 and where each is at 512
  (data (i32.const 504) "\00\02\00\00\04\00\00\00")
  (data (i32.const 512) "\00\04\00\00\31\00\00\00\31\04\00\00\2f\00\00\00\60\04\00\00\2f\00\00\00\8f\04\00\00\2f\00\00\00")
  (data (i32.const 1024) "{\"name\":\"answer\",\"inputSchema\":{\"type\":\"object\"}}{\"name\":\"loop\",\"inputSchema\":{\"type\":\"object\"}}{\"name\":\"grow\",\"inputSchema\":{\"type\":\"object\"}}{\"name\":\"trap\",\"inputSchema\":{\"type\":\"object\"}}")
  (func (export "valet:mcp/tools@0.1.0#definitions") (result i32) (i32.const 504))

  ;; No resources, no prompts: empty lists. Nothing asks for what is in none.
  (func (export "valet:mcp/tools@0.1.0#[method]running.next") (param i32 i32) (result i32) unreachable)
  (func (export "valet:mcp/resources@0.1.0#definitions") (result i32) (i32.const 0))
  (func (export "valet:mcp/resources@0.1.0#templates") (result i32) (i32.const 0))
  (func (export "valet:mcp/resources@0.1.0#find") (param i32 i32) (result i32) (i32.const 0))
  (func (export "valet:mcp/resources@0.1.0#read") (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable)
  (func (export "valet:mcp/resources@0.1.0#complete")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable)
  (func (export "valet:mcp/prompts@0.1.0#definitions") (result i32) (i32.const 0))
  (func (export "valet:mcp/prompts@0.1.0#get")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable)
  (func (export "valet:mcp/prompts@0.1.0#complete")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable)

  (func (export "valet:mcp/tools@0.1.0#call")
    (param $caller i32) (param $name i32) (param i32 i32 i32) (param i32 i32 i32 i32 i32 i32) (result i32)
    (local $letter i32)
    (call $let-go (local.get $caller))
    (local.set $letter (i32.load8_u (local.get $name)))
    (if (i32.eq (local.get $letter) (i32.const 108)) ;; l
      (then (loop $for-ever (br $for-ever))))
    (if (i32.eq (local.get $letter) (i32.const 103)) ;; g
      (then
        (loop $more
          (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
          (br $more))))
    (if (i32.eq (local.get $letter) (i32.const 116)) (then unreachable)) ;; t
    (i32.const 16)))
