//! The reply: built from cited sentences, and checked before it leaves.
//!
//! A sentence that its evidence does not support, or whose evidence the requester may not see, is
//! left out; what remains stands in the reply with the numbers of its evidence.

use std::collections::BTreeSet;

use gaby_model::{Citation, Evidence, Origin, Readers};

use crate::brain::{CitedSentence, Layout};
use crate::playbook::expression;
use crate::text::sentences::plain;

/// A reply with what its sentences rest on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// The text, with the numbers of the evidence after each sentence.
    pub text: String,
    /// One per sentence and evidence.
    pub citations: Vec<Citation>,
    /// Sentences that were left out, and why.
    pub left_out: Vec<(String, Unsupported)>,
}

/// Why a sentence does not leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// It cites nothing that was recorded.
    #[error("it rests on no evidence")]
    NoEvidence,
    /// A value in it is not in its evidence.
    #[error("its evidence does not say `{0}`")]
    NotSaid(String),
    /// The passage does not have it in these words.
    #[error("the passage does not say it in these words")]
    NotQuoted,
    /// It holds, or was made with a view of, something that does not leave.
    #[error("{0}")]
    Leaks(String),
    /// The evidence is not for the requester's eyes.
    #[error("it rests on evidence that the requester may not see")]
    NotForRequester,
}

/// How closely a sentence must follow the passages that it cites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rigor {
    /// Word for word.
    Words,
    /// In words of its own, as long as every number, date, address, id and name stands in them.
    Facts,
}

/// Builds the reply to `audience` from the sentences that their evidence supports. With no
/// audience (a note for the operator's own people) anything that is recorded may be said.
#[must_use]
pub fn build(
    sentences: &[CitedSentence],
    evidence: &[Evidence],
    audience: Option<&str>,
    rigor: Rigor,
) -> Reply {
    let mut reply = Reply::default();
    let mut step = 0;
    for sentence in sentences {
        let text = plain(&sentence.text);
        let rests_on: Vec<&Evidence> = sentence
            .evidence
            .iter()
            .filter_map(|number| evidence.iter().find(|evidence| evidence.number == *number))
            .collect();
        match support(&text, &rests_on, audience, rigor) {
            Ok(()) => {
                step = if sentence.layout == Layout::Step {
                    step + 1
                } else {
                    0
                };
                reply.add(&text, &rests_on, sentence.layout, step);
            }
            Err(why) => reply.left_out.push((text, why)),
        }
    }
    reply
}

impl Reply {
    /// Whether nothing is left to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.citations.is_empty()
    }

    fn add(&mut self, text: &str, rests_on: &[&Evidence], layout: Layout, step: usize) {
        let in_list = self.text.rsplit('\n').next().is_some_and(|line| {
            line.starts_with("- ")
                || line
                    .split_once(". ")
                    .is_some_and(|(n, _)| n.parse::<u32>().is_ok())
        });
        let before = match layout {
            _ if self.text.is_empty() => "",
            Layout::Paragraph => "\n\n",
            Layout::Step | Layout::Item if in_list => "\n",
            Layout::Step | Layout::Item => "\n\n",
            Layout::Text if in_list => "\n\n",
            Layout::Text => " ",
        };
        self.text.push_str(before);
        match layout {
            Layout::Step => self.text.push_str(&format!("{step}. ")),
            Layout::Item => self.text.push_str("- "),
            Layout::Text | Layout::Paragraph => {}
        }
        let start = self.text.len();
        self.text.push_str(text);
        let end = self.text.len();
        for evidence in rests_on {
            self.citations.push(Citation {
                sentence: text.to_owned(),
                start,
                end,
                evidence: evidence.id.clone(),
                number: evidence.number,
            });
            self.text.push_str(&format!(" [{}]", evidence.number));
        }
    }
}

