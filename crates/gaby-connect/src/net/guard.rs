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
