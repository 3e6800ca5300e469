//! From text to the terms that are counted: lower case, stemmed, without stop words.
//!
//! The same way for documents and for queries. Names written in one word (`KubePodCrashLooping`)
//! also count by their parts; Chinese, Japanese and Korean text counts by pairs of characters.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use frostem::{Algorithm, Stemmer};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longer terms are not words: keys, encoded data, mischief.
const MAX_TERM_BYTES: usize = 64;

/// Pairs beyond these, of a very long ticket, are not asked for.
const MOST_PAIRS: usize = 64;

/// Words that carry grammar, not meaning, in questions and tickets as well as in documents.
const STOP_WORDS: &str = "a about above after again against all also am an and any are as at be \
    because been before being below between both but by can could d did do does doing done down \
    during each few for from further had has have having he her here hers herself him himself his \
    how i if in into is it its itself just ll m me might more most must my myself no nor not of \
    off on once only or other our ours ourselves out over own re s same shall she should so some \
    such t than that the their theirs them themselves then there these they this those through to \
    too under until up us ve very was we were what when where which while who whom whose why will \
    with would you your yours yourself yourselves";

static STOPPED: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| STOP_WORDS.split_whitespace().collect());

/// Calls `found` with each term of a text, in order.
pub fn each(text: &str, mut found: impl FnMut(&str)) {
    let stemmer = Stemmer::new(Algorithm::English);
    let mut folded = String::new();
    for word in text.split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '’')) {
        for piece in word.split(['\'', '’']) {
            if piece.is_empty() {
                continue;
            }
            if piece.is_ascii() {
                if piece.len() > 3 {
                    parts_of_a_name(piece, |part| emit(part, &stemmer, &mut found));
                }
                folded.clear();
                folded.push_str(piece);
                folded.make_ascii_lowercase();
                emit_lower(&folded, &stemmer, &mut found);
            } else if piece.chars().any(is_ideograph) {
                pairs(piece, &mut found);
            } else {
                folded.clear();
                folded.extend(
                    piece
                        .nfkd()
                        .filter(|c| !is_combining_mark(*c))
                        .flat_map(char::to_lowercase),
                );
                emit_lower(&folded, &stemmer, &mut found);
            }
        }
    }
}

/// What is asked for: a term, or two that stand together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A term.
    Word(String),
    /// A term and the next.
    Pair(String, String),
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Pair(first, second) => write!(f, "{first} {second}"),
        }
    }
}

/// A question as the word index is asked: its terms and the pairs of neighbours, with how often
/// each occurs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    parts: BTreeMap<Part, u32>,
}

impl Query {
    /// The query that a text makes.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut parts = BTreeMap::new();
        let mut pairs = 0;
        let mut last: Option<String> = None;
        each(text, |term| {
            if let Some(last) = last.take().filter(|_| pairs < MOST_PAIRS) {
                pairs += 1;
                let pair = Part::Pair(last, term.to_owned());
                *parts.entry(pair).or_insert(0) += 1;
            }
            *parts.entry(Part::Word(term.to_owned())).or_insert(0) += 1;
            last = Some(term.to_owned());
        });
        Self { parts }
    }

    /// Its parts with how often each occurs.
    pub fn parts(&self) -> impl Iterator<Item = (&Part, f32)> {
        self.parts.iter().map(|(part, times)| (part, *times as f32))
    }
}

fn emit(word: &str, stemmer: &Stemmer, found: &mut impl FnMut(&str)) {
    emit_lower(&word.to_ascii_lowercase(), stemmer, found);
}

fn emit_lower(word: &str, stemmer: &Stemmer, found: &mut impl FnMut(&str)) {
    if word.is_empty() || word.len() > MAX_TERM_BYTES || STOPPED.contains(word) {
        return;
    }
    if word.bytes().any(|b| b.is_ascii_digit()) {
        found(word);
    } else {
        found(&stemmer.stem(word));
    }
}

/// `KubePodCrash` gives Kube, Pod, Crash; a word in one case gives nothing more than itself.
fn parts_of_a_name(word: &str, mut part: impl FnMut(&str)) {
    let bytes = word.as_bytes();
    let humps = |i: usize| bytes[i].is_ascii_uppercase() && bytes[i - 1].is_ascii_lowercase();
    let Some(first) = (1..bytes.len()).find(|i| humps(*i)) else {
        return;
    };
    let mut start = 0;
    for end in (first..bytes.len())
        .filter(|i| humps(*i))
        .chain([bytes.len()])
    {
        if end - start > 1 {
            part(&word[start..end]);
        }
        start = end;
    }
}

fn is_ideograph(c: char) -> bool {
    matches!(c as u32, 0x2e80..=0x9fff | 0xac00..=0xd7af | 0xf900..=0xfaff | 0x20000..=0x3ffff)
}

fn pairs(word: &str, found: &mut impl FnMut(&str)) {
    let chars: Vec<char> = word.chars().take(10_000).collect();
    if let [only] = chars[..] {
        found(only.encode_utf8(&mut [0; 4]));
    }
    let mut pair = String::with_capacity(8);
    for two in chars.windows(2) {
        pair.clear();
        pair.extend(two);
        found(&pair);
    }
}

