//! Playbooks: YAML recipes for recurring tickets, followed without a language model.
//!
//! [`schema`] is the file's shape, [`load`] reads it with errors that name line and field, [`lint`]
//! finds what reads well but cannot work, [`expression`] evaluates conditions and templates within
//! bounds, and [`library`] is the set of playbooks a workspace uses. `docs/playbooks.md` is the
//! page for people who write them.

pub mod expression;
pub mod library;
pub mod lint;
pub mod load;
pub mod schema;

pub use library::{Playbooks, RoleMapping};
pub use lint::lint;
pub use load::{PlaybookError, parse};
pub use schema::Playbook;
