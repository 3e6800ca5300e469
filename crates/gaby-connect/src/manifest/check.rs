//! What a manifest must hold beyond its types. Every fault is a field and a sentence.

use std::collections::{BTreeMap, BTreeSet};

use gaby_model::Access;
use gaby_model::tool::{FollowUp, Reversibility};

use super::params::Param;
use super::{
    Auth, Builtin, DriverKind, Health, Limits, Manifest, Method, ParamType, Request, Tool,
};
use crate::output::Mapping;
use crate::sql::params::{Style, number};
use crate::sql::shape::{Dialect, Shape, shape};
use crate::template::{names_in, texts_of};

/// The most settings that fit on one screen.
const MAX_SETTINGS: usize = 12;
/// The most tools of one connector.
const MAX_TOOLS: usize = 100;
/// The longest description of a tool, in characters.
pub(crate) const MAX_DESCRIPTION: usize = 1_000;

type Fault = (String, String);

/// Everything that is wrong with the manifest.
pub(super) fn faults(manifest: &Manifest) -> Vec<Fault> {
    let mut faults = Faults::default();
    faults.name("name", &manifest.name, 32);
    faults.text("title", &manifest.title, 100);
    faults.text("description", &manifest.description, MAX_DESCRIPTION);
    settings(manifest, &mut faults);
    connection(manifest, &mut faults);
    faults.limits("limits", manifest.limits);
    health(manifest, &mut faults);
    tools(manifest, &mut faults);
    faults.0
}

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push((field.into(), message.into()));
    }

    fn name(&mut self, field: &str, name: &str, most: usize) {
        let good = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && !name.contains("__")
            && !name.ends_with('_')
            && name.len() <= most;
        if !good {
            self.add(
                field,
                format!(
                    "`{}` is not a name: use lower case letters, digits and single underscores, at most {most} characters, beginning with a letter",
                    name.chars().take(60).collect::<String>()
                ),
            );
        }
    }

    fn text(&mut self, field: &str, text: &str, most: usize) {
        if text.trim().is_empty() {
            self.add(field, "is empty: say it in a sentence");
        } else if text.chars().count() > most {
            self.add(field, format!("is longer than {most} characters"));
        }
    }

    fn limits(&mut self, field: &str, limits: Limits) {
        for (key, value, most) in [
            ("rows", limits.rows, Limits::MAX_ROWS),
            ("bytes", limits.bytes, Limits::MAX_BYTES),
            ("seconds", limits.seconds, Limits::MAX_SECONDS),
        ] {
            if value.is_some_and(|value| value == 0 || value > most) {
                self.add(format!("{field}.{key}"), format!("must be 1 to {most}"));
            }
        }
    }

    /// Checks that a template reads only `known` names.
    fn template(&mut self, field: &str, template: &str, known: &BTreeSet<String>) {
        match names_in(template) {
            Err(error) => self.add(field, error.to_string()),
            Ok(names) => {
                for name in names.difference(known) {
                    let near: Vec<String> = known.iter().map(|k| format!("`{k}`")).collect();
                    let message = format!(
                        "`{name}` is not known here: known are {}",
                        if near.is_empty() {
                            "no names".to_owned()
                        } else {
                            near.join(", ")
                        }
                    );
                    self.add(field, message);
                }
            }
        }
    }
}

fn settings(manifest: &Manifest, faults: &mut Faults) {
    if manifest.settings.len() > MAX_SETTINGS {
        faults.add(
            "settings",
            format!(
                "asks {} things; one screen holds {MAX_SETTINGS}: give the others defaults in the manifest",
                manifest.settings.len()
            ),
        );
    }
    let mut seen = BTreeSet::new();
    for (index, setting) in manifest.settings.iter().enumerate() {
        let field = format!("settings[{index}]");
        faults.name(&format!("{field}.key"), &setting.key, 40);
        faults.text(&format!("{field}.label"), &setting.label, 100);
        if !seen.insert(&setting.key) {
            faults.add(format!("{field}.key"), "is there twice");
        }
        if setting.secret && (setting.default.is_some() || setting.example.is_some()) {
            faults.add(field.clone(), "a secret has no default and no example");
        }
        if let Some(default) = &setting.default
            && !setting.choices.is_empty()
            && !setting.choices.contains(default)
        {
            faults.add(format!("{field}.default"), "is not one of `choices`");
        }
    }
}

