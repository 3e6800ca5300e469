//! The rules of a workspace: whose they are, what they say, and why the gate decides as it does.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use gaby_agent::AgentError;
use gaby_gate::rules::check::{CheckCall, Explanation};
use gaby_gate::rules::{Origin, Rule, RuleEffect, Rules};
use gaby_gate::{Decision, Situation};
use gaby_model::{Access, Integrity, ToolDefinition};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::caller::{Caller, In};
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::extract::{Body, Id};
use crate::tenant::Tenant;

/// Every file of rules that holds, and what a rule can speak of.
#[derive(Serialize, ToSchema)]
pub(crate) struct PolicyList {
    /// The files: Gaby's own, the operator's, the workspace's.
    pub(crate) items: Vec<PolicyView>,
    /// Why nothing is permitted now; none while the rules hold together.
    #[schema(required)]
    pub(crate) problem: Option<String>,
    /// The connected tools, with the arguments that a rule can name.
    pub(crate) tools: Vec<PolicyTool>,
}

/// Whose a file of rules is.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PolicyOrigin {
    /// Gaby's own.
    BuiltIn,
    /// The operator's, in the data folder.
    Operator,
    /// The workspace's. It can only narrow what the others let through.
    Workspace,
}

/// A file of rules.
#[derive(Serialize, ToSchema)]
pub(crate) struct PolicyView {
    /// Its name.
    pub(crate) name: String,
    /// Whose it is.
    pub(crate) origin: PolicyOrigin,
    /// What is in it.
    pub(crate) text: String,
    /// Its rules; empty while it cannot be read.
    pub(crate) rules: Vec<RuleView>,
}

/// What a rule does when it applies.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PolicyEffect {
    /// It lets through.
    Permit,
    /// It denies.
    Forbid,
    /// It asks a human.
    Escalate,
}

/// A rule.
#[derive(Serialize, ToSchema)]
pub(crate) struct RuleView {
    /// Its `@id`, or its place in its file.
    pub(crate) name: String,
    /// What it does.
    pub(crate) effect: PolicyEffect,
    /// What it does, as a sentence.
    pub(crate) words: String,
    /// What its annotation says.
    pub(crate) why: String,
    /// Its text.
    pub(crate) text: String,
    /// The same as Cedar's JSON, for editors.
    pub(crate) parsed: Value,
    /// Whether it is only about tools that nobody offers now, and so cannot apply.
    pub(crate) unused: bool,
}

/// A tool, as rules speak of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct PolicyTool {
    /// Its name in rules, `connector__tool`.
    pub(crate) name: String,
    /// Its connector.
    pub(crate) connector: String,
    /// What it does.
    pub(crate) description: String,
    /// Whether it changes something.
    pub(crate) access: Access,
    /// The generic job it does.
    #[schema(required)]
    pub(crate) role: Option<String>,
    /// The arguments that are texts, whole numbers or truths.
    pub(crate) arguments: Vec<PolicyArgument>,
}

/// An argument that a rule can name.
#[derive(Serialize, ToSchema)]
pub(crate) struct PolicyArgument {
    /// Its name.
    pub(crate) name: String,
    /// `string`, `integer` or `boolean`.
    pub(crate) kind: String,
    /// Whether the tool requires it; otherwise a rule asks with `has` first.
    pub(crate) required: bool,
    /// The values that it may have, where they are few.
    pub(crate) values: Vec<String>,
}

/// A file of rules to be stored.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPolicy {
    /// Cedar.
    pub(crate) text: String,
}

/// Where a ticket came from and what it is about, for rules that depend on it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckSituation {
    /// The source.
    #[serde(default)]
    pub(crate) source: String,
    /// The category.
    #[serde(default)]
    pub(crate) category: String,
    /// The playbook.
    #[serde(default)]
    pub(crate) playbook: String,
    /// The environment; the connector's own when not said.
    #[serde(default)]
    pub(crate) environment: String,
    /// What is known about the requester, such as `plan=enterprise`.
    #[serde(default)]
    pub(crate) facts: BTreeSet<String>,
}

/// A draft to check with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyDraft {
    /// Its name; it stands in for the workspace's file of that name.
    pub(crate) name: String,
    /// Cedar.
    pub(crate) text: String,
}

/// A call to check.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyCheck {
    /// The tool, as `connector__tool`.
    pub(crate) tool: String,
    /// Its arguments.
    #[serde(default)]
    pub(crate) arguments: Value,
    /// The requester's address.
    #[serde(default)]
    pub(crate) requester: Option<String>,
    /// Whether a source vouches for the requester.
    #[serde(default)]
    pub(crate) verified: bool,
    /// Arguments whose values a connected system gave; the others count as anybody's text.
    #[serde(default)]
    pub(crate) trusted: BTreeSet<String>,
    /// Whether the ownership read shows that the target is the requester's.
    #[serde(default)]
    pub(crate) owned: bool,
    /// How many records it changes.
    #[serde(default)]
    pub(crate) records: Option<u64>,
    /// Where the ticket came from and what it is about.
    #[serde(default)]
    pub(crate) situation: CheckSituation,
    /// A file of rules as if it were stored already.
    #[serde(default)]
    pub(crate) draft: Option<PolicyDraft>,
}

