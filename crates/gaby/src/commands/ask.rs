//! `gaby ask`: a cited answer on the terminal. No connector is reached and nothing is written.

use gaby_agent::{AgentSettings, Answer};
use gaby_model::{Clock as _, SystemClock};
use gaby_server::AGENT_SETTINGS;

use crate::commands::investigate::cited;
use crate::failure::usage;
use crate::output::{self, Output};
use crate::workplace::Workplace;

/// Answer a question from the knowledge base, with citations
///
/// No connector is reached, and nothing is stored. Ends with 0 also when the answer is not known.
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
    let now = SystemClock.now();
    let answer =
        gaby_agent::ask::answer(library.as_ref(), &args.question, agent.threshold, now).await?;
    if args.json {
        return output::json(&answer);
    }
    tell(&answer)
}

fn tell(answer: &Answer) -> anyhow::Result<()> {
    let mut out = Output::new();
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
