//! Requests of `http` manifests.

use std::collections::BTreeSet;

use super::{Faults, declared};
use crate::manifest::{Manifest, Method, Request};
use crate::output::Mapping;
use crate::template::texts_of;

/// The most pages of one call.
const MAX_PAGES: u32 = 50;
/// Headers that the driver or the HTTP client sets.
const OWN_HEADERS: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "host",
    "transfer-encoding",
];

pub(super) fn request_of(
    field: &str,
    request: &Request,
    manifest: &Manifest,
    arguments: &[String],
    faults: &mut Faults,
) {
    let mut known: BTreeSet<String> = declared(manifest)
        .into_iter()
        .filter(|name| name.starts_with("settings."))
        .collect();
    known.extend(arguments.iter().map(|name| format!("args.{name}")));
    known.insert("idempotency_key".to_owned());
    if !request.path.starts_with('/') {
        faults.add(
            format!("{field}.path"),
            "begins with `/`: it is added to `connection.base_url`",
        );
    }
    faults.template(&format!("{field}.path"), &request.path, &known);
    for (map, name) in [
        (&request.query, "query"),
        (&request.headers, "headers"),
        (&request.form, "form"),
    ] {
        for (key, template) in map {
            faults.template(&format!("{field}.{name}.{key}"), template, &known);
        }
    }
    for name in request.headers.keys() {
        if reqwest::header::HeaderName::try_from(name.as_str()).is_err() {
            faults.add(format!("{field}.headers.{name}"), "is not a header's name");
        }
        if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            faults.add(
                format!("{field}.headers.{name}"),
                "is set by the driver: credentials go into `auth`",
            );
        }
    }
    for text in request.json.iter().flat_map(texts_of) {
        faults.template(&format!("{field}.json"), text, &known);
    }
    if request.json.is_some() && !request.form.is_empty() {
        faults.add(field, "has both `json` and `form`: a request has one body");
    }
    if request.method == Method::Get && (request.json.is_some() || !request.form.is_empty()) {
        faults.add(field, "a GET has no body");
    }
    let Some(paging) = &request.paging else {
        return;
    };
    let ways = [paging.next.is_some(), paging.cursor.is_some(), paging.link];
    if ways.iter().filter(|way| **way).count() != 1
        || paging.cursor.is_some() != paging.param.is_some()
    {
        faults.add(
            format!("{field}.paging"),
            "needs one of `next`, `link: true`, and `cursor` together with `param`",
        );
    }
    if request.method != Method::Get {
        faults.add(format!("{field}.paging"), "is for GET");
    }
    if paging.pages == 0 || paging.pages > MAX_PAGES {
        faults.add(
            format!("{field}.paging.pages"),
            format!("must be 1 to {MAX_PAGES}"),
        );
    }
    for (name, filter) in [
        ("items", Some(&paging.items)),
        ("next", paging.next.as_ref()),
        ("cursor", paging.cursor.as_ref()),
    ] {
        if let Some(Err(error)) = filter.map(|f| Mapping::compile(f)) {
            faults.add(format!("{field}.paging.{name}"), error.to_string());
        }
    }
}
