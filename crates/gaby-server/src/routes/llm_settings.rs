//! How models are set: the operator's, and a workspace's own within them.

mod view;

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use gaby_llm::address::Reach;
use gaby_llm::settings::PurposeSettings;
use gaby_llm::spend::Allowance;
use gaby_llm::{ProviderConfig, ProviderKind, Purpose, WorkspaceLlm, probe};
use gaby_store::Workspace;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(crate) use view::LlmView;

use crate::app::App;
use crate::auth::caller::{Caller, In};
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::extract::Body;
use crate::models;
use crate::setup::ComposeError;

/// A provider of models as it is to be set. Which fields matter depends on its kind.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLlmProvider {
    /// Its name in these settings; its kind when not said.
    #[serde(default)]
    pub(crate) name: String,
    /// Its kind, such as `anthropic` or `ollama`.
    pub(crate) kind: String,
    /// The model.
    pub(crate) model: String,
    /// Where it is, if not at the vendor's usual address.
    #[serde(default)]
    pub(crate) base_url: Option<String>,
    /// The key. Not said: the key that is set stays, if it was set for the same kind at the same
    /// address; empty: none. It is never given back.
    #[serde(default)]
    pub(crate) api_key: Option<String>,
    /// AWS or Google region.
    #[serde(default)]
    pub(crate) region: Option<String>,
    /// Google project.
    #[serde(default)]
    pub(crate) project: Option<String>,
    /// AWS access key id.
    #[serde(default)]
    pub(crate) access_key_id: Option<String>,
    /// AWS session token; as the key.
    #[serde(default)]
    pub(crate) session_token: Option<String>,
    /// Azure's `api-version`.
    #[serde(default)]
    pub(crate) api_version: Option<String>,
    /// Tokens that the model can read at once.
    #[serde(default)]
    pub(crate) context_tokens: Option<u32>,
    /// Whether the model calls tools by itself; it does when not said.
    #[serde(default)]
    pub(crate) native_tools: Option<bool>,
}

/// How one purpose differs from the rest.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LlmPurpose {
    /// The providers to ask, by name, in this order; all of them when none is named.
    #[serde(default)]
    pub(crate) providers: Vec<String>,
    /// The model of the first of them.
    #[serde(default)]
    pub(crate) model: Option<String>,
    /// 0 to 2.
    #[serde(default)]
    pub(crate) temperature: Option<f32>,
    /// Tokens of an answer at most.
    #[serde(default)]
    pub(crate) max_output_tokens: Option<u32>,
    /// Seconds that an answer may take with all tries.
    #[serde(default)]
    pub(crate) seconds: Option<u32>,
}

/// How models are to be set in a workspace. It is the whole of it: what is not said is not set.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLlmSettings {
    /// Who is asked, in this order, instead of the operator's; nobody of its own when empty.
    #[serde(default)]
    pub(crate) providers: Vec<NewLlmProvider>,
    /// Whether only loopback and private addresses may be asked.
    #[serde(default)]
    pub(crate) local_only: bool,
    /// Who may be asked, by name or kind; everybody who is set when not said.
    #[serde(default)]
    pub(crate) allowed: Option<Vec<String>>,
    /// What differs for `classify`, `investigate` or `answer`.
    #[serde(default)]
    pub(crate) purposes: BTreeMap<String, LlmPurpose>,
    /// Tokens that the workspace may use in a day.
    #[serde(default)]
    pub(crate) tokens_per_day: Option<u64>,
    /// What models may cost in a day, in millionths of a US dollar.
    #[serde(default)]
    pub(crate) micro_usd_per_day: Option<u64>,
}

/// What came of asking a provider something short.
#[derive(Serialize, ToSchema)]
pub(crate) struct LlmTried {
    /// Whether it answers.
    pub(crate) works: bool,
    /// That it answers, or what is wrong and what to do.
    pub(crate) says: String,
    /// How long it took, in milliseconds.
    pub(crate) millis: u64,
}

impl NewLlmProvider {
    /// The provider as it will be kept. What was trusted to the one before goes on only if it is
    /// still the same one.
    fn config(self, before: &WorkspaceLlm, is_owner: bool) -> ApiResult<ProviderConfig> {
        let kind: ProviderKind = self.kind.parse().map_err(ApiError::invalid)?;
        let said = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let mut config = ProviderConfig {
            base_url: said(self.base_url),
            region: said(self.region),
            project: said(self.project),
            access_key_id: said(self.access_key_id),
            api_version: said(self.api_version),
            context_tokens: self.context_tokens,
            native_tools: self.native_tools.unwrap_or(true),
            public_only: !is_owner,
            ..ProviderConfig::new(kind, self.model.trim())
        };
        config.name = match self.name.trim() {
            "" => config.label(),
            name => name.to_owned(),
        };
        let same = before.same_as(&config);
        let secret =
            |new: Option<String>, old: fn(&ProviderConfig) -> Option<&SecretString>| match new {
                None => same.and_then(old).cloned(),
                Some(new) => said(Some(new)).map(SecretString::from),
            };
        let api_key = secret(self.api_key, |known| known.api_key.as_ref());
        let session_token = secret(self.session_token, |known| known.session_token.as_ref());
        config.public_only &= same.is_none_or(|known| known.public_only);
        config.api_key = api_key;
        config.session_token = session_token;
        Ok(config)
    }
}

