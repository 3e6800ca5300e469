//! What an API answered: read up to a bound, judged by its status, and made into a value.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde_json::Value;

use super::send::Nature;
use crate::drivers::{DriverError, rows};

/// The longest part of an error's text that is passed on, in characters.
const MAX_REASON: usize = 300;

/// An answer.
pub(super) struct Received {
    /// `GET https://…`, for messages.
    at: String,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: Vec<u8>,
    /// Why the body is not whole, when it is not.
    cut: Option<String>,
}

impl Received {
    /// Reads an answer of at most `most` bytes.
    pub(super) async fn read(
        at: String,
        mut response: reqwest::Response,
        most: usize,
        nature: Nature,
    ) -> Result<Self, reqwest::Error> {
        let mut received = Self {
            at,
            status: response.status(),
            headers: response.headers().clone(),
            body: Vec::new(),
            cut: None,
        };
        loop {
            match response.chunk().await {
                Ok(None) => return Ok(received),
                Ok(Some(chunk)) if received.body.len() + chunk.len() > most => {
                    received.cut = Some(format!("the answer is larger than {most} bytes"));
                    return Ok(received);
                }
                Ok(Some(chunk)) => received.body.extend_from_slice(&chunk),
                // The status has told already what became of a write.
                Err(error) if nature != Nature::Read => {
                    received.cut = Some(format!("the answer broke off ({error})"));
                    return Ok(received);
                }
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn size(&self) -> usize {
        self.body.len()
    }

    /// This answer when it is a good one; else what its status means.
    pub(super) fn success(self, nature: Nature) -> Result<Self, DriverError> {
        let status = self.status;
        if status.is_success() {
            return match &self.cut {
                Some(reason) if nature == Nature::Read => {
                    Err(DriverError::System(format!("{}: {reason}", self.at)))
                }
                _ => Ok(self),
            };
        }
        let said = format!("{} answered {}{}", self.at, status.as_u16(), self.reason());
        let unknown =
            |said: String| DriverError::Lost(format!("{said}; whether it happened is not known"));
        Err(match status {
            StatusCode::UNAUTHORIZED => {
                DriverError::Unavailable(format!("{said}: check the credentials"))
            }
            StatusCode::TOO_MANY_REQUESTS => DriverError::System(said),
            _ if nature == Nature::Read => DriverError::System(said),
            StatusCode::REQUEST_TIMEOUT => unknown(said),
            _ if status.is_server_error() || status.is_redirection() => unknown(said),
            _ => DriverError::System(said),
        })
    }

    /// The body as JSON, or as text when it is none.
    pub(super) fn value(&self) -> Value {
        if let Some(reason) = &self.cut {
            return serde_json::json!({"note": reason});
        }
        if self.body.is_empty() {
            return Value::Null;
        }
        match serde_json::from_slice(&self.body) {
            Ok(value) => rows::exact(value),
            Err(_) => Value::from(String::from_utf8_lossy(&self.body)),
        }
    }

    /// What the API says about its refusal, as far as it can be told from common shapes.
    fn reason(&self) -> String {
        let text = match serde_json::from_slice::<Value>(&self.body) {
            Ok(value) => [
                "/message",
                "/error/message",
                "/error_description",
                "/error",
                "/errors/0/message",
                "/errors/0/detail",
                "/errors/0",
                "/detail",
                "/title",
            ]
            .iter()
            .find_map(|pointer| value.pointer(pointer).and_then(Value::as_str))
            .unwrap_or_default()
            .to_owned(),
            Err(_) if self.is_html() => String::new(),
            Err(_) => String::from_utf8_lossy(&self.body).trim().to_owned(),
        };
        if text.is_empty() {
            return String::new();
        }
        format!(": {}", shortened(&text))
    }

    fn is_html(&self) -> bool {
        self.headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|kind| kind.contains("html"))
    }
}

/// As much of a vendor's words as is passed on.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(MAX_REASON).collect()
}

/// How long the vendor asks to wait: `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), or the
/// moment that `X-RateLimit-Reset` names when nothing remains.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(value) = text(RETRY_AFTER.as_str()) {
        if let Ok(seconds) = value.trim().parse::<u64>() {
            return Some(Duration::from_secs(seconds.min(86_400)));
        }
        let at = jiff::fmt::rfc2822::parse(value.trim()).ok()?.timestamp();
        return Some(until(at));
    }
    if text("x-ratelimit-remaining").is_some_and(|left| left.trim() == "0") {
        let seconds = text("x-ratelimit-reset")?.trim().parse().ok()?;
        return Some(until(jiff::Timestamp::from_second(seconds).ok()?));
    }
    None
}

fn until(at: jiff::Timestamp) -> Duration {
    let wait = at.duration_since(jiff::Timestamp::now());
    Duration::try_from(wait)
        .unwrap_or_default()
        .min(Duration::from_secs(86_400))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    reqwest::header::HeaderName::from_static(name),
                    value.parse().unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn waiting_is_read_from_seconds_dates_and_resets() {
        assert_eq!(
            retry_after(&headers(&[("retry-after", "7")])),
            Some(Duration::from_secs(7))
        );
        assert_eq!(
            retry_after(&headers(&[(
                "retry-after",
                "Sun, 06 Nov 1994 08:49:37 GMT"
            )])),
            Some(Duration::ZERO)
        );
        assert_eq!(
            retry_after(&headers(&[
                ("x-ratelimit-remaining", "0"),
                ("x-ratelimit-reset", "1")
            ])),
            Some(Duration::ZERO)
        );
        assert_eq!(
            retry_after(&headers(&[
                ("x-ratelimit-remaining", "9"),
                ("x-ratelimit-reset", "1")
            ])),
            None
        );
        assert_eq!(retry_after(&headers(&[("retry-after", "soon")])), None);
        let absurd = retry_after(&headers(&[("retry-after", "99999999999999")]));
        assert_eq!(absurd, Some(Duration::from_secs(86_400)));
    }
}
