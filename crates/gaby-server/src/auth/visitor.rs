//! From which address somebody calls.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The visitor's address: the connection's own, or, where a proxy stands before us and the
/// connection is the proxy's, the one that the proxy saw. A proxy adds what it saw at the end of
/// `X-Forwarded-For`; what stands before that, the visitor may have written.
pub(crate) fn address(from: SocketAddr, headers: &HeaderMap, behind_proxy: bool) -> IpAddr {
    if !behind_proxy || !is_near(from.ip()) {
        return from.ip();
    }
    headers
        .get_all(FORWARDED_FOR)
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok())
        .and_then(|list| list.rsplit(',').next())
        .and_then(|last| last.trim().parse().ok())
        .unwrap_or_else(|| from.ip())
}

/// Whether an address is this machine's or its own network's, where a proxy may stand.
fn is_near(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_what_the_proxy_saw_counts_and_only_where_there_is_one() {
        for (from, lines, behind_proxy, expected) in [
            ("127.0.0.1:1", vec!["6.6.6.6, 192.0.2.1"], true, "192.0.2.1"),
            (
                "127.0.0.1:1",
                vec!["6.6.6.6", "192.0.2.1"],
                true,
                "192.0.2.1",
            ),
            ("10.0.0.7:1", vec!["2001:db8::1"], true, "2001:db8::1"),
            ("127.0.0.1:1", vec!["6.6.6.6"], false, "127.0.0.1"),
            ("192.0.2.9:1", vec!["6.6.6.6"], true, "192.0.2.9"),
            ("127.0.0.1:1", vec!["garbage"], true, "127.0.0.1"),
            ("127.0.0.1:1", vec![""], true, "127.0.0.1"),
            ("127.0.0.1:1", vec![], true, "127.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            for line in &lines {
                headers.append(FORWARDED_FOR, HeaderValue::from_static(line));
            }
            let address = address(from.parse().unwrap(), &headers, behind_proxy);
            assert_eq!(address.to_string(), expected, "{from} {lines:?}");
        }
    }
}
