//! Whether a change was asked for by our own console, and not by a page of somebody else's in the
//! same browser.

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;

use crate::error::ApiError;

/// The header that carries a session's token against forgery.
pub(crate) const CSRF_HEADER: &str = "x-gaby-csrf";

/// Refuses what another site's page asks for. Browsers say where a request comes from in
/// `Sec-Fetch-Site`, older ones in `Origin`; programs that are no browser send neither.
///
/// # Errors
/// When the request comes from elsewhere.
pub(crate) fn refuse_other_sites(headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let refused = || ApiError::forbidden("this request came from another site");
    match text("sec-fetch-site") {
        Some("same-origin" | "none") => return Ok(()),
        Some(_) => return Err(refused()),
        None => {}
    }
    let Some(origin) = text("origin") else {
        return Ok(());
    };
    let host = text(header::HOST.as_str()).unwrap_or("");
    let same = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"))
        .is_some_and(|authority| authority == host);
    if same { Ok(()) } else { Err(refused()) }
}

/// Refuses a change that does not carry its session's token.
///
/// # Errors
/// When the header is missing or wrong.
pub(crate) fn require_token(headers: &HeaderMap, session_token: &str) -> Result<(), ApiError> {
    let expected = super::secret::csrf_of(session_token);
    let given = headers
        .get(CSRF_HEADER)
        .map_or(&[][..], |value| value.as_bytes());
    if bool::from(given.ct_eq(expected.as_bytes())) {
        return Ok(());
    }
    Err(ApiError::forbidden(
        "the header X-Gaby-CSRF is missing or stale: send the `csrf` of GET /api/session",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn only_our_own_pages_and_programs_may_ask_for_changes() {
        for (pairs, allowed) in [
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "none")], true),
            (vec![], true),
            (
                vec![
                    ("origin", "http://127.0.0.1:8080"),
                    ("host", "127.0.0.1:8080"),
                ],
                true,
            ),
            (vec![("sec-fetch-site", "cross-site")], false),
            (vec![("sec-fetch-site", "same-site")], false),
            (
                vec![("origin", "https://evil.example"), ("host", "gaby.example")],
                false,
            ),
            (vec![("origin", "null"), ("host", "gaby.example")], false),
            (
                vec![
                    ("origin", "https://gaby.example.evil"),
                    ("host", "gaby.example"),
                ],
                false,
            ),
            (
                vec![
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://gaby.example"),
                    ("host", "gaby.example"),
                ],
                false,
            ),
        ] {
            assert_eq!(
                refuse_other_sites(&headers(&pairs)).is_ok(),
                allowed,
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn the_token_of_another_session_does_not_do() {
        let mut map = HeaderMap::new();
        assert!(require_token(&map, "mine").is_err());
        let other = super::super::secret::csrf_of("other");
        map.insert(CSRF_HEADER, HeaderValue::from_str(&other).unwrap());
        assert!(require_token(&map, "mine").is_err());
        let mine = super::super::secret::csrf_of("mine");
        map.insert(CSRF_HEADER, HeaderValue::from_str(&mine).unwrap());
        assert!(require_token(&map, "mine").is_ok());
    }
}
