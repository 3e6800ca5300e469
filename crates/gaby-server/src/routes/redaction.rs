//! What of a workspace's texts is hidden before a model sees them.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use gaby_agent::AgentError;
use gaby_gate::redact::{self, Profile};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::caller::{Caller, In};
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::extract::Body;

/// A kind of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PersonalData {
    /// Keys, tokens, passwords.
    Secret,
    /// Payment cards.
    Card,
    /// Bank accounts.
    Iban,
    /// Social security numbers of the United States.
    UsSsn,
    /// Social insurance numbers of Canada.
    CaSin,
    /// National insurance numbers of the United Kingdom.
    UkNino,
    /// Tax identification numbers of Germany.
    DeTaxId,
    /// National identification numbers of France.
    FrNir,
    /// E-mail addresses.
    Email,
    /// Addresses of machines.
    Ip,
    /// Telephone numbers.
    Phone,
    /// Names of people: a best effort.
    Person,
}

macro_rules! kinds {
    ($($kind:ident),+) => {
        impl From<redact::Kind> for PersonalData {
            fn from(kind: redact::Kind) -> Self {
                match kind { $(redact::Kind::$kind => Self::$kind),+ }
            }
        }
        impl From<PersonalData> for redact::Kind {
            fn from(kind: PersonalData) -> Self {
                match kind { $(PersonalData::$kind => Self::$kind),+ }
            }
        }
    };
}
kinds!(
    Secret, Card, Iban, UsSsn, CaSin, UkNino, DeTaxId, FrNir, Email, Ip, Phone, Person
);

/// What a workspace has hidden.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redaction {
    /// The kinds that are looked for.
    pub(crate) kinds: BTreeSet<PersonalData>,
    /// What is less sure than this is left, 0 to 100.
    pub(crate) threshold: u8,
}

/// A text to try it on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedactionTry {
    /// The text; nothing of it is stored.
    pub(crate) text: String,
    /// What to hide in it; what the workspace has hidden when not said.
    #[serde(default)]
    pub(crate) profile: Option<Redaction>,
}

/// Something that was found.
#[derive(Serialize, ToSchema)]
pub(crate) struct FindingView {
    /// What it is.
    pub(crate) kind: PersonalData,
    /// Byte offset of its first character in the text.
    pub(crate) start: usize,
    /// Byte offset after its last character.
    pub(crate) end: usize,
    /// How sure it is, 0 to 100.
    pub(crate) score: u8,
}

/// A text as a model would see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct RedactionTried {
    /// The text, with pseudonyms.
    pub(crate) text: String,
    /// What was found, in the order of the text.
    pub(crate) found: Vec<FindingView>,
}

impl From<Profile> for Redaction {
    fn from(profile: Profile) -> Self {
        Self {
            kinds: profile.kinds.into_iter().map(Into::into).collect(),
            threshold: profile.threshold,
        }
    }
}

impl Redaction {
    fn profile(self) -> ApiResult<Profile> {
        if self.threshold > 100 {
            return Err(ApiError::invalid("`threshold` is a number from 0 to 100"));
        }
        Ok(Profile {
            kinds: self.kinds.into_iter().map(Into::into).collect(),
            threshold: self.threshold,
        })
    }
}

/// Read what is hidden before a model sees it.
#[utoipa::path(get, path = "/api/settings/redaction", tag = "settings",
    responses((status = 200, body = Redaction)))]
pub(crate) async fn get_redaction(In(workspace): In) -> ApiResult<Json<Redaction>> {
    let profile = redact::profile(&workspace)
        .await
        .map_err(AgentError::from)?;
    Ok(Json(profile.into()))
}

/// Say what is hidden before a model sees it.
#[utoipa::path(post, path = "/api/settings/redaction", tag = "settings", request_body = Redaction,
    responses((status = 200, body = Redaction), (status = 400, body = ErrorBody)))]
pub(crate) async fn set_redaction(
    State(app): State<App>,
    caller: Caller,
    In(workspace): In,
    Body(form): Body<Redaction>,
) -> ApiResult<Json<Redaction>> {
    let profile = form.profile()?;
    redact::settle(&workspace, &profile, caller.actor(), app.now())
        .await
        .map_err(AgentError::from)?;
    Ok(Json(profile.into()))
}

/// Try it on a text. Nothing of the text is stored.
#[utoipa::path(post, path = "/api/settings/redaction/try", tag = "settings", request_body = RedactionTry,
    responses((status = 200, body = RedactionTried), (status = 400, body = ErrorBody)))]
pub(crate) async fn try_redaction(
    In(workspace): In,
    Body(form): Body<RedactionTry>,
) -> ApiResult<Json<RedactionTried>> {
    let profile = match form.profile {
        Some(given) => given.profile()?,
        None => redact::profile(&workspace)
            .await
            .map_err(AgentError::from)?,
    };
    let keyed = |value: &[u8]| workspace.keyed_hash("pseudonym", value);
    let found = redact::find(&form.text, &profile)
        .into_iter()
        .map(|finding| FindingView {
            kind: finding.kind.into(),
            start: finding.start,
            end: finding.end,
            score: finding.score,
        })
        .collect();
    Ok(Json(RedactionTried {
        text: redact::redact(&form.text, &profile, &keyed).text,
        found,
    }))
}
