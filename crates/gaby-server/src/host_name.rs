//! Which names this server answers to.
//!
//! On loopback a page of somebody else's could have its own name resolve to this machine (DNS
//! rebinding) and talk to us as its own origin. A request that names another host is not answered.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use url::Url;

use crate::error::ApiError;

/// The names that are answered; none: all.
#[derive(Clone)]
pub(crate) struct Names(Option<Arc<[String]>>);

impl Names {
    pub(crate) fn new(listen: SocketAddr, public_url: Option<&Url>) -> Self {
        if !listen.ip().is_loopback() {
            // The proxy before us, or the operator's own network, decides on names.
            return Self(None);
        }
        let mut names = vec![
            "localhost".to_owned(),
            "127.0.0.1".to_owned(),
            "[::1]".to_owned(),
        ];
        names.push(match listen.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        });
        names.extend(public_url.and_then(Url::host_str).map(str::to_lowercase));
        Self(Some(names.into()))
    }

    fn answers(&self, host: &str) -> bool {
        let Some(names) = &self.0 else { return true };
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// Refuses a request that names another host.
pub(crate) async fn check(
    names: Names,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| request.uri().host())
        .unwrap_or("");
    if names.answers(host) {
        return Ok(next.run(request).await);
    }
    Err(ApiError::new(
        StatusCode::MISDIRECTED_REQUEST,
        "unknown_host",
        "this server does not answer to that name: use the address that it printed, \
         or start it with --public-url",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_loopback_only_this_machines_own_names_are_answered() {
        let names = Names::new(SocketAddr::from(([127, 0, 0, 1], 8080)), None);
        for (host, answered) in [
            ("127.0.0.1:8080", true),
            ("localhost:8080", true),
            ("LOCALHOST", true),
            ("[::1]:8080", true),
            ("evil.example:8080", false),
            ("127.0.0.1.evil.example", false),
            ("", false),
        ] {
            assert_eq!(names.answers(host), answered, "{host}");
        }
        let url = Url::parse("https://gaby.example/").unwrap();
        let proxied = Names::new(SocketAddr::from(([127, 0, 0, 1], 8080)), Some(&url));
        assert!(proxied.answers("gaby.example"));
        let open = Names::new(SocketAddr::from(([0, 0, 0, 0], 8080)), None);
        assert!(open.answers("gaby.internal"));
    }
}
