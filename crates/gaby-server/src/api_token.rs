//! API tokens: keys for programs, limited in what they may do and for how long.

use gaby_model::{Timestamp, TokenId};
use gaby_store::accounts::TokenRecord;
use gaby_store::{StoreError, Workspace};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::secret::new_api_token;

/// For how many days a token works unless said otherwise.
pub const DEFAULT_DAYS: u32 = 90;
const LONGEST_DAYS: u32 = 365;
const DAY: i64 = 86_400_000;
/// What stands before the name of a source among the scopes that are kept.
const SOURCE: &str = "source:";
/// The most sources of one token, and the longest name of one.
const MOST_SOURCES: usize = 20;
const LONGEST_SOURCE: usize = 100;

/// What a token may do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
pub enum Scope {
    /// Read everything a Viewer reads.
    #[serde(rename = "read")]
    Read,
    /// Hand in tickets and messages.
    #[serde(rename = "tickets:write")]
    TicketsWrite,
    /// Set up connectors.
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    /// The word in requests and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::TicketsWrite => "tickets:write",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Read, Self::TicketsWrite, Self::Admin]
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a scope: use read, tickets:write or admin"))
    }
}

/// A token that somebody wants made.
#[derive(Debug, Clone)]
pub struct TokenOrder {
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The sources that it may speak for, of those that the operator settled something about: their
    /// word may vouch for requesters. A source that nothing is settled about needs no grant.
    pub sources: Vec<String>,
    /// For how many days.
    pub days: u32,
}

/// Why a token is not made.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It would not be known what it is for.
    #[error("`name` must have 1 to 200 characters: say what the token is for")]
    Name,
    /// It could do nothing.
    #[error("`scopes` must name at least one of read, tickets:write, admin")]
    Scopes,
    /// A source has no name, or there are too many.
    #[error(
        "`sources` must be at most {MOST_SOURCES} names of sources, each of 1 to {LONGEST_SOURCE} characters"
    )]
    Sources,
    /// It speaks for a source, and may hand nothing in.
    #[error("`sources` is for a token that hands tickets in: give it the scope tickets:write")]
    SourcesWithoutTickets,
    /// It would work for too short or too long.
    #[error("`days` must be 1 to {LONGEST_DAYS}")]
    Days,
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TokenOrder {
    /// Makes the token: its secret, which is not kept, and what is kept of it.
    ///
    /// # Errors
    /// When the order is not good, or the token cannot be stored.
    pub async fn place(
        self,
        workspace: &Workspace,
        now: Timestamp,
    ) -> Result<(String, TokenRecord), TokenError> {
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > 200 {
            return Err(TokenError::Name);
        }
        if self.scopes.is_empty() {
            return Err(TokenError::Scopes);
        }
        let fits =
            |source: &String| !source.trim().is_empty() && source.chars().count() <= LONGEST_SOURCE;
        if self.sources.len() > MOST_SOURCES || !self.sources.iter().all(fits) {
            return Err(TokenError::Sources);
        }
        if !self.sources.is_empty() && !self.scopes.contains(&Scope::TicketsWrite) {
            return Err(TokenError::SourcesWithoutTickets);
        }
        if !(1..=LONGEST_DAYS).contains(&self.days) {
            return Err(TokenError::Days);
        }
        let mut scopes = self.scopes;
        scopes.sort_unstable();
        scopes.dedup();
        let mut sources = self.sources;
        sources.sort_unstable();
        sources.dedup();
        let record = TokenRecord {
            id: TokenId::generate(),
            workspace: workspace.id().clone(),
            name: name.to_owned(),
            scopes: scopes
                .iter()
                .map(|scope| scope.as_str().to_owned())
                .chain(sources.iter().map(|source| format!("{SOURCE}{source}")))
                .collect(),
            created_at: now,
            expires_at: Some(now.plus_millis(i64::from(self.days) * DAY)),
            used_at: None,
        };
        let token = new_api_token();
        workspace
            .store()
            .accounts()
            .add_token(workspace, &record, &token)
            .await?;
        Ok((token, record))
    }
}

/// The scopes of a token, without the sources that are kept beside them.
#[must_use]
pub fn scopes_of(token: &TokenRecord) -> Vec<Scope> {
    let scopes = token.scopes.iter();
    scopes.filter_map(|scope| scope.parse().ok()).collect()
}

/// The sources that a token may speak for.
#[must_use]
pub fn sources_of(token: &TokenRecord) -> Vec<String> {
    let scopes = token.scopes.iter();
    scopes
        .filter_map(|scope| scope.strip_prefix(SOURCE).map(str::to_owned))
        .collect()
}
