//! Further pages of an answer.

use serde_json::Value;

use super::answer::Received;
use crate::drivers::DriverError;
use crate::manifest::Paging;
use crate::output::{FilterError, Mapping};

/// How an API hands out pages, compiled.
pub(super) struct Pages {
    items: Mapping,
    next: Next,
    pub(super) most: u32,
}

enum Next {
    /// A URL or a cursor in the page.
    InPage(Mapping),
    /// The `Link` header's `rel="next"` (RFC 8288).
    InHeader,
}

/// One page.
pub(super) struct Page {
    pub(super) items: Vec<Value>,
    /// The next page's URL or cursor.
    pub(super) next: Option<String>,
}

impl Pages {
    pub(super) fn compile(paging: &Paging) -> Result<Self, FilterError> {
        let next = match paging.next.as_ref().or(paging.cursor.as_ref()) {
            Some(filter) => Next::InPage(Mapping::compile(filter)?),
            None => Next::InHeader,
        };
        Ok(Self {
            items: Mapping::compile(&paging.items)?,
            next,
            most: paging.pages,
        })
    }

    /// The items of a page and where the next one is.
    pub(super) async fn read(&self, received: &Received, most: usize) -> Result<Page, DriverError> {
        let value = received.value();
        let wrong = |error: FilterError| DriverError::System(format!("{error} (`paging`)"));
        let next = match &self.next {
            Next::InPage(mapping) => match mapping.apply(value.clone(), 10_000).await {
                Ok(Value::String(next)) if !next.is_empty() => Some(next),
                Ok(Value::Number(next)) => Some(next.to_string()),
                Ok(_) => None,
                Err(error) => return Err(wrong(error)),
            },
            Next::InHeader => received
                .headers
                .get_all("link")
                .iter()
                .filter_map(|value| value.to_str().ok())
                .find_map(next_link),
        };
        match self.items.apply(value, most).await.map_err(wrong)? {
            Value::Array(items) => Ok(Page { items, next }),
            Value::Null => Ok(Page {
                items: Vec::new(),
                next,
            }),
            _ => Err(DriverError::System(
                "`paging.items` does not give a list on this answer".into(),
            )),
        }
    }
}

/// The target of `rel="next"` in a `Link` header.
fn next_link(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some(open) = rest.find('<') {
        let close = open + rest[open..].find('>')?;
        let target = &rest[open + 1..close];
        let end = rest[close..].find('<').map_or(rest.len(), |at| close + at);
        let is_next = rest[close + 1..end].split(';').any(|parameter| {
            let Some((name, value)) = parameter.split_once('=') else {
                return false;
            };
            let value = value.trim().trim_end_matches(',').trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel")
                && value
                    .split_whitespace()
                    .any(|rel| rel.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(target.to_owned());
        }
        rest = &rest[end..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_links() {
        let header = r#"<https://a.example/x?page=1>; rel="prev", <https://a.example/x?page=3>; rel="next", <https://a.example/x?page=9>; rel="last""#;
        assert_eq!(next_link(header).unwrap(), "https://a.example/x?page=3");
        assert_eq!(
            next_link("</x?a=1,2>; title=\"n\"; REL=next").unwrap(),
            "/x?a=1,2"
        );
        for none in [
            "",
            "<",
            "<a",
            "<a>; rel=\"last\"",
            "<a>",
            "rel=next",
            "é<é>;rel",
        ] {
            assert_eq!(next_link(none), None, "{none}");
        }
    }
}
