//! What may be said to the requester by a brain that nobody vouches for.
//!
//! Such a brain may put into any sentence whatever it has seen, in whatever disguise: the order of
//! harmless words can spell a secret. So what it says is for those who may see all that was in view
//! when it was written, however it is worded.

use std::collections::BTreeSet;

use gaby_gate::egress::{self, Leak};
use gaby_gate::provenance::may_read;
use gaby_model::{Evidence, Label, Origin};

use crate::brain::CitedSentence;

/// Who speaks to whom, having seen what.
pub(crate) struct Speaker<'a> {
    /// Whether the operator vouches for the words: a playbook's, or quotations.
    pub(crate) vouched: bool,
    /// The principal that hears it.
    pub(crate) audience: String,
    /// The label of everything that was in view when the words were written.
    pub(crate) seen: Label,
    /// Hosts that may always be linked to.
    pub(crate) hosts: &'a BTreeSet<String>,
}

impl Speaker<'_> {
    /// Whether a sentence may be said.
    ///
    /// # Errors
    /// Why it does not leave.
    pub(crate) fn may_say(
        &self,
        sentence: &CitedSentence,
        evidence: &[Evidence],
    ) -> Result<(), Leak> {
        let cited: Vec<&Evidence> = evidence
            .iter()
            .filter(|evidence| sentence.evidence.contains(&evidence.number))
            .collect();
        let quotes = !cited.is_empty()
            && cited
                .iter()
                .all(|evidence| matches!(evidence.origin, Origin::Passage { .. }));
        // What is quoted from the knowledge base stands there as the operator let it stand.
        if quotes && self.vouched {
            return Ok(());
        }
        self.check(&sentence.text, &cited)
    }

    /// Whether a question may be asked.
    ///
    /// # Errors
    /// Why it does not leave.
    pub(crate) fn may_ask(&self, question: &str) -> Result<(), Leak> {
        self.check(question, &[])
    }

    fn check(&self, text: &str, cited: &[&Evidence]) -> Result<(), Leak> {
        let audience = [self.audience.clone()].into();
        if !self.vouched && !may_read(&self.seen.readers, &audience) {
            return Err(Leak::NotForAudience(self.audience.clone()));
        }
        let passages: Vec<&str> = cited
            .iter()
            .filter(|evidence| matches!(evidence.origin, Origin::Passage { .. }))
            .map(|evidence| evidence.text.as_str())
            .collect();
        egress::shape(text, &passages, self.hosts)
    }
}