/// What the gate would decide.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CheckedDecision {
    /// It would happen.
    Allow,
    /// It would be shown and change nothing.
    DryRun,
    /// A human would be asked.
    NeedsApproval,
    /// It would not happen.
    Deny,
}

/// A part of a risk.
#[derive(Serialize, ToSchema)]
pub(crate) struct CheckedRisk {
    /// What it comes from.
    pub(crate) name: String,
    /// How much.
    pub(crate) points: i32,
}

/// A rule that applies.
#[derive(Serialize, ToSchema)]
pub(crate) struct AppliedRule {
    /// The file that it stands in.
    pub(crate) file: String,
    /// Whose file that is.
    pub(crate) origin: PolicyOrigin,
    /// The rule.
    #[serde(flatten)]
    pub(crate) rule: RuleView,
}

/// A decision, and everything it rests on.
#[derive(Serialize, ToSchema)]
pub(crate) struct PolicyChecked {
    /// What the gate would decide.
    pub(crate) decision: CheckedDecision,
    /// Why it denies, or why a human is asked.
    pub(crate) reasons: Vec<String>,
    /// How risky the call is; none when it is denied.
    #[schema(required)]
    pub(crate) risk: Option<u8>,
    /// What the risk is made of.
    pub(crate) parts: Vec<CheckedRisk>,
    /// The rules that apply.
    pub(crate) rules: Vec<AppliedRule>,
    /// What the rules were told.
    pub(crate) facts: Value,
    /// How far each argument's value can be trusted.
    pub(crate) arguments: BTreeMap<String, Integrity>,
}

impl From<Origin> for PolicyOrigin {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::BuiltIn => Self::BuiltIn,
            Origin::Operator => Self::Operator,
            Origin::Workspace => Self::Workspace,
        }
    }
}

impl RuleView {
    fn new(rule: &Rule, unused: bool) -> Self {
        Self {
            name: rule.name.clone(),
            effect: match rule.effect {
                RuleEffect::Permit => PolicyEffect::Permit,
                RuleEffect::Forbid => PolicyEffect::Forbid,
                RuleEffect::Escalate => PolicyEffect::Escalate,
            },
            words: rule.in_words(),
            why: rule.why.clone(),
            text: rule.text.clone(),
            parsed: rule.parsed.clone(),
            unused,
        }
    }
}

impl PolicyTool {
    fn new(tool: ToolDefinition) -> Self {
        let required: Vec<&str> = tool.input_schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let properties = tool.input_schema["properties"].as_object();
        let arguments = properties
            .into_iter()
            .flatten()
            .filter_map(|(name, schema)| {
                let kind = schema["type"].as_str()?;
                let values = schema["enum"].as_array().into_iter().flatten();
                ["string", "integer", "boolean"]
                    .contains(&kind)
                    .then(|| PolicyArgument {
                        name: name.clone(),
                        kind: kind.to_owned(),
                        required: required.contains(&name.as_str()),
                        values: values
                            .filter_map(|value| value.as_str().map(str::to_owned))
                            .collect(),
                    })
            })
            .collect();
        Self {
            name: tool.tool.to_string(),
            arguments,
            connector: tool.tool.connector,
            description: tool.description,
            access: tool.access,
            role: tool.role,
        }
    }
}

impl PolicyChecked {
    fn new(explained: Explanation) -> Self {
        let said =
            |reasons: &[gaby_gate::Reason]| reasons.iter().map(ToString::to_string).collect();
        let (decision, reasons, risk) = match &explained.decision {
            Decision::Allow { risk, .. } => (CheckedDecision::Allow, Vec::new(), Some(risk)),
            Decision::DryRun { reasons, risk } => {
                (CheckedDecision::DryRun, said(reasons), Some(risk))
            }
            Decision::NeedsApproval { reasons, risk } => {
                (CheckedDecision::NeedsApproval, said(reasons), Some(risk))
            }
            Decision::Deny { reason } => (CheckedDecision::Deny, vec![reason.to_string()], None),
        };
        let parts = risk.iter().flat_map(|risk| &risk.parts);
        Self {
            decision,
            reasons,
            risk: risk.map(|risk| risk.score),
            parts: parts
                .map(|part| CheckedRisk {
                    name: part.name.to_string(),
                    points: i32::from(part.points),
                })
                .collect(),
            rules: explained
                .rules
                .iter()
                .map(|rule| AppliedRule {
                    file: rule.file.clone(),
                    origin: rule.origin.into(),
                    rule: RuleView::new(rule, false),
                })
                .collect(),
            facts: explained.facts,
            arguments: explained
                .arguments
                .into_iter()
                .map(|(name, facts)| (name, facts.integrity))
                .collect(),
        }
    }
}