impl NewLlmSettings {
    fn own(self, before: &WorkspaceLlm, is_owner: bool) -> ApiResult<WorkspaceLlm> {
        let mut purposes = BTreeMap::new();
        for (name, purpose) in self.purposes {
            let known = [Purpose::Classify, Purpose::Investigate, Purpose::Answer];
            let Some(known) = known.into_iter().find(|known| known.as_str() == name) else {
                return Err(ApiError::invalid(format!(
                    "`{name}` is no purpose: use classify, investigate or answer"
                )));
            };
            let settings = PurposeSettings::from(purpose);
            if settings != PurposeSettings::default() {
                purposes.insert(known, settings);
            }
        }
        let providers = self.providers.into_iter();
        Ok(WorkspaceLlm {
            providers: providers
                .map(|provider| provider.config(before, is_owner))
                .collect::<ApiResult<_>>()?,
            local_only: self.local_only,
            allowed: self.allowed,
            purposes,
            per_day: Allowance {
                tokens: self.tokens_per_day,
                micro_usd: self.micro_usd_per_day,
                calls: None,
            },
        })
    }
}

impl From<LlmPurpose> for PurposeSettings {
    fn from(purpose: LlmPurpose) -> Self {
        Self {
            providers: purpose.providers,
            model: purpose.model.filter(|model| !model.trim().is_empty()),
            temperature: purpose.temperature,
            max_output_tokens: purpose.max_output_tokens,
            seconds: purpose.seconds,
        }
    }
}

/// Whether somebody administers the whole installation, and not only some of its workspaces.
fn is_owner(caller: &Caller) -> bool {
    match caller {
        Caller::Person(person) => person.user.workspaces.is_none(),
        Caller::Program(_) => false,
    }
}

fn refused(error: ComposeError) -> ApiError {
    match error {
        ComposeError::Store(error) => error.into(),
        ComposeError::Model(error) => ApiError::invalid(error.to_string()),
        ComposeError::Models(error) => ApiError::invalid(error.to_string()),
        other => ApiError::internal("setting the models", &other),
    }
}

/// Read how models are set. No key is ever given back.
#[utoipa::path(get, path = "/api/settings/llm", tag = "models",
    responses((status = 200, body = LlmView)))]
pub(crate) async fn get_llm_settings(
    State(app): State<App>,
    caller: Caller,
    In(workspace): In,
) -> ApiResult<Json<LlmView>> {
    shown(&app, &caller, &workspace).await
}

/// Say which models the workspace asks, within what the operator allows. Holds from the next
/// investigation on.
#[utoipa::path(put, path = "/api/settings/llm", tag = "models", request_body = NewLlmSettings,
    responses((status = 200, body = LlmView), (status = 400, body = ErrorBody)))]
pub(crate) async fn set_llm_settings(
    State(app): State<App>,
    caller: Caller,
    In(workspace): In,
    Body(form): Body<NewLlmSettings>,
) -> ApiResult<Json<LlmView>> {
    let before = models::own(&workspace).await?;
    let own = form.own(&before, is_owner(&caller))?;
    settle(&app, &caller, &workspace, &own).await
}

/// Go back to the operator's models.
#[utoipa::path(delete, path = "/api/settings/llm", tag = "models",
    responses((status = 200, body = LlmView)))]
pub(crate) async fn reset_llm_settings(
    State(app): State<App>,
    caller: Caller,
    In(workspace): In,
) -> ApiResult<Json<LlmView>> {
    settle(&app, &caller, &workspace, &WorkspaceLlm::default()).await
}

/// Ask a provider something short, without setting it. Costs a few tokens.
#[utoipa::path(post, path = "/api/settings/llm/try", tag = "models", request_body = NewLlmProvider,
    responses((status = 200, body = LlmTried), (status = 400, body = ErrorBody)))]
pub(crate) async fn try_llm(
    State(app): State<App>,
    caller: Caller,
    In(workspace): In,
    Body(form): Body<NewLlmProvider>,
) -> ApiResult<Json<LlmTried>> {
    let before = models::own(&workspace).await?;
    let provider = form.config(&before, is_owner(&caller))?;
    let own = WorkspaceLlm {
        providers: vec![provider],
        ..WorkspaceLlm::default()
    };
    // With the rules that would hold for it.
    let settings = own
        .within(app.tenants.models().operator())
        .map_err(|error| ApiError::invalid(error.to_string()))?;
    let reach = Reach {
        local_only: settings.local_only(&before),
        ..Reach::default()
    };
    let mut providers = settings
        .providers()
        .map_err(|error| ApiError::invalid(error.to_string()))?;
    let provider = providers.remove(0);
    let asked = probe(provider, reach).await;
    Ok(Json(LlmTried {
        works: asked.works,
        says: asked.says,
        millis: asked.millis,
    }))
}

async fn settle(
    app: &App,
    caller: &Caller,
    workspace: &Workspace,
    own: &WorkspaceLlm,
) -> ApiResult<Json<LlmView>> {
    let parts = app.tenants.models();
    parts
        .settle(workspace, own, caller.actor(), app.now())
        .await
        .map_err(refused)?;
    shown(app, caller, workspace).await
}

async fn shown(app: &App, caller: &Caller, workspace: &Workspace) -> ApiResult<Json<LlmView>> {
    let parts = app.tenants.models();
    let tenant = app.tenants.of(workspace).await?;
    let problem = tenant.follow_models(parts).await?;
    let own = models::own(workspace).await?;
    Ok(Json(LlmView::new(parts, own, problem, is_owner(caller))))
}
