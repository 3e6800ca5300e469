//! A server that misbehaves on purpose: it reads one request a connection, checks it, and then does
//! exactly what it is told, byte by byte. And one that behaves, and keeps its connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query, as sent.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) raw: Vec<u8>,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// What the server does, in order; then it closes.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Status line and headers; the body goes until the connection closes.
    Head(u16, Vec<(String, String)>),
    Send(Vec<u8>),
    /// One byte, again and again.
    Dribble(u8, Duration),
    /// The same bytes, again and again.
    Forever(Vec<u8>),
    Hang,
    /// Closes so that the other side sees an error.
    Reset,
}

pub(crate) fn head(status: u16, headers: &[(&str, &str)]) -> Act {
    let headers = headers
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    Act::Head(status, headers.collect())
}

pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// Serves; `answer` gets the number of the request, from 0, and the request.
pub(crate) async fn serve(
    answer: impl Fn(usize, &Seen) -> Vec<Act> + Send + Sync + 'static,
) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&seen);
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        loop {
            let Ok((socket, _)) = listener.accept().await else {
                return;
            };
            let (all, answer) = (Arc::clone(&all), Arc::clone(&answer));
            tokio::spawn(async move {
                let _ = one(socket, &all, &*answer).await;
            });
        }
    });
    Server {
        url: format!("http://127.0.0.1:{port}"),
        port,
        seen,
    }
}

/// Serves the same answer over connections that it keeps, and counts them. Their end comes a moment after
/// the answer's last event.
pub(crate) async fn serve_kept(
    content_type: &'static str,
    body: Vec<u8>,
) -> (Server, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let (count, seen) = (Arc::clone(&connections), Arc::default());
    let all: Arc<Mutex<Vec<Seen>>> = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let (all, body) = (Arc::clone(&all), body.clone());
            tokio::spawn(async move {
                while let Some(seen) = read(&mut socket).await? {
                    all.lock().unwrap().push(seen);
                    let head = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n",
                        body.len()
                    );
                    socket
                        .write_all(&[head.as_bytes(), &body, b"\r\n"].concat())
                        .await?;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    socket.write_all(b"0\r\n\r\n").await?;
                }
                Ok::<_, std::io::Error>(())
            });
        }
    });
    let url = format!("http://127.0.0.1:{port}");
    (Server { url, port, seen }, connections)
}

async fn one(
    mut socket: TcpStream,
    all: &Mutex<Vec<Seen>>,
    answer: &(dyn Fn(usize, &Seen) -> Vec<Act> + Send + Sync),
) -> std::io::Result<()> {
    let Some(seen) = read(&mut socket).await? else {
        return Ok(());
    };
    let acts = {
        let mut all = all.lock().unwrap();
        all.push(seen.clone());
        answer(all.len() - 1, &seen)
    };
    for act in acts {
        match act {
            Act::Head(status, headers) => {
                let mut text = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n");
                for (name, value) in headers {
                    text.push_str(&format!("{name}: {value}\r\n"));
                }
                text.push_str("\r\n");
                socket.write_all(text.as_bytes()).await?;
            }
            Act::Send(bytes) => {
                socket.write_all(&bytes).await?;
                socket.flush().await?;
            }
            Act::Dribble(byte, every) => loop {
                socket.write_all(&[byte]).await?;
                tokio::time::sleep(every).await;
            },
            Act::Forever(bytes) => loop {
                socket.write_all(&bytes).await?;
                tokio::task::yield_now().await;
            },
            Act::Hang => std::future::pending().await,
            Act::Reset => {
                socket.set_zero_linger()?;
                return Ok(());
            }
        }
    }
    socket.shutdown().await
}

async fn read(socket: &mut TcpStream) -> std::io::Result<Option<Seen>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 << 10];
    let end = loop {
        let n = socket.read(&mut buffer).await?;
        if n == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&buffer[..n]);
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (
        first.next().unwrap_or_default(),
        first.next().unwrap_or_default(),
    );
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let mut raw = bytes[end + 4..].to_vec();
    while raw.len() < length {
        let n = socket.read(&mut buffer).await?;
        if n == 0 {
            return Ok(None);
        }
        raw.extend_from_slice(&buffer[..n]);
    }
    Ok(Some(Seen {
        method: method.to_owned(),
        target: target.to_owned(),
        headers,
        body: serde_json::from_slice(&raw).unwrap_or(Value::Null),
        raw,
    }))
}
