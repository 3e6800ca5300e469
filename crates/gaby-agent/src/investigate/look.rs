//! Looking: searches and reads, one or several at once, and what they showed on record.

use std::time::Instant;

use futures_util::future::join_all;
use gaby_gate::Key;
use gaby_model::{
    Evidence, EvidenceId, InvestigationState, Label, Origin, StepId, StepKind, ToolDefinition,
    ToolResult,
};
use serde_json::Value;
use tracing::{Instrument as _, Span};

use super::{Run, record, shortened, values};
use crate::brain::{CallWish, FoundPassage, FoundRecord, Look, Outcome, SearchWish, Want};
use crate::error::AgentError;
use crate::hands::NoResult;
use crate::reach::Passage;
use crate::trace;

/// A look that is about to be made.
struct Begun {
    what: Ready,
    began: Instant,
    span: Span,
}

enum Ready {
    Search(SearchWish, Result<(), String>),
    Call(Box<CallWish>, Result<Box<Asked>, String>),
}

/// A call that the gate was asked about.
struct Asked {
    definition: Option<ToolDefinition>,
    arguments: Value,
    label: Label,
    decision: Value,
    permit: Result<Key, NoResult>,
}

/// A look that was made.
enum Made {
    Search(SearchWish, Result<Vec<Passage>, String>),
    Unasked(Box<CallWish>, String),
    Call(Box<CallWish>, Box<Called>),
}

struct Called {
    definition: Option<ToolDefinition>,
    arguments: Value,
    label: Label,
    decision: Value,
    result: Result<ToolResult, NoResult>,
}

/// What is recorded of a look.
struct Seen {
    want: Want,
    outcome: Outcome,
    decision: Value,
    label: Option<Label>,
    evidence: Vec<Evidence>,
    summary: String,
    why: String,
}

