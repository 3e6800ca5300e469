//! Who we are: AWS's signature worked out a second time from AWS's description, Google's signed
//! request for a token, Azure's older addresses, servers without a key.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gaby_llm::address::Reach;
use gaby_llm::chat::{ChatRequest, Message};
use gaby_llm::{LlmError, Provider, ProviderConfig, ProviderKind};
use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::contract::conversation;
use crate::server::{Act, Seen, head, serve};
use crate::vendors::{Answer, ask, of, patient};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The signature that AWS would work out, from "Create a signed AWS API request".
fn signature(seen: &Seen, signed_headers: &str, secret: &str) -> String {
    let date = seen.header("x-amz-date").unwrap();
    let day = &date[..8];
    // The path is escaped once on the wire and once more in the canonical request.
    let path = seen.target.replace('%', "%25");
    let headers: String = signed_headers
        .split(';')
        .map(|name| format!("{name}:{}\n", seen.header(name).unwrap()))
        .collect();
    let canonical = format!(
        "POST\n{path}\n\n{headers}\n{signed_headers}\n{}",
        sha256(&seen.raw)
    );
    let scope = format!("{day}/eu-central-1/bedrock/aws4_request");
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{date}\n{scope}\n{}",
        sha256(canonical.as_bytes())
    );
    let key = [day, "eu-central-1", "bedrock", "aws4_request"]
        .iter()
        .fold(format!("AWS4{secret}").into_bytes(), |key, part| {
            hmac(&key, part)
        });
    hex::encode(hmac(&key, &to_sign))
}

/// A part of the Authorization header.
fn part<'a>(authorization: &'a str, name: &str) -> &'a str {
    authorization
        .split([',', ' '])
        .find_map(|part| part.trim().strip_prefix(name))
        .unwrap_or_default()
        .trim_start_matches('=')
}

#[tokio::test]
async fn requests_to_bedrock_carry_the_signature_that_aws_would_work_out() {
    let vendor = of(ProviderKind::Bedrock);
    for (secret, token, good) in [
        (SECRET, None, true),
        (SECRET, Some("session/token=="), true),
        ("another secret", None, false),
    ] {
        let server = serve(move |_, seen| {
            let authorization = seen.header("authorization").unwrap_or_default().to_owned();
            let signed = part(&authorization, "SignedHeaders").to_owned();
            let right = signature(seen, &signed, SECRET);
            let day = &seen.header("x-amz-date").unwrap()[..8];
            let credential = format!("AKIDEXAMPLE/{day}/eu-central-1/bedrock/aws4_request");
            let all_there = ["host", "x-amz-date"]
                .iter()
                .all(|name| signed.split(';').any(|s| s == *name));
            let token_there = seen.header("x-amz-security-token") == token
                && (token.is_none() || signed.contains("x-amz-security-token"));
            if part(&authorization, "Signature") == right
                && part(&authorization, "Credential") == credential
                && authorization.starts_with("AWS4-HMAC-SHA256 ")
                && all_there
                && token_there
            {
                vec![
                    vendor.head(),
                    Act::Send(vendor.bytes(&Answer::text("signed"))),
                ]
            } else {
                vendor.refusal(
                    403,
                    "The request signature we calculated does not match",
                    &[],
                )
            }
        })
        .await;
        let mut config = vendor.config(&server);
        config.access_key_id = Some("AKIDEXAMPLE".into());
        config.api_key = Some(secret.to_owned().into());
        config.session_token = token.map(|token| token.to_owned().into());
        let provider = Provider::open(config, Reach::default(), patient()).unwrap();
        let answer = ask(&provider, &conversation()).await;
        assert_eq!(answer.is_ok(), good, "{answer:?}");
    }
}

fn service_account(token_uri: &str) -> (String, RsaKeyPair) {
    let der: String = include_str!("data/made-up-rsa-key.base64")
        .split_whitespace()
        .collect();
    let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(&der).unwrap()).unwrap();
    // Put together here, so that no scanner takes the file for a leaked key.
    let pem = format!(
        "-----BEGIN {0} KEY-----\n{der}\n-----END {0} KEY-----\n",
        "PRIVATE"
    );
    let account = json!({
        "type": "service_account", "client_email": "gaby@p1.example", "private_key_id": "k1",
        "private_key": pem, "token_uri": token_uri,
    });
    (account.to_string(), pair)
}

