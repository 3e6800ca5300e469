//! JSON APIs over HTTP: requests from templates, sent only where the guard allows, with what came back
//! bounded, and told apart by whether a write may have happened.

mod answer;
mod auth;
mod oauth;
mod pace;
mod paging;
mod request;
mod send;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::Semaphore;
use url::Url;

use super::{Answer, Call, Connection, Driver, DriverError, Given, Health};
use crate::manifest::{Limits, Manifest, Request};
use crate::net::{Guard, SystemLookup};
use auth::Credentials;
use pace::Pace;
use paging::Pages;
use request::{Outgoing, Scope};
use send::Nature;

/// Requests at a time.
const REQUESTS: usize = 4;
/// The largest answer that is read, all pages together; mappings make it smaller.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// An API.
pub(crate) struct Http {
    base: Url,
    settings: BTreeMap<String, String>,
    guard: Guard,
    client: reqwest::Client,
    credentials: Credentials,
    pace: Pace,
    pages: BTreeMap<String, Pages>,
    manifest: Arc<Manifest>,
    permits: Semaphore,
}

impl Http {
    pub(crate) fn open(
        manifest: &Arc<Manifest>,
        connection: &Connection,
        given: &Given,
    ) -> Result<Self, DriverError> {
        let settings = |error: String| DriverError::Settings(error);
        let text = connection
            .get("base_url")
            .ok_or_else(|| settings("`connection.base_url` is empty".into()))?;
        let guard = Guard::new(connection.all("allow"), Arc::new(SystemLookup));
        let base = guard
            .url(text)
            .map_err(|error| settings(format!("`connection.base_url`: {error}")))?;
        if base.query().is_some() || base.fragment().is_some() {
            return Err(settings(
                "`connection.base_url` has a query or fragment: leave it out".into(),
            ));
        }
        let longest = std::time::Duration::from_secs(u64::from(Limits::MAX_SECONDS));
        let client = guard
            .client(longest)
            .map_err(|error| settings(error.to_string()))?;
        let mut pages = BTreeMap::new();
        for tool in &manifest.tools {
            if let Some(paging) = tool.request.as_ref().and_then(|r| r.paging.as_ref()) {
                let compiled = Pages::compile(paging).map_err(|error| {
                    settings(format!("`paging` of tool `{}`: {error}", tool.name))
                })?;
                pages.insert(tool.name.clone(), compiled);
            }
        }
        Ok(Self {
            credentials: Credentials::render(manifest.auth.as_ref(), given, &guard)?,
            pace: Pace::new(manifest.rate),
            settings: given.settings.clone(),
            base,
            guard,
            client,
            pages,
            manifest: manifest.clone(),
            permits: Semaphore::new(REQUESTS),
        })
    }

    fn outgoing(&self, request: &Request, scope: Scope<'_>) -> Result<Outgoing, DriverError> {
        Outgoing::render(request, &self.base, &self.settings, scope)
    }

    async fn one(&self, call: &Call<'_>, request: &Request) -> Result<Answer, DriverError> {
        let deadline = Instant::now() + call.bounds.time;
        let nature = Nature::of(request, call);
        let outgoing = self.outgoing(request, Scope::of(call))?;
        let answer = self
            .send(outgoing, nature, deadline, MAX_ANSWER_BYTES)
            .await?
            .value();
        // With a mapping, what it makes of the answer is bounded; without, the answer itself is.
        if call.tool.output.is_none() && answer.to_string().len() > call.bounds.bytes {
            let most = call.bounds.bytes;
            if nature != Nature::Read {
                return Ok(Answer {
                    value: serde_json::json!({"note": "done; the answer was too large to keep"}),
                    truncated: true,
                });
            }
            return Err(DriverError::System(format!(
                "the answer is larger than the {most} bytes of this tool's limit: add an `output` that picks what is needed"
            )));
        }
        Ok(Answer {
            value: answer,
            truncated: false,
        })
    }

    /// Fetches pages until there are no more, or enough.
    async fn paged(
        &self,
        call: &Call<'_>,
        request: &Request,
        pages: &Pages,
    ) -> Result<Answer, DriverError> {
        let deadline = Instant::now() + call.bounds.time;
        let mut outgoing = self.outgoing(request, Scope::of(call))?;
        let mut items: Vec<Value> = Vec::new();
        let mut left = MAX_ANSWER_BYTES;
        let mut truncated = false;
        for number in 1.. {
            let again = outgoing.clone();
            let received = self.send(outgoing, Nature::Read, deadline, left).await?;
            left = left.saturating_sub(received.size());
            let page = pages.read(&received, left).await?;
            let room = call.bounds.rows - items.len();
            truncated |= page.items.len() > room;
            items.extend(page.items.into_iter().take(room));
            let Some(next) = page.next else { break };
            if number >= pages.most || items.len() >= call.bounds.rows || left == 0 {
                truncated = true;
                break;
            }
            outgoing = again.next(&next, &self.base)?;
        }
        if call.tool.output.is_none() {
            let mut bytes = 0;
            let fits = items
                .iter()
                .take_while(|item| {
                    bytes += item.to_string().len() + 1;
                    bytes < call.bounds.bytes
                })
                .count();
            truncated |= fits < items.len();
            items.truncate(fits);
        }
        Ok(Answer {
            value: serde_json::json!({"items": items}),
            truncated,
        })
    }
}

#[async_trait]
impl Driver for Http {
    async fn check(&self) -> Result<Health, DriverError> {
        let health = self.manifest.health.as_ref();
        if let Some(request) = health.and_then(|health| health.request.as_ref()) {
            let bounds = Limits::default().within(self.manifest.limits);
            let outgoing = self.outgoing(request, Scope::empty())?;
            let deadline = Instant::now() + bounds.time;
            self.send(outgoing, Nature::Read, deadline, MAX_ANSWER_BYTES)
                .await?;
        }
        Ok(Health::default())
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, DriverError> {
        let Some(request) = &call.tool.request else {
            return Err(DriverError::Refused("this tool has nothing to run".into()));
        };
        let _permit = self.permits.acquire().await;
        match self.pages.get(&call.tool.name) {
            Some(pages) => self.paged(&call, request, pages).await,
            None => self.one(&call, request).await,
        }
    }
}
