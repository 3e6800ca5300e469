//! Words, stems and stop words, so that "unlocked accounts" and "unlock my account" can meet.

/// One word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its stem, in lower case.
    pub stem: String,
    /// Byte offset of its first character.
    pub start: usize,
    /// Byte offset after its last character.
    pub end: usize,
}

/// The words of a text in order, stemmed. Apostrophes join (`don't`), everything else that is
/// neither letter nor digit divides.
#[must_use]
pub fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        let joins = c.is_alphanumeric() || (matches!(c, '\'' | '’') && start.is_some());
        match (joins, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                push_word(&mut found, text, from, at);
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        push_word(&mut found, text, from, text.len());
    }
    found
}

fn push_word(found: &mut Vec<Word>, text: &str, start: usize, end: usize) {
    let raw = text[start..end].trim_end_matches(['\'', '’']);
    let lower = raw.to_lowercase().replace('’', "'");
    let lower = lower.strip_suffix("'s").unwrap_or(&lower);
    if !lower.is_empty() {
        found.push(Word {
            stem: stem(lower),
            start,
            end: start + raw.len(),
        });
    }
}

/// The stems of a text that carry meaning, in order, stop words left out.
#[must_use]
pub fn content_stems(text: &str) -> Vec<String> {
    words(text)
        .into_iter()
        .filter(|word| !is_stop_stem(&word.stem))
        .map(|word| word.stem)
        .collect()
}

/// All stems of a text in order, stop words kept.
#[must_use]
pub fn stems(text: &str) -> Vec<String> {
    words(text).into_iter().map(|word| word.stem).collect()
}

/// Whether a stem carries no meaning by itself.
#[must_use]
pub fn is_stop_stem(stem: &str) -> bool {
    STOP_STEMS.binary_search(&stem).is_ok()
}

/// Stems of English function words and of the politeness that fills tickets. Sorted.
const STOP_STEMS: &[&str] = &[
    "a", "about", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at",
    "be", "been", "befor", "but", "by", "can", "can't", "cannot", "could", "dear", "did", "didn't",
    "do", "doe", "doesn't", "don't", "for", "from", "get", "go", "got", "ha", "had", "has", "hav",
    "have", "he", "hello", "help", "her", "hi", "how", "i", "i'd", "i'm", "i've", "if", "in",
    "into", "is", "isn't", "it", "just", "kind", "know", "let", "like", "may", "me", "might", "my",
    "need", "no", "not", "now", "of", "off", "on", "only", "or", "our", "out", "pleas", "possibl",
    "shall", "she", "should", "so", "some", "tell", "than", "thank", "that", "the", "their",
    "them", "then", "there", "these", "they", "thi", "this", "to", "too", "try", "up", "us", "use",
    "very", "wa", "want", "was", "way", "we", "were", "what", "when", "where", "which", "while",
    "who", "why", "will", "with", "would", "you", "your",
];

/// A light English stemmer: plurals, `-ing`, `-ed`, `-ly` and a final `e` or `y`. It need not be
/// right about a word's root, only the same for its inflections.
#[must_use]
pub fn stem(word: &str) -> String {
    if word.len() < 4 || !word.is_ascii() || word.bytes().any(|b| b.is_ascii_digit()) {
        return word.to_owned();
    }
    let mut stem = word.to_owned();
    if let Some(base) = stem.strip_suffix("sses") {
        stem = format!("{base}ss");
    } else if let Some(base) = stem.strip_suffix("ies") {
        stem = format!("{base}y");
    } else if stem.ends_with('s') && !stem.ends_with("ss") && !stem.ends_with("us") {
        stem.pop();
    }
    for suffix in ["ingly", "edly", "ing", "ed", "ly"] {
        if let Some(base) = stem.strip_suffix(suffix)
            && base.len() >= 3
            && base.bytes().any(|b| b"aeiouy".contains(&b))
        {
            stem = undouble(base);
            break;
        }
    }
    if stem.len() > 3 && stem.ends_with('e') {
        stem.pop();
    }
    if stem.len() > 3 && stem.ends_with('y') {
        stem.pop();
        stem.push('i');
    }
    stem
}

/// `stopp` → `stop`, but `fall` and `miss` stay.
fn undouble(base: &str) -> String {
    let bytes = base.as_bytes();
    match bytes {
        [.., a, b] if a == b && !b"lsz".contains(b) => base[..base.len() - 1].to_owned(),
        _ => base.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_stop_list_is_sorted_so_that_it_can_be_searched() {
        let mut sorted = STOP_STEMS.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted, STOP_STEMS);
    }

    #[test]
    fn inflections_of_a_word_share_their_stem() {
        for group in [
            &["lock", "locks", "locked", "locking"][..],
            &["invoice", "invoices", "invoiced", "invoicing"],
            &["stop", "stops", "stopped", "stopping"],
            &["receive", "received", "receiving", "receives"],
            &["company", "companies"],
            &["reset", "resets", "resetting"],
            &["certificate", "certificates"],
            &["install", "installed", "installing"],
            &["update", "updates", "updating", "updated"],
        ] {
            let stems: Vec<String> = group.iter().map(|word| stem(word)).collect();
            assert!(stems.iter().all(|s| *s == stems[0]), "{group:?}: {stems:?}");
        }
    }

    #[test]
    fn words_know_where_they_stand() {
        let text = "Don’t unlock Müller's account!";
        let found = words(text);
        let shown: Vec<&str> = found.iter().map(|w| &text[w.start..w.end]).collect();
        assert_eq!(shown, ["Don’t", "unlock", "Müller's", "account"]);
        assert_eq!(found[2].stem, "müller");
    }

    proptest! {
        #[test]
        fn any_text_has_words_within_its_bounds(text in ".{0,200}") {
            for word in words(&text) {
                prop_assert!(text.get(word.start..word.end).is_some());
            }
        }
    }
}
