//! The YAML block at the head of a Markdown file: title, date, tags.

use gaby_model::Timestamp;
use serde_json::Value;

use super::one_line;

/// What a file says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrontMatter {
    /// Its title.
    pub title: Option<String>,
    /// When it was written or last changed.
    pub date: Option<Timestamp>,
    /// Its tags.
    pub tags: Vec<String>,
}

/// Splits off the front matter: what it says, and where the document proper begins. A block that
/// is not YAML is left out of the document, and says nothing.
#[must_use]
pub fn split(text: &str) -> (FrontMatter, usize) {
    let Some(rest) = text.strip_prefix("---\n") else {
        return (FrontMatter::default(), 0);
    };
    let mut at = 4;
    for line in rest.split_inclusive('\n') {
        let end = at + line.len();
        if matches!(line.trim_end(), "---" | "...") {
            let yaml = &text[4..at];
            let fields = parse(yaml);
            // A document that merely begins with a rule has no fields before the next one.
            if fields.is_none() && !yaml.lines().next().is_some_and(|l| l.contains(':')) {
                return (FrontMatter::default(), 0);
            }
            return (fields.unwrap_or_default(), end);
        }
        if end > 64 * 1024 {
            break;
        }
        at = end;
    }
    (FrontMatter::default(), 0)
}

fn parse(yaml: &str) -> Option<FrontMatter> {
    let options = serde_saphyr::options! { strict_booleans: true };
    let value: Value = serde_saphyr::from_str_with_options(yaml, options).ok()?;
    let fields = value.as_object()?;
    let field = |names: &[&str]| {
        names.iter().find_map(|name| {
            fields
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        })
    };
    Some(FrontMatter {
        title: field(&["title"])
            .and_then(scalar)
            .map(|title| one_line(&title))
            .filter(|title| !title.is_empty()),
        date: field(&[
            "updated",
            "lastmod",
            "last_modified",
            "last_updated",
            "modified",
            "date",
        ])
        .and_then(scalar)
        .and_then(|text| date(&text)),
        tags: field(&["tags", "keywords"]).map(tags).unwrap_or_default(),
    })
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn tags(value: &Value) -> Vec<String> {
    let words: Vec<String> = match value {
        Value::Array(items) => items.iter().filter_map(scalar).collect(),
        Value::String(text) => text.split(',').map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    words
        .iter()
        .map(|word| one_line(word))
        .filter(|word| !word.is_empty())
        .take(64)
        .collect()
}

/// A date with or without a time of day.
pub(crate) fn date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(moment) = text.replacen(' ', "T", 1).parse() {
        return Some(moment);
    }
    let day = text.get(..10)?;
    format!("{}T00:00:00Z", day.replace('/', "-")).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_date_and_tags_are_understood() {
        let text =
            "---\ntitle: \"Reset: how\"\ndate: 2026-01-31\ntags: [a, 'b c', no]\n---\n# Body\n";
        let (matter, start) = split(text);
        assert_eq!(matter.title.as_deref(), Some("Reset: how"));
        assert_eq!(matter.date.unwrap().to_string(), "2026-01-31T00:00:00.000Z");
        assert_eq!(matter.tags, ["a", "b c", "no"]);
        assert_eq!(&text[start..], "# Body\n");
    }

    #[test]
    fn a_rule_at_the_head_is_not_front_matter_and_broken_yaml_is_left_out() {
        assert_eq!(split("---\nJust a rule above.\n\n---\nmore").1, 0);
        assert_eq!(split("---\nnever closed: yes\n").1, 0);
        let broken = "---\ntitle: [unclosed\n---\nBody";
        assert_eq!(&broken[split(broken).1..], "Body");
    }
}
