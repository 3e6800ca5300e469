//! `gaby investigate`: one ticket, from beginning to end.

use std::path::PathBuf;
use std::time::Duration;

use clap::ArgGroup;
use gaby_agent::{CitationView, InvestigationResult};
use gaby_model::{Depth, Origin, TicketId, Verdict};

use crate::failure::Ended;
use crate::input;
use crate::output::{self, Output};
use crate::workplace::Workplace;

/// The source of tickets that are given here: the operator's own hand.
const SOURCE: &str = "cli";
/// How long connectors may take to be reached before the work begins.
const REACH: Duration = Duration::from_secs(10);

/// Investigate a ticket
///
/// A ticket is JSON: `subject` and `body`, and optionally `requester` (an address, or an object with
/// `name`, `email`, `verified`), `source`, `external_id`, `priority` (low, normal, high, urgent) and
/// `sla_deadline`. Ends with 0 whatever the verdict, unless it is `failed`.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("which").required(true).args(["file", "ticket"])))]
pub(crate) struct Args {
    /// A file with the ticket, or - for stdin
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// A ticket that was taken in before
    #[arg(long, value_name = "ID")]
    ticket: Option<TicketId>,
    /// How far to look
    #[arg(long, value_name = "DEPTH", value_parser = depth, default_value = "standard")]
    depth: Depth,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    // The ticket first: a fault in it must not wait for connectors.
    let ticket = args.file.as_deref().map(input::ticket).transpose()?;
    let tenant = place.tenant().await?;
    tenant.host.settled(REACH).await;
    let result = match (ticket, args.ticket) {
        (Some(ticket), _) => {
            let source = ticket.source.clone().unwrap_or_else(|| SOURCE.to_owned());
            tenant
                .agent
                .investigate_incoming(ticket, &source, args.depth)
                .await?
        }
        (None, Some(id)) => tenant.agent.investigate_here(&id, args.depth).await?,
        (None, None) => return Ok(()),
    };
    if args.json {
        output::json(&result)?;
    } else {
        tell(&result)?;
    }
    match result.verdict {
        Verdict::Failed => Err(Ended(1).into()),
        _ => Ok(()),
    }
}

fn tell(result: &InvestigationResult) -> anyhow::Result<()> {
    let mut out = Output::new();
    let verdict = match result.verdict {
        Verdict::Resolved => "Resolved",
        Verdict::NeedsApproval => "Needs approval",
        Verdict::Escalated => "Escalated",
        Verdict::Failed => "Failed",
    };
    let how = match &result.playbook {
        Some(playbook) => format!("playbook {playbook}"),
        None => "no playbook".to_owned(),
    };
    out.line(format!(
        "{verdict} (confidence {:.2}, {how})\n",
        result.confidence.value()
    ))?;
    if !result.reply.trim().is_empty() {
        out.line(result.reply.trim())?;
        out.line("")?;
    }
    cited(&mut out, &result.citations)?;
    if let Some(escalation) = &result.escalation {
        out.line(format!("Why: {}", escalation.reason))?;
        if let Some(next) = &escalation.next_step {
            out.line(format!("Next: {next}"))?;
        }
        out.line("")?;
    }
    if !result.actions.is_empty() {
        out.line("Actions")?;
        for action in &result.actions {
            out.line(format!(
                "  {}  {}  {}",
                action.id,
                action.state.as_str(),
                action.summary
            ))?;
        }
        out.line("")?;
    }
    out.line("Steps")?;
    for step in &result.steps {
        out.line(format!("  {}. {}", step.number, step.summary))?;
    }
    out.line(format!("\nTicket {}", result.ticket))?;
    out.end()
}

/// What the sentences rest on, each place once.
pub(crate) fn cited(out: &mut Output, citations: &[CitationView]) -> anyhow::Result<()> {
    let mut numbers: Vec<u32> = citations.iter().map(|citation| citation.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    for number in numbers {
        let Some(citation) = citations.iter().find(|citation| citation.number == number) else {
            continue;
        };
        let place = match &citation.source {
            Origin::Passage {
                path,
                title,
                heading,
                start,
                end,
                ..
            } => {
                let heading = if heading.is_empty() || heading == title {
                    String::new()
                } else {
                    format!(" › {heading}")
                };
                format!("{title}{heading}, {path}:{start}-{end}")
            }
            Origin::ToolCall { tool, .. } => format!("answer of {tool}"),
            Origin::Ticket => "the ticket".to_owned(),
        };
        out.line(format!("[{number}] {place}"))?;
    }
    if !citations.is_empty() {
        out.line("")?;
    }
    Ok(())
}

fn depth(text: &str) -> Result<Depth, String> {
    match text {
        "quick" => Ok(Depth::Quick),
        "standard" => Ok(Depth::Standard),
        "deep" => Ok(Depth::Deep),
        other => Err(format!("`{other}` is none of quick, standard, deep")),
    }
}
