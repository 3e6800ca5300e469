//! What an investigation gives to whoever started it: the JSON of `gaby investigate --json`.

use gaby_model::{
    Action, Citation, Confidence, Evidence, EvidenceId, Investigation, InvestigationId, Origin,
    Step, TicketId, Usage, Verdict,
};
use serde::{Deserialize, Serialize};

use crate::escalate::EvidenceBundle;

/// An investigation that came to its end, with all that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvestigationResult {
    /// Its ticket.
    pub ticket: TicketId,
    /// The investigation.
    pub investigation: InvestigationId,
    /// How it ended.
    pub verdict: Verdict,
    /// How sure it is, 0 to 1.
    pub confidence: Confidence,
    /// What kind of request it is.
    pub category: Option<String>,
    /// The playbook that it followed.
    pub playbook: Option<String>,
    /// The reply; the draft of one while an action waits for approval; the note to the human who
    /// takes over.
    pub reply: String,
    /// What each sentence rests on.
    pub citations: Vec<CitationView>,
    /// What was done.
    pub steps: Vec<Step>,
    /// What is to be changed, or was.
    pub actions: Vec<Action>,
    /// Why it was handed over, and everything for whoever takes over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<EvidenceBundle>,
    /// What it used.
    pub usage: Usage,
    /// Which brain ran it.
    pub brain: String,
}

/// A sentence of the reply and the place that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CitationView {
    /// The sentence, as it stands in the reply.
    pub sentence: String,
    /// Byte offset of the sentence in the reply.
    pub start: usize,
    /// Byte offset after it.
    pub end: usize,
    /// The evidence.
    pub evidence: EvidenceId,
    /// Its number, as shown in the reply.
    pub number: u32,
    /// Where the evidence was found: the document, title, heading and byte offsets of the sentence
    /// in it, or the tool call.
    pub source: Origin,
}

impl CitationView {
    /// A citation with the place that its evidence came from. Of a passage, the offsets are those
    /// of the sentence itself where it can be found, else those of the passage.
    #[must_use]
    pub fn new(citation: &Citation, evidence: &[Evidence]) -> Option<Self> {
        let found = evidence
            .iter()
            .find(|known| known.id == citation.evidence)?;
        let mut source = found.origin.clone();
        if let Origin::Passage { start, end, .. } = &mut source
            && let Some((from, to)) =
                crate::text::sentences::locate(&found.text, &citation.sentence)
        {
            *end = *start + to;
            *start += from;
        }
        Some(Self {
            sentence: citation.sentence.clone(),
            start: citation.start,
            end: citation.end,
            evidence: citation.evidence.clone(),
            number: citation.number,
            source,
        })
    }
}

impl InvestigationResult {
    /// Puts together what is recorded.
    #[must_use]
    pub(crate) fn new(
        investigation: &Investigation,
        steps: Vec<Step>,
        evidence: &[Evidence],
        actions: Vec<Action>,
        escalation: Option<EvidenceBundle>,
    ) -> Self {
        Self {
            ticket: investigation.ticket.clone(),
            investigation: investigation.id.clone(),
            verdict: investigation.verdict.unwrap_or(Verdict::Failed),
            confidence: investigation.confidence.unwrap_or(Confidence::new(0.0)),
            category: investigation.category.clone(),
            playbook: investigation.playbook.clone(),
            reply: investigation.reply.clone().unwrap_or_default(),
            citations: investigation
                .citations
                .iter()
                .filter_map(|citation| CitationView::new(citation, evidence))
                .collect(),
            steps,
            actions,
            escalation,
            usage: investigation.usage,
            brain: investigation.brain.clone(),
        }
    }
}
