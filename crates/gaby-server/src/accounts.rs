//! Who can sign in: making an account and changing its password, for the API and the command line.

use gaby_model::{Clock as _, SystemClock, Timestamp, UserId, WorkspaceId};
use gaby_store::accounts::{Role, User};
use gaby_store::{Store, StoreError};

use crate::auth::password::{PasswordError, Passwords};
use crate::operator::is_operator;

/// What a new account needs.
pub struct NewAccount {
    /// The address to sign in with.
    pub email: String,
    /// What to be called.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The workspaces they see; none: all.
    pub workspaces: Option<Vec<WorkspaceId>>,
    /// At least 12 characters.
    pub password: String,
}

/// Why an account is not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Nobody could sign in with it.
    #[error("`email` is not an e-mail address")]
    Email,
    /// Nobody could be called that.
    #[error("`name` must have 1 to 200 characters and no control characters")]
    Name,
    /// The password is too short or too long.
    #[error("{0}")]
    Password(String),
    /// The password could not be hashed here.
    #[error("{0}")]
    Hash(String),
    /// Somebody has the address.
    #[error("there is {0} already")]
    Taken(String),
    /// Nobody has it.
    #[error("nobody signs in with `{0}`")]
    Unknown(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PasswordError> for AccountError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Hash(_) => Self::Hash(error.to_string()),
            PasswordError::TooShort | PasswordError::TooLong => Self::Password(error.to_string()),
        }
    }
}

impl NewAccount {
    /// Makes the account.
    ///
    /// # Errors
    /// When a field is not good, or the address is taken.
    pub async fn make(self, store: &Store) -> Result<User, AccountError> {
        let user = self.checked(&Passwords::new(), SystemClock.now()).await?;
        add(store, user).await
    }

    /// Checks the fields and hashes the password, before anything is stored.
    pub(crate) async fn checked(
        self,
        passwords: &Passwords,
        now: Timestamp,
    ) -> Result<User, AccountError> {
        let email = self.email.trim().to_owned();
        let name = self.name.trim().to_owned();
        let shaped = email.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty() && !host.is_empty() && !host.contains('@')
        });
        let strange = |c: char| c.is_whitespace() || c.is_control();
        if !shaped || email.len() > 320 || email.chars().any(strange) {
            return Err(AccountError::Email);
        }
        if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
            return Err(AccountError::Name);
        }
        Ok(User {
            id: UserId::generate(),
            email,
            name,
            role: self.role,
            workspaces: self.workspaces,
            password_hash: passwords.hash(self.password).await?,
            created_at: now,
        })
    }
}

/// Stores an account that was checked.
pub(crate) async fn add(store: &Store, user: User) -> Result<User, AccountError> {
    match store.accounts().add_user(&user).await {
        Ok(()) => Ok(user),
        Err(StoreError::Exists(what)) => Err(AccountError::Taken(what)),
        Err(error) => Err(error.into()),
    }
}

/// The account of a person with this address.
///
/// # Errors
/// When nobody has it.
pub async fn person(store: &Store, email: &str) -> Result<User, AccountError> {
    let user = store.accounts().user_by_email(email.trim()).await?;
    user.filter(|user| !is_operator(user))
        .ok_or_else(|| AccountError::Unknown(email.chars().take(320).collect()))
}

/// Gives an account another password, and ends its sessions.
///
/// # Errors
/// When nobody has the address, or the password is too short or too long.
pub async fn set_password(
    store: &Store,
    email: &str,
    password: String,
) -> Result<User, AccountError> {
    let mut user = person(store, email).await?;
    user.password_hash = Passwords::new().hash(password).await?;
    store.accounts().update_user(&user).await?;
    for session in store.accounts().sessions_of(&user.id).await? {
        store.accounts().remove_session(&session.id).await?;
    }
    Ok(user)
}

/// Everybody who can sign in.
///
/// # Errors
/// When the store fails.
pub async fn people(store: &Store) -> Result<Vec<User>, AccountError> {
    let mut users = store.accounts().users().await?;
    users.retain(|user| !is_operator(user));
    Ok(users)
}
