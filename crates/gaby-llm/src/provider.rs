//! One provider: asks, and reads the answer as it comes.
//!
//! Answers are always streamed, even where nobody watches: only so can a provider that is slow be
//! told from one that hangs, and one that never ends be stopped.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::{Client, Response};
use serde_json::Value;
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use crate::address::Reach;
use crate::auth::Signer;
use crate::chat::{ChatRequest, ChatResponse};
use crate::config::ProviderConfig;
use crate::error::{LlmError, Waiting};
use crate::http::{self, Limits};
use crate::wire::{self, Broken, Ended, Outgoing, Partial, Wire};

/// Is told text as it comes; for whoever shows it.
pub type OnText<'a> = &'a mut (dyn FnMut(&str) + Send);

/// One provider, ready to be asked. Cheap to clone.
#[derive(Clone)]
pub struct Provider {
    inner: Arc<Inner>,
}

struct Inner {
    config: ProviderConfig,
    base: Url,
    wire: Box<dyn Wire>,
    signer: Signer,
    client: Client,
    reach: Reach,
    limits: Limits,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Provider({:?})", self.inner.config)
    }
}

impl Provider {
    /// Makes a provider of its settings. Nobody is asked yet.
    ///
    /// # Errors
    /// When the settings cannot be used.
    pub fn open(config: ProviderConfig, reach: Reach, limits: Limits) -> Result<Self, LlmError> {
        config.check()?;
        let base = config.address()?;
        let reach = Reach {
            public_only: reach.public_only || config.public_only,
            ..reach
        };
        let client = http::client(&reach, &limits)
            .map_err(|error| config.wrong(format!("no HTTP client ({error})")))?;
        Ok(Self {
            inner: Arc::new(Inner {
                wire: wire::of(&config),
                signer: Signer::of(&config)?,
                base,
                client,
                reach,
                limits,
                config,
            }),
        })
    }

    /// Its settings.
    #[must_use]
    pub fn config(&self) -> &ProviderConfig {
        &self.inner.config
    }

    /// Checks where it is now: that the rules allow it to be connected to.
    ///
    /// # Errors
    /// When its address is not one that may be connected to, or is not found.
    pub async fn check_address(&self) -> Result<(), LlmError> {
        let Inner { reach, base, .. } = &*self.inner;
        reach.check_url(base).await.map_err(|error| {
            let provider = self.inner.config.label();
            match error {
                crate::address::ReachError::NotFound(..) => LlmError::Unreachable {
                    provider,
                    reason: error.to_string(),
                },
                rule => LlmError::Forbidden {
                    provider,
                    rule: rule.to_string(),
                },
            }
        })
    }

    /// Asks, and gives the whole answer. `deadline` ends everything.
    ///
    /// # Errors
    /// When there is no whole answer. Dropping the future stops the request.
    pub async fn chat(
        &self,
        request: &ChatRequest,
        deadline: Instant,
        on_text: OnText<'_>,
    ) -> Result<ChatResponse, LlmError> {
        request.check()?;
        let whole = deadline.saturating_duration_since(Instant::now());
        let slow = |_| Err(self.slow(Waiting::WholeAnswer, whole));
        if self.inner.config.native_tools {
            let answer = timeout_at(deadline, self.ask(request, on_text)).await;
            return answer.unwrap_or_else(slow);
        }
        let in_words = crate::prompted::in_words(request);
        let answer = timeout_at(deadline, self.ask(&in_words, on_text)).await;
        let answer = answer.unwrap_or_else(slow)?;
        Ok(crate::prompted::read(answer, request))
    }

    async fn ask(
        &self,
        request: &ChatRequest,
        on_text: OnText<'_>,
    ) -> Result<ChatResponse, LlmError> {
        let inner = &*self.inner;
        // An address given as a number is not looked up, so the client's own check does not see it.
        if !matches!(inner.base.host(), Some(url::Host::Domain(_)) | None) {
            self.check_address().await?;
        }
        let mut outgoing = inner.wire.request(&inner.config, &inner.base, request)?;
        inner
            .signer
            .sign(&inner.config, &inner.client, &mut outgoing)
            .await?;
        let response = self.send(outgoing).await?;
        let mut partial = Partial::new(request.max_output_tokens);
        let kind = content_type(&response);
        if kind == "application/json" {
            let body = self.body(response).await?;
            inner
                .wire
                .whole(&body, &mut partial)
                .map_err(|broken| self.broken(broken))?;
            on_text(&partial.take_fresh());
        } else if kind.is_empty() || kind == inner.wire.cut().content_type() || kind == "text/plain"
        {
            self.stream(response, &mut partial, on_text).await?;
        } else {
            let start = self.start_of(response).await;
            return Err(self.malformed(format!("it is `{kind}`, not an answer: {start}")));
        }
        Ok(partial.finish(request, &inner.config.model))
    }

    async fn send(&self, outgoing: Outgoing) -> Result<Response, LlmError> {
        let inner = &*self.inner;
        let mut request = inner
            .client
            .post(outgoing.url)
            .header("content-type", "application/json")
            .header("accept", inner.wire.cut().content_type())
            .body(outgoing.body);
        for (name, value) in outgoing.headers {
            let mut value = reqwest::header::HeaderValue::from_str(&value).map_err(|_| {
                inner
                    .config
                    .wrong("its key holds characters that cannot be sent")
            })?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        let limit = inner.limits.first_byte;
        let response = match tokio::time::timeout(limit, request.send()).await {
            Err(_) => return Err(self.slow(Waiting::FirstByte, limit)),
            Ok(Err(error)) => return Err(self.lost(&error)),
            Ok(Ok(response)) => response,
        };
        let status = response.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(response);
        }
        let retry_after = http::retry_after(response.headers(), SystemTime::now());
        let body = tokio::time::timeout(inner.limits.idle, http::small_body(response)).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        Err(LlmError::Status {
            provider: inner.config.label(),
            status,
            message: http::message(status, &body),
            retry_after,
        })
    }

