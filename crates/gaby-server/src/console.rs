//! The operator console: the built files of `web/`, inside the binary.
//!
//! In development builds the files are read from the folder, so that a change of the console needs
//! no rebuild of the server.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::error::ApiError;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Built;

const PAGE: &str = "index.html";
const NOT_BUILT: &str = include_str!("console_not_built.html");

/// Answers whatever no route answers: a file of the console, or its page for the addresses that
/// the console itself knows.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "api" || path.starts_with("api/") {
        return ApiError::not_found(format!(
            "there is no {method} {}: see /api/openapi.json",
            uri.path()
        ))
        .into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return ApiError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "the console is only read",
        )
        .into_response();
    }
    if path != PAGE && Built::get(path).is_some() {
        return file(path, &headers);
    }
    // A file that is not there is an error; an address without a suffix is one of the console's.
    if path
        .rsplit('/')
        .next()
        .is_some_and(|last| last.contains('.'))
        && path != PAGE
    {
        return ApiError::not_found(format!("there is no file /{path}")).into_response();
    }
    if Built::get(PAGE).is_none() {
        return page(StatusCode::OK, NOT_BUILT);
    }
    file(PAGE, &headers)
}

/// Answers a route that is asked for in a way that it does not know.
pub(crate) async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("there is no {method} {}: see /api/openapi.json", uri.path()),
    )
}

fn page(status: StatusCode, html: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (status, headers, html).into_response()
}

fn file(path: &str, headers: &HeaderMap) -> Response {
    let (file, encoding) = negotiate(path, headers);
    let Some(file) = file else {
        return ApiError::not_found(format!("there is no file /{path}")).into_response();
    };
    let tag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|known| known.trim() == tag));
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(file.data.into_owned()))
    };
    let out = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, value);
    }
    if let Ok(value) = HeaderValue::from_str(&content_type(path)) {
        out.insert(header::CONTENT_TYPE, value);
    }
    if let Some(encoding) = encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache(path)));
    response
}

/// The smallest form of a file that the browser takes.
fn negotiate(path: &str, headers: &HeaderMap) -> (Option<EmbeddedFile>, Option<&'static str>) {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    for (encoding, suffix) in [("br", ".br"), ("gzip", ".gz")] {
        if accepts(accepted, encoding)
            && let Some(file) = Built::get(&[path, suffix].concat())
        {
            return (Some(file), Some(encoding));
        }
    }
    (Built::get(path), None)
}

fn accepts(header: &str, encoding: &str) -> bool {
    header.split(',').any(|part| {
        let (name, weight) = part.split_once(';').unwrap_or((part, ""));
        let refused = weight
            .trim()
            .strip_prefix("q=")
            .is_some_and(|q| q.parse::<f64>() == Ok(0.0));
        name.trim().eq_ignore_ascii_case(encoding) && !refused
    })
}

fn content_type(path: &str) -> String {
    let kind = media_type(path);
    if kind.starts_with("text/") || kind == "application/javascript" {
        format!("{kind}; charset=utf-8")
    } else {
        kind.to_owned()
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or("") {
        "html" => "text/html",
        "js" | "mjs" => "text/javascript",
        "css" => "text/css",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "json" | "map" | "webmanifest" => "application/json",
        "txt" => "text/plain",
        _ => "application/octet-stream",
    }
}

/// Files whose name holds a hash of their content never change; the rest is asked for again.
fn cache(path: &str) -> &'static str {
    if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_says_which_encodings_it_takes() {
        assert!(accepts("gzip, deflate, br", "br"));
        assert!(accepts("br;q=0.5", "br"));
        assert!(!accepts("br;q=0", "br"));
        assert!(!accepts("brotli", "br"));
        assert!(!accepts("", "gzip"));
    }

    #[test]
    fn only_files_named_by_their_content_are_kept_for_ever() {
        assert!(cache("assets/index-a1b2c3.js").contains("immutable"));
        assert_eq!(cache("index.html"), "no-cache");
    }
}
