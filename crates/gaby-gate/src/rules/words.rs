//! A rule as a sentence. What has no plain words stays as Cedar has it.

use serde_json::Value;

use super::{Rule, RuleEffect};

impl Rule {
    /// What the rule does, in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        let does = match self.effect {
            RuleEffect::Permit => "Lets through",
            RuleEffect::Forbid => "Forbids",
            RuleEffect::Escalate => "Leaves to a human",
        };
        let mut sentence = format!("{does} {}", actions(&self.parsed["action"]));
        if let Some(who) = entity(&self.parsed["principal"]) {
            sentence.push_str(&format!(" for {who}"));
        }
        if let Some(place) = entity(&self.parsed["resource"]) {
            sentence.push_str(&format!(" in the workspace {place}"));
        }
        for condition in self.parsed["conditions"].as_array().into_iter().flatten() {
            let kind = match condition["kind"].as_str() {
                Some("unless") => "unless",
                _ => "when",
            };
            match expression(&condition["body"]) {
                Some(words) => sentence.push_str(&format!(" {kind} {words}")),
                None => sentence.push_str(&format!(" {kind} its condition holds")),
            }
        }
        sentence.push('.');
        sentence
    }
}

fn actions(scope: &Value) -> String {
    let named: Vec<String> = match (&scope["entity"], &scope["entities"]) {
        (Value::Object(_), _) => vec![action(&scope["entity"])],
        (_, Value::Array(all)) => all.iter().map(action).collect(),
        _ => return "everything".to_owned(),
    };
    list(&named, "and")
}

fn action(entity: &Value) -> String {
    let id = entity["id"].as_str().unwrap_or_default();
    match id {
        "read" => return "all reads".to_owned(),
        "write" => return "all changes".to_owned(),
        "answer" => return "replies".to_owned(),
        _ => {}
    }
    if let Some(connector) = id.strip_prefix("connector:") {
        return format!("everything of {connector}");
    }
    if let Some(role) = id.strip_prefix("role:") {
        return format!("tools with the role {role}");
    }
    match id.split_once("__") {
        Some((connector, tool)) => format!("{tool} of {connector}"),
        None => id.to_owned(),
    }
}

fn entity(scope: &Value) -> Option<&str> {
    scope["entity"]["id"].as_str()
}

fn expression(body: &Value) -> Option<String> {
    let (name, inside) = body.as_object()?.iter().next()?;
    let two = || Some((&inside["left"], &inside["right"]));
    match name.as_str() {
        "Value" => value(inside),
        "." => attribute(body),
        "!" => Some(format!("not ({})", expression(&inside["arg"])?)),
        "&&" => {
            let (left, right) = two()?;
            // That an argument is there is said by what is said of it.
            if left.get("has").is_some() {
                return expression(right);
            }
            Some(format!("{} and {}", expression(left)?, expression(right)?))
        }
        "||" => {
            let (left, right) = two()?;
            Some(format!("({} or {})", expression(left)?, expression(right)?))
        }
        "==" | "!=" | "<" | "<=" | ">" | ">=" => {
            let (left, right) = two()?;
            let is = match name.as_str() {
                "==" => "is",
                "!=" => "is not",
                "<" => "is less than",
                "<=" => "is at most",
                ">" => "is more than",
                _ => "is at least",
            };
            Some(format!("{} {is} {}", expression(left)?, expression(right)?))
        }
        "in" => {
            let (left, right) = two()?;
            Some(format!(
                "{} is in {}",
                expression(left)?,
                expression(right)?
            ))
        }
        "contains" => {
            let (left, right) = two()?;
            if left.get("Set").is_some() {
                return Some(format!("{} is {}", expression(right)?, expression(left)?));
            }
            Some(format!("{} hold {}", expression(left)?, expression(right)?))
        }
        "Set" => {
            let items: Option<Vec<String>> = inside.as_array()?.iter().map(expression).collect();
            Some(list(&items?, "or"))
        }
        "like" => {
            let pattern: String = inside["pattern"]
                .as_array()?
                .iter()
                .map(|part| match part["Literal"].as_str() {
                    Some(text) => text.to_owned(),
                    None => "*".to_owned(),
                })
                .collect();
            Some(format!(
                "{} is like “{pattern}”",
                expression(&inside["left"])?
            ))
        }
        "has" => Some(format!(
            "{} has {}",
            expression(&inside["left"])?,
            inside["attr"].as_str()?
        )),
        "Var" => Some(match inside.as_str()? {
            "principal" => "the requester".to_owned(),
            other => other.to_owned(),
        }),
        _ => None,
    }
}

/// `context.hour` is the hour, `context.arguments.pod` the argument pod.
fn attribute(body: &Value) -> Option<String> {
    let inside = &body["."];
    let name = inside["attr"].as_str()?;
    if inside["left"]["Var"].as_str() == Some("context") {
        return Some(match name {
            "facts" => "the facts about the requester".to_owned(),
            "verified" => "somebody vouches for the requester".to_owned(),
            "steered_by_outsider" => "anybody's text steers the call".to_owned(),
            "records" => "the number of records".to_owned(),
            "arguments" => "the call".to_owned(),
            other => format!("the {other}"),
        });
    }
    match attribute(&inside["left"]).as_deref() {
        Some("the call") => Some(format!("the argument {name}")),
        Some(outer) => Some(format!("{outer}.{name}")),
        None => None,
    }
}

fn value(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(format!("“{text}”")),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(if *is { "true" } else { "false" }.to_owned()),
        Value::Object(_) => Some(value["__entity"]["id"].as_str()?.to_owned()),
        _ => None,
    }
}

fn list(items: &[String], joined: &str) -> String {
    match items {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {joined} {last}", first.join(", ")),
    }
}
