//! The one place that every text of outsiders passes on its way to a model.

use std::borrow::Cow;

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

#[cfg(test)]
mod tests {
    use super::*;

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
