//! The shape of a playbook file.

use std::collections::BTreeMap;

use gaby_model::Autonomy;
use serde::Deserialize;
use serde_json::Value;
pub use serde_saphyr::Spanned;

/// A recipe for a recurring ticket.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Playbook {
    /// Its name: lower-case letters, digits and dashes.
    pub name: Spanned<String>,
    /// Its title, for people.
    pub title: String,
    /// The kind of request that it is for.
    pub category: String,
    /// What it does, for people.
    pub description: String,
    /// At most this much autonomy, whatever the connector allows.
    #[serde(default = "act")]
    pub autonomy: Autonomy,
    /// How such a ticket is recognised.
    pub triggers: Triggers,
    /// Values that the steps need.
    #[serde(default)]
    pub inputs: BTreeMap<String, Spanned<Input>>,
    /// What is looked up, in order.
    #[serde(default)]
    pub steps: Vec<Spanned<StepSpec>>,
    /// What follows; the first whose condition holds.
    pub outcomes: Vec<Spanned<Outcome>>,
}

fn act() -> Autonomy {
    Autonomy::Act
}

/// How a ticket for a playbook is recognised.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    /// Strong: the words in this order, any inflection.
    #[serde(default)]
    pub phrases: Vec<String>,
    /// Medium: all words of one group, in any order.
    #[serde(default)]
    pub keywords: Vec<Vec<String>>,
    /// Weak: tickets that read like this one.
    #[serde(default)]
    pub examples: Vec<String>,
    /// Rules the playbook out.
    #[serde(default)]
    pub exclude: Vec<String>,
}

/// Where an input's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputFrom {
    /// What the ticket's source says about the requester.
    Requester,
    /// The ticket's text, which anybody may have written.
    Ticket,
    /// What a step read.
    Read,
}

/// A property of the requester.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequesterField {
    /// The address.
    Email,
    /// The name.
    Name,
    /// The part of the address after the `@`.
    Domain,
}

/// A value that the steps need.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Where it comes from.
    pub from: InputFrom,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
    /// With `from: requester`: which property.
    #[serde(default)]
    pub field: Option<RequesterField>,
    /// With `from: ticket`: the kind of thing to look for.
    #[serde(default)]
    pub entity: Option<crate::brain::builtin::slots::Entity>,
    /// With `from: ticket`: a regular expression; its first group, or all of it.
    #[serde(default)]
    pub pattern: Option<String>,
    /// With `from: ticket`: skip a value that equals this reference.
    #[serde(default)]
    pub not: Option<String>,
    /// With `from: read`: the reference.
    #[serde(default)]
    pub path: Option<String>,
    /// Whether nothing can be done without it.
    #[serde(default)]
    pub required: bool,
    /// The question to the requester when it is required and missing.
    #[serde(default)]
    pub ask: Option<String>,
}

/// Whether a step's result is one record or a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultShape {
    /// The first record, or none.
    #[default]
    One,
    /// All records.
    Many,
}

/// Something that is looked up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepSpec {
    /// The name under which its result is known.
    pub id: String,
    /// Call the tool that has this role.
    #[serde(default)]
    pub role: Option<String>,
    /// Search the knowledge base for this (a template).
    #[serde(default)]
    pub search: Option<String>,
    /// Pick from the list that this earlier step read.
    #[serde(default)]
    pub from: Option<String>,
    /// Why, for the timeline.
    #[serde(default)]
    pub why: Option<String>,
    /// The step is skipped, and its result none, unless this holds.
    #[serde(default)]
    pub when: Option<String>,
    /// The tool's arguments: references, templates or values.
    #[serde(default)]
    pub arguments: BTreeMap<String, Value>,
    /// One record, or a list.
    #[serde(default)]
    pub result: ResultShape,
    /// Keeps only the records (`item`) for which this holds.
    #[serde(default, rename = "where")]
    pub filter: Option<String>,
    /// Whether to go on when the role is not connected or the call fails.
    #[serde(default)]
    pub optional: bool,
}

/// What follows from what was found.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Its name, for the timeline.
    pub id: String,
    /// Holds when this does; always when left out.
    #[serde(default)]
    pub when: Option<String>,
    /// How sure it is, 0 to 1.
    #[serde(default)]
    pub confidence: Option<f64>,
    /// What is said, sentence by sentence.
    #[serde(default)]
    pub answer: Vec<Say>,
    /// What is to be changed.
    #[serde(default)]
    pub action: Option<ActionSpec>,
    /// Hand over to a human, for this reason (a template).
    #[serde(default)]
    pub escalate: Option<String>,
    /// What the human might do next (a template).
    #[serde(default)]
    pub next: Option<String>,
}

/// One sentence of an answer, or a quotation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Say {
    /// The sentence (a template).
    #[serde(default)]
    pub say: Option<String>,
    /// Quote the best sentences that this search step found.
    #[serde(default)]
    pub quote: Option<String>,
    /// How many sentences are quoted.
    #[serde(default)]
    pub sentences: Option<usize>,
    /// Steps that the sentence rests on beside those whose values it shows; `action` is the action.
    #[serde(default)]
    pub cite: Vec<String>,
    /// Said only when this holds.
    #[serde(default)]
    pub when: Option<String>,
}

/// A write that an outcome wants.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionSpec {
    /// The role of the tool that does it.
    pub role: String,
    /// Its arguments.
    #[serde(default)]
    pub arguments: BTreeMap<String, Value>,
    /// What it does, for the person who decides (a template).
    pub summary: String,
    /// Why (a template).
    pub reason: String,
    /// What could go wrong (a template).
    #[serde(default)]
    pub risk: Option<String>,
    /// Added to the answer once it has happened.
    #[serde(default)]
    pub done: Vec<Say>,
}
