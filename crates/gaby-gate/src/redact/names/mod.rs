//! Names of people: by lists of given and family names together with how words stand around them.
//! A best effort: lists are never complete, and a name can be a word.

mod around;
mod lists;
mod place;

use std::collections::HashSet;

use super::{Finding, Kind};
use around::{cue_before, deed_behind, strong_cue};
use lists::{folded, is_ambiguous, is_family, is_given, is_listed_family, is_well_known, is_word};
use place::is_place;

/// From here on a name is sure enough for its parts to be looked for elsewhere.
const SURE: u8 = 60;

/// Before a name, and only there.
const TITLES: &[&str] = &[
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "dr",
    "prof",
    "professor",
    "sir",
    "madam",
    "herr",
    "frau",
    "monsieur",
    "madame",
    "mme",
    "mlle",
    "señor",
    "señora",
    "sr",
    "sra",
    "signor",
    "signora",
    "captain",
    "rev",
];

/// Words within a name that are written small.
const PARTICLES: &[&str] = &[
    "de", "da", "di", "del", "della", "der", "den", "van", "von", "zu", "la", "le", "el", "al",
    "bin", "ibn", "ben", "dos", "das", "du", "ter", "ten", "af", "av", "st",
];

#[derive(Clone, Copy)]
struct Word<'t> {
    text: &'t str,
    start: usize,
    end: usize,
}

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let words = words(text);
    let first = found.len();
    let mut at = 0;
    while at < words.len() {
        match name_at(text, &words, at) {
            // A place as a whole: no part of it is a person.
            Some((last, 0)) => at = last + 1,
            Some((last, score)) => {
                found.push(Finding {
                    kind: Kind::Person,
                    start: words[at].start,
                    end: words[last].end,
                    score,
                });
                at = last + 1;
            }
            None => at += 1,
        }
    }
    again(text, &words, first, found);
}

/// Whoever was named once is meant by a part of the name as well.
fn again(text: &str, words: &[Word<'_>], first: usize, found: &mut Vec<Finding>) {
    const LETTERS: usize = 3;
    let persons: Vec<Finding> = found[first..].to_vec();
    // They are in the order of the text and apart from each other.
    let within = |word: &Word<'_>| {
        let at = persons.partition_point(|person| person.end < word.end);
        persons.get(at).filter(|person| person.start <= word.start)
    };
    let named: HashSet<String> = words
        .iter()
        .filter(|word| within(word).is_some_and(|person| person.score >= SURE))
        .filter(|word| could_be_name(word.text) && !is_ambiguous(word.text))
        .map(|word| folded(word.text))
        .filter(|name| name.chars().count() >= LETTERS)
        .collect();
    for (at, word) in words.iter().enumerate() {
        let meant = could_be_name(word.text)
            && named.contains(&folded(word.text))
            && within(word).is_none()
            && !is_place(text, words, at, run(text, words, at));
        if meant {
            found.push(Finding {
                kind: Kind::Person,
                start: word.start,
                end: word.end,
                score: 55,
            });
        }
    }
}

/// The last word of a name that is written small, as people in a hurry do: then both halves must be
/// known, and neither a word.
fn written_small(text: &str, words: &[Word<'_>], first: usize) -> Option<usize> {
    let (given, family) = (words[first], words.get(first + 1)?);
    let small = |word: &str| {
        word.chars()
            .all(|c| c.is_lowercase() || matches!(c, '-' | '\''))
    };
    let both = small(given.text)
        && small(family.text)
        && near(text, given, *family)
        && is_well_known(given.text)
        && !is_ambiguous(given.text)
        && is_listed_family(family.text)
        && !is_word(given.text)
        && !is_word(family.text);
    both.then_some(first + 1)
}

/// The last word of a name that begins here, and how sure it is.
fn name_at(text: &str, words: &[Word<'_>], first: usize) -> Option<(usize, u8)> {
    let word = words[first];
    if let Some(last) = written_small(text, words, first) {
        return Some((last, 56));
    }
    if !could_be_name(word.text) || is_title(word.text) {
        return None;
    }
    let last = run(text, words, first);
    // "Call Ann Miller": a sentence begins with a large letter, whatever its first word is.
    let only_begins = last > first
        && begins_a_sentence(text, word.start)
        && !is_given(word.text)
        && !is_family(word.text)
        && is_given(words[first + 1].text);
    if only_begins {
        return None;
    }
    let titled = first > 0 && is_title(words[first - 1].text) && near(text, words[first - 1], word);
    if !titled && is_place(text, words, first, last) {
        return Some((last, 0));
    }
    let cued = cue_before(text, word.start);
    let does = deed_behind(text, words[last].end);
    let known = is_well_known(word.text);
    let given = is_given(word.text);
    let initial = (first + 1..last).any(|at| is_initial(text, words[at]));
    let ambiguous = is_ambiguous(word.text);
    let several = last > first;
    let family = several && is_family(words[last].text);
    let score = match (titled, given && !ambiguous, several, family) {
        (true, ..) => 90,
        (false, true, true, true) => 88,
        (false, true, true, false) if known => 78,
        (false, true, true, false) => 66,
        (false, _, true, true) if given => 75,
        (false, false, true, true) if cued => 66,
        (false, false, true, true) => 56,
        (false, true, false, _) if cued => 70,
        (false, true, false, _) if known => 58,
        (false, false, true, false) if initial => 66,
        (false, false, _, _) if does && (several || is_family(word.text)) => 60,
        (false, false, true, false) if cued && strong_cue(text, word.start) => 60,
        (false, false, false, _)
            if strong_cue(text, word.start) && (given || is_family(word.text)) =>
        {
            62
        }
        _ => return None,
    };
    Some((last, score))
}

/// The last word of the run of names that begins here: at most four, joined by single spaces.
fn run(text: &str, words: &[Word<'_>], first: usize) -> usize {
    let mut last = first;
    let mut next = first + 1;
    while next < words.len() && next <= first + 4 && near(text, words[next - 1], words[next]) {
        // What belongs to somebody is no part of the name.
        if words[next - 1].text.ends_with("'s") {
            break;
        }
        if could_be_name(words[next].text) || is_initial(text, words[next]) {
            last = next;
        } else if !PARTICLES.contains(&words[next].text) {
            break;
        }
        next += 1;
    }
    // An initial or a particle does not end a name.
    while last > first && is_initial(text, words[last]) {
        last -= 1;
    }
    last
}

fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let inner = matches!(c, '\'' | '-')
            && start.is_some()
            && text[at + 1..]
                .chars()
                .next()
                .is_some_and(char::is_alphabetic);
        if c.is_alphabetic() || inner {
            start.get_or_insert(at);
        } else if let Some(from) = start.take() {
            let touches =
                |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || c == '_' || c == '@');
            if !touches(text[..from].chars().next_back()) && !touches(Some(c)) {
                words.push(Word {
                    text: &text[from..at],
                    start: from,
                    end: at,
                });
            }
        }
    }
    words
}

