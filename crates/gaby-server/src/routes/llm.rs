//! Language models: what they were asked for an investigation, and how they are set.

use axum::Json;
use axum::extract::State;
use gaby_llm::{LlmSettings, ProviderConfig, Purpose, WorkspaceLlm};
use gaby_model::{InvestigationId, LlmCall, LlmCallId, LlmTalk, LlmUsed};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::caller::In;
use crate::error::{ApiResult, ErrorBody};
use crate::extract::Id;

/// What models were asked for an investigation.
#[derive(Serialize, ToSchema)]
pub(crate) struct LlmCallList {
    /// The calls, in the order in which they were made.
    pub(crate) items: Vec<LlmCall>,
    /// All of them together, without those that a budget stopped.
    pub(crate) used: LlmUsed,
}

/// One call of a model, with what was said.
#[derive(Serialize, ToSchema)]
pub(crate) struct LlmCallView {
    /// The call.
    #[serde(flatten)]
    pub(crate) call: LlmCall,
    /// What was said.
    #[serde(flatten)]
    pub(crate) talk: LlmTalk,
}

/// How models are set in a workspace; never with a key.
#[derive(Serialize, ToSchema)]
pub(crate) struct LlmView {
    /// Whether any model is asked; otherwise the built-in brain does all.
    pub(crate) configured: bool,
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
    /// The prompts in use.
    pub(crate) prompts: Vec<LlmPromptView>,
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

/// List what models were asked for an investigation.
#[utoipa::path(get, path = "/api/investigations/{id}/llm-calls", tag = "models",
    params(("id" = InvestigationId, Path, description = "The investigation")),
    responses((status = 200, body = LlmCallList),
        (status = 404, description = "No such investigation", body = ErrorBody)))]
pub(crate) async fn list_llm_calls(
    In(workspace): In,
    Id(id): Id<InvestigationId>,
) -> ApiResult<Json<LlmCallList>> {
    workspace.investigations().get(&id).await?;
    Ok(Json(LlmCallList {
        items: workspace.llm_calls().of(&id).await?,
        used: workspace.llm_calls().used_by(&id).await?,
    }))
}

/// Read one call of a model, with what was said.
#[utoipa::path(get, path = "/api/llm-calls/{id}", tag = "models",
    params(("id" = LlmCallId, Path, description = "The call")),
    responses((status = 200, body = LlmCallView),
        (status = 404, description = "No such call", body = ErrorBody)))]
pub(crate) async fn get_llm_call(
    In(workspace): In,
    Id(id): Id<LlmCallId>,
) -> ApiResult<Json<LlmCallView>> {
    let (call, talk) = workspace.llm_calls().get(&id).await?;
    Ok(Json(LlmCallView { call, talk }))
}

/// Read how models are set.
#[utoipa::path(get, path = "/api/settings/llm", tag = "models",
    responses((status = 200, body = LlmView)))]
pub(crate) async fn get_llm_settings(
    State(app): State<App>,
    In(workspace): In,
) -> ApiResult<Json<LlmView>> {
    let agent = app.tenants.of(&workspace).await?.agent;
    let (settings, narrowed, prompts) = match agent.models() {
        Some(models) => (
            models.desk.llm().settings().clone(),
            models.desk.narrowed().clone(),
            models.prompts.iter().map(prompt).collect(),
        ),
        None => (LlmSettings::default(), WorkspaceLlm::default(), Vec::new()),
    };
    Ok(Json(LlmView {
        configured: settings.is_configured(),
        // What cannot be used is refused at the start.
        providers: settings
            .providers()
            .unwrap_or_default()
            .iter()
            .map(provider)
            .collect(),
        local_only: settings.local_only(&narrowed),
        purposes: [Purpose::Classify, Purpose::Investigate, Purpose::Answer]
            .into_iter()
            .filter(|_| settings.is_configured())
            .map(|purpose| routed(&settings, &narrowed, purpose))
            .collect(),
        tokens_per_day: settings.per_day.tokens,
        micro_usd_per_day: settings.per_day.micro_usd,
        prompts,
    }))
}

fn provider(config: &ProviderConfig) -> LlmProviderView {
    LlmProviderView {
        name: config.name.clone(),
        kind: config.kind.to_string(),
        model: config.model.clone(),
        base_url: config.base_url.clone(),
        has_key: config.api_key.is_some(),
    }
}

fn routed(settings: &LlmSettings, narrowed: &WorkspaceLlm, purpose: Purpose) -> LlmPurposeView {
    let (models, problem) = match settings.route(purpose, narrowed) {
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

fn prompt(prompt: &gaby_llm::Prompt) -> LlmPromptView {
    LlmPromptView {
        name: prompt.name.clone(),
        purpose: prompt.purpose.to_string(),
        description: prompt.description.clone(),
        version: prompt.version.clone(),
    }
}
