//! The operator's settings for models, and which model does what.
//!
//! The first provider stands at the top, others that are asked when it fails follow in `fallback`.
//! A purpose may have its own model and limits; a workspace may narrow all of it, never widen.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::config::{ProviderConfig, ProviderKind};
use crate::error::LlmError;
use crate::spend::{Allowance, Price};
use crate::workspace::WorkspaceLlm;

/// What a model is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// What kind of request a ticket is.
    Classify,
    /// What to look at next.
    Investigate,
    /// What to tell the requester.
    Answer,
    /// What must not be seen.
    Redact,
    /// Vectors of texts.
    Embed,
}

impl Purpose {
    /// The word in settings, in the API and on screens.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Classify => "classify",
            Self::Investigate => "investigate",
            Self::Answer => "answer",
            Self::Redact => "redact",
            Self::Embed => "embed",
        }
    }

    fn usual_output(self) -> u32 {
        match self {
            Self::Classify | Self::Redact => 1_000,
            Self::Investigate | Self::Answer => 4_000,
            Self::Embed => 0,
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How one purpose differs from the rest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PurposeSettings {
    /// The providers to ask, by name, in this order; all of them in theirs, if none is named.
    pub providers: Vec<String>,
    /// The model of the first of them.
    pub model: Option<String>,
    /// 0 to 2; not sent, if not set.
    pub temperature: Option<f32>,
    /// Tokens of an answer at most.
    pub max_output_tokens: Option<u32>,
    /// Seconds that an answer may take with all tries.
    pub seconds: Option<u32>,
}

/// The operator's settings, as in the `[llm]` section.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LlmSettings {
    /// Who serves the model; nobody, and the builtin brain does all, if not set.
    pub provider: Option<ProviderKind>,
    /// The model.
    pub model: Option<String>,
    /// Where, if not at the vendor's usual address.
    pub base_url: Option<String>,
    /// The key.
    #[serde(skip_serializing, deserialize_with = "crate::config::secret")]
    pub api_key: Option<SecretString>,
    /// AWS or Google region.
    pub region: Option<String>,
    /// Google project.
    pub project: Option<String>,
    /// AWS access key id.
    pub access_key_id: Option<String>,
    /// AWS session token.
    #[serde(skip_serializing, deserialize_with = "crate::config::secret")]
    pub session_token: Option<SecretString>,
    /// Azure's `api-version`.
    pub api_version: Option<String>,
    /// Tokens that the model can read at once.
    pub context_tokens: Option<u32>,
    /// Whether the model calls tools by itself; it does, if not set.
    pub native_tools: Option<bool>,
    /// Who is asked when the first does not answer, in this order.
    pub fallback: Vec<ProviderConfig>,
    /// Only loopback and private addresses.
    pub local_only: bool,
    /// Who may be asked, by name or kind; everybody who is configured, if not set.
    pub allowed: Option<Vec<String>>,
    /// Whether a workspace's own provider may be at a loopback or private address. If not said, only
    /// one that an administrator of all workspaces sets.
    pub private_addresses: Option<bool>,
    /// What differs for a purpose.
    pub purposes: BTreeMap<Purpose, PurposeSettings>,
    /// What each workspace may use in a day of UTC; nothing said is no limit.
    pub per_day: Allowance,
    /// What all investigations of one ticket may use together; nothing said is no limit.
    pub per_ticket: Allowance,
    /// Prices that go before the shipped ones.
    pub prices: Vec<Price>,
}

/// Which providers to ask for a purpose, and how.
#[derive(Debug, Clone)]
pub struct Route {
    /// In the order in which they are asked.
    pub providers: Vec<ProviderConfig>,
    /// 0 to 2.
    pub temperature: Option<f32>,
    /// Tokens of an answer at most.
    pub max_output_tokens: u32,
    /// Seconds that an answer may take with all tries.
    pub seconds: u32,
}

impl LlmSettings {
    /// Whether any model is configured.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.provider.is_some() || !self.fallback.is_empty()
    }

    /// Every provider in the order in which they are asked, with a name of its own.
    ///
    /// # Errors
    /// When a provider's settings cannot be used, or two have one name.
    pub fn providers(&self) -> Result<Vec<ProviderConfig>, LlmError> {
        let mut all: Vec<ProviderConfig> = self.first().into_iter().collect();
        all.extend(self.fallback.iter().cloned());
        for place in 0..all.len() {
            let name = all[place].label();
            if all[..place].iter().any(|before| before.name == name) {
                return Err(all[place].wrong("another provider has this name: give it a `name`"));
            }
            all[place].name = name;
            all[place].check()?;
        }
        if let (None, Some(model)) = (self.provider, &self.model) {
            return Err(ProviderConfig::new(ProviderKind::OpenAiCompatible, model)
                .wrong("a model is set, but no provider (provider, or GABY_LLM_PROVIDER)"));
        }
        Ok(all)
    }

    fn first(&self) -> Option<ProviderConfig> {
        Some(ProviderConfig {
            base_url: self.base_url.clone(),
            api_key: self.api_key.clone(),
            region: self.region.clone(),
            project: self.project.clone(),
            access_key_id: self.access_key_id.clone(),
            session_token: self.session_token.clone(),
            api_version: self.api_version.clone(),
            context_tokens: self.context_tokens,
            native_tools: self.native_tools.unwrap_or(true),
            ..ProviderConfig::new(self.provider?, self.model.clone().unwrap_or_default())
        })
    }

    /// Whether only local models may be asked in a workspace.
    #[must_use]
    pub fn local_only(&self, workspace: &WorkspaceLlm) -> bool {
        self.local_only || workspace.local_only
    }

    /// Who is asked for a purpose in a workspace.
    ///
    /// # Errors
    /// When nobody may be asked, or a name is not that of a provider.
    pub fn route(&self, purpose: Purpose, workspace: &WorkspaceLlm) -> Result<Route, LlmError> {
        let all = self.providers()?;
        let own = workspace
            .purposes
            .get(&purpose)
            .cloned()
            .unwrap_or_default();
        let general = self.purposes.get(&purpose).cloned().unwrap_or_default();
        let names = if own.providers.is_empty() {
            &general.providers
        } else {
            &own.providers
        };
        let mut chosen: Vec<ProviderConfig> = if names.is_empty() {
            all.clone()
        } else {
            names
                .iter()
                .map(|name| {
                    let found = all.iter().find(|config| config.name == *name).cloned();
                    found.ok_or_else(|| LlmError::Config {
                        provider: name.clone(),
                        problem: format!("it is named for `{purpose}`, but not configured"),
                    })
                })
                .collect::<Result<_, _>>()?
        };
        if let (Some(first), Some(model)) = (chosen.first_mut(), own.model.or(general.model)) {
            first.model = model;
        }
        let allowed = |config: &ProviderConfig| {
            [&self.allowed, &workspace.allowed]
                .into_iter()
                .flatten()
                .all(|list| {
                    list.iter()
                        .any(|name| *name == config.name || *name == config.kind.as_str())
                })
        };
        if let Some(first) = chosen.first()
            && !chosen.iter().any(allowed)
        {
            return Err(LlmError::Forbidden {
                provider: first.name.clone(),
                rule: format!("no provider for `{purpose}` is on the list of allowed ones"),
            });
        }
        chosen.retain(allowed);
        if chosen.is_empty() {
            return Err(LlmError::Config {
                provider: "none".into(),
                problem: "no LLM provider is configured (provider, or GABY_LLM_PROVIDER)".into(),
            });
        }
        Ok(Route {
            providers: chosen,
            temperature: own.temperature.or(general.temperature),
            max_output_tokens: own
                .max_output_tokens
                .or(general.max_output_tokens)
                .unwrap_or_else(|| purpose.usual_output()),
            seconds: own.seconds.or(general.seconds).unwrap_or(120),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> LlmSettings {
        serde_json::from_value(serde_json::json!({
            "provider": "anthropic", "model": "big", "api_key": "sk-canary",
            "fallback": [
                {"provider": "ollama", "model": "small"},
                {"provider": "vllm", "name": "rack", "model": "mid", "base_url": "http://10.0.0.5:8000/v1"},
            ],
            "purposes": {"classify": {"model": "quick", "temperature": 0.0, "max_output_tokens": 200}},
        }))
        .unwrap()
    }

    fn names(route: &Route) -> Vec<(&str, &str)> {
        route
            .providers
            .iter()
            .map(|p| (p.name.as_str(), p.model.as_str()))
            .collect()
    }

    #[test]
    fn each_purpose_has_its_model_and_limits_and_a_workspace_goes_before() {
        let open = WorkspaceLlm::default();
        let route = settings().route(Purpose::Classify, &open).unwrap();
        assert_eq!(
            names(&route),
            [("anthropic", "quick"), ("ollama", "small"), ("rack", "mid")]
        );
        assert_eq!(
            (route.max_output_tokens, route.temperature),
            (200, Some(0.0))
        );
        let route = settings().route(Purpose::Investigate, &open).unwrap();
        assert_eq!(route.providers[0].model, "big");
        let own =
            serde_json::json!({"purposes": {"classify": {"providers": ["rack"], "model": "own"}}});
        let route = settings()
            .route(Purpose::Classify, &serde_json::from_value(own).unwrap())
            .unwrap();
        assert_eq!(names(&route), [("rack", "own")]);
        assert_eq!(route.max_output_tokens, 200);
    }

    #[test]
    fn lists_of_allowed_providers_only_narrow() {
        let mut narrow = settings();
        narrow.allowed = Some(vec!["ollama".into(), "rack".into()]);
        let mut workspace = WorkspaceLlm::default();
        let route = narrow.route(Purpose::Answer, &workspace).unwrap();
        assert_eq!(names(&route), [("ollama", "small"), ("rack", "mid")]);
        workspace.allowed = Some(vec!["vllm".into(), "anthropic".into()]);
        assert_eq!(
            names(&narrow.route(Purpose::Answer, &workspace).unwrap()),
            [("rack", "mid")]
        );
        workspace.allowed = Some(vec!["anthropic".into()]);
        assert!(matches!(
            narrow.route(Purpose::Answer, &workspace),
            Err(LlmError::Forbidden { .. })
        ));
        workspace.local_only = true;
        assert!(narrow.local_only(&workspace));
    }

    #[test]
    fn what_contradicts_itself_is_an_error_and_the_key_is_never_shown() {
        let mut twice = settings();
        twice.fallback.push(twice.fallback[0].clone());
        assert!(
            twice
                .providers()
                .unwrap_err()
                .to_string()
                .contains("`name`")
        );
        let no_provider = LlmSettings {
            model: Some("m".into()),
            ..LlmSettings::default()
        };
        assert!(
            no_provider
                .providers()
                .unwrap_err()
                .to_string()
                .contains("GABY_LLM_PROVIDER")
        );
        assert!(
            LlmSettings::default()
                .route(Purpose::Answer, &WorkspaceLlm::default())
                .is_err()
        );
        let shown = format!(
            "{:?} {}",
            settings(),
            serde_json::to_string(&settings()).unwrap()
        );
        assert!(!shown.contains("canary"), "{shown}");
    }
}
