//! Third-party servers over streamable HTTP.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

use super::bounded::MAX_MESSAGE_BYTES;
use crate::net::{Guard, SystemLookup};

/// A transport to `url`. The operator named this very address, so it may be an internal one; nothing
/// else is reached, and no redirect is followed.
pub(super) fn transport(
    url: &str,
    headers: &BTreeMap<String, String>,
    time: Duration,
) -> Result<StreamableHttpClientTransport<reqwest::Client>, String> {
    let parsed = url::Url::parse(url).map_err(|error| format!("`{url}` is not a URL: {error}"))?;
    let own = match (parsed.host_str(), parsed.port_or_known_default()) {
        (Some(host), Some(port)) => format!("{}:{port}", host.trim_end_matches('.')),
        _ => return Err(format!("`{url}` names no host")),
    };
    let guard = Guard::new([own], Arc::new(SystemLookup));
    guard.url(url).map_err(|error| error.to_string())?;
    let client = guard.client(time).map_err(|error| error.to_string())?;
    let mut custom = HashMap::new();
    for (name, value) in headers {
        let bad = |what: &str| format!("the header `{name}` has a {what} that cannot be sent");
        let header = HeaderName::try_from(name.as_str()).map_err(|_| bad("name"))?;
        let mut value = HeaderValue::try_from(value.as_str()).map_err(|_| bad("value"))?;
        value.set_sensitive(true);
        custom.insert(header, value);
    }
    let config = StreamableHttpClientTransportConfig::with_uri(url)
        .custom_headers(custom)
        .max_json_response_size(MAX_MESSAGE_BYTES)
        .max_sse_event_size(MAX_MESSAGE_BYTES)
        .max_error_response_size(16 * 1024);
    Ok(StreamableHttpClientTransport::with_client(client, config))
}
