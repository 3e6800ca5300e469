//! The cookie that carries a session's token.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite};

/// The cookie's name over TLS; the prefix makes browsers insist on Secure, Path=/ and no Domain.
const SECURE_NAME: &str = "__Host-gaby";
/// Its name on loopback without TLS, where browsers would refuse the prefix.
const PLAIN_NAME: &str = "gaby";

/// Whether the console is reached over TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// https, here or at the proxy before us.
    Tls,
    /// http on this machine.
    Loopback,
}

impl Transport {
    fn name(self) -> &'static str {
        match self {
            Self::Tls => SECURE_NAME,
            Self::Loopback => PLAIN_NAME,
        }
    }

    /// The session token that a request carries.
    pub(crate) fn session_token(self, headers: &HeaderMap) -> Option<String> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(Cookie::split_parse)
            .filter_map(Result::ok)
            .find(|cookie| cookie.name() == self.name())
            .map(|cookie| cookie.value().to_owned())
    }

    /// The header that hands a token to the browser.
    pub(crate) fn set(self, token: &str) -> Option<HeaderValue> {
        self.header(token, None)
    }

    /// The header that makes the browser forget it.
    pub(crate) fn clear(self) -> Option<HeaderValue> {
        self.header("", Some(cookie::time::Duration::ZERO))
    }

    fn header(self, value: &str, age: Option<cookie::time::Duration>) -> Option<HeaderValue> {
        let mut cookie = Cookie::build((self.name(), value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self == Self::Tls);
        if let Some(age) = age {
            cookie = cookie.max_age(age);
        }
        HeaderValue::from_str(&cookie.build().to_string()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_tls_the_cookie_is_bound_to_this_very_host() {
        let header = Transport::Tls.set("abc").unwrap();
        let text = header.to_str().unwrap();
        for part in [
            "__Host-gaby=abc",
            "HttpOnly",
            "SameSite=Lax",
            "Secure",
            "Path=/",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("Domain"));
        let plain = Transport::Loopback.set("abc").unwrap();
        assert!(plain.to_str().unwrap().starts_with("gaby=abc;"));
    }

    #[test]
    fn the_token_is_found_among_other_cookies_and_not_under_another_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; gaby=plain"));
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("__Host-gaby=secure"),
        );
        assert_eq!(
            Transport::Tls.session_token(&headers).as_deref(),
            Some("secure")
        );
        assert_eq!(
            Transport::Loopback.session_token(&headers).as_deref(),
            Some("plain")
        );
        assert_eq!(Transport::Tls.session_token(&HeaderMap::new()), None);
    }
}
