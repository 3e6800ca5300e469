//! `gaby ask`: a cited answer on the terminal. No connector is reached; what a model is asked goes on
//! record, and nothing else is written.

use gaby_agent::ask::answer_with;
use gaby_agent::{AgentSettings, Answer};
use gaby_model::{Clock as _, SystemClock};
use gaby_server::AGENT_SETTINGS;

use crate::commands::investigate::cited;
use crate::failure::usage;
use crate::output::{self, Output, note};
use crate::workplace::Workplace;

/// Answer a question from the knowledge base, with citations
///
/// No connector is reached, and nothing is stored but what a language model was asked, if one is set.
/// Ends with 0 also when the answer is not known.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The question
    question: String,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    if args.question.trim().is_empty() {
        return Err(usage("the question is empty"));
    }
    let workspace = place.workspace().await?;
    let agent: AgentSettings = workspace.setting(AGENT_SETTINGS).await?.unwrap_or_default();
    let library = gaby_server::library(place.knowledge().await?);
    let (library, question) = (library.as_ref(), args.question.as_str());
    let (threshold, now) = (agent.threshold, SystemClock.now());
    let answer = match place.models(&workspace).await? {
        Some(models) => answer_with(models, library, question, threshold, now).await?,
        None => gaby_agent::ask::answer(library, question, threshold, now).await?,
    };
    if args.json {
        return output::json(&answer);
    }
    tell(&answer)
}

fn tell(answer: &Answer) -> anyhow::Result<()> {
    let mut out = Output::new();
    if let Some(why) = &answer.no_model {
        note(format!("The built-in brain answers: {why}"));
    }
    if !answer.answered {
        let why = answer
            .doubt
            .as_deref()
            .unwrap_or("The knowledge base does not answer this.");
        out.line(why)?;
        if !answer.reply.is_empty() {
            out.line("\nWhat comes closest:\n")?;
        }
    }
    if !answer.reply.is_empty() {
        out.line(answer.reply.trim())?;
        out.line("")?;
        cited(&mut out, &answer.citations)?;
    }
    out.end()
}
