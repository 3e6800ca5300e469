//! How a provider is configured, wherever the settings come from.

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::LlmError;

/// Who serves the model, and with that which protocol is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ProviderKind {
    /// Anthropic's Messages API.
    Anthropic,
    /// OpenAI's Chat Completions.
    OpenAi,
    /// Azure OpenAI.
    Azure,
    /// Google Vertex AI: Gemini, and Claude.
    Vertex,
    /// AWS Bedrock's Converse API.
    Bedrock,
    /// Any server that speaks OpenAI's Chat Completions.
    OpenAiCompatible,
    /// Ollama's own API.
    Ollama,
    /// vLLM.
    Vllm,
    /// llama.cpp's server.
    LlamaCpp,
    /// Gaby's managed mode.
    GabyCloud,
}

impl ProviderKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Anthropic,
        Self::OpenAi,
        Self::Azure,
        Self::Vertex,
        Self::Bedrock,
        Self::OpenAiCompatible,
        Self::Ollama,
        Self::Vllm,
        Self::LlamaCpp,
        Self::GabyCloud,
    ];

    /// The word in settings, in the API and on screens.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
            Self::Azure => "azure",
            Self::Vertex => "vertex",
            Self::Bedrock => "bedrock",
            Self::OpenAiCompatible => "openai-compatible",
            Self::Ollama => "ollama",
            Self::Vllm => "vllm",
            Self::LlamaCpp => "llamacpp",
            Self::GabyCloud => "gaby-cloud",
        }
    }

    /// Where it is when no address is given.
    fn default_address(self, config: &ProviderConfig) -> Option<String> {
        Some(match self {
            Self::Anthropic => "https://api.anthropic.com".to_owned(),
            Self::OpenAi => "https://api.openai.com/v1".to_owned(),
            Self::Ollama => "http://localhost:11434".to_owned(),
            Self::Vllm => "http://localhost:8000/v1".to_owned(),
            Self::LlamaCpp => "http://localhost:8080/v1".to_owned(),
            Self::Bedrock => format!(
                "https://bedrock-runtime.{}.amazonaws.com",
                config.region.as_deref()?
            ),
            Self::Vertex => match config.region.as_deref().unwrap_or("global") {
                "global" => "https://aiplatform.googleapis.com".to_owned(),
                region => format!("https://{region}-aiplatform.googleapis.com"),
            },
            Self::Azure | Self::OpenAiCompatible | Self::GabyCloud => return None,
        })
    }

    /// The field of a provider's settings that it does nothing without, beside model and key.
    #[must_use]
    pub fn needs(self) -> Option<&'static str> {
        match self {
            Self::Azure | Self::OpenAiCompatible | Self::GabyCloud => Some("base_url"),
            Self::Vertex => Some("project"),
            Self::Bedrock => Some("region"),
            Self::Anthropic | Self::OpenAi | Self::Ollama | Self::Vllm | Self::LlamaCpp => None,
        }
    }

    /// The fields of a provider's settings that it can do without, beside the key.
    #[must_use]
    pub fn takes(self) -> &'static [&'static str] {
        match self {
            Self::Anthropic | Self::OpenAi => &["base_url"],
            Self::Azure => &["api_version"],
            Self::Vertex => &["region", "base_url"],
            Self::Bedrock => &["access_key_id", "session_token", "base_url"],
            Self::OpenAiCompatible => &["native_tools"],
            Self::Ollama => &["base_url", "context_tokens", "native_tools"],
            Self::Vllm | Self::LlamaCpp => &["base_url", "native_tools"],
            Self::GabyCloud => &[],
        }
    }

    /// Where it usually is, whatever else is set; none when that depends.
    #[must_use]
    pub fn usual_address(self) -> Option<String> {
        self.default_address(&ProviderConfig::new(self, ""))
    }

    /// Whether it does nothing without a key.
    #[must_use]
    pub fn needs_key(self) -> bool {
        matches!(
            self,
            Self::Anthropic
                | Self::OpenAi
                | Self::Azure
                | Self::Vertex
                | Self::Bedrock
                | Self::GabyCloud
        )
    }
}

impl fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for ProviderKind {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ProviderKind> for String {
    fn from(kind: ProviderKind) -> Self {
        kind.as_str().to_owned()
    }
}

impl FromStr for ProviderKind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = text.trim().to_ascii_lowercase().replace('_', "-");
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == wanted)
            .ok_or_else(|| {
                let known: Vec<_> = Self::ALL.iter().map(|kind| kind.as_str()).collect();
                format!(
                    "`{text}` is no LLM provider: use one of {}",
                    known.join(", ")
                )
            })
    }
}

/// One provider as it is configured. The key is not shown by `Debug`, and not serialised.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// The operator's name for it; the kind, if there is only one of that kind.
    #[serde(default)]
    pub name: String,
    /// Who serves the model.
    #[serde(rename = "provider")]
    pub kind: ProviderKind,
    /// The model, or on Azure the deployment.
    pub model: String,
    /// Where, if not at the vendor's usual address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The key: an API key; for Vertex a service account's JSON, or an access token; for Bedrock an
    /// API key, or the secret access key that belongs to `access_key_id`.
    #[serde(default, skip_serializing, deserialize_with = "secret")]
    pub api_key: Option<SecretString>,
    /// AWS or Google region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Google project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// AWS access key id; with it, requests are signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// AWS session token, of temporary credentials.
    #[serde(default, skip_serializing, deserialize_with = "secret")]
    pub session_token: Option<SecretString>,
    /// Azure's `api-version`, for resources without the v1 API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Tokens that the model can read at once; a local server is told so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u32>,
    /// Whether the model calls tools by itself; without, it is asked to in words.
    #[serde(default = "yes")]
    pub native_tools: bool,
    /// Whether it may only be at an address of the internet: whoever set it may not reach into the
    /// operator's own network.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public_only: bool,
}

