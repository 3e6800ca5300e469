//! A key is made by the gate only.
use gaby_gate::Key;
use gaby_model::ToolCall;

fn forge(call: ToolCall) -> Key {
    Key {
        call,
        idempotency_key: None,
    }
}

fn main() {}
