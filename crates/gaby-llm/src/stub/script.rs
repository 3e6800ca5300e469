//! The script of a stub model: what it answers to what.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Answers, text_of, turns};

/// What a stub model does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The rules, in order: the first that fits and is not used up answers.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// When it fits; always, if nothing is said.
    pub when: When,
    /// How often it answers; without end, if nothing is said.
    pub times: Option<u32>,
    /// What it answers.
    pub answer: Answer,
}

/// When a rule fits: all that is said must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// This model is asked for.
    pub model: Option<String>,
    /// The model may call this.
    pub offers: Option<String>,
    /// So many turns of the model stand in the conversation.
    pub turn: Option<usize>,
    /// Some message holds this text.
    pub contains: Option<String>,
    /// The last message holds this text.
    pub last_contains: Option<String>,
    /// The whole conversation matches this regular expression. What its groups caught stands in the
    /// answer for `{{1}}`, `{{2}}`, and so on.
    pub matches: Option<String>,
}

/// What is answered.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// Text.
    pub text: String,
    /// Calls.
    pub calls: Vec<Call>,
    /// Tokens that are billed; estimated from the size, if nothing is said.
    pub usage: Option<Tokens>,
    /// An HTTP status instead of an answer, such as 503.
    pub status: Option<u16>,
    /// Milliseconds until the answer begins.
    pub wait_ms: u64,
}

/// A call that is answered with.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Call {
    /// The tool.
    pub tool: String,
    /// Its arguments.
    pub arguments: Map<String, Value>,
    /// The arguments as this very text, which need not be JSON.
    pub text: Option<String>,
}

/// Tokens that are billed.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// Sent.
    pub input: u64,
    /// Written.
    pub output: u64,
}

/// Why a script cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the script cannot be used: {0}")]
pub struct ScriptError(String);

impl Script {
    /// Reads a script: YAML, or JSON.
    ///
    /// # Errors
    /// When it is no script, or one of its regular expressions is none.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let script: Self =
            serde_saphyr::from_str(text).map_err(|error| ScriptError(error.to_string()))?;
        for (place, rule) in script.rules.iter().enumerate() {
            if let Some(pattern) = &rule.when.matches {
                Regex::new(pattern)
                    .map_err(|error| ScriptError(format!("rule {}: {error}", place + 1)))?;
            }
        }
        Ok(script)
    }
}

/// A script, and how often each of its rules has answered.
#[derive(Debug)]
pub(super) struct Scripted {
    script: Script,
    used: Mutex<HashMap<usize, u32>>,
}

impl Scripted {
    pub(super) fn new(script: Script) -> Self {
        Self {
            script,
            used: Mutex::default(),
        }
    }
}

impl Answers for Scripted {
    fn answer(&self, request: &Value) -> Result<Answer, String> {
        let asked = Asked::read(request);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, rule) in self.script.rules.iter().enumerate() {
            let count = used.entry(place).or_default();
            if rule.times.is_some_and(|times| *count >= times) {
                continue;
            }
            if let Some(caught) = rule.when.fits(&asked) {
                *count += 1;
                return Ok(rule.answer.filled(&caught));
            }
        }
        Err(format!("no rule of the script fits turn {}", asked.turns))
    }
}

impl Answer {
    /// The answer with what was caught in its place.
    fn filled(&self, caught: &[String]) -> Self {
        let mut out = self.clone();
        out.text = filled_text(&out.text, caught);
        for call in &mut out.calls {
            call.arguments
                .values_mut()
                .for_each(|value| *value = filled(value, caught));
            call.text = call.text.as_ref().map(|text| filled_text(text, caught));
        }
        out
    }
}

/// A request, as far as rules look at it.
#[derive(Debug, Default)]
struct Asked<'a> {
    model: &'a str,
    offers: Vec<&'a str>,
    /// The texts of all messages, in order.
    texts: Vec<String>,
    /// How many of them are the model's.
    turns: usize,
}

