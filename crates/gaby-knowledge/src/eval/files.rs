//! The files of a test collection: documents, queries, judgements, runs.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use serde_json::Value;

use super::Ranked;
use crate::error::KnowledgeError;

/// Relevance of documents by query.
pub type Judgements = BTreeMap<String, HashMap<String, i64>>;

/// One document or query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// Its title; empty when it has none.
    pub title: String,
    /// Its text.
    pub text: String,
    /// The line it stands on, from 1.
    pub line: usize,
}

impl Entry {
    /// Title and text together.
    #[must_use]
    pub fn whole(&self) -> String {
        format!("{} {}", self.title, self.text).trim().to_owned()
    }
}

/// Reads documents or queries: JSON lines with `_id` or `id`, `text`, and maybe `title`.
///
/// # Errors
/// With file and line, when one is not as it should be.
pub fn read_entries(file: &Path) -> Result<Vec<Entry>, KnowledgeError> {
    let text = read(file)?;
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let line_number = index + 1;
        let wrong = |problem: String| bad(file, Some(line_number), problem);
        let value: Value = serde_json::from_str(line)
            .map_err(|error| wrong(format!("not a JSON object: {error}")))?;
        let fields = value
            .as_object()
            .ok_or_else(|| wrong("not a JSON object: each line must be one `{…}`".into()))?;
        let id = match fields.get("_id").or_else(|| fields.get("id")) {
            Some(Value::String(id)) if !id.trim().is_empty() => id.trim().to_owned(),
            Some(Value::Number(id)) => id.to_string(),
            Some(_) => return Err(wrong("`_id` must be a text or a number".into())),
            None => return Err(wrong("neither `_id` nor `id` is there".into())),
        };
        if id.contains(char::is_whitespace) {
            return Err(wrong(format!(
                "the id `{id}` has blanks in it, which a run cannot write"
            )));
        }
        let field = |name: &str| match fields.get(name) {
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Null) | None => Ok(None),
            Some(_) => Err(wrong(format!("`{name}` must be a text"))),
        };
        let title = field("title")?.unwrap_or_default();
        let text = match field("text")? {
            Some(text) => text,
            None if !title.is_empty() => String::new(),
            None => return Err(wrong("`text` is missing".into())),
        };
        entries.push(Entry {
            id,
            title,
            text,
            line: line_number,
        });
    }
    if entries.is_empty() {
        return Err(bad(file, None, "there is nothing in it".into()));
    }
    Ok(entries)
}

/// Reads judgements: three columns, or the four of TREC, with or without a header.
///
/// # Errors
/// With file and line, when a line is not as it should be.
pub fn read_judgements(file: &Path) -> Result<Judgements, KnowledgeError> {
    let text = read(file)?;
    let mut judgements = Judgements::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let columns: Vec<&str> = if line.contains('\t') {
            line.split('\t').map(str::trim).collect()
        } else {
            line.split_whitespace().collect()
        };
        let (query, document, relevance) = match columns[..] {
            [query, document, relevance] | [query, _, document, relevance] => {
                (query, document, relevance)
            }
            _ => {
                let problem = format!(
                    "{} columns, where `query document relevance` or the four of TREC were expected",
                    columns.len()
                );
                return Err(bad(file, Some(index + 1), problem));
            }
        };
        let grade = match relevance.parse::<f64>() {
            Ok(grade) if grade.is_finite() && grade.abs() < 1e9 => grade.round() as i64,
            _ if index == 0 => continue,
            _ => {
                let problem = format!("the relevance `{relevance}` is not a number");
                return Err(bad(file, Some(index + 1), problem));
            }
        };
        judgements
            .entry(query.to_owned())
            .or_default()
            .insert(document.to_owned(), grade);
    }
    if judgements.is_empty() {
        return Err(bad(file, None, "there are no judgements in it".into()));
    }
    Ok(judgements)
}

/// Writes rankings as a TREC run: `query Q0 document rank score tag`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_run(file: &Path, rankings: &[(String, Vec<Ranked>)]) -> Result<(), KnowledgeError> {
    let write = || -> std::io::Result<()> {
        let mut out = BufWriter::new(std::fs::File::create(file)?);
        for (query, ranked) in rankings {
            for (index, (document, score)) in ranked.iter().enumerate() {
                writeln!(out, "{query} Q0 {document} {} {score:.6} gaby", index + 1)?;
            }
        }
        out.flush()
    };
    write().map_err(|error| bad(file, None, format!("cannot be written: {error}")))
}

fn read(file: &Path) -> Result<String, KnowledgeError> {
    let bytes =
        std::fs::read(file).map_err(|error| bad(file, None, format!("cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|b| **b == b'\n')
            .count();
        bad(file, Some(line + 1), "not UTF-8".into())
    })?;
    Ok(text
        .strip_prefix('\u{feff}')
        .map(str::to_owned)
        .unwrap_or(text))
}

fn bad(file: &Path, line: Option<usize>, problem: String) -> KnowledgeError {
    KnowledgeError::Evaluation {
        file: file.display().to_string(),
        line,
        problem,
    }
}
