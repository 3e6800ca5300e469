//! What a workspace sets for itself: models of its own, and narrower rules. What the operator narrows
//! it cannot widen, and its keys are kept apart from the rest, so that the rest can be shown.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::config::ProviderConfig;
use crate::error::LlmError;
use crate::settings::{LlmSettings, Purpose, PurposeSettings};
use crate::spend::Allowance;

/// The most providers that a workspace may have.
const MOST_PROVIDERS: usize = 8;
/// The longest name, model, region or the like, in bytes.
const LONGEST_WORD: usize = 200;
/// The longest address, in bytes.
const LONGEST_ADDRESS: usize = 2_000;
/// The longest key, in bytes; a service account's JSON has 2,400.
const LONGEST_KEY: usize = 16 * 1024;
/// The most tokens that an answer may be allowed.
const MOST_OUTPUT: u32 = 200_000;
/// The most seconds that an answer may be allowed.
const MOST_SECONDS: u32 = 3_600;

/// What a workspace sets for itself. Keys are not serialised: see [`WorkspaceKeys`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkspaceLlm {
    /// Its own providers, in the order in which they are asked; the operator's, if there are none.
    pub providers: Vec<ProviderConfig>,
    /// As the operator's; on, if either is on.
    pub local_only: bool,
    /// As the operator's; whoever is in both.
    pub allowed: Option<Vec<String>>,
    /// Goes before the operator's, field by field.
    pub purposes: BTreeMap<Purpose, PurposeSettings>,
    /// What it may use in a day of UTC; the less of this and the operator's.
    pub per_day: Allowance,
}

/// The keys of a workspace's own providers, by the provider's name. They leave it only sealed.
#[derive(Default, Serialize, Deserialize)]
pub struct WorkspaceKeys(BTreeMap<String, Secrets>);

#[derive(Serialize, Deserialize)]
struct Secrets {
    api_key: Option<String>,
    session_token: Option<String>,
}

impl WorkspaceLlm {
    /// Whether anything is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        !self.providers.is_empty()
            || self.local_only
            || self.allowed.is_some()
            || !self.purposes.is_empty()
            || self.per_day != Allowance::default()
    }

    /// The keys, to be sealed.
    #[must_use]
    pub fn keys(&self) -> WorkspaceKeys {
        let shown = |secret: &Option<SecretString>| {
            secret
                .as_ref()
                .map(|secret| secret.expose_secret().to_owned())
        };
        let secrets = self.providers.iter().map(|provider| {
            let secrets = Secrets {
                api_key: shown(&provider.api_key),
                session_token: shown(&provider.session_token),
            };
            (provider.label(), secrets)
        });
        WorkspaceKeys(secrets.collect())
    }

    /// The same with the keys that were kept.
    #[must_use]
    pub fn with_keys(mut self, mut keys: WorkspaceKeys) -> Self {
        for provider in &mut self.providers {
            if let Some(secrets) = keys.0.remove(&provider.label()) {
                provider.api_key = secrets.api_key.map(SecretString::from);
                provider.session_token = secrets.session_token.map(SecretString::from);
            }
        }
        self
    }

    /// The provider that stood here before under the same name, if it is the same one: of the same
    /// kind at the same address. Only to that one may what was trusted to it go again, such as its key.
    #[must_use]
    pub fn same_as(&self, provider: &ProviderConfig) -> Option<&ProviderConfig> {
        let address = |config: &ProviderConfig| {
            let text = config.base_url.as_deref().unwrap_or_default().trim();
            text.trim_end_matches('/').to_owned()
        };
        self.providers.iter().find(|known| {
            known.label() == provider.label()
                && known.kind == provider.kind
                && address(known) == address(provider)
                && known.region == provider.region
        })
    }

    /// The settings that hold in the workspace: its own providers if it has any, else the operator's,
    /// within the operator's rules.
    ///
    /// # Errors
    /// When something is not as it must be, or the operator does not allow it.
    pub fn within(&self, operator: &LlmSettings) -> Result<LlmSettings, LlmError> {
        self.check()?;
        let mut settings = operator.clone();
        settings.per_day = Allowance {
            tokens: least(operator.per_day.tokens, self.per_day.tokens),
            micro_usd: least(operator.per_day.micro_usd, self.per_day.micro_usd),
            calls: least(operator.per_day.calls, self.per_day.calls),
        };
        if !self.providers.is_empty() {
            settings = self.instead_of(settings)?;
        }
        settings.providers()?;
        for purpose in self.purposes.keys().filter(|_| settings.is_configured()) {
            settings.route(*purpose, self)?;
        }
        Ok(settings)
    }

    /// The operator's settings with the workspace's own providers in the place of the operator's.
    fn instead_of(&self, operator: LlmSettings) -> Result<LlmSettings, LlmError> {
        let mut own = self.providers.clone();
        for provider in &mut own {
            // By the kind alone: its name is the workspace's own choice.
            let kind = provider.kind.as_str();
            let allowed = operator.allowed.as_ref();
            if allowed.is_some_and(|list| !list.iter().any(|name| name == kind)) {
                return Err(LlmError::Forbidden {
                    provider: provider.label(),
                    rule: format!("the operator does not allow `{kind}`"),
                });
            }
            provider.public_only = match operator.private_addresses {
                Some(may) => !may,
                None => provider.public_only,
            };
        }
        // Limits stay; the names of the operator's providers and models mean nothing here.
        let purposes = operator.purposes.into_iter().map(|(purpose, settings)| {
            let settings = PurposeSettings {
                providers: Vec::new(),
                model: None,
                ..settings
            };
            (purpose, settings)
        });
        Ok(LlmSettings {
            fallback: own,
            local_only: operator.local_only,
            private_addresses: operator.private_addresses,
            purposes: purposes.collect(),
            per_day: operator.per_day,
            prices: operator.prices,
            ..LlmSettings::default()
        })
    }

    /// Checks what comes from outside: sizes, numbers, names.
    fn check(&self) -> Result<(), LlmError> {
        let nobody = |problem: String| LlmError::Config {
            provider: "this workspace's".to_owned(),
            problem,
        };
        if self.providers.len() > MOST_PROVIDERS {
            return Err(nobody(format!(
                "there are more than {MOST_PROVIDERS} providers"
            )));
        }
        for provider in &self.providers {
            check_sizes(provider)?;
        }
        let names = self.allowed.iter().flatten();
        for name in names.chain(self.purposes.values().flat_map(|own| &own.providers)) {
            word("name", Some(name)).map_err(nobody)?;
        }
        for (purpose, own) in &self.purposes {
            if matches!(purpose, Purpose::Redact | Purpose::Embed) {
                return Err(nobody(format!(
                    "`{purpose}` asks no model: use classify, investigate or answer"
                )));
            }
            word("model", own.model.as_ref()).map_err(nobody)?;
            let warm = own.temperature.unwrap_or_default();
            let output = own.max_output_tokens.unwrap_or(1);
            let seconds = own.seconds.unwrap_or(1);
            if !(0.0..=2.0).contains(&warm) {
                return Err(nobody("`temperature` is a number from 0 to 2".to_owned()));
            }
            if !(1..=MOST_OUTPUT).contains(&output) {
                return Err(nobody(format!(
                    "`max_output_tokens` is a number from 1 to {MOST_OUTPUT}"
                )));
            }
            if !(1..=MOST_SECONDS).contains(&seconds) {
                return Err(nobody(format!(
                    "`seconds` is a number from 1 to {MOST_SECONDS}"
                )));
            }
        }
        Ok(())
    }
}

