//! Words around names.

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

/// What people do: the word behind a name.
const DEEDS: &[&str] = &[
    "said",
    "says",
    "asked",
    "asks",
    "told",
    "tells",
    "wrote",
    "writes",
    "replied",
    "shouted",
    "called",
    "calls",
    "phoned",
    "emailed",
    "lives",
    "works",
    "complained",
    "explained",
    "thinks",
    "wants",
];

fn before(text: &str, start: usize) -> String {
    let mut from = start.saturating_sub(24);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    text[from..start]
        .trim_end_matches([' ', ',', ':', '\n', '\t', '-', '"', '(', '?'])
        .to_lowercase()
}

/// Whether words stand before a place after which a name is likely.
pub(super) fn cue_before(text: &str, start: usize) -> bool {
    let before = before(text, start);
    CUES.iter().any(|cue| ends_with_word(&before, cue))
}

/// Whether words stand before a place after which hardly anything else stands.
pub(super) fn strong_cue(text: &str, start: usize) -> bool {
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
        "named him",
        "named her",
        "says",
    ];
    let before = before(text, start);
    STRONG.iter().any(|cue| ends_with_word(&before, cue))
}

fn ends_with_word(text: &str, word: &str) -> bool {
    text.strip_suffix(word)
        .is_some_and(|rest| !rest.chars().next_back().is_some_and(char::is_alphanumeric))
}

/// Whether what stands behind a place tells what somebody did.
pub(super) fn deed_behind(text: &str, end: usize) -> bool {
    let behind = text[end..].strip_prefix(' ').unwrap_or_default();
    let word = behind.split(|c: char| !c.is_alphabetic()).next();
    word.is_some_and(|word| DEEDS.contains(&word))
}