fn yes() -> bool {
    true
}

pub(crate) fn secret<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(SecretString::from))
}

impl fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderConfig")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("model", &self.model)
            .field("base_url", &self.base_url)
            .field("has_key", &self.api_key.is_some())
            .finish_non_exhaustive()
    }
}

impl ProviderConfig {
    /// A provider with nothing but its kind and model.
    pub fn new(kind: ProviderKind, model: impl Into<String>) -> Self {
        Self {
            name: String::new(),
            kind,
            model: model.into(),
            base_url: None,
            api_key: None,
            region: None,
            project: None,
            access_key_id: None,
            session_token: None,
            api_version: None,
            context_tokens: None,
            native_tools: true,
            public_only: false,
        }
    }

    /// Its name: the operator's, or the kind.
    #[must_use]
    pub fn label(&self) -> String {
        if self.name.trim().is_empty() {
            self.kind.to_string()
        } else {
            self.name.trim().to_owned()
        }
    }

    pub(crate) fn key(&self) -> Option<&str> {
        self.api_key
            .as_ref()
            .map(|key| key.expose_secret().trim())
            .filter(|key| !key.is_empty())
    }

    /// An error about these settings.
    pub(crate) fn wrong(&self, problem: impl Into<String>) -> LlmError {
        LlmError::Config {
            provider: self.label(),
            problem: problem.into(),
        }
    }

    /// Where it is, checked as far as text can be.
    pub(crate) fn address(&self) -> Result<Url, LlmError> {
        let text = match self.base_url.as_deref().map(str::trim) {
            Some(text) if !text.is_empty() => text.to_owned(),
            _ => self.kind.default_address(self).ok_or_else(|| {
                self.wrong(match self.kind {
                    ProviderKind::Bedrock => "it needs a `region`, for example us-east-1",
                    ProviderKind::Azure => {
                        "it needs a `base_url`, for example https://RESOURCE.openai.azure.com"
                    }
                    _ => "it needs a `base_url`, for example http://localhost:8000/v1",
                })
            })?,
        };
        let url = Url::parse(&text)
            .map_err(|error| self.wrong(format!("its base_url is not a URL ({error})")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(self.wrong("its base_url must begin with https:// or http:// and a host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(self.wrong("its base_url holds a password: give the key as api_key"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(self.wrong("its base_url must end with its path"));
        }
        Ok(url)
    }

    /// Checks what can be known without asking anybody.
    ///
    /// # Errors
    /// When something is missing or contradicts itself.
    pub fn check(&self) -> Result<(), LlmError> {
        if self.model.trim().is_empty() {
            return Err(self.wrong("no model is named"));
        }
        if self.kind.needs_key() && self.key().is_none() {
            return Err(self.wrong("it needs a key (api_key, or GABY_LLM_API_KEY)"));
        }
        if self
            .key()
            .is_some_and(|key| !key.starts_with('{') && key.chars().any(char::is_control))
        {
            return Err(self.wrong("its key holds characters that cannot be sent"));
        }
        if self.kind == ProviderKind::Vertex && self.project.is_none() {
            return Err(self.wrong("it needs a `project`"));
        }
        if self.kind == ProviderKind::Bedrock && self.region.is_none() {
            return Err(self.wrong("it needs a `region`, for example us-east-1"));
        }
        self.address().map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_neither_shown_nor_written() {
        let mut config = ProviderConfig::new(ProviderKind::OpenAi, "m");
        config.api_key = Some(SecretString::from("sk-canary"));
        config.session_token = Some(SecretString::from("canary-token"));
        let shown = format!("{config:?}{}", serde_json::to_string(&config).unwrap());
        assert!(!shown.contains("canary"), "{shown}");
        assert!(config.check().is_ok());
    }

    #[test]
    fn what_is_missing_is_named_with_what_to_do() {
        for (config, says) in [
            (ProviderConfig::new(ProviderKind::OpenAi, ""), "no model"),
            (
                ProviderConfig::new(ProviderKind::Anthropic, "m"),
                "GABY_LLM_API_KEY",
            ),
            (
                ProviderConfig::new(ProviderKind::OpenAiCompatible, "m"),
                "base_url",
            ),
            (
                ProviderConfig {
                    base_url: Some("ftp://x".into()),
                    ..ProviderConfig::new(ProviderKind::Vllm, "m")
                },
                "https://",
            ),
            (
                ProviderConfig {
                    base_url: Some("http://u:p@h/v1".into()),
                    ..ProviderConfig::new(ProviderKind::Vllm, "m")
                },
                "password",
            ),
            (
                ProviderConfig {
                    api_key: Some(SecretString::from("k")),
                    ..ProviderConfig::new(ProviderKind::Bedrock, "m")
                },
                "region",
            ),
        ] {
            let error = config.check().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        for kind in ProviderKind::ALL {
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{kind}\""));
            assert_eq!(serde_json::from_str::<ProviderKind>(&json).unwrap(), kind);
        }
        assert!("OpenAI_Compatible".parse::<ProviderKind>().is_ok());
        assert!(
            "chatgpt"
                .parse::<ProviderKind>()
                .unwrap_err()
                .contains("anthropic")
        );
    }
}
