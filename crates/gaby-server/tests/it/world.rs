//! A server of its own for each test, reached over real HTTP as a browser or a program reaches it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gaby_knowledge::Embedder;
use gaby_knowledge::embed::EmbedError;
use gaby_model::{
    Clock as _, InvestigationId, LlmCall, LlmCallId, LlmOutcome, LlmTalk, SessionId, SystemClock,
    TicketId, TicketState, Timestamp, TokenId, UserId,
};
use gaby_server::{Parts, PartsConfig, Post, ServeConfig, Server, Tenants};
use gaby_store::accounts::{Role, SessionRecord, TokenRecord, User};
use gaby_store::{DatabaseUrl, MasterKeySource, Store, StoreConfig, Workspace};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) const HOUR: i64 = 3_600_000;

/// A server that runs, and whoever calls it.
pub(crate) struct World {
    pub(crate) url: String,
    pub(crate) link: Option<String>,
    pub(crate) store: Store,
    pub(crate) tenants: Tenants,
    pub(crate) folder: tempfile::TempDir,
    /// Lets the server go down when the test is over.
    stop: DropGuard,
    running: JoinHandle<()>,
    client: Client,
}

/// What a caller carries.
#[derive(Clone, Default)]
pub(crate) struct Seat {
    /// The session's cookie.
    pub(crate) cookie: Option<String>,
    /// The session's guard against forgery.
    pub(crate) csrf: Option<String>,
    /// An API token.
    pub(crate) bearer: Option<String>,
    /// The workspace that is asked for.
    pub(crate) workspace: Option<String>,
}

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or("")
    }

    pub(crate) fn message(&self) -> &str {
        self.json["error"]["message"].as_str().unwrap_or("")
    }

    /// The session's cookie that the answer sets, as `name=value`.
    pub(crate) fn cookie(&self) -> Option<String> {
        let set = self.headers.get("set-cookie")?.to_str().unwrap();
        set.split(';').next().map(str::to_owned)
    }
}

/// What a test server is like.
pub(crate) struct Setting {
    pub(crate) public_url: Option<&'static str>,
    pub(crate) demo: Option<PathBuf>,
    pub(crate) post: Option<Post>,
    pub(crate) folder: tempfile::TempDir,
    /// The operator's models.
    pub(crate) llm: gaby_llm::LlmSettings,
    /// The operator's policies.
    pub(crate) policies: Option<PathBuf>,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            public_url: None,
            demo: None,
            post: None,
            folder: tempfile::tempdir().unwrap(),
            llm: gaby_llm::LlmSettings::default(),
            policies: None,
        }
    }
}

/// Vectors from letters: quick, and the same every time.
pub(crate) struct Letters;

impl Embedder for Letters {
    fn id(&self) -> &'static str {
        "letters"
    }

    fn dimensions(&self) -> usize {
        32
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let vector = |text: &&str| {
            let mut vector = [0.01_f32; 32];
            for byte in text.to_lowercase().bytes() {
                vector[usize::from(byte % 32)] += 1.0;
            }
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            vector.iter().map(|x| x / length).collect()
        };
        Ok(texts.iter().map(vector).collect())
    }
}

/// A store in this folder, on the database that the tests are run with.
pub(crate) async fn store_in(folder: &Path) -> Store {
    let config = StoreConfig {
        data_dir: folder.join("data"),
        database: DatabaseUrl::DataFolder,
        master_key: MasterKeySource::EnvironmentOrFile,
    };
    Store::open(config).await.unwrap()
}

impl World {
    /// A server without any account, with the workspace `default`.
    pub(crate) async fn start() -> Self {
        Self::with(Setting::default()).await
    }