    async fn stream(
        &self,
        mut response: Response,
        partial: &mut Partial,
        on_text: OnText<'_>,
    ) -> Result<(), LlmError> {
        let Limits { idle, body, .. } = self.inner.limits;
        let mut framing = self.inner.wire.cut().framing();
        let mut read = 0;
        let mut first = true;
        let mut until = Instant::now() + idle;
        while partial.ended != Ended::Yes {
            let part = match timeout_at(until, response.chunk()).await {
                Err(_) if first => return Err(self.slow(Waiting::FirstByte, idle)),
                Err(_) => return Err(self.slow(Waiting::NextPart, idle)),
                Ok(Err(error)) => return Err(self.cut(http::reason(&error))),
                Ok(Ok(part)) => part,
            };
            let frames = match &part {
                Some(bytes) => {
                    read += bytes.len();
                    framing.push(bytes)
                }
                None => framing.end(),
            };
            let frames = frames.map_err(|why| match part {
                Some(_) => self.malformed(why),
                None => self.cut(why),
            })?;
            if read > body {
                return Err(self.too_long(format!("more than {body} bytes came")));
            }
            if !frames.is_empty() || framing.alive() {
                until = Instant::now() + idle;
                first = false;
            }
            for frame in &frames {
                self.inner
                    .wire
                    .frame(frame, partial)
                    .map_err(|broken| match (broken, &part) {
                        // The last event may be cut off anywhere.
                        (Broken::Malformed(why), None) => self.cut(why),
                        (broken, _) => self.broken(broken),
                    })?;
                let fresh = partial.take_fresh();
                if !fresh.is_empty() {
                    on_text(&fresh);
                }
            }
            if part.is_none() {
                break;
            }
        }
        if partial.ended == Ended::No {
            return Err(self.cut("it ended before its end was marked".to_owned()));
        }
        // A connection serves the next request only when its answer was read to its very end, which
        // comes with or right after the last event.
        tokio::spawn(timeout(idle, async move {
            while let Ok(Some(rest)) = response.chunk().await {
                read += rest.len();
                if read > body {
                    break;
                }
            }
        }));
        Ok(())
    }

    async fn body(&self, mut response: Response) -> Result<Value, LlmError> {
        let Limits {
            idle, body: most, ..
        } = self.inner.limits;
        let mut body = Vec::new();
        loop {
            match tokio::time::timeout(idle, response.chunk()).await {
                Err(_) => return Err(self.slow(Waiting::NextPart, idle)),
                Ok(Err(error)) => return Err(self.cut(http::reason(&error))),
                Ok(Ok(None)) => break,
                Ok(Ok(Some(part))) => body.extend_from_slice(&part),
            }
            if body.len() > most {
                return Err(self.too_long(format!("more than {most} bytes came")));
            }
        }
        serde_json::from_slice(&body).map_err(|error| {
            let start = http::line(&String::from_utf8_lossy(&body[..body.len().min(200)]));
            self.malformed(format!("it is not JSON ({error}): {start}"))
        })
    }

    async fn start_of(&self, response: Response) -> String {
        let body = tokio::time::timeout(self.inner.limits.idle, http::small_body(response)).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        http::line(&String::from_utf8_lossy(&body[..body.len().min(200)]))
    }

    fn slow(&self, waiting: Waiting, limit: Duration) -> LlmError {
        LlmError::TimedOut {
            provider: self.inner.config.label(),
            waiting,
            limit,
        }
    }

    fn lost(&self, error: &reqwest::Error) -> LlmError {
        if error.is_timeout() && error.is_connect() {
            return self.slow(Waiting::Connection, self.inner.limits.connect);
        }
        let reason = http::reason(error);
        let provider = self.inner.config.label();
        // The resolver's refusal comes wrapped; it must not read as an outage.
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        while let Some(known) = cause {
            match known.downcast_ref::<crate::address::ReachError>() {
                Some(crate::address::ReachError::NotFound(..)) | None => {}
                Some(rule) => {
                    return LlmError::Forbidden {
                        provider,
                        rule: rule.to_string(),
                    };
                }
            }
            cause = known.source();
        }
        LlmError::Unreachable { provider, reason }
    }

    fn cut(&self, reason: String) -> LlmError {
        LlmError::Cut {
            provider: self.inner.config.label(),
            reason,
        }
    }

    fn malformed(&self, reason: String) -> LlmError {
        LlmError::Malformed {
            provider: self.inner.config.label(),
            reason,
        }
    }

    fn too_long(&self, reason: String) -> LlmError {
        LlmError::TooLong {
            provider: self.inner.config.label(),
            reason,
        }
    }

    fn broken(&self, broken: Broken) -> LlmError {
        match broken {
            Broken::Malformed(reason) => self.malformed(http::line(&reason)),
            Broken::TooLong(reason) => self.too_long(reason),
            Broken::Said { status, message } => LlmError::Status {
                provider: self.inner.config.label(),
                status,
                message: http::line(&message),
                retry_after: None,
            },
        }
    }
}

fn content_type(response: &Response) -> String {
    response
        .headers()
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase())
        .unwrap_or_default()
}