/// `settings.x` and `secrets.x` as the manifest declares them.
fn declared(manifest: &Manifest) -> BTreeSet<String> {
    manifest
        .settings
        .iter()
        .map(|s| {
            let kind = if s.secret { "secrets" } else { "settings" };
            format!("{kind}.{}", s.key)
        })
        .collect()
}

fn connection(manifest: &Manifest, faults: &mut Faults) {
    let (fields, needed): (&[&str], &[&str]) = match manifest.driver {
        DriverKind::Sqlite => (&["path"], &["path"]),
        DriverKind::Postgres => (
            &[
                "url",
                "host",
                "port",
                "database",
                "user",
                "password",
                "tls",
                "schemas",
                "write_url",
                "write_user",
                "write_password",
            ],
            &[],
        ),
        DriverKind::Http => (&["base_url", "allow"], &["base_url"]),
    };
    let known = declared(manifest);
    for (key, value) in &manifest.connection {
        let field = format!("connection.{key}");
        if !fields.contains(&key.as_str()) {
            faults.add(
                field.clone(),
                format!(
                    "is not known to driver `{}`: it takes {}",
                    manifest.driver.as_str(),
                    fields.join(", ")
                ),
            );
        }
        for template in value.templates() {
            faults.template(&field, template, &known);
        }
    }
    for key in needed {
        if !manifest.connection.contains_key(*key) {
            faults.add("connection", format!("`{key}` is missing"));
        }
    }
    let has = |key: &str| manifest.connection.contains_key(key);
    if manifest.driver == DriverKind::Postgres && !has("url") && !has("host") {
        faults.add(
            "connection",
            "`url`, or `host` with `database` and `user`, is missing",
        );
    }
    match (&manifest.auth, manifest.driver) {
        (None | Some(Auth::None), _) => {}
        (Some(_), DriverKind::Sqlite | DriverKind::Postgres) => faults.add(
            "auth",
            "is for driver `http`: put the password into `connection`",
        ),
        (Some(Auth::Bearer { token }), _) => faults.template("auth.token", token, &known),
        (Some(Auth::Basic { username, password }), _) => {
            faults.template("auth.username", username, &known);
            faults.template("auth.password", password, &known);
        }
        (Some(Auth::Header { name, value }), _) => {
            faults.template("auth.value", value, &known);
            if reqwest::header::HeaderName::try_from(name.as_str()).is_err() {
                faults.add("auth.name", "is not a header's name");
            }
        }
    }
}

fn dialect(driver: DriverKind) -> Option<(Dialect, Style)> {
    match driver {
        DriverKind::Sqlite => Some((Dialect::Sqlite, Style::Question)),
        DriverKind::Postgres => Some((Dialect::Postgres, Style::Dollar)),
        DriverKind::Http => None,
    }
}

fn health(manifest: &Manifest, faults: &mut Faults) {
    let Some(Health { query, request }) = &manifest.health else {
        return;
    };
    match (query, request, dialect(manifest.driver)) {
        (Some(query), None, Some(_)) => {
            sql(
                "health.query",
                query,
                Shape::Select,
                manifest,
                &BTreeMap::new(),
                faults,
            );
        }
        (None, Some(given), None) => request_of("health.request", given, manifest, &[], faults),
        _ => faults.add(
            "health",
            "holds `query` for a database, or `request` for an API",
        ),
    }
}

fn tools(manifest: &Manifest, faults: &mut Faults) {
    if manifest.tools.is_empty() {
        faults.add("tools", "is empty: a connector needs at least one tool");
    }
    if manifest.tools.len() > MAX_TOOLS {
        faults.add("tools", format!("holds more than {MAX_TOOLS} tools"));
    }
    let mut seen = BTreeSet::new();
    for (index, tool) in manifest.tools.iter().enumerate() {
        let field = format!("tools[{index}]");
        faults.name(&format!("{field}.name"), &tool.name, 48);
        if !seen.insert(&tool.name) {
            faults.add(
                format!("{field}.name"),
                format!("`{}` is there twice", tool.name),
            );
        }
        check_tool(&field, tool, manifest, faults);
    }
}

