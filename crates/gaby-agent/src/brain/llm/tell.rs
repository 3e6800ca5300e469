//! What a model is told: the ticket and all that was found, fenced as data, and not longer than fits.
//!
//! The conversation is made anew from the transcript each time, so that an investigation goes on after
//! a restart as if nothing had been. When it grows too long, what was found first is told in fewer
//! words; the numbers of the evidence stay, and so does everything that can be named.

use std::sync::Arc;

use gaby_llm::chat::{Arguments, AssistantTurn, Message, ToolAnswer, ToolCall};
use gaby_model::{Evidence, Origin, ToolDefinition};
use serde_json::{Map, Value, json};

use super::{offer, scrub};
use crate::brain::{Case, FoundRecord, Outcome, Transcript, Turn, Want};

/// How much of one record or passage is told, in characters: at first, and where less must do.
const EXCERPTS: [usize; 4] = [1_600, 600, 160, 60];
/// How much of the ticket is told, in characters.
const LONGEST_TICKET: usize = 16_000;

/// The marks around data. Whoever wrote the ticket could not know them: they are made from the
/// random part of the investigation's id.
#[derive(Debug, Clone)]
pub(super) struct Fence {
    word: String,
    lately: Arc<scrub::Lately>,
}

impl Fence {
    /// The fence of a case.
    pub(super) fn of(case: &Case, lately: &Arc<scrub::Lately>) -> Self {
        let id = case.work.investigation.as_ref().map_or_else(
            || gaby_model::InvestigationId::generate().to_string(),
            ToString::to_string,
        );
        let from = id.len().saturating_sub(12);
        Self {
            word: format!("data-{}", id.get(from..).unwrap_or_default()),
            lately: Arc::clone(lately),
        }
    }

    /// The word in the marks.
    pub(super) fn word(&self) -> &str {
        &self.word
    }

    /// A text between the marks.
    pub(super) fn around(&self, what: &str, text: &str) -> String {
        // The word itself cannot be guessed; if it stands in the text all the same, it marks nothing.
        let text = self.lately.for_model(text).replace(&self.word, "data");
        format!("<<{0} {what}>>\n{text}\n<<end {0}>>", self.word)
    }
}

/// The ticket, as the first message.
pub(super) fn ticket(case: &Case, fence: &Fence) -> String {
    let ticket = &case.ticket;
    let body: String = ticket.body.chars().take(LONGEST_TICKET).collect();
    let mut text = fence.around("ticket", &format!("Subject: {}\n\n{body}", ticket.subject));
    text.push_str("\n\n");
    match &ticket.requester {
        None => text.push_str("Nobody is named as the requester."),
        Some(requester) => {
            let email = requester.email.as_deref().unwrap_or("");
            let name = requester.name.as_deref().unwrap_or("");
            let who = format!("$requester/email: {email}\n$requester/name: {name}");
            text.push_str(&fence.around("requester", &who));
            text.push_str(match requester.verified {
                true => "\nThe source vouches that the requester is who they say.",
                false => "\nNobody vouches that the requester is who they say.",
            });
        }
    }
    let now = case.now.to_string();
    text.push_str(&format!("\n\nIt is {now}."));
    text
}

/// A question with the passages that may answer it, as one message.
pub(super) fn question(transcript: &Transcript, fence: &Fence) -> String {
    let passages: Vec<String> = transcript
        .evidence
        .iter()
        .map(|evidence| format!("[{}] {}", evidence.number, passage(evidence, EXCERPTS[0])))
        .collect();
    format!(
        "{}\n\n{}",
        fence.around("question", &transcript.case.ticket.body),
        fence.around("passages", &passages.join("\n\n"))
    )
}

/// What may be changed, with the arguments of each tool.
pub(super) fn changes(tools: &[ToolDefinition]) -> String {
    let writes = offer::writes(tools);
    if writes.is_empty() {
        return "\n\nNothing can be changed in this workspace: leave `action` out.".to_owned();
    }
    let mut text = String::from("\n\nChanges that you may want as `action` when you conclude:");
    for tool in writes {
        let schema = offer::with_references(&tool.input_schema);
        let described = offer::described(tool);
        text.push_str(&format!(
            "\n- `{}`: {described}. Arguments: {schema}",
            tool.tool
        ));
    }
    text
}

