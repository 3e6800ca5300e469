//! From bytes to a checked playbook.

use super::lint;
use super::schema::Playbook;

/// The largest playbook that is read.
pub const MAX_PLAYBOOK_BYTES: usize = 256 * 1024;

/// One fault of a playbook, with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{file}:{line}:{column}: {}{message}", shown_field(.field))]
pub struct PlaybookError {
    /// The file.
    pub file: String,
    /// Its line, from 1.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
    /// The field, such as `steps.customer.when`; empty for the whole file.
    pub field: String,
    /// What is wrong, and what to do.
    pub message: String,
}

fn shown_field(field: &str) -> String {
    if field.is_empty() {
        String::new()
    } else {
        format!("`{field}`: ")
    }
}

/// Reads and checks a playbook; `file` names it in errors.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(file: &str, bytes: &[u8]) -> Result<Playbook, Vec<PlaybookError>> {
    let whole = |line: u64, message: String| {
        vec![PlaybookError {
            file: file.to_owned(),
            line,
            column: 1,
            field: String::new(),
            message,
        }]
    };
    if bytes.len() > MAX_PLAYBOOK_BYTES {
        return Err(whole(
            1,
            format!(
                "the file has {} bytes; a playbook has at most {MAX_PLAYBOOK_BYTES}",
                bytes.len()
            ),
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = &bytes[..error.valid_up_to()];
        let line = 1 + good.iter().filter(|b| **b == b'\n').count() as u64;
        whole(line, "the file is not UTF-8: save it as UTF-8".to_owned())
    })?;
    if text.trim().is_empty() {
        return Err(whole(
            1,
            "the file is empty: a playbook needs name, title, category, description, triggers \
             and outcomes"
                .to_owned(),
        ));
    }
    let playbook: Playbook = serde_saphyr::from_str_with_options(text, options())
        .map_err(|error| vec![yaml_error(file, text, &error)])?;
    let faults = lint::faults(&playbook);
    if faults.is_empty() {
        return Ok(playbook);
    }
    Err(faults
        .into_iter()
        .map(|fault| PlaybookError {
            file: file.to_owned(),
            line: fault.line.max(1),
            column: fault.column.max(1),
            field: fault.field,
            message: fault.message,
        })
        .collect())
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        strict_booleans: true,
    }
}

fn yaml_error(file: &str, text: &str, error: &serde_saphyr::Error) -> PlaybookError {
    let (line, column) = error
        .location()
        .map_or((1, 1), |at| (at.line().max(1), at.column().max(1)));
    let mut message = error.without_snippet().to_string();
    // The place is told apart, so the parser's own "line x column y" would say it twice.
    for tail in [
        format!(" at line {line}, column {column}"),
        format!(" (line {line}, column {column})"),
    ] {
        message = message.replace(&tail, "");
    }
    let prefix = format!("error: line {line} column {column}: ");
    let message = message.trim_start_matches(&prefix).trim().to_owned();
    let field = text
        .lines()
        .nth(usize::try_from(line - 1).unwrap_or(usize::MAX))
        .and_then(|line| line.trim().trim_start_matches("- ").split_once(':'))
        .map(|(key, _)| key.trim().to_owned())
        .filter(|key| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_'))
        .unwrap_or_default();
    PlaybookError {
        file: file.to_owned(),
        line,
        column,
        field,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SMALL: &str = "\
name: small
title: Small
category: other
description: A playbook that only hands over.
triggers:
  phrases: [small thing]
outcomes:
  - id: over
    escalate: It is a small thing.
";

    fn errors(text: &str) -> String {
        parse("small.yaml", text.as_bytes())
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn a_small_playbook_is_read() {
        assert_eq!(
            parse("small.yaml", SMALL.as_bytes()).unwrap().name.value,
            "small"
        );
    }

    #[test]
    fn an_unknown_field_is_named_with_its_line() {
        let error = errors(&SMALL.replace("category:", "categorie:"));
        assert!(error.starts_with("small.yaml:3:"), "{error}");
        assert!(error.contains("categorie"), "{error}");
    }

    #[test]
    fn a_wrong_type_is_named_with_its_line_and_field() {
        let error = errors(&SMALL.replace("[small thing]", "5"));
        assert!(error.starts_with("small.yaml:6:"), "{error}");
        assert!(error.contains("`phrases`"), "{error}");
    }

    #[test]
    fn an_undeclared_name_is_an_error_with_line_and_field() {
        let error = errors(&SMALL.replace(
            "escalate: It is a small thing.",
            "when: customer.id == 1\n    escalate: It is a small thing.",
        ));
        assert!(error.starts_with("small.yaml:8:"), "{error}");
        assert!(
            error.contains("`outcomes.over.when`") && error.contains("customer"),
            "{error}"
        );
    }

    #[test]
    fn empty_huge_and_wrongly_encoded_files_are_refused_with_a_reason() {
        assert!(errors(" \n").contains("is empty"));
        assert!(errors(&"#".repeat(MAX_PLAYBOOK_BYTES + 1)).contains("at most"));
        let wrong = parse("w.yaml", b"name: x\ntitle: \xff\n").unwrap_err();
        assert_eq!(
            wrong[0].to_string(),
            "w.yaml:2:1: the file is not UTF-8: save it as UTF-8"
        );
        let deep = format!("name: {}1{}", "[".repeat(50_000), "]".repeat(50_000));
        assert!(!errors(&deep).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn garbage_is_an_error_and_never_a_panic(at in 0usize..200, junk in "[ -~\n]{0,40}") {
            let mut text = SMALL.to_owned();
            text.insert_str(at.min(text.len()), &junk);
            let _ = parse("garbage.yaml", text.as_bytes());
        }

        #[test]
        fn any_bytes_are_an_error_or_a_playbook(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse("garbage.yaml", &bytes);
        }
    }
}
