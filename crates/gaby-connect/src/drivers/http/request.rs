//! From a manifest's templates to a request.

use std::collections::BTreeMap;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use url::Url;

use crate::drivers::{Call, DriverError};
use crate::manifest::{Method, Request};
use crate::template::{Encoding, TemplateError, render, render_json};

/// What templates of a request may read, beside the settings.
pub(super) struct Scope<'a> {
    arguments: Option<&'a Map<String, Value>>,
    known: Vec<String>,
    idempotency_key: &'a str,
}

impl<'a> Scope<'a> {
    /// A call's arguments.
    pub(super) fn of(call: &Call<'a>) -> Self {
        Self {
            arguments: Some(call.arguments),
            known: call.tool.argument_names(),
            idempotency_key: call.idempotency_key.unwrap_or_default(),
        }
    }

    /// Nothing, for health checks.
    pub(super) fn empty() -> Self {
        Self {
            arguments: None,
            known: Vec::new(),
            idempotency_key: "",
        }
    }

    fn context(&self, settings: &BTreeMap<String, String>) -> Value {
        // What was not given is empty, and not an unknown name.
        let mut arguments: Map<String, Value> = self
            .known
            .iter()
            .map(|name| (name.clone(), Value::Null))
            .collect();
        arguments.extend(
            self.arguments
                .into_iter()
                .flatten()
                .map(|(k, v)| (k.clone(), v.clone())),
        );
        json!({"args": arguments, "settings": settings, "idempotency_key": self.idempotency_key})
    }
}

/// A request, ready to be sent.
#[derive(Clone)]
pub(super) struct Outgoing {
    pub(super) method: reqwest::Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
    /// The query parameter that the next page's cursor goes into.
    cursor: Option<String>,
}

impl Outgoing {
    pub(super) fn render(
        request: &Request,
        base: &Url,
        settings: &BTreeMap<String, String>,
        scope: Scope<'_>,
    ) -> Result<Self, DriverError> {
        let context = scope.context(settings);
        let url = url(request, base, &context)?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let body = match (&request.json, request.form.is_empty()) {
            (Some(template), _) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                let body = render_json(template, &context).map_err(refused)?;
                Some(body.to_string().into_bytes())
            }
            (None, false) => {
                headers.insert(
                    CONTENT_TYPE,
                    HeaderValue::from_static("application/x-www-form-urlencoded"),
                );
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                for (name, value) in filled(&request.form, &context)? {
                    form.append_pair(&name, &value);
                }
                Some(form.finish().into_bytes())
            }
            (None, true) => None,
        };
        for (name, value) in filled(&request.headers, &context)? {
            let header = HeaderName::try_from(name.as_str())
                .map_err(|_| DriverError::Refused(format!("`{name}` is not a header's name")))?;
            let value = HeaderValue::try_from(value).map_err(|_| {
                DriverError::Refused(format!(
                    "the header `{name}` would hold a character that cannot be sent"
                ))
            })?;
            headers.insert(header, value);
        }
        Ok(Self {
            method: match request.method {
                Method::Get => reqwest::Method::GET,
                Method::Post => reqwest::Method::POST,
                Method::Put => reqwest::Method::PUT,
                Method::Patch => reqwest::Method::PATCH,
                Method::Delete => reqwest::Method::DELETE,
            },
            url,
            headers,
            body,
            cursor: request.paging.as_ref().and_then(|p| p.param.clone()),
        })
    }

    /// The request for the next page: at a URL of the same origin, or with the cursor.
    pub(super) fn next(mut self, next: &str, base: &Url) -> Result<Self, DriverError> {
        match &self.cursor {
            Some(param) => {
                let others: Vec<(String, String)> = self
                    .url
                    .query_pairs()
                    .filter(|(name, _)| name != param.as_str())
                    .map(|(name, value)| (name.into_owned(), value.into_owned()))
                    .collect();
                self.url
                    .query_pairs_mut()
                    .clear()
                    .extend_pairs(others)
                    .append_pair(param, next);
            }
            None => {
                let url = self.url.join(next).map_err(|error| {
                    DriverError::System(format!("the next page's address cannot be used: {error}"))
                })?;
                if url.origin() != base.origin() {
                    return Err(DriverError::Refused(format!(
                        "the next page is at another place, `{}`, and is not fetched",
                        url.origin().ascii_serialization()
                    )));
                }
                self.url = url;
            }
        }
        Ok(self)
    }
}

fn url(request: &Request, base: &Url, context: &Value) -> Result<Url, DriverError> {
    let path = render(&request.path, context, Encoding::PathSegment).map_err(refused)?;
    // Two templates side by side could make the dots that one alone may not be.
    let climbs = path.split(['/', '?', '#']).any(|segment| {
        matches!(
            segment.to_ascii_lowercase().replace("%2e", ".").as_str(),
            "." | ".."
        )
    });
    if climbs || path.contains('\\') {
        return Err(DriverError::Refused(format!(
            "the path `{path}` would lead out of the API"
        )));
    }
    let text = format!("{}{path}", base.as_str().trim_end_matches('/'));
    let mut url = Url::parse(&text)
        .map_err(|error| DriverError::Refused(format!("`{text}` is not a URL: {error}")))?;
    if url.origin() != base.origin() {
        return Err(DriverError::Refused(
            "the path leads to another host".into(),
        ));
    }
    let query = filled(&request.query, context)?;
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

/// The rendered values that are not empty.
fn filled(
    templates: &BTreeMap<String, String>,
    context: &Value,
) -> Result<Vec<(String, String)>, DriverError> {
    let mut out = Vec::new();
    for (name, template) in templates {
        let value = render(template, context, Encoding::Plain).map_err(refused)?;
        if !value.is_empty() {
            out.push((name.clone(), value));
        }
    }
    Ok(out)
}

fn refused(error: TemplateError) -> DriverError {
    DriverError::Refused(error.to_string())
}
