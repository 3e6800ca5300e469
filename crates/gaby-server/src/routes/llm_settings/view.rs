//! How models are set, as it is shown: what holds, what the workspace set, what the operator allows.

use std::collections::BTreeMap;

use gaby_llm::settings::PurposeSettings;
use gaby_llm::{LlmSettings, ProviderConfig, ProviderKind, Purpose, WorkspaceLlm};
use serde::Serialize;
use utoipa::ToSchema;

use super::LlmPurpose;
use crate::models::ModelParts;

/// How models are set in a workspace; never with a key.
#[derive(Serialize, ToSchema)]
pub(crate) struct LlmView {
    /// Whether any model is asked; otherwise the built-in brain does all.
    pub(crate) configured: bool,
    /// Who set the providers that are asked.
    pub(crate) set_by: LlmSetBy,
    /// Why what the workspace set cannot be used; none when it can.
    #[schema(required)]
    pub(crate) problem: Option<String>,
    /// Who is asked, in this order.
    pub(crate) providers: Vec<LlmProviderView>,
    /// Whether only loopback and private addresses may be asked.
    pub(crate) local_only: bool,
    /// Who is asked for each purpose.
    pub(crate) purposes: Vec<LlmPurposeView>,
    /// Tokens that the workspace may use in a day; none is no limit.
    #[schema(required)]
    pub(crate) tokens_per_day: Option<u64>,
    /// What models may cost in a day, in millionths of a US dollar; none is no limit.
    #[schema(required)]
    pub(crate) micro_usd_per_day: Option<u64>,
    /// What the workspace set for itself.
    pub(crate) own: LlmOwnView,
    /// What the operator settled, which a workspace cannot widen.
    pub(crate) operator: LlmOperatorView,
    /// The kinds of providers, and what each needs.
    pub(crate) kinds: Vec<LlmKindView>,
    /// The prompts in use.
    pub(crate) prompts: Vec<LlmPromptView>,
}

/// Who set the providers.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LlmSetBy {
    /// Nobody: the built-in brain does all.
    Nobody,
    /// The operator, in the settings' file or by the environment.
    Operator,
    /// The workspace.
    Workspace,
}

/// A provider of models.
#[derive(Serialize, ToSchema)]
pub(crate) struct LlmProviderView {
    /// Its name in the settings.
    pub(crate) name: String,
    /// Its kind, such as `anthropic` or `ollama`.
    pub(crate) kind: String,
    /// The model.
    pub(crate) model: String,
    /// Where it is, if not at the vendor's usual address.
    #[schema(required)]
    pub(crate) base_url: Option<String>,
    /// Whether a key is set.
    pub(crate) has_key: bool,
    /// Whether a session token is set.
    pub(crate) has_session_token: bool,
    /// AWS or Google region.
    #[schema(required)]
    pub(crate) region: Option<String>,
    /// Google project.
    #[schema(required)]
    pub(crate) project: Option<String>,
    /// AWS access key id.
    #[schema(required)]
    pub(crate) access_key_id: Option<String>,
    /// Azure's `api-version`.
    #[schema(required)]
    pub(crate) api_version: Option<String>,
    /// Tokens that the model can read at once.
    #[schema(required)]
    pub(crate) context_tokens: Option<u32>,
    /// Whether the model calls tools by itself.
    pub(crate) native_tools: bool,
}

/// Who is asked for a purpose.
#[derive(Serialize, ToSchema)]
pub(crate) struct LlmPurposeView {
    /// `classify`, `investigate` or `answer`.
    pub(crate) purpose: String,
    /// Who is asked, in this order: provider and model.
    pub(crate) models: Vec<String>,
    /// Why nobody can be asked; none when somebody can.
    #[schema(required)]
    pub(crate) problem: Option<String>,
}

/// What a workspace set for itself.
#[derive(Serialize, ToSchema)]
pub(crate) struct LlmOwnView {
    /// Whether anything is set.
    pub(crate) is_set: bool,
    /// Its own providers, in the order in which they are asked.
    pub(crate) providers: Vec<LlmProviderView>,
    /// Whether only loopback and private addresses may be asked.
    pub(crate) local_only: bool,
    /// Who may be asked; none is everybody who is set.
    #[schema(required)]
    pub(crate) allowed: Option<Vec<String>>,
    /// What differs for a purpose.
    pub(crate) purposes: BTreeMap<String, LlmPurpose>,
    /// Tokens that may be used in a day.
    #[schema(required)]
    pub(crate) tokens_per_day: Option<u64>,
    /// What models may cost in a day, in millionths of a US dollar.
    #[schema(required)]
    pub(crate) micro_usd_per_day: Option<u64>,
}

/// What the operator settled.
#[derive(Serialize, ToSchema)]
pub(crate) struct LlmOperatorView {
    /// The operator's providers.
    pub(crate) providers: Vec<LlmProviderView>,
    /// Whether only loopback and private addresses may be asked.
    pub(crate) local_only: bool,
    /// Who may be asked, by name or kind; none is everybody.
    #[schema(required)]
    pub(crate) allowed: Option<Vec<String>>,
    /// Tokens that a workspace may use in a day.
    #[schema(required)]
    pub(crate) tokens_per_day: Option<u64>,
    /// What models may cost in a day, in millionths of a US dollar.
    #[schema(required)]
    pub(crate) micro_usd_per_day: Option<u64>,
    /// Whether you may set a model at a loopback or private address.
    pub(crate) you_may_set_private: bool,
}