/// Written like a name: a capital first and small letters after it, in each part.
fn could_be_name(word: &str) -> bool {
    let bare = word.strip_suffix("'s").unwrap_or(word);
    let parts_fit = bare.split(['-', '\'']).all(|part| {
        let mut letters = part.chars();
        letters.next().is_none_or(|first| first.is_uppercase())
            && (part.chars().count() < 2 || letters.any(char::is_lowercase))
    });
    bare.chars().count() > 1 && parts_fit && !is_word(bare)
}

fn is_initial(text: &str, word: Word<'_>) -> bool {
    word.text.chars().count() == 1
        && word.text.chars().all(char::is_uppercase)
        && text[word.end..].starts_with(['.', ' '])
}

/// Whether two words stand together: a space between them, after an initial or title also a full
/// stop.
fn near(text: &str, before: Word<'_>, after: Word<'_>) -> bool {
    match &text[before.end..after.start] {
        " " => true,
        ". " => before.text.chars().count() == 1 || is_title(before.text),
        "." => is_title(before.text),
        _ => false,
    }
}

fn is_title(word: &str) -> bool {
    TITLES.contains(&word.to_lowercase().as_str())
}

fn begins_a_sentence(text: &str, start: usize) -> bool {
    let before = text[..start].trim_end_matches([' ', '\t']);
    before.is_empty() || before.ends_with(['.', '!', '?', '\n', ':'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut findings = Vec::new();
        find(text, &mut findings);
        findings.sort_by_key(|finding| finding.start);
        findings
            .iter()
            .map(|finding| &text[finding.start..finding.end])
            .collect()
    }

    #[test]
    fn names_are_found_by_list_title_and_surroundings() {
        for (text, name) in [
            ("please unlock Anna Kowalska today", "Anna Kowalska"),
            ("ask Mr. Okonkwo about it", "Okonkwo"),
            ("Call Anna Miller back", "Anna Miller"),
            ("My name is Thandiwe Nkosi and", "Thandiwe Nkosi"),
            ("Best regards,\nJean-Luc Moreau", "Jean-Luc Moreau"),
            ("call John F. Kennedy back", "John F. Kennedy"),
            (
                "the laptop of Ludwig van Beethoven broke",
                "Ludwig van Beethoven",
            ),
            ("I talked to Chloé yesterday", "Chloé"),
            ("please unlock Anna Hill today", "Anna Hill"),
            ("follow up with patricia miller soon", "patricia miller"),
            ("Then Zdenka Brosca said that it works", "Zdenka Brosca"),
            ("What is your last name? Magnusson", "Magnusson"),
        ] {
            assert_eq!(found(text), [name], "{text}");
        }
    }

    #[test]
    fn who_was_named_is_meant_by_a_part_of_the_name() {
        let text =
            "Anna Kowalska cannot sign in. Kowalska is in Berlin, on Kowalska Street; ask anna.";
        assert_eq!(found(text), ["Anna Kowalska", "Kowalska"]);
    }

    #[test]
    fn words_that_are_written_large_are_left() {
        for text in [
            "Please reset my Password in Microsoft Teams on Monday",
            "The April invoice is in Virginia",
            "Will you mark it as paid in May?",
            "Export Reports to CSV",
            "VPN Gateway Error ABC123",
            "please grant access to robin hood tickets and mark sent items",
            "The office is in Martin Luther Street",
            "Send it to Rua Maria Santos",
            "We moved to Carl Weber 14",
            "",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