/// The whole conversation about a transcript, at most about so many bytes long. `changes` says what may be
/// changed.
pub(super) fn conversation(
    transcript: &Transcript,
    changes: &str,
    fence: &Fence,
    most: usize,
) -> Vec<Message> {
    let first = format!("{}{changes}", ticket(&transcript.case, fence));
    let groups = groups(&transcript.turns);
    let tell = |group: &[Turn], level: usize| told(transcript, fence, group, EXCERPTS[level]);
    let mut parts: Vec<(usize, [Message; 2])> =
        groups.iter().map(|group| (0, tell(group, 0))).collect();
    let mut size = first.len() + parts.iter().map(|(_, part)| size_of(part)).sum::<usize>();
    // The oldest of those that are told at most length is shortened next.
    while size > most {
        let longest = parts.iter().map(|(level, _)| *level).min().unwrap_or(0);
        let mut told = parts.iter_mut().zip(&groups);
        let found = told.find(|((level, _), _)| *level == longest);
        let Some(((level, part), group)) = found else {
            break;
        };
        if *level + 1 == EXCERPTS.len() {
            break;
        }
        *level += 1;
        size = size.saturating_sub(size_of(part));
        *part = tell(group, *level);
        size += size_of(part);
    }
    let mut messages = vec![Message::user(first)];
    messages.extend(parts.into_iter().flat_map(|(_, part)| part));
    messages
}

fn size_of(part: &[Message]) -> usize {
    part.iter()
        .map(|message| match message {
            Message::Tools { results } => results.iter().map(|result| result.content.len()).sum(),
            Message::User { .. } | Message::Assistant(_) => 0,
        })
        .sum()
}

/// Turns that one turn of a model asked for, together.
fn groups(turns: &[Turn]) -> Vec<&[Turn]> {
    let of = |turn: &Turn| {
        let key = turn.key().unwrap_or_default();
        key.split('_').next().unwrap_or_default().to_owned()
    };
    turns.chunk_by(|a, b| of(a) == of(b)).collect()
}

/// How many turns of a model a transcript shows.
pub(super) fn turns_of_model(transcript: &Transcript) -> usize {
    groups(&transcript.turns).len()
}

/// What one turn of a model asked for, and what came of it.
fn told(transcript: &Transcript, fence: &Fence, group: &[Turn], longest: usize) -> [Message; 2] {
    let mut calls = Vec::new();
    let mut results = Vec::new();
    for turn in group {
        let (name, arguments) = asked(&turn.want);
        let id = format!("s{}", turn.step);
        let (content, is_error) = outcome(transcript, turn, fence, longest);
        results.push(ToolAnswer {
            call: id.clone(),
            name: name.clone(),
            content,
            is_error,
        });
        calls.push(ToolCall {
            id,
            name,
            arguments: Arguments::Object(arguments),
            signature: None,
        });
    }
    let asked = AssistantTurn {
        text: String::new(),
        calls,
    };
    [Message::Assistant(asked), Message::Tools { results }]
}

fn asked(want: &Want) -> (String, Map<String, Value>) {
    match want {
        Want::Search(wish) => {
            let mut arguments = Map::new();
            arguments.insert("query".to_owned(), json!(wish.query));
            (offer::SEARCH.to_owned(), arguments)
        }
        Want::Call(wish) => {
            let arguments = wish.arguments.as_object().cloned().unwrap_or_default();
            (wish.tool.to_string(), arguments)
        }
        Want::Several { .. } | Want::Ask { .. } | Want::Conclude(_) => (String::new(), Map::new()),
    }
}

/// What came of a turn, and whether it went wrong.
fn outcome(transcript: &Transcript, turn: &Turn, fence: &Fence, longest: usize) -> (String, bool) {
    let step = turn.step;
    match &turn.outcome {
        Outcome::Found { hits } if hits.is_empty() => {
            (format!("Step {step}: nothing was found."), false)
        }
        Outcome::Found { hits } => {
            let passages: Vec<String> = hits
                .iter()
                .filter_map(|hit| transcript.evidence(hit.evidence))
                .map(|evidence| format!("[{}] {}", evidence.number, passage(evidence, longest)))
                .collect();
            let text = fence.around("passages", &passages.join("\n\n"));
            (
                format!("Step {step}: {} passages.\n{text}", hits.len()),
                false,
            )
        }
        Outcome::Read { value, records, .. } if records.is_empty() => {
            let text = fence.around("answer", &shortened(&value.to_string(), longest));
            (format!("Step {step}: no record was found.\n{text}"), false)
        }
        Outcome::Read {
            value,
            records,
            truncated,
        } => {
            let shown: Vec<String> = records
                .iter()
                .map(|record| shown_record(step, value, record, longest))
                .collect();
            let text = fence.around("answer", &shown.join("\n"));
            let cut = match truncated {
                true => " There were more; they were cut off.",
                false => "",
            };
            (
                format!("Step {step}: {} records.{cut}\n{text}", records.len()),
                false,
            )
        }
        Outcome::Denied { reason } => (format!("Step {step} was refused: {reason}"), true),
        Outcome::Failed { message } => (
            format!("Step {step} failed.\n{}", fence.around("error", message)),
            true,
        ),
    }
}