/// A kind of provider.
#[derive(Serialize, ToSchema)]
pub(crate) struct LlmKindView {
    /// Its word in the settings.
    pub(crate) kind: String,
    /// Whether it does nothing without a key.
    pub(crate) needs_key: bool,
    /// The field that it does nothing without, beside model and key.
    #[schema(required)]
    pub(crate) needs: Option<String>,
    /// The fields that it can do without.
    pub(crate) takes: Vec<String>,
    /// Where it usually is; none when that depends.
    #[schema(required)]
    pub(crate) usual_address: Option<String>,
}

/// A prompt.
#[derive(Serialize, ToSchema)]
pub(crate) struct LlmPromptView {
    /// Its name.
    pub(crate) name: String,
    /// What it is for.
    pub(crate) purpose: String,
    /// What it is for, in words.
    pub(crate) description: String,
    /// The beginning of the SHA-256 of its file.
    pub(crate) version: String,
}

impl LlmView {
    /// What holds, when the workspace set this. `problem` is why it cannot be used.
    pub(crate) fn new(
        parts: &ModelParts,
        own: WorkspaceLlm,
        problem: Option<String>,
        is_owner: bool,
    ) -> Self {
        let operator = parts.operator();
        let settings = own.within(operator).unwrap_or_default();
        let set_by = match (own.providers.is_empty(), operator.is_configured()) {
            (false, _) => LlmSetBy::Workspace,
            (true, true) => LlmSetBy::Operator,
            (true, false) => LlmSetBy::Nobody,
        };
        let purposes = [Purpose::Classify, Purpose::Investigate, Purpose::Answer];
        Self {
            configured: settings.is_configured(),
            set_by,
            problem,
            providers: shown(&settings),
            local_only: settings.local_only(&own),
            purposes: purposes
                .into_iter()
                .filter(|_| settings.is_configured())
                .map(|purpose| routed(&settings, &own, purpose))
                .collect(),
            tokens_per_day: settings.per_day.tokens,
            micro_usd_per_day: settings.per_day.micro_usd,
            operator: LlmOperatorView {
                providers: shown(operator),
                local_only: operator.local_only,
                allowed: operator.allowed.clone(),
                tokens_per_day: operator.per_day.tokens,
                micro_usd_per_day: operator.per_day.micro_usd,
                you_may_set_private: operator.private_addresses.unwrap_or(is_owner),
            },
            own: LlmOwnView::new(own),
            kinds: ProviderKind::ALL.into_iter().map(kind).collect(),
            prompts: parts.prompts().iter().map(prompt).collect(),
        }
    }
}

impl LlmOwnView {
    fn new(own: WorkspaceLlm) -> Self {
        Self {
            is_set: own.is_set(),
            providers: own.providers.iter().map(provider).collect(),
            local_only: own.local_only,
            allowed: own.allowed,
            purposes: own
                .purposes
                .into_iter()
                .map(|(purpose, settings)| (purpose.to_string(), settings.into()))
                .collect(),
            tokens_per_day: own.per_day.tokens,
            micro_usd_per_day: own.per_day.micro_usd,
        }
    }
}

impl From<PurposeSettings> for LlmPurpose {
    fn from(settings: PurposeSettings) -> Self {
        Self {
            providers: settings.providers,
            model: settings.model,
            temperature: settings.temperature,
            max_output_tokens: settings.max_output_tokens,
            seconds: settings.seconds,
        }
    }
}

/// The operator's providers were checked at the start, and a workspace's when they were set.
fn shown(settings: &LlmSettings) -> Vec<LlmProviderView> {
    let providers = settings.providers().unwrap_or_default();
    providers.iter().map(provider).collect()
}

fn provider(config: &ProviderConfig) -> LlmProviderView {
    LlmProviderView {
        name: config.name.clone(),
        kind: config.kind.to_string(),
        model: config.model.clone(),
        base_url: config.base_url.clone(),
        has_key: config.api_key.is_some(),
        has_session_token: config.session_token.is_some(),
        region: config.region.clone(),
        project: config.project.clone(),
        access_key_id: config.access_key_id.clone(),
        api_version: config.api_version.clone(),
        context_tokens: config.context_tokens,
        native_tools: config.native_tools,
    }
}

fn routed(settings: &LlmSettings, own: &WorkspaceLlm, purpose: Purpose) -> LlmPurposeView {
    let (models, problem) = match settings.route(purpose, own) {
        Ok(route) => {
            let named = |config: &ProviderConfig| format!("{} {}", config.name, config.model);
            (route.providers.iter().map(named).collect(), None)
        }
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    LlmPurposeView {
        purpose: purpose.to_string(),
        models,
        problem,
    }
}

fn kind(kind: ProviderKind) -> LlmKindView {
    LlmKindView {
        kind: kind.to_string(),
        needs_key: kind.needs_key(),
        needs: kind.needs().map(str::to_owned),
        takes: kind
            .takes()
            .iter()
            .map(|field| (*field).to_owned())
            .collect(),
        usual_address: kind.usual_address(),
    }
}

fn prompt(prompt: &gaby_llm::Prompt) -> LlmPromptView {
    LlmPromptView {
        name: prompt.name.clone(),
        purpose: prompt.purpose.to_string(),
        description: prompt.description.clone(),
        version: prompt.version.clone(),
    }
}
