//! Answers by quoting: the best passages of the knowledge base, each sentence cited.

use gaby_model::Origin;

use super::confidence::Features;
use super::extract::{self, Extract, Question};
use crate::brain::{
    CitedSentence, Conclusion, Ending, FoundPassage, Layout, Outcome, SearchWish, Transcript, Want,
};

/// The brain's name for the search with the ticket's own question.
pub(super) const KEY: &str = "knowledge";
/// How many passages are looked at.
const TOP: usize = 8;
/// How many sentences are quoted from the best passage.
const SENTENCES: usize = 4;
/// A second passage is quoted as well when its score is at least this share of the best one's.
const ALSO: f64 = 0.8;

/// A passage that can be quoted.
pub(super) struct Passage<'a> {
    pub(super) found: FoundPassage,
    pub(super) title: &'a str,
    pub(super) heading: &'a str,
    pub(super) document: &'a str,
    pub(super) text: &'a str,
}

impl Passage<'_> {
    fn headings(&self) -> String {
        format!("{} {}", self.title, self.heading)
    }
}

/// What to do about a ticket that no playbook is for, or whose playbook lacks the tools named in
/// `missing`: search, then quote or hand over.
pub(super) fn next(transcript: &Transcript, threshold: f64, missing: Option<&str>) -> Want {
    let Some(turn) = transcript.turn(KEY) else {
        return Want::Search(SearchWish {
            key: KEY.to_owned(),
            query: transcript.plan.question.clone(),
            top: TOP,
            why: "Find out whether the knowledge base answers the question".to_owned(),
        });
    };
    let hits = match &turn.outcome {
        Outcome::Found { hits } => hits.as_slice(),
        Outcome::Failed { message } | Outcome::Denied { reason: message } => {
            return Want::Conclude(empty_handed(format!(
                "The knowledge base could not be searched: {message}"
            )));
        }
        Outcome::Read { .. } => &[],
    };
    Want::Conclude(conclude(transcript, hits, threshold, missing))
}

fn conclude(
    transcript: &Transcript,
    hits: &[FoundPassage],
    threshold: f64,
    missing: Option<&str>,
) -> Conclusion {
    let passages = passages(transcript, hits);
    let question = Question::weigh(&transcript.plan.question, passages.iter().map(|p| p.text));
    if question.is_empty() {
        return empty_handed("The ticket does not say what it is about.".to_owned());
    }
    let (Some(best), sentences) = (
        passages.first(),
        quote(&question, &passages, SENTENCES, true),
    ) else {
        return empty_handed(with_missing(
            "The knowledge base has nothing on this.".to_owned(),
            missing,
        ));
    };
    let of_best: String = sentences
        .iter()
        .filter(|sentence| sentence.evidence.contains(&best.found.evidence))
        .map(|sentence| format!("{}\n", sentence.text))
        .collect();
    let features = Features::measure(&question, hits, &best.headings(), best.text, &of_best);
    let confidence = if sentences.is_empty() {
        0.0
    } else {
        features.confidence()
    };
    let sure = confidence >= threshold;
    let percent = (confidence * 100.0).round();
    Conclusion {
        ending: if sure {
            Ending::Answer
        } else {
            Ending::Escalate
        },
        confidence,
        sentences,
        action: None,
        escalation: (!sure).then(|| {
            with_missing(
                format!(
                    "The best passage found, \"{}\", answers the question with a confidence of \
                     only {percent} %.",
                    shown_place(best)
                ),
                missing,
            )
        }),
        next_step: (!sure).then(|| {
            "Read the passages below; if one of them answers, send it, and if none does, write an \
             article on the matter."
                .to_owned()
        }),
        because: format!("The best passage answers with a confidence of {percent} %."),
        features: features.named(),
    }
}

/// The best sentences of the best passages; of further passages only when they are about as good.
pub(super) fn quote(
    question: &Question,
    passages: &[Passage<'_>],
    limit: usize,
    also_others: bool,
) -> Vec<CitedSentence> {
    let Some(best) = passages.first() else {
        return Vec::new();
    };
    let mut quoted = cited(
        extract::best(question, &best.headings(), best.text, limit),
        best,
        false,
    );
    if !also_others {
        return quoted;
    }
    let second = passages.iter().skip(1).find(|passage| {
        passage.found.score >= ALSO * best.found.score
            && passage.document != best.document
            && question.coverage(&format!("{} {}", passage.headings(), passage.text))
                >= 0.9 * question.coverage(&format!("{} {}", best.headings(), best.text))
    });
    if let Some(second) = second {
        let extracts = extract::best(question, &second.headings(), second.text, 2);
        let new: Vec<Extract> = extracts
            .into_iter()
            .filter(|extract| quoted.iter().all(|known| known.text != extract.text))
            .collect();
        quoted.extend(cited(new, second, true));
    }
    quoted
}

fn cited(extracts: Vec<Extract>, passage: &Passage<'_>, own_paragraph: bool) -> Vec<CitedSentence> {
    extracts
        .into_iter()
        .enumerate()
        .map(|(index, extract)| CitedSentence {
            text: extract.text,
            evidence: vec![passage.found.evidence],
            on_action: false,
            layout: match extract.layout {
                Layout::Text if index == 0 && own_paragraph => Layout::Paragraph,
                layout => layout,
            },
        })
        .collect()
}

/// The passages behind hits, best first.
pub(super) fn passages<'a>(transcript: &'a Transcript, hits: &[FoundPassage]) -> Vec<Passage<'a>> {
    hits.iter()
        .filter_map(|found| {
            let evidence = transcript.evidence(found.evidence)?;
            let Origin::Passage {
                document,
                title,
                heading,
                ..
            } = &evidence.origin
            else {
                return None;
            };
            Some(Passage {
                found: *found,
                title,
                heading,
                document: document.as_str(),
                text: &evidence.text,
            })
        })
        .collect()
}

fn shown_place(passage: &Passage<'_>) -> String {
    match (passage.title, passage.heading) {
        (title, "") => title.to_owned(),
        ("", heading) => heading.to_owned(),
        (title, heading) if heading.starts_with(title) => heading.to_owned(),
        (title, heading) => format!("{title} › {heading}"),
    }
}

fn empty_handed(reason: String) -> Conclusion {
    Conclusion {
        ending: Ending::Escalate,
        confidence: 0.0,
        sentences: Vec::new(),
        action: None,
        because: reason.clone(),
        escalation: Some(reason),
        next_step: Some("Answer by hand, and consider an article on the matter.".to_owned()),
        features: [].into(),
    }
}

fn with_missing(reason: String, missing: Option<&str>) -> String {
    match missing {
        Some(missing) => format!("{missing} {reason}"),
        None => reason,
    }
}
