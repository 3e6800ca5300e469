//! Keys, tokens and passwords: by the prefixes that vendors give them, by how random they are
//! together with words around them, and by standing behind `password:`.

use std::sync::LazyLock;

use regex::Regex;

use super::{Finding, Kind, has_context, stands_alone};

/// What it is, its pattern, and the score. Prefixes as the vendors document them.
const SHAPES: &[(&str, &str, u8)] = &[
    (
        "a Stripe key",
        r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",
        99,
    ),
    ("a webhook secret", r"\bwhsec_[A-Za-z0-9+/=_\-]{16,}", 99),
    (
        "a GitHub token",
        r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{22,}",
        99,
    ),
    (
        "a GitLab token",
        r"\bgl(?:pat|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_\-]{16,}",
        99,
    ),
    (
        "a Slack token",
        r"\bx(?:ox[abeoprs]|app)-[A-Za-z0-9\-]{10,}",
        99,
    ),
    (
        "a Slack webhook",
        r"hooks\.slack\.com/services/[A-Za-z0-9/_\-]{20,}",
        99,
    ),
    ("an AWS key", r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b", 99),
    (
        "a Google key",
        r"\bAIza[A-Za-z0-9_\-]{30,}|\bya29\.[A-Za-z0-9_\-]{20,}|\bGOCSPX-[A-Za-z0-9_\-]{20,}",
        99,
    ),
    ("a model provider's key", r"\bsk-[A-Za-z0-9_\-]{20,}", 99),
    (
        "a SendGrid key",
        r"\bSG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}",
        99,
    ),
    ("a Twilio key", r"\bSK[0-9a-f]{32}\b", 95),
    ("a Mailgun key", r"\bkey-[0-9a-f]{32}\b", 95),
    ("an npm token", r"\bnpm_[A-Za-z0-9]{30,}", 99),
    ("a PyPI token", r"\bpypi-[A-Za-z0-9_\-]{30,}", 99),
    (
        "a cloud token",
        r"\b(?:dop_v1_|doo_v1_|hf_|hvs\.|shpat_|shpss_|lin_api_|ntn_|PMAK-|dckr_pat_|rubygems_|glsa_|sntrys_|sbp_|atlasv1\.)[A-Za-z0-9_\-.]{16,}",
        98,
    ),
    ("a Gaby token", r"\bgaby_[A-Za-z0-9_\-]{20,}", 99),
    (
        "a signed token",
        r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*",
        98,
    ),
    (
        "a bearer token",
        r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9_\-.~+/]{20,}=*",
        90,
    ),
    (
        "a password in an address",
        r"\b[a-z][a-z0-9+.\-]*://[^\s/:@]+:[^\s/@]{3,}@",
        95,
    ),
];

/// How a private key begins. Where it ends is looked for behind that: a pattern that counted the characters
/// between would be megabytes large.
const PRIVATE_KEY: &str = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----";
/// The longest private key, in bytes.
const LONGEST_KEY: usize = 8_000;

/// A password, as people write it.
const SPOKEN: &str = r#"(?i)\b(?:password|passwd|passwort|passphrase|passcode|pwd|secret|api[ _\-]?key|access[ _\-]?key|client[ _\-]?secret|auth[ _\-]?token|token)\b["']?(?:\s+is\s*:?|\s*[:=]+)\s*["']?([^\s"',;<>]{6,})"#;

struct Shapes {
    private_key: Option<Regex>,
    prefixed: Vec<(&'static str, Regex, u8)>,
    spoken: Option<Regex>,
    random: Option<Regex>,
}

static COMPILED: LazyLock<Shapes> = LazyLock::new(|| Shapes {
    private_key: Regex::new(PRIVATE_KEY).ok(),
    prefixed: SHAPES
        .iter()
        .filter_map(|(name, pattern, score)| Some((*name, Regex::new(pattern).ok()?, *score)))
        .collect(),
    spoken: Regex::new(SPOKEN).ok(),
    random: Regex::new(r"[A-Za-z0-9+/_\-]{20,200}={0,2}").ok(),
});

const ABOUT_SECRETS: &[&str] = &[
    "key",
    "keys",
    "token",
    "tokens",
    "secret",
    "secrets",
    "password",
    "credential",
    "credentials",
    "api",
    "apikey",
    "api_key",
    "bearer",
    "authorization",
    "auth",
    "private",
    "passphrase",
];

/// What is found first, in words.
pub(super) fn first(text: &str) -> Option<&'static str> {
    if private_keys(text).next().is_some() {
        return Some("a private key");
    }
    let prefixed = COMPILED
        .prefixed
        .iter()
        .find(|(_, shape, score)| *score >= 95 && shape.is_match(text));
    if let Some((name, _, _)) = prefixed {
        return Some(name);
    }
    let mut found = Vec::new();
    find(text, &mut found);
    found
        .iter()
        .any(|finding| finding.score >= 80)
        .then_some("a password or token")
}

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let mut add = |start: usize, end: usize, score: u8| {
        found.push(Finding {
            kind: Kind::Secret,
            start,
            end,
            score,
        });
    };
    for (start, end) in private_keys(text) {
        add(start, end, 99);
    }
    for (_, shape, score) in &COMPILED.prefixed {
        for place in shape.find_iter(text) {
            add(place.start(), place.end(), *score);
        }
    }
    for spoken in COMPILED
        .spoken
        .iter()
        .flat_map(|spoken| spoken.captures_iter(text))
    {
        if let Some(value) = spoken.get(1) {
            let written = value.as_str().trim_end_matches(['.', ')']);
            if looks_made_up(written) {
                add(value.start(), value.start() + written.len(), 80);
            }
        }
    }
    for place in COMPILED
        .random
        .iter()
        .flat_map(|random| random.find_iter(text))
    {
        let (start, end) = (place.start(), place.end());
        if !stands_alone(text, start, end) || !is_random(place.as_str()) {
            continue;
        }
        if has_context(text, start, ABOUT_SECRETS) {
            add(start, end, 85);
        }
    }
}

