//! Makes a demo real: databases, workspace, connectors, administrator; then articles and tickets.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gaby_agent::SourceSettings;
use gaby_connect::manifest;
use gaby_connect::mcp::{ConnectError, Override};
use gaby_gate::{Standing, consent};
use gaby_knowledge::{IngestRequest, Silent};
use gaby_model::{Clock as _, SystemClock, UserId};
use gaby_store::accounts::{Role, User};
use gaby_store::{Store, StoreError, Workspace};
use tokio_util::sync::CancellationToken;

use super::DemoError;
use super::database::{self, Databases};
use super::feed::{self, Arrival};
use super::files::Files;
use super::plan::{self, Plan, PlannedConnector};
use crate::auth::password::Passwords;
use crate::auth::secret;
use crate::setup::{Parts, PartsConfig};
use crate::tenant::Tenant;
use crate::tenants::Tenants;

const ADMIN: &str = "demo@example.com";
const SOURCE: &str = "demo";

/// A demo whose files are read and whose databases are made.
pub struct Demo {
    plan: Plan,
    files: Files,
    databases: Databases,
    arrivals: Vec<Arrival>,
}

/// Who the demo's link signs in.
pub struct DemoAdmin {
    /// The account.
    pub id: UserId,
    /// Its address.
    pub email: String,
    /// Its password, made anew at each start.
    pub password: String,
}

impl Demo {
    /// Reads a demo from a folder, or from within the binary, and makes its databases below `data`.
    ///
    /// # Errors
    /// When a file is missing or has a fault.
    pub fn read(folder: Option<PathBuf>, data: &Path) -> Result<Self, DemoError> {
        let files = match folder {
            Some(folder) => Files::of_folder(folder),
            None => Files::written_below(data)?,
        };
        let plan = Plan::parse(&files.text(plan::FILE)?)?;
        let arrivals = feed::read(&plan, &files)?;
        let databases = database::make(&plan.databases, &files, data)?;
        Ok(Self {
            plan,
            files,
            databases,
            arrivals,
        })
    }

    /// The parts with the demo's own manifests among them.
    ///
    /// # Errors
    /// When a manifest has faults, or the model cannot be loaded.
    pub fn parts(&self, config: &PartsConfig) -> Result<Parts, DemoError> {
        let mut parts = Parts::load(config)?;
        let mut registry = (*parts.registry).clone();
        for connector in &self.plan.connectors {
            let text = self.files.text(&connector.manifest)?;
            registry.add(manifest::parse(&connector.manifest, text.as_bytes())?);
        }
        parts.registry = Arc::new(registry);
        Ok(parts)
    }

    /// Makes the workspace with its settings and connectors, and the administrator.
    ///
    /// # Errors
    /// When something cannot be made.
    pub async fn install(&self, store: &Store, tenants: &Tenants) -> Result<DemoAdmin, DemoError> {
        // Hashing takes a while, on a core of its own.
        let password: String = secret::random_text().chars().take(16).collect();
        let hashed = tokio::spawn({
            let password = password.clone();
            async move { Passwords::new().hash(password).await }
        });
        let workspace = self.workspace(store).await?;
        let tenant = tenants.open(&workspace).await?;
        self.settle(&tenant).await?;
        let mut connected = Vec::new();
        for connector in &self.plan.connectors {
            connected.push(self.connect(&tenant, connector).await?);
        }
        let failed = |error: &dyn std::fmt::Display| DemoError::Admin(error.to_string());
        let hashed = hashed.await.map_err(|error| failed(&error))?;
        let admin = admin(store, password, hashed.map_err(|error| failed(&error))?).await?;
        for name in connected {
            // The log says once that it was connected, also when the demo is started again.
            if workspace.grant(&name).await?.is_none() {
                let (whole, by) = (Standing::default(), Some(&admin.id));
                consent::grant(&workspace, &name, &whole, by, SystemClock.now()).await?;
            }
        }
        Ok(admin)
    }

