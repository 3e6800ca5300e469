//! What holds for every command: the file, overruled by the environment, overruled by flags.
//!
//! `docs/cli.md` describes the file. clap reads flags and environment; [`Settings::load`] lays them
//! over the file.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::Args;
use figment::Figment;
use figment::providers::{Format as _, Serialized, Toml};
use figment::value::magic::RelativePathBuf;
use gaby_agent::BudgetSettings;
use gaby_llm::{LlmSettings, ProviderKind};
use gaby_server::{Embedding, MailSettings, PartsConfig};
use gaby_store::{DatabaseUrl, MasterKeySource, StoreConfig};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::telemetry::{Export, TelemetrySettings};

/// The settings' file within the data folder.
const FILE: &str = "gaby.toml";
/// The key of an embedding endpoint; only from here, so that it stands in no file.
const EMBEDDING_KEY: &str = "GABY_EMBEDDING_KEY";
/// The password for the mail server, which goes before the file's.
const MAIL_PASSWORD: &str = "GABY_MAIL_PASSWORD";

/// Flags of every command.
#[derive(Debug, Clone, Args, Serialize)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// The folder of keys, database and settings [default: the platform's data folder]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "GABY_DATA",
        hide_env_values = true
    )]
    #[serde(skip)]
    data: Option<PathBuf>,
    /// The settings' file [default: gaby.toml in the data folder]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "GABY_CONFIG",
        hide_env_values = true
    )]
    #[serde(skip)]
    config: Option<PathBuf>,
    /// A PostgreSQL server to use instead of a file, such as postgres://gaby@db/gaby
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "GABY_DATABASE_URL",
        hide_env_values = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<String>,
    /// The workspace to work in [default: the only one]
    #[arg(
        long,
        global = true,
        value_name = "SLUG",
        env = "GABY_WORKSPACE",
        hide_env_values = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<String>,
    /// A folder with connector manifests of your own; may be given again
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "GABY_CONNECTORS",
        hide_env_values = true,
        value_delimiter = ','
    )]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    connectors: Vec<PathBuf>,
    /// A playbook of your own, or a folder of them; may be given again
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "GABY_PLAYBOOKS",
        hide_env_values = true,
        value_delimiter = ','
    )]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    playbooks: Vec<PathBuf>,
    /// What makes vectors: builtin, a folder with a sentence-transformer, or "URL MODEL" of an
    /// OpenAI-compatible endpoint
    #[arg(
        long,
        global = true,
        value_name = "WHAT",
        env = "GABY_EMBEDDING",
        hide_env_values = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding: Option<String>,
}

/// The file's content, with what overrules it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    database: Option<String>,
    workspace: Option<String>,
    connectors: Vec<RelativePathBuf>,
    playbooks: Vec<RelativePathBuf>,
    embedding: Option<String>,
    listen: Option<String>,
    public_url: Option<String>,
    llm: LlmSettings,
    mail: MailSettings,
    investigation: BudgetSettings,
    telemetry: TelemetrySettings,
}

/// What holds now.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The data folder, when one was named or the platform has one.
    data: Option<PathBuf>,
    /// Whether somebody named the data folder.
    pub(crate) data_is_named: bool,
    database: Option<String>,
    /// The workspace that was named.
    pub(crate) workspace: Option<String>,
    connectors: Vec<PathBuf>,
    playbooks: Vec<PathBuf>,
    embedding: Option<String>,
    /// The language models.
    pub(crate) llm: LlmSettings,
    /// What one investigation may use.
    investigation: BudgetSettings,
    /// Where traces go, if anywhere.
    pub(crate) traces: Option<Export>,
    /// How mail is sent.
    pub(crate) mail: MailSettings,
    /// Where the file has the server listen.
    pub(crate) listen: Option<String>,
    /// The address that the file has browsers use.
    pub(crate) public_url: Option<String>,
}

impl Settings {
    /// Reads the file, and lays environment and flags over it.
    pub(crate) fn load(global: &Global) -> anyhow::Result<Self> {
        let data = global.data.clone().or_else(of_platform);
        let file = match (&global.config, &data) {
            (Some(named), _) => {
                std::fs::metadata(named)
                    .with_context(|| format!("cannot read {}", named.display()))?;
                Some(named.clone())
            }
            (None, Some(data)) => Some(data.join(FILE)).filter(|file| file.exists()),
            (None, None) => None,
        };
        let mut figment = Figment::new();
        if let Some(file) = file {
            figment = figment.merge(Toml::file_exact(file));
        }
        let found: File = figment
            .merge(Serialized::defaults(global))
            .extract()
            .map_err(|error| anyhow!("the settings are wrong: {error}"))?;
        let paths =
            |given: Vec<RelativePathBuf>| given.iter().map(RelativePathBuf::relative).collect();
        Ok(Self {
            data,
            data_is_named: global.data.is_some(),
            database: found.database,
            workspace: found.workspace,
            connectors: paths(found.connectors),
            playbooks: paths(found.playbooks),
            embedding: found.embedding,
            llm: over(found.llm, |name| std::env::var(name).ok())?,
            mail: MailSettings {
                password: std::env::var(MAIL_PASSWORD)
                    .ok()
                    .filter(|password| !password.is_empty())
                    .map(SecretString::from)
                    .or(found.mail.password),
                ..found.mail
            },
            investigation: found.investigation,
            traces: Export::of(found.telemetry, |name| std::env::var(name).ok())?,
            listen: found.listen,
            public_url: found.public_url,
        })
    }

