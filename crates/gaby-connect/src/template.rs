//! Templates of manifests (Jinja), with the encoding that their place needs.

use std::collections::BTreeSet;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde_json::Value as Json;

/// Steps that one template may take; a manifest's templates need a few dozen.
const FUEL: u64 = 20_000;

/// A template that could not be read or rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the template `{template}` {reason}")]
pub(crate) struct TemplateError {
    /// The template.
    pub template: String,
    /// Why.
    pub reason: String,
}

impl TemplateError {
    fn new(template: &str, error: &minijinja::Error) -> Self {
        Self {
            template: template.chars().take(120).collect(),
            reason: format!("cannot be used: {error}"),
        }
    }
}

/// How what a template puts in is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As it is.
    Plain,
    /// Percent-encoded as one segment of a URL's path.
    PathSegment,
}

fn environment(encoding: Encoding) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    if encoding == Encoding::PathSegment {
        environment.set_formatter(|out, _, value| {
            let text = if value.is_none() {
                String::new()
            } else {
                value.to_string()
            };
            // A segment of dots alone would climb out of the path.
            if text.is_empty() || text == "." || text == ".." {
                return Err(minijinja::Error::new(
                    minijinja::ErrorKind::InvalidOperation,
                    format!("`{text}` cannot be part of a path"),
                ));
            }
            out.write_str(&percent_encode(&text))
                .map_err(|_| minijinja::Error::from(minijinja::ErrorKind::WriteFailure))
        });
    } else {
        environment.set_formatter(|out, state, value| {
            if value.is_none() {
                return Ok(());
            }
            minijinja::escape_formatter(out, state, value)
        });
    }
    environment
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
pub(crate) fn percent_encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Renders a template over `context`, a JSON object.
pub(crate) fn render(
    template: &str,
    context: &Json,
    encoding: Encoding,
) -> Result<String, TemplateError> {
    environment(encoding)
        .render_str(template, Value::from(Serde(context)))
        .map_err(|error| TemplateError::new(template, &error))
}

/// Renders every text of a JSON value; a text that is one `{{ … }}` alone keeps its value's type, and
/// a field for which it gives nothing is left out.
pub(crate) fn render_json(value: &Json, context: &Json) -> Result<Json, TemplateError> {
    Ok(match value {
        Json::String(text) => match sole_expression(text) {
            Some(expression) => {
                let environment = environment(Encoding::Plain);
                let value = environment
                    .compile_expression(expression)
                    .and_then(|compiled| compiled.eval(Value::from(Serde(context))))
                    .map_err(|error| TemplateError::new(text, &error))?;
                serde_json::to_value(&value).map_err(|error| TemplateError {
                    template: text.clone(),
                    reason: format!("does not give JSON: {error}"),
                })?
            }
            None => Json::String(render(text, context, Encoding::Plain)?),
        },
        Json::Array(items) => Json::Array(
            items
                .iter()
                .map(|item| render_json(item, context))
                .collect::<Result<_, _>>()?,
        ),
        Json::Object(fields) => Json::Object(
            fields
                .iter()
                .map(|(key, value)| {
                    let rendered = render_json(value, context)?;
                    let nothing = rendered.is_null() && !value.is_null();
                    Ok((!nothing).then(|| (key.clone(), rendered)))
                })
                .filter_map(Result::transpose)
                .collect::<Result<_, TemplateError>>()?,
        ),
        other => other.clone(),
    })
}

fn sole_expression(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{") && !inner.contains("}}")).then_some(inner)
}

/// The names that a template reads, as `settings.path`.
pub(crate) fn names_in(template: &str) -> Result<BTreeSet<String>, TemplateError> {
    let environment = environment(Encoding::Plain);
    let compiled = environment
        .template_from_str(template)
        .map_err(|error| TemplateError::new(template, &error))?;
    Ok(compiled.undeclared_variables(true).into_iter().collect())
}

/// Every text inside a JSON value.
pub(crate) fn texts_of(value: &Json) -> Vec<&str> {
    match value {
        Json::String(text) => vec![text],
        Json::Array(items) => items.iter().flat_map(texts_of).collect(),
        Json::Object(fields) => fields.values().flat_map(texts_of).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_put_into_a_path_cannot_leave_its_segment() {
        let context = json!({"args": {"id": "../admin?x=1#y/é"}});
        let path = render("/c/{{ args.id }}/notes", &context, Encoding::PathSegment).unwrap();
        assert_eq!(path, "/c/..%2Fadmin%3Fx%3D1%23y%2F%C3%A9/notes");
        for hostile in ["..", ".", ""] {
            let context = json!({"args": {"id": hostile}});
            assert!(render("/c/{{ args.id }}", &context, Encoding::PathSegment).is_err());
        }
    }

    #[test]
    fn a_lone_expression_keeps_its_type_and_text_around_it_makes_text() {
        let context = json!({"args": {"n": 3, "list": [1, 2], "none": null}});
        let template = json!({"n": "{{ args.n }}", "s": "n={{ args.n }}", "l": ["{{ args.list }}"], "z": "{{ args.none }}", "null": null});
        assert_eq!(
            render_json(&template, &context).unwrap(),
            json!({"n": 3, "s": "n=3", "l": [[1, 2]], "null": null})
        );
    }

    #[test]
    fn an_unknown_name_is_an_error_and_an_endless_loop_ends() {
        let context = json!({"args": {}});
        assert!(render("{{ args.missing }}", &context, Encoding::Plain).is_err());
        let endless =
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        assert!(render(endless, &context, Encoding::Plain).is_err());
    }

    #[test]
    fn the_names_a_template_reads_are_found() {
        let names = names_in("{{ settings.path }}/{{ secrets.key | upper }}").unwrap();
        assert!(names.contains("settings.path") && names.contains("secrets.key"));
    }
}