fn check_sizes(provider: &ProviderConfig) -> Result<(), LlmError> {
    let wrong = |problem: String| provider.wrong(problem);
    for (what, text) in [
        ("name", Some(&provider.name)),
        ("model", Some(&provider.model)),
        ("region", provider.region.as_ref()),
        ("project", provider.project.as_ref()),
        ("access_key_id", provider.access_key_id.as_ref()),
        ("api_version", provider.api_version.as_ref()),
    ] {
        word(what, text).map_err(wrong)?;
    }
    let address = provider.base_url.as_ref().map_or(0, String::len);
    if address > LONGEST_ADDRESS {
        return Err(wrong(format!(
            "its `base_url` has more than {LONGEST_ADDRESS} bytes"
        )));
    }
    for secret in [&provider.api_key, &provider.session_token] {
        let length = secret.as_ref().map_or(0, |key| key.expose_secret().len());
        if length > LONGEST_KEY {
            return Err(wrong(format!("its key has more than {LONGEST_KEY} bytes")));
        }
    }
    Ok(())
}

fn word(what: &str, text: Option<&String>) -> Result<(), String> {
    let text = text.map_or("", String::as_str);
    if text.len() > LONGEST_WORD || text.chars().any(char::is_control) {
        return Err(format!(
            "`{what}` is at most {LONGEST_WORD} bytes long, on one line"
        ));
    }
    Ok(())
}

