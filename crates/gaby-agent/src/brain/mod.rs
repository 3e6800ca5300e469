//! The brain: given what is known so far, what next?
//!
//! The loop owns everything with consequences: budget, gate, persistence, audit, retries. A brain
//! only says what it wants. It names values by reference (`$step3/id`, `$requester/email`,
//! `$inputs/number`), never by a string that would carry trust of its own, and it sees nothing but
//! the transcript, so that a restarted investigation goes on where it was.

pub mod builtin;
pub mod llm;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use gaby_gate::egress;
use gaby_gate::provenance::may_read;
use gaby_model::{
    Evidence, IncomingTicket, InvestigationId, Label, LlmUsed, Timestamp, ToolDefinition, ToolRef,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::budget::Budget;

/// What an investigation is about; does not change while it runs.
#[derive(Debug, Clone)]
pub struct Case {
    /// The ticket, with all that the requester wrote in its body.
    pub ticket: IncomingTicket,
    /// The tools at hand.
    pub tools: Vec<ToolDefinition>,
    /// When the investigation began: the present, as far as the brain is concerned.
    pub now: Timestamp,
    /// On whose account it thinks.
    pub work: Work,
}

/// On whose account a brain thinks.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// The investigation; none for a question at a terminal.
    pub investigation: Option<InvestigationId>,
    /// What the investigation may use in all.
    pub budget: Budget,
    /// The principal that an answer reaches; none when it reaches only whoever asks here.
    pub audience: Option<String>,
}

/// What the brain makes of a ticket before it does anything.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The kind of request.
    pub category: String,
    /// The playbook to follow, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
    /// The question, without greeting, signature and quotes.
    pub question: String,
    /// What is going to be done, in a sentence.
    pub summary: String,
    /// Why.
    pub reason: String,
    /// Values taken from the ticket's text, which anybody may have written.
    #[serde(default)]
    pub from_ticket: BTreeMap<String, String>,
}

/// What the brain wants next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "want", rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "one of them lives at a time, for one step"
)]
pub enum Want {
    /// Search the knowledge base.
    Search(SearchWish),
    /// Call a read.
    Call(CallWish),
    /// Look at several things that do not need each other's answers, all at once.
    Several {
        /// What to look at.
        looks: Vec<Look>,
    },
    /// Ask the requester, and end here until they answer.
    Ask {
        /// The question.
        question: String,
        /// Why it must be asked.
        why: String,
    },
    /// Come to an end.
    Conclude(Conclusion),
}

/// One look of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "look", rename_all = "snake_case")]
pub enum Look {
    /// Into the knowledge base.
    Search(SearchWish),
    /// Into a connected system.
    Call(CallWish),
}

impl Look {
    /// Why, for the timeline.
    pub(crate) fn why_mut(&mut self) -> &mut String {
        match self {
            Self::Search(wish) => &mut wish.why,
            Self::Call(wish) => &mut wish.why,
        }
    }
}

/// A search that the brain wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchWish {
    /// The brain's own name for it.
    pub key: String,
    /// What for.
    pub query: String,
    /// How many passages at most.
    pub top: usize,
    /// Why, for the timeline.
    pub why: String,
}

/// A call that the brain wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallWish {
    /// The brain's own name for it.
    pub key: String,
    /// The generic job, where the brain thinks in roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The tool.
    pub tool: ToolRef,
    /// Its arguments: references and literals.
    pub arguments: Value,
    /// Texts put together from several values, named `$composed/…` in the arguments; nobody
    /// vouches for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub composed: BTreeMap<String, Value>,
    /// Why, for the timeline.
    pub why: String,
}

/// A write that the brain wants when it concludes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionWish {
    /// The call.
    pub call: CallWish,
    /// What it does, for the person who decides.
    pub summary: String,
    /// What could go wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<String>,
    /// Sentences for the reply once it has happened.
    #[serde(default)]
    pub done: Vec<CitedSentence>,
}

/// How a sentence stands in the reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Goes on in the paragraph.
    #[default]
    Text,
    /// Begins a paragraph.
    Paragraph,
    /// A numbered step of a procedure.
    Step,
    /// An item of a list.
    Item,
}

