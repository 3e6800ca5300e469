//! Whether a provider works: asks it something short, and says what to do when it does not answer.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::address::Reach;
use crate::chat::{ChatRequest, Message};
use crate::config::ProviderConfig;
use crate::error::LlmError;
use crate::http::Limits;
use crate::provider::Provider;

/// Tokens that a model may answer with; some think before they say a word.
const WORDS: u32 = 512;
/// How long is waited for the whole answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came of asking a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Probe {
    /// Whether it answers.
    pub works: bool,
    /// That it answers, or what is wrong and what to do.
    pub says: String,
    /// How long it took, in milliseconds.
    pub millis: u64,
}

/// Asks a provider something short. Costs a few tokens.
pub async fn probe(config: ProviderConfig, reach: Reach) -> Probe {
    let began = Instant::now();
    let answered = ask(config, reach, began + PATIENCE).await;
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (works, says) = match answered {
        Ok(()) => (true, format!("answers, after {millis} ms")),
        Err(error) => (false, format!("{error}. {}", advice(&error))),
    };
    Probe {
        works,
        says,
        millis,
    }
}

async fn ask(config: ProviderConfig, reach: Reach, until: Instant) -> Result<(), LlmError> {
    let request = ChatRequest {
        system: "Answer with one word.".to_owned(),
        messages: vec![Message::user("Are you there?")],
        max_output_tokens: WORDS,
        ..ChatRequest::default()
    };
    let provider = Provider::open(config, reach, Limits::default())?;
    match provider.chat(&request, until, &mut |_: &str| {}).await {
        // It wrote all that it may: it is there.
        Ok(_) | Err(LlmError::TooLong { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What to do about a provider that does not answer.
fn advice(error: &LlmError) -> &'static str {
    match error.kind() {
        "refused_key" => "Check the key (api_key, or GABY_LLM_API_KEY)",
        "unreachable" => "Is it running, and is its address (base_url, GABY_LLM_BASE_URL) right?",
        "timed_out" => "It may be loading the model: try again in a minute",
        "rate_limited" => "It has too much to do, or the account is used up: see its console",
        "status" => "Check that the model's name (GABY_LLM_MODEL) is one that it serves",
        "forbidden" => "Change the rule, or name a model that it allows",
        _ => "Check provider and base_url: does that address speak this provider's protocol?",
    }
}
