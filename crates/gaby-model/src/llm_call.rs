//! Calls of language models, as they are on record.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::id::{InvestigationId, LlmCallId};
use crate::time::Timestamp;

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LlmOutcome {
    /// It is out; if its investigation has ended, nobody waited for the answer. Tokens and money are
    /// what it may have cost at most.
    Asked,
    /// A model answered.
    Answered,
    /// No model answered.
    Failed,
    /// A budget was used up: nobody was asked.
    Stopped,
}

/// One call of a language model, without what was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LlmCall {
    /// Its id.
    pub id: LlmCallId,
    /// The investigation that it was made for; none for a question at a terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub investigation: Option<InvestigationId>,
    /// The number of the step that came of it; 0 outside an investigation.
    pub step: u32,
    /// What for: `classify`, `investigate`, `answer`.
    pub purpose: String,
    /// The prompt's name.
    pub prompt: String,
    /// The prompt's version: the beginning of the SHA-256 of its file.
    pub prompt_version: String,
    /// Who answered; who is asked first while nobody has.
    pub provider: String,
    /// The model, as its provider names it.
    pub model: String,
    /// What became of it.
    pub outcome: LlmOutcome,
    /// How often somebody was asked until it was over.
    pub tries: u32,
    /// Tokens that were sent.
    pub input_tokens: u64,
    /// Of them, read from the provider's cache.
    pub cached_tokens: u64,
    /// Tokens that the model wrote.
    pub output_tokens: u64,
    /// Of them, thinking.
    pub reasoning_tokens: u64,
    /// What it cost in millionths of a US dollar.
    pub micro_usd: u64,
    /// How long it took with all tries.
    pub millis: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What was said in a call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LlmTalk {
    /// What the model was asked: system prompt, messages, tools.
    pub request: Value,
    /// What the prompt was filled in with, so that another one can be.
    #[serde(default)]
    pub values: Value,
    /// What it answered; null when nobody did.
    #[serde(default)]
    pub answer: Value,
    /// Each try: who was asked, and what came of it.
    #[serde(default)]
    pub tries: Value,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What came of a call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LlmReply {
    /// What the model answered; null when nobody did.
    pub answer: Value,
    /// Each try: who was asked, and what came of it.
    pub tries: Value,
    /// Why there is no answer.
    pub error: Option<String>,
}

/// What models were used for something, all calls together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LlmUsed {
    /// Calls.
    pub calls: u32,
    /// Tokens that were sent.
    pub input_tokens: u64,
    /// Tokens that models wrote.
    pub output_tokens: u64,
    /// Cost in millionths of a US dollar.
    pub micro_usd: u64,
}