impl Run<'_> {
    /// Makes looks that do not need each other's answers. Each is weighed and paid for in turn, then
    /// all are made at once, and each becomes a step of its own.
    pub(super) async fn look(&mut self, looks: Vec<Look>) -> Result<(), AgentError> {
        if looks.iter().any(|look| matches!(look, Look::Search(_))) {
            self.enter(InvestigationState::Retrieving).await?;
        }
        if looks.iter().any(|look| matches!(look, Look::Call(_))) {
            record::pass(&mut self.investigation, InvestigationState::SafetyCheck);
        }
        let mut begun = Vec::with_capacity(looks.len());
        for look in looks {
            let turns = self.transcript.turns.len() + begun.len();
            if self.meter.check_turn(turns).is_err() {
                break;
            }
            let began = Instant::now();
            let span = trace::step(match &look {
                Look::Search(_) => StepKind::Retrieve,
                Look::Call(_) => StepKind::Call,
            });
            let what = match look {
                Look::Search(wish) => {
                    let paid = self.meter.take_search().map_err(|spent| spent.to_string());
                    Ready::Search(wish, paid)
                }
                Look::Call(wish) => {
                    let asked = self.weigh_read(&wish).instrument(span.clone()).await?;
                    Ready::Call(Box::new(wish), asked)
                }
            };
            begun.push(Begun { what, began, span });
        }
        let calls = begun
            .iter()
            .any(|one| matches!(&one.what, Ready::Call(_, Ok(_))));
        if calls {
            self.enter(InvestigationState::Acting).await?;
        }
        let this = &*self;
        let making = begun.into_iter().map(|one| async move {
            let made = this.make(one.what).instrument(one.span.clone()).await;
            (made, one.began, one.span)
        });
        let made = join_all(making).await;
        if calls {
            record::pass(&mut self.investigation, InvestigationState::Observing);
        }
        for (made, began, span) in made {
            self.keep(made, began).instrument(span).await?;
        }
        Ok(())
    }

    /// Asks the gate about a read, and takes it out of the budget.
    async fn weigh_read(
        &mut self,
        wish: &CallWish,
    ) -> Result<Result<Box<Asked>, String>, AgentError> {
        let tool = &wish.tool;
        let arguments = match self.arguments(wish) {
            Ok(arguments) => arguments,
            Err(message) => return Ok(Err(message)),
        };
        let vouched = !self.hands.flows_are_checked;
        let settled = self.hands.settled(&tool.connector).await?;
        let may_tell = &settled.standing.may_tell;
        let definition = self.hands.tool(tool).cloned();
        let label = values::result_label(tool, definition.as_ref(), &arguments, may_tell, vouched);
        let shown = arguments.value().clone();
        let (decision, permit) = self
            .hands
            .permit(tool, arguments, &settled, &mut self.meter)
            .await?;
        Ok(Ok(Box::new(Asked {
            definition,
            arguments: shown,
            label,
            decision,
            permit,
        })))
    }

    async fn make(&self, what: Ready) -> Made {
        match what {
            Ready::Search(wish, Err(spent)) => Made::Search(wish, Err(spent)),
            Ready::Search(wish, Ok(())) => {
                let span = trace::retrieval(wish.top);
                let search = async {
                    let found = self.agent.library().search(&wish.query, wish.top).await;
                    trace::retrieved(&found);
                    found
                };
                let found = search.instrument(span).await;
                Made::Search(wish, found.map_err(|error| error.to_string()))
            }
            Ready::Call(wish, Err(message)) => Made::Unasked(wish, message),
            Ready::Call(wish, Ok(asked)) => {
                let result = match asked.permit {
                    Ok(key) => self.hands.call(key, self.meter.time_left()).await,
                    Err(no) => Err(no),
                };
                let called = Called {
                    definition: asked.definition,
                    arguments: asked.arguments,
                    label: asked.label,
                    decision: asked.decision,
                    result,
                };
                Made::Call(wish, Box::new(called))
            }
        }
    }

    async fn keep(&mut self, made: Made, began: Instant) -> Result<(), AgentError> {
        let step = StepId::generate();
        let seen = match made {
            Made::Search(wish, found) => self.found(&step, wish, found),
            Made::Unasked(wish, message) => Seen {
                summary: format!("`{}` could not be called: {message}", wish.tool),
                why: wish.why.clone(),
                want: Want::Call(*wish),
                outcome: Outcome::Failed { message },
                decision: Value::Null,
                label: None,
                evidence: Vec::new(),
            },
            Made::Call(wish, called) => {
                metrics::counter!("gaby_tool_calls_total", "tool" => wish.tool.to_string())
                    .increment(1);
                self.called(&step, *wish, *called)
            }
        };
        self.record_turn(
            step,
            seen.want,
            seen.outcome,
            seen.decision,
            seen.label,
            seen.evidence,
            (seen.summary, seen.why),
            began,
        )
        .await
    }

    fn found(&self, step: &StepId, wish: SearchWish, found: Result<Vec<Passage>, String>) -> Seen {
        let shown = shortened(&wish.query);
        let why = wish.why.clone();
        let (outcome, evidence, came) = match found {
            Err(message) => (
                Outcome::Failed {
                    message: message.clone(),
                },
                Vec::new(),
                message,
            ),
            Ok(passages) => {
                let first = self.next_evidence();
                let hits = passages
                    .iter()
                    .zip(first..)
                    .map(|(passage, evidence)| FoundPassage {
                        evidence,
                        score: passage.score,
                        bm25: passage.bm25,
                        similarity: passage.similarity,
                        bm25_rank: passage.bm25_rank,
                        vector_rank: passage.vector_rank,
                    })
                    .collect();
                let came = format!("{} passages", passages.len());
                let evidence = passages
                    .into_iter()
                    .zip(first..)
                    .map(|(passage, number)| {
                        passage.into_evidence(self.investigation.id.clone(), step.clone(), number)
                    })
                    .collect();
                (Outcome::Found { hits }, evidence, came)
            }
        };
        Seen {
            summary: format!("Searched the knowledge base for \"{shown}\": {came}"),
            why,
            want: Want::Search(wish),
            outcome,
            decision: Value::Null,
            label: None,
            evidence,
        }
    }

    fn called(&self, step: &StepId, wish: CallWish, called: Called) -> Seen {
        let tool = wish.tool.clone();
        let mut label = called.label;
        let (outcome, evidence, summary) = match called.result {
            Err(NoResult::Denied(reason)) => {
                let summary = format!("`{tool}` was not called: {reason}");
                (Outcome::Denied { reason }, Vec::new(), summary)
            }
            Err(NoResult::Failed(message)) => {
                let summary = format!("`{tool}` failed: {message}");
                (Outcome::Failed { message }, Vec::new(), summary)
            }
            Ok(result) => {
                let definition = called.definition.as_ref();
                let evidence = self.records(
                    step,
                    &wish,
                    definition,
                    called.arguments,
                    &result,
                    &mut label,
                );
                let records = evidence
                    .iter()
                    .map(|evidence| FoundRecord {
                        evidence: evidence.number,
                        pointer: pointer_of(evidence),
                    })
                    .collect();
                let summary = match evidence.len() {
                    0 => format!("`{tool}` found nothing"),
                    1 => format!("`{tool}` found one record"),
                    n => format!("`{tool}` found {n} records"),
                };
                let outcome = Outcome::Read {
                    value: result.value,
                    records,
                    truncated: result.truncated,
                };
                (outcome, evidence, summary)
            }
        };
        Seen {
            why: wish.why.clone(),
            want: Want::Call(wish),
            outcome,
            decision: called.decision,
            label: Some(label),
            evidence,
            summary,
        }
    }

    /// The records of an answer as evidence. A record that shows by itself that it is the
    /// requester's may be seen by the requester; an answer of nothing else may as a whole.
    fn records(
        &self,
        step: &StepId,
        wish: &CallWish,
        definition: Option<&ToolDefinition>,
        arguments: Value,
        result: &ToolResult,
        label: &mut Label,
    ) -> Vec<Evidence> {
        let vouched = !self.hands.flows_are_checked;
        let requester = self.ticket.requester.as_ref();
        let email = requester.and_then(|r| r.email.as_deref());
        let own = |pointer: &str| match (definition, email, vouched) {
            (Some(tool), Some(email), false) => values::is_own(tool, &result.value, pointer, email),
            _ => false,
        };
        let pointers = values::records(&result.value);
        let owners = values::owners(&self.transcript.case, label);
        if !pointers.is_empty() && pointers.iter().all(|pointer| own(pointer)) {
            label.readers = owners.clone();
        }
        let evidence: Vec<Evidence> = pointers
            .into_iter()
            .zip(self.next_evidence()..)
            .map(|(pointer, number)| {
                let mut label = label.clone();
                if own(&pointer) {
                    label.readers = owners.clone();
                }
                let value = result
                    .value
                    .pointer(&pointer)
                    .cloned()
                    .unwrap_or(Value::Null);
                Evidence {
                    id: EvidenceId::generate(),
                    investigation: self.investigation.id.clone(),
                    step: step.clone(),
                    number,
                    text: values::shown(&value),
                    origin: Origin::ToolCall {
                        tool: wish.tool.clone(),
                        arguments: arguments.clone(),
                        pointer,
                    },
                    value,
                    label,
                }
            })
            .collect();
        label
            .origins
            .extend(evidence.iter().map(|evidence| evidence.id.clone()));
        evidence
    }
}

fn pointer_of(evidence: &Evidence) -> String {
    match &evidence.origin {
        Origin::ToolCall { pointer, .. } => pointer.clone(),
        Origin::Passage { .. } | Origin::Ticket => String::new(),
    }
}
