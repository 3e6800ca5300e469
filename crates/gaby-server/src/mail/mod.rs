//! Mail to people: that an action waits for their decision, with a link that leads them to it.
//!
//! A mail decides nothing and tells little. It names the tool and the risk; what the ticket says and what
//! would be written is seen behind the link, by whoever signs in as the person it was made for.

mod approvals;
mod post;
mod settings;

pub(crate) use approvals::tell;
pub use post::Post;
pub use settings::{MailError, MailSettings, MailTls};
