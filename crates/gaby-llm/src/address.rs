//! Where models may be: decided on the URL, then on every address that its name resolves to, and
//! only those addresses are connected to. So a name cannot be pointed elsewhere after the check.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Finds the addresses of a name; replaced in tests.
pub trait Lookup: Send + Sync + 'static {
    /// The addresses of a name.
    fn lookup(&self, name: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>>;
}

/// The system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Which addresses may be connected to.
#[derive(Clone)]
pub struct Reach {
    /// Only loopback and private ones.
    pub local_only: bool,
    /// Only those of the internet.
    pub public_only: bool,
    /// How names are found.
    pub lookup: Arc<dyn Lookup>,
}

impl Default for Reach {
    fn default() -> Self {
        Self {
            local_only: false,
            public_only: false,
            lookup: Arc::new(SystemLookup),
        }
    }
}

impl std::fmt::Debug for Reach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            local_only,
            public_only,
            ..
        } = self;
        write!(
            f,
            "Reach(local_only: {local_only}, public_only: {public_only})"
        )
    }
}

/// Why an address is not connected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReachError {
    /// Models may only be local.
    #[error("{0} is not a loopback or private address, and `local_only` is on")]
    NotLocal(String),
    /// Whoever set it may not reach into the operator's network.
    #[error(
        "{0} is within this network, where only an administrator of all workspaces may set a model (or `private_addresses` in the operator's settings)"
    )]
    NotPublic(String),
    /// Clouds keep credentials at such addresses, and no model is there.
    #[error("{0} is a link-local or metadata address")]
    Metadata(String),
    /// It has no address.
    #[error("the name {0} was not found ({1})")]
    NotFound(String, String),
}

impl Reach {
    /// Checks an address.
    ///
    /// # Errors
    /// When it may not be connected to.
    pub fn check(&self, address: IpAddr) -> Result<(), ReachError> {
        let address = embedded(address);
        if is_metadata(address) {
            return Err(ReachError::Metadata(address.to_string()));
        }
        if self.local_only && !is_local(address) {
            return Err(ReachError::NotLocal(address.to_string()));
        }
        if self.public_only && !is_public(address) {
            return Err(ReachError::NotPublic(address.to_string()));
        }
        Ok(())
    }

    /// Checks where a URL leads now.
    ///
    /// # Errors
    /// When any of its addresses may not be connected to, or it has none.
    pub async fn check_url(&self, url: &Url) -> Result<(), ReachError> {
        match url.host() {
            Some(Host::Ipv4(address)) => self.check(address.into()),
            Some(Host::Ipv6(address)) => self.check(address.into()),
            Some(Host::Domain(name)) => self.resolve(name.to_owned()).await.map(|_| ()),
            None => Err(ReachError::NotFound(url.to_string(), "no host".into())),
        }
    }

    async fn resolve(&self, name: String) -> Result<Vec<SocketAddr>, ReachError> {
        let found = self
            .lookup
            .lookup(name.clone())
            .await
            .map_err(|error| ReachError::NotFound(name.clone(), error.to_string()))?;
        if found.is_empty() {
            return Err(ReachError::NotFound(name, "it has no address".into()));
        }
        for address in &found {
            self.check(*address)?;
        }
        Ok(found.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect())
    }
}

impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.clone();
        Box::pin(async move {
            let addresses = Reach::resolve(&reach, name.as_str().to_owned()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// An IPv4 address that an IPv6 address carries, or the address itself.
fn embedded(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

fn is_metadata(address: IpAddr) -> bool {
    match address {
        // 100.100.100.200 is Alibaba Cloud's, 192.0.0.192 Oracle's.
        IpAddr::V4(v4) => {
            v4.is_link_local()
                || v4 == Ipv4Addr::new(100, 100, 100, 200)
                || v4 == Ipv4Addr::new(192, 0, 0, 192)
        }
        IpAddr::V6(v6) => {
            v6.is_unicast_link_local() || v6 == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)
        }
    }
}

fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
    }
}

/// Whether an address is one of the internet: in none of the ranges that IANA keeps for other uses
/// (RFC 6890 and its registries), and in none that carries an IPv4 address to somewhere else.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_documentation()
                || a == 0
                || a >= 224
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 192 && b == 88 && c == 99)
                || (a == 198 && (b == 18 || b == 19)))
        }
        IpAddr::V6(v6) => {
            let [a, b, ..] = v6.segments();
            a & 0xe000 == 0x2000 && a != 0x2002 && !(a == 0x2001 && (b < 0x200 || b == 0xdb8))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_only_lets_loopback_and_private_addresses_through_and_nothing_else() {
        let local = Reach {
            local_only: true,
            ..Reach::default()
        };
        for good in [
            "127.0.0.1",
            "127.8.8.8",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.9",
            "::1",
            "fd12::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(local.check(good.parse().unwrap()).is_ok(), "{good}");
        }
        for bad in [
            "1.1.1.1",
            "172.32.0.1",
            "100.64.0.1",
            "0.0.0.0",
            "::",
            "2606:4700::1",
            "::ffff:8.8.8.8",
            "169.254.169.254",
            "fe80::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "64:ff9b::a00:1",
            "2002:a00:1::",
        ] {
            assert!(local.check(bad.parse().unwrap()).is_err(), "{bad}");
        }
        let open = Reach::default();
        assert!(open.check("1.1.1.1".parse().unwrap()).is_ok());
        assert!(open.check("169.254.169.254".parse().unwrap()).is_err());
        assert!(
            open.check("::ffff:169.254.169.254".parse().unwrap())
                .is_err()
        );
    }
    #[test]
    fn public_only_lets_nothing_through_that_is_not_of_the_internet() {
        let public = Reach {
            public_only: true,
            ..Reach::default()
        };
        for good in ["1.1.1.1", "8.8.8.8", "172.32.0.1", "2606:4700::1111"] {
            assert!(public.check(good.parse().unwrap()).is_ok(), "{good}");
        }
        for bad in [
            "127.0.0.1",
            "127.8.8.8",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.9",
            "100.64.0.1",
            "0.0.0.0",
            "169.254.169.254",
            "192.0.0.192",
            "198.18.0.1",
            "203.0.113.7",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:10.0.0.1",
            "::10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001::1",
            "2001:db8::1",
        ] {
            assert!(public.check(bad.parse().unwrap()).is_err(), "{bad}");
        }
    }
}
