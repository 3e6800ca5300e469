//! Vectors from an OpenAI-compatible endpoint (`POST BASE/embeddings`).
//!
//! What the interface documents is kept to: no empty input, at most 8,192 tokens in a text, and
//! the answer's order is its `index`. Requests are made on a thread of their own, so the blocking
//! [`Embedder`] works wherever it is called from.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::{Value, json};

use super::error::EmbedError;
use super::{Embedder, arithmetic};

/// Texts in one request.
const TEXTS: usize = 64;
/// Bytes of a text that are sent: 8,192 tokens of about three bytes.
const LONGEST_TEXT: usize = 24_000;
/// The interface refuses an empty text; this stands for one.
const EMPTY: &str = "(empty)";
/// The largest answer that is read.
const LARGEST_ANSWER: usize = 64 << 20;
/// Times that a request is tried.
const TRIES: u32 = 5;
/// The longest that an endpoint's `Retry-After` is obeyed.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(60);
/// Characters of an endpoint's own message that are shown.
const SHOWN: usize = 300;

/// An endpoint, for example `https://api.openai.com/v1`, with one of its models and, where it asks
/// for one, a key. Asks for one vector, to see that it works and how long its vectors are; blocks.
///
/// # Errors
/// When the address is wrong or the endpoint does not answer as documented.
pub fn openai_compatible(
    base_url: &str,
    model: &str,
    key: Option<&str>,
) -> Result<Arc<dyn Embedder>, EmbedError> {
    Ok(Arc::new(Endpoint::open(
        base_url,
        model,
        key,
        Duration::from_millis(500),
    )?))
}

struct Endpoint {
    id: String,
    dimensions: usize,
    asks: mpsc::Sender<Ask>,
}

/// Texts, and where their vectors go.
struct Ask {
    texts: Vec<String>,
    answer: mpsc::SyncSender<Result<Vec<Vec<f32>>, EmbedError>>,
}

impl Endpoint {
    /// `pause` is the wait before the second try; it doubles with each.
    fn open(
        base_url: &str,
        model: &str,
        key: Option<&str>,
        pause: Duration,
    ) -> Result<Self, EmbedError> {
        let address = address(base_url)?;
        let refuse = |reason: String| EmbedError::Address {
            address: address.to_string(),
            reason,
        };
        let requests = Requests {
            client: client(key).map_err(refuse)?,
            address: address.clone(),
            model: model.to_owned(),
            pause,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| refuse(error.to_string()))?;
        let (asks, receiver) = mpsc::channel::<Ask>();
        // The thread ends when the endpoint, and with it the sender, is dropped.
        std::thread::Builder::new()
            .name("embeddings".to_owned())
            .spawn(move || {
                for ask in receiver {
                    // A caller that has gone away needs no answer.
                    let _ = ask
                        .answer
                        .send(runtime.block_on(requests.vectors(&ask.texts)));
                }
            })
            .map_err(|error| refuse(error.to_string()))?;
        let mut endpoint = Self {
            id: String::new(),
            dimensions: 0,
            asks,
        };
        endpoint.dimensions = endpoint.embed(&["hello"])?.first().map_or(0, Vec::len);
        endpoint.id = format!("{model}-{}@{address}", endpoint.dimensions);
        Ok(endpoint)
    }
}

impl Embedder for Endpoint {
    fn id(&self) -> &str {
        &self.id
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let gone = || EmbedError::Unreachable {
            address: self.id.clone(),
            reason: "its thread has ended".to_owned(),
        };
        let mut vectors = Vec::with_capacity(texts.len());
        for batch in texts.chunks(TEXTS) {
            let (answer, receiver) = mpsc::sync_channel(1);
            let texts = batch.iter().map(|text| sent(text).to_owned()).collect();
            self.asks.send(Ask { texts, answer }).map_err(|_| gone())?;
            let batch = receiver.recv().map_err(|_| gone())??;
            if self.dimensions != 0 && batch.iter().any(|vector| vector.len() != self.dimensions) {
                let reason = format!("its vectors no longer have {} numbers", self.dimensions);
                return Err(EmbedError::Answer {
                    address: self.id.clone(),
                    reason,
                });
            }
            vectors.extend(batch);
        }
        Ok(vectors)
    }
}

/// A text as it is sent.
fn sent(text: &str) -> &str {
    let text = text.trim();
    if text.is_empty() {
        EMPTY
    } else {
        &text[..text.floor_char_boundary(LONGEST_TEXT)]
    }
}