fn check_tool(field: &str, tool: &Tool, manifest: &Manifest, faults: &mut Faults) {
    faults.text(
        &format!("{field}.description"),
        &tool.description,
        MAX_DESCRIPTION,
    );
    if tool.risk.is_some_and(|risk| risk > 100) {
        faults.add(format!("{field}.risk"), "must be 0 to 100");
    }
    faults.limits(&format!("{field}.limits"), tool.limits);
    if let Some(key) = &tool.when
        && !manifest.settings.iter().any(|s| s.key == *key && !s.secret)
    {
        faults.add(
            format!("{field}.when"),
            format!("there is no setting `{key}`"),
        );
    }
    arguments(field, tool, manifest, faults);
    what_runs(field, tool, manifest, faults);
    if let Some(filter) = &tool.output
        && let Err(error) = Mapping::compile(filter)
    {
        faults.add(format!("{field}.output"), error.to_string());
    }
    for pointer in tool.output_integrity.keys() {
        if !pointer.starts_with('/') {
            faults.add(
                format!("{field}.output_integrity"),
                format!("`{pointer}` is not a JSON pointer: begin it with `/`"),
            );
        }
    }
    follow_ups(field, tool, manifest, faults);
}

fn arguments(field: &str, tool: &Tool, manifest: &Manifest, faults: &mut Faults) {
    for (name, param) in &tool.params {
        let field = format!("{field}.params.{name}");
        faults.name(&field, name, 40);
        check_param(&field, param, faults);
    }
    if let Some(schema) = &tool.input_schema {
        let field = format!("{field}.input_schema");
        if !tool.params.is_empty() {
            faults.add(
                field.clone(),
                "stands instead of `params`: keep one of them",
            );
        }
        if dialect(manifest.driver).is_some() {
            faults.add(field.clone(), "is for driver `http`: use `params`");
        }
        if schema["type"] != "object" {
            faults.add(format!("{field}.type"), "must be `object`");
        }
        if let Err(error) = jsonschema::validator_for(schema) {
            faults.add(field, format!("is not a JSON Schema: {error}"));
        }
    }
    let known = tool.argument_names();
    for name in tool.arguments.keys() {
        if !known.contains(name) {
            faults.add(
                format!("{field}.arguments.{name}"),
                format!("`{name}` is not a parameter of this tool"),
            );
        }
    }
}

fn check_param(field: &str, param: &Param, faults: &mut Faults) {
    if let Some(pattern) = &param.pattern
        && let Err(error) = regex::Regex::new(pattern)
    {
        faults.add(
            format!("{field}.pattern"),
            format!("is not a regular expression: {error}"),
        );
    }
    let text_only =
        param.pattern.is_some() || param.min_length.is_some() || param.max_length.is_some();
    if param.kind != ParamType::String && text_only {
        faults.add(
            field,
            "`pattern`, `min_length` and `max_length` are for texts",
        );
    }
    let number_only = param.minimum.is_some() || param.maximum.is_some();
    if number_only && !matches!(param.kind, ParamType::Integer | ParamType::Number) {
        faults.add(field, "`minimum` and `maximum` are for numbers");
    }
    let values = param.choices.iter().flatten().chain(&param.default);
    for value in values {
        if !param.kind.holds(value) {
            faults.add(
                field,
                format!("{value} is not of type `{}`", param.kind.as_str()),
            );
        }
    }
}

