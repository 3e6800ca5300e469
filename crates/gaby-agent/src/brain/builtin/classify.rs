//! What kind of request a ticket is, and which playbook is for it.
//!
//! Both are decided by words alone, so that the same ticket always goes the same way and a person
//! can see why.

use std::collections::{BTreeMap, BTreeSet};

use crate::playbook::{Playbook, Playbooks};
use crate::text::words;

/// A playbook starts from this score on.
pub const MATCH: f64 = 0.5;

/// What a ticket is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Classification {
    /// The kind of request.
    pub category: String,
    /// The playbook for it, if one is sure enough.
    pub playbook: Option<PlaybookMatch>,
}

/// Why a playbook was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaybookMatch {
    /// Its name.
    pub name: String,
    /// How well it fits, 0 to 1.
    pub score: f64,
    /// What in the ticket spoke for it.
    pub because: String,
}

/// Sorts a ticket.
#[must_use]
pub fn classify(playbooks: &Playbooks, subject: &str, question: &str) -> Classification {
    let ticket = Ticket::read(subject, question);
    let best = playbooks
        .iter()
        .filter_map(|playbook| {
            let (score, because) = fit(playbook, &ticket)?;
            Some((score, because, playbook))
        })
        // The first of equals, by name, wins: the same ticket always goes the same way.
        .fold(None::<(f64, String, &Playbook)>, |best, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        });
    match best {
        Some((score, because, playbook)) if score >= MATCH => Classification {
            category: playbook.category.clone(),
            playbook: Some(PlaybookMatch {
                name: playbook.name.value.clone(),
                score,
                because,
            }),
        },
        _ => Classification {
            category: category(&ticket).to_owned(),
            playbook: None,
        },
    }
}

/// A ticket as stems: in order for phrases, as a set for keywords.
struct Ticket {
    subject: Vec<String>,
    ordered: Vec<String>,
    content: BTreeSet<String>,
}

impl Ticket {
    fn read(subject: &str, question: &str) -> Self {
        Self {
            subject: plain_stems(subject),
            ordered: plain_stems(question),
            content: words::content_stems(&spell_out(question))
                .into_iter()
                .collect(),
        }
    }
}

/// Stems with contractions spelt out, so that `didn't receive` reads as `did not receive`.
fn plain_stems(text: &str) -> Vec<String> {
    words::stems(&spell_out(text))
        .into_iter()
        // Articles and owners stand between the words of a phrase without changing it.
        .filter(|stem| {
            !matches!(
                stem.as_str(),
                "the" | "a" | "an" | "my" | "our" | "your" | "any"
            )
        })
        .collect()
}

fn spell_out(text: &str) -> String {
    text.replace('’', "'")
        .replace("can't", "cannot")
        .replace("Can't", "cannot")
        .replace("can not", "cannot")
        .replace("won't", "will not")
        .replace("n't", " not")
        .replace("'ve", " have")
        .replace("e-mail", "email")
        .replace("E-mail", "email")
}

/// How well a playbook fits, and what spoke for it; none when nothing did or it is ruled out.
fn fit(playbook: &Playbook, ticket: &Ticket) -> Option<(f64, String)> {
    let triggers = &playbook.triggers;
    if triggers
        .exclude
        .iter()
        .any(|phrase| contains(&ticket.ordered, &plain_stems(phrase)))
    {
        return None;
    }
    let mut doubt = 1.0;
    let mut because = Vec::new();
    for phrase in &triggers.phrases {
        let stems = plain_stems(phrase);
        if contains(&ticket.ordered, &stems) {
            // A longer phrase says more, and the subject is what the ticket is about.
            let length = 0.08 * (stems.len().min(4) as f64 - 1.0);
            let place = if contains(&ticket.subject, &stems) {
                0.15
            } else {
                0.0
            };
            doubt *= 1.0 - (0.5 + length + place);
            because.push(format!("it says \"{phrase}\""));
        }
    }
    for group in &triggers.keywords {
        let all = group
            .iter()
            .flat_map(|word| words::stems(&spell_out(word)))
            .all(|stem| ticket.content.contains(&stem));
        if all {
            doubt *= 1.0 - 0.4;
            because.push(format!("it speaks of {}", group.join(" and ")));
        }
    }
    let alike = triggers
        .examples
        .iter()
        .map(|example| likeness(&ticket.content, example))
        .fold(0.0, f64::max);
    if alike > 0.3 {
        doubt *= 1.0 - 0.7 * alike;
        because.push("it reads like a ticket of this kind".to_owned());
    }
    because.truncate(3);
    (!because.is_empty()).then(|| (1.0 - doubt, because.join(", ")))
}

fn contains(text: &[String], phrase: &[String]) -> bool {
    !phrase.is_empty() && text.windows(phrase.len()).any(|window| window == phrase)
}

/// Cosine of two sets of stems.
fn likeness(content: &BTreeSet<String>, example: &str) -> f64 {
    let example: BTreeSet<String> = words::content_stems(&spell_out(example))
        .into_iter()
        .collect();
    if content.is_empty() || example.is_empty() {
        return 0.0;
    }
    let shared = content.intersection(&example).count() as f64;
    shared / ((content.len() * example.len()) as f64).sqrt()
}