/// Stands between title, heading and body where a chunk is one text.
pub const FIELD: char = '\u{1e}';
/// How often a term counts by where it stands: title, heading, body. In halves, so that they are whole.
pub const TIMES: [u32; 3] = [4, 3, 2];

/// A chunk as [`TermTokenizer`] takes it.
#[must_use]
pub fn fields(title: &str, heading: &str, body: &str) -> String {
    let (title, heading) = (title.replace(FIELD, " "), heading.replace(FIELD, " "));
    format!("{title}{FIELD}{heading}{FIELD}{body}")
}

/// How many terms a chunk has.
#[must_use]
pub fn count(chunk: &str) -> u64 {
    let mut terms = 0;
    each(chunk, |_| terms += 1);
    terms
}

/// The terms of a chunk and the pairs of neighbours, each as often as it counts, as tantivy asks for
/// them. A pair is one term with a blank in it: so its passages are found as fast as a word's, and
/// how rare it is is known.
#[derive(Debug, Clone, Default)]
pub struct TermTokenizer;

/// What one chunk gives.
#[derive(Debug)]
pub struct TermStream {
    /// All terms in order, a blank after each.
    text: String,
    /// What is counted: from where to where in the text, and how often.
    counted: std::vec::IntoIter<(usize, usize, u32)>,
    /// How often the token is to come again.
    again: u32,
    token: Token,
}

impl Tokenizer for TermTokenizer {
    type TokenStream<'a> = TermStream;

    fn token_stream<'a>(&'a mut self, chunk: &'a str) -> TermStream {
        let mut text = String::with_capacity(chunk.len());
        let mut counted = Vec::with_capacity(chunk.len() / 4);
        for (field, times) in chunk.splitn(TIMES.len(), FIELD).zip(TIMES) {
            let mut last = None;
            each(field, |term| {
                let start = text.len();
                text.push_str(term);
                counted.push((start, text.len(), times));
                if let Some(last) = last.replace(start) {
                    counted.push((last, text.len(), times));
                }
                text.push(' ');
            });
        }
        TermStream {
            text,
            counted: counted.into_iter(),
            again: 0,
            // Where a term stands is not kept: what stands together is a term of its own.
            token: Token {
                position: 0,
                ..Token::default()
            },
        }
    }
}

impl TokenStream for TermStream {
    fn advance(&mut self) -> bool {
        if let Some(again) = self.again.checked_sub(1) {
            self.again = again;
            return true;
        }
        let Some((start, end, times)) = self.counted.next() else {
            return false;
        };
        self.again = times - 1;
        self.token.text.clear();
        self.token.text.push_str(&self.text[start..end]);
        self.token.offset_from = start;
        self.token.offset_to = end;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        each(text, |term| all.push(term.to_owned()));
        all
    }

    #[test]
    fn words_meet_in_their_stem_and_grammar_is_left_out() {
        assert_eq!(
            terms("How do I RESET the passwords?"),
            ["reset", "password"]
        );
        assert_eq!(terms("can't user's"), ["user"]);
        assert_eq!(terms("café ＣＡＦÉ"), ["cafe", "cafe"]);
        assert_eq!(terms("v2.4 0x80070005"), ["v2", "4", "0x80070005"]);
    }

    #[test]
    fn names_in_one_word_count_by_their_parts_too() {
        assert_eq!(
            terms("KubePodLooping"),
            ["kube", "pod", "loop", "kubepodloop"]
        );
        assert_eq!(terms("JSON"), ["json"]);
    }

    #[test]
    fn scripts_without_spaces_count_by_pairs() {
        assert_eq!(terms("重置密码"), ["重置", "置密", "密码"]);
    }

    #[test]
    fn a_chunk_counts_by_where_a_word_stands_and_with_its_neighbour() {
        let chunk = fields("VPN", "Reset a\u{1e}password", "Reset the VPN.\u{1e}Twice");
        let mut counted: BTreeMap<String, u32> = BTreeMap::new();
        TermTokenizer.token_stream(&chunk).process(&mut |token| {
            *counted.entry(token.text.clone()).or_insert(0) += 1;
        });
        let expected = [
            ("password", 3),
            ("reset", 3 + 2),
            ("reset password", 3),
            ("reset vpn", 2),
            ("twice", 2),
            ("vpn", 4 + 2),
            ("vpn twice", 2),
        ];
        assert_eq!(
            counted.into_iter().collect::<Vec<_>>(),
            expected.map(|(term, times)| (term.to_owned(), times))
        );
        assert_eq!(count(&chunk), 6);
        assert_eq!(count(&fields("", "", "")), 0);
    }

    #[test]
    fn a_query_counts_repeated_words_and_words_that_stand_together() {
        let query = Query::of("Reset the VPN password, reset it");
        let parts: Vec<(String, f32)> = query.parts().map(|(p, n)| (p.to_string(), n)).collect();
        let expected = [
            ("password", 1.0),
            ("reset", 2.0),
            ("vpn", 1.0),
            ("password reset", 1.0),
            ("reset vpn", 1.0),
            ("vpn password", 1.0),
        ];
        assert_eq!(
            parts,
            expected.map(|(part, times)| (part.to_owned(), times))
        );
    }
}
