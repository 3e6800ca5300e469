//! What reads well but cannot work: undeclared names, sentences without evidence, steps that do
//! nothing.

use std::collections::BTreeSet;

use serde_json::Value;

use super::expression::{ExpressionError, Expressions};
use super::load::{self, PlaybookError};
use super::schema::{ActionSpec, Input, InputFrom, Outcome, Playbook, Say, Spanned, StepSpec};

/// A fault and its place.
pub(super) struct Fault {
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) field: String,
    pub(super) message: String,
}

/// Checks a playbook file as `gaby playbook lint` does.
#[must_use]
pub fn lint(file: &str, bytes: &[u8]) -> Vec<PlaybookError> {
    match load::parse(file, bytes) {
        Err(errors) => errors,
        Ok(playbook) => {
            let stem = std::path::Path::new(file)
                .file_stem()
                .and_then(|stem| stem.to_str())
                .unwrap_or_default();
            if stem == playbook.name.value {
                return Vec::new();
            }
            vec![PlaybookError {
                file: file.to_owned(),
                line: playbook.name.referenced.line(),
                column: playbook.name.referenced.column(),
                field: "name".to_owned(),
                message: format!(
                    "the playbook is named `{}` and its file `{stem}`: give both one name",
                    playbook.name.value
                ),
            }]
        }
    }
}

const RESERVED: &[&str] = &["inputs", "requester", "ticket", "item", "action", "loop"];
const REQUESTER: &[&str] = &["name", "email", "domain", "verified"];
const TICKET: &[&str] = &["subject", "body"];

/// Everything that is wrong with a playbook.
pub(super) fn faults(playbook: &Playbook) -> Vec<Fault> {
    let mut check = Check {
        playbook,
        engine: Expressions::new(0),
        steps: BTreeSet::new(),
        searches: BTreeSet::new(),
        at: (
            playbook.name.referenced.line(),
            playbook.name.referenced.column(),
        ),
        found: Vec::new(),
    };
    check.header();
    for (name, input) in &playbook.inputs {
        check.move_to(input);
        check.input(name, &input.value);
    }
    for step in &playbook.steps {
        check.move_to(step);
        check.step(&step.value);
    }
    if playbook.outcomes.is_empty() {
        check.fault("outcomes", "a playbook needs at least one outcome");
    }
    let mut seen = BTreeSet::new();
    for outcome in &playbook.outcomes {
        check.move_to(outcome);
        if !seen.insert(outcome.value.id.as_str()) {
            check.fault(
                "outcomes",
                &format!("two outcomes are named `{}`", outcome.value.id),
            );
        }
        check.outcome(&outcome.value);
    }
    check.found
}

struct Check<'a> {
    playbook: &'a Playbook,
    engine: Expressions,
    /// Steps declared so far that call or pick.
    steps: BTreeSet<&'a str>,
    /// Steps declared so far that search.
    searches: BTreeSet<&'a str>,
    at: (u64, u64),
    found: Vec<Fault>,
}

impl<'a> Check<'a> {
    fn move_to<T>(&mut self, spanned: &Spanned<T>) {
        self.at = (spanned.referenced.line(), spanned.referenced.column());
    }

    fn fault(&mut self, field: &str, message: &str) {
        self.found.push(Fault {
            line: self.at.0,
            column: self.at.1,
            field: field.to_owned(),
            message: message.to_owned(),
        });
    }

    fn header(&mut self) {
        if !is_name(&self.playbook.name.value) {
            self.fault("name", "use lower-case letters, digits and dashes");
        }
        for (field, text) in [
            ("title", &self.playbook.title),
            ("category", &self.playbook.category),
        ] {
            if text.trim().is_empty() {
                self.fault(field, "must not be empty");
            }
        }
        let triggers = &self.playbook.triggers;
        let says_something = |text: &String| !crate::text::words::stems(text).is_empty();
        if triggers.phrases.is_empty()
            && triggers.keywords.is_empty()
            && triggers.examples.is_empty()
        {
            self.fault(
                "triggers",
                "nothing would ever start this playbook: give phrases, keywords or examples",
            );
        }
        if !triggers.phrases.iter().all(says_something)
            || !triggers.exclude.iter().all(says_something)
            || triggers
                .keywords
                .iter()
                .any(|group| group.is_empty() || !group.iter().all(says_something))
        {
            self.fault(
                "triggers",
                "an empty phrase or keyword would match every ticket",
            );
        }
    }

