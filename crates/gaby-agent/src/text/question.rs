//! The question inside a ticket: what is left of subject and body without greetings, thanks,
//! signatures and quoted earlier mails.

use super::words;

/// The longest question that is searched for, in bytes; longer ones are cut at a line or word.
const LONGEST: usize = 2_000;

/// The question of a ticket: its subject and what its body says, without the wrapping.
#[must_use]
pub fn question(subject: &str, body: &str) -> String {
    let subject = strip_reply_marks(subject.trim());
    let body = strip_wrapping(body);
    let text = if body.is_empty() {
        subject.to_owned()
    } else if subject.is_empty() || says_the_same(subject, &body) {
        body
    } else {
        format!("{subject}\n{body}")
    };
    cut(&text, LONGEST).trim().to_owned()
}

fn strip_reply_marks(mut subject: &str) -> &str {
    loop {
        let Some((mark, rest)) = subject.split_once(':') else {
            return subject;
        };
        let mark = mark.trim().to_lowercase();
        if !matches!(mark.as_str(), "re" | "fw" | "fwd" | "aw" | "wg" | "antw") {
            return subject;
        }
        subject = rest.trim();
    }
}

/// The body without greeting, thanks, signature and quotes; paragraphs stay apart.
fn strip_wrapping(body: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for line in body.lines() {
        let trimmed = line.trim();
        if ends_message(line, trimmed) {
            break;
        }
        if trimmed.starts_with('>') || is_courtesy(trimmed) {
            continue;
        }
        kept.push(if kept.iter().all(|l| l.is_empty()) {
            strip_greeting(trimmed)
        } else {
            trimmed
        });
    }
    kept.join("\n").trim().to_owned()
}

/// Whether what follows is a signature or an earlier mail.
fn ends_message(line: &str, trimmed: &str) -> bool {
    let lower = trimmed.to_lowercase();
    line == "-- "
        || trimmed == "--"
        || (lower.starts_with("on ") && lower.ends_with("wrote:"))
        || (lower.starts_with("-----original message"))
        || (lower.starts_with("---------- forwarded message"))
        || lower.starts_with("sent from my ")
        || is_closing(&lower)
}

fn is_closing(lower: &str) -> bool {
    const CLOSINGS: &[&str] = &[
        "best regards",
        "kind regards",
        "regards",
        "best",
        "cheers",
        "sincerely",
        "yours sincerely",
        "many thanks",
        "thanks",
        "thank you",
        "best wishes",
        "warm regards",
        "thanks in advance",
        "thanks and regards",
    ];
    let bare = lower.trim_end_matches([',', '.', '!', ' ']);
    CLOSINGS.contains(&bare)
}

/// Whether a whole line is only politeness.
fn is_courtesy(line: &str) -> bool {
    let lower = line.to_lowercase();
    let short = line.len() < 80;
    short
        && (is_closing(&lower)
            || [
                "thanks for your help",
                "thank you for your help",
                "thank you in advance",
                "thanks in advance",
                "i hope you are well",
                "i hope this finds you well",
                "hope you are well",
                "hope you're doing well",
                "looking forward to",
            ]
            .iter()
            .any(|phrase| lower.starts_with(phrase)))
}

/// A line without the greeting that it begins with: `Hi team, my account …` → `my account …`.
fn strip_greeting(line: &str) -> &str {
    let lower = line.to_lowercase();
    let greets = [
        "hi",
        "hello",
        "hey",
        "dear",
        "good morning",
        "good afternoon",
        "good evening",
        "greetings",
    ]
    .iter()
    .any(|greeting| {
        lower
            .strip_prefix(greeting)
            .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    });
    if !greets {
        return line;
    }
    let end = line.find([',', '!', '.', ':', '–']);
    match end {
        Some(at) if at <= 48 => {
            let after = at + line[at..].chars().next().map_or(1, char::len_utf8);
            line[after..].trim_start()
        }
        _ if line.split_whitespace().count() <= 4 => "",
        _ => line,
    }
}

fn says_the_same(subject: &str, body: &str) -> bool {
    let subject = words::content_stems(subject);
    let body = words::content_stems(body);
    !subject.is_empty() && subject.len() == body.len() && subject == body
}

fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    match text[..end].rfind(char::is_whitespace) {
        Some(space) => &text[..space],
        None => &text[..end],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn greetings_thanks_signatures_and_quotes_are_left_out() {
        for (subject, body, expected) in [
            (
                "",
                "Hi team,\n\nhow do I export data?\n\nThanks,\nAnn",
                "how do I export data?",
            ),
            (
                "Export",
                "Hello! How do I export data?\n-- \nAnn\nACME Inc.",
                "Export\nHow do I export data?",
            ),
            (
                "Re: Fwd: Export",
                "> old text\nIt still fails.",
                "Export\nIt still fails.",
            ),
            (
                "",
                "Dear Sir or Madam,\nit fails.\nOn Mon, Bob wrote:\n> x",
                "it fails.",
            ),
            ("How do I export?", "how do I export", "how do I export"),
            ("Export fails", "", "Export fails"),
            ("", "History is lost.", "History is lost."),
            ("", "Dear", ""),
        ] {
            assert_eq!(question(subject, body), expected);
        }
    }

    #[test]
    fn a_very_long_ticket_is_cut_at_a_word() {
        let asked = question("", &"wörd ".repeat(10_000));
        assert!(asked.len() <= LONGEST && asked.ends_with("wörd"));
    }

    proptest! {
        #[test]
        fn any_ticket_has_a_question(subject in ".{0,80}", body in "(.|\n){0,300}") {
            let _ = question(&subject, &body);
        }
    }
}
