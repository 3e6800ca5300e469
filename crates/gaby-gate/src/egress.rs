//! What leaves: replies, notes, mails, webhooks, arguments to other systems.
//!
//! The first net is the label: a text may leave when everybody whom it reaches may see everything
//! that it was made from, however it is worded or encoded. The second net is the shape: secrets,
//! pictures that load from elsewhere, links to places nobody vouches for, and markup.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use gaby_model::{Integrity, Label, Readers, ToolDefinition, ToolRef};
use regex::Regex;

use crate::always::words;
use crate::provenance::may_read;
use crate::redact;

/// The principal of the workspace's own systems, as far as they may be told what a requester said.
pub const SYSTEMS: &str = "workspace:systems";

/// The principal of a connector.
#[must_use]
pub fn connector_principal(connector: &str) -> String {
    format!("connector:{connector}")
}

/// The principal behind a connector whose tool reaches out of the operator's own systems. Who may be
/// told as one of these is not told as that one.
#[must_use]
pub fn world_principal(connector: &str) -> String {
    format!("world:{connector}")
}

/// Who sees the arguments of a call of this tool.
#[must_use]
pub fn audience_of(tool: &ToolRef, definition: Option<&ToolDefinition>) -> String {
    match definition {
        Some(definition) if !reaches_out(definition) => connector_principal(&tool.connector),
        _ => world_principal(&tool.connector),
    }
}

/// Whether what a tool is called with leaves the operator's own systems. The definition says so; a
/// second net looks at the names, so that one that forgot to say so is no way out.
#[must_use]
pub fn reaches_out(tool: &ToolDefinition) -> bool {
    const OUTSIDE: [&str; 20] = [
        "web", "www", "http", "https", "url", "uri", "fetch", "browse", "browser", "crawl",
        "scrape", "curl", "wget", "dns", "whois", "webhook", "webhooks", "internet", "google",
        "bing",
    ];
    let names = words(&format!("{} {}", tool.tool.connector, tool.tool.tool));
    tool.open_world || OUTSIDE.iter().any(|outside| names.contains(*outside))
}

/// Why a text does not leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Leak {
    /// It was made from something that somebody whom it reaches may not see.
    #[error("it was made with something in view that {0} may not see")]
    NotForAudience(String),
    /// It holds a secret.
    #[error("it holds what looks like a secret ({0})")]
    Secret(&'static str),
    /// It would load a picture from elsewhere, which tells that place that it was read.
    #[error("it holds a picture that loads from elsewhere")]
    Picture,
    /// It holds a link to a place nobody vouches for.
    #[error("it links to `{0}`, which is neither in the knowledge base nor on the operator's list")]
    Link(String),
    /// It holds markup.
    #[error("it holds HTML")]
    Markup,
}

/// Whether a text with this label may reach this audience, and holds nothing that never leaves.
/// `known` are the texts whose links may be passed on as they stand; `hosts` may always be linked.
///
/// # Errors
/// Why it may not leave.
pub fn may_leave(
    text: &str,
    label: &Label,
    audience: &BTreeSet<String>,
    known: &[&str],
    hosts: &BTreeSet<String>,
) -> Result<(), Leak> {
    if !may_read(&label.readers, audience) {
        let who = audience.iter().next().cloned().unwrap_or_default();
        return Err(Leak::NotForAudience(who));
    }
    shape(text, known, hosts)
}

/// Whether a text has the shape of something that never leaves.
///
/// # Errors
/// Why it may not leave.
pub fn shape(text: &str, known: &[&str], hosts: &BTreeSet<String>) -> Result<(), Leak> {
    if let Some(kind) = redact::secret_in(text) {
        return Err(Leak::Secret(kind));
    }
    let Some(shapes) = SHAPES.as_ref() else {
        return Err(Leak::Markup);
    };
    if shapes.picture.is_match(text) {
        return Err(Leak::Picture);
    }
    if shapes.markup.is_match(text) {
        return Err(Leak::Markup);
    }
    for link in shapes.link.find_iter(text).map(|found| found.as_str()) {
        let link = link.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'', '"', '*']);
        let as_it_stands = known.iter().any(|text| holds_link(text, link));
        if !as_it_stands && !host_of(link).is_some_and(|host| listed(&host, hosts)) {
            return Err(Leak::Link(link.chars().take(80).collect()));
        }
    }
    Ok(())
}

