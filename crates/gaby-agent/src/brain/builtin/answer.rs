//! Answers by quoting: the best passages of the knowledge base, each sentence cited.

use std::collections::BTreeMap;

use gaby_model::Origin;

use super::asked;
use super::confidence::Features;
use super::extract::{self, Extract, Question};
use crate::brain::{
    CitedSentence, Conclusion, Ending, FoundPassage, Layout, Outcome, SearchWish, Transcript, Want,
};

/// How many passages are looked at.
const TOP: usize = 8;
/// How many sentences are quoted from the best passage.
const SENTENCES: usize = 4;
/// How many from a second one that is about as good.
const ALSO_SENTENCES: usize = 2;
/// A second passage is quoted as well when its worth is at least this share of the best one's.
const ALSO: f64 = 0.88;
/// What it counts for that a passage speaks of all that is asked, beside its score of at most 1.
const COVERAGE: f64 = 0.3;
/// What it counts for that it has words together as they were asked.
const TOGETHER: f64 = 0.2;
/// How sure an answer must be for a human to be shown it with the hand-over.
const WORTH_A_LOOK: f64 = 0.2;

/// A passage that can be quoted.
pub(super) struct Passage<'a> {
    pub(super) found: FoundPassage,
    pub(super) title: &'a str,
    pub(super) heading: &'a str,
    document: &'a str,
    pub(super) text: &'a str,
}

impl Passage<'_> {
    pub(super) fn headings(&self) -> String {
        format!("{} {}", self.title, self.heading)
    }

    pub(super) fn whole(&self) -> String {
        format!("{} {}\n{}", self.title, self.heading, self.text)
    }

    fn same_section(&self, other: &Self) -> bool {
        self.document == other.document && self.heading == other.heading
    }
}

/// What one question of a ticket came to.
struct Answered {
    question: String,
    sentences: Vec<CitedSentence>,
    confidence: f64,
    features: Features,
    /// Where the best passage stands; none when nothing was found.
    place: Option<String>,
}

/// What to do about a ticket that no playbook is for, or whose playbook lacks the tools named in
/// `missing`: search for each question, then quote or hand over.
pub(super) fn next(transcript: &Transcript, threshold: f64, missing: Option<&str>) -> Want {
    let questions = asked::questions(&transcript.plan.question);
    let mut answered = Vec::with_capacity(questions.len());
    for (index, question) in questions.into_iter().enumerate() {
        let key = match index {
            0 => "knowledge".to_owned(),
            _ => format!("knowledge-{}", index + 1),
        };
        let Some(turn) = transcript.turn(&key) else {
            return Want::Search(SearchWish {
                key,
                query: question,
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
        match answer(transcript, question, hits) {
            Some(one) => answered.push(one),
            None => {
                let reason = "The ticket does not say what it is about.";
                return Want::Conclude(empty_handed(reason.to_owned()));
            }
        }
    }
    Want::Conclude(conclude(answered, threshold, missing))
}

/// Answers one question; none when it asks nothing.
fn answer(transcript: &Transcript, asked: String, hits: &[FoundPassage]) -> Option<Answered> {
    let mut passages = passages(transcript, hits);
    let question = Question::weigh(&asked, passages.iter().map(|p| p.text));
    if question.is_empty() {
        return None;
    }
    rank(&question, &mut passages);
    let sentences = quote(&question, &passages, SENTENCES, true);
    let features = Features::measure(&question, &passages, &sentences);
    let confidence = match sentences.is_empty() {
        true => 0.0,
        false => features.confidence(),
    };
    Some(Answered {
        question: asked,
        sentences,
        confidence,
        features,
        place: passages.first().map(shown_place),
    })
}

fn conclude(answered: Vec<Answered>, threshold: f64, missing: Option<&str>) -> Conclusion {
    let least = answered
        .iter()
        .min_by(|a, b| a.confidence.total_cmp(&b.confidence));
    let Some((least, several)) = least.map(|least| (least, answered.len() > 1)) else {
        return empty_handed("The ticket does not say what it is about.".to_owned());
    };
    let confidence = least.confidence;
    let percent = (confidence * 100.0).round();
    let sure = confidence >= threshold;
    let doubt = match &least.place {
        None if several => format!("The knowledge base has nothing on \"{}\".", least.question),
        None => "The knowledge base has nothing on this.".to_owned(),
        Some(place) if several => format!(
            "Of {} questions, \"{}\" is answered with a confidence of only {percent} %, by \"{place}\".",
            answered.len(),
            least.question
        ),
        Some(place) => format!(
            "The best passage found, \"{place}\", answers the question with a confidence of only \
             {percent} %."
        ),
    };
    let features = least.features.named();
    let nothing = least.place.is_none() && !several;
    let mut sentences: Vec<CitedSentence> = Vec::new();
    // A human is shown what may help, and not what has nothing to do with the matter.
    let told = if sure { 0.0 } else { WORTH_A_LOOK };
    for one in answered.into_iter().filter(|one| one.confidence >= told) {
        let mut more = one.sentences;
        if let Some(first) = more
            .first_mut()
            .filter(|first| first.layout == Layout::Text)
        {
            first.layout = Layout::Paragraph;
        }
        more.retain(|sentence| sentences.iter().all(|known| known.text != sentence.text));
        sentences.extend(more);
    }
    let next_step = match nothing {
        true => "Answer by hand, and consider an article on the matter.",
        false => {
            "Read the passages below; if one of them answers, send it, and if none does, write an \
             article on the matter."
        }
    };
    Conclusion {
        ending: if sure {
            Ending::Answer
        } else {
            Ending::Escalate
        },
        confidence,
        sentences,
        action: None,
        escalation: (!sure).then(|| with_missing(doubt, missing)),
        next_step: (!sure).then(|| next_step.to_owned()),
        because: match nothing {
            true => "The knowledge base has nothing on this.".to_owned(),
            false => format!("The best passage answers with a confidence of {percent} %."),
        },
        features: if nothing { BTreeMap::new() } else { features },
        in_view: None,
    }
}

/// Puts passages that speak of more of the question before those that say some of it often.
pub(super) fn rank(question: &Question, passages: &mut [Passage<'_>]) {
    passages.sort_by(|a, b| worth(question, b).total_cmp(&worth(question, a)));
}

/// How good a passage is, 0 to 1.
pub(super) fn worth(question: &Question, passage: &Passage<'_>) -> f64 {
    let coverage = question.coverage(&passage.whole());
    let together = question.together(&[&passage.headings(), passage.text]);
    let sum = passage.found.score + COVERAGE * coverage + TOGETHER * together;
    sum / (1.0 + COVERAGE + TOGETHER)
}

/// The best sentences of the best passages; of a second section only when it is about as good.
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
    let least = ALSO * worth(question, best);
    let second = passages
        .iter()
        .skip(1)
        .find(|passage| !passage.same_section(best) && worth(question, passage) >= least);
    if let Some(second) = second {
        let extracts = extract::best(question, &second.headings(), second.text, ALSO_SENTENCES);
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
        in_view: None,
    }
}

fn with_missing(reason: String, missing: Option<&str>) -> String {
    match missing {
        Some(missing) => format!("{missing} {reason}"),
        None => reason,
    }
}
