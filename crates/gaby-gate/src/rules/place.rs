//! Where in a file of rules something is wrong, as an editor counts.

use miette::Diagnostic;
use serde::Serialize;

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The character in it, from 1.
    pub column: usize,
}

impl Place {
    /// Where in `text` the first fault is that a diagnostic points at.
    pub(crate) fn of(fault: &dyn Diagnostic, text: &str) -> Option<Self> {
        let offset = fault.labels()?.next()?.offset();
        let before = text.get(..offset.min(text.len()))?;
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Some(Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        })
    }
}

/// A place as messages begin with it.
pub(crate) fn said(at: Option<Place>) -> String {
    at.map_or_else(String::new, |Place { line, column }| {
        format!("line {line}, column {column}: ")
    })
}

/// What is wrong, with what is expected or would help where the diagnostic knows. The ids of rules
/// within Cedar mean nothing to people.
pub(crate) fn plainly(fault: &dyn Diagnostic) -> String {
    let mut said = without_id(&fault.to_string()).to_owned();
    let label = fault.labels().and_then(|mut labels| labels.next());
    if let Some(label) = label.as_ref().and_then(|label| label.label())
        && !said.contains(label)
    {
        said = format!("{said}: {label}");
    }
    match fault.help() {
        Some(help) => format!("{said} ({})", without_id(&help.to_string())),
        None => said,
    }
}

fn without_id(said: &str) -> &str {
    match said.strip_prefix("for policy `") {
        Some(rest) => rest.split_once("`, ").map_or(said, |(_, rest)| rest),
        None => said,
    }
}
