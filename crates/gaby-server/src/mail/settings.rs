//! The operator's settings for mail, as in the `[mail]` section.

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

/// How mail is handed over, and to whom.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailSettings {
    /// The name of the mail server; no mail is sent, if not set.
    pub server: Option<String>,
    /// Its port: 587 if not set, with `tls = "implicit"` 465.
    pub port: Option<u16>,
    /// How the way there is encrypted.
    pub tls: MailTls,
    /// Whom to sign in as.
    pub user: Option<String>,
    /// With which password.
    #[serde(deserialize_with = "secret")]
    pub password: Option<SecretString>,
    /// Whom mail is from, such as `Gaby <gaby@example.com>`.
    pub from: String,
    /// The accounts that are told of waiting actions, by address; everybody who may decide, if empty.
    pub to: Vec<String>,
}

/// How the way to the mail server is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// With STARTTLS; a server that does not offer it is not used (RFC 3207).
    #[default]
    Starttls,
    /// From the first byte (RFC 8314).
    Implicit,
    /// Not at all; then no password is sent either.
    None,
}

/// Why mail cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The settings contradict themselves.
    #[error("the [mail] settings are wrong: {0}")]
    Settings(String),
    /// The server cannot be reached, or does not take the mail.
    #[error("the mail server {server} does not take mail: {reason}")]
    Server {
        /// Its name and port.
        server: String,
        /// What it said.
        reason: String,
    },
    /// A mail cannot be put together.
    #[error("no mail can be written to {0}: it is no address")]
    Address(String),
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(SecretString::from))
}

impl fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailSettings")
            .field("server", &self.server)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("from", &self.from)
            .field("has_password", &self.password.is_some())
            .finish_non_exhaustive()
    }
}
