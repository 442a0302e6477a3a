;; A tool pack that gives the caller's token as its result.
(module
  (import "valet:downstream/requests@0.1.0" "send" (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "valet:identity/principal@0.1.0" "[resource-drop]principal" (func $let-go (param i32)))
  (import "valet:identity/assertion@0.1.0" "token" (func $token (param i32 i32)))
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 4096))

  (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (local.get $at))

  (func (export "valet:mcp/tools@0.1.0#definitions") (result i32) (i32.const 0))

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

  (func (export "valet:mcp/tools@0.1.0#call") (param $caller i32) (param i32 i32 i32 i32) (param i32 i32 i32 i32 i32 i32) (result i32)
    ;; The token's place goes where a complete answer has its text.
    (call $token (local.get $caller) (i32.const 24))
    (call $let-go (local.get $caller))
    (i32.const 16)))
