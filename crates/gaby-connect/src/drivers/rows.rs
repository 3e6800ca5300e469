//! Rows as JSON, bounded while they arrive.

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::Answer;
use crate::manifest::Bounds;

/// The greatest integer that every JSON reader holds exactly.
const EXACT: u64 = (1 << 53) - 1;

/// Rows collected up to their bounds.
pub(crate) struct Rows {
    columns: Vec<String>,
    rows: Vec<Value>,
    bytes: usize,
    bounds: Bounds,
    truncated: bool,
}

impl Rows {
    pub(crate) fn new(columns: Vec<String>, bounds: Bounds) -> Self {
        let mut seen: Vec<String> = Vec::with_capacity(columns.len());
        for column in columns {
            let mut name = column.clone();
            let mut number = 1;
            while seen.contains(&name) {
                number += 1;
                name = format!("{column}_{number}");
            }
            seen.push(name);
        }
        Self {
            columns: seen,
            rows: Vec::new(),
            bytes: 0,
            bounds,
            truncated: false,
        }
    }

    /// Takes a row; false when it did not fit and no more should be fetched.
    pub(crate) fn push(&mut self, values: Vec<Value>) -> bool {
        if self.rows.len() >= self.bounds.rows {
            self.truncated = true;
            return false;
        }
        let size: usize = self.columns.iter().map(|c| c.len() + 4).sum::<usize>()
            + values.iter().map(size_of).sum::<usize>();
        if self.bytes + size > self.bounds.bytes {
            self.truncated = true;
            return false;
        }
        self.bytes += size;
        let row: Map<String, Value> = self.columns.iter().cloned().zip(values).collect();
        self.rows.push(Value::Object(row));
        true
    }

    /// Notes that something did not fit.
    pub(crate) fn cut(&mut self) {
        self.truncated = true;
    }

    /// `{rows, count}`.
    pub(crate) fn finish(self) -> Answer {
        Answer {
            value: json!({"count": self.rows.len(), "rows": self.rows}),
            truncated: self.truncated,
        }
    }

    /// The rows alone.
    pub(crate) fn into_rows(self) -> Vec<Value> {
        self.rows
    }
}

fn size_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 3,
        Value::Array(items) => 2 + items.iter().map(size_of).sum::<usize>(),
        Value::Object(fields) => {
            2 + fields
                .iter()
                .map(|(k, v)| k.len() + 4 + size_of(v))
                .sum::<usize>()
        }
        Value::Number(_) => 12,
        _ => 6,
    }
}

/// A whole number, as text when it is too great for a double.
pub(crate) fn integer(n: i64) -> Value {
    if n.unsigned_abs() <= EXACT {
        Value::from(n)
    } else {
        Value::from(n.to_string())
    }
}

/// A real number; null when it is not finite.
pub(crate) fn real(n: f64) -> Value {
    serde_json::Number::from_f64(n).map_or(Value::Null, Value::Number)
}

/// A JSON document that arrives as text; as text still when it cannot be read.
pub(crate) fn document(text: String) -> Value {
    match serde_json::from_str(&text) {
        Ok(value) => exact(value),
        Err(_) => Value::from(text),
    }
}

/// The value with every whole number that is too great for a double as text.
pub(crate) fn exact(value: Value) -> Value {
    match value {
        Value::Number(n) => match (n.as_i64(), n.as_u64()) {
            (Some(n), _) => integer(n),
            (None, Some(n)) => Value::from(n.to_string()),
            (None, None) => Value::Number(n),
        },
        Value::Array(items) => items.into_iter().map(exact).collect(),
        Value::Object(fields) => fields.into_iter().map(|(k, v)| (k, exact(v))).collect(),
        other => other,
    }
}

/// Bytes as base64.
pub(crate) fn bytes(bytes: &[u8]) -> Value {
    Value::from(base64::engine::general_purpose::STANDARD.encode(bytes))
}
