//! Where requests may go: decided on the URL, then on every address that its name resolves to, and
//! only those addresses are connected to.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::address::is_public;

/// Why a request is not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GuardError {
    /// The URL cannot be read.
    #[error("`{0}` is not a URL that can be used: {1}")]
    Url(String, String),
    /// The URL leads where nothing may be sent.
    #[error("`{0}` may not be reached: {1}")]
    Refused(String, String),
}

/// Finds the addresses of a name; replaced in tests.
pub(crate) trait Lookup: Send + Sync + 'static {
    fn lookup(&self, name: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>>;
}

/// The system's resolver.
pub(crate) struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// What a connector may reach.
#[derive(Clone)]
pub(crate) struct Guard {
    /// `host:port` that the operator named, beyond what is public.
    allowed: Arc<BTreeSet<String>>,
    lookup: Arc<dyn Lookup>,
}

impl Guard {
    pub(crate) fn new(allowed: impl IntoIterator<Item = String>, lookup: Arc<dyn Lookup>) -> Self {
        Self {
            allowed: Arc::new(
                allowed
                    .into_iter()
                    .map(|entry| entry.trim().to_lowercase())
                    .filter(|entry| !entry.is_empty())
                    .collect(),
            ),
            lookup,
        }
    }

    /// Reads a URL and checks what can be checked before its name is resolved.
    pub(crate) fn url(&self, text: &str) -> Result<Url, GuardError> {
        let url =
            Url::parse(text).map_err(|error| GuardError::Url(shorten(text), error.to_string()))?;
        self.check(&url)?;
        Ok(url)
    }

