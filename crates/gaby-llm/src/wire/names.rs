//! Names of tools on the wire. Vendors take 64 letters, digits, `_` and `-`, beginning with a letter
//! or `_`; ours may be longer.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use crate::chat::ToolSpec;

const LONGEST: usize = 64;

/// The name under which a tool is offered. The same for the same tool, always.
pub(crate) fn wire_name(name: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins_well && name.len() <= LONGEST && name.chars().all(plain) {
        return Cow::Borrowed(name);
    }
    let mut short: String = name
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .take(LONGEST - 14)
        .collect();
    if !begins_well {
        short.insert(0, '_');
    }
    let digest = hex::encode(Sha256::digest(name.as_bytes()));
    Cow::Owned(format!("{short}_{}", &digest[..12]))
}

/// The tool that a model means; its own words, if it made a name up.
pub(crate) fn given_name(tools: &[ToolSpec], name: &str) -> String {
    tools
        .iter()
        .find(|tool| wire_name(&tool.name) == name)
        .map_or_else(|| name.to_owned(), |tool| tool.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_name_becomes_one_that_vendors_take_and_comes_back(name in ".{1,120}") {
            let wire = wire_name(&name).into_owned();
            prop_assert!(wire.len() <= LONGEST);
            prop_assert!(wire.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'));
            prop_assert!(wire.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'));
            let tool = ToolSpec { name: name.clone(), description: String::new(), parameters: serde_json::Value::Null };
            prop_assert_eq!(given_name(&[tool], &wire), name);
        }
    }
}