/// Whether a text has this very link, and not only one that begins with it.
fn holds_link(text: &str, link: &str) -> bool {
    text.match_indices(link).any(|(at, _)| {
        let rest = text[at + link.len()..].trim_start_matches(['.', ',', ';', ':', '!', '?']);
        let next = rest.chars().next();
        next.is_none_or(|c| c.is_whitespace() || ")]}>'\"*|".contains(c))
    })
}

struct Shapes {
    picture: Regex,
    markup: Regex,
    link: Regex,
}

static SHAPES: LazyLock<Option<Shapes>> = LazyLock::new(|| {
    Some(Shapes {
        picture: Regex::new(r"!\[[^\]]*\]\s*[(\[]").ok()?,
        markup: Regex::new(r"(?i)<\s*/?\s*[a-z!][^>]*>|^\s{0,3}\[[^\]]+\]:\s*\S+|&#x?[0-9a-f]+;")
            .ok()?,
        link: Regex::new(
            r"(?i)\b(?:[a-z][a-z0-9+.-]{1,15}://|www\.|data:|javascript:|mailto:)[^\s<>]+",
        )
        .ok()?,
    })
});

fn host_of(link: &str) -> Option<String> {
    let after = link.split_once("://").map_or(link, |(_, rest)| rest);
    let authority = after.split(['/', '?', '#', '\\']).next()?;
    // What stands before an `@` is a name to deceive with, and no host.
    if authority.contains('@') {
        return None;
    }
    let host = authority
        .split(':')
        .next()?
        .trim_end_matches('.')
        .to_lowercase();
    (!host.is_empty() && link.to_lowercase().starts_with("http") || link.starts_with("www."))
        .then_some(host)
}

fn listed(host: &str, hosts: &BTreeSet<String>) -> bool {
    hosts.iter().any(|allowed| {
        let allowed = allowed.to_lowercase();
        host == allowed
            || host
                .strip_suffix(&allowed)
                .is_some_and(|rest| rest.ends_with('.'))
    })
}

/// The label of what a model says: it has seen everything that is recorded, so whatever it says is
/// no more trusted than the least of that, and only for those who may see all of it.
#[must_use]
pub fn label_of_model<'l>(seen: impl IntoIterator<Item = &'l Label>) -> Label {
    let mut label = Label::of(Integrity::Outsider);
    for other in seen {
        label = label.meet(other);
    }
    label.origins.clear();
    label
}

