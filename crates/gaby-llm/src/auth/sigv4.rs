//! AWS's signature, version 4, by AWS's own crate.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign as signed};
use aws_sigv4::sign::v4;
use secrecy::ExposeSecret as _;

use crate::config::ProviderConfig;
use crate::error::LlmError;
use crate::wire::Outgoing;

/// Signs a request to Bedrock.
pub(super) fn sign(
    config: &ProviderConfig,
    outgoing: &mut Outgoing,
    now: SystemTime,
) -> Result<(), LlmError> {
    let wrong = |error: String| config.wrong(format!("the request cannot be signed ({error})"));
    let identity = Credentials::new(
        config.access_key_id.clone().unwrap_or_default(),
        config.key().unwrap_or_default(),
        config
            .session_token
            .as_ref()
            .map(|token| token.expose_secret().to_owned()),
        None,
        "gaby",
    )
    .into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(config.region.as_deref().unwrap_or_default())
        .name("bedrock")
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| wrong(error.to_string()))?
        .into();
    let host = match (outgoing.url.host_str(), outgoing.url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    };
    let headers = [
        ("host", host.as_str()),
        ("content-type", "application/json"),
    ];
    let request = SignableRequest::new(
        "POST",
        outgoing.url.as_str(),
        headers.into_iter(),
        SignableBody::Bytes(&outgoing.body),
    )
    .map_err(|error| wrong(error.to_string()))?;
    let (instructions, _) = signed(request, &params)
        .map_err(|error| wrong(error.to_string()))?
        .into_parts();
    for (name, value) in instructions.headers() {
        let name = match name {
            "x-amz-date" => "x-amz-date",
            "authorization" => "authorization",
            "x-amz-security-token" => "x-amz-security-token",
            "x-amz-content-sha256" => "x-amz-content-sha256",
            other => return Err(wrong(format!("unknown header {other}"))),
        };
        outgoing.headers.push((name, value.to_owned()));
    }
    Ok(())
}
