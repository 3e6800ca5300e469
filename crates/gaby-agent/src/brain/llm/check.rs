//! Whether a model's draft holds: each sentence against the evidence that it cites.

use gaby_model::Evidence;

use crate::brain::{CitedSentence, Conclusion, Ending};
use crate::reply::{self, Rigor};
use crate::text::sentences::plain;

/// A sentence that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Its place among the sentences.
    pub(super) place: usize,
    /// What is wrong with it, for the model.
    pub(super) why: String,
}

/// What is wrong with a draft; empty when it holds.
pub(super) fn faults(sentences: &[CitedSentence], evidence: &[Evidence]) -> Vec<Fault> {
    sentences
        .iter()
        .enumerate()
        .filter_map(|(place, sentence)| {
            let rests_on: Vec<&Evidence> = sentence
                .evidence
                .iter()
                .filter_map(|number| evidence.iter().find(|known| known.number == *number))
                .collect();
            if let Some(number) = sentence
                .evidence
                .iter()
                .find(|number| evidence.iter().all(|known| known.number != **number))
            {
                let why = format!("there is no evidence [{number}]");
                return Some(Fault { place, why });
            }
            let held = reply::support(&plain(&sentence.text), &rests_on, None, Rigor::Facts);
            held.err().map(|why| Fault {
                place,
                why: why.to_string(),
            })
        })
        .collect()
}

/// What the model is told about its draft.
pub(super) fn sent_back(faults: &[Fault], sentences: &[CitedSentence]) -> String {
    let mut text = String::from(
        "These sentences do not hold. Correct them, cite other evidence, look further, or leave them \
         out, and conclude again:",
    );
    for fault in faults {
        let sentence = &sentences[fault.place].text;
        text.push_str(&format!("\n- \"{sentence}\": {}.", fault.why));
    }
    text
}

/// The draft without the sentences that do not hold. An answer that lost half of itself or more is
/// none: it is handed over instead, with what holds.
pub(super) fn stripped(mut conclusion: Conclusion, faults: &[Fault]) -> Conclusion {
    if faults.is_empty() {
        return conclusion;
    }
    let all = conclusion.sentences.len();
    let mut place = 0;
    conclusion.sentences.retain(|_| {
        place += 1;
        faults.iter().all(|fault| fault.place + 1 != place)
    });
    if conclusion.ending == Ending::Answer && faults.len() * 2 >= all {
        let first = faults.first().map_or("", |fault| &fault.why);
        let reason = format!(
            "{} of {all} sentences of the model's answer are not supported by evidence: {first}.",
            faults.len()
        );
        conclusion.ending = Ending::Escalate;
        conclusion.action = None;
        conclusion.escalation = Some(reason.clone());
        conclusion.because = reason;
    }
    conclusion
}
