//! What may be said to the requester by a brain that nobody vouches for.
//!
//! Such a brain may put into any sentence whatever it has seen, in whatever disguise. So what it
//! says is for those who may see all of that. Where it has seen more than the requester may, it can
//! still speak in words that the requester may see anyhow: those of the evidence that it cites, and
//! the requester's own.

use std::collections::BTreeSet;

use gaby_gate::egress::{self, Leak};
use gaby_gate::provenance::may_read;
use gaby_model::{Evidence, IncomingTicket, Origin};

use crate::brain::CitedSentence;
use crate::reply::bare;
use crate::text::sentences::plain;

/// Words that tie others together and tell nothing.
const TYING: &[&str] = &[
    "a", "an", "the", "and", "or", "but", "so", "if", "then", "of", "to", "in", "on", "at", "by",
    "for", "from", "with", "as", "is", "are", "was", "were", "be", "been", "has", "have", "had",
    "do", "does", "did", "not", "no", "yes", "it", "its", "this", "that", "these", "those", "you",
    "your", "we", "our", "i", "my", "there", "here", "please", "can", "could", "will", "would",
    "should", "may", "which", "what", "when", "where", "who", "how", "now", "again", "also",
    "after", "before", "since", "because", "than", "more", "any", "all", "hello", "thank",
    "thanks", "tell", "us", "me", "know", "account", "address", "number",
];

/// Who speaks to whom, having seen what.
pub(crate) struct Speaker<'a> {
    /// Whether the operator vouches for the words: a playbook's, or quotations.
    pub(crate) vouched: bool,
    /// The principal that hears it.
    pub(crate) audience: String,
    pub(crate) ticket: &'a IncomingTicket,
    pub(crate) seen: &'a [Evidence],
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
        let label = egress::label_of_model(self.seen.iter().map(|evidence| &evidence.label));
        if !self.vouched && !may_read(&label.readers, &audience) {
            let shown: Vec<&Evidence> = cited
                .iter()
                .copied()
                .filter(|evidence| may_read(&evidence.label.readers, &audience))
                .collect();
            if !self.only_known_words(text, &shown) {
                return Err(Leak::NotForAudience(self.audience.clone()));
            }
        }
        let passages: Vec<&str> = cited
            .iter()
            .filter(|evidence| matches!(evidence.origin, Origin::Passage { .. }))
            .map(|evidence| evidence.text.as_str())
            .collect();
        egress::shape(text, &passages, self.hosts)
    }

    /// Whether every word is one of the cited evidence that the audience may see, of the ticket, or
    /// one that tells nothing.
    fn only_known_words(&self, text: &str, shown: &[&Evidence]) -> bool {
        let mut known: BTreeSet<String> = TYING.iter().map(|word| (*word).to_owned()).collect();
        for evidence in shown {
            known.extend(words(&plain(&evidence.text)));
            known.extend(words(&evidence.value.to_string()));
        }
        known.extend(words(&self.ticket.subject));
        known.extend(words(&self.ticket.body));
        words(&plain(text)).iter().all(|word| known.contains(word))
    }
}

fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| {
        c.is_whitespace() || matches!(c, '"' | ',' | '{' | '}' | '[' | ']' | '(' | ')')
    })
    .flat_map(|word| {
        let whole = bare(word).to_lowercase();
        let parts: Vec<String> = whole.split(':').map(|part| bare(part).to_owned()).collect();
        std::iter::once(whole).chain(parts)
    })
    .filter(|word| !word.is_empty())
    .collect()
}
