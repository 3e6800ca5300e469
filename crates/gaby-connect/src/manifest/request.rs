//! Requests of `http` manifests.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// How to authenticate; every text is a template over `settings` and `secrets`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// Not at all.
    None,
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer {
        /// The token.
        token: String,
    },
    /// `Authorization: Basic …` (RFC 7617).
    Basic {
        /// The user.
        username: String,
        /// The password; empty for APIs that take the key as user.
        #[serde(default)]
        password: String,
    },
    /// A token fetched with the client's own id and secret (RFC 6749, section 4.4).
    #[serde(rename = "oauth2_client_credentials")]
    OAuth2ClientCredentials {
        /// Where tokens are given out.
        token_url: String,
        /// The client's id.
        client_id: String,
        /// Its secret.
        client_secret: String,
        /// What the token is to be good for, with blanks between; left out when empty.
        #[serde(default)]
        scope: String,
        /// Which API it is for, where the vendor asks for that; left out when empty.
        #[serde(default)]
        audience: String,
        /// How the client proves who it is.
        #[serde(default)]
        client_auth: ClientAuth,
    },
    /// A header of the vendor's own.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
}

/// How a client proves who it is to a token endpoint (RFC 6749, section 2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// In the `Authorization` header, which every server must take.
    #[default]
    Basic,
    /// In the form, as some vendors want it.
    Body,
}

/// HTTP methods that manifests use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, or does; a search when the request is marked `safe`.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Deletes.
    Delete,
}

/// One request; every text is a template over `args`, `settings` and `idempotency_key`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Its path below `connection.base_url`; what templates put in is percent-encoded.
    pub path: String,
    /// Its query parameters; empty values are left out.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Its headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Its body as JSON.
    #[serde(default)]
    pub json: Option<Value>,
    /// Its body as a form; empty values are left out.
    #[serde(default)]
    pub form: BTreeMap<String, String>,
    /// Whether a POST only reads.
    #[serde(default)]
    pub safe: bool,
    /// How to get further pages.
    #[serde(default)]
    pub paging: Option<Paging>,
}

/// How an API hands out further pages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// jq filter of a page to its list of items.
    pub items: String,
    /// Whether the next page is named by the `Link` header (RFC 8288).
    #[serde(default)]
    pub link: bool,
    /// jq filter of a page to the next page's URL.
    #[serde(default)]
    pub next: Option<String>,
    /// jq filter of a page to the next page's cursor.
    #[serde(default)]
    pub cursor: Option<String>,
    /// The query parameter that takes the cursor.
    #[serde(default)]
    pub param: Option<String>,
    /// The most pages that are fetched.
    #[serde(default = "five")]
    pub pages: u32,
}

/// How often an API may be asked: so many calls in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Calls in the time.
    pub calls: u32,
    /// The time.
    pub seconds: u32,
}

fn five() -> u32 {
    5
}