fn least<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn operator() -> LlmSettings {
        serde_json::from_value(json!({
            "provider": "anthropic", "model": "big", "api_key": "operators-key",
            "purposes": {"classify": {"model": "quick", "max_output_tokens": 200}},
            "per_day": {"tokens": 1_000, "micro_usd": 500},
        }))
        .unwrap()
    }

    fn own(value: serde_json::Value) -> WorkspaceLlm {
        serde_json::from_value(value).unwrap()
    }

    fn ollama() -> WorkspaceLlm {
        own(json!({"providers": [{"provider": "ollama", "model": "small"}]}))
    }

    #[test]
    fn own_providers_stand_in_for_the_operators_and_nothing_of_those_goes_to_them() {
        let settings = ollama().within(&operator()).unwrap();
        let route = settings.route(Purpose::Classify, &ollama()).unwrap();
        assert_eq!(route.providers.len(), 1);
        assert_eq!(route.providers[0].model, "small");
        assert!(route.providers[0].key().is_none());
        assert_eq!(route.max_output_tokens, 200);
        let nothing = WorkspaceLlm::default().within(&operator()).unwrap();
        let route = nothing
            .route(Purpose::Classify, &WorkspaceLlm::default())
            .unwrap();
        assert_eq!(route.providers[0].model, "quick");
    }

    #[test]
    fn what_the_operator_narrows_stays_narrow() {
        let mut strict = operator();
        strict.allowed = Some(vec!["anthropic".into()]);
        let error = ollama().within(&strict).unwrap_err();
        assert!(error.to_string().contains("does not allow `ollama`"));
        // A name of one's own choice opens nothing.
        let disguised =
            own(json!({"providers": [{"name": "anthropic", "provider": "ollama", "model": "m"}]}));
        assert!(disguised.within(&strict).is_err());
        strict.allowed = Some(vec!["ollama".into()]);
        strict.local_only = true;
        let settings = ollama().within(&strict).unwrap();
        assert!(settings.local_only(&ollama()));
        let generous = own(json!({"per_day": {"tokens": 9_000, "micro_usd": 100, "calls": 3}}));
        let held = generous.within(&operator()).unwrap().per_day;
        assert_eq!(
            (held.tokens, held.micro_usd, held.calls),
            (Some(1_000), Some(100), Some(3))
        );
    }

    #[test]
    fn whether_a_private_address_may_be_set_is_the_operators_word_or_that_of_who_set_it() {
        let mut set = ollama();
        for (says, set_by_limited, only_public) in [
            (None, true, true),
            (None, false, false),
            (Some(true), true, false),
            (Some(false), false, true),
        ] {
            set.providers[0].public_only = set_by_limited;
            let mut operator = operator();
            operator.private_addresses = says;
            let held = set.within(&operator).unwrap();
            assert_eq!(held.fallback[0].public_only, only_public, "{says:?}");
        }
    }

    #[test]
    fn keys_are_kept_apart_and_go_only_to_whom_they_were_given_for() {
        let mut set = own(json!({"providers": [
            {"provider": "vllm", "model": "m", "base_url": "https://gpu.example/v1/", "api_key": "canary"}]}));
        let text = serde_json::to_string(&set).unwrap();
        assert!(!text.contains("canary"), "{text}");
        let keys = serde_json::to_string(&set.keys()).unwrap();
        let read: WorkspaceLlm = serde_json::from_str(&text).unwrap();
        let read = read.with_keys(serde_json::from_str(&keys).unwrap());
        assert_eq!(read.providers[0].key(), Some("canary"));
        let mut again = set.providers[0].clone();
        again.api_key = None;
        again.model = "another".into();
        again.base_url = Some("https://gpu.example/v1".into());
        assert!(set.same_as(&again).is_some());
        again.base_url = Some("https://gpu.example.evil/v1".into());
        assert!(set.same_as(&again).is_none());
        set.providers[0].kind = crate::ProviderKind::OpenAi;
        assert!(set.same_as(&read.providers[0]).is_none());
    }

    #[test]
    fn what_is_too_long_or_makes_no_sense_is_refused_with_what_would_do() {
        let long = "x".repeat(300);
        let provider = |more: serde_json::Value| {
            let mut provider = json!({"provider": "ollama", "model": "m"});
            provider
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            json!({"providers": [provider]})
        };
        for (bad, says) in [
            (provider(json!({"model": long})), "200 bytes"),
            (provider(json!({"name": "a\nb"})), "on one line"),
            (provider(json!({"model": ""})), "no model"),
            (
                provider(json!({"base_url": format!("http://{}", "x".repeat(3_000))})),
                "2000 bytes",
            ),
            (
                provider(json!({"api_key": "k".repeat(20_000)})),
                "16384 bytes",
            ),
            (
                json!({"purposes": {"answer": {"temperature": 3.0}}}),
                "0 to 2",
            ),
            (
                json!({"purposes": {"answer": {"max_output_tokens": 0}}}),
                "max_output_tokens",
            ),
            (
                json!({"purposes": {"answer": {"seconds": 9_999}}}),
                "seconds",
            ),
            (json!({"purposes": {"embed": {}}}), "classify"),
            (
                json!({"purposes": {"answer": {"providers": ["nobody"]}}}),
                "not configured",
            ),
        ] {
            let error = own(bad.clone()).within(&operator()).unwrap_err();
            assert!(error.to_string().contains(says), "{bad}: {error}");
        }
        let nine = vec![json!({"provider": "ollama", "model": "m"}); 9];
        let error = own(json!({"providers": nine}))
            .within(&operator())
            .unwrap_err();
        assert!(error.to_string().contains("more than 8"), "{error}");
    }
}
