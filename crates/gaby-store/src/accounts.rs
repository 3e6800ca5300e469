//! People, their sessions, API tokens and the first-run link. They belong to the instance, not to a
//! workspace, and are sealed with the instance's own key.
//!
//! Tokens are kept as SHA-256 only: whoever reads the database cannot sign in with what is there.

use gaby_model::{SessionId, Timestamp, TokenId, UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::Result;
use crate::error::StoreError;
use crate::sql::{Row, query};
use crate::store::Store;
use crate::workspace::{Workspace, as_word, content_of, parsed};

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Also answers and decides.
    Agent,
    /// Also sets up.
    Admin,
}

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The address they sign in with.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The workspaces they see; none: all.
    #[serde(default)]
    pub workspaces: Option<Vec<WorkspaceId>>,
    /// Argon2id, as a PHC string.
    pub password_hash: String,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// A signed-in browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its id.
    pub id: SessionId,
    /// Who.
    pub user: UserId,
    /// SHA-256 of the token that guards against forged requests.
    pub csrf_hash: Vec<u8>,
    /// Since when.
    pub created_at: Timestamp,
    /// Last seen.
    pub seen_at: Timestamp,
    /// Until when at most.
    pub expires_at: Timestamp,
}

/// An API token, without the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Its id.
    pub id: TokenId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// What it is for.
    pub name: String,
    /// What it may do, such as `tickets:write`.
    pub scopes: Vec<String>,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when, if not for ever.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Last used.
    #[serde(default)]
    pub used_at: Option<Timestamp>,
}

/// SHA-256 of a token: the only form in which it is kept.
#[must_use]
pub fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Accounts of the instance.
pub struct Accounts<'a>(&'a Store);

impl Store {
    /// Users, sessions, API tokens and the first-run link.
    #[must_use]
    pub fn accounts(&self) -> Accounts<'_> {
        Accounts(self)
    }
}