    fn input(&mut self, name: &str, input: &Input) {
        let field = format!("inputs.{name}");
        if !is_identifier(name) {
            self.fault(&field, "use lower-case letters, digits and underscores");
        }
        let given = (
            input.field.is_some(),
            input.entity.is_some() || input.pattern.is_some(),
            input.path.is_some(),
        );
        let expected = match input.from {
            InputFrom::Requester => (true, false, false),
            InputFrom::Ticket => (false, true, false),
            InputFrom::Read => (false, false, true),
        };
        if given != expected {
            let needs = match input.from {
                InputFrom::Requester => "`from: requester` needs `field` and nothing else",
                InputFrom::Ticket => {
                    "`from: ticket` needs `entity` or `pattern`, and no `field` or `path`"
                }
                InputFrom::Read => "`from: read` needs `path`, such as $customer.id",
            };
            self.fault(&field, needs);
        }
        if let Some(pattern) = &input.pattern
            && let Err(error) = bounded_regex(pattern)
        {
            self.fault(
                &format!("{field}.pattern"),
                &format!("not a regular expression: {error}"),
            );
        }
        if let Some(path) = &input.path {
            let root = reference(path).map(|(root, _)| root);
            let known = self
                .playbook
                .steps
                .iter()
                .any(|step| Some(step.value.id.as_str()) == root);
            if !known {
                self.fault(&format!("{field}.path"), &format!("`{path}` names no step"));
            }
        }
        if let Some(not) = &input.not {
            let other = reference(not).filter(|(root, rest)| {
                *root == "inputs" && self.playbook.inputs.contains_key(*rest) && *rest != name
            });
            if other.is_none() {
                self.fault(
                    &format!("{field}.not"),
                    &format!("`{not}` names no other input; write $inputs.NAME"),
                );
            }
        }
        if input.required && input.ask.is_none() {
            self.fault(
                &format!("{field}.ask"),
                "a required input needs a question to the requester",
            );
        }
    }

    fn step(&mut self, step: &'a StepSpec) {
        let field = format!("steps.{}", step.id);
        if !is_identifier(&step.id) || RESERVED.contains(&step.id.as_str()) {
            self.fault(&field, "use lower-case letters, digits and underscores, and none of inputs, requester, ticket, item, action, loop");
        }
        if self.steps.contains(step.id.as_str()) || self.searches.contains(step.id.as_str()) {
            self.fault(&field, "two steps have this id");
        }
        let jobs = [
            step.role.is_some(),
            step.search.is_some(),
            step.from.is_some(),
        ];
        if jobs.iter().filter(|given| **given).count() != 1 {
            self.fault(
                &field,
                "a step needs exactly one of `role`, `search` and `from`",
            );
        }
        if let Some(role) = &step.role
            && !is_role(role)
        {
            self.fault(
                &format!("{field}.role"),
                "a role is two or more names with dots between, such as customer.find",
            );
        }
        if let Some(from) = &step.from
            && !self.steps.contains(from.as_str())
        {
            self.fault(
                &format!("{field}.from"),
                &format!("`{from}` is no earlier step that reads"),
            );
        }
        if step.role.is_none() && !step.arguments.is_empty() {
            self.fault(
                &format!("{field}.arguments"),
                "only a step with a `role` takes arguments",
            );
        }
        if let Some(search) = &step.search {
            self.template(&format!("{field}.search"), search);
            if step.filter.is_some() {
                self.fault(&format!("{field}.where"), "a search cannot be filtered");
            }
        }
        if let Some(when) = &step.when {
            self.condition(&format!("{field}.when"), when, false);
        }
        if let Some(filter) = &step.filter {
            self.condition(&format!("{field}.where"), filter, true);
        }
        self.arguments(&field, &step.arguments);
        if step.search.is_some() {
            self.searches.insert(&step.id);
        } else {
            self.steps.insert(&step.id);
        }
    }

