//! Names of people: by lists of given and family names together with how words stand around them.
//! A best effort: lists are never complete, and a name can be a word.

use std::collections::HashSet;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;

use super::{Finding, Kind};

static GIVEN: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("given_names.txt").split_whitespace().collect());
static FAMILY: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    include_str!("family_names.txt")
        .split_whitespace()
        .collect()
});

/// Many more of both, from other languages (`tools/names/`). They count less: many are a place or a
/// street as well.
static MORE_GIVEN: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    include_str!("more_given_names.txt")
        .split_whitespace()
        .collect()
});
static MORE_FAMILY: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    include_str!("more_family_names.txt")
        .split_whitespace()
        .collect()
});

/// Given names that are words, months or places as well: no name without something more.
static AMBIGUOUS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    [
        include_str!("ambiguous_names.txt"),
        include_str!("more_ambiguous_names.txt"),
    ]
    .iter()
    .flat_map(|names| names.split_whitespace())
    .collect()
});

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

/// Words after which a name is likely.
const CUES: &[&str] = &[
    "name is",
    "i am",
    "i'm",
    "this is",
    "am called",
    "called",
    "named",
    "regards",
    "sincerely",
    "cheers",
    "thanks",
    "thank you",
    "best",
    "dear",
    "hi",
    "hello",
    "hey",
    "attn",
    "attention",
    "signed",
    "contact",
    "user",
    "customer",
    "employee",
    "colleague",
    "manager",
    "boss",
    "for",
    "from",
    "with",
    "by",
    "to",
    "and",
    "name",
    "holder",
    "cc",
    "ask",
    "asked",
    "tell",
    "told",
    "met",
    "je suis",
    "ich bin",
    "ich heiße",
    "mein name ist",
    "je m'appelle",
    "soy",
    "me llamo",
    "sono",
    "mi chiamo",
    "hallo",
    "bonjour",
    "hola",
];

/// Words within a name that are written small.
const PARTICLES: &[&str] = &[
    "de", "da", "di", "del", "della", "der", "den", "van", "von", "zu", "la", "le", "el", "al",
    "bin", "ibn", "ben", "dos", "das", "du", "ter", "ten", "af", "av", "st",
];

/// Words that end the name of a street, a place or a company and not of a person.
const PLACES_END: &[&str] = &[
    "street",
    "road",
    "avenue",
    "lane",
    "drive",
    "way",
    "place",
    "square",
    "plaza",
    "court",
    "boulevard",
    "terrace",
    "hill",
    "park",
    "bypass",
    "pass",
    "point",
    "loop",
    "estate",
    "row",
    "station",
    "gardens",
    "close",
    "crescent",
    "bridge",
    "bay",
    "island",
    "valley",
    "lake",
    "river",
    "inc",
    "ltd",
    "llc",
    "gmbh",
    "corp",
    "corporation",
    "group",
    "partners",
    "investments",
    "company",
    "bank",
    "university",
    "college",
    "school",
    "hospital",
    "airport",
    "hotel",
];

/// Words that begin the name of a street or a place.
const PLACES_BEGIN: &[&str] = &[
    "via", "rua", "calle", "rue", "piazza", "avenida", "viale", "plaza", "platz", "mount", "fort",
    "san", "santa", "saint", "port", "porto", "north", "south", "east", "west", "northern",
    "southern", "eastern", "western", "new",
];

/// Words that are written large and are no name, of the kind that tickets have.
static NOT_NAMES: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("not_names.txt").split_whitespace().collect());

#[derive(Clone, Copy)]
struct Word<'t> {
    text: &'t str,
    start: usize,
    end: usize,
}

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let words = words(text);
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
}