fn address(base_url: &str) -> Result<Url, EmbedError> {
    let refuse = |reason: &str| EmbedError::Address {
        address: base_url.to_owned(),
        reason: reason.to_owned(),
    };
    let mut url = Url::parse(base_url.trim()).map_err(|error| refuse(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(refuse("it must begin with https:// or http:// and a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        url.set_username("")
            .and_then(|()| url.set_password(None))
            .map_err(|()| refuse("it holds a password"))?;
        let reason = "it holds a user or a password; give the key by itself".to_owned();
        return Err(EmbedError::Address {
            address: url.to_string(),
            reason,
        });
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("it must end with its path, for example /v1"));
    }
    let path = format!("{}/embeddings", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

fn client(key: Option<&str>) -> Result<Client, String> {
    // Fails only when the process has one already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut headers = HeaderMap::new();
    if let Some(key) = key {
        let value = HeaderValue::from_str(&format!("Bearer {}", key.trim()));
        let mut value =
            value.map_err(|_| "its key holds characters that cannot be sent".to_owned())?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Client::builder()
        .default_headers(headers)
        // A redirect would carry the texts to a host that nobody named.
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        .build()
        .map_err(|error| error.to_string())
}

struct Requests {
    client: Client,
    address: Url,
    model: String,
    pause: Duration,
}

/// A try that failed, and whether another is worth it, and after how long at least.
struct Failure {
    error: EmbedError,
    again: Option<Duration>,
}

impl Requests {
    async fn vectors(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let mut pause = self.pause;
        for attempt in 1.. {
            match self.attempt(texts).await {
                Ok(answer) => {
                    return vectors(&answer, texts.len()).map_err(|reason| self.answered(reason));
                }
                Err(Failure { error, again: None }) => return Err(error),
                Err(Failure { error, .. }) if attempt >= TRIES => return Err(error),
                Err(Failure {
                    again: Some(least), ..
                }) => tokio::time::sleep(pause.max(least)).await,
            }
            pause *= 2;
        }
        Err(self.answered("it was not asked".to_owned()))
    }

    async fn attempt(&self, texts: &[String]) -> Result<Vec<u8>, Failure> {
        let body = json!({ "model": self.model, "input": texts, "encoding_format": "float" });
        let response = self
            .client
            .post(self.address.clone())
            .json(&body)
            .send()
            .await;
        let response = response.map_err(|error| self.lost(&error))?;
        let status = response.status();
        if status.is_success() {
            return self.read(response).await;
        }
        let least = retry_after(&response);
        let said = self.read(response).await.unwrap_or_default();
        let error = EmbedError::Refused {
            address: self.address.to_string(),
            status: status.as_u16(),
            message: message(status, &said),
        };
        let busy = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
        Err(Failure {
            error,
            again: busy.then_some(least),
        })
    }

    async fn read(&self, mut response: Response) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|error| self.lost(&error))? {
            body.extend_from_slice(&part);
            if body.len() > LARGEST_ANSWER {
                let error = self.answered(format!("it is longer than {LARGEST_ANSWER} bytes"));
                return Err(Failure { error, again: None });
            }
        }
        Ok(body)
    }

    fn lost(&self, error: &reqwest::Error) -> Failure {
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            reason = format!("{reason}: {cause}");
            source = cause.source();
        }
        let error = EmbedError::Unreachable {
            address: self.address.to_string(),
            reason,
        };
        Failure {
            error,
            again: Some(Duration::ZERO),
        }
    }

    fn answered(&self, reason: String) -> EmbedError {
        EmbedError::Answer {
            address: self.address.to_string(),
            reason,
        }
    }
}

fn retry_after(response: &Response) -> Duration {
    let header = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok());
    let seconds = header.and_then(|value| value.trim().parse::<f64>().ok());
    let seconds = seconds
        .filter(|seconds| seconds.is_finite() && *seconds > 0.0)
        .unwrap_or(0.0);
    Duration::from_secs_f64(seconds.min(LONGEST_WAIT.as_secs_f64()))
}

/// What an endpoint said with an error status: its documented `error.message`, or the start of it.
fn message(status: StatusCode, body: &[u8]) -> String {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = match json["error"]["message"].as_str() {
        Some(text) => text.to_owned(),
        None => String::from_utf8_lossy(&body[..body.len().min(4 * SHOWN)]).into_owned(),
    };
    let text: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(SHOWN)
        .collect();
    let hint = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => " (check the key)",
        StatusCode::NOT_FOUND => " (check the address and the model's name)",
        status if status.is_redirection() => {
            " (redirects are not followed: give the final address)"
        }
        _ => "",
    };
    format!(
        "{}{hint}",
        if text.is_empty() {
            "nothing more"
        } else {
            &text
        }
    )
}

/// The unit vectors of an answer, in the order asked for.
fn vectors(body: &[u8], count: usize) -> Result<Vec<Vec<f32>>, String> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if answer.data.len() != count {
        return Err(format!("{} vectors for {count} texts", answer.data.len()));
    }
    let length = answer.data.first().map_or(0, |item| item.embedding.len());
    let mut vectors = vec![Vec::new(); count];
    for Item {
        index,
        mut embedding,
    } in answer.data
    {
        if embedding.is_empty() || embedding.len() != length {
            return Err("its vectors are empty or of different lengths".to_owned());
        }
        arithmetic::unit(&mut embedding);
        if !embedding.iter().all(|value| value.is_finite())
            || embedding.iter().all(|value| *value == 0.0)
        {
            return Err(format!("vector {index} has no direction"));
        }
        match vectors.get_mut(index) {
            Some(place) if place.is_empty() => *place = embedding,
            Some(_) => return Err(format!("vector {index} comes twice")),
            None => return Err(format!("vector {index} belongs to no text")),
        }
    }
    Ok(vectors)
}

#[derive(serde::Deserialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(serde::Deserialize)]
struct Item {
    index: usize,
    embedding: Vec<f32>,
}
