//! The HTTP client of all providers: it follows no redirect, knows no proxy, reads no more than it
//! must and waits no longer than it may.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response};
use serde_json::Value;

use crate::address::Reach;

/// How long is waited, and how much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For a connection.
    pub connect: Duration,
    /// For the first byte of an answer.
    pub first_byte: Duration,
    /// For the next whole event of an answer. A byte now and then is no event.
    pub idle: Duration,
    /// Bytes of an answer.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(30),
            body: 8 << 20,
        }
    }
}

/// Bytes of an error's body that are read.
const ERROR_BODY: usize = 64 << 10;
/// Characters of a vendor's message that are kept.
const SHOWN: usize = 300;
/// Waits beyond this are the same as "not today".
const ABSURD: Duration = Duration::from_secs(24 * 3_600);

/// The client, which connects only where `reach` lets it.
pub(crate) fn client(reach: &Reach, limits: &Limits) -> Result<Client, reqwest::Error> {
    // Another part of the process may have chosen the provider already; either is good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .dns_resolver(std::sync::Arc::new(reach.clone()))
        // A redirect would carry the conversation and the key to a host that nobody named.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(limits.connect)
        .user_agent(concat!("gaby/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Why a request failed, down to the cause, without its URL.
pub(crate) fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    let mut causes = Vec::new();
    while let Some(next) = cause.source() {
        causes.push(next.to_string());
        cause = next;
    }
    causes.dedup();
    match causes.is_empty() {
        true => "the connection failed".to_owned(),
        false => causes.join(": "),
    }
}

/// The start of an error's body.
pub(crate) async fn small_body(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await? {
        body.extend_from_slice(&part);
        if body.len() >= ERROR_BODY {
            body.truncate(ERROR_BODY);
            break;
        }
    }
    Ok(body)
}

/// How long a vendor asks to wait: milliseconds in its own header, seconds or a date in the
/// standard one (RFC 9110, 10.2.3). What cannot be read is as if it were not there.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let number = |text: &str| {
        text.trim()
            .parse::<f64>()
            .ok()
            .filter(|n| n.is_finite() && *n >= 0.0)
    };
    if let Some(millis) = text("retry-after-ms").and_then(number) {
        return Some(Duration::from_secs_f64(
            (millis / 1_000.0).min(ABSURD.as_secs_f64()),
        ));
    }
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Some(seconds) = number(value) {
        return Some(Duration::from_secs_f64(seconds.min(ABSURD.as_secs_f64())));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(
        date.duration_since(now)
            .unwrap_or(Duration::ZERO)
            .min(ABSURD),
    )
}

/// What a vendor said with an error status, in a line.
pub(crate) fn message(status: u16, body: &[u8]) -> String {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    // Google wraps errors of streams in an array.
    let json = json.get(0).cloned().unwrap_or(json);
    let text = crate::wire::error_message(&json).unwrap_or_else(|| {
        String::from_utf8_lossy(&body[..body.len().min(4 * SHOWN)]).into_owned()
    });
    let hint = match status {
        401 | 403 => " (check the key and what it may do)",
        404 => " (check the address and the model's name)",
        300..=399 => " (redirects are not followed: give the final address)",
        _ => "",
    };
    format!("{}{hint}", line(&text))
}

/// Text from outside as one short line.
pub(crate) fn line(text: &str) -> String {
    let line: String = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .take(SHOWN)
        .collect();
    if line.is_empty() {
        "nothing more".to_owned()
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_all_its_forms() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let soon = httpdate::fmt_http_date(now + Duration::from_secs(7));
        let past = httpdate::fmt_http_date(now - Duration::from_secs(7));
        for (name, value, expected) in [
            ("retry-after", "3", Some(3_000)),
            ("retry-after", "0.5", Some(500)),
            ("retry-after-ms", "250", Some(250)),
            ("retry-after", soon.as_str(), Some(7_000)),
            ("retry-after", past.as_str(), Some(0)),
            (
                "retry-after",
                "999999999999",
                Some(ABSURD.as_millis() as u64),
            ),
            ("retry-after", "-5", None),
            ("retry-after", "inf", None),
            ("retry-after", "soon", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(
                name.parse::<reqwest::header::HeaderName>().unwrap(),
                value.parse().unwrap(),
            );
            let got = retry_after(&headers, now).map(|wait| wait.as_millis() as u64);
            assert_eq!(got, expected, "{name}: {value}");
        }
    }

    #[test]
    fn a_vendors_page_becomes_one_short_line() {
        let page = format!(
            "<html>\n<h1>502 Bad Gateway</h1>{}</html>",
            "x".repeat(5_000)
        );
        let line = message(502, page.as_bytes());
        assert!(line.len() <= SHOWN && !line.contains('\n'), "{line}");
        assert!(message(401, br#"{"error":{"message":"no"}}"#).starts_with("no (check the key"));
        assert!(message(400, br#"[{"error":{"message":"bad"}}]"#).starts_with("bad"));
    }
}