/// The kind of request, where no playbook says so.
fn category(ticket: &Ticket) -> &'static str {
    let mut scores: BTreeMap<usize, usize> = BTreeMap::new();
    for (index, (_, signs)) in CATEGORIES.iter().enumerate() {
        let hits = signs
            .iter()
            .filter(|sign| ticket.content.contains(&words::stem(sign)))
            .count();
        let in_subject = signs
            .iter()
            .filter(|sign| ticket.subject.contains(&words::stem(sign)))
            .count();
        if hits > 0 {
            scores.insert(index, hits + in_subject);
        }
    }
    scores
        .into_iter()
        .max_by_key(|(index, score)| (*score, CATEGORIES.len() - index))
        .map_or_else(
            || {
                let asks = matches!(
                    ticket.ordered.first().map(String::as_str),
                    Some("how" | "what" | "where" | "can" | "which" | "is" | "doe")
                );
                if asks { "how-to" } else { "other" }
            },
            |(index, _)| CATEGORIES[index].0,
        )
}

/// Kinds of request and the words that speak of them; earlier ones win a tie.
const CATEGORIES: &[(&str, &[&str])] = &[
    (
        "security",
        &[
            "breach",
            "phishing",
            "hacked",
            "compromised",
            "vulnerability",
            "leaked",
            "suspicious",
            "malware",
        ],
    ),
    (
        "access",
        &[
            "password",
            "login",
            "locked",
            "unlock",
            "signin",
            "mfa",
            "2fa",
            "authenticator",
            "permission",
            "denied",
            "logged",
        ],
    ),
    (
        "billing",
        &[
            "invoice", "refund", "charge", "charged", "billing", "payment", "paid", "card", "vat",
            "receipt", "price",
        ],
    ),
    (
        "subscription",
        &[
            "subscription",
            "plan",
            "renew",
            "renewal",
            "upgrade",
            "downgrade",
            "seat",
            "licence",
            "license",
            "trial",
        ],
    ),
    (
        "email",
        &[
            "email",
            "mail",
            "bounce",
            "bounced",
            "spam",
            "newsletter",
            "smtp",
            "inbox",
        ],
    ),
    (
        "import",
        &[
            "import",
            "export",
            "csv",
            "spreadsheet",
            "migrate",
            "upload",
        ],
    ),
    ("sso", &["sso", "saml", "okta", "oidc", "scim"]),
    (
        "network",
        &[
            "vpn",
            "wifi",
            "network",
            "dns",
            "proxy",
            "firewall",
            "internet",
            "connection",
        ],
    ),
    (
        "bug",
        &[
            "error",
            "crash",
            "bug",
            "broken",
            "fails",
            "failed",
            "exception",
            "freeze",
            "slow",
            "timeout",
        ],
    ),
    (
        "feature-request",
        &["feature", "roadmap", "suggestion", "wish"],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(subject: &str, body: &str) -> (String, Option<String>) {
        let playbooks = Playbooks::built_in().unwrap();
        let question = crate::text::question::question(subject, body);
        let found = classify(&playbooks, subject, &question);
        (found.category, found.playbook.map(|playbook| playbook.name))
    }

    #[test]
    fn tickets_in_many_words_find_their_playbook() {
        for (subject, body, expected) in [
            (
                "Cannot log in",
                "Hi, I forgot my password and the reset link does not come.",
                "password-reset",
            ),
            ("Password", "How can I reset my password?", "password-reset"),
            (
                "Locked out!",
                "My account got locked after too many attempts.",
                "account-locked",
            ),
            (
                "Please unlock",
                "Could you unlock my account? I mistyped the password.",
                "account-locked",
            ),
            (
                "Invoice",
                "We haven't received the invoice for March yet.",
                "invoice-not-received",
            ),
            (
                "INV-1042",
                "I didn't receive my invoice INV-1042",
                "invoice-not-received",
            ),
            (
                "Question",
                "When does our subscription renew and how many seats do we have?",
                "subscription-state",
            ),
            (
                "Double charge",
                "You charged us twice this month, please refund.",
                "refund-request",
            ),
            ("Money", "I want my money back", "refund-request"),
            (
                "No mails",
                "I am no longer receiving your e-mails.",
                "email-bounced",
            ),
            (
                "Two accounts",
                "Please merge my accounts ann@example.com and a.lee@example.com",
                "account-merge",
            ),
            (
                "Import",
                "The bulk import failed with errors in the csv.",
                "bulk-import-failed",
            ),
            (
                "SSO",
                "SSO login fails for everybody with a SAML error",
                "sso-login-fails",
            ),
            (
                "VPN",
                "The VPN says my certificate has expired",
                "vpn-certificate-expired",
            ),
        ] {
            assert_eq!(
                sorted(subject, body).1.as_deref(),
                Some(expected),
                "{subject}: {body}"
            );
        }
    }

    #[test]
    fn tickets_that_no_playbook_is_for_only_get_a_category() {
        for (subject, body, expected) in [
            ("", "How do I change the language of the menu?", "how-to"),
            ("App crashes", "The app crashes when I open a report", "bug"),
            (
                "Suspicious mail",
                "I think we were hacked, there is a suspicious login",
                "security",
            ),
            ("VAT", "Please put our VAT number on the receipt", "billing"),
            ("Lovely", "Great product", "other"),
        ] {
            assert_eq!(
                sorted(subject, body),
                (expected.to_owned(), None),
                "{subject}: {body}"
            );
        }
    }

    #[test]
    fn an_exclusion_rules_a_playbook_out() {
        let (_, playbook) = sorted(
            "Emails",
            "I am not receiving your emails with the password reset link",
        );
        assert_eq!(playbook.as_deref(), Some("password-reset"));
    }
}
