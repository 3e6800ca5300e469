//! The one place that every text of outsiders passes on its way to a model.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use gaby_gate::redact::{self, Kind, Profile};

/// What stands where a secret stood.
const TAKEN_OUT: &str = "[secret taken out]";

/// A text as a model may see it: what looks like a key, a token or a password is taken out, whatever a
/// workspace has hidden; nothing that a model says needs it back.
#[must_use]
pub(crate) fn for_model(text: &str) -> Cow<'_, str> {
    let secrets = Profile {
        kinds: [Kind::Secret].into(),
        ..Profile::default()
    };
    let found = redact::find(text, &secrets);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for secret in found {
        out.push_str(text.get(at..secret.start).unwrap_or_default());
        out.push_str(TAKEN_OUT);
        at = secret.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    Cow::Owned(out)
}

/// Texts that were looked through lately: a conversation is told anew at each turn, and only its end is new.
#[derive(Default)]
pub(super) struct Lately(Mutex<HashMap<String, Option<String>>>);

/// How many texts are remembered before all are forgotten: a few conversations.
const REMEMBERED: usize = 512;

impl std::fmt::Debug for Lately {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lately")
    }
}

impl Lately {
    /// As [`for_model`].
    pub(super) fn for_model<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = known().get(text) {
            return match seen {
                Some(clean) => Cow::Owned(clean.clone()),
                None => Cow::Borrowed(text),
            };
        }
        let clean = for_model(text);
        let mut known = known();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let taken_out = match &clean {
            Cow::Owned(clean) => Some(clean.clone()),
            Cow::Borrowed(_) => None,
        };
        known.insert(text.to_owned(), taken_out);
        clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_through_is_the_same_when_it_is_told_again() {
        let lately = Lately::default();
        for _ in 0..2 {
            let secret = "My key ghp_abcdefghijklmnopqrstuvwxyz012345 no longer works.";
            assert_eq!(lately.for_model(secret), for_model(secret));
            assert_eq!(lately.for_model("Ticket 4711."), "Ticket 4711.");
        }
        for number in 0..REMEMBERED * 2 {
            lately.for_model(&format!("Ticket {number}."));
        }
        assert!(lately.0.lock().unwrap().len() <= REMEMBERED);
    }

    #[test]
    fn a_secret_does_not_reach_a_model_and_the_rest_does() {
        let text = "My key ghp_abcdefghijklmnopqrstuvwxyz012345 no longer works.";
        assert_eq!(
            for_model(text),
            "My key [secret taken out] no longer works."
        );
        let plain = "Ticket 4711 of ann@example.com.";
        assert!(matches!(for_model(plain), Cow::Borrowed(same) if same == plain));
    }
}
