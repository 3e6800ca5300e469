//! What proves to an API who asks.

use base64::Engine as _;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};

use crate::drivers::{DriverError, Given};
use crate::manifest::Auth;
use crate::template::{Encoding, render};

/// The header that authenticates, if one does. It goes to the base URL's own origin only.
pub(super) struct Credentials(Option<(HeaderName, HeaderValue)>);

impl Credentials {
    pub(super) fn render(auth: Option<&Auth>, given: &Given) -> Result<Self, DriverError> {
        let context = given.context();
        let fill = |field: &str, template: &str| {
            render(template, &context, Encoding::Plain)
                .map_err(|error| DriverError::Settings(format!("`auth.{field}`: {error}")))
        };
        let (name, value) = match auth {
            None | Some(Auth::None) => return Ok(Self(None)),
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
            Some(Auth::Header { name, value }) => {
                let header = HeaderName::try_from(name.as_str()).map_err(|_| {
                    DriverError::Settings(format!("`auth.name` is not a header's name: `{name}`"))
                })?;
                (header, fill("value", value)?)
            }
        };
        let mut value = HeaderValue::try_from(value).map_err(|_| {
            DriverError::Settings(
                "the credentials hold a character that cannot be sent in a header".into(),
            )
        })?;
        value.set_sensitive(true);
        Ok(Self(Some((name, value))))
    }

    /// The header.
    pub(super) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        self.0.clone()
    }
}