    pub(crate) async fn with(setting: Setting) -> Self {
        let store = store_in(setting.folder.path()).await;
        let config = PartsConfig {
            llm: setting.llm,
            policies: setting.policies,
            ..PartsConfig::default()
        };
        let (tenants, demo_admin) = match setting.demo {
            None => {
                let mut parts = Parts::load(&config).unwrap();
                parts.embedder = Arc::new(Letters);
                (gaby_server::tenants(&store, parts).await.unwrap(), None)
            }
            Some(folder) => {
                let demo = gaby_server::demo::Demo::read(Some(folder), setting.folder.path());
                let demo = demo.unwrap();
                let mut parts = demo.parts(&config).unwrap();
                parts.embedder = Arc::new(Letters);
                let tenants = Tenants::new(store.clone(), parts);
                let admin = demo.install(&store, &tenants).await.unwrap();
                demo.teach(&store, &tenants).await.unwrap();
                (tenants, Some(admin.id))
            }
        };
        let config = ServeConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            public_url: setting.public_url.map(|url| url.parse().unwrap()),
            demo_admin,
            post: setting.post,
        };
        let server = Server::bind(store.clone(), tenants.clone(), config)
            .await
            .unwrap();
        let address = server.address;
        let link = server.link.clone();
        let stop = CancellationToken::new();
        let running = tokio::spawn({
            let stop = stop.clone();
            async move { server.run(stop).await.unwrap() }
        });
        // The tests speak HTTP only; the client wants to know how TLS would be done nevertheless.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            url: format!("http://{address}"),
            link,
            store,
            tenants,
            folder: setting.folder,
            stop: stop.drop_guard(),
            running,
            client: Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
        }
    }

    /// Lets the server go down, and gives its folder.
    pub(crate) async fn stop(self) -> tempfile::TempDir {
        drop(self.stop);
        self.running.await.unwrap();
        self.folder
    }

    /// The secret of the one-time link.
    pub(crate) fn link_token(&self) -> String {
        let link = self.link.as_deref().unwrap();
        link.split_once("#token=").unwrap().1.to_owned()
    }

    /// A request as this caller makes it. A change carries the session's guard token.
    pub(crate) fn request(&self, seat: &Seat, method: &str, path: &str) -> RequestBuilder {
        let method: Method = method.parse().unwrap();
        let reads = method == Method::GET || method == Method::HEAD;
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(cookie) = &seat.cookie {
            request = request.header("cookie", cookie);
        }
        if let Some(csrf) = seat.csrf.as_ref().filter(|_| !reads) {
            request = request.header("x-gaby-csrf", csrf);
        }
        if let Some(bearer) = &seat.bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(workspace) = &seat.workspace {
            request = request.header("x-gaby-workspace", workspace);
        }
        request
    }

    pub(crate) async fn get(&self, seat: &Seat, path: &str) -> Answer {
        answer(self.request(seat, "GET", path)).await
    }

    pub(crate) async fn post(&self, seat: &Seat, path: &str, body: &Value) -> Answer {
        answer(self.request(seat, "POST", path).json(body)).await
    }

    pub(crate) async fn workspace(&self, slug: &str) -> Workspace {
        match self.store.workspace(slug).await {
            Ok(workspace) => workspace,
            Err(_) => self.store.create_workspace(slug, slug).await.unwrap(),
        }
    }

    /// Somebody with an account and a session, made without the slow work on a password.
    pub(crate) async fn person(&self, role: Role, workspaces: Option<&[&str]>) -> Seat {
        let allowed = match workspaces {
            None => None,
            Some(slugs) => {
                let mut ids = Vec::new();
                for slug in slugs {
                    ids.push(self.workspace(slug).await.id().clone());
                }
                Some(ids)
            }
        };
        let id = UserId::generate();
        let user = User {
            email: format!("{id}@example.com"),
            name: format!("{role:?}"),
            role,
            workspaces: allowed,
            password_hash: "none".to_owned(),
            created_at: self.now(),
            id,
        };
        self.store.accounts().add_user(&user).await.unwrap();
        self.session(&user).await
    }

    /// A new session of somebody's.
    pub(crate) async fn session(&self, user: &User) -> Seat {
        let token = format!("test-{}", SessionId::generate());
        let now = self.now();
        let record = SessionRecord {
            id: SessionId::generate(),
            user: user.id.clone(),
            csrf_hash: Vec::new(),
            created_at: now,
            seen_at: now,
            expires_at: now.plus_millis(12 * HOUR),
        };
        let accounts = self.store.accounts();
        accounts.add_session(&record, &token).await.unwrap();
        let mut seat = Seat {
            cookie: Some(format!("gaby={token}")),
            ..Seat::default()
        };
        let known = self.get(&seat, "/api/session").await;
        seat.csrf = known.json["csrf"].as_str().map(str::to_owned);
        seat
    }

    pub(crate) async fn admin(&self) -> Seat {
        self.person(Role::Admin, None).await
    }

    /// A program with an API token of a workspace.
    pub(crate) async fn program(&self, workspace: &Workspace, scopes: &[&str]) -> Seat {
        let admin = Seat {
            workspace: Some(workspace.slug().to_owned()),
            ..self.admin().await
        };
        let order = serde_json::json!({"name": "a program", "scopes": ["read"]});
        let made = self.post(&admin, "/api/tokens", &order).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let secret = made.json["token"].as_str().unwrap();
        // The same secret, with any scopes: also such as no route would give.
        let id: TokenId = made.json["id"].as_str().unwrap().parse().unwrap();
        let accounts = self.store.accounts();
        assert!(accounts.remove_token(workspace, &id).await.unwrap());
        let record = TokenRecord {
            id,
            workspace: workspace.id().clone(),
            name: "a program".to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            created_at: self.now(),
            expires_at: Some(self.now().plus_millis(HOUR)),
            used_at: None,
        };
        accounts
            .add_token(workspace, &record, secret)
            .await
            .unwrap();
        Seat {
            bearer: Some(secret.to_owned()),
            ..Seat::default()
        }
    }

    /// Waits until a ticket is no longer being looked into, and tells where it stands then.
    pub(crate) async fn looked_into(
        &self,
        workspace: &Workspace,
        ticket: &TicketId,
    ) -> TicketState {
        let mut events = self.store.events().subscribe(workspace.id());
        loop {
            let state = workspace.tickets().get(ticket).await.unwrap().state;
            let busy = [
                TicketState::New,
                TicketState::Investigating,
                TicketState::Reopened,
            ];
            if !busy.contains(&state) {
                return state;
            }
            let soon = std::time::Duration::from_millis(500);
            let _ = tokio::time::timeout(soon, events.recv()).await;
        }
    }

    /// A call of a model that was made for an investigation, with this in what was said.
    pub(crate) async fn model_call(
        &self,
        workspace: &Workspace,
        investigation: &InvestigationId,
        said: &str,
    ) -> LlmCallId {
        let call = LlmCall {
            id: LlmCallId::generate(),
            investigation: Some(investigation.clone()),
            step: 2,
            purpose: "investigate".to_owned(),
            prompt: "investigate".to_owned(),
            prompt_version: "0123456789ab".to_owned(),
            provider: "ollama".to_owned(),
            model: "small".to_owned(),
            outcome: LlmOutcome::Answered,
            tries: 1,
            input_tokens: 1_000,
            cached_tokens: 0,
            output_tokens: 50,
            reasoning_tokens: 0,
            micro_usd: 77,
            millis: 1_200,
            created_at: self.now(),
        };
        let talk = LlmTalk {
            request: serde_json::json!({"messages": [{"role": "user", "text": said}]}),
            answer: serde_json::json!({"turn": {"text": said}}),
            ..LlmTalk::default()
        };
        let mut tx = workspace.begin().await.unwrap();
        tx.llm_calls().add(&call, &talk).await.unwrap();
        tx.commit().await.unwrap();
        call.id
    }

    pub(crate) fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    /// What somebody with the database's file does to it.
    pub(crate) fn meddle(&self, sql: &str) -> usize {
        let file = self.folder.path().join("data/gaby.db");
        let connection = rusqlite::Connection::open(file).unwrap();
        connection
            .busy_timeout(std::time::Duration::from_secs(10))
            .unwrap();
        connection.execute(sql, ()).unwrap()
    }
}

/// Sends a request and reads the answer. That there is one is asserted: a server that panics or
/// hangs up gives none.
pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let text = response.text().await.unwrap();
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer {
        status,
        headers,
        text,
        json,
    }
}