impl<'a> Asked<'a> {
    fn read(body: &'a Value) -> Self {
        let list = |name: &str| body[name].as_array().into_iter().flatten();
        Self {
            model: body["model"].as_str().unwrap_or_default(),
            offers: list("tools")
                .filter_map(|tool| tool["function"]["name"].as_str())
                .collect(),
            texts: list("messages").map(text_of).collect(),
            turns: turns(body),
        }
    }
}

impl When {
    /// What the groups of the regular expression caught, if the rule fits.
    fn fits(&self, asked: &Asked<'_>) -> Option<Vec<String>> {
        let is = |wanted: &Option<String>, holds: &dyn Fn(&str) -> bool| {
            wanted.as_deref().is_none_or(holds)
        };
        let fits = is(&self.model, &|model| model == asked.model)
            && is(&self.offers, &|tool| asked.offers.contains(&tool))
            && self.turn.is_none_or(|turn| turn == asked.turns)
            && is(&self.contains, &|text| {
                asked.texts.iter().any(|one| one.contains(text))
            })
            && is(&self.last_contains, &|text| {
                asked.texts.last().is_some_and(|last| last.contains(text))
            });
        if !fits {
            return None;
        }
        let Some(pattern) = &self.matches else {
            return Some(Vec::new());
        };
        // Checked when the script was read.
        let caught = Regex::new(pattern)
            .ok()?
            .captures(&asked.texts.join("\n"))?
            .iter()
            .skip(1)
            .map(|group| group.map_or_else(String::new, |group| group.as_str().to_owned()))
            .collect();
        Some(caught)
    }
}

/// A value with what was caught in the place of `{{1}}`, `{{2}}`, … . A text that is nothing but one
/// becomes a number where it is one, so that evidence can be cited.
fn filled(value: &Value, caught: &[String]) -> Value {
    match value {
        Value::String(text) => {
            let out = filled_text(text, caught);
            let whole = text.starts_with("{{") && text.ends_with("}}") && *text != out;
            match out.parse::<u64>() {
                Ok(number) if whole => Value::from(number),
                _ => Value::String(out),
            }
        }
        Value::Array(items) => items.iter().map(|item| filled(item, caught)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| (name.clone(), filled(field, caught)))
            .collect(),
        other => other.clone(),
    }
}

fn filled_text(text: &str, caught: &[String]) -> String {
    caught
        .iter()
        .enumerate()
        .fold(text.to_owned(), |text, (place, found)| {
            text.replace(&format!("{{{{{}}}}}", place + 1), found)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn asked() -> Asked<'static> {
        Asked {
            model: "small",
            offers: vec!["conclude", "crm__find"],
            texts: vec![
                "Why is it locked?".into(),
                "[7] $step2/result/0: ann".into(),
            ],
            turns: 1,
        }
    }

    #[test]
    fn a_rule_fits_when_all_that_it_says_holds() {
        for (when, fits) in [
            ("{}", true),
            ("{model: small, offers: conclude, turn: 1}", true),
            ("{contains: locked, last_contains: ann}", true),
            ("{last_contains: locked}", false),
            ("{turn: 0}", false),
            ("{model: large}", false),
            ("{offers: classify}", false),
            ("{contains: locked, turn: 2}", false),
        ] {
            let when: When = serde_saphyr::from_str(when).unwrap();
            assert_eq!(when.fits(&asked()).is_some(), fits, "{when:?}");
        }
    }

    #[test]
    fn what_is_caught_stands_in_the_answer() {
        let when: When = serde_saphyr::from_str(r"{matches: '\[(\d+)\] \$(step\d+)'}").unwrap();
        let caught = when.fits(&asked()).unwrap();
        let answer =
            json!({"evidence": ["{{1}}"], "id": "${{2}}/result/0/id", "text": "See {{1}}."});
        assert_eq!(
            filled(&answer, &caught),
            json!({"evidence": [7], "id": "$step2/result/0/id", "text": "See 7."})
        );
    }

    #[test]
    fn a_script_with_a_fault_is_refused_with_its_place() {
        let error = Script::parse("rules: [{when: {matches: '('}}]").unwrap_err();
        assert!(error.to_string().contains("rule 1"), "{error}");
        let error = Script::parse("rules: [{wenn: {}}]").unwrap_err();
        assert!(error.to_string().contains("wenn"), "{error}");
    }
}
