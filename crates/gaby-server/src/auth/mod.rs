//! Who is calling, and whether they may: passwords, sessions, API tokens, and the check that every
//! route passes through.

pub(crate) mod account;
pub(crate) mod attempts;
pub(crate) mod caller;
pub(crate) mod cookie;
pub(crate) mod forgery;
pub(crate) mod password;
pub(crate) mod secret;
pub(crate) mod visitor;
