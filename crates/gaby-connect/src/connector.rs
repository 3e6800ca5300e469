//! A manifest at work: its tools with their checks, limits and mappings, over its driver.

use std::collections::BTreeMap;
use std::sync::Arc;

use gaby_model::{Access, ToolDefinition};
use serde_json::{Map, Value, json};

use crate::drivers::{self, Answer, Call, Driver, DriverError, Given, Health};
use crate::manifest::{Bounds, Manifest, Setting, Tool};
use crate::output::Mapping;

/// Why a tool of a manifest did not give a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ToolFailure {
    #[error("there is no tool `{0}`")]
    Unknown(String),
    #[error("{0}")]
    Arguments(String),
    #[error(transparent)]
    Driver(#[from] DriverError),
    #[error("{0}")]
    Output(String),
}

/// A connected manifest.
pub(crate) struct Connector {
    name: String,
    manifest: Arc<Manifest>,
    driver: Arc<dyn Driver>,
    tools: BTreeMap<String, Prepared>,
}

struct Prepared {
    tool: Tool,
    bounds: Bounds,
    definition: ToolDefinition,
    arguments: jsonschema::Validator,
    mapping: Option<Mapping>,
}

impl Connector {
    /// Prepares the tools that these settings switch on. Nothing is contacted yet.
    pub(crate) fn open(
        name: &str,
        manifest: &Arc<Manifest>,
        given: &Given,
    ) -> Result<Self, DriverError> {
        let driver = drivers::open(manifest, given)?;
        let mut tools = BTreeMap::new();
        for tool in offered(manifest, given) {
            let broken = |reason: String| {
                DriverError::Settings(format!("tool `{}` cannot be used: {reason}", tool.name))
            };
            let prepared = Prepared {
                bounds: tool.limits.within(manifest.limits),
                definition: tool.definition(name),
                arguments: jsonschema::validator_for(&tool.schema())
                    .map_err(|error| broken(error.to_string()))?,
                mapping: tool
                    .output
                    .as_deref()
                    .map(Mapping::compile)
                    .transpose()
                    .map_err(|error| broken(error.to_string()))?,
                tool: tool.clone(),
            };
            tools.insert(tool.name.clone(), prepared);
        }
        Ok(Self {
            name: name.to_owned(),
            manifest: manifest.clone(),
            driver,
            tools,
        })
    }

    /// Its name in this workspace.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The manifest it runs.
    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What it offers.
    pub(crate) fn definitions(&self) -> impl Iterator<Item = (&Tool, &ToolDefinition)> {
        self.tools.values().map(|p| (&p.tool, &p.definition))
    }

    /// The longest time that one of its calls takes.
    pub(crate) fn longest_call(&self) -> std::time::Duration {
        self.tools
            .values()
            .map(|p| p.bounds.time)
            .max()
            .unwrap_or_default()
    }

    /// Whether the system answers.
    pub(crate) async fn check(&self) -> Result<Health, DriverError> {
        self.driver.check().await
    }

    /// Calls a tool. `only` limits it to reads, where writes are not offered.
    pub(crate) async fn call(
        &self,
        tool: &str,
        mut arguments: Map<String, Value>,
        idempotency_key: Option<&str>,
        only: Option<Access>,
    ) -> Result<Answer, ToolFailure> {
        let prepared = self
            .tools
            .get(tool)
            .filter(|p| only.is_none_or(|access| p.tool.access == access))
            .ok_or_else(|| ToolFailure::Unknown(tool.to_owned()))?;
        for (name, param) in &prepared.tool.params {
            if let (None, Some(default)) = (arguments.get(name), &param.default) {
                arguments.insert(name.clone(), default.clone());
            }
        }
        check_arguments(&prepared.arguments, &arguments).map_err(ToolFailure::Arguments)?;
        let call = Call {
            tool: &prepared.tool,
            arguments: &arguments,
            bounds: prepared.bounds,
            idempotency_key,
        };
        let Answer {
            mut value,
            truncated,
        } = self.driver.run(call).await?;
        if let Some(mapping) = &prepared.mapping {
            let mapped = mapping.apply(value, prepared.bounds.bytes).await;
            value = match (mapped, prepared.tool.access) {
                (Ok(value), _) => value,
                (Err(error), Access::Read) => {
                    let text = format!("{error} (`output` of tool `{tool}`)");
                    return Err(ToolFailure::Output(text));
                }
                // It happened, whatever can be made of the answer.
                (Err(error), Access::Write) => json!({"note": format!("done, but {error}")}),
            };
        }
        if !value.is_object() {
            value = json!({"result": value});
        }
        Ok(Answer { value, truncated })
    }
}

