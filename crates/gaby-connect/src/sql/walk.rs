//! The walk over a parsed SELECT: every node is of a kind that is allowed, or the statement is not.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DataType, Expr, Function, FunctionArguments, Ident, ObjectName, ObjectNamePart,
    Query, Select, SelectFlavor, SetExpr, TableFactor, Value, ValueWithSpan, Visitor,
};

use super::functions;
use super::gate::{Refusal, Relations};
use super::shape::Dialect;

/// Types that may be named in casts; all others, and among them `reg*`, look things up or run code.
const TYPES: &[&str] = &[
    "bigint",
    "bool",
    "boolean",
    "bytea",
    "char",
    "character",
    "character varying",
    "date",
    "datetime",
    "decimal",
    "double",
    "double precision",
    "float",
    "float4",
    "float8",
    "int",
    "int2",
    "int4",
    "int8",
    "integer",
    "interval",
    "json",
    "jsonb",
    "numeric",
    "real",
    "smallint",
    "text",
    "time",
    "time without time zone",
    "time with time zone",
    "timestamp",
    "timestamp without time zone",
    "timestamp with time zone",
    "timestamptz",
    "uuid",
    "varchar",
];

/// A query that is being walked: the common table expressions it declares, and those already seen.
struct Frame {
    declared: Vec<(*const Query, String)>,
    visible: Vec<String>,
}

pub(super) struct Walk<'a> {
    dialect: Dialect,
    relations: &'a Relations,
    frames: Vec<Frame>,
}

type Flow = ControlFlow<Refusal>;

fn refuse(reason: impl Into<String>) -> Flow {
    ControlFlow::Break(Refusal(reason.into()))
}

impl<'a> Walk<'a> {
    pub(super) fn new(dialect: Dialect, relations: &'a Relations) -> Self {
        Self {
            dialect,
            relations,
            frames: Vec::new(),
        }
    }

    /// A name as the engine compares it.
    fn fold(&self, ident: &Ident) -> String {
        match (self.dialect, ident.quote_style) {
            (Dialect::Postgres, Some(_)) => ident.value.clone(),
            _ => ident.value.to_lowercase(),
        }
    }

    fn function(&self, function: &Function) -> Flow {
        let name = match function.name.0.as_slice() {
            [ObjectNamePart::Identifier(ident)] if ident.quote_style.is_none() => &ident.value,
            _ => {
                return refuse(format!(
                    "the function `{}` must be written by its plain name",
                    function.name
                ));
            }
        };
        if !functions::allowed(self.dialect, name) {
            return refuse(format!("the function `{name}` is not allowed here"));
        }
        if function.uses_odbc_syntax || !matches!(function.parameters, FunctionArguments::None) {
            return refuse(format!(
                "`{name}` is called in a way that is not allowed here"
            ));
        }
        if matches!(function.args, FunctionArguments::Subquery(_)) {
            return refuse("a subquery as a function's argument is not allowed here");
        }
        Flow::Continue(())
    }
}

fn body(body: &SetExpr) -> Flow {
    match body {
        SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) => Flow::Continue(()),
        SetExpr::SetOperation { left, right, .. } => {
            self::body(left)?;
            self::body(right)
        }
        _ => refuse("only SELECT is allowed here, at every level"),
    }
}

fn type_allowed(data_type: &DataType) -> Flow {
    let text = data_type.to_string().to_lowercase();
    let base: String = text.split('(').next().unwrap_or_default().to_owned()
        + text.split_once(')').map_or("", |(_, rest)| rest);
    let base = base.trim_end_matches("[]").trim();
    if TYPES.contains(&base) {
        Flow::Continue(())
    } else {
        refuse(format!("the type `{text}` is not allowed here"))
    }
}

fn literal(value: &Value) -> Flow {
    match value {
        Value::Number(..)
        | Value::SingleQuotedString(_)
        | Value::HexStringLiteral(_)
        | Value::Boolean(_)
        | Value::Null => Flow::Continue(()),
        other => refuse(format!(
            "`{}` is written in a way that is not allowed here: use plain quotes",
            other.to_string().chars().take(40).collect::<String>()
        )),
    }
}