    /// The data folder.
    pub(crate) fn data(&self) -> anyhow::Result<&PathBuf> {
        self.data.as_ref().ok_or_else(|| {
            anyhow!(
                "this system has no data folder of yours: name one with --data DIR or GABY_DATA"
            )
        })
    }

    /// Another data folder for this run.
    pub(crate) fn with_data(mut self, folder: PathBuf) -> Self {
        self.data = Some(folder);
        self
    }

    /// Where the store is.
    pub(crate) fn store(&self) -> anyhow::Result<StoreConfig> {
        Ok(StoreConfig {
            data_dir: self.data()?.clone(),
            database: match &self.database {
                Some(address) => address.parse()?,
                None => DatabaseUrl::DataFolder,
            },
            master_key: MasterKeySource::EnvironmentOrFile,
        })
    }

    /// Where connectors, playbooks and vectors come from.
    pub(crate) fn parts(&self) -> anyhow::Result<PartsConfig> {
        Ok(PartsConfig {
            connectors: self.connectors.clone(),
            playbooks: self.playbooks.clone(),
            policies: self.policies().ok(),
            embedding: self.embedding()?,
            llm: self.llm.clone(),
            prompts: self.prompts().ok(),
            investigation: self.investigation,
        })
    }

    /// The folder of the operator's own prompts, in the data folder.
    pub(crate) fn prompts(&self) -> anyhow::Result<PathBuf> {
        Ok(self.data()?.join("prompts"))
    }

    /// The folder of the operator's own policies, in the data folder.
    pub(crate) fn policies(&self) -> anyhow::Result<PathBuf> {
        Ok(self.data()?.join("policies"))
    }

    /// The operator's own playbooks.
    pub(crate) fn playbooks(&self) -> &[PathBuf] {
        &self.playbooks
    }

    fn embedding(&self) -> anyhow::Result<Embedding> {
        let given = self.embedding.as_deref().unwrap_or("builtin").trim();
        if given == "builtin" {
            return Ok(Embedding::Builtin);
        }
        if !(given.starts_with("http://") || given.starts_with("https://")) {
            return Ok(Embedding::Folder(given.into()));
        }
        let (url, model) = given.split_once(char::is_whitespace).ok_or_else(|| {
            anyhow!("`embedding` names an endpoint and no model: write \"{given} MODEL\"")
        })?;
        Ok(Embedding::Endpoint {
            url: url.to_owned(),
            model: model.trim().to_owned(),
            key: std::env::var(EMBEDDING_KEY).ok().map(SecretString::from),
        })
    }
}

/// The models of the file, with what the environment says of the first of them. Another provider than
/// the file's takes nothing over from it: a key is not sent to whom it was not given for.
fn over(
    mut file: LlmSettings,
    environment: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<LlmSettings> {
    let named = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
    if let Some(provider) = named("GABY_LLM_PROVIDER") {
        let provider: ProviderKind = provider
            .parse()
            .map_err(|error| anyhow!("GABY_LLM_PROVIDER: {error}"))?;
        if file.provider != Some(provider) {
            file = LlmSettings {
                provider: Some(provider),
                fallback: file.fallback,
                local_only: file.local_only,
                allowed: file.allowed,
                private_addresses: file.private_addresses,
                purposes: file.purposes,
                per_day: file.per_day,
                per_ticket: file.per_ticket,
                prices: file.prices,
                ..LlmSettings::default()
            };
        }
    }
    file.model = named("GABY_LLM_MODEL").or(file.model);
    file.base_url = named("GABY_LLM_BASE_URL").or(file.base_url);
    file.api_key = named("GABY_LLM_API_KEY")
        .map(SecretString::from)
        .or(file.api_key);
    Ok(file)
}

fn of_platform() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "gaby").map(|found| found.data_dir().to_owned())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn file() -> LlmSettings {
        let text = r#"
            provider = "anthropic"
            model = "large"
            api_key = "key of the file"
            local_only = true
        "#;
        Figment::from(Toml::string(text)).extract().unwrap()
    }

    fn with(environment: &[(&str, &str)]) -> anyhow::Result<LlmSettings> {
        over(file(), |name| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_overrules_the_files_model() {
        let held = with(&[("GABY_LLM_MODEL", "small"), ("GABY_LLM_API_KEY", "mine")]).unwrap();
        assert_eq!(held.provider, Some(ProviderKind::Anthropic));
        assert_eq!(held.model.as_deref(), Some("small"));
        assert_eq!(held.api_key.unwrap().expose_secret(), "mine");
        let held = with(&[("GABY_LLM_MODEL", " ")]).unwrap();
        assert_eq!(held.model.as_deref(), Some("large"));
    }

    #[test]
    fn another_provider_is_not_given_the_files_key_but_stays_within_its_rules() {
        let held = with(&[("GABY_LLM_PROVIDER", "ollama"), ("GABY_LLM_MODEL", "small")]).unwrap();
        assert_eq!(held.provider, Some(ProviderKind::Ollama));
        assert!(held.api_key.is_none());
        assert!(held.local_only);
        let error = with(&[("GABY_LLM_PROVIDER", "olama")])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("GABY_LLM_PROVIDER") && error.contains("ollama"),
            "{error}"
        );
    }
}
