//! The audit log: what happened, and whether the record is whole.

use axum::Json;
use gaby_model::Timestamp;
use gaby_store::audit::AuditEntry;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::auth::caller::In;
use crate::error::{ApiError, ApiResult};
use crate::extract::Params;

const USUAL: u32 = 50;
const MOST: u32 = 200;

/// Which entries to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditQuery {
    /// From `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// How many, 1 to 200; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    pub(crate) limit: Option<u32>,
    /// The workspace, unless the header `X-Gaby-Workspace` names it.
    #[allow(
        dead_code,
        reason = "read by the workspace's own extractor, documented here"
    )]
    pub(crate) workspace: Option<String>,
}

/// One page of the audit log, latest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditPage {
    /// The entries.
    pub(crate) items: Vec<AuditEntryView>,
    /// Where the next page begins; none on the last.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// One entry of the audit log.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditEntryView {
    /// Its place, from 1, without gaps.
    pub(crate) seq: u64,
    /// When.
    pub(crate) ts: Timestamp,
    /// Who: `gaby`, or `user:…`, `token:…`.
    pub(crate) actor: String,
    /// What was done.
    pub(crate) action: String,
    /// To what.
    pub(crate) object: String,
    /// The chain's hash up to here.
    pub(crate) hash: String,
}

impl AuditEntryView {
    fn new(entry: AuditEntry, hash: String) -> ApiResult<Self> {
        let ts = entry
            .ts
            .parse()
            .map_err(|error| ApiError::internal("reading the audit log", &error))?;
        let actor = match entry.actor.id.as_str() {
            "" => entry.actor.kind,
            id => format!("{}:{id}", entry.actor.kind),
        };
        Ok(Self {
            seq: entry.seq,
            ts,
            actor,
            action: entry.action,
            object: entry.object,
            hash,
        })
    }
}

/// Whether the record is whole.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditVerdict {
    /// True when nothing was changed, taken out, moved or cut off.
    pub(crate) ok: bool,
    /// How many entries are whole, from the first on.
    pub(crate) entries: u64,
    /// The first thing that is wrong; none when nothing is.
    #[schema(required)]
    pub(crate) problem: Option<String>,
}

/// List audit entries.
#[utoipa::path(get, path = "/api/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, body = AuditPage)))]
pub(crate) async fn list_audit(
    In(workspace): In,
    Params(query): Params<AuditQuery>,
) -> ApiResult<Json<AuditPage>> {
    let limit = query.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(ApiError::invalid(format!("`limit` must be 1 to {MOST}")));
    }
    let before = match &query.cursor {
        None => None,
        Some(text) => Some(
            text.parse()
                .map_err(|_| ApiError::invalid("`cursor` is not a `next_cursor` of this list"))?,
        ),
    };
    let entries = workspace.audit().list(before, limit).await?;
    let next_cursor = match entries.last() {
        Some((last, _)) if entries.len() == limit as usize && last.seq > 1 => {
            Some(last.seq.to_string())
        }
        _ => None,
    };
    let items = entries
        .into_iter()
        .map(|(entry, hash)| AuditEntryView::new(entry, hash))
        .collect::<ApiResult<_>>()?;
    Ok(Json(AuditPage { items, next_cursor }))
}

/// Check the audit log from its first entry to its last.
#[utoipa::path(post, path = "/api/audit/verify", tag = "audit",
    responses((status = 200, body = AuditVerdict)))]
pub(crate) async fn verify_audit(In(workspace): In) -> ApiResult<Json<AuditVerdict>> {
    Ok(Json(match workspace.audit().verify(&[]).await? {
        Ok(report) => AuditVerdict {
            ok: true,
            entries: report.entries,
            problem: None,
        },
        Err(problem) => AuditVerdict {
            ok: false,
            entries: problem.seq.saturating_sub(1),
            problem: Some(problem.to_string()),
        },
    }))
}

/// A signed statement of how long the log is and what is in it.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditCheckpoint {
    /// The signed note (C2SP tlog-checkpoint). Kept elsewhere, it shows a log that was set back.
    pub(crate) checkpoint: String,
    /// How many entries there are.
    pub(crate) entries: u64,
    /// The key that the note is signed with, as note tools take it.
    pub(crate) key: String,
}

/// Sign the log as it is now, to be kept elsewhere.
#[utoipa::path(get, path = "/api/audit/checkpoint", tag = "audit",
    responses((status = 200, body = AuditCheckpoint)))]
pub(crate) async fn audit_checkpoint(In(workspace): In) -> ApiResult<Json<AuditCheckpoint>> {
    let audit = workspace.audit();
    let checkpoint = audit.checkpoint().await?;
    let entries = checkpoint.lines().nth(1).and_then(|size| size.parse().ok());
    Ok(Json(AuditCheckpoint {
        entries: entries.unwrap_or_default(),
        key: audit.verifying_key_text(),
        checkpoint,
    }))
}
