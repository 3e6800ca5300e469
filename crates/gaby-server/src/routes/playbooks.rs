//! Playbooks: what Gaby does about recurring tickets.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::caller::In;
use crate::error::ApiResult;

/// The playbooks.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlaybookList {
    /// The playbooks, by name.
    pub(crate) items: Vec<PlaybookView>,
}

/// A playbook.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlaybookView {
    /// Its name.
    pub(crate) name: String,
    /// Its title.
    pub(crate) title: String,
    /// The kind of request it is for.
    pub(crate) category: String,
    /// What it does.
    pub(crate) description: String,
    /// Phrases that call for it.
    pub(crate) triggers: Vec<String>,
    /// The jobs it needs tools for.
    pub(crate) tools: Vec<PlaybookTool>,
}

/// A job that a playbook needs a tool for.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlaybookTool {
    /// The job, such as `customer.find`.
    pub(crate) role: String,
    /// Whether the playbook can do without it.
    pub(crate) optional: bool,
    /// The tool that does it here (`connector__tool`); none when no connector offers one.
    #[schema(required)]
    pub(crate) mapped_to: Option<String>,
}

/// List playbooks.
#[utoipa::path(get, path = "/api/playbooks", tag = "playbooks",
    responses((status = 200, body = PlaybookList)))]
pub(crate) async fn list_playbooks(
    State(app): State<App>,
    In(workspace): In,
) -> ApiResult<Json<PlaybookList>> {
    let agent = app.tenants.of(&workspace).await?.agent;
    let mut tools: HashMap<_, _> = agent.role_mappings().await.into_iter().collect();
    let items = agent
        .playbooks()
        .iter()
        .map(|playbook| PlaybookView {
            name: playbook.name.value.clone(),
            title: playbook.title.clone(),
            category: playbook.category.clone(),
            description: playbook.description.clone(),
            triggers: playbook.triggers.phrases.clone(),
            tools: tools
                .remove(&playbook.name.value)
                .unwrap_or_default()
                .into_iter()
                .map(|mapping| PlaybookTool {
                    role: mapping.role,
                    optional: mapping.optional,
                    mapped_to: mapping.mapped_to,
                })
                .collect(),
        })
        .collect();
    Ok(Json(PlaybookList { items }))
}
