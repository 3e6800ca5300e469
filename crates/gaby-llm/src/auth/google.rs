//! Access tokens for Vertex AI: given as such, or fetched with a service account's key by the JWT
//! bearer flow (RFC 7523; developers.google.com/identity/protocols/oauth2/service-account).

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::{Host, Url};

use crate::config::ProviderConfig;
use crate::error::LlmError;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// A token is fetched anew this long before it ends.
const MARGIN: Duration = Duration::from_secs(300);
const PATIENCE: Duration = Duration::from_secs(10);

/// Where tokens come from.
pub(crate) enum GoogleToken {
    /// From the settings, as it is.
    Given,
    /// From Google, with a service account's key.
    Fetched {
        account: Box<Account>,
        /// The last one, and until when it is used. The lock makes others wait for one fetch.
        last: Mutex<Option<(SecretString, Instant)>>,
    },
}

/// A service account, ready to sign.
pub(crate) struct Account {
    email: String,
    token_url: Url,
    key_id: String,
    key: RsaKeyPair,
}

#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: String,
    #[serde(default)]
    private_key_id: String,
    token_uri: String,
}

impl GoogleToken {
    pub(crate) fn of(config: &ProviderConfig) -> Result<Self, LlmError> {
        match config.key() {
            Some(json) if json.starts_with('{') => Ok(Self::Fetched {
                account: Box::new(account(config, json)?),
                last: Mutex::new(None),
            }),
            _ => Ok(Self::Given),
        }
    }

    pub(crate) async fn get(
        &self,
        config: &ProviderConfig,
        client: &reqwest::Client,
    ) -> Result<String, LlmError> {
        let Self::Fetched { account, last } = self else {
            return Ok(config.key().unwrap_or_default().to_owned());
        };
        let mut last = last.lock().await;
        if let Some((token, until)) = last.as_ref()
            && Instant::now() < *until
        {
            return Ok(token.expose_secret().to_owned());
        }
        let (token, life) = fetch(config, account, client).await?;
        *last = Some((
            SecretString::from(token.clone()),
            Instant::now() + life.saturating_sub(MARGIN),
        ));
        Ok(token)
    }
}

fn account(config: &ProviderConfig, text: &str) -> Result<Account, LlmError> {
    let file: KeyFile = serde_json::from_str(text)
        .map_err(|error| config.wrong(format!("its key is not a service account's ({error})")))?;
    let token_url = Url::parse(&file.token_uri)
        .ok()
        .filter(|url| match url.host() {
            // The client checks where a name leads, and sees no address that stands as a number.
            Some(Host::Domain(_)) if url.scheme() == "https" => true,
            _ => matches!(url.host_str(), Some("127.0.0.1" | "localhost")) && !config.public_only,
        })
        .ok_or_else(|| config.wrong("its key's `token_uri` must begin with https:// and a name"))?;
    let encoded: String = file
        .private_key
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let key = STANDARD
        .decode(encoded)
        .ok()
        .and_then(|der| RsaKeyPair::from_pkcs8(&der).ok())
        .ok_or_else(|| config.wrong("its key's `private_key` is not an RSA key in PKCS #8"))?;
    Ok(Account {
        email: file.client_email,
        token_url,
        key_id: file.private_key_id,
        key,
    })
}

/// A signed statement of who we are and what for.
fn assertion(account: &Account, now: u64) -> Option<String> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(&json!({ "alg": "RS256", "typ": "JWT", "kid": account.key_id }));
    let claims = part(&json!({
        "iss": account.email,
        "scope": SCOPE,
        "aud": account.token_url.as_str(),
        "iat": now,
        "exp": now + 3_600,
    }));
    let signed = format!("{head}.{claims}");
    let mut signature = vec![0; account.key.public().modulus_len()];
    account
        .key
        .sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            signed.as_bytes(),
            &mut signature,
        )
        .ok()?;
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

async fn fetch(
    config: &ProviderConfig,
    account: &Account,
    client: &reqwest::Client,
) -> Result<(String, Duration), LlmError> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let assertion = assertion(account, now).ok_or_else(|| config.wrong("its key does not sign"))?;
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
        .append_pair("assertion", &assertion)
        .finish();
    let lost = |reason: String| LlmError::Unreachable {
        provider: config.label(),
        reason: format!("no access token from {}: {reason}", account.token_url),
    };
    let response = client
        .post(account.token_url.clone())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .timeout(PATIENCE)
        .send()
        .await
        .map_err(|error| lost(crate::http::reason(&error)))?;
    let status = response.status().as_u16();
    let body = crate::http::small_body(response)
        .await
        .map_err(|error| lost(crate::http::reason(&error)))?;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    match body["access_token"].as_str() {
        Some(token) if status == 200 => {
            let life = body["expires_in"].as_u64().unwrap_or(0).min(3_600);
            Ok((token.to_owned(), Duration::from_secs(life)))
        }
        _ => {
            let why = body["error_description"]
                .as_str()
                .or(body["error"].as_str());
            Err(LlmError::Status {
                provider: config.label(),
                status: if status == 200 { 502 } else { status },
                message: format!("no access token: {}", why.unwrap_or("no reason given")),
                retry_after: None,
            })
        }
    }
}
