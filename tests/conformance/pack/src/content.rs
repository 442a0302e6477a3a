//! Content blocks of results and messages.

use serde_json::{Value, json};

/// A red pixel.
pub(crate) const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC";

/// A millisecond of silence: eight samples of eight bits.
const WAV: &str = "UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQgAAACAgICAgICAgA==";

pub(crate) fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

pub(crate) fn image() -> Value {
    json!({ "type": "image", "data": PNG, "mimeType": "image/png" })
}

pub(crate) fn audio() -> Value {
    json!({ "type": "audio", "data": WAV, "mimeType": "audio/wav" })
}

/// A resource in the place of a block.
pub(crate) fn resource(uri: &str, mime_type: &str, text: &str) -> Value {
    json!({ "type": "resource", "resource": { "uri": uri, "mimeType": mime_type, "text": text } })
}

/// The members of a `CallToolResult`.
pub(crate) fn result(content: &[Value]) -> String {
    json!({ "content": content }).to_string()
}

/// One that says in words what went wrong.
pub(crate) fn error(why: &str) -> String {
    json!({ "content": [text(why)], "isError": true }).to_string()
}

/// One with structured content, and the same as text.
pub(crate) fn structured(value: &Value) -> String {
    json!({ "content": [text(&value.to_string())], "structuredContent": value }).to_string()
}
