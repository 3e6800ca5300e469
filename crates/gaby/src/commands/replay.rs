//! `gaby replay`: a call of a model once more, with another model or prompt. Nothing that the model
//! wants is done.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use gaby_llm::spend::Allowance;
use gaby_llm::{Asking, ChatRequest, ChatResponse, Prompt, Purpose};
use gaby_model::{LlmCall, LlmCallId};
use serde::Serialize;

use crate::failure::usage;
use crate::output::{self, Output};
use crate::workplace::Workplace;

/// How long the answer may take.
const LONGEST: Duration = Duration::from_secs(300);

/// Ask a model once more what it was asked, to compare models and prompts
///
/// Asks exactly what is on record, and shows both answers. No connector is reached, no knowledge is
/// searched, and no ticket changes; whatever the model wants is only shown. The new call is put on
/// record too. The ids of calls are in the console, beside the steps of an investigation, and in
/// `GET /api/investigations/ID/llm-calls`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The call
    #[arg(value_name = "CALL-ID")]
    call: LlmCallId,
    /// Another model of the first provider
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// A file with another prompt, filled in with what the first was
    #[arg(long, value_name = "FILE")]
    prompt: Option<PathBuf>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// Both answers.
#[derive(Serialize)]
struct Replayed {
    before: Side,
    after: Side,
}

#[derive(Serialize)]
struct Side {
    provider: String,
    model: String,
    prompt: String,
    prompt_version: String,
    input_tokens: u64,
    output_tokens: u64,
    micro_usd: u64,
    millis: u64,
    /// None when nobody answered.
    answer: Option<ChatResponse>,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let workspace = place.workspace().await?;
    let (call, talk) = workspace.llm_calls().get(&args.call).await?;
    let models = place
        .models(&workspace)
        .await?
        .ok_or_else(|| usage("no model is configured: set `[llm]` in gaby.toml, or GABY_LLM_PROVIDER and GABY_LLM_MODEL"))?;
    let mut request: ChatRequest = serde_json::from_value(talk.request)
        .with_context(|| format!("what {} asked does not read back", call.id))?;
    let prompt = match &args.prompt {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let prompt = Prompt::parse(&path.display().to_string(), &text)?;
            request.system = prompt.render(&talk.values)?;
            prompt
        }
        None => models.prompts.get(&call.prompt).cloned().ok_or_else(|| {
            anyhow!(
                "there is no prompt `{}` any more: name one with --prompt",
                call.prompt
            )
        })?,
    };
    let purpose = purpose(&call)?;
    let mut route = models.desk.llm().route(purpose, models.desk.narrowed())?;
    route.providers.truncate(1);
    if let (Some(first), Some(model)) = (route.providers.first_mut(), args.model) {
        first.model = model;
    }
    // Without another prompt it is the recorded text that is sent, whatever the file says now.
    let version = match args.prompt {
        Some(_) => prompt.version.clone(),
        None => call.prompt_version.clone(),
    };
    let mut prompt = prompt;
    prompt.version = version;
    let asking = Asking {
        purpose,
        prompt: &prompt,
        values: talk.values,
        request,
        investigation: None,
        step: 0,
        allowance: Allowance::default(),
        deadline: tokio::time::Instant::now() + LONGEST,
        route: Some(route),
    };
    let answered = models.desk.ask(asking).await?;
    let replayed = Replayed {
        after: Side {
            provider: answered.provider,
            model: answered.response.model.clone(),
            prompt: prompt.name.clone(),
            prompt_version: prompt.version.clone(),
            input_tokens: answered.response.usage.input,
            output_tokens: answered.response.usage.output,
            micro_usd: answered.micro_usd,
            millis: answered.millis,
            answer: Some(answered.response),
        },
        before: Side {
            answer: serde_json::from_value(talk.answer).ok(),
            provider: call.provider,
            model: call.model,
            prompt: call.prompt,
            prompt_version: call.prompt_version,
            input_tokens: call.input_tokens,
            output_tokens: call.output_tokens,
            micro_usd: call.micro_usd,
            millis: call.millis,
        },
    };
    if args.json {
        return output::json(&replayed);
    }
    let mut out = Output::new();
    tell(&mut out, "Then", &replayed.before)?;
    out.line("")?;
    tell(&mut out, "Now", &replayed.after)?;
    out.end()
}

fn purpose(call: &LlmCall) -> anyhow::Result<Purpose> {
    let word = serde_json::Value::String(call.purpose.clone());
    serde_json::from_value(word).with_context(|| format!("the purpose of {}", call.id))
}

fn tell(out: &mut Output, when: &str, side: &Side) -> anyhow::Result<()> {
    let Side {
        provider,
        model,
        prompt,
        prompt_version,
        input_tokens,
        output_tokens,
        micro_usd,
        millis,
        answer,
    } = side;
    out.line(format!(
        "{when}: {provider} {model}, prompt {prompt} {prompt_version}, {input_tokens} + \
         {output_tokens} tokens, {micro_usd} millionths of a US dollar, {millis} ms"
    ))?;
    let Some(answer) = answer else {
        return Ok(out.line("  no answer")?);
    };
    if !answer.turn.text.trim().is_empty() {
        out.line(output::indent(answer.turn.text.trim(), 2))?;
    }
    for call in &answer.turn.calls {
        let arguments = call.arguments.to_object();
        out.line(format!("  {} {arguments}", call.name))?;
    }
    Ok(())
}