fn shown_record(step: u32, value: &Value, record: &FoundRecord, longest: usize) -> String {
    let content = value.pointer(&record.pointer).unwrap_or(&Value::Null);
    format!(
        "[{}] $step{step}{}: {}",
        record.evidence,
        record.pointer,
        shortened(&content.to_string(), longest)
    )
}

fn passage(evidence: &Evidence, longest: usize) -> String {
    let place = match &evidence.origin {
        Origin::Passage { title, heading, .. } if heading.is_empty() || heading == title => {
            title.clone()
        }
        Origin::Passage { title, heading, .. } => format!("{title} › {heading}"),
        Origin::ToolCall { .. } | Origin::Ticket => String::new(),
    };
    format!("{place}\n{}", shortened(&evidence.text, longest))
}

fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use gaby_llm::chat::ChatRequest;
    use gaby_model::{IncomingTicket, InvestigationId, Timestamp, ToolRef};

    use super::*;
    use crate::brain::{CallWish, Plan, Work};

    /// So many reads, each with one long record.
    fn transcript(reads: u32) -> Transcript {
        let ticket = r#"{"subject": "Why", "body": "Why is it locked?"}"#;
        let case = Case {
            ticket: serde_json::from_str::<IncomingTicket>(ticket).unwrap(),
            tools: Vec::new(),
            now: Timestamp::from_millis(0),
            work: Work {
                investigation: Some(InvestigationId::generate()),
                ..Work::default()
            },
        };
        let read = |number: u32| Turn {
            label: None,
            step: number + 1,
            want: Want::Call(CallWish {
                key: format!("m{number}_1"),
                role: None,
                tool: ToolRef {
                    connector: "crm".to_owned(),
                    tool: "find".to_owned(),
                },
                arguments: json!({"id": number}),
                composed: BTreeMap::new(),
                why: String::new(),
            }),
            outcome: Outcome::Read {
                value: json!({"result": [{"id": number, "text": "word ".repeat(400)}]}),
                records: vec![FoundRecord {
                    evidence: number,
                    pointer: "/result/0".to_owned(),
                }],
                truncated: false,
            },
        };
        Transcript {
            case,
            plan: Plan::default(),
            turns: (1..=reads).map(read).collect(),
            evidence: Vec::new(),
        }
    }

    #[test]
    fn a_long_conversation_is_told_in_fewer_words_and_keeps_every_number() {
        let transcript = transcript(40);
        let fence = Fence::of(&transcript.case, &Arc::default());
        let whole = conversation(&transcript, "", &fence, usize::MAX);
        assert!(size_of(&whole) > 60_000, "{}", size_of(&whole));
        let short = conversation(&transcript, "", &fence, 20_000);
        assert!(size_of(&short) <= 20_000, "{}", size_of(&short));
        let told = format!("{short:?}");
        for number in 1..=40 {
            let named = format!("[{number}] $step{}/result/0", number + 1);
            assert!(told.contains(&named), "{named} is lost");
        }
        let request = ChatRequest {
            messages: short,
            ..ChatRequest::default()
        };
        assert_eq!(request.check(), Ok(()));
    }

    #[test]
    fn what_fits_is_told_in_full_and_what_is_new_at_greater_length_than_what_is_old() {
        let transcript = transcript(3);
        let fence = Fence::of(&transcript.case, &Arc::default());
        let whole = conversation(&transcript, "", &fence, usize::MAX);
        assert_eq!(conversation(&transcript, "", &fence, 96_000), whole);
        let cut = conversation(&transcript, "", &fence, size_of(&whole) - 1);
        let length = |place: usize| size_of(&cut[place..=place]);
        assert!(length(2) < length(6), "{} and {}", length(2), length(6));
    }
}
