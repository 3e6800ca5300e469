//! What proves to an API who asks.

use std::time::Instant;

use base64::Engine as _;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue, InvalidHeaderValue};
use tokio::sync::Mutex;

use super::oauth::TokenClient;
use crate::drivers::{DriverError, Given};
use crate::manifest::Auth;
use crate::net::Guard;
use crate::template::{Encoding, render};

/// What makes the header that authenticates. It goes to the base URL's own origin only.
pub(super) enum Credentials {
    /// Nothing does.
    None,
    /// The same each time.
    Fixed(HeaderName, HeaderValue),
    /// With a token that ends.
    Token(Box<TokenClient>),
}

impl Credentials {
    pub(super) fn render(
        auth: Option<&Auth>,
        given: &Given,
        guard: &Guard,
    ) -> Result<Self, DriverError> {
        let context = given.context();
        let fill = |field: &str, template: &str| {
            render(template, &context, Encoding::Plain)
                .map_err(|error| DriverError::Settings(format!("`auth.{field}`: {error}")))
        };
        let (name, value) = match auth {
            None | Some(Auth::None) => return Ok(Self::None),
            Some(Auth::Bearer { token }) => {
                (AUTHORIZATION, format!("Bearer {}", fill("token", token)?))
            }
            Some(Auth::Basic { username, password }) => {
                let username = fill("username", username)?;
                if username.contains(':') {
                    return Err(DriverError::Settings(
                        "`auth.username` holds a colon, which ends a user name".into(),
                    ));
                }
                let pair = format!("{username}:{}", fill("password", password)?);
                let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
                (AUTHORIZATION, format!("Basic {encoded}"))
            }
            Some(Auth::OAuth2ClientCredentials {
                token_url,
                client_id,
                client_secret,
                scope,
                audience,
                client_auth,
            }) => {
                let url = guard
                    .url(&fill("token_url", token_url)?)
                    .map_err(|error| DriverError::Settings(format!("`auth.token_url`: {error}")))?;
                return Ok(Self::Token(Box::new(TokenClient {
                    url,
                    id: fill("client_id", client_id)?,
                    secret: fill("client_secret", client_secret)?.into(),
                    scope: fill("scope", scope)?,
                    audience: fill("audience", audience)?,
                    sent_in: *client_auth,
                    held: Mutex::new(None),
                })));
            }
            Some(Auth::Header { name, value }) => {
                let header = HeaderName::try_from(name.as_str()).map_err(|_| {
                    DriverError::Settings(format!("`auth.name` is not a header's name: `{name}`"))
                })?;
                (header, fill("value", value)?)
            }
        };
        let value = secret_header(value).map_err(|_| {
            DriverError::Settings(
                "the credentials hold a character that cannot be sent in a header".into(),
            )
        })?;
        Ok(Self::Fixed(name, value))
    }

    /// The header, for which a token may have to be fetched first.
    pub(super) async fn header(
        &self,
        http: &reqwest::Client,
        guard: &Guard,
        deadline: Instant,
    ) -> Result<Option<(HeaderName, HeaderValue)>, DriverError> {
        Ok(match self {
            Self::None => None,
            Self::Fixed(name, value) => Some((name.clone(), value.clone())),
            Self::Token(client) => {
                let value = client.header(http, guard, deadline).await?;
                Some((AUTHORIZATION, value))
            }
        })
    }

    /// Whether what was refused in a request is worth another try, with a token that is newer than it.
    pub(super) async fn renew(&self, request: Instant) -> bool {
        match self {
            Self::None | Self::Fixed(..) => false,
            Self::Token(client) => client.drop_older_than(request).await,
        }
    }
}

/// A header's value that is never shown in logs.
pub(super) fn secret_header(text: String) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::try_from(text)?;
    value.set_sensitive(true);
    Ok(value)
}
