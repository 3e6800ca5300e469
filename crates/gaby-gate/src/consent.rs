//! What each connector was granted, by whom, and that it can be taken back at once.

use gaby_model::{ConsentId, Timestamp, UserId};
use gaby_store::Workspace;
use gaby_store::audit::{Actor, AuditRecord};
use gaby_store::consents::{Consent, ConsentKind, Grant};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::GateError;
use crate::scope::Scope;

/// What a connector may be used for now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Its scope.
    pub scope: Scope,
    /// The environment that it stands for; empty when not said.
    #[serde(default)]
    pub environment: String,
    /// Connectors that may be told what it says; `*` for any.
    #[serde(default)]
    pub may_tell: Vec<String>,
    /// Why it may no longer be used, if it was taken back.
    #[serde(default)]
    pub revoked: Option<String>,
}

/// What a connector may be used for now. One that was set up before grants were kept has the scope
/// `read_write`, within its autonomy.
///
/// # Errors
/// When the store fails, or the grant is not one that this version knows.
pub async fn standing(workspace: &Workspace, connector: &str) -> Result<Standing, GateError> {
    match workspace.grant(connector).await? {
        None => Ok(Standing::default()),
        Some(grant) => read(connector, grant),
    }
}

/// What a connector might be used for by a grant as the consent log keeps it; none for null, which
/// stands for no grant at all.
///
/// # Errors
/// When the grant is not one that this version knows.
pub fn standing_of(connector: &str, grant: &Value) -> Result<Option<Standing>, GateError> {
    let grant: Option<Grant> = serde_json::from_value(grant.clone()).map_err(|error| {
        gaby_store::StoreError::Corrupt(format!("a grant of `{connector}`: {error}"))
    })?;
    grant.map(|grant| read(connector, grant)).transpose()
}

fn read(connector: &str, grant: Grant) -> Result<Standing, GateError> {
    Ok(Standing {
        scope: serde_json::from_value(grant.scope).map_err(|error| {
            gaby_store::StoreError::Corrupt(format!("the scope of `{connector}`: {error}"))
        })?,
        environment: grant.environment,
        may_tell: grant.may_tell,
        revoked: grant.revoked,
    })
}

/// Grants a connector what it may be used for, or changes it. A grant that was taken back holds
/// again. `by` is none for the command line.
///
/// # Errors
/// When the store fails.
pub async fn grant(
    workspace: &Workspace,
    connector: &str,
    standing: &Standing,
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<(), GateError> {
    let grant = Grant {
        connector: connector.to_owned(),
        scope: json!(standing.scope),
        environment: standing.environment.clone(),
        may_tell: standing.may_tell.clone(),
        revoked: None,
        updated_at: now,
    };
    let mut tx = workspace.begin().await?;
    let before = tx.grant(connector).await?;
    let kind = match &before {
        Some(before) if before.revoked.is_none() => ConsentKind::Changed,
        _ => ConsentKind::Connected,
    };
    record(&mut tx, grant, before, kind, by, now).await?;
    Ok(tx.commit().await?)
}

/// Takes a grant back. From the moment this returns, no call of the connector is let through and no
/// write of it is sent, also not by an investigation that runs.
///
/// # Errors
/// When the store fails.
pub async fn revoke(
    workspace: &Workspace,
    connector: &str,
    why: &str,
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<(), GateError> {
    let mut tx = workspace.begin().await?;
    let before = tx.grant(connector).await?;
    let mut grant = before.clone().unwrap_or_else(|| Grant {
        connector: connector.to_owned(),
        scope: json!(Scope::ReadOnly),
        environment: String::new(),
        may_tell: Vec::new(),
        revoked: None,
        updated_at: now,
    });
    grant.revoked = Some(why.to_owned());
    grant.updated_at = now;
    record(&mut tx, grant, before, ConsentKind::Revoked, by, now).await?;
    Ok(tx.commit().await?)
}

async fn record(
    tx: &mut gaby_store::Tx,
    grant: Grant,
    before: Option<Grant>,
    kind: ConsentKind,
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<(), GateError> {
    let consent = Consent {
        id: ConsentId::generate(),
        connector: grant.connector.clone(),
        kind,
        by: by.cloned(),
        before: before.map_or(Value::Null, |before| json!(before)),
        after: json!(grant),
        at: now,
    };
    tx.put_grant(&grant, &consent).await?;
    let word = match kind {
        ConsentKind::Connected => "consent.connected",
        ConsentKind::Changed => "consent.changed",
        ConsentKind::Revoked => "consent.revoked",
    };
    tx.audit(AuditRecord {
        actor: by.map_or_else(
            || Actor::new("cli", ""),
            |user| Actor::new("user", user.as_str()),
        ),
        action: word.to_owned(),
        object: consent.id.to_string(),
        decision: json!({"connector": grant.connector}),
        content: json!(consent),
        at: now,
    });
    Ok(())
}
