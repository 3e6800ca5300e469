//! `gaby ask`: a cited answer on the terminal. No connector is reached and nothing is written.

use gaby_agent::{AgentSettings, Answer};
use gaby_model::{Clock as _, SystemClock};
use gaby_server::AGENT_SETTINGS;

use crate::commands::investigate::cited;
use crate::output::{self, Output};
use crate::settings::Settings;
use crate::workplace;

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

pub(crate) async fn run(args: Args, settings: &Settings) -> anyhow::Result<()> {
    let workspace = workplace::open(settings).await?;
    let agent: AgentSettings = workspace.setting(AGENT_SETTINGS).await?.unwrap_or_default();
    let knowledge = workplace::knowledge_of(workspace, settings).await?;
    let library = gaby_server::library(knowledge);
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