/// Read the rules of the workspace, whose they are, and what they say in words.
#[utoipa::path(get, path = "/api/policies", tag = "policies", responses((status = 200, body = PolicyList)))]
pub(crate) async fn list_policies(
    State(app): State<App>,
    In(workspace): In,
) -> ApiResult<Json<PolicyList>> {
    let tenant = app.tenants.of(&workspace).await?;
    listed(&tenant).await.map(Json)
}

/// Store rules of the workspace's own. They hold at once, and only narrow what may happen. Rules with
/// faults are refused with the line, and leave those before as they were.
#[utoipa::path(put, path = "/api/policies/{name}", tag = "policies",
    params(("name" = String, Path, description = "Its name: small letters, digits, hyphens")), request_body = NewPolicy,
    responses((status = 200, body = PolicyList), (status = 400, body = ErrorBody)))]
pub(crate) async fn put_policy(
    State(app): State<App>,
    caller: Caller,
    In(workspace): In,
    Id(name): Id<String>,
    Body(form): Body<NewPolicy>,
) -> ApiResult<Json<PolicyList>> {
    let tenant = app.tenants.of(&workspace).await?;
    let agent = &tenant.agent;
    agent
        .put_policy_file(&name, &form.text, caller.actor(), app.now())
        .await?;
    listed(&tenant).await.map(Json)
}

/// Remove rules of the workspace's own at once.
#[utoipa::path(delete, path = "/api/policies/{name}", tag = "policies",
    params(("name" = String, Path, description = "Its name")),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn remove_policy(
    State(app): State<App>,
    caller: Caller,
    In(workspace): In,
    Id(name): Id<String>,
) -> ApiResult<StatusCode> {
    let tenant = app.tenants.of(&workspace).await?;
    let agent = &tenant.agent;
    if agent
        .remove_policy_file(&name, caller.actor(), app.now())
        .await?
    {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::not_found(format!(
        "this workspace has no policy `{name}` of its own"
    )))
}

/// Ask what the gate would decide about a call, which rules apply, and what they are told. Nothing
/// is called.
#[utoipa::path(post, path = "/api/policies/check", tag = "policies", request_body = PolicyCheck,
    responses((status = 200, body = PolicyChecked), (status = 400, body = ErrorBody)))]
pub(crate) async fn check_policy(
    State(app): State<App>,
    In(workspace): In,
    Body(form): Body<PolicyCheck>,
) -> ApiResult<Json<PolicyChecked>> {
    let tenant = app.tenants.of(&workspace).await?;
    let call = CheckCall {
        tool: form.tool,
        arguments: form.arguments,
        requester: form.requester,
        verified: form.verified,
        trusted: form.trusted,
        owned: form.owned,
        records: form.records,
        situation: Situation {
            source: form.situation.source,
            category: form.situation.category,
            playbook: form.situation.playbook,
            environment: form.situation.environment,
            facts: form.situation.facts,
            ..Situation::default()
        },
    };
    let draft = form.draft.map(|draft| (draft.name, draft.text));
    let explained = tenant.agent.explain(call, draft).await?;
    Ok(Json(PolicyChecked::new(explained)))
}

async fn listed(tenant: &Tenant) -> ApiResult<PolicyList> {
    let files = tenant.agent.policy_files().await?;
    let (rules, problem) = match tenant.agent.rules_now().await {
        Ok(rules) => (Some(rules), None),
        Err(error @ AgentError::Rules(_)) => (None, Some(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    let mut items: Vec<PolicyView> = files
        .into_iter()
        .map(|file| PolicyView {
            rules: rules
                .as_ref()
                .map(|rules| of_file(rules, &file.name, file.origin))
                .unwrap_or_default(),
            name: file.name,
            origin: file.origin.into(),
            text: file.text,
        })
        .collect();
    items.sort_by_key(|file| file.origin as u8);
    let catalog = tenant.host.catalog().await;
    Ok(PolicyList {
        items,
        problem,
        tools: catalog.into_iter().map(PolicyTool::new).collect(),
    })
}

fn of_file(rules: &Rules, name: &str, origin: Origin) -> Vec<RuleView> {
    let used = rules.iter().map(|rule| (rule, false));
    let unused = rules.unused().iter().map(|rule| (rule, true));
    used.chain(unused)
        .filter(|(rule, _)| rule.file == name && rule.origin == origin)
        .map(|(rule, unused)| RuleView::new(rule, unused))
        .collect()
}
