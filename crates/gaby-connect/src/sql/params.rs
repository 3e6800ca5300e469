//! Named parameters (`:name`) turned into the numbered ones that the engines bind.

/// How an engine writes its numbered parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `$1`
    Dollar,
    /// `?1`
    Question,
}

/// A statement with numbered parameters, and the name of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbered {
    pub(crate) text: String,
    pub(crate) names: Vec<String>,
}

/// Replaces every `:name` outside quotes and comments by the number of that name.
pub(crate) fn number(statement: &str, style: Style) -> Result<Numbered, String> {
    let mut out = Numbered {
        text: String::with_capacity(statement.len()),
        names: Vec::new(),
    };
    let mut rest = statement;
    while let Some(c) = rest.chars().next() {
        let skipped = quoted_length(rest, style)?;
        if skipped > 0 {
            out.text.push_str(&rest[..skipped]);
            rest = &rest[skipped..];
            continue;
        }
        if rest.starts_with("::") {
            out.text.push_str("::");
            rest = &rest[2..];
            continue;
        }
        if c == ':' {
            let name: String = rest[1..]
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            if name
                .chars()
                .next()
                .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            {
                rest = &rest[1 + name.len()..];
                let number = match out.names.iter().position(|known| *known == name) {
                    Some(index) => index + 1,
                    None => {
                        out.names.push(name);
                        out.names.len()
                    }
                };
                out.text.push(match style {
                    Style::Dollar => '$',
                    Style::Question => '?',
                });
                out.text.push_str(&number.to_string());
                continue;
            }
        }
        if matches!(c, '?' | '$' | '@') && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!(
                "`{c}` parameters are not used here: name them, as `:customer_id`"
            ));
        }
        out.text.push(c);
        rest = &rest[c.len_utf8()..];
    }
    Ok(out)
}

/// The length of the quoted text or comment that `text` begins with; 0 when it begins with none.
fn quoted_length(text: &str, style: Style) -> Result<usize, String> {
    let until = |open: usize, close: &str, what: &str| {
        text[open..]
            .find(close)
            .map(|at| open + at + close.len())
            .ok_or_else(|| format!("{what} is not closed"))
    };
    if text.starts_with('\'') {
        return until(1, "'", "a quoted text");
    }
    if text.starts_with('"') {
        return until(1, "\"", "a quoted name");
    }
    if text.starts_with("--") {
        return Ok(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return until(2, "*/", "a comment");
    }
    if style == Style::Question && text.starts_with('`') {
        return until(1, "`", "a quoted name");
    }
    if style == Style::Dollar && text.starts_with('$') {
        let tag: String = text[1..]
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        if !tag.starts_with(|c: char| c.is_ascii_digit()) && text[1 + tag.len()..].starts_with('$')
        {
            let quote = format!("${tag}$");
            return until(quote.len(), &quote, "a dollar-quoted text");
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_numbers_and_repeat() {
        let out = number("SELECT :a, :b, :a", Style::Dollar).unwrap();
        assert_eq!(out.text, "SELECT $1, $2, $1");
        assert_eq!(out.names, ["a", "b"]);
        let out = number("SELECT :a", Style::Question).unwrap();
        assert_eq!(out.text, "SELECT ?1");
    }

    #[test]
    fn quotes_comments_and_casts_are_left_alone() {
        let text = "SELECT 'x:y''s :z', \":q\", a::text, $$:w$$, $t$:v$t$ -- :c\n/* :d */ , :e::uuid, '12:30'";
        let out = number(text, Style::Dollar).unwrap();
        assert_eq!(out.names, ["e"]);
        assert!(out.text.ends_with(", $1::uuid, '12:30'"));
    }

    #[test]
    fn what_is_not_closed_or_not_named_is_an_error() {
        assert!(number("SELECT 'x", Style::Dollar).is_err());
        assert!(number("SELECT /* x", Style::Question).is_err());
        assert!(number("SELECT ?1", Style::Question).is_err());
        assert!(number("SELECT $1", Style::Dollar).is_err());
    }
}
