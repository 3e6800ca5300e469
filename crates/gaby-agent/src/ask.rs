//! `ask`: a cited answer from the knowledge base, for somebody at a terminal or in a chat.
//!
//! It is given the knowledge base and nothing else. No tool is within reach here, so none can be
//! called, whatever the question says.

use gaby_model::{
    Confidence, Evidence, EvidenceId, IncomingTicket, Integrity, InvestigationId, Label, Origin,
    StepId, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::brain::builtin::Builtin;
use crate::brain::llm::{Llm, Models};
use crate::brain::{Case, Conclusion, Ending, FoundPassage, Outcome, Transcript, Turn, Want, Work};
use crate::error::AgentError;
use crate::investigate::CitationView;
use crate::playbook::Playbooks;
use crate::reach::{Library, Passage};
use crate::reply::{self, Rigor};

/// How many passages a model is shown.
const PASSAGES: usize = 8;
/// Turns of the brain until it must have come to an end.
const MOST_TURNS: u32 = 6;

/// A cited answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Whether the knowledge base answers the question.
    pub answered: bool,
    /// How sure it is, 0 to 1.
    pub confidence: Confidence,
    /// The answer, or, when it is not sure, what came closest.
    pub reply: String,
    /// What each sentence rests on.
    pub citations: Vec<CitationView>,
    /// Why it is not sure, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// Which model answered; none when it was the built-in brain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Why no model answered, where one was to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_model: Option<String>,
}

/// Answers a question from the knowledge base with a language model; without one when none answers.
///
/// # Errors
/// As [`answer`].
pub async fn answer_with(
    models: Models,
    library: &dyn Library,
    question: &str,
    threshold: f64,
    now: Timestamp,
) -> Result<Answer, AgentError> {
    let mut transcript = opened(question, now)?;
    let asked = transcript.plan.question.clone();
    let found = library.search(&asked, PASSAGES).await?;
    add(&mut transcript, found);
    let brain = Llm::new(models, Playbooks::of([]), threshold);
    match brain.answer(&transcript).await {
        Ok((conclusion, model)) => Ok(Answer {
            model: Some(model),
            ..told(conclusion, &transcript, Rigor::Facts)
        }),
        Err(why) => Ok(Answer {
            no_model: Some(why),
            ..answer(library, question, threshold, now).await?
        }),
    }
}

/// Answers a question from the knowledge base; from this confidence on it counts as answered.
///
/// # Errors
/// When the question is empty or too long, or the knowledge base cannot be searched.
pub async fn answer(
    library: &dyn Library,
    question: &str,
    threshold: f64,
    now: Timestamp,
) -> Result<Answer, AgentError> {
    let brain = Builtin::new(Playbooks::of([]), threshold);
    let mut transcript = opened(question, now)?;
    for step in 1..=MOST_TURNS {
        match brain.want_after(&transcript) {
            Want::Search(wish) => {
                let found = library.search(&wish.query, wish.top).await?;
                let hits = add(&mut transcript, found);
                transcript.turns.push(Turn {
                    label: None,
                    step,
                    want: Want::Search(wish),
                    outcome: Outcome::Found { hits },
                });
            }
            Want::Conclude(conclusion) => return Ok(told(conclusion, &transcript, Rigor::Words)),
            Want::Call(_) | Want::Several { .. } | Want::Ask { .. } => break,
        }
    }
    Ok(Answer {
        answered: false,
        confidence: Confidence::new(0.0),
        reply: String::new(),
        citations: Vec::new(),
        doubt: Some("The question could not be answered.".to_owned()),
        model: None,
        no_model: None,
    })
}

/// A question as a case that nothing is known about yet.
fn opened(question: &str, now: Timestamp) -> Result<Transcript, AgentError> {
    let ticket = IncomingTicket {
        subject: String::new(),
        body: question.to_owned(),
        requester: None,
        source: None,
        external_id: None,
        priority: gaby_model::Priority::default(),
        sla_deadline: None,
    };
    ticket.check()?;
    let case = Case {
        ticket,
        tools: Vec::new(),
        now,
        work: Work::default(),
    };
    // The question alone is taken from the plan; no playbook is at hand here.
    let plan = Builtin::new(Playbooks::of([]), 0.0).plan_for(&case);
    Ok(Transcript {
        plan,
        case,
        turns: Vec::new(),
        evidence: Vec::new(),
    })
}

/// Adds passages as evidence.
fn add(transcript: &mut Transcript, found: Vec<Passage>) -> Vec<FoundPassage> {
    let first = u32::try_from(transcript.evidence.len()).unwrap_or(0) + 1;
    let mut hits = Vec::new();
    for (passage, number) in found.into_iter().zip(first..) {
        hits.push(FoundPassage {
            evidence: number,
            score: passage.score,
            bm25: passage.bm25,
            similarity: passage.similarity,
            bm25_rank: passage.bm25_rank,
            vector_rank: passage.vector_rank,
        });
        transcript.evidence.push(passage.into_evidence(
            InvestigationId::generate(),
            StepId::generate(),
            number,
        ));
    }
    hits
}

fn told(conclusion: Conclusion, transcript: &Transcript, rigor: Rigor) -> Answer {
    let reply = reply::build(&conclusion.sentences, &transcript.evidence, None, rigor);
    Answer {
        answered: conclusion.ending == Ending::Answer && !reply.is_empty(),
        confidence: Confidence::new(conclusion.confidence),
        citations: reply
            .citations
            .iter()
            .filter_map(|citation| CitationView::new(citation, &transcript.evidence))
            .collect(),
        reply: reply.text,
        doubt: conclusion.escalation,
        model: None,
        no_model: None,
    }
}

impl Passage {
    /// The passage as recorded evidence. Articles are the operator's own words, for anybody who asks.
    pub(crate) fn into_evidence(
        self,
        investigation: InvestigationId,
        step: StepId,
        number: u32,
    ) -> Evidence {
        Evidence {
            id: EvidenceId::generate(),
            investigation,
            step,
            number,
            origin: Origin::Passage {
                document: self.document,
                chunk: self.chunk,
                path: self.path,
                title: self.title,
                heading: self.heading,
                start: self.start,
                end: self.end,
            },
            text: self.text,
            value: Value::Null,
            label: Label::of(Integrity::Operator),
        }
    }
}
