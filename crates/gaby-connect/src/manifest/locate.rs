//! Where each field of a YAML text is, so that an error about a value can point at it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

/// A YAML tree that keeps places and forgets values.
#[derive(Debug)]
pub(super) enum Places {
    Map(Vec<(String, Spanned<Places>)>),
    List(Vec<Spanned<Places>>),
    Leaf,
}

/// A place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) column: u64,
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        Self {
            line: location.line(),
            column: location.column(),
        }
    }
}

impl Places {
    /// The place of `path` (`tools[1].name`), or of the deepest part of it that is there.
    pub(super) fn of(&self, path: &str) -> Place {
        let mut node = self;
        let mut place = Place { line: 1, column: 1 };
        for part in path
            .split(['.', '['])
            .map(|p| p.trim_end_matches(']'))
            .filter(|p| !p.is_empty())
        {
            let next = match node {
                Places::Map(fields) => fields.iter().find(|(key, _)| key == part).map(|(_, n)| n),
                Places::List(items) => part.parse().ok().and_then(|i: usize| items.get(i)),
                Places::Leaf => None,
            };
            let Some(next) = next else { break };
            place = next.referenced.into();
            node = &next.value;
        }
        place
    }

    /// The path of the deepest field that begins at or before `place` and after all others that do.
    pub(super) fn path_at(&self, place: Place) -> String {
        let mut best = (Place::default(), String::new());
        self.walk(String::new(), &mut |path, at| {
            let at_or_before = (at.line, at.column) <= (place.line, place.column);
            if at_or_before && (at.line, at.column) >= (best.0.line, best.0.column) {
                best = (at, path.to_owned());
            }
        });
        best.1
    }

    /// The path of the field of this name whose value comes first after the place of its name.
    pub(super) fn field_at(&self, place: Place, name: &str) -> String {
        let mut best: Option<(Place, String)> = None;
        self.walk(String::new(), &mut |path, at| {
            let own = path == name || path.ends_with(&format!(".{name}"));
            let after = (at.line, at.column) >= (place.line, place.column);
            let nearer = best
                .as_ref()
                .is_none_or(|(found, _)| (at.line, at.column) < (found.line, found.column));
            if own && after && nearer {
                best = Some((at, path.to_owned()));
            }
        });
        best.map_or_else(|| self.path_at(place), |(_, path)| path)
    }

    fn walk(&self, path: String, visit: &mut dyn FnMut(&str, Place)) {
        match self {
            Places::Map(fields) => {
                for (key, node) in fields {
                    let inner = if path.is_empty() {
                        key.clone()
                    } else {
                        format!("{path}.{key}")
                    };
                    visit(&inner, node.referenced.into());
                    node.value.walk(inner, visit);
                }
            }
            Places::List(items) => {
                for (index, node) in items.iter().enumerate() {
                    let inner = format!("{path}[{index}]");
                    visit(&inner, node.referenced.into());
                    node.value.walk(inner, visit);
                }
            }
            Places::Leaf => {}
        }
    }
}

impl<'de> Deserialize<'de> for Places {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlacesVisitor)
    }
}

struct PlacesVisitor;

impl<'de> Visitor<'de> for PlacesVisitor {
    type Value = Places;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }
    fn visit_bool<E>(self, _: bool) -> Result<Places, E> {
        Ok(Places::Leaf)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Places, E> {
        Ok(Places::Leaf)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Places, E> {
        Ok(Places::Leaf)
    }
    fn visit_i128<E>(self, _: i128) -> Result<Places, E> {
        Ok(Places::Leaf)
    }
    fn visit_u128<E>(self, _: u128) -> Result<Places, E> {
        Ok(Places::Leaf)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Places, E> {
        Ok(Places::Leaf)
    }
    fn visit_str<E>(self, _: &str) -> Result<Places, E> {
        Ok(Places::Leaf)
    }
    fn visit_bytes<E>(self, _: &[u8]) -> Result<Places, E> {
        Ok(Places::Leaf)
    }
    fn visit_unit<E>(self) -> Result<Places, E> {
        Ok(Places::Leaf)
    }
    fn visit_none<E>(self) -> Result<Places, E> {
        Ok(Places::Leaf)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Places, D::Error> {
        Places::deserialize(deserializer)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Places, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = map.next_entry()? {
            fields.push(entry);
        }
        Ok(Places::Map(fields))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Places, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Places::List(items))
    }
}