    /// Checks a parsed URL, such as a redirect's.
    pub(crate) fn check(&self, url: &Url) -> Result<(), GuardError> {
        let refuse = |reason: &str| {
            Err(GuardError::Refused(
                shorten(url.as_str()),
                reason.to_owned(),
            ))
        };
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("only https addresses are");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("it holds a user or password: give credentials as secrets");
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return refuse("it names no host");
        };
        let name = host_text(&host);
        if self.allowed.contains(&format!("{name}:{port}")) {
            return Ok(());
        }
        // A host that is allowed on one port would pass the resolver's check on all.
        if self.names_host(&name) {
            return refuse("this host is allowed on another port only");
        }
        if url.scheme() != "https" {
            return refuse("it is not https: allow its host:port to reach it all the same");
        }
        if !matches!(port, 443 | 8443) {
            return refuse("its port is unusual: allow its host:port to reach it all the same");
        }
        match host {
            Host::Ipv4(address) if !is_public(address.into()) => {
                refuse("its address is not public")
            }
            Host::Ipv6(address) if !is_public(address.into()) => {
                refuse("its address is not public")
            }
            Host::Domain(_) if is_internal_name(&name) => refuse("its name is an internal one"),
            _ => Ok(()),
        }
    }

    fn names_host(&self, name: &str) -> bool {
        self.allowed
            .iter()
            .any(|entry| entry.rsplit_once(':').is_some_and(|(host, _)| host == name))
    }

    /// A client that connects only to addresses that passed, follows no redirect, and knows no proxy.
    pub(crate) fn client(&self, time: Duration) -> Result<reqwest::Client, GuardError> {
        // Another part of the process may have chosen the provider already; either is good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder()
            .dns_resolver(Arc::new(self.clone()))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(5).min(time))
            .timeout(time)
            .user_agent(concat!("gaby/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| GuardError::Url("https".into(), error.to_string()))
    }

    /// The addresses of a name, all of which may be connected to.
    async fn resolve(self, name: String) -> Result<Vec<SocketAddr>, GuardError> {
        let plain = name.trim_end_matches('.').to_lowercase();
        let found = self.lookup.lookup(name.clone()).await.map_err(|error| {
            GuardError::Refused(plain.clone(), format!("its name was not found ({error})"))
        })?;
        if found.is_empty() {
            return Err(GuardError::Refused(plain, "its name has no address".into()));
        }
        if !self.names_host(&plain)
            && let Some(bad) = found.iter().find(|address| !is_public(**address))
        {
            return Err(GuardError::Refused(
                plain,
                format!("its name leads to {bad}, which is not public"),
            ));
        }
        Ok(found.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect())
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        let name = name.as_str().to_owned();
        Box::pin(async move {
            let addresses = Guard::resolve(guard, name).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn host_text(host: &Host<&str>) -> String {
    match host {
        Host::Domain(name) => name.trim_end_matches('.').to_lowercase(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => format!("[{address}]"),
    }
}

fn is_internal_name(name: &str) -> bool {
    let single = !name.contains('.');
    single
        || [
            "localhost",
            "internal",
            "local",
            "localdomain",
            "lan",
            "home.arpa",
            "intranet",
            "corp",
        ]
        .iter()
        .any(|suffix| name == *suffix || name.ends_with(&format!(".{suffix}")))
}

fn shorten(text: &str) -> String {
    text.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A name server that gives these answers one after the other, the last one for ever.
    struct Answers {
        answers: Mutex<Vec<Vec<IpAddr>>>,
        asked: AtomicUsize,
    }

    impl Answers {
        fn new(answers: &[&[&str]]) -> Arc<Self> {
            let answers = answers
                .iter()
                .map(|answer| answer.iter().map(|ip| ip.parse().unwrap()).collect())
                .collect();
            Arc::new(Self {
                answers: Mutex::new(answers),
                asked: AtomicUsize::new(0),
            })
        }
    }

    impl Lookup for Answers {
        fn lookup(&self, _: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let mut answers = self.answers.lock().unwrap();
            let answer = if answers.len() > 1 {
                answers.remove(0)
            } else {
                answers[0].clone()
            };
            Box::pin(async move { Ok(answer) })
        }
    }

    /// A port of this machine that counts who comes. Loopback's own /8 keeps tests apart.
    async fn canary() -> (u16, IpAddr, Arc<AtomicUsize>) {
        let address: IpAddr = "127.7.7.7".parse().unwrap();
        let listener = tokio::net::TcpListener::bind((address, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let came = Arc::new(AtomicUsize::new(0));
        let count = came.clone();
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        (port, address, came)
    }

    /// What keeps a request from being sent, in the guard's words.
    async fn get(client: &reqwest::Client, url: &str) -> Result<u16, String> {
        match client.get(url).send().await {
            Ok(response) => Ok(response.status().as_u16()),
            Err(error) => {
                let mut source = error.source();
                while let Some(inner) = source {
                    if let Some(guard) = inner.downcast_ref::<GuardError>() {
                        return Err(guard.to_string());
                    }
                    source = inner.source();
                }
                Err("connection".to_owned())
            }
        }
    }

    fn client(guard: &Guard) -> reqwest::Client {
        guard.client(Duration::from_millis(700)).unwrap()
    }

    /// Addresses that a name may not lead to.
    const ANSWERS: &[&str] = &[
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "::1",
        "::",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "100::1",
        "169.254.169.254",
        "169.254.170.2",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "10.0.0.1",
        "10.255.255.255",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "192.168.255.255",
        "192.0.0.1",
        "192.0.0.170",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "0.1.2.3",
    ];

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_connected_to() {
        assert!(ANSWERS.len() >= 45);
        let mut answers: Vec<Vec<&str>> = ANSWERS
            .iter()
            .flat_map(|answer| {
                [
                    vec![*answer],
                    vec!["1.1.1.1", answer],
                    vec![answer, "2606:4700::1111"],
                ]
            })
            .collect();
        answers.push(Vec::new());
        let lists: Vec<&[&str]> = answers.iter().map(Vec::as_slice).collect();
        let client = client(&Guard::new([], Answers::new(&lists)));
        for answer in &answers {
            let refused = get(&client, "https://name.example.com/").await.unwrap_err();
            let said = if answer.is_empty() {
                "no address"
            } else {
                "which is not public"
            };
            assert!(refused.contains(said), "{answer:?}: {refused}");
        }
    }

    #[tokio::test]
    async fn a_name_that_changes_its_answer_is_asked_once_a_connection_and_refused_when_it_turns() {
        let (_, inside, came) = canary().await;
        let inside = inside.to_string();
        let turning = Answers::new(&[&["93.184.216.34"], &[&inside]]);
        let client = client(&Guard::new([], turning.clone()));
        // Whether the public address answers does not matter: it is what was connected to.
        let first = get(&client, "https://name.example.com:8443/").await;
        assert!(!first.is_err_and(|error| error.contains("not public")));
        assert_eq!(turning.asked.load(Ordering::Relaxed), 1);
        let second = get(&client, "https://name.example.com:8443/")
            .await
            .unwrap_err();
        assert!(second.contains("which is not public"), "{second}");
        assert_eq!(turning.asked.load(Ordering::Relaxed), 2);
        assert_eq!(came.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn an_exception_of_the_operator_reaches_inside_by_that_name_only() {
        let (port, inside, came) = canary().await;
        let lookup = Answers::new(&[&[&inside.to_string()]]);
        let guard = Guard::new([format!("Inside.Example.com:{port}")], lookup);
        guard
            .url(&format!("http://inside.example.com:{port}/"))
            .unwrap();
        let client = client(&guard);
        let _ = get(&client, &format!("http://inside.example.com:{port}/")).await;
        assert_eq!(came.load(Ordering::Relaxed), 1);
        let other = get(&client, &format!("http://other.example.com:{port}/"))
            .await
            .unwrap_err();
        assert!(other.contains("which is not public"), "{other}");
        assert!(
            guard
                .url(&format!("https://inside.example.com:{}/", port ^ 1))
                .is_err()
        );
        assert_eq!(came.load(Ordering::Relaxed), 1);
    }
}