/// Whether a run of large words is a street, a place or a company: by its first or last word, or
/// because a house number stands beside it.
fn is_place(text: &str, words: &[Word<'_>], first: usize, last: usize) -> bool {
    let begins = PLACES_BEGIN.contains(&folded(words[first].text).as_str());
    let end = folded(words[last].text);
    // A hill may be a family: where it is a known one behind a known given name, it is a person.
    let is_person = is_well_known(words[first].text) && FAMILY.contains(end.as_str());
    let ends = last > first && PLACES_END.contains(&end.as_str()) && !is_person;
    // What is never part of a name stands behind the run.
    let behind = words.get(last + 1).is_some_and(|next| {
        near(text, words[last], *next) && PLACES_END.contains(&folded(next.text).as_str())
    });
    let mut before = text[..words[first].start].chars().rev();
    let number_before =
        before.next() == Some(' ') && before.next().is_some_and(|c| c.is_ascii_digit());
    let number_after = text[words[last].end..]
        .strip_prefix(' ')
        .is_some_and(is_house_number);
    begins || ends || behind || number_before || number_after
}

/// Whether a text begins with a short number that stands by itself, which a telephone number does not.
fn is_house_number(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &text[digits..];
    let goes_on = rest
        .strip_prefix([' ', '-', '/', '.'])
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    (1..=4).contains(&digits) && !goes_on
}

/// The last word of a name that begins here, and how sure it is.
fn name_at(text: &str, words: &[Word<'_>], first: usize) -> Option<(usize, u8)> {
    let word = words[first];
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
    let known = is_well_known(word.text);
    let given = is_given(word.text);
    let initial = (first + 1..last).any(|at| is_initial(text, words[at]));
    let ambiguous = AMBIGUOUS.contains(folded(word.text).as_str());
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
    bare.chars().count() > 1 && parts_fit && !NOT_NAMES.contains(bare.to_lowercase().as_str())
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

fn folded(word: &str) -> String {
    let bare = word.strip_suffix("'s").unwrap_or(word);
    bare.nfd()
        .filter(|c| c.is_alphabetic() || *c == '-')
        .flat_map(char::to_lowercase)
        .collect()
}

fn is_given(word: &str) -> bool {
    let folded = folded(word);
    folded
        .split('-')
        .all(|part| GIVEN.contains(part) || MORE_GIVEN.contains(part))
}

/// Whether it is a given name that stands for a person even by itself.
fn is_well_known(word: &str) -> bool {
    folded(word).split('-').all(|part| GIVEN.contains(part))
}

/// By the list, or by an ending that family names have in many languages.
fn is_family(word: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "sson", "sen", "son", "ova", "eva", "ski", "ska", "sky", "wicz", "enko", "chuk", "escu",
        "idis", "poulos", "yan", "ian", "berg", "stein", "mann", "bauer", "dottir", "ez", "ić",
        "vić", "ini", "etti", "elli",
    ];
    let folded = folded(word);
    let by_ending = || {
        folded.len() > 5 && ENDINGS.iter().any(|ending| folded.ends_with(ending))
            || word.starts_with("Mc")
            || word.starts_with("O'")
            || word.starts_with("D'")
    };
    folded
        .split('-')
        .any(|part| FAMILY.contains(part) || MORE_FAMILY.contains(part))
        || by_ending()
}

fn begins_a_sentence(text: &str, start: usize) -> bool {
    let before = text[..start].trim_end_matches([' ', '\t']);
    before.is_empty() || before.ends_with(['.', '!', '?', '\n', ':'])
}

fn before(text: &str, start: usize) -> String {
    let mut from = start.saturating_sub(24);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    text[from..start]
        .trim_end_matches([' ', ',', ':', '\n', '\t', '-', '"', '('])
        .to_lowercase()
}

fn cue_before(text: &str, start: usize) -> bool {
    let before = before(text, start);
    CUES.iter().any(|cue| ends_with_word(&before, cue))
}

fn strong_cue(text: &str, start: usize) -> bool {
    const STRONG: &[&str] = &[
        "name is",
        "i am",
        "i'm",
        "am called",
        "named",
        "regards",
        "sincerely",
        "cheers",
        "dear",
        "signed",
        "mein name ist",
        "ich heiße",
        "je m'appelle",
        "me llamo",
        "mi chiamo",
        "cardholder",
        "full name",
        "first name",
        "last name",
        "surname",
        "customer name",
        "user name",
        "name",
    ];
    let before = before(text, start);
    STRONG.iter().any(|cue| ends_with_word(&before, cue))
}

fn ends_with_word(text: &str, word: &str) -> bool {
    text.strip_suffix(word)
        .is_some_and(|rest| !rest.chars().next_back().is_some_and(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut findings = Vec::new();
        find(text, &mut findings);
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
        ] {
            assert_eq!(found(text), [name], "{text}");
        }
    }

    #[test]
    fn words_that_are_written_large_are_left() {
        for text in [
            "Please reset my Password in Microsoft Teams on Monday",
            "The April invoice is in Virginia",
            "Will you mark it as paid in May?",
            "Export Reports to CSV",
            "VPN Gateway Error ABC123",
            "The office is in Martin Luther Street",
            "Send it to Rua Maria Santos",
            "We moved to Carl Weber 14",
            "",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
