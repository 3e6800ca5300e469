//! What a route asks of its caller.

use gaby_store::accounts::Role;

use crate::auth::caller::Caller;
use crate::error::ApiError;

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Nothing.
    Anyone,
    /// A session of any role.
    SignedIn,
    /// Viewer, or a token with `read`.
    Read,
    /// Agent, or a token with `tickets:write`.
    HandIn,
    /// Agent, in person: no token decides.
    Decide,
    /// Admin, or a token with `admin`.
    Administer,
    /// Admin, in person: no token makes tokens.
    GrantTokens,
    /// Admin of every workspace, in person: accounts belong to no workspace.
    ManagePeople,
}

impl Permission {
    /// The sentence the API document shows.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::SignedIn => "anybody who is signed in",
            Self::Read => "Viewer, or a token with scope `read`",
            Self::HandIn => "Agent, or a token with scope `tickets:write`",
            Self::Decide => "Agent, signed in: no token decides",
            Self::Administer => "Admin, or a token with scope `admin`",
            Self::GrantTokens => "Admin, signed in",
            Self::ManagePeople => "Admin of all workspaces, signed in",
        }
    }

    /// Ways to prove who is calling, as the API document names them.
    pub(crate) fn schemes(self) -> &'static [&'static str] {
        match self {
            Self::Anyone => &[],
            Self::Read | Self::HandIn | Self::Administer => &["session", "token"],
            Self::SignedIn | Self::Decide | Self::GrantTokens | Self::ManagePeople => &["session"],
        }
    }

    /// Whether this caller may.
    ///
    /// # Errors
    /// When not, with what would do.
    pub(crate) fn check(self, caller: &Caller) -> Result<(), ApiError> {
        let allowed = match caller {
            Caller::Person(person) => {
                let everywhere = person.user.workspaces.is_none();
                person.user.role >= self.least_role() && (self != Self::ManagePeople || everywhere)
            }
            Caller::Program(program) => self
                .scope()
                .is_some_and(|scope| program.token.scopes.iter().any(|held| held == scope)),
        };
        if allowed {
            return Ok(());
        }
        Err(ApiError::forbidden(format!(
            "you may not do this: it is for {}",
            self.describe()
        )))
    }

    fn least_role(self) -> Role {
        match self {
            Self::Anyone | Self::SignedIn | Self::Read => Role::Viewer,
            Self::HandIn | Self::Decide => Role::Agent,
            Self::Administer | Self::GrantTokens | Self::ManagePeople => Role::Admin,
        }
    }

    /// The scope a token needs; none where no token will do.
    pub(crate) fn scope(self) -> Option<&'static str> {
        match self {
            Self::Read => Some("read"),
            Self::HandIn => Some("tickets:write"),
            Self::Administer => Some("admin"),
            _ => None,
        }
    }
}
