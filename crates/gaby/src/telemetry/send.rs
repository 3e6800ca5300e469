//! The HTTP client that sends traces: our own, on the process's runtime, since the thread that exports
//! has none.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;

/// How long one request may take.
const LONGEST: Duration = Duration::from_secs(10);
/// The most bytes of an answer that are read; it says nothing but how many spans were refused.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Sends requests of an exporter.
#[derive(Debug)]
pub(super) struct Sender {
    client: reqwest::Client,
    runtime: Handle,
}

impl Sender {
    /// A sender that works on the runtime that this is called in.
    pub(super) fn new() -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(LONGEST)
            // The headers hold a key, which is for this address alone.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            client,
            runtime: Handle::current(),
        })
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let request = reqwest::Request::try_from(request)?;
            let answer = client.execute(request).await?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let mut parts = answer.bytes_stream();
            let mut body = Vec::new();
            while let Some(part) = parts.next().await {
                body.extend_from_slice(&part?);
                if body.len() > LONGEST_ANSWER {
                    return Err("the answer is too long".into());
                }
            }
            let mut response = Response::new(Bytes::from(body));
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            Ok::<_, HttpError>(response)
        });
        sent.await?
    }
}
