//! Connectors as the operator set them up, and the definitions of tools that were approved.

use gaby_model::{Autonomy, Event, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

use crate::Result;
use crate::error::StoreError;
use crate::seal::Place;
use crate::sql::{Row, query};
use crate::tx::Tx;
use crate::workspace::{Workspace, parsed};

/// A connector of a workspace.
#[derive(Debug, Clone)]
pub struct ConnectorRecord {
    /// Its name in this workspace.
    pub name: String,
    /// `manifest`, `mcp_stdio` or `mcp_http`.
    pub kind: String,
    /// How far Gaby may go with it.
    pub autonomy: Autonomy,
    /// Whatever its kind needs: manifest name, settings, command, overrides.
    pub config: serde_json::Value,
    /// Its secrets by key; sealed apart from the rest.
    pub secrets: BTreeMap<String, SecretString>,
    /// When it was connected.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The definition of a tool as it was approved.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolPin {
    /// The connector.
    pub connector: String,
    /// The tool.
    pub tool: String,
    /// SHA-256 over the canonical definition.
    pub hash: String,
    /// Whether a changed definition was seen and waits for the operator.
    pub suspended: bool,
    /// The definition as approved, in the server's own shape.
    pub definition: serde_json::Value,
}

/// The clear columns are for selecting. What decides is sealed as well, so that raising an autonomy
/// or lifting a suspension in the database gives an error and no right.
#[derive(Serialize, Deserialize)]
struct ConnectorContent {
    autonomy: Autonomy,
    config: serde_json::Value,
}

#[derive(Serialize, Deserialize)]
struct PinContent {
    hash: String,
    suspended: bool,
    definition: serde_json::Value,
}

fn not_as_sealed(what: &str, name: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} of `{name}` is not the one that was sealed"))
}

/// Reads of connectors.
pub struct Connectors<'a>(&'a Workspace);

/// Changes of connectors.
pub struct ConnectorsTx<'a>(&'a mut Tx);

impl Workspace {
    /// Connectors and tool pins.
    #[must_use]
    pub fn connectors(&self) -> Connectors<'_> {
        Connectors(self)
    }
}

impl Tx {
    /// Connectors and tool pins.
    pub fn connectors(&mut self) -> ConnectorsTx<'_> {
        ConnectorsTx(self)
    }
}

fn secrets_of(name: &str) -> Place<'_> {
    Place {
        table: "connectors",
        row: name,
        column: "secrets",
    }
}

/// Length-prefixed, so that a connector and a tool cannot be split another way.
fn pin_row(connector: &str, tool: &str) -> String {
    format!("{}:{connector}/{tool}", connector.len())
}

impl Connectors<'_> {
    /// Every connector, by name.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn list(&self) -> Result<Vec<ConnectorRecord>> {
        let rows = query(
            "SELECT name, kind, autonomy, created_at, updated_at, content, secrets \
             FROM connectors WHERE workspace = $1 ORDER BY name",
        )
        .bind(self.0.id().as_str())
        .fetch_all(self.0.db().reader())
        .await?;
        rows.iter().map(|row| record(self.0, row)).collect()
    }

    /// The connector of this name, if there is one.
    ///
    /// # Errors
    /// When the database fails or the row does not open.
    pub async fn get(&self, name: &str) -> Result<Option<ConnectorRecord>> {
        let row = query(
            "SELECT name, kind, autonomy, created_at, updated_at, content, secrets \
             FROM connectors WHERE workspace = $1 AND name = $2",
        )
        .bind(self.0.id().as_str())
        .bind(name)
        .fetch_optional(self.0.db().reader())
        .await?;
        row.map(|row| record(self.0, &row)).transpose()
    }

    /// The pins of a connector's tools, by tool.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn pins(&self, connector: &str) -> Result<Vec<ToolPin>> {
        let rows = query(
            "SELECT tool, hash, suspended, content FROM tool_pins \
             WHERE workspace = $1 AND connector = $2 ORDER BY tool",
        )
        .bind(self.0.id().as_str())
        .bind(connector)
        .fetch_all(self.0.db().reader())
        .await?;
        rows.iter()
            .map(|row| {
                let tool: String = row.get(0)?;
                let content: PinContent =
                    self.0
                        .unseal("tool_pins", &pin_row(connector, &tool), row.bytes(3)?)?;
                let suspended = row.get::<i64>(2)? != 0;
                if content.hash != row.get::<String>(1)? || content.suspended != suspended {
                    return Err(not_as_sealed("the pin", &tool));
                }
                Ok(ToolPin {
                    connector: connector.to_owned(),
                    hash: content.hash,
                    suspended,
                    definition: content.definition,
                    tool,
                })
            })
            .collect()
    }
}

