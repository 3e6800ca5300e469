//! What kind of statement a manifest's SQL is, so that a read is one SELECT and a write is one write.

use sqlparser::ast::{Query, SetExpr, Statement, Visit, Visitor};
use sqlparser::dialect::{Dialect as ParserDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;
use std::ops::ControlFlow;

/// The dialects that are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// PostgreSQL's.
    Postgres,
    /// SQLite's.
    Sqlite,
}

impl Dialect {
    pub(crate) fn parser(self) -> &'static dyn ParserDialect {
        match self {
            Self::Postgres => &PostgreSqlDialect {},
            Self::Sqlite => &SQLiteDialect {},
        }
    }
}

/// Nesting that the parser follows; deeper texts are refused before they cost a stack.
pub(crate) const RECURSION_LIMIT: usize = 50;

/// Kinds of statements that manifests hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Select,
    Write,
}

/// Reads one statement with numbered parameters and says what it is.
pub(crate) fn shape(text: &str, dialect: Dialect) -> Result<Shape, String> {
    let statement = one_statement(text, dialect)?;
    match &statement {
        Statement::Query(query) => {
            if writes_inside(query) {
                return Err("holds a statement that writes inside a SELECT".to_owned());
            }
            Ok(Shape::Select)
        }
        Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_) => Ok(Shape::Write),
        other => {
            let words: String = other.to_string().chars().take(40).collect();
            Err(format!(
                "`{words}` is neither a SELECT nor an INSERT, UPDATE or DELETE"
            ))
        }
    }
}

/// Reads exactly one statement.
pub(crate) fn one_statement(text: &str, dialect: Dialect) -> Result<Statement, String> {
    let mut statements = Parser::new(dialect.parser())
        .with_recursion_limit(RECURSION_LIMIT)
        .try_with_sql(text)
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| {
            let text = error.to_string();
            let text = text.trim_start_matches("sql parser error: ");
            format!("is not SQL that is understood here: {text}")
        })?;
    match (statements.pop(), statements.len()) {
        (Some(statement), 0) => Ok(statement),
        (None, _) => Err("is empty".to_owned()),
        (Some(_), more) => Err(format!("holds {} statements; one is allowed", more + 1)),
    }
}

/// Whether a query changes something: `INTO`, locks, or a writing statement within.
fn writes_inside(query: &Query) -> bool {
    struct Finder;
    impl Visitor for Finder {
        type Break = ();
        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            let body_writes = matches!(
                query.body.as_ref(),
                SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_)
            );
            let into = matches!(query.body.as_ref(), SetExpr::Select(s) if s.into.is_some());
            if body_writes || into || !query.locks.is_empty() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        }
    }
    query.visit(&mut Finder).is_break()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_is_one_select_and_a_write_is_one_write() {
        let shape = |text| shape(text, Dialect::Postgres);
        assert_eq!(shape("SELECT 1"), Ok(Shape::Select));
        assert_eq!(shape("UPDATE t SET a = $1 WHERE id = $2"), Ok(Shape::Write));
        assert_eq!(
            shape("INSERT INTO t (a) VALUES ($1) RETURNING id"),
            Ok(Shape::Write)
        );
        for hostile in [
            "SELECT 1; DELETE FROM t",
            "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
            "SELECT * INTO x FROM t",
            "SELECT * FROM t FOR UPDATE",
            "DROP TABLE t",
            "",
            "nonsense",
        ] {
            assert!(shape(hostile).is_err(), "{hostile}");
        }
    }
}
