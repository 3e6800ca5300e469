//! Serving: listen, answer, work, and go down gracefully.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse as _, Response};
use gaby_agent::queue::Worker;
use gaby_model::{Clock as _, SystemClock, UserId};
use gaby_store::{Store, StoreError, Workspace};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::{App, Shared};
use crate::auth::attempts::Attempts;
use crate::auth::cookie::Transport;
use crate::auth::password::Passwords;
use crate::auth::secret;
use crate::error::ApiError;
use crate::host_name::{self, Names};
use crate::mail::Post;
use crate::operator::is_operator;
use crate::setup::{ComposeError, Parts};
use crate::tenants::Tenants;
use crate::writes::Writes;
use crate::{console, headers, mail, measure, routes, vectors};

/// The largest body of a request.
const LARGEST_BODY: usize = 1024 * 1024;
/// How long a request may take; carrying out an approved action takes as long as its vendor.
const LONGEST_REQUEST: Duration = Duration::from_secs(90);
/// How long open connections may take to end.
const GRACE: Duration = Duration::from_secs(10);
const LINK_GOOD_FOR: i64 = 24 * 3_600_000;
/// Tickets that are looked into at once.
const AT_ONCE: usize = 4;

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The address under which browsers reach this server, when a proxy stands before it.
    pub public_url: Option<url::Url>,
    /// In a demo, whom the one-time link signs in.
    pub demo_admin: Option<UserId>,
    /// What tells people by mail that an action waits for them.
    pub post: Option<Post>,
}

/// Why the server does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken, or may not be used.
    #[error("cannot listen on {address}: {reason}. Choose another with --listen")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        reason: std::io::Error,
    },
    /// A connection could not be served at all.
    #[error("the server stopped: {0}")]
    Serve(std::io::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Parts could not be put together.
    #[error(transparent)]
    Compose(#[from] ComposeError),
}

/// A server that listens already, and serves when it is run.
pub struct Server {
    app: App,
    listener: TcpListener,
    worker: Worker,
    names: Names,
    post: Option<Post>,
    /// Where it listens.
    pub address: SocketAddr,
    /// The address for a browser.
    pub url: String,
    /// The one-time link, when one waits to be used.
    pub link: Option<String>,
}

impl Server {
    /// Listens, and makes the one-time link if nobody has an account yet.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the store fails.
    pub async fn bind(
        store: Store,
        tenants: Tenants,
        config: ServeConfig,
    ) -> Result<Self, ServeError> {
        let listen_error = |reason| ServeError::Listen {
            address: config.listen,
            reason,
        };
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let transport = transport(&config, address);
        let url = match &config.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{}", shown(address)),
        };
        let nobody = store.accounts().users().await?.iter().all(is_operator);
        let link = if nobody || config.demo_admin.is_some() {
            Some(format!("{url}/setup#token={}", new_link(&store).await?))
        } else {
            None
        };
        let worker = Worker::new(store.clone(), Arc::new(tenants.clone()), AT_ONCE);
        let app = App::new(Shared {
            wake: worker.wake(),
            tenants,
            passwords: Passwords::new(),
            attempts: Attempts::default(),
            transport,
            behind_proxy: config.public_url.is_some(),
            writes: Writes::default(),
            metrics: measure::recorder(),
            ended_sessions: broadcast::channel(256).0,
            shutdown: CancellationToken::new(),
            demo_admin: config.demo_admin,
            link_open: AtomicBool::new(link.is_some()),
            url: url.clone(),
            store,
        });
        Ok(Self {
            names: Names::new(address, config.public_url.as_ref()),
            post: config.post,
            app,
            listener,
            worker,
            address,
            url,
            link,
        })
    }

    /// Serves and works until `shutdown`, then ends what is begun.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), ServeError> {
        let app = self.app;
        let tasks = TaskTracker::new();
        let worker = self.worker.run(shutdown.clone());
        tasks.spawn(async move {
            if let Err(error) = worker.await {
                tracing::error!(%error, "tickets are taken in but not looked into");
            }
        });
        tasks.spawn(vectors::fill_in(app.clone(), shutdown.clone()));
        if let Some(post) = self.post {
            tasks.spawn(mail::tell(app.clone(), post, shutdown.clone()));
        }
        let service = router(&app, self.names).into_make_service_with_connect_info::<SocketAddr>();
        let closing = app.clone();
        let stop = shutdown.clone();
        let served = axum::serve(self.listener, service).with_graceful_shutdown(async move {
            stop.cancelled().await;
            // Live views stay open by themselves for ever.
            closing.shutdown.cancel();
        });
        let late = async {
            shutdown.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            served = served => served.map_err(ServeError::Serve)?,
            () = late => tracing::warn!("connections that did not end were cut"),
        }
        shutdown.cancel();
        tasks.close();
        tasks.wait().await;
        app.store.close().await;
        Ok(())
    }
}

/// The whole service: the routes of the table, the console for the rest, and what holds for all.
fn router(app: &App, names: Names) -> Router {
    let mut router = routes::router(app)
        .fallback(console::serve)
        .method_not_allowed_fallback(console::wrong_method)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            LONGEST_REQUEST,
        ))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(measure::request))
        .layer(from_fn(move |request, next| {
            host_name::check(names.clone(), request, next)
        }));
    for (name, value) in headers::strict() {
        router = router.layer(SetResponseHeaderLayer::if_not_present(name, value));
    }
    if app.transport == Transport::Tls {
        let year = HeaderValue::from_static("max-age=31536000");
        router = router.layer(SetResponseHeaderLayer::if_not_present(
            header::STRICT_TRANSPORT_SECURITY,
            year,
        ));
    }
    router
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    ApiError::internal("answering the request", &text).into_response()
}

fn transport(config: &ServeConfig, address: SocketAddr) -> Transport {
    match &config.public_url {
        Some(url) if url.scheme() == "https" => Transport::Tls,
        Some(_) | None if address.ip().is_loopback() => {
            tracing::info!(
                "http on this machine only: the session's cookie goes without Secure and without \
                 the __Host- prefix"
            );
            Transport::Loopback
        }
        _ => {
            tracing::warn!(
                "listening beyond this machine: put a proxy with TLS before it and name its address \
                 with --public-url https://…, or browsers will not keep anybody signed in"
            );
            Transport::Tls
        }
    }
}

/// An address that a browser can open: everything that is listened on is also on this machine.
fn shown(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    }
}

async fn new_link(store: &Store) -> Result<String, StoreError> {
    let token = secret::random_text();
    let until = SystemClock.now().plus_millis(LINK_GOOD_FOR);
    store.accounts().set_setup_link(&token, until).await?;
    Ok(token)
}

/// The parts and the workspaces of a store, ready to be opened.
///
/// # Errors
/// When there is no workspace and the first one cannot be made.
pub async fn tenants(store: &Store, parts: Parts) -> Result<Tenants, StoreError> {
    if store.workspaces().await?.is_empty() {
        first_workspace(store).await?;
    }
    Ok(Tenants::new(store.clone(), parts))
}

/// Makes the workspace of a store that has none.
///
/// # Errors
/// When it cannot be made.
pub async fn first_workspace(store: &Store) -> Result<Workspace, StoreError> {
    match store.create_workspace("default", "Default").await {
        // Another process was first.
        Err(StoreError::WorkspaceExists(slug)) => store.workspace(&slug).await,
        made => made,
    }
}