impl Accounts<'_> {
    fn email_hash(&self, email: &str) -> Vec<u8> {
        let folded = email.trim().to_lowercase();
        self.0.inner.instance.blind("user-email", folded.as_bytes())
    }

    fn user(&self, row: &Row) -> Result<User> {
        let id: String = row.get(0)?;
        self.0
            .inner
            .instance
            .content
            .open_json(content_of("users", &id), row.bytes(1)?)
    }

    /// Adds a user.
    ///
    /// # Errors
    /// When somebody has this address already.
    pub async fn add_user(&self, user: &User) -> Result<()> {
        let id = user.id.as_str();
        let content = self
            .0
            .inner
            .instance
            .content
            .seal_json(content_of("users", id), user)?;
        let added = query(
            "INSERT INTO users (id, email, role, created_at, content) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (email) DO NOTHING",
        )
        .bind(id)
        .bind(self.email_hash(&user.email))
        .bind(as_word(&user.role)?)
        .bind(user.created_at.as_millis())
        .bind(content)
        .execute(self.0.inner.db.writer())
        .await?
        .rows_affected();
        if added == 0 {
            return Err(StoreError::Exists(format!("an account for {}", user.email)));
        }
        Ok(())
    }

    /// Replaces what is known of a user; the address stays.
    ///
    /// # Errors
    /// When there is no such user.
    pub async fn update_user(&self, user: &User) -> Result<()> {
        let id = user.id.as_str();
        let content = self
            .0
            .inner
            .instance
            .content
            .seal_json(content_of("users", id), user)?;
        let changed = query("UPDATE users SET role = $1, content = $2 WHERE id = $3")
            .bind(as_word(&user.role)?)
            .bind(content)
            .bind(id)
            .execute(self.0.inner.db.writer())
            .await?
            .rows_affected();
        if changed == 0 {
            return Err(StoreError::NotFound {
                what: "user",
                id: id.to_owned(),
            });
        }
        Ok(())
    }

    /// Every user, oldest first.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn users(&self) -> Result<Vec<User>> {
        let rows = query("SELECT id, content FROM users ORDER BY id")
            .fetch_all(self.0.inner.db.reader())
            .await?;
        rows.iter().map(|row| self.user(row)).collect()
    }

    /// The user of this id, if there is one.
    ///
    /// # Errors
    /// When the database fails or the row does not open.
    pub async fn user_by_id(&self, id: &UserId) -> Result<Option<User>> {
        let row = query("SELECT id, content FROM users WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(self.0.inner.db.reader())
            .await?;
        row.map(|row| self.user(&row)).transpose()
    }

    /// The user who signs in with this address, if there is one.
    ///
    /// # Errors
    /// When the database fails or the row does not open.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        let row = query("SELECT id, content FROM users WHERE email = $1")
            .bind(self.email_hash(email))
            .fetch_optional(self.0.inner.db.reader())
            .await?;
        row.map(|row| self.user(&row)).transpose()
    }

    /// Removes a user with all sessions. Tells whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_user(&self, id: &UserId) -> Result<bool> {
        let removed = query("DELETE FROM users WHERE id = $1")
            .bind(id.as_str())
            .execute(self.0.inner.db.writer())
            .await?
            .rows_affected();
        Ok(removed > 0)
    }

    /// Adds a session for a token that only the browser knows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_session(&self, session: &SessionRecord, token: &str) -> Result<()> {
        query(
            "INSERT INTO sessions \
             (id, user_id, token_hash, csrf_hash, created_at, seen_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(session.id.as_str())
        .bind(session.user.as_str())
        .bind(token_hash(token))
        .bind(session.csrf_hash.clone())
        .bind(session.created_at.as_millis())
        .bind(session.seen_at.as_millis())
        .bind(session.expires_at.as_millis())
        .execute(self.0.inner.db.writer())
        .await?;
        Ok(())
    }

    /// The session of a token, if there is one; whether it is still good is the caller's to say.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&self, token: &str) -> Result<Option<SessionRecord>> {
        let row = query(
            "SELECT id, user_id, csrf_hash, created_at, seen_at, expires_at FROM sessions \
             WHERE token_hash = $1",
        )
        .bind(token_hash(token))
        .fetch_optional(self.0.inner.db.reader())
        .await?;
        row.map(|row| session(&row)).transpose()
    }

    /// The sessions of a user, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions_of(&self, user: &UserId) -> Result<Vec<SessionRecord>> {
        let rows = query(
            "SELECT id, user_id, csrf_hash, created_at, seen_at, expires_at FROM sessions \
             WHERE user_id = $1 ORDER BY id DESC",
        )
        .bind(user.as_str())
        .fetch_all(self.0.inner.db.reader())
        .await?;
        rows.iter().map(session).collect()
    }

    /// Notes that a session was seen, and replaces its guard token's hash when one is given.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_session(
        &self,
        id: &SessionId,
        now: Timestamp,
        csrf_hash: Option<Vec<u8>>,
    ) -> Result<()> {
        query(
            "UPDATE sessions SET seen_at = $1, csrf_hash = COALESCE($2, csrf_hash) WHERE id = $3",
        )
        .bind(now.as_millis())
        .bind(csrf_hash)
        .bind(id.as_str())
        .execute(self.0.inner.db.writer())
        .await?;
        Ok(())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_session(&self, id: &SessionId) -> Result<()> {
        query("DELETE FROM sessions WHERE id = $1")
            .bind(id.as_str())
            .execute(self.0.inner.db.writer())
            .await?;
        Ok(())
    }

    /// Makes the first-run link good until a moment; earlier ones are void.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_setup_link(&self, token: &str, expires_at: Timestamp) -> Result<()> {
        let mut tx = self.0.inner.db.begin().await?;
        query("DELETE FROM setup_links").execute(&mut tx).await?;
        query("INSERT INTO setup_links (token_hash, expires_at) VALUES ($1, $2)")
            .bind(token_hash(token))
            .bind(expires_at.as_millis())
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Uses the first-run link up. `false`: it is not a good one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn use_setup_link(&self, token: &str, now: Timestamp) -> Result<bool> {
        let used = query("DELETE FROM setup_links WHERE token_hash = $1 AND expires_at > $2")
            .bind(token_hash(token))
            .bind(now.as_millis())
            .execute(self.0.inner.db.writer())
            .await?
            .rows_affected();
        Ok(used == 1)
    }

    /// Adds an API token of a workspace.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_token(
        &self,
        workspace: &Workspace,
        record: &TokenRecord,
        token: &str,
    ) -> Result<()> {
        query(
            "INSERT INTO api_tokens (id, workspace, token_hash, created_at, expires_at, content) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(record.id.as_str())
        .bind(workspace.id().as_str())
        .bind(token_hash(token))
        .bind(record.created_at.as_millis())
        .bind(record.expires_at.map(Timestamp::as_millis))
        .bind(workspace.seal("api_tokens", record.id.as_str(), record)?)
        .execute(self.0.inner.db.writer())
        .await?;
        Ok(())
    }

    /// The API token and its workspace, if it is a good one; notes that it was used.
    ///
    /// # Errors
    /// When the database fails or the row does not open.
    pub async fn token(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<(TokenRecord, Workspace)>> {
        let row = query(
            "SELECT id, content, used_at, workspace FROM api_tokens \
             WHERE token_hash = $1 AND (expires_at IS NULL OR expires_at > $2)",
        )
        .bind(token_hash(token))
        .bind(now.as_millis())
        .fetch_optional(self.0.inner.db.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let workspace = self.0.workspace(&row.get::<String>(3)?).await?;
        let record = token_record(&workspace, &row)?;
        // To the minute is enough, and spares a write for each request.
        let stale = record
            .used_at
            .is_none_or(|used| now.millis_since(used) > 60_000);
        if stale {
            let noted = query("UPDATE api_tokens SET used_at = $1 WHERE id = $2")
                .bind(now.as_millis())
                .bind(record.id.as_str())
                .execute(self.0.inner.db.writer())
                .await;
            // A database that takes no writes now can still be read.
            if let Err(error) = noted {
                tracing::warn!(%error, token = %record.id, "the use of a token could not be noted");
            }
        }
        Ok(Some((record, workspace)))
    }

    /// The API tokens of a workspace, newest first.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn tokens(&self, workspace: &Workspace) -> Result<Vec<TokenRecord>> {
        let rows = query(
            "SELECT id, content, used_at, workspace FROM api_tokens WHERE workspace = $1 \
             ORDER BY id DESC",
        )
        .bind(workspace.id().as_str())
        .fetch_all(self.0.inner.db.reader())
        .await?;
        rows.iter()
            .map(|row| token_record(workspace, row))
            .collect()
    }

    /// Revokes an API token. Tells whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_token(&self, workspace: &Workspace, id: &TokenId) -> Result<bool> {
        let removed = query("DELETE FROM api_tokens WHERE id = $1 AND workspace = $2")
            .bind(id.as_str())
            .bind(workspace.id().as_str())
            .execute(self.0.inner.db.writer())
            .await?
            .rows_affected();
        Ok(removed > 0)
    }
}

fn token_record(workspace: &Workspace, row: &Row) -> Result<TokenRecord> {
    let id: String = row.get(0)?;
    let mut record: TokenRecord = workspace.unseal("api_tokens", &id, row.bytes(1)?)?;
    record.used_at = row.get::<Option<i64>>(2)?.map(Timestamp::from_millis);
    Ok(record)
}

fn session(row: &Row) -> Result<SessionRecord> {
    Ok(SessionRecord {
        id: parsed(&row.get::<String>(0)?)?,
        user: parsed(&row.get::<String>(1)?)?,
        csrf_hash: row.get(2)?,
        created_at: Timestamp::from_millis(row.get(3)?),
        seen_at: Timestamp::from_millis(row.get(4)?),
        expires_at: Timestamp::from_millis(row.get(5)?),
    })
}
