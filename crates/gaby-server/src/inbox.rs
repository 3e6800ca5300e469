//! The inbox: tickets with what a reader of the list needs to see of each.

use gaby_model::{ActionState, Author, Ticket, TicketId};
use gaby_store::Workspace;
use gaby_store::tickets::TicketFilter;

use crate::error::{ApiError, ApiResult};
use crate::routes::tickets::{TicketPage, TicketQuery, TicketSummary};

const USUAL: u32 = 50;
const MOST: u32 = 200;
/// How many tickets a search by text looks at for one page; what was written is sealed, so it is
/// opened one by one.
const LOOKED_AT: usize = 2_000;
const PREVIEW_CHARS: usize = 140;

/// One page of the inbox.
///
/// # Errors
/// When the query is not good or the store fails.
pub(crate) async fn page(workspace: &Workspace, query: &TicketQuery) -> ApiResult<TicketPage> {
    let limit = query.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(ApiError::invalid(format!("`limit` must be 1 to {MOST}")));
    }
    let mut before = cursor(query)?;
    let wanted = query.q.as_deref().map(str::trim).filter(|q| !q.is_empty());
    let wanted = wanted.map(str::to_lowercase);
    let (mut items, mut looked_at) = (Vec::new(), 0);
    let next_cursor = loop {
        let filter = TicketFilter {
            state: query.state,
            before: before.clone(),
            limit,
        };
        let tickets = workspace.tickets().list(&filter).await?;
        let last = tickets.len() < limit as usize;
        for ticket in tickets {
            looked_at += 1;
            before = Some(ticket.id.clone());
            let summary = Entry::read(workspace, ticket).await?;
            if wanted.as_ref().is_none_or(|text| summary.says(text)) {
                items.push(summary.line);
            }
            if items.len() == limit as usize {
                break;
            }
        }
        if items.len() == limit as usize || looked_at >= LOOKED_AT {
            break before;
        }
        if last {
            break None;
        }
    };
    Ok(TicketPage {
        items,
        next_cursor: next_cursor.map(|id| id.to_string()),
        counts: workspace
            .tickets()
            .counts()
            .await?
            .into_iter()
            .map(|(state, count)| (state.as_str().to_owned(), count))
            .collect(),
    })
}

fn cursor(query: &TicketQuery) -> ApiResult<Option<TicketId>> {
    let Some(text) = &query.cursor else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|_| ApiError::invalid("`cursor` is not a `next_cursor` of this list"))
}

/// A line of the inbox with the text that a search looks through.
struct Entry {
    line: TicketSummary,
    text: String,
}

impl Entry {
    async fn read(workspace: &Workspace, ticket: Ticket) -> ApiResult<Self> {
        let messages = workspace.tickets().messages(&ticket.id).await?;
        let investigation = workspace.investigations().latest(&ticket.id).await?;
        let actions = workspace.actions().of_ticket(&ticket.id).await?;
        let pending = actions
            .iter()
            .filter(|action| action.state == ActionState::Proposed)
            .count();
        let asked = messages
            .iter()
            .find(|message| message.author == Author::Requester)
            .map_or("", |message| message.body.as_str());
        let text = messages
            .iter()
            .map(|message| message.body.to_lowercase())
            .collect::<Vec<_>>()
            .join("\n");
        let line = TicketSummary {
            preview: preview(asked),
            id: ticket.id,
            subject: ticket.subject,
            source: ticket.source,
            requester: ticket.requester,
            state: ticket.state,
            priority: ticket.priority,
            sla_deadline: ticket.sla_deadline,
            verdict: investigation.as_ref().and_then(|found| found.verdict),
            confidence: investigation.as_ref().and_then(|found| found.confidence),
            category: investigation.and_then(|found| found.category),
            pending_actions: u32::try_from(pending).unwrap_or(u32::MAX),
            created_at: ticket.created_at,
            updated_at: ticket.updated_at,
        };
        Ok(Self { line, text })
    }

    fn says(&self, wanted: &str) -> bool {
        let requester = self.line.requester.as_ref();
        let name = requester.and_then(|r| r.name.as_deref()).unwrap_or("");
        let email = requester.and_then(|r| r.email.as_deref()).unwrap_or("");
        [self.line.subject.as_str(), name, email]
            .iter()
            .any(|field| field.to_lowercase().contains(wanted))
            || self.text.contains(wanted)
    }
}

/// The beginning of a text on one line.
fn preview(text: &str) -> String {
    let mut words = String::new();
    for word in text.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
        if words.chars().count() > PREVIEW_CHARS {
            let mut cut: String = words.chars().take(PREVIEW_CHARS).collect();
            cut.push('…');
            return cut;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_is_one_short_line() {
        assert_eq!(
            preview("  Hello,\n\n I cannot\tsign in "),
            "Hello, I cannot sign in"
        );
        let long = preview(&"word ".repeat(100_000));
        assert!(long.chars().count() == PREVIEW_CHARS + 1 && long.ends_with('…'));
        assert_eq!(preview(""), "");
    }
}
