//! Evidence: recorded facts with their origin, and the citations that point to them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::id::{ChunkId, DocumentId, EvidenceId, InvestigationId, StepId};
use crate::label::Label;
use crate::tool::ToolRef;

/// Where a fact was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// A passage of the knowledge base.
    Passage {
        /// The document.
        document: DocumentId,
        /// The chunk that was found.
        chunk: ChunkId,
        /// The document's path or address, for people.
        path: String,
        /// The document's title.
        title: String,
        /// Headings down to the passage, joined by ` › `; empty at the top.
        heading: String,
        /// Byte offset of the first character in the document's text.
        start: usize,
        /// Byte offset after the last character.
        end: usize,
    },
    /// The result of a tool call.
    ToolCall {
        /// The tool.
        tool: ToolRef,
        /// What it was called with.
        arguments: Value,
        /// JSON pointer (RFC 6901) to the fact within the result; empty for all of it.
        pointer: String,
    },
    /// The ticket's own text.
    Ticket,
}

/// A recorded fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// Its id.
    pub id: EvidenceId,
    /// The investigation that found it.
    pub investigation: InvestigationId,
    /// The step that found it.
    pub step: StepId,
    /// Its number within the investigation, from 1, as replies show it.
    pub number: u32,
    /// Where it was found.
    pub origin: Origin,
    /// The fact as text.
    pub text: String,
    /// The fact as data, where it is data.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub value: Value,
    /// How far it can be trusted and who may see it.
    pub label: Label,
}

/// A pointer from a sentence of a reply to the evidence that it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Citation {
    /// The sentence, as it stands in the reply.
    pub sentence: String,
    /// Byte offset of the sentence in the reply.
    pub start: usize,
    /// Byte offset after the sentence.
    pub end: usize,
    /// The evidence.
    pub evidence: EvidenceId,
    /// The evidence's number, as shown in the reply.
    pub number: u32,
}
