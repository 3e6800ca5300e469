//! Lists of names, and what they say of a word.

use std::collections::HashSet;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;

type Names = LazyLock<HashSet<&'static str>>;

static GIVEN: Names = LazyLock::new(|| listed(&[include_str!("given.txt")]));
static FAMILY: Names = LazyLock::new(|| listed(&[include_str!("family.txt")]));

/// Many more of both, from other languages (`tools/names/`). They count less: many are a place or a
/// street as well.
static MORE_GIVEN: Names = LazyLock::new(|| listed(&[include_str!("more_given.txt")]));
static MORE_FAMILY: Names = LazyLock::new(|| listed(&[include_str!("more_family.txt")]));

/// Given names that are words, months or places as well: no name without something more.
static AMBIGUOUS: Names = LazyLock::new(|| {
    listed(&[
        include_str!("ambiguous.txt"),
        include_str!("more_ambiguous.txt"),
    ])
});

/// Words that are written large and are no name, of the kind that tickets have.
static WORDS: Names = LazyLock::new(|| listed(&[include_str!("words.txt")]));

fn listed(files: &[&'static str]) -> HashSet<&'static str> {
    files
        .iter()
        .flat_map(|text| text.split_whitespace())
        .collect()
}

/// A word as the lists have it: small, without marks, and without the `'s` of what belongs to it.
pub(super) fn folded(word: &str) -> String {
    let bare = word.strip_suffix("'s").unwrap_or(word);
    bare.nfd()
        .filter(|c| c.is_alphabetic() || *c == '-')
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether it is a given name.
pub(super) fn is_given(word: &str) -> bool {
    let folded = folded(word);
    folded
        .split('-')
        .all(|part| GIVEN.contains(part) || MORE_GIVEN.contains(part))
}

/// Whether it is a given name that stands for a person even by itself.
pub(super) fn is_well_known(word: &str) -> bool {
    folded(word).split('-').all(|part| GIVEN.contains(part))
}

/// By the list, or by an ending that family names have in many languages.
pub(super) fn is_family(word: &str) -> bool {
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
    is_listed_family(word) || by_ending()
}

/// Whether it is a family name by the list.
pub(super) fn is_listed_family(word: &str) -> bool {
    folded(word)
        .split('-')
        .any(|part| FAMILY.contains(part) || MORE_FAMILY.contains(part))
}

/// Whether it is a family name that is widely known.
pub(super) fn is_well_known_family(word: &str) -> bool {
    FAMILY.contains(folded(word).as_str())
}

/// Whether a given name is a word, a month or a place as well.
pub(super) fn is_ambiguous(word: &str) -> bool {
    AMBIGUOUS.contains(folded(word).as_str())
}

/// Whether it is a word that is never a name.
pub(super) fn is_word(word: &str) -> bool {
    WORDS.contains(word.to_lowercase().as_str())
}