/// A sentence and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CitedSentence {
    /// The sentence.
    pub text: String,
    /// Numbers of the evidence.
    pub evidence: Vec<u32>,
    /// Whether it also rests on the outcome of the action.
    #[serde(default)]
    pub on_action: bool,
    /// How it stands in the reply.
    #[serde(default)]
    pub layout: Layout,
}

/// How the brain wants to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Answer the requester.
    Answer,
    /// Hand over to a human.
    Escalate,
}

/// What the brain concludes. The loop checks it before anything leaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conclusion {
    /// Answer, or hand over.
    pub ending: Ending,
    /// How sure it is, 0 to 1.
    pub confidence: f64,
    /// The answer, or the findings for whoever takes over.
    pub sentences: Vec<CitedSentence>,
    /// What it wants to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionWish>,
    /// Why it is handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
    /// What the human might do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
    /// Why it ends so, for the timeline.
    pub because: String,
    /// How many turns were in view when the sentences were written; all of them, where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_view: Option<usize>,
    /// The numbers that the confidence was made from, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub features: BTreeMap<String, f64>,
}

/// What came of a wish.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Passages, best first.
    Found {
        /// Each with its evidence and scores.
        hits: Vec<FoundPassage>,
    },
    /// What a tool answered.
    Read {
        /// All of it.
        value: Value,
        /// The records in it, each recorded as evidence.
        records: Vec<FoundRecord>,
        /// Whether rows were cut off at a limit.
        truncated: bool,
    },
    /// The gate said no.
    Denied {
        /// Why.
        reason: String,
    },
    /// It did not work.
    Failed {
        /// Why.
        message: String,
    },
}

/// A passage that a search found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FoundPassage {
    /// Its evidence.
    pub evidence: u32,
    /// Fused score, 0 to 1.
    pub score: f64,
    /// Score by words.
    pub bm25: f64,
    /// Cosine with the query; none while vectors are missing.
    pub similarity: Option<f64>,
    /// Its place by words, from 1.
    pub bm25_rank: Option<usize>,
    /// Its place by similarity, from 1.
    pub vector_rank: Option<usize>,
}

/// A record that a tool answered with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundRecord {
    /// Its evidence.
    pub evidence: u32,
    /// JSON pointer to it within the answer.
    pub pointer: String,
}

/// A wish and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// The number of the step that recorded it; its answer is known as `$step{number}`.
    pub step: u32,
    /// What was wanted.
    pub want: Want,
    /// What came of it.
    pub outcome: Outcome,
    /// The label under which the answer is kept; none where no system answered.
    pub label: Option<Label>,
}

impl Turn {
    /// The evidence that came of it.
    fn evidence(&self) -> Vec<u32> {
        match &self.outcome {
            Outcome::Found { hits } => hits.iter().map(|hit| hit.evidence).collect(),
            Outcome::Read { records, .. } => records.iter().map(|record| record.evidence).collect(),
            Outcome::Denied { .. } | Outcome::Failed { .. } => Vec::new(),
        }
    }

    /// The label of what it shows beside its evidence: the text of an error, or what stands beside a
    /// list that is empty.
    fn beside_evidence(&self) -> Option<&Label> {
        let tells = match &self.outcome {
            Outcome::Failed { .. } => true,
            Outcome::Read { value, records, .. } => records.is_empty() && !tells_nothing(value),
            Outcome::Found { .. } | Outcome::Denied { .. } => false,
        };
        self.label.as_ref().filter(|_| tells)
    }
    /// The brain's own name for what it wanted.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match &self.want {
            Want::Search(wish) => Some(&wish.key),
            Want::Call(wish) => Some(&wish.key),
            Want::Several { .. } | Want::Ask { .. } | Want::Conclude(_) => None,
        }
    }
}

/// Everything that has happened so far.
#[derive(Debug, Clone)]
pub struct Transcript {
    /// What it is about.
    pub case: Case,
    /// What was planned.
    pub plan: Plan,
    /// What was wanted and what came of it, in order.
    pub turns: Vec<Turn>,
    /// What was found, by number from 1.
    pub evidence: Vec<Evidence>,
}