impl Visitor for Walk<'_> {
    type Break = Refusal;

    fn pre_visit_query(&mut self, query: &Query) -> Flow {
        body(&query.body)?;
        if !query.locks.is_empty() {
            return refuse("FOR UPDATE and FOR SHARE take locks: leave them out");
        }
        if query.for_clause.is_some()
            || query.settings.is_some()
            || query.format_clause.is_some()
            || !query.pipe_operators.is_empty()
        {
            return refuse("the statement ends in a clause that is not allowed here");
        }
        let mut declared = Vec::new();
        if let Some(with) = &query.with {
            if with.recursive {
                return refuse("WITH RECURSIVE may never end: it is not allowed here");
            }
            for cte in &with.cte_tables {
                if cte.from.is_some() {
                    return refuse("a WITH clause is written in a way that is not allowed here");
                }
                let place: *const Query = &*cte.query;
                declared.push((place, self.fold(&cte.alias.name)));
            }
        }
        self.frames.push(Frame {
            declared,
            visible: Vec::new(),
        });
        Flow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> Flow {
        self.frames.pop();
        // A common table expression can be read after its own end, not within it.
        if let Some(frame) = self.frames.last_mut()
            && let Some((_, name)) = frame
                .declared
                .iter()
                .find(|(place, _)| std::ptr::eq(*place, query))
        {
            frame.visible.push(name.clone());
        }
        Flow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> Flow {
        if select.into.is_some() {
            return refuse("SELECT INTO writes: leave INTO out");
        }
        let plain = select.optimizer_hints.is_empty()
            && select.select_modifiers.is_none()
            && select.top.is_none()
            && select.exclude.is_none()
            && select.lateral_views.is_empty()
            && select.prewhere.is_none()
            && select.connect_by.is_empty()
            && select.cluster_by.is_empty()
            && select.distribute_by.is_empty()
            && select.sort_by.is_empty()
            && select.qualify.is_none()
            && select.value_table_mode.is_none()
            && select.flavor == SelectFlavor::Standard;
        if plain {
            Flow::Continue(())
        } else {
            refuse("the SELECT has a clause that is not allowed here")
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> Flow {
        match factor {
            TableFactor::Table {
                name,
                args,
                with_hints,
                version,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_hints,
                ..
            } => {
                if args.is_some() {
                    return refuse(format!("the function `{name}` is not allowed in FROM"));
                }
                let plain = with_hints.is_empty()
                    && version.is_none()
                    && !with_ordinality
                    && partitions.is_empty()
                    && json_path.is_none()
                    && sample.is_none()
                    && index_hints.is_empty();
                if plain {
                    Flow::Continue(())
                } else {
                    refuse(format!(
                        "`{name}` is read in a way that is not allowed here"
                    ))
                }
            }
            TableFactor::Derived { sample: None, .. } | TableFactor::NestedJoin { .. } => {
                Flow::Continue(())
            }
            other => refuse(format!(
                "`{}` is not allowed in FROM",
                other.to_string().chars().take(60).collect::<String>()
            )),
        }
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> Flow {
        let mut parts = Vec::new();
        for part in &relation.0 {
            match part {
                ObjectNamePart::Identifier(ident) => parts.push(self.fold(ident)),
                ObjectNamePart::Function(_) => {
                    return refuse("a computed table name is not allowed");
                }
            }
        }
        let name = parts.join(".");
        let declared = parts.len() == 1
            && self
                .frames
                .iter()
                .any(|frame| frame.visible.contains(&name));
        // A dot inside a quoted name would read as a schema.
        let ambiguous = parts.iter().any(|part| part.contains('.'));
        if !ambiguous && parts.len() <= 2 && (declared || self.relations.contains(&name)) {
            return Flow::Continue(());
        }
        refuse(format!(
            "`{relation}` is not among the tables that may be read here: {}",
            self.relations.some()
        ))
    }

    fn pre_visit_ident(&mut self, ident: &Ident) -> Flow {
        let odd = ident.value.is_empty()
            || ident.value.len() > 128
            || matches!(ident.quote_style, Some(q) if q != '"' && q != '`')
            || (ident.quote_style.is_none()
                && !ident
                    .value
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$')));
        if odd {
            return refuse(format!(
                "`{}` is not a plain name",
                ident.value.chars().take(40).collect::<String>()
            ));
        }
        Flow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> Flow {
        literal(&value.value)
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> Flow {
        match expr {
            Expr::Function(function) => self.function(function),
            Expr::Cast {
                data_type, format, ..
            } => {
                if format.is_some() {
                    return refuse("CAST with FORMAT is not allowed here");
                }
                type_allowed(data_type)
            }
            Expr::TypedString(typed) => type_allowed(&typed.data_type),
            Expr::BinaryOp { op, .. } => match op {
                BinaryOperator::Custom(_)
                | BinaryOperator::PGCustomBinaryOperator(_)
                | BinaryOperator::Assignment => {
                    refuse(format!("the operator `{op}` is not allowed here"))
                }
                _ => Flow::Continue(()),
            },
            Expr::Value(value) => literal(&value.value),
            Expr::Identifier(_)
            | Expr::CompoundIdentifier(_)
            | Expr::IsFalse(_)
            | Expr::IsNotFalse(_)
            | Expr::IsTrue(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotUnknown(_)
            | Expr::IsDistinctFrom(..)
            | Expr::IsNotDistinctFrom(..)
            | Expr::InList { .. }
            | Expr::InSubquery { .. }
            | Expr::Between { .. }
            | Expr::Like { .. }
            | Expr::ILike { .. }
            | Expr::SimilarTo { .. }
            | Expr::AnyOp { .. }
            | Expr::AllOp { .. }
            | Expr::UnaryOp { .. }
            | Expr::AtTimeZone { .. }
            | Expr::Extract { .. }
            | Expr::Ceil { .. }
            | Expr::Floor { .. }
            | Expr::Position { .. }
            | Expr::Substring { .. }
            | Expr::Trim { .. }
            | Expr::Nested(_)
            | Expr::Case { .. }
            | Expr::Exists { .. }
            | Expr::Subquery(_)
            | Expr::GroupingSets(_)
            | Expr::Cube(_)
            | Expr::Rollup(_)
            | Expr::Tuple(_)
            | Expr::Array(_)
            | Expr::Interval(_) => Flow::Continue(()),
            other => refuse(format!(
                "`{}` is not allowed here",
                other.to_string().chars().take(60).collect::<String>()
            )),
        }
    }
}