impl ConnectorsTx<'_> {
    /// Adds a connector, or replaces what is known of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put(&mut self, connector: &ConnectorRecord) -> Result<()> {
        let workspace = self.0.workspace().clone();
        let plain: BTreeMap<&str, &str> = connector
            .secrets
            .iter()
            .map(|(key, secret)| (key.as_str(), secret.expose_secret()))
            .collect();
        let plain = Zeroizing::new(serde_json::to_vec(&plain).map_err(StoreError::corrupt)?);
        let secrets = workspace
            .keys()
            .secrets
            .seal(secrets_of(&connector.name), &plain);
        let content = ConnectorContent {
            autonomy: connector.autonomy,
            config: connector.config.clone(),
        };
        query(
            "INSERT INTO connectors \
             (workspace, name, kind, autonomy, created_at, updated_at, content, secrets) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (workspace, name) DO UPDATE SET \
             kind = excluded.kind, autonomy = excluded.autonomy, updated_at = excluded.updated_at, \
             content = excluded.content, secrets = excluded.secrets",
        )
        .bind(workspace.id().as_str())
        .bind(&connector.name)
        .bind(&connector.kind)
        .bind(connector.autonomy.as_str())
        .bind(connector.created_at.as_millis())
        .bind(connector.updated_at.as_millis())
        .bind(workspace.seal("connectors", &connector.name, &content)?)
        .bind(secrets)
        .execute(&mut self.0.inner)
        .await?;
        self.0.publish(Event::ConnectorChanged {
            connector: connector.name.clone(),
        });
        Ok(())
    }

    /// Removes a connector with its pins and secrets. Tells whether it was there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove(&mut self, name: &str) -> Result<bool> {
        let workspace = self.0.workspace().clone();
        let removed = query("DELETE FROM connectors WHERE workspace = $1 AND name = $2")
            .bind(workspace.id().as_str())
            .bind(name)
            .execute(&mut self.0.inner)
            .await?
            .rows_affected();
        self.0.publish(Event::ConnectorChanged {
            connector: name.to_owned(),
        });
        Ok(removed > 0)
    }

    /// Pins a tool's definition, or changes its pin.
    ///
    /// # Errors
    /// When there is no such connector, or the database fails.
    pub async fn put_pin(&mut self, pin: &ToolPin) -> Result<()> {
        let workspace = self.0.workspace().clone();
        let content = workspace.seal(
            "tool_pins",
            &pin_row(&pin.connector, &pin.tool),
            &PinContent {
                hash: pin.hash.clone(),
                suspended: pin.suspended,
                definition: pin.definition.clone(),
            },
        )?;
        query(
            "INSERT INTO tool_pins (workspace, connector, tool, hash, suspended, content) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace, connector, tool) DO UPDATE SET \
             hash = excluded.hash, suspended = excluded.suspended, content = excluded.content",
        )
        .bind(workspace.id().as_str())
        .bind(&pin.connector)
        .bind(&pin.tool)
        .bind(&pin.hash)
        .bind(i64::from(pin.suspended))
        .bind(content)
        .execute(&mut self.0.inner)
        .await?;
        Ok(())
    }

    /// Forgets the pin of a tool that is no longer offered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_pin(&mut self, connector: &str, tool: &str) -> Result<()> {
        let workspace = self.0.workspace().clone();
        query("DELETE FROM tool_pins WHERE workspace = $1 AND connector = $2 AND tool = $3")
            .bind(workspace.id().as_str())
            .bind(connector)
            .bind(tool)
            .execute(&mut self.0.inner)
            .await?;
        Ok(())
    }
}

fn record(workspace: &Workspace, row: &Row) -> Result<ConnectorRecord> {
    let name: String = row.get(0)?;
    let content: ConnectorContent = workspace.unseal("connectors", &name, row.bytes(5)?)?;
    let autonomy = parsed(&row.get::<String>(2)?)?;
    if content.autonomy != autonomy {
        return Err(not_as_sealed("the autonomy", &name));
    }
    let plain = workspace
        .keys()
        .secrets
        .open(secrets_of(&name), row.bytes(6)?)?;
    let secrets: BTreeMap<String, String> =
        serde_json::from_slice(&plain).map_err(StoreError::corrupt)?;
    Ok(ConnectorRecord {
        kind: row.get(1)?,
        autonomy,
        created_at: Timestamp::from_millis(row.get(3)?),
        updated_at: Timestamp::from_millis(row.get(4)?),
        config: content.config,
        secrets: secrets
            .into_iter()
            .map(|(key, secret)| (key, SecretString::from(secret)))
            .collect(),
        name,
    })
}
