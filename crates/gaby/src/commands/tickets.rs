//! `gaby tickets`: what came in, and what became of it.

use clap::{Subcommand, ValueEnum};
use gaby_model::{Author, Message, Ticket, TicketId, TicketState};
use gaby_store::tickets::TicketFilter;
use serde_json::json;

use crate::output::{self, Output, indent, short};
use crate::workplace::Workplace;

/// See tickets
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    List(List),
    Show(Show),
}

/// List tickets, latest first
#[derive(Debug, clap::Args)]
struct List {
    /// Only those in this state
    #[arg(long, value_enum)]
    state: Option<State>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
    /// Print a JSON list
    #[arg(long)]
    json: bool,
}

/// Show a ticket with its messages, its last investigation and its actions
#[derive(Debug, clap::Args)]
struct Show {
    /// The ticket's id
    ticket: TicketId,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    New,
    Investigating,
    WaitingForApproval,
    WaitingForRequester,
    Escalated,
    Resolved,
    Reopened,
}

impl From<State> for TicketState {
    fn from(state: State) -> Self {
        match state {
            State::New => Self::New,
            State::Investigating => Self::Investigating,
            State::WaitingForApproval => Self::WaitingForApproval,
            State::WaitingForRequester => Self::WaitingForRequester,
            State::Escalated => Self::Escalated,
            State::Resolved => Self::Resolved,
            State::Reopened => Self::Reopened,
        }
    }
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    match args.what {
        What::List(args) => list(args, place).await,
        What::Show(args) => show(args, place).await,
    }
}

async fn list(args: List, place: &Workplace) -> anyhow::Result<()> {
    let workspace = place.workspace().await?;
    let filter = TicketFilter {
        state: args.state.map(TicketState::from),
        limit: args.limit,
        ..TicketFilter::default()
    };
    let tickets = workspace.tickets().list(&filter).await?;
    if args.json {
        return output::json(&tickets);
    }
    let mut out = Output::new();
    if tickets.is_empty() {
        out.line("There are none.")?;
    } else {
        let rows: Vec<Vec<String>> = tickets
            .iter()
            .map(|ticket| {
                vec![
                    ticket.id.to_string(),
                    ticket.state.as_str().to_owned(),
                    short(&asked_by(ticket), 30),
                    short(&ticket.subject, 60),
                ]
            })
            .collect();
        out.line(output::table(&rows))?;
    }
    out.end()
}

async fn show(args: Show, place: &Workplace) -> anyhow::Result<()> {
    let workspace = place.workspace().await?;
    let ticket = workspace.tickets().get(&args.ticket).await?;
    let messages = workspace.tickets().messages(&ticket.id).await?;
    let actions = workspace.actions().of_ticket(&ticket.id).await?;
    let investigation = workspace.investigations().latest(&ticket.id).await?;
    let steps = match &investigation {
        Some(found) => workspace.investigations().steps(&found.id).await?,
        None => Vec::new(),
    };
    if args.json {
        return output::json(&json!({
            "ticket": ticket,
            "messages": messages,
            "investigation": investigation,
            "steps": steps,
            "actions": actions,
        }));
    }
    let mut out = Output::new();
    out.line(format!("{}  {}", ticket.id, ticket.state.as_str()))?;
    out.line(format!("{}, from {}\n", ticket.subject, asked_by(&ticket)))?;
    for message in &messages {
        out.line(format!("{}, {}", who(message), message.created_at))?;
        out.line(indent(message.body.trim(), 2))?;
        out.line("")?;
    }
    for step in &steps {
        out.line(format!("{}. {}", step.number, step.summary))?;
    }
    for action in &actions {
        out.line(format!(
            "{}  {}  {}",
            action.id,
            action.state.as_str(),
            action.summary
        ))?;
    }
    out.end()
}

fn asked_by(ticket: &Ticket) -> String {
    ticket
        .requester
        .as_ref()
        .and_then(|requester| requester.email.clone().or_else(|| requester.name.clone()))
        .unwrap_or_else(|| "nobody named".to_owned())
}

fn who(message: &Message) -> &'static str {
    match message.author {
        Author::Requester => "Requester",
        Author::Gaby => "Gaby",
        Author::Agent => "Team",
        Author::Note => "Note",
    }
}