#[tokio::test]
async fn a_service_account_signs_for_a_token_once_and_uses_it_until_it_ends() {
    let vendor = crate::vendors::all()
        .into_iter()
        .find(|v| v.name == "gemini on vertex")
        .unwrap();
    let server = serve(move |_, seen| {
        if seen.target != "/token" {
            let good = seen.header("authorization") == Some("Bearer ya29.short");
            return match good {
                true => vec![
                    vendor.head(),
                    Act::Send(vendor.bytes(&Answer::text("hello"))),
                ],
                false => vendor.refusal(401, "no token", &[]),
            };
        }
        let form: Vec<(String, String)> = url::form_urlencoded::parse(&seen.raw)
            .into_owned()
            .collect();
        let field = |name: &str| {
            form.iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.as_str())
                .unwrap()
        };
        assert_eq!(
            field("grant_type"),
            "urn:ietf:params:oauth:grant-type:jwt-bearer"
        );
        let (signed, signature) = field("assertion").rsplit_once('.').unwrap();
        let (head_part, claims) = signed.split_once('.').unwrap();
        let read = |part: &str| -> Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        let (_, pair) = service_account("");
        let public =
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
        public
            .verify(
                signed.as_bytes(),
                &URL_SAFE_NO_PAD.decode(signature).unwrap(),
            )
            .unwrap();
        assert_eq!(
            (&read(head_part)["alg"], &read(head_part)["kid"]),
            (&json!("RS256"), &json!("k1"))
        );
        let claims = read(claims);
        assert_eq!(claims["iss"], "gaby@p1.example");
        assert_eq!(
            claims["scope"],
            "https://www.googleapis.com/auth/cloud-platform"
        );
        assert!(claims["aud"].as_str().unwrap().ends_with("/token"));
        assert_eq!(
            claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(),
            3_600
        );
        let body =
            json!({"access_token": "ya29.short", "expires_in": 3599, "token_type": "Bearer"});
        vec![
            head(200, &[("content-type", "application/json")]),
            Act::Send(body.to_string().into_bytes()),
        ]
    })
    .await;
    let mut config = vendor.config(&server);
    config.api_key = Some(service_account(&format!("{}/token", server.url)).0.into());
    let provider = Provider::open(config.clone(), Reach::default(), patient()).unwrap();
    let asks: Vec<_> = (0..5)
        .map(|_| {
            let provider = provider.clone();
            tokio::spawn(async move { ask(&provider, &conversation()).await })
        })
        .collect();
    for done in futures_util::future::join_all(asks).await {
        assert_eq!(done.unwrap().unwrap().turn.text, "hello");
    }
    let fetched = server
        .seen()
        .iter()
        .filter(|seen| seen.target == "/token")
        .count();
    assert_eq!(fetched, 1);
    config.api_key = Some("{\"client_email\":\"x\"}".to_owned().into());
    assert!(matches!(
        Provider::open(config, Reach::default(), patient()),
        Err(LlmError::Config { .. })
    ));
}

#[tokio::test]
async fn azure_resources_without_the_v1_api_are_asked_by_deployment_and_version() {
    let vendor = of(ProviderKind::Azure);
    let server = serve(move |_, seen| {
        if seen.target == "/openai/deployments/gpt-test/chat/completions?api-version=2024-10-21"
            && seen.header("api-key") == Some("test-key")
        {
            vec![vendor.head(), Act::Send(vendor.bytes(&Answer::text("old")))]
        } else {
            vendor.refusal(404, "Resource not found", &[])
        }
    })
    .await;
    let mut config = vendor.config(&server);
    config.api_version = Some("2024-10-21".into());
    let provider = Provider::open(config, Reach::default(), patient()).unwrap();
    assert_eq!(
        ask(&provider, &conversation()).await.unwrap().turn.text,
        "old"
    );
}

#[tokio::test]
async fn a_server_of_your_own_needs_no_key() {
    for kind in [
        ProviderKind::OpenAiCompatible,
        ProviderKind::Vllm,
        ProviderKind::LlamaCpp,
        ProviderKind::Ollama,
    ] {
        let vendor = of(kind);
        let server = serve(move |_, seen| match seen.header("authorization") {
            None => vec![
                vendor.head(),
                Act::Send(vendor.bytes(&Answer::text("open"))),
            ],
            Some(_) => vendor.refusal(401, "what key?", &[]),
        })
        .await;
        let mut config: ProviderConfig = vendor.config(&server);
        config.api_key = None;
        let provider = Provider::open(config, Reach::default(), patient()).unwrap();
        let request = ChatRequest {
            messages: vec![Message::user("hello")],
            max_output_tokens: 10,
            ..ChatRequest::default()
        };
        assert_eq!(ask(&provider, &request).await.unwrap().turn.text, "open");
    }
}
