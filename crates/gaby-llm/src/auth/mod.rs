//! Who we are, where a key in a header is not enough.

mod google;
mod sigv4;

pub(crate) use google::GoogleToken;

use crate::config::{ProviderConfig, ProviderKind};
use crate::error::LlmError;
use crate::wire::Outgoing;

/// What a request is signed with.
pub(crate) enum Signer {
    /// Nothing beyond the headers that the wire format set.
    None,
    /// AWS's signature, version 4.
    Aws,
    /// A Google access token.
    Google(GoogleToken),
}

impl Signer {
    pub(crate) fn of(config: &ProviderConfig) -> Result<Self, LlmError> {
        match config.kind {
            ProviderKind::Vertex => GoogleToken::of(config).map(Self::Google),
            ProviderKind::Bedrock if config.access_key_id.is_some() => Ok(Self::Aws),
            _ => Ok(Self::None),
        }
    }

    /// Adds what says who we are.
    pub(crate) async fn sign(
        &self,
        config: &ProviderConfig,
        client: &reqwest::Client,
        outgoing: &mut Outgoing,
    ) -> Result<(), LlmError> {
        match self {
            Self::None => Ok(()),
            Self::Aws => sigv4::sign(config, outgoing, std::time::SystemTime::now()),
            Self::Google(token) => {
                let token = token.get(config, client).await?;
                outgoing
                    .headers
                    .push(("authorization", format!("Bearer {token}")));
                Ok(())
            }
        }
    }
}