    /// Takes the articles in, to be found by words and by meaning before the first ticket arrives.
    ///
    /// # Errors
    /// When one cannot be read, or the workspace is gone.
    pub async fn teach(&self, store: &Store, tenants: &Tenants) -> Result<(), DemoError> {
        if self.plan.knowledge.is_empty() {
            return Ok(());
        }
        let workspace = store.workspace(&self.plan.workspace.slug).await?;
        let tenant = tenants.open(&workspace).await?;
        let mut paths = Vec::new();
        for path in &self.plan.knowledge {
            paths.push(self.files.path(path)?.display().to_string());
        }
        let request = IngestRequest {
            paths,
            source_name: None,
        };
        tenant.knowledge.ingest(request, &Silent).await?;
        tenant.knowledge.embed_pending(&Silent).await?;
        Ok(())
    }

    /// Lets the tickets arrive.
    ///
    /// # Errors
    /// When the workspace is gone.
    pub async fn run(
        self,
        store: &Store,
        tenants: &Tenants,
        shutdown: CancellationToken,
    ) -> Result<(), DemoError> {
        let workspace = store.workspace(&self.plan.workspace.slug).await?;
        let agent = tenants.open(&workspace).await?.agent;
        let source = self.source().to_owned();
        feed::run(agent, source, self.arrivals, shutdown).await;
        Ok(())
    }

    fn source(&self) -> &str {
        self.plan
            .source
            .as_ref()
            .map_or(SOURCE, |source| source.name.as_str())
    }

    async fn workspace(&self, store: &Store) -> Result<Workspace, DemoError> {
        let planned = &self.plan.workspace;
        match store.create_workspace(&planned.slug, &planned.name).await {
            Err(StoreError::WorkspaceExists(slug)) => Ok(store.workspace(&slug).await?),
            made => Ok(made?),
        }
    }

    async fn settle(&self, tenant: &Tenant) -> Result<(), DemoError> {
        let mut settings = tenant.agent.settings();
        settings.autonomy = self.plan.workspace.autonomy;
        if let Some(source) = &self.plan.source {
            let known = SourceSettings {
                vouches: source.vouches,
                autonomy: Some(source.autonomy),
                ..SourceSettings::default()
            };
            settings.sources.insert(source.name.clone(), known);
        }
        Ok(tenant.settle(settings).await?)
    }

    async fn connect(
        &self,
        tenant: &Tenant,
        planned: &PlannedConnector,
    ) -> Result<String, DemoError> {
        let text = self.files.text(&planned.manifest)?;
        let name = manifest::parse(&planned.manifest, text.as_bytes())?.name;
        let mut settings = planned.settings.clone();
        for value in settings.values_mut() {
            *value = database::fill(value, &self.databases)?;
        }
        // A database is made anew at each start, and its path may be another.
        match tenant.host.remove(&name).await {
            Ok(()) | Err(ConnectError::NotConnected(_)) => {}
            Err(error) => return Err(error.into()),
        }
        tenant
            .host
            .connect_manifest(&name, &name, settings, planned.secrets.clone())
            .await?;
        let decided = Override {
            autonomy: Some(planned.autonomy),
            ..Override::default()
        };
        tenant.host.set_override(&name, decided).await?;
        Ok(name)
    }
}

/// The demo's administrator, with a password of this start.
async fn admin(
    store: &Store,
    password: String,
    password_hash: String,
) -> Result<DemoAdmin, DemoError> {
    let accounts = store.accounts();
    let id = match accounts.user_by_email(ADMIN).await? {
        Some(user) => {
            let id = user.id.clone();
            let user = User {
                password_hash,
                ..user
            };
            accounts.update_user(&user).await?;
            id
        }
        None => {
            let user = User {
                id: UserId::generate(),
                email: ADMIN.to_owned(),
                name: "Demo".to_owned(),
                role: Role::Admin,
                workspaces: None,
                password_hash,
                created_at: SystemClock.now(),
            };
            accounts.add_user(&user).await?;
            user.id
        }
    };
    Ok(DemoAdmin {
        id,
        email: ADMIN.to_owned(),
        password,
    })
}