/// Whether evidence supports a sentence that `audience` will read.
///
/// # Errors
/// Why it does not.
pub fn support(
    sentence: &str,
    evidence: &[&Evidence],
    audience: Option<&str>,
    rigor: Rigor,
) -> Result<(), Unsupported> {
    if evidence.is_empty() || sentence.trim().is_empty() {
        return Err(Unsupported::NoEvidence);
    }
    if let Some(audience) = audience
        && !evidence
            .iter()
            .all(|evidence| may_see(&evidence.label.readers, audience))
    {
        return Err(Unsupported::NotForRequester);
    }
    let passages: Vec<&&Evidence> = evidence
        .iter()
        .filter(|evidence| matches!(evidence.origin, Origin::Passage { .. }))
        .collect();
    if rigor == Rigor::Words && passages.len() == evidence.len() {
        let quoted = passages
            .iter()
            .any(|passage| folded(&plain(&passage.text)).contains(&folded(sentence)));
        return if quoted {
            Ok(())
        } else {
            Err(Unsupported::NotQuoted)
        };
    }
    let said = said_by(evidence);
    match hard_words(sentence)
        .into_iter()
        .find(|word| !said.contains(word))
    {
        Some(word) => return Err(Unsupported::NotSaid(word)),
        None if rigor == Rigor::Words => return Ok(()),
        None => {}
    }
    let told = folded(&told_by(evidence));
    match names(sentence)
        .into_iter()
        .find(|name| !told.contains(&name.to_lowercase()))
    {
        Some(name) => Err(Unsupported::NotSaid(name.to_owned())),
        None => Ok(()),
    }
}

/// Whether this principal is among the readers.
#[must_use]
pub fn may_see(readers: &Readers, audience: &str) -> bool {
    match readers {
        Readers::Public => true,
        Readers::Only(principals) => principals.contains(audience),
    }
}

fn folded(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// The words of a sentence that state a fact of their own: numbers, dates, addresses, identifiers.
fn hard_words(sentence: &str) -> BTreeSet<String> {
    sentence
        .split(|c: char| c.is_whitespace() || matches!(c, '"' | '(' | ')' | '“' | '”'))
        .map(bare)
        .filter(|word| word.contains('@') || word.chars().any(|c| c.is_ascii_digit()))
        .map(str::to_lowercase)
        .collect()
}

/// Words that begin with a capital wherever they stand, and name nobody.
const NO_NAMES: &[&str] = &[
    "I", "Sie", "Ihr", "Ihre", "Ihrem", "Ihren", "Ihrer", "Ihnen",
];

/// The words of a sentence that name somebody or something: those with several capitals (`SSO`,
/// `GitHub`), and two or more in a row that begin with one. A single such word is no name: it may
/// begin the sentence, and in some languages every noun has a capital.
fn names(sentence: &str) -> Vec<&str> {
    let mut rows: Vec<Vec<&str>> = vec![Vec::new()];
    for (place, word) in sentence.split_whitespace().enumerate() {
        let plain = bare(word);
        let begins = plain.chars().next().is_some_and(char::is_uppercase);
        let opens = place == 0 && capitals(plain) == 1;
        let name = begins && !opens && !NO_NAMES.contains(&plain);
        match rows.last_mut() {
            Some(row) if name => row.push(plain),
            _ => rows.push(Vec::new()),
        }
        // What stands on either side of a comma or a bracket is not one name.
        if word.ends_with(|c: char| !c.is_alphanumeric()) {
            rows.push(Vec::new());
        }
    }
    rows.into_iter()
        .flat_map(|row| {
            let alone = row.len() == 1;
            row.into_iter()
                .filter(move |word| !alone || capitals(word) > 1)
        })
        .collect()
}

fn capitals(word: &str) -> usize {
    word.chars().filter(|c| c.is_uppercase()).count()
}

/// Everything that evidence says, as text.
fn told_by(evidence: &[&Evidence]) -> String {
    let mut told = String::new();
    for evidence in evidence {
        if let Origin::Passage { title, heading, .. } = &evidence.origin {
            told.push_str(&format!("{title} {heading} "));
        }
        told.push_str(&plain(&evidence.text));
        told.push_str(&format!(" {} ", evidence.value));
    }
    told
}

pub(crate) fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

/// Every hard word that the evidence gives, with dates also as people write them.
fn said_by(evidence: &[&Evidence]) -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    for evidence in evidence {
        said.extend(hard_words(&evidence.text));
        collect(&evidence.value, &mut said, 0);
    }
    said
}

