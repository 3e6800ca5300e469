//! The gate for SQL that a model wrote: one SELECT over known relations with known functions.
//!
//! What passes is written out again from what was parsed, and only that runs, so that this parser and
//! the server's cannot disagree about comments, quotes or where a statement ends. It is one layer;
//! the driver below runs the result with a role, a transaction and limits that hold by themselves.

use std::collections::BTreeSet;

use sqlparser::ast::{Statement, Visit};
use sqlparser::tokenizer::{Token, Tokenizer};

use super::shape::{Dialect, one_statement};
use super::walk::Walk;

/// The longest statement.
const MAX_BYTES: usize = 20_000;
/// The most tokens, lists of values apart: what nests in the parsed tree is made of these.
const MAX_TOKENS: usize = 1_500;
/// The deepest parentheses.
const MAX_DEPTH: usize = 32;
/// Stack for walking a tree of that many tokens, also in unoptimised builds.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// Why a statement does not pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refusal(pub(crate) String);

/// The tables and views that may be read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Relations {
    /// As they may be named: `name` or `schema.name`.
    names: BTreeSet<String>,
}

impl Relations {
    /// These names, each `name` or `schema.name`.
    pub(crate) fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self {
            names: names.into_iter().collect(),
        }
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// A few of the names, for messages.
    pub(super) fn some(&self) -> String {
        let mut names: Vec<&str> = self.names.iter().map(String::as_str).take(20).collect();
        if names.is_empty() {
            names.push("none");
        }
        names.join(", ")
    }
}

/// The statement to run instead of `text`, when it may run at all.
///
/// # Errors
/// Why it is refused, in words for whoever wrote it.
pub(crate) fn check(
    text: &str,
    dialect: Dialect,
    relations: &Relations,
) -> Result<String, Refusal> {
    if text.len() > MAX_BYTES {
        return Err(Refusal(format!(
            "the statement has {} bytes; at most {MAX_BYTES} are read",
            text.len()
        )));
    }
    if let Some(c) = text
        .chars()
        .find(|c| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || *c == '\u{feff}')
    {
        return Err(Refusal(format!(
            "the statement holds the control character U+{:04X}",
            u32::from(c)
        )));
    }
    size(text, dialect)?;
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("sql-gate".into())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || walk(text, dialect, relations))
            .map_err(|error| Refusal(format!("the statement cannot be checked: {error}")))?
            .join()
            .unwrap_or_else(|_| Err(Refusal("the statement cannot be checked".into())))
    })
}

fn size(text: &str, dialect: Dialect) -> Result<(), Refusal> {
    let tokens = Tokenizer::new(dialect.parser(), text)
        .tokenize()
        .map_err(|error| Refusal(format!("the statement cannot be read: {error}")))?;
    let mut count = 0;
    let mut depth = 0_usize;
    for token in &tokens {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            Token::Whitespace(_)
            | Token::Comma
            | Token::Number(..)
            | Token::SingleQuotedString(_) => continue,
            _ => {}
        }
        count += 1;
        if count > MAX_TOKENS || depth > MAX_DEPTH {
            return Err(Refusal(
                "the statement is too large or nested too deep: make it simpler".into(),
            ));
        }
    }
    Ok(())
}

fn walk(text: &str, dialect: Dialect, relations: &Relations) -> Result<String, Refusal> {
    let statement = one_statement(text, dialect)
        .map_err(|reason| Refusal(format!("the statement {reason}")))?;
    let Statement::Query(query) = &statement else {
        return Err(Refusal("only a SELECT may run here".into()));
    };
    let mut walk = Walk::new(dialect, relations);
    if let std::ops::ControlFlow::Break(refusal) = query.visit(&mut walk) {
        return Err(refusal);
    }
    Ok(query.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn relations() -> Relations {
        Relations::new(["customers", "invoices", "public.customers"].map(str::to_owned))
    }

    fn refused(text: &str) -> String {
        check(text, Dialect::Postgres, &relations())
            .expect_err(text)
            .to_string()
    }

    #[test]
    fn comments_and_spacing_do_not_reach_the_server() {
        let given = "SELECT /* a; */ id\n-- ; DROP\nFROM customers";
        let runs = check(given, Dialect::Postgres, &relations()).unwrap();
        assert_eq!(runs, "SELECT id FROM customers");
    }

    #[test]
    fn a_common_table_expression_is_known_only_where_it_is_in_scope() {
        let ok = "WITH a AS (SELECT id FROM customers), b AS (SELECT id FROM a) SELECT * FROM b";
        assert!(check(ok, Dialect::Postgres, &relations()).is_ok());
        for text in [
            "WITH pg_shadow AS (SELECT * FROM pg_shadow) SELECT * FROM pg_shadow",
            "SELECT * FROM secrets, (WITH secrets AS (SELECT 1) SELECT * FROM secrets) x",
            "WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a",
        ] {
            refused(text);
        }
    }

    #[test]
    fn functions_are_known_by_plain_names_only() {
        assert!(refused("SELECT pg_sleep(30)").contains("pg_sleep"));
        for text in [
            "SELECT \"lower\"('A')",
            "SELECT pg_catalog.lower('A')",
            "SELECT U&\"\\0070g_sleep\"(30)",
            "SELECT * FROM dblink('x', 'INSERT INTO t VALUES (1)')",
            "SELECT * FROM generate_series(1, 10)",
            "SELECT * FROM lower('A')",
            "SELECT 'customers'::regclass",
            "SELECT 1 OPERATOR(pg_catalog.+) 1",
        ] {
            refused(text);
        }
    }

    #[test]
    fn a_long_chain_is_refused_before_it_costs_a_stack() {
        refused(&format!("SELECT 1{}", "+1".repeat(5_000)));
        refused(&format!(
            "SELECT {}1{}",
            "(".repeat(10_000),
            ")".repeat(10_000)
        ));
        refused(&format!("SELECT {}", "NOT ".repeat(1_400) + "true"));
    }

    proptest! {
        #[test]
        fn whatever_is_given_is_answered(text in "\\PC{0,200}") {
            let _ = check(&text, Dialect::Postgres, &relations());
            let _ = check(&text, Dialect::Sqlite, &relations());
        }

        #[test]
        fn what_passes_passes_again_as_itself(
            column in "(id|name|\"Odd name\"|count\\(\\*\\)|lower\\(name\\)|'it''s')",
            condition in "(id = 1|name LIKE 'a%'|name IN \\('a', 'b'\\)|id BETWEEN 1 AND 5|name IS NULL)",
            tail in "(| ORDER BY 1| LIMIT 5| GROUP BY 1)",
        ) {
            let text = format!("SELECT {column} FROM customers WHERE {condition}{tail}");
            let once = check(&text, Dialect::Postgres, &relations()).unwrap();
            prop_assert_eq!(&check(&once, Dialect::Postgres, &relations()).unwrap(), &once);
        }
    }
}