/// The readers of what a connector answered. `asked_for` are those of the arguments that selected
/// it: a person whose own data it is stays a reader, and so do the workspace's own systems; `staff`
/// is who sees what is nobody's in particular. The connector itself may be told again what it said,
/// and so may those in `may_tell`.
#[must_use]
pub fn readers_of_answer(
    connector: &str,
    asked_for: &Readers,
    staff: &str,
    may_tell: &[String],
) -> Readers {
    let mut readers: BTreeSet<String> = match asked_for {
        Readers::Public => [staff.to_owned()].into(),
        Readers::Only(readers) => readers
            .iter()
            .filter(|reader| !reader.starts_with("connector:") && !reader.starts_with("world:"))
            .cloned()
            .collect(),
    };
    let mut tell = |connector: &str| {
        readers.insert(connector_principal(connector));
        readers.insert(world_principal(connector));
    };
    tell(connector);
    for other in may_tell.iter().filter(|other| *other != "*") {
        tell(other);
    }
    if may_tell.iter().any(|other| other == "*") {
        readers.insert(SYSTEMS.to_owned());
    }
    Readers::Only(readers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::tool;
    use gaby_model::Access;

    fn readers(of: &[&str]) -> Readers {
        Readers::Only(of.iter().map(|who| (*who).to_owned()).collect())
    }

    fn leak(text: &str) -> Option<Leak> {
        let known = ["See https://help.example.com/reset?lang=en for more."];
        let hosts = ["docs.example.org".to_owned()].into();
        shape(text, &known, &hosts).err()
    }

    #[test]
    fn a_text_leaves_only_to_those_who_may_see_what_it_was_made_from() {
        let mut label = Label::of(Integrity::System);
        label.readers = readers(&["requester:ann@example.com"]);
        let to = |who: &str| {
            may_leave(
                "hello",
                &label,
                &[who.to_owned()].into(),
                &[],
                &BTreeSet::new(),
            )
        };
        assert_eq!(to("requester:ann@example.com"), Ok(()));
        assert!(matches!(
            to("requester:bob@example.com"),
            Err(Leak::NotForAudience(_))
        ));
    }

    #[test]
    fn links_go_out_only_as_somebody_who_vouches_wrote_them() {
        for passes in [
            "no link at all, not even a/b or 3:4",
            "See https://help.example.com/reset?lang=en.",
            "Look at https://docs.example.org/a/b?c=d and https://eu.docs.example.org/",
        ] {
            assert_eq!(leak(passes), None, "{passes}");
        }
        for held in [
            "https://evil.example/?q=secret",
            "https://help.example.com/reset?lang=en&leak=x",
            "https://help.example.com/reset",
            "https://docs.example.org@evil.example/",
            "https://docs.example.org.evil.example/",
            "https://evildocs.example.org/",
            "www.evil.example/x",
            "ftp://docs.example.org/x",
            "javascript:alert(1)",
            "data:text/html,x",
        ] {
            assert!(matches!(leak(held), Some(Leak::Link(_))), "{held}");
        }
    }

    #[test]
    fn pictures_markup_and_secrets_never_leave() {
        assert_eq!(
            leak("![x](https://docs.example.org/p.png)"),
            Some(Leak::Picture)
        );
        assert_eq!(leak("![x][ref]"), Some(Leak::Picture));
        for held in [
            "<img src=x>",
            "a <B>b</B>",
            "[ref]: https://docs.example.org",
            "&#x3c;",
        ] {
            assert_eq!(leak(held), Some(Leak::Markup), "{held}");
        }
        assert_eq!(leak("5 < 6 and 7 > 3"), None);
        let key = format!("the key is sk_live_{}", "4eC39HqLyjWDarjtT1zdp7dc");
        assert!(matches!(leak(&key), Some(Leak::Secret(_))));
    }

    #[test]
    fn what_a_model_says_is_for_those_who_may_see_all_that_it_saw() {
        let mut ann = Label::of(Integrity::System);
        ann.readers = readers(&["requester:ann@example.com", "connector:crm"]);
        let mut bob = Label::of(Integrity::System);
        bob.readers = readers(&["role:agent", "connector:crm"]);
        assert_eq!(label_of_model([]).readers, Readers::Public);
        assert_eq!(label_of_model([&ann]).readers, ann.readers);
        let both = label_of_model([&ann, &bob]);
        assert_eq!(both.readers, readers(&["connector:crm"]));
        assert_eq!(both.integrity, Integrity::Outsider);
    }

    #[test]
    fn what_reaches_out_is_told_by_its_definition_or_by_its_name() {
        let of = |connector, name| tool(connector, name, Access::Read);
        for inside in [
            of("crm", "find"),
            of("billing", "invoices"),
            of("spider", "list"),
        ] {
            assert!(!reaches_out(&inside), "{:?}", inside.tool);
        }
        for outside in [
            of("web", "search"),
            of("tools", "fetchUrl"),
            of("tools", "http_get"),
            of("hooks", "post-webhook"),
        ] {
            assert!(reaches_out(&outside), "{:?}", outside.tool);
        }
        let mut declared = of("crm", "find");
        declared.open_world = true;
        assert!(reaches_out(&declared));
        // What the workspace's systems may be told is not told to the world.
        let own = readers(&["requester:ann@example.com", SYSTEMS, "connector:crm"]);
        let may = |who: String| may_read(&own, &[who].into());
        assert!(may(connector_principal("billing")));
        assert!(!may(world_principal("web")));
        assert!(!may(audience_of(&of("web", "search").tool, None)));
        let told = readers_of_answer("crm", &Readers::Public, "role:agent", &["web".to_owned()]);
        assert!(may_read(&told, &[world_principal("web")].into()));
    }

    #[test]
    fn an_answer_may_be_told_to_the_connector_that_gave_it_and_whom_the_operator_names() {
        let asked = readers(&["requester:ann@example.com", SYSTEMS, "connector:old"]);
        assert_eq!(
            readers_of_answer("crm", &asked, "role:agent", &["billing".to_owned()]),
            readers(&[
                "requester:ann@example.com",
                SYSTEMS,
                "connector:crm",
                "world:crm",
                "connector:billing",
                "world:billing"
            ])
        );
        assert_eq!(
            readers_of_answer("crm", &Readers::Public, "role:agent", &["*".to_owned()]),
            readers(&["role:agent", "connector:crm", "world:crm", SYSTEMS])
        );
    }
}
