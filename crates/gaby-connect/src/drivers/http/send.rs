//! Sending: redirects by hand, waiting when the vendor says so, and what a failure means for a write.

use std::error::Error as _;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::header::LOCATION;

use super::Http;
use super::answer::{Received, retry_after};
use super::request::Outgoing;
use crate::drivers::{Call, DriverError};
use crate::manifest::{Method, Request};
use crate::net::GuardError;

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 3;
/// The longest that a vendor's wish to wait is heeded within a call.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// What a request does at the vendor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// Changes nothing.
    Read,
    /// Changes something, and sent twice counts once.
    Repeatable,
    /// Changes something each time.
    Once,
}

impl Nature {
    pub(super) fn of(request: &Request, call: &Call<'_>) -> Self {
        let keyed = call.idempotency_key.is_some()
            && request
                .headers
                .values()
                .chain(request.query.values())
                .any(|template| template.contains("idempotency_key"));
        match request.method {
            Method::Get => Self::Read,
            Method::Post if request.safe => Self::Read,
            _ if keyed || call.tool.idempotent => Self::Repeatable,
            _ => Self::Once,
        }
    }
}

impl Http {
    /// Sends a request and reads the answer, which is one of success.
    pub(super) async fn send(
        &self,
        outgoing: Outgoing,
        nature: Nature,
        deadline: Instant,
        most_bytes: usize,
    ) -> Result<Received, DriverError> {
        let (mut waited, mut renewed) = (false, false);
        loop {
            self.pace.turn(deadline).await?;
            let began = Instant::now();
            let received = self
                .follow(outgoing.clone(), nature, deadline, most_bytes)
                .await?;
            // Who is not let in has done nothing yet: a token may have ended before its time.
            if received.status == StatusCode::UNAUTHORIZED
                && !renewed
                && self.credentials.renew(began).await
            {
                renewed = true;
                continue;
            }
            let Some(wait) = self.asked_to_wait(&received, nature) else {
                return received.success(nature);
            };
            self.pace.quiet(wait);
            if waited || wait > MAX_WAIT || Instant::now() + wait >= deadline {
                return received.success(nature);
            }
            waited = true;
        }
    }

    /// How long the vendor wants to be left alone before it is asked again, when asking again is right.
    fn asked_to_wait(&self, received: &Received, nature: Nature) -> Option<Duration> {
        let limited = match received.status {
            // Refused before anything was done.
            StatusCode::TOO_MANY_REQUESTS => true,
            // So some say it too; without the headers below it is a plain refusal.
            StatusCode::FORBIDDEN => true,
            // An overloaded server may have begun.
            StatusCode::SERVICE_UNAVAILABLE => nature != Nature::Once,
            _ => false,
        };
        limited.then(|| retry_after(&received.headers)).flatten()
    }

    async fn follow(
        &self,
        mut outgoing: Outgoing,
        nature: Nature,
        deadline: Instant,
        most_bytes: usize,
    ) -> Result<Received, DriverError> {
        for _ in 0..=MAX_REDIRECTS {
            self.guard.check(&outgoing.url).map_err(refused)?;
            let (method, from) = (outgoing.method.clone(), outgoing.url.clone());
            let received = self
                .exchange(outgoing.clone(), nature, deadline, most_bytes)
                .await?;
            if !received.status.is_redirection() || nature != Nature::Read {
                return Ok(received);
            }
            let Some(to) = received
                .headers
                .get(LOCATION)
                .and_then(|location| location.to_str().ok())
            else {
                return Ok(received);
            };
            outgoing.url = from.join(to).map_err(|error| {
                DriverError::System(format!(
                    "{from} leads to an address that cannot be used: {error}"
                ))
            })?;
            let keeps_method = matches!(
                received.status,
                StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
            );
            if !keeps_method && method != reqwest::Method::GET {
                return Ok(received);
            }
        }
        Err(DriverError::System(format!(
            "it redirected more than {MAX_REDIRECTS} times"
        )))
    }

    async fn exchange(
        &self,
        outgoing: Outgoing,
        nature: Nature,
        deadline: Instant,
        most_bytes: usize,
    ) -> Result<Received, DriverError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let whole = || Duration::from_secs(left.as_secs().max(1));
        let at = format!("{} {}", outgoing.method, plain(&outgoing.url));
        // Another host that an answer leads to is not shown the credentials.
        let credentials = match outgoing.url.origin() == self.base.origin() {
            true => {
                let (client, guard) = (&self.client, &self.guard);
                self.credentials.header(client, guard, deadline).await?
            }
            false => None,
        };
        let mut request = self
            .client
            .request(outgoing.method, outgoing.url)
            .headers(outgoing.headers)
            .timeout(left);
        if let Some((name, value)) = credentials {
            request = request.header(name, value);
        }
        if let Some(body) = outgoing.body {
            request = request.body(body);
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(explain(&at, &error, nature, whole())),
        };
        match Received::read(at.clone(), response, most_bytes, nature).await {
            Ok(received) => Ok(received),
            Err(error) => Err(explain(&at, &error, nature, whole())),
        }
    }
}

/// The address without its query, which may hold what somebody searched for.
pub(super) fn plain(url: &url::Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

fn refused(error: GuardError) -> DriverError {
    DriverError::Refused(error.to_string())
}

/// A failure to exchange anything, in terms of whether a write may have happened.
pub(super) fn explain(
    at: &str,
    error: &reqwest::Error,
    nature: Nature,
    time: Duration,
) -> DriverError {
    let mut words = Vec::new();
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(guard) = inner.downcast_ref::<GuardError>() {
            return DriverError::Refused(guard.to_string());
        }
        words.push(inner.to_string());
        source = inner.source();
    }
    let reason = words.last().cloned().unwrap_or_else(|| "it failed".into());
    if error.is_connect() {
        return DriverError::Unavailable(format!("{at} cannot be reached: {reason}"));
    }
    if error.is_timeout() {
        return DriverError::Timeout(time);
    }
    match nature {
        Nature::Read => DriverError::Unavailable(format!("{at} broke off: {reason}")),
        Nature::Repeatable | Nature::Once => DriverError::Lost(format!(
            "{at} broke off: {reason}; whether it happened is not known"
        )),
    }
}
