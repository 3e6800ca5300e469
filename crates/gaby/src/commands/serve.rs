//! `gaby serve`: the console, the API, and the work on the queue.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

use anyhow::Context as _;
use gaby_server::demo::{Demo, DemoAdmin};
use gaby_server::{Post, ServeConfig, Server, Tenants};
use gaby_store::Store;
use tokio_util::sync::CancellationToken;

use crate::failure::usage;
use crate::memory;
use crate::output::note;
use crate::workplace::Workplace;

pub(crate) const USUAL_ADDRESS: &str = "127.0.0.1:8080";

/// Serve the console and the API, and work on the tickets that come in
///
/// Logs go to stdout, as JSON unless it is a terminal; GABY_LOG sets how much, such as
/// GABY_LOG=debug. SIGINT and SIGTERM end what is begun and then stop; a second one stops at once.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "GABY_LISTEN",
        hide_env_values = true
    )]
    listen: Option<String>,
    /// The address under which browsers reach this server, when a proxy stands before it
    #[arg(
        long,
        value_name = "URL",
        env = "GABY_PUBLIC_URL",
        hide_env_values = true
    )]
    public_url: Option<String>,
    /// Show a made-up company at work; without --data in a folder that goes when this ends
    #[arg(long)]
    demo: bool,
    /// A demo of your own, as docs/demo.md describes it
    #[arg(long, value_name = "DIR", requires = "demo")]
    demo_dir: Option<PathBuf>,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let listen = args.listen.or_else(|| place.settings.listen.clone());
    let public_url = args
        .public_url
        .or_else(|| place.settings.public_url.clone());
    let mut config = ServeConfig {
        listen: address(listen.as_deref().unwrap_or(USUAL_ADDRESS))?,
        public_url: public_url.as_deref().map(browser_url).transpose()?,
        demo_admin: None,
        post: Post::open(&place.settings.mail)?,
    };
    let shutdown = ended_by_signal()?;
    tokio::spawn(memory::keep_giving_back(shutdown.clone()));
    if !args.demo {
        let parts = place.parts()?;
        // A model where none may be is an error before anything begins.
        parts.models.check_addresses().await?;
        let store = place.store().await?;
        let tenants = gaby_server::tenants(store, parts).await?;
        let server = Server::bind(store.clone(), tenants, config).await?;
        welcome(&server, None);
        return Ok(server.run(shutdown).await?);
    }

    let mut settings = place.settings.clone();
    let mut _goes_at_the_end = None;
    if !settings.data_is_named {
        let folder = tempfile::Builder::new()
            .prefix("gaby-demo-")
            .tempdir()
            .context("cannot make a folder for the demo: name one with --data")?;
        settings = settings.with_data(folder.path().to_owned());
        _goes_at_the_end = Some(folder);
    }
    let place = Workplace::new(settings);
    // The store makes its folder private, so it comes first.
    let store = place.store().await?.clone();
    let demo = Demo::read(args.demo_dir, place.settings.data()?)?;
    let parts = demo.parts(&place.settings.parts()?)?;
    // A model where none may be is an error before anything begins.
    parts.models.check_addresses().await?;
    // Without the workspace that a first start makes: the demo brings its own.
    let tenants = Tenants::new(store.clone(), parts);
    let admin = demo.install(&store, &tenants).await?;
    config.demo_admin = Some(admin.id.clone());
    let server = Server::bind(store.clone(), tenants.clone(), config).await?;
    welcome(&server, Some(&admin));
    let arriving = arrive(demo, store, tenants, shutdown.clone());
    let served = server.run(shutdown.clone()).await;
    shutdown.cancel();
    arriving.await?;
    Ok(served?)
}

/// Has Gaby read the demo's articles, and lets its tickets arrive, while the server answers already.
fn arrive(
    demo: Demo,
    store: Store,
    tenants: gaby_server::Tenants,
    shutdown: CancellationToken,
) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = demo.teach(&store, &tenants).await {
            tracing::error!(%error, "the demo's articles are not there");
        }
        if let Err(error) = demo.run(&store, &tenants, shutdown).await {
            tracing::error!(%error, "the demo's tickets do not arrive");
        }
    })
}

fn welcome(server: &Server, demo: Option<&DemoAdmin>) {
    match &server.link {
        Some(link) if demo.is_some() => note(format!(
            "Gaby is at work. Open this, it signs you in once:\n\n  {link}\n"
        )),
        Some(link) => note(format!(
            "Gaby is ready. Open this to make the first account, it works once and for 24 hours:\n\n  {link}\n"
        )),
        None => note(format!("Gaby is ready at {}", server.url)),
    }
    if let Some(admin) = demo {
        note(format!(
            "Later sign in at {} with {} and {}. Ctrl-C ends.",
            server.url, admin.email, admin.password
        ));
    }
}

/// Cancelled by SIGINT or SIGTERM. The second one ends the process as if nobody had listened.
fn ended_by_signal() -> anyhow::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let token = CancellationToken::new();
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let told = token.clone();
    tokio::spawn(async move {
        for begun in [true, false] {
            let code = tokio::select! {
                _ = interrupted.recv() => 130,
                _ = terminated.recv() => 143,
            };
            if !begun {
                std::process::exit(code);
            }
            told.cancel();
        }
    });
    Ok(token)
}

fn address(text: &str) -> anyhow::Result<SocketAddr> {
    let wrong = || {
        usage(format!(
            "--listen {text} is not an address: use HOST:PORT, such as {USUAL_ADDRESS}"
        ))
    };
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    text.to_socket_addrs()
        .map_err(|_| wrong())?
        .next()
        .ok_or_else(wrong)
}

fn browser_url(text: &str) -> anyhow::Result<url::Url> {
    url::Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            usage(format!(
                "--public-url {text} is not a web address: use https://HOST"
            ))
        })
}