/// The tools that exist with these settings.
pub(crate) fn offered<'a>(
    manifest: &'a Manifest,
    given: &'a Given,
) -> impl Iterator<Item = &'a Tool> {
    manifest.tools.iter().filter(|tool| {
        tool.when
            .as_ref()
            .is_none_or(|key| given.settings.get(key).is_some_and(|value| value == "true"))
    })
}

/// Whether the arguments fit, in words for whoever sent them.
pub(crate) fn check_arguments(
    validator: &jsonschema::Validator,
    arguments: &Map<String, Value>,
) -> Result<(), String> {
    let value = Value::Object(arguments.clone());
    let faults: Vec<String> = validator
        .iter_errors(&value)
        .take(5)
        .map(|error| {
            let place = error.instance_path().to_string();
            let text: String = error.to_string().chars().take(300).collect();
            if place.is_empty() {
                text
            } else {
                format!("`{}`: {text}", place.trim_start_matches('/'))
            }
        })
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(format!("the arguments do not fit: {}", faults.join("; ")))
    }
}

/// The manifest's settings, completed by their defaults, or what is wrong with them.
pub(crate) fn complete(
    manifest: &Manifest,
    given: &BTreeMap<String, String>,
    secrets: &BTreeMap<String, String>,
) -> Result<Given, String> {
    let known = |key: &String, secret: bool| {
        manifest
            .settings
            .iter()
            .any(|s| s.key == *key && s.secret == secret)
    };
    if let Some(key) = given.keys().find(|key| !known(key, false)) {
        let hint = if known(key, true) {
            "it is a secret: give it as a secret".to_owned()
        } else {
            format!("known are {}", keys(manifest, false))
        };
        return Err(format!(
            "`{}` has no setting `{key}`: {hint}",
            manifest.name
        ));
    }
    if let Some(key) = secrets.keys().find(|key| !known(key, true)) {
        return Err(format!(
            "`{}` has no secret `{key}`: known are {}",
            manifest.name,
            keys(manifest, true)
        ));
    }
    let mut complete = Given::default();
    for setting in &manifest.settings {
        let (from, to) = if setting.secret {
            (secrets, &mut complete.secrets)
        } else {
            (given, &mut complete.settings)
        };
        let value = from
            .get(&setting.key)
            .cloned()
            .filter(|value| !value.is_empty())
            .or_else(|| setting.default.clone());
        match value {
            Some(value) if !setting.choices.is_empty() && !setting.choices.contains(&value) => {
                return Err(format!(
                    "`{}` must be one of {}",
                    setting.key,
                    setting.choices.join(", ")
                ));
            }
            Some(value) if value.len() > 10_000 || value.contains('\0') => {
                return Err(format!("`{}` is not a usable value", setting.key));
            }
            Some(value) => {
                to.insert(setting.key.clone(), value);
            }
            None if setting.required => {
                return Err(format!("`{}` is missing: {}", setting.key, setting.label));
            }
            // Optional and not given: templates see an empty text.
            None => {
                to.insert(setting.key.clone(), String::new());
            }
        }
    }
    Ok(complete)
}

/// The settings that are needed and not given.
pub(crate) fn missing(
    manifest: &Manifest,
    given: &BTreeMap<String, String>,
    secrets: &BTreeMap<String, String>,
) -> Vec<Setting> {
    manifest
        .settings
        .iter()
        .filter(|s| s.required && s.default.is_none())
        .filter(|s| {
            let from = if s.secret { secrets } else { given };
            from.get(&s.key).is_none_or(String::is_empty)
        })
        .cloned()
        .collect()
}

fn keys(manifest: &Manifest, secret: bool) -> String {
    let keys: Vec<&str> = manifest
        .settings
        .iter()
        .filter(|s| s.secret == secret)
        .map(|s| s.key.as_str())
        .collect();
    if keys.is_empty() {
        "none".to_owned()
    } else {
        keys.join(", ")
    }
}
