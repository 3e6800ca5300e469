//! Conditions and templates of playbooks: Jinja, with strict names, a limit on work, and dates.
//!
//! A name that is missing is an error, but for asking whether it is there: a tool need not give
//! every field to every record.

use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};
use std::collections::BTreeSet;

/// Steps of the template engine that one condition or template may take.
const FUEL: u64 = 50_000;
/// The longest text that a template may make, in bytes.
const LONGEST: usize = 64 * 1024;

/// Evaluates the conditions and templates of one investigation.
pub struct Expressions {
    environment: Environment<'static>,
}

/// Why a condition or template gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ExpressionError(pub String);

impl From<Error> for ExpressionError {
    fn from(error: Error) -> Self {
        let mut message = error.kind().to_string();
        if let Some(detail) = error.detail() {
            message = format!("{message}: {detail}");
        }
        Self(message)
    }
}

impl Expressions {
    /// With `now` as the present, in milliseconds since the epoch, for `days_until` and
    /// `days_since`.
    #[must_use]
    pub fn new(now: i64) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(32);
        environment.add_filter("date", |value: Value| date(&value));
        environment.add_filter("days_until", move |value: Value| days_until(now, &value));
        environment.add_filter("days_since", move |value: Value| {
            days_until(now, &value).map(|days| -days)
        });
        Self { environment }
    }

    /// Whether a condition holds over `context`.
    ///
    /// # Errors
    /// When it cannot be read, names something undeclared, or does not end.
    pub fn holds(&self, condition: &str, context: &Value) -> Result<bool, ExpressionError> {
        let compiled = self.environment.compile_expression(condition.trim())?;
        Ok(compiled.eval(context.clone())?.is_true())
    }

    /// The text that a template makes of `context`, on one line.
    ///
    /// # Errors
    /// As [`Self::holds`], and when the text is too long.
    pub fn render(&self, template: &str, context: &Value) -> Result<String, ExpressionError> {
        let text = self.environment.render_str(template, context.clone())?;
        if text.len() > LONGEST {
            return Err(ExpressionError(format!(
                "the text has {} bytes, more than {LONGEST}",
                text.len()
            )));
        }
        Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Whether a condition holds over JSON.
    ///
    /// # Errors
    /// As [`Self::holds`].
    pub fn holds_json(
        &self,
        condition: &str,
        context: &serde_json::Value,
    ) -> Result<bool, ExpressionError> {
        self.holds(condition, &Value::from(Serde(context)))
    }

    /// The value that a template makes: one that is a single `{{ … }}` keeps its type, any other
    /// makes a text.
    ///
    /// # Errors
    /// As [`Self::holds`].
    pub fn value(
        &self,
        template: &str,
        context: &serde_json::Value,
    ) -> Result<serde_json::Value, ExpressionError> {
        let context = Value::from(Serde(context));
        let single = template
            .trim()
            .strip_prefix("{{")
            .and_then(|rest| rest.strip_suffix("}}"))
            .filter(|inner| !inner.contains("{{") && !inner.contains("}}"));
        let Some(expression) = single else {
            return self.render(template, &context).map(serde_json::Value::from);
        };
        let compiled = self.environment.compile_expression(expression.trim())?;
        let value = compiled.eval(context)?;
        if value.is_undefined() {
            return Err(ExpressionError(format!(
                "`{}` names nothing",
                expression.trim()
            )));
        }
        serde_json::to_value(&value).map_err(|error| ExpressionError(error.to_string()))
    }

    /// The names that a condition uses, with their fields (`customer.id`).
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn names_in_condition(&self, condition: &str) -> Result<BTreeSet<String>, ExpressionError> {
        let compiled = self.environment.compile_expression(condition.trim())?;
        Ok(compiled.undeclared_variables(true).into_iter().collect())
    }

    /// The names that a template uses, with their fields.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn names_in_template(&self, template: &str) -> Result<BTreeSet<String>, ExpressionError> {
        let compiled = self.environment.template_from_str(template)?;
        Ok(compiled.undeclared_variables(true).into_iter().collect())
    }
}

