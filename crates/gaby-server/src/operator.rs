//! The operator of this machine: whoever may read the store's key needs no password to act from the
//! command line, and the audit log still says who it was.

use gaby_model::{Clock as _, SystemClock, UserId};
use gaby_store::accounts::{Role, User};
use gaby_store::{Store, StoreError};

const ADDRESS: &str = "operator@localhost";
/// Not a hash of anything: nobody signs in with it.
const NO_PASSWORD: &str = "!";

/// The operator's account, made when it is first needed. It cannot sign in.
///
/// # Errors
/// When the store fails.
pub async fn operator(store: &Store) -> Result<User, StoreError> {
    let accounts = store.accounts();
    if let Some(user) = accounts.user_by_email(ADDRESS).await? {
        return Ok(user);
    }
    let user = User {
        id: UserId::generate(),
        email: ADDRESS.to_owned(),
        name: "Operator".to_owned(),
        role: Role::Admin,
        workspaces: None,
        password_hash: NO_PASSWORD.to_owned(),
        created_at: SystemClock.now(),
    };
    accounts.add_user(&user).await?;
    Ok(user)
}

/// Whether an account is the operator's, which nobody can sign in with.
pub(crate) fn is_operator(user: &User) -> bool {
    user.password_hash == NO_PASSWORD
}