    fn outcome(&mut self, outcome: &Outcome) {
        let field = format!("outcomes.{}", outcome.id);
        if let Some(when) = &outcome.when {
            self.condition(&format!("{field}.when"), when, false);
        }
        if outcome
            .confidence
            .is_some_and(|c| !(0.0..=1.0).contains(&c))
        {
            self.fault(
                &format!("{field}.confidence"),
                "a confidence lies between 0 and 1",
            );
        }
        if outcome.answer.is_empty() && outcome.escalate.is_none() {
            self.fault(&field, "an outcome needs an `answer` or `escalate`");
        }
        if outcome.action.is_some() && outcome.escalate.is_some() {
            self.fault(&field, "an outcome has an `action` or `escalate`, not both");
        }
        for (index, say) in outcome.answer.iter().enumerate() {
            self.say(&format!("{field}.answer.{index}"), say, false);
        }
        for (name, text) in [("escalate", &outcome.escalate), ("next", &outcome.next)] {
            if let Some(text) = text {
                self.template(&format!("{field}.{name}"), text);
            }
        }
        if let Some(action) = &outcome.action {
            self.action(&format!("{field}.action"), action);
        }
    }

    fn action(&mut self, field: &str, action: &ActionSpec) {
        if !is_role(&action.role) {
            self.fault(
                &format!("{field}.role"),
                "a role is two or more names with dots between, such as account.unlock",
            );
        }
        self.arguments(field, &action.arguments);
        for (name, text) in [
            ("summary", Some(&action.summary)),
            ("reason", Some(&action.reason)),
            ("risk", action.risk.as_ref()),
        ] {
            if let Some(text) = text {
                self.template(&format!("{field}.{name}"), text);
            }
        }
        for (index, say) in action.done.iter().enumerate() {
            self.say(&format!("{field}.done.{index}"), say, true);
        }
    }

    fn say(&mut self, field: &str, say: &Say, after_action: bool) {
        if let Some(when) = &say.when {
            self.condition(&format!("{field}.when"), when, false);
        }
        for cited in &say.cite {
            let known =
                self.steps.contains(cited.as_str()) || self.searches.contains(cited.as_str());
            if !(known || (after_action && cited == "action")) {
                self.fault(&format!("{field}.cite"), &format!("`{cited}` is no step"));
            }
        }
        match (&say.say, &say.quote) {
            (Some(text), None) => {
                let used = self.template(field, text);
                let rests_on_step = used.iter().any(|name| self.steps.contains(root(name)));
                if !rests_on_step && say.cite.is_empty() {
                    self.fault(field, "the sentence rests on nothing: show a value that a step read, or name the steps in `cite`");
                }
                if say.sentences.is_some() {
                    self.fault(
                        &format!("{field}.sentences"),
                        "`sentences` belongs to `quote`",
                    );
                }
            }
            (None, Some(step)) => {
                if !self.searches.contains(step.as_str()) {
                    self.fault(
                        &format!("{field}.quote"),
                        &format!("`{step}` is no step that searches"),
                    );
                }
                if say.sentences == Some(0) {
                    self.fault(&format!("{field}.sentences"), "quote at least one sentence");
                }
            }
            _ => self.fault(field, "give either `say` or `quote`"),
        }
    }

    fn arguments(&mut self, field: &str, arguments: &std::collections::BTreeMap<String, Value>) {
        for (name, value) in arguments {
            self.argument(&format!("{field}.arguments.{name}"), value, 0);
        }
    }

    fn argument(&mut self, field: &str, value: &Value, depth: usize) {
        match value {
            Value::String(text) => match reference(text) {
                Some((root, rest)) => self.name(field, &join(root, rest), false),
                None => {
                    self.template(field, text);
                }
            },
            Value::Array(items) if depth < 16 => items
                .iter()
                .for_each(|item| self.argument(field, item, depth + 1)),
            Value::Object(fields) if depth < 16 => fields
                .values()
                .for_each(|item| self.argument(field, item, depth + 1)),
            Value::Array(_) | Value::Object(_) => self.fault(field, "nested too deep"),
            _ => {}
        }
    }

    fn condition(&mut self, field: &str, text: &str, in_where: bool) {
        let names = self.engine.names_in_condition(text);
        self.names(field, names, in_where);
    }

    fn template(&mut self, field: &str, text: &str) -> BTreeSet<String> {
        let names = self.engine.names_in_template(text);
        self.names(field, names, false)
    }

    fn names(
        &mut self,
        field: &str,
        names: Result<BTreeSet<String>, ExpressionError>,
        in_where: bool,
    ) -> BTreeSet<String> {
        match names {
            Ok(names) => {
                for name in &names {
                    let allowed = in_where && root(name) == "item";
                    self.name(field, name, allowed);
                }
                names
            }
            Err(error) => {
                self.fault(field, &error.to_string());
                BTreeSet::new()
            }
        }
    }