/// A moment as connectors write it: RFC 3339, `2026-01-31 12:00:00`, or a date.
#[must_use]
pub fn moment(text: &str) -> Option<jiff::Timestamp> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment);
    }
    let civil = text
        .parse::<jiff::civil::DateTime>()
        .or_else(|_| {
            text.parse::<jiff::civil::Date>()
                .map(|date| date.at(0, 0, 0, 0))
        })
        .ok()?;
    jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()
}

/// `31 January 2026`.
#[must_use]
pub fn long_date(text: &str) -> Option<String> {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let date = jiff::tz::TimeZone::UTC.to_datetime(moment(text)?).date();
    let month = MONTHS.get(usize::try_from(date.month() - 1).ok()?)?;
    Some(format!("{} {month} {}", date.day(), date.year()))
}

fn date(value: &Value) -> Result<String, Error> {
    let text = value.to_string();
    long_date(&text).ok_or_else(|| not_a_date(&text))
}

fn days_until(now: i64, value: &Value) -> Result<i64, Error> {
    const DAY: i64 = 86_400_000;
    let text = value.to_string();
    let then = moment(&text).ok_or_else(|| not_a_date(&text))?;
    Ok(then.as_millisecond().saturating_sub(now).div_euclid(DAY))
}

fn not_a_date(text: &str) -> Error {
    let shown: String = text.chars().take(40).collect();
    Error::new(
        ErrorKind::InvalidOperation,
        format!("`{shown}` is not a date"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;
    use proptest::prelude::*;

    fn engine() -> Expressions {
        Expressions::new(moment("2026-03-01T12:00:00Z").unwrap().as_millisecond())
    }

    #[test]
    fn dates_are_written_for_people_and_counted_in_days() {
        let context = context! { at => "2026-03-04 12:00:00", day => "2026-02-01", bad => "soon" };
        let engine = engine();
        assert_eq!(
            engine.render("{{ at | date }}", &context).unwrap(),
            "4 March 2026"
        );
        assert_eq!(
            engine.render("{{ at | days_until }}", &context).unwrap(),
            "3"
        );
        assert!(engine.holds("(day | days_until) < 0", &context).unwrap());
        let error = engine.render("{{ bad | date }}", &context).unwrap_err();
        assert!(
            error.to_string().contains("`soon` is not a date"),
            "{error}"
        );
    }

    #[test]
    fn a_name_that_nobody_declared_is_an_error() {
        assert!(engine().holds("customer.id == 1", &context! {}).is_err());
        assert!(engine().render("{{ nobody }}", &context! {}).is_err());
        assert!(
            !engine()
                .holds("customer", &context! { customer => () })
                .unwrap()
        );
    }

    #[test]
    fn a_template_without_end_is_stopped() {
        let endless =
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        let error = engine().render(endless, &context! {}).unwrap_err();
        assert!(error.to_string().contains("fuel"), "{error}");
    }

    #[test]
    fn the_names_in_an_expression_are_found_with_their_fields() {
        let names = engine()
            .names_in_template("{{ account.locked_at | date }} {{ inputs.email }}")
            .unwrap();
        assert_eq!(
            names.into_iter().collect::<Vec<_>>(),
            ["account.locked_at", "inputs.email"]
        );
    }

    proptest! {
        #[test]
        fn garbage_templates_end_in_text_or_an_error(text in "[ -~]{0,60}") {
            let engine = engine();
            let _ = engine.render(&text, &context! { a => 1 });
            let _ = engine.holds(&text, &context! { a => 1 });
        }

        #[test]
        fn template_syntax_of_any_kind_ends(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just("{{"), Just("}}"), Just("{%"), Just("%}"), Just(" for a in b "), Just("a.b"),
                    Just(" if "), Just("endif"), Just("endfor"), Just("|date"), Just("(")
                ],
                0..12,
            )
        ) {
            let _ = engine().render(&parts.concat(), &context! { a => 1 });
        }
    }
}