fn collect(value: &serde_json::Value, said: &mut BTreeSet<String>, depth: usize) {
    match value {
        serde_json::Value::String(text) => {
            said.insert(bare(text).to_lowercase());
            said.extend(hard_words(text));
            if let Some(date) = expression::long_date(text) {
                said.extend(hard_words(&date));
            }
        }
        serde_json::Value::Number(number) => {
            said.insert(number.to_string());
        }
        serde_json::Value::Array(items) if depth < 32 => {
            items.iter().for_each(|item| collect(item, said, depth + 1));
        }
        serde_json::Value::Object(fields) if depth < 32 => {
            fields
                .values()
                .for_each(|field| collect(field, said, depth + 1));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gaby_model::{
        ChunkId, DocumentId, EvidenceId, Integrity, InvestigationId, Label, StepId, ToolRef,
    };
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn evidence(number: u32, origin: Origin, text: &str, value: Value) -> Evidence {
        Evidence {
            id: EvidenceId::generate(),
            investigation: InvestigationId::generate(),
            step: StepId::generate(),
            number,
            origin,
            text: text.to_owned(),
            value,
            label: Label::of(Integrity::System),
        }
    }

    fn passage(number: u32, text: &str) -> Evidence {
        let origin = Origin::Passage {
            document: DocumentId::generate(),
            chunk: ChunkId::generate(),
            path: "a.md".to_owned(),
            title: "A".to_owned(),
            heading: String::new(),
            start: 0,
            end: text.len(),
        };
        evidence(number, origin, text, Value::Null)
    }

    fn record(number: u32, value: Value) -> Evidence {
        let tool = ToolRef {
            connector: "crm".to_owned(),
            tool: "find".to_owned(),
        };
        let origin = Origin::ToolCall {
            tool,
            arguments: json!({}),
            pointer: String::new(),
        };
        evidence(number, origin, "", value)
    }

    fn cited(text: &str, evidence: &[u32], layout: Layout) -> CitedSentence {
        CitedSentence {
            text: text.to_owned(),
            evidence: evidence.to_vec(),
            on_action: false,
            layout,
        }
    }

    #[test]
    fn a_reply_shows_its_sentences_with_the_numbers_of_their_evidence() {
        let known = [
            passage(
                1,
                "Do this.\n\n1. Open it.\n2. Close\n   it.\n\nIt **helps**.",
            ),
            record(2, json!({"at": "2026-03-04", "count": 5})),
        ];
        let reply = build(
            &[
                cited("It failed 5 times on 4 March 2026.", &[2], Layout::Text),
                cited("Do this.", &[1], Layout::Paragraph),
                cited("Open it.", &[1], Layout::Step),
                cited("Close it.", &[1], Layout::Step),
                cited("It helps.", &[1], Layout::Text),
            ],
            &known,
            Some("requester:ann@example.com"),
            Rigor::Words,
        );
        assert_eq!(
            reply.text,
            "It failed 5 times on 4 March 2026. [2]\n\nDo this. [1]\n\n1. Open it. [1]\n2. Close it. [1]\n\nIt helps. [1]"
        );
        assert!(reply.left_out.is_empty());
        for citation in &reply.citations {
            assert_eq!(reply.text[citation.start..citation.end], citation.sentence);
        }
    }

    #[test]
    fn a_sentence_that_its_evidence_does_not_support_is_left_out() {
        let mut private = record(3, json!({"email": "bob@example.com"}));
        private.label.readers = Readers::Only(["requester:bob@example.com".to_owned()].into());
        let known = [
            passage(1, "Only this."),
            record(2, json!({"count": 5})),
            private,
        ];
        for (text, cites, why) in [
            ("Only that.", vec![1], Unsupported::NotQuoted),
            (
                "It failed 6 times.",
                vec![2],
                Unsupported::NotSaid("6".to_owned()),
            ),
            (
                "Write to eve@example.org.",
                vec![2],
                Unsupported::NotSaid("eve@example.org".to_owned()),
            ),
            ("Anything.", vec![], Unsupported::NoEvidence),
            ("Anything.", vec![9], Unsupported::NoEvidence),
            (
                "You are bob@example.com.",
                vec![3],
                Unsupported::NotForRequester,
            ),
        ] {
            let reply = build(
                &[cited(text, &cites, Layout::Text)],
                &known,
                Some("requester:ann@example.com"),
                Rigor::Words,
            );
            assert!(reply.is_empty());
            assert_eq!(reply.left_out, [(text.to_owned(), why)]);
        }
        let note = build(
            &[cited("You are bob@example.com.", &[3], Layout::Text)],
            &known,
            None,
            Rigor::Words,
        );
        assert!(!note.is_empty());
    }

    #[test]
    fn in_words_of_its_own_a_sentence_may_say_no_more_facts_than_its_evidence() {
        let article = passage(
            1,
            "An account is locked after five failed sign-ins. Acme Support unlocks it with SSO off, within 30 minutes.",
        );
        let account = record(
            2,
            json!({"owner": "Ann Lee", "locked_at": "2026-03-04", "plan": "pro"}),
        );
        let known = [article, account];
        for (text, cites) in [
            ("Too many failed sign-ins lock an account.", vec![1]),
            ("Acme Support can unlock it within 30 minutes.", vec![1]),
            ("Please switch SSO off before.", vec![1]),
            ("Yours, Ann Lee, was locked on 4 March 2026.", vec![2]),
            ("Bitte schalten Sie Ihr SSO aus.", vec![1]),
            ("Nach 30 Minuten ist Ihr Konto wieder offen.", vec![1, 2]),
        ] {
            let reply = build(
                &[cited(text, &cites, Layout::Text)],
                &known,
                None,
                Rigor::Facts,
            );
            assert!(reply.left_out.is_empty(), "{text}: {:?}", reply.left_out);
        }
        for (text, cites, missing) in [
            ("It opens within 45 minutes.", vec![1], "45"),
            ("Contact our colleague Bob Smith.", vec![1], "Bob"),
            ("Write to eve@example.org.", vec![1, 2], "eve@example.org"),
            ("It was locked on 5 March 2026.", vec![2], "5"),
            ("Turn MFA off.", vec![1], "MFA"),
            ("It belongs to Ann Lee.", vec![1], "Ann"),
        ] {
            let reply = build(
                &[cited(text, &cites, Layout::Text)],
                &known,
                None,
                Rigor::Facts,
            );
            let why = Unsupported::NotSaid(missing.to_owned());
            assert_eq!(reply.left_out, [(text.to_owned(), why)]);
        }
    }

    proptest! {
        #[test]
        fn every_citation_points_at_its_sentence(texts in proptest::collection::vec("[^\\p{C}]{0,40}", 0..6)) {
            let whole = texts.join("\n\n");
            let known = [passage(1, &whole)];
            let sentences: Vec<_> = texts.iter().map(|text| cited(text, &[1], Layout::Item)).collect();
            let reply = build(&sentences, &known, None, Rigor::Words);
            for citation in &reply.citations {
                prop_assert_eq!(&reply.text[citation.start..citation.end], citation.sentence.as_str());
            }
        }
    }
}
