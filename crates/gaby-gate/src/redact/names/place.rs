//! Streets, places and companies that are called after people.

use super::lists::{folded, is_well_known, is_well_known_family};
use super::{Word, near};

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

/// Whether a run of large words is a street, a place or a company: by its first or last word, or
/// because a house number stands beside it.
pub(super) fn is_place(text: &str, words: &[Word<'_>], first: usize, last: usize) -> bool {
    let begins = PLACES_BEGIN.contains(&folded(words[first].text).as_str());
    let end = folded(words[last].text);
    // A hill may be a family: where it is a known one behind a known given name, it is a person.
    let is_person = is_well_known(words[first].text) && is_well_known_family(words[last].text);
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