impl Transcript {
    /// The evidence with this number.
    #[must_use]
    pub fn evidence(&self, number: u32) -> Option<&Evidence> {
        self.evidence
            .iter()
            .find(|evidence| evidence.number == number)
    }

    /// The label of everything that is in view.
    #[must_use]
    pub fn seen(&self) -> Label {
        let evidence = self.evidence.iter().map(|evidence| &evidence.label);
        let beside = self.turns.iter().filter_map(Turn::beside_evidence);
        egress::label_of_model(evidence.chain(beside))
    }

    /// The label of everything that was in view after so many turns.
    #[must_use]
    pub fn seen_in(&self, turns: usize) -> Label {
        let turns = self.turns.get(..turns).unwrap_or(&self.turns);
        let numbers: BTreeSet<u32> = turns.iter().flat_map(Turn::evidence).collect();
        let evidence = self.evidence.iter();
        let evidence = evidence.filter(|evidence| numbers.contains(&evidence.number));
        let beside = turns.iter().filter_map(Turn::beside_evidence);
        egress::label_of_model(evidence.map(|evidence| &evidence.label).chain(beside))
    }

    /// The beginning of it, up to so many turns.
    #[must_use]
    pub fn up_to(&self, turns: usize) -> Self {
        let turns = self.turns.get(..turns).unwrap_or(&self.turns).to_vec();
        let numbers: BTreeSet<u32> = turns.iter().flat_map(Turn::evidence).collect();
        let mut evidence = self.evidence.clone();
        evidence.retain(|evidence| numbers.contains(&evidence.number));
        Self {
            case: self.case.clone(),
            plan: self.plan.clone(),
            turns,
            evidence,
        }
    }

    /// How many of the turns, from the first on, show nothing that the audience may not see; none when
    /// that is all of them.
    #[must_use]
    pub fn fit_for_audience(&self) -> Option<usize> {
        let audience = [self.case.work.audience.clone()?].into();
        let fit = |turns: usize| may_read(&self.seen_in(turns).readers, &audience);
        if may_read(&self.seen().readers, &audience) {
            return None;
        }
        (0..=self.turns.len()).rev().find(|turns| fit(*turns))
    }

    /// What came of the wish with this key.
    #[must_use]
    pub fn turn(&self, key: &str) -> Option<&Turn> {
        self.turns.iter().find(|turn| turn.key() == Some(key))
    }
}

/// Whether an answer without records tells nothing more than that there are none.
fn tells_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.iter().all(tells_nothing),
        Value::Object(fields) => fields.values().all(tells_nothing),
    }
}

/// Why a brain could not think on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the brain `{brain}` cannot go on: {reason}")]
pub struct BrainError {
    /// Which brain.
    pub brain: String,
    /// Why.
    pub reason: String,
}

/// Says what it wants next, given the transcript; nothing else.
#[async_trait]
pub trait Brain: Send + Sync {
    /// Its name, as investigations record it.
    fn name(&self) -> &str;

    /// What is asked, and how to find out.
    ///
    /// # Errors
    /// When it cannot think.
    async fn plan(&self, case: &Case) -> Result<Plan, BrainError>;

    /// What it wants next.
    ///
    /// # Errors
    /// When it cannot think.
    async fn next(&self, transcript: &Transcript) -> Result<Want, BrainError>;

    /// What it has used models for in an investigation; none for a brain that asks none.
    ///
    /// # Errors
    /// When that cannot be told.
    async fn models_used(&self, _: &InvestigationId) -> Result<Option<LlmUsed>, BrainError> {
        Ok(None)
    }

    /// An investigation is taken up, which another process may have had, or is over: what is remembered
    /// of it holds no longer.
    fn forget(&self, _: &InvestigationId) {}
}

/// The end of an investigation that may use no more: what was found goes to a human.
pub(crate) fn out_of_budget(why: &str) -> Conclusion {
    Conclusion {
        ending: Ending::Escalate,
        confidence: 0.0,
        sentences: Vec::new(),
        action: None,
        escalation: Some(format!("The investigation was stopped: {why}.")),
        next_step: Some("Go on from what was found.".to_owned()),
        because: why.to_owned(),
        features: BTreeMap::new(),
        in_view: None,
    }
}
