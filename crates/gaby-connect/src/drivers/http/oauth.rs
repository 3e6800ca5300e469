//! OAuth 2.0 client credentials (RFC 6749, section 4.4): a token that is fetched with the client's own id
//! and secret, kept until shortly before it ends, and fetched anew when the API no longer takes it.

use std::time::{Duration, Instant};

use base64::Engine as _;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use url::{Url, form_urlencoded};

use super::answer::{Received, shortened};
use super::auth::secret_header;
use super::send::{Nature, explain, plain};
use crate::drivers::DriverError;
use crate::manifest::ClientAuth;
use crate::net::Guard;

/// The largest answer of a token endpoint that is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// A token is not used in its last part, in which it might end on the way.
const BEFORE_ITS_END: Duration = Duration::from_secs(30);
/// How long a token is used when its server does not say how long it lasts.
const WITHOUT_AN_END: Duration = Duration::from_secs(300);
/// No token is kept longer than this, whatever its server says.
const AT_MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// Fetches tokens, and keeps the one in use.
pub(super) struct TokenClient {
    pub(super) url: Url,
    pub(super) id: String,
    pub(super) secret: SecretString,
    pub(super) scope: String,
    pub(super) audience: String,
    pub(super) sent_in: ClientAuth,
    pub(super) held: Mutex<Option<Held>>,
}

/// A token in use, as its header.
pub(super) struct Held {
    header: HeaderValue,
    since: Instant,
    until: Instant,
}

/// RFC 6749, section 5.1.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: String,
    #[serde(default)]
    expires_in: Option<Value>,
}

impl TokenClient {
    /// The header with a token that still holds. Those who ask at one time wait for one answer.
    pub(super) async fn header(
        &self,
        http: &reqwest::Client,
        guard: &Guard,
        deadline: Instant,
    ) -> Result<HeaderValue, DriverError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut held = tokio::time::timeout(left, self.held.lock())
            .await
            .map_err(|_| DriverError::Timeout(left))?;
        if let Some(token) = held.as_ref()
            && Instant::now() < token.until
        {
            return Ok(token.header.clone());
        }
        *held = None;
        let token = self.fetch(http, guard, deadline).await?;
        let header = token.header.clone();
        *held = Some(token);
        Ok(header)
    }

    /// Drops the token in use, unless it is newer than the request that it was refused for. Whether one
    /// was dropped.
    pub(super) async fn drop_older_than(&self, request: Instant) -> bool {
        let mut held = self.held.lock().await;
        let older = held.as_ref().is_some_and(|token| token.since <= request);
        if older {
            *held = None;
        }
        older
    }

    async fn fetch(
        &self,
        http: &reqwest::Client,
        guard: &Guard,
        deadline: Instant,
    ) -> Result<Held, DriverError> {
        guard
            .check(&self.url)
            .map_err(|error| DriverError::Refused(error.to_string()))?;
        let at = format!("POST {}", plain(&self.url));
        let left = deadline.saturating_duration_since(Instant::now());
        let since = Instant::now();
        let mut request = http
            .post(self.url.clone())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .timeout(left)
            .body(self.form());
        if self.sent_in == ClientAuth::Basic {
            request = request.header(AUTHORIZATION, self.basic()?);
        }
        // A token that nobody receives changes nothing: asking again is as good as a read.
        let failed = |error: &reqwest::Error| explain(&at, error, Nature::Read, left);
        let response = request.send().await.map_err(|error| failed(&error))?;
        let received = Received::read(at.clone(), response, MAX_ANSWER_BYTES, Nature::Read)
            .await
            .map_err(|error| failed(&error))?;
        if !received.status.is_success() {
            return Err(refusal(&at, &received));
        }
        // Without a token nothing can be asked at all, whatever is wrong with it.
        let received = received
            .success(Nature::Read)
            .map_err(|error| DriverError::Unavailable(error.to_string()))?;
        let granted: Granted = serde_json::from_value(received.value()).map_err(|_| {
            DriverError::Unavailable(format!(
                "{at} did not answer with a token (RFC 6749, section 5.1): check `auth.token_url`"
            ))
        })?;
        if !granted.token_type.eq_ignore_ascii_case("bearer") {
            return Err(DriverError::Unavailable(format!(
                "{at} gave a token of type `{}`: only `Bearer` can be used",
                shortened(&granted.token_type)
            )));
        }
        let header = secret_header(format!("Bearer {}", granted.access_token)).map_err(|_| {
            DriverError::Unavailable(format!("{at} gave a token that cannot be sent in a header"))
        })?;
        Ok(Held {
            header,
            since,
            until: since + lifetime(granted.expires_in.as_ref()),
        })
    }

    fn form(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        for (name, value) in [("scope", &self.scope), ("audience", &self.audience)] {
            if !value.is_empty() {
                form.append_pair(name, value);
            }
        }
        if self.sent_in == ClientAuth::Body {
            form.append_pair("client_id", &self.id);
            form.append_pair("client_secret", self.secret.expose_secret());
        }
        form.finish()
    }

    /// Both halves are encoded as in a form before they are joined (RFC 6749, section 2.3.1).
    fn basic(&self) -> Result<HeaderValue, DriverError> {
        let encoded =
            |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!(
            "{}:{}",
            encoded(&self.id),
            encoded(self.secret.expose_secret())
        );
        let pair = base64::engine::general_purpose::STANDARD.encode(pair);
        secret_header(format!("Basic {pair}"))
            .map_err(|error| DriverError::Settings(format!("`auth`: {error}")))
    }
}

/// How long a token is used. Some servers write the seconds as a text.
fn lifetime(expires_in: Option<&Value>) -> Duration {
    let seconds = match expires_in {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    let Some(seconds) = seconds.filter(|seconds| *seconds >= 0.0) else {
        return WITHOUT_AN_END;
    };
    let whole = Duration::from_secs_f64(seconds.min(AT_MOST.as_secs_f64()));
    whole.saturating_sub(BEFORE_ITS_END.min(whole / 2))
}

/// A refusal in the words of RFC 6749, section 5.2, when it has them.
fn refusal(at: &str, received: &Received) -> DriverError {
    let said = received.value();
    let words: Vec<String> = ["error", "error_description"]
        .iter()
        .filter_map(|field| said[*field].as_str())
        .map(shortened)
        .collect();
    let said = match words.is_empty() {
        true => String::new(),
        false => format!(" ({})", words.join(": ")),
    };
    let status = received.status;
    let hint = match status.is_client_error() {
        true => ": check the client's id, its secret and the scope",
        false => "",
    };
    DriverError::Unavailable(format!(
        "{at} gave no token, but {}{said}{hint}",
        status.as_u16()
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_used_until_shortly_before_its_end() {
        for (said, seconds) in [
            (json!(3600), 3570.0),
            (json!("3600"), 3570.0),
            (json!(10), 5.0),
            (json!(0), 0.0),
            (json!(1e300), 86_370.0),
            (json!(-5), 300.0),
            (json!("soon"), 300.0),
            (json!(null), 300.0),
        ] {
            assert_eq!(lifetime(Some(&said)).as_secs_f64(), seconds, "{said}");
        }
        assert_eq!(lifetime(None), WITHOUT_AN_END);
    }
}