fn what_runs(field: &str, tool: &Tool, manifest: &Manifest, faults: &mut Faults) {
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

fn sql(
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

fn request_of(
    field: &str,
    request: &Request,
    manifest: &Manifest,
    arguments: &[String],
    faults: &mut Faults,
) {
    let mut known: BTreeSet<String> = declared(manifest)
        .into_iter()
        .filter(|name| name.starts_with("settings."))
        .collect();
    known.extend(arguments.iter().map(|name| format!("args.{name}")));
    known.insert("idempotency_key".to_owned());
    if !request.path.starts_with('/') {
        faults.add(
            format!("{field}.path"),
            "begins with `/`: it is added to `connection.base_url`",
        );
    }
    faults.template(&format!("{field}.path"), &request.path, &known);
    for (map, name) in [
        (&request.query, "query"),
        (&request.headers, "headers"),
        (&request.form, "form"),
    ] {
        for (key, template) in map {
            faults.template(&format!("{field}.{name}.{key}"), template, &known);
        }
    }
    for name in request.headers.keys() {
        if reqwest::header::HeaderName::try_from(name.as_str()).is_err() {
            faults.add(format!("{field}.headers.{name}"), "is not a header's name");
        }
    }
    for text in request.json.iter().flat_map(texts_of) {
        faults.template(&format!("{field}.json"), text, &known);
    }
    if request.json.is_some() && !request.form.is_empty() {
        faults.add(field, "has both `json` and `form`: a request has one body");
    }
    if request.method == Method::Get && (request.json.is_some() || !request.form.is_empty()) {
        faults.add(field, "a GET has no body");
    }
    let Some(paging) = &request.paging else {
        return;
    };
    if paging.next.is_some() == paging.cursor.is_some()
        || paging.cursor.is_some() != paging.param.is_some()
    {
        faults.add(
            format!("{field}.paging"),
            "needs `next`, or `cursor` together with `param`",
        );
    }
    for (name, filter) in [
        ("items", Some(&paging.items)),
        ("next", paging.next.as_ref()),
        ("cursor", paging.cursor.as_ref()),
    ] {
        if let Some(Err(error)) = filter.map(|f| Mapping::compile(f)) {
            faults.add(format!("{field}.paging.{name}"), error.to_string());
        }
    }
}

fn follow_ups(field: &str, tool: &Tool, manifest: &Manifest, faults: &mut Faults) {
    let all = [
        ("undo", &tool.undo, Access::Write),
        ("verify", &tool.verify, Access::Read),
        ("preview", &tool.preview, Access::Read),
        ("owner_check", &tool.owner_check, Access::Read),
    ];
    for (kind, follow_up, wanted) in all {
        let Some(follow_up) = follow_up else { continue };
        let field = format!("{field}.{kind}");
        if tool.access == Access::Read {
            faults.add(field.clone(), "belongs to writes only");
        }
        follow_up_of(&field, follow_up, wanted, manifest, faults);
    }
    if tool.reversibility == Reversibility::Reversible && tool.undo.is_none() {
        faults.add(
            format!("{field}.reversibility"),
            "`reversible` needs `undo`, the tool that takes it back",
        );
    }
}

fn follow_up_of(
    field: &str,
    follow_up: &FollowUp,
    wanted: Access,
    manifest: &Manifest,
    faults: &mut Faults,
) {
    let Some(sibling) = manifest.tools.iter().find(|t| t.name == follow_up.tool) else {
        return faults.add(
            format!("{field}.tool"),
            format!("there is no tool `{}` in this manifest", follow_up.tool),
        );
    };
    if sibling.access != wanted {
        let word = match wanted {
            Access::Read => "read",
            Access::Write => "write",
        };
        faults.add(
            format!("{field}.tool"),
            format!("`{}` is not a {word}", follow_up.tool),
        );
    }
    let known = sibling.argument_names();
    for (name, template) in &follow_up.arguments {
        let field = format!("{field}.arguments.{name}");
        if !known.contains(name) {
            faults.add(
                field.clone(),
                format!("`{}` has no parameter `{name}`", follow_up.tool),
            );
        }
        if let Err(error) = names_in(template) {
            faults.add(field, error.to_string());
        }
    }
    let schema = sibling.schema();
    for name in schema["required"].as_array().into_iter().flatten() {
        if let Some(name) = name.as_str()
            && !follow_up.arguments.contains_key(name)
        {
            faults.add(
                format!("{field}.arguments"),
                format!("`{}` needs `{name}`", follow_up.tool),
            );
        }
    }
}