/// Private keys as PEM (RFC 7468). One that is cut off goes as far as a key may.
fn private_keys(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let begins = COMPILED.private_key.iter();
    begins.flat_map(|begin| begin.find_iter(text)).map(|begin| {
        let most = text.floor_char_boundary((begin.end() + LONGEST_KEY).min(text.len()));
        let key = &text[begin.end()..most];
        let end = key.find("-----END ").and_then(|at| {
            let name = at + "-----END ".len();
            Some(begin.end() + name + key[name..].find("-----")? + "-----".len())
        });
        (begin.start(), end.unwrap_or(most))
    })
}

/// Whether a word is no word of a language: it mixes letters with digits or signs.
fn looks_made_up(word: &str) -> bool {
    let has = |test: fn(char) -> bool| word.chars().any(test);
    let kinds = [
        has(|c| c.is_lowercase()),
        has(|c| c.is_uppercase()),
        has(|c| c.is_ascii_digit()),
        has(|c| c.is_ascii_punctuation()),
    ];
    let count = kinds.iter().filter(|kind| **kind).count();
    count >= 3 || count == 2 && has(|c| c.is_ascii_digit()) && !word.contains("://")
}

/// Whether a token is as random as a key: letters and digits, with little repeated. A UUID names
/// something and opens nothing.
fn is_random(token: &str) -> bool {
    let letters = token.chars().filter(char::is_ascii_alphabetic).count();
    let digits = token.chars().filter(char::is_ascii_digit).count();
    let groups: Vec<usize> = token.split('-').map(str::len).collect();
    let words = token
        .split(['-', '_', '/'])
        .filter(|part| part.len() > 2 && part.chars().all(|c| c.is_ascii_alphabetic()));
    letters > 3
        && digits > 2
        && groups != [8, 4, 4, 4, 12]
        && words.count() < 2
        && entropy(token) >= 3.3
}

/// Shannon's entropy, in bits for each character.
fn entropy(token: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in token.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = token.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / length;
            -share * share.log2()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut findings = Vec::new();
        find(text, &mut findings);
        findings.sort_by_key(|f| f.start);
        findings.dedup_by_key(|f| f.start);
        findings.iter().map(|f| &text[f.start..f.end]).collect()
    }

    // Put together here, so that no scanner takes this file for a leak.
    fn made(prefix: &str) -> String {
        format!("{prefix}{}", "4eC39HqLyjWDarjtT1zdp7dc9Xq2Zk")
    }

    #[test]
    fn keys_are_found_by_prefix_wherever_they_stand() {
        for prefix in [
            "sk_live_", "ghp_", "xoxb-", "glpat-", "sk-", "npm_", "gaby_", "whsec_", "hf_",
        ] {
            let key = made(prefix);
            assert_eq!(found(&format!("see `{key}`.")), [key.as_str()], "{prefix}");
        }
        assert_eq!(found("AKIAIOSFODNN7EXAMPLE"), ["AKIAIOSFODNN7EXAMPLE"]);
        let pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----";
        assert_eq!(found(&format!("x {pem} y")), [pem]);
        let cut = format!("{}é", &pem[..40]);
        assert_eq!(found(&cut), [cut.as_str()]);
        let endless = format!("{}{}", &pem[..31], "é".repeat(10_000));
        assert_eq!(found(&endless)[0].len(), 31 + LONGEST_KEY);
        assert_eq!(
            found("postgres://gaby:hunter22@db/x"),
            ["postgres://gaby:hunter22@"]
        );
    }

    #[test]
    fn random_tokens_need_words_that_say_what_they_are() {
        let token = made("");
        assert_eq!(found(&format!("the api key {token}")), [token.as_str()]);
        assert_eq!(found(&format!("the file {token}")), [""; 0]);
        assert_eq!(
            found("the token 123e4567-e89b-12d3-a456-426614174000"),
            [""; 0]
        );
        assert_eq!(found("the key my-very-long-words-in-a-row-2024"), [""; 0]);
    }

    #[test]
    fn passwords_are_found_where_they_are_told_and_words_are_left() {
        assert_eq!(found("my password is Tr0ub4dor!"), ["Tr0ub4dor!"]);
        assert_eq!(found("Passwort: geheim99"), ["geheim99"]);
        for text in [
            "the password is wrong",
            "password: forgotten",
            "token is expired",
            "Reset password: https://x.example/reset",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