    fn name(&mut self, field: &str, name: &str, allowed: bool) {
        let (root, rest) = name.split_once('.').unwrap_or((name, ""));
        let first = rest.split('.').next().unwrap_or("");
        let known = allowed
            || self.steps.contains(root)
            || match root {
                "inputs" => self.playbook.inputs.contains_key(first),
                "requester" => REQUESTER.contains(&first),
                "ticket" => TICKET.contains(&first),
                _ => false,
            };
        if !known {
            self.fault(
                field,
                &format!(
                    "`{name}` is not declared: name an input, an earlier step, requester or ticket"
                ),
            );
        }
    }
}

/// `$customer.id` → `("customer", "id")`; none when the text is no reference.
#[must_use]
pub fn reference(text: &str) -> Option<(&str, &str)> {
    let path = text.strip_prefix('$')?;
    let (root, rest) = path.split_once('.').unwrap_or((path, ""));
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    (is_identifier(root) && rest.chars().all(plain)).then_some((root, rest))
}

fn join(root: &str, rest: &str) -> String {
    if rest.is_empty() {
        root.to_owned()
    } else {
        format!("{root}.{rest}")
    }
}

fn root(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// A regular expression within bounds.
///
/// # Errors
/// When it cannot be read or would grow too large.
pub(crate) fn bounded_regex(pattern: &str) -> Result<regex::Regex, regex::Error> {
    regex::RegexBuilder::new(pattern)
        .size_limit(1 << 20)
        .build()
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 64
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 64
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn is_role(text: &str) -> bool {
    text.contains('.') && text.split('.').all(is_identifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lint_of(change: impl Fn(&str) -> String) -> String {
        let text = "\
name: test
title: Test
category: other
description: A test.
triggers:
  phrases: [a thing]
inputs:
  email: { from: requester, field: email }
  number: { from: ticket, entity: invoice }
steps:
  - id: customer
    role: customer.find
    arguments: { email: $inputs.email }
  - id: howto
    search: how to
outcomes:
  - id: known
    when: customer
    answer:
      - say: You are {{ customer.name }}.
      - quote: howto
";
        lint("test.yaml", change(text).as_bytes())
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn what_cannot_work_is_told_with_line_and_field() {
        assert_eq!(lint_of(str::to_owned), "");
        for (from, to, expected) in [
            (
                "name: test",
                "name: Test",
                "test.yaml:1:7: `name`: use lower-case",
            ),
            (
                "name: test",
                "name: other",
                "`name`: the playbook is named `other`",
            ),
            ("[a thing]", "[]", "`triggers`: nothing would ever start"),
            ("[a thing]", "[\"!\"]", "`triggers`: an empty phrase"),
            (
                "field: email }",
                "path: $customer.id }",
                "`inputs.email`: `from: requester` needs",
            ),
            (
                "entity: invoice",
                "pattern: '('",
                "`inputs.number.pattern`: not a regular",
            ),
            (
                "entity: invoice",
                "entity: invoice, required: true",
                "`inputs.number.ask`",
            ),
            (
                "$inputs.email",
                "$inputs.mail",
                "test.yaml:11:5: `steps.customer.arguments.email`: `inputs.mail` is not declared",
            ),
            ("role: customer.find", "role: find", "`steps.customer.role`"),
            (
                "id: howto\n    search: how to",
                "id: howto",
                "`steps.howto`: a step needs exactly one",
            ),
            (
                "You are {{ customer.name }}.",
                "You are fine.",
                "rests on nothing",
            ),
            (
                "quote: howto",
                "quote: customer",
                "is no step that searches",
            ),
            (
                "when: customer",
                "when: customer ==",
                "`outcomes.known.when`: ",
            ),
            (
                "{{ customer.name }}",
                "{{ nobody.name }}",
                "`nobody.name` is not declared",
            ),
        ] {
            let told = lint_of(|text| {
                assert!(text.contains(from), "{from}");
                text.replacen(from, to, 1)
            });
            assert!(told.contains(expected), "{from} → {to}: {told}");
        }
    }

    #[test]
    fn references_are_dotted_paths_and_prices_are_not() {
        assert_eq!(reference("$customer.id"), Some(("customer", "id")));
        assert_eq!(
            reference("$invoices.0.number"),
            Some(("invoices", "0.number"))
        );
        assert_eq!(reference("$20"), None);
        assert_eq!(reference("customer.id"), None);
        assert_eq!(reference("$a/b"), None);
    }
}
