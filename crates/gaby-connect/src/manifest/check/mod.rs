//! What a manifest must hold beyond its types. Every fault is a field and a sentence.

mod connection;
mod follow_up;
mod request;
mod runs;

use std::collections::{BTreeMap, BTreeSet};

use gaby_model::Integrity;

use super::params::Param;
use super::{DriverKind, Health, Limits, Manifest, ParamType, Tool};
use crate::output::Mapping;
use crate::sql::params::Style;
use crate::sql::shape::{Dialect, Shape};
use crate::template::names_in;
use request::request_of;
use runs::sql;

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
    connection::connection(manifest, &mut faults);
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
    runs::what_runs(field, tool, manifest, faults);
    if let Some(filter) = &tool.output
        && let Err(error) = Mapping::compile(filter)
    {
        faults.add(format!("{field}.output"), error.to_string());
    }
    for (pointer, integrity) in &tool.output_integrity {
        if !pointer.starts_with('/') {
            faults.add(
                format!("{field}.output_integrity"),
                format!("`{pointer}` is not a JSON pointer: begin it with `/`"),
            );
        }
        // What a system says is never more than the system's word.
        if *integrity > Integrity::System {
            faults.add(
                format!("{field}.output_integrity"),
                format!("`{pointer}` can be `system` or `outsider`"),
            );
        }
    }
    follow_up::follow_ups(field, tool, manifest, faults);
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
            format!(
                "is not a regular expression: {}",
                error.to_string().lines().last().unwrap_or_default()
            ),
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
