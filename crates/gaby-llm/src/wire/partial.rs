//! An answer while it comes in.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Broken;
use crate::chat::{
    Arguments, AssistantTurn, ChatRequest, ChatResponse, StopReason, TokenUsage, ToolCall,
};

/// Calls that one turn may hold; what is beyond is a model run wild.
const MOST_CALLS: usize = 64;
/// Bytes of text that one token may stand for; more than that was not asked for.
const BYTES_OF_A_TOKEN: usize = 24;

/// Whether an answer has come to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Ended {
    /// More must come.
    #[default]
    No,
    /// All that matters is there; what follows may be numbers.
    Content,
    /// Nothing follows.
    Yes,
}

#[derive(Debug, Default)]
struct PartialCall {
    id: String,
    name: String,
    text: String,
    value: Option<Value>,
    signature: Option<String>,
}

/// An answer while it comes in.
#[derive(Debug, Default)]
pub(crate) struct Partial {
    pub(crate) text: String,
    calls: BTreeMap<u64, PartialCall>,
    pub(crate) usage: Option<TokenUsage>,
    pub(crate) stop: Option<StopReason>,
    pub(crate) model: Option<String>,
    pub(crate) ended: Ended,
    /// Bytes of text and arguments that may still come.
    room: usize,
    /// Text that came since it was last taken, for whoever shows it as it comes.
    fresh: String,
    written: usize,
}

impl Partial {
    pub(crate) fn new(max_output_tokens: u32) -> Self {
        Self {
            room: (max_output_tokens as usize).saturating_mul(BYTES_OF_A_TOKEN) + 4_096,
            ..Self::default()
        }
    }

    fn take_room(&mut self, bytes: usize) -> Result<(), Broken> {
        self.written += bytes;
        self.room = self.room.checked_sub(bytes).ok_or_else(|| {
            Broken::TooLong("it goes on beyond the tokens that were asked for".to_owned())
        })?;
        Ok(())
    }

    pub(crate) fn add_text(&mut self, text: &str) -> Result<(), Broken> {
        self.take_room(text.len())?;
        self.text.push_str(text);
        self.fresh.push_str(text);
        Ok(())
    }

    /// Counts thinking, which is not kept.
    pub(crate) fn add_thinking(&mut self, text: &str) -> Result<(), Broken> {
        self.take_room(text.len())
    }

    pub(crate) fn take_fresh(&mut self) -> String {
        std::mem::take(&mut self.fresh)
    }

    fn call(&mut self, index: u64) -> Result<&mut PartialCall, Broken> {
        if !self.calls.contains_key(&index) && self.calls.len() >= MOST_CALLS {
            return Err(Broken::TooLong(format!(
                "it calls more than {MOST_CALLS} tools at once"
            )));
        }
        Ok(self.calls.entry(index).or_default())
    }

    /// The place for a call whose vendor does not number them.
    pub(crate) fn next_index(&self) -> u64 {
        self.calls.keys().next_back().map_or(0, |last| last + 1)
    }

    /// The last call's place.
    pub(crate) fn last_index(&self) -> u64 {
        self.calls.keys().next_back().copied().unwrap_or(0)
    }

    /// Whether a call with another id than this is at a place.
    pub(crate) fn is_other_call(&self, index: u64, id: &str) -> bool {
        self.calls
            .get(&index)
            .is_some_and(|call| !call.id.is_empty() && !id.is_empty() && call.id != id)
    }

    pub(crate) fn name_call(&mut self, index: u64, id: &str, name: &str) -> Result<(), Broken> {
        let call = self.call(index)?;
        if !id.is_empty() {
            id.clone_into(&mut call.id);
        }
        // Some servers repeat the name in each piece, none sends it in pieces.
        if !name.is_empty() {
            name.clone_into(&mut call.name);
        }
        Ok(())
    }

    pub(crate) fn sign_call(&mut self, index: u64, signature: &str) -> Result<(), Broken> {
        self.call(index)?.signature = Some(signature.to_owned());
        Ok(())
    }

    /// Arguments that come as text, in pieces.
    pub(crate) fn add_arguments(&mut self, index: u64, piece: &str) -> Result<(), Broken> {
        self.take_room(piece.len())?;
        self.call(index)?.text.push_str(piece);
        Ok(())
    }

    /// Arguments that come as JSON, at once.
    pub(crate) fn set_arguments(&mut self, index: u64, value: Value) -> Result<(), Broken> {
        self.take_room(value.to_string().len())?;
        self.call(index)?.value = Some(value);
        Ok(())
    }

    /// The answer, once it has ended. Ids that are missing or come twice are replaced, and numbers
    /// that cannot be true are estimated.
    pub(crate) fn finish(self, request: &ChatRequest, asked_model: &str) -> ChatResponse {
        let mut calls: Vec<ToolCall> = Vec::new();
        for (place, call) in self.calls.into_values().enumerate() {
            let arguments = match call.value {
                Some(value) => Arguments::of(value),
                None => Arguments::parse(&call.text),
            };
            let taken = |id: &str| calls.iter().any(|known| known.id == id);
            let mut id = call.id;
            if id.is_empty() || id.len() > 200 || taken(&id) {
                id = (place..)
                    .map(|n| format!("call_{}", n + 1))
                    .find(|id| !taken(id))
                    .unwrap_or_default();
            }
            calls.push(ToolCall {
                id,
                name: super::given_name(&request.tools, &call.name),
                arguments,
                signature: call.signature,
            });
        }
        let usage = plausible(self.usage, request, self.written);
        let stop = match self.stop {
            // Vendors disagree on what a turn with calls ends with.
            Some(StopReason::End) | None if !calls.is_empty() => StopReason::ToolUse,
            Some(stop) => stop,
            None => StopReason::End,
        };
        ChatResponse {
            turn: AssistantTurn {
                text: self.text,
                calls,
            },
            stop,
            usage,
            model: self.model.unwrap_or_else(|| asked_model.to_owned()),
        }
    }
}

/// What a vendor says that was used, or an estimate where it says nothing or what cannot be: a
/// token is at least a byte, and budgets rest on these numbers.
fn plausible(said: Option<TokenUsage>, request: &ChatRequest, written: usize) -> TokenUsage {
    let sent = request.size() as u64;
    let estimate = TokenUsage {
        input: request.estimated_input(),
        output: (written as u64).div_ceil(3),
        estimated: true,
        ..TokenUsage::default()
    };
    let Some(said) = said else { return estimate };
    let most_input = sent.saturating_mul(2).saturating_add(20_000);
    let most_output = u64::from(request.max_output_tokens)
        .max(written as u64)
        .saturating_add(1_000);
    let plausible = said.input > 0
        && said.input <= most_input
        && said.output <= most_output
        && (said.output > 0 || written == 0)
        && said.cached.saturating_add(said.cache_write) <= said.input
        && said.reasoning <= said.output;
    if plausible { said } else { estimate }
}
