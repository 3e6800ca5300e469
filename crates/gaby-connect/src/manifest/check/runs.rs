//! What a tool runs: one of a query, statements, a request and a driver's own.

use std::collections::BTreeMap;

use gaby_model::Access;

use super::request::request_of;
use super::{Faults, dialect};
use crate::manifest::params::Param;
use crate::manifest::{Builtin, Manifest, Method, Tool};
use crate::sql::params::number;
use crate::sql::shape::{Shape, shape};

pub(super) fn what_runs(field: &str, tool: &Tool, manifest: &Manifest, faults: &mut Faults) {
    let given = [
        tool.query.is_some(),
        tool.statement.is_some(),
        tool.request.is_some(),
        tool.builtin.is_some(),
    ];
    if given.iter().filter(|given| **given).count() != 1 {
        faults.add(
            field,
            "needs exactly one of `query`, `statement`, `request` and `builtin`",
        );
        return;
    }
    let is_sql = dialect(manifest.driver).is_some();
    if is_sql == tool.request.is_some() {
        faults.add(
            field,
            format!(
                "driver `{}` runs {}",
                manifest.driver.as_str(),
                if is_sql {
                    "`query`, `statement` and `builtin`"
                } else {
                    "`request`"
                }
            ),
        );
        return;
    }
    let reads = tool.query.is_some()
        || tool.builtin.is_some()
        || tool
            .request
            .as_ref()
            .is_some_and(|r| r.method == Method::Get || (r.method == Method::Post && r.safe));
    match (tool.access, reads) {
        (Access::Read, false) => faults.add(
            format!("{field}.access"),
            "a read runs `query`, `builtin`, a GET, or a POST marked `safe: true`",
        ),
        (Access::Write, true) => faults.add(
            format!("{field}.access"),
            "a write runs `statement`, or a request that is neither GET nor `safe`",
        ),
        _ => {}
    }
    if tool.affects.is_some() && tool.statement.is_none() {
        faults.add(format!("{field}.affects"), "is for `statement`");
    }
    if tool.affects.is_some_and(|a| a.at_least > a.at_most) {
        faults.add(
            format!("{field}.affects"),
            "`at_least` is more than `at_most`",
        );
    }
    if let Some(query) = &tool.query {
        sql(
            &format!("{field}.query"),
            query,
            Shape::Select,
            manifest,
            &tool.params,
            faults,
        );
    }
    if let Some(statements) = &tool.statement {
        let field = format!("{field}.statement");
        if statements.all().is_empty() {
            faults.add(field.clone(), "is empty");
        }
        // With several, a parameter may be used by any of them.
        let all = statements.all().join("\n;\n");
        for statement in statements.all() {
            let used: BTreeMap<String, Param> = tool
                .params
                .iter()
                .filter(|(name, _)| {
                    !all.contains(&format!(":{name}")) || statement.contains(&format!(":{name}"))
                })
                .map(|(name, param)| (name.clone(), param.clone()))
                .collect();
            sql(&field, statement, Shape::Write, manifest, &used, faults);
        }
    }
    if let Some(request) = &tool.request {
        request_of(
            &format!("{field}.request"),
            request,
            manifest,
            &tool.argument_names(),
            faults,
        );
    }
    if tool.builtin == Some(Builtin::Query) && !tool.params.is_empty() {
        faults.add(format!("{field}.params"), "`builtin: query` brings its own");
    }
}

pub(super) fn sql(
    field: &str,
    text: &str,
    wanted: Shape,
    manifest: &Manifest,
    params: &BTreeMap<String, Param>,
    faults: &mut Faults,
) {
    let Some((dialect, style)) = dialect(manifest.driver) else {
        return;
    };
    let numbered = match number(text, style) {
        Ok(numbered) => numbered,
        Err(reason) => return faults.add(field, reason),
    };
    match shape(&numbered.text, dialect) {
        Err(reason) => faults.add(field, format!("the statement {reason}")),
        Ok(found) if found != wanted => faults.add(
            field,
            match wanted {
                Shape::Select => "a `query` is a SELECT",
                Shape::Write => {
                    "a `statement` is an INSERT, UPDATE or DELETE; a SELECT is a `query`"
                }
            },
        ),
        Ok(_) => {}
    }
    for name in &numbered.names {
        if !params.contains_key(name) {
            faults.add(field, format!("`:{name}` is not among `params`"));
        }
    }
    for name in params.keys() {
        if !numbered.names.contains(name) {
            faults.add(
                field,
                format!("the parameter `{name}` is declared but `:{name}` is not used"),
            );
        }
    }
}
