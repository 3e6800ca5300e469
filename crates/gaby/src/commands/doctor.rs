//! `gaby doctor`: is everything there that Gaby needs, and what to do where it is not.

use std::time::Duration;

use gaby_connect::mcp::ConnectorState;
use gaby_knowledge::Knowledge;
use gaby_llm::address::Reach;
use gaby_llm::{LlmSettings, probe};
use gaby_server::{Parts, Post, Tenant};
use gaby_store::{Store, Workspace};
use serde::Serialize;

use crate::failure::Ended;
use crate::output::{self, Output};
use crate::workplace::Workplace;

const REACH: Duration = Duration::from_secs(20);

/// Check that everything is reachable, and say what to do where it is not
///
/// Looks at the store and its key, each workspace's audit log, knowledge and connectors, the
/// playbooks, what makes vectors, the mail server, and the language models: each is asked something short. Ends with 1
/// when something is wrong.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print a JSON list
    #[arg(long)]
    json: bool,
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Finding {
    what: String,
    ok: bool,
    detail: String,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn good(&mut self, what: impl Into<String>, detail: impl Into<String>) {
        self.0.push(Finding {
            what: what.into(),
            ok: true,
            detail: detail.into(),
        });
    }

    fn bad(&mut self, what: impl Into<String>, detail: impl Into<String>) {
        self.0.push(Finding {
            what: what.into(),
            ok: false,
            detail: detail.into(),
        });
    }
}

/// Whether the mail server would take mail, if one is set.
async fn mail(place: &Workplace, findings: &mut Findings) {
    let post = match Post::open(&place.settings.mail) {
        Ok(None) => return,
        Ok(Some(post)) => post,
        Err(error) => return findings.bad("mail", error.to_string()),
    };
    match post.check().await {
        Ok(server) => findings.good("mail", format!("{server} takes mail")),
        Err(error) => findings.bad("mail", error.to_string()),
    }
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let mut findings = Findings::default();
    let parts = parts(place, &mut findings);
    if let Some(parts) = &parts {
        models(parts, &mut findings).await;
    }
    mail(place, &mut findings).await;
    if let Some(store) = store(place, &mut findings).await {
        for workspace in workspaces(store, place, &mut findings).await {
            inspect(workspace, parts.as_ref(), &mut findings).await;
        }
    }
    let all_good = findings.0.iter().all(|finding| finding.ok);
    if args.json {
        output::json(&findings.0)?;
    } else {
        let mut out = Output::new();
        for finding in &findings.0 {
            let sign = if finding.ok { "ok     " } else { "WRONG  " };
            out.line(format!("{sign}{}: {}", finding.what, finding.detail))?;
        }
        out.end()?;
    }
    if all_good {
        Ok(())
    } else {
        Err(Ended(1).into())
    }
}

fn parts(place: &Workplace, findings: &mut Findings) -> Option<Parts> {
    let loaded = place.parts();
    match loaded {
        Ok(parts) => {
            let connectors = parts.registry.names().len();
            let playbooks = parts.playbooks.iter().count();
            findings.good("manifests", format!("{connectors} can be connected"));
            findings.good("playbooks", format!("{playbooks} are followed"));
            match parts.embedder.embed(&["Is anybody there?"]) {
                Ok(_) => findings.good("embedding", parts.embedder.id()),
                Err(error) => findings.bad("embedding", error.to_string()),
            }
            Some(parts)
        }
        Err(error) => {
            findings.bad("settings", error.to_string());
            None
        }
    }
}

/// Asks each model of the operator's something short.
async fn models(parts: &Parts, findings: &mut Findings) {
    let settings = parts.models.operator();
    if !settings.is_configured() {
        findings.good(
            "model",
            "the operator set none, the built-in brain does all where a workspace sets none: \
             docs/models.md says how to set one",
        );
    }
    ask(settings, "model", settings.local_only, findings).await;
}

/// Asks each model that a workspace set for itself something short.
async fn own_models(workspace: &Workspace, parts: &Parts, findings: &mut Findings) {
    let what = format!("{} model", workspace.slug());
    let own = match gaby_server::models::own(workspace).await {
        Ok(own) => own,
        Err(error) => return findings.bad(what, error.to_string()),
    };
    if own.providers.is_empty() {
        return;
    }
    match own.within(parts.models.operator()) {
        Ok(settings) => ask(&settings, &what, settings.local_only(&own), findings).await,
        Err(error) => findings.bad(what, error.to_string()),
    }
}

async fn ask(settings: &LlmSettings, what: &str, local_only: bool, findings: &mut Findings) {
    for config in settings.providers().unwrap_or_default() {
        let what = format!("{what} {} {}", config.name, config.model);
        let reach = Reach {
            local_only,
            ..Reach::default()
        };
        let asked = probe(config, reach).await;
        match asked.works {
            true => findings.good(what, asked.says),
            false => findings.bad(what, asked.says),
        }
    }
}

async fn store<'a>(place: &'a Workplace, findings: &mut Findings) -> Option<&'a Store> {
    let opened = place.store().await;
    let store = match opened {
        Ok(store) => store,
        Err(error) => {
            findings.bad("store", error.to_string());
            return None;
        }
    };
    let folder = store.data_dir().display();
    findings.good("store", format!("{} in {folder}", store.engine_name()));
    match store.queue().depth().await {
        Ok(depth) if depth.dead > 0 => findings.bad(
            "queue",
            format!(
                "{} jobs were given up after failing again and again; the server's log says why. \
                 `gaby investigate --ticket ID` tries one again",
                depth.dead
            ),
        ),
        Ok(depth) => findings.good(
            "queue",
            format!("{} wait, {} are worked on", depth.ready, depth.leased),
        ),
        Err(error) => findings.bad("queue", error.to_string()),
    }
    Some(store)
}

/// The workspace that was named, or all.
async fn workspaces(store: &Store, place: &Workplace, findings: &mut Findings) -> Vec<Workspace> {
    let slugs = match &place.settings.workspace {
        Some(named) => Ok(vec![named.clone()]),
        None => store
            .workspaces()
            .await
            .map(|all| all.into_iter().map(|info| info.slug).collect()),
    };
    let mut open = Vec::new();
    match slugs {
        Err(error) => findings.bad("workspaces", error.to_string()),
        Ok(slugs) => {
            for slug in slugs {
                match store.workspace(&slug).await {
                    Ok(workspace) => open.push(workspace),
                    Err(error) => findings.bad(format!("workspace {slug}"), error.to_string()),
                }
            }
        }
    }
    open
}

async fn inspect(workspace: Workspace, parts: Option<&Parts>, findings: &mut Findings) {
    let slug = workspace.slug().to_owned();
    let audit = format!("{slug} audit log");
    match workspace.audit().verify(&[]).await {
        Ok(Ok(report)) => findings.good(audit, format!("whole, {} entries", report.entries)),
        Ok(Err(problem)) => findings.bad(audit, problem.to_string()),
        Err(error) => findings.bad(audit, error.to_string()),
    }
    let Some(parts) = parts else { return };
    own_models(&workspace, parts, findings).await;
    match Tenant::open(workspace, parts).await {
        Ok(tenant) => {
            knowledge(&tenant.knowledge, &slug, findings).await;
            connectors(&tenant, &slug, findings).await;
        }
        Err(error) => findings.bad(slug, error.to_string()),
    }
}

async fn knowledge(knowledge: &Knowledge, slug: &str, findings: &mut Findings) {
    let what = format!("{slug} knowledge");
    match knowledge.stats().await {
        Ok(stats) if stats.documents == 0 => {
            findings.good(what, "empty: fill it with `gaby ingest PATH`");
        }
        Ok(stats) => {
            let missing = stats.chunks.saturating_sub(stats.embedded);
            let later = match missing {
                0 => String::new(),
                missing => format!(
                    ", {missing} without a vector yet: `gaby serve` or `gaby ingest` makes them"
                ),
            };
            findings.good(
                what,
                format!(
                    "{} documents, {} chunks{later}",
                    stats.documents, stats.chunks
                ),
            );
        }
        Err(error) => findings.bad(what, error.to_string()),
    }
}

async fn connectors(tenant: &Tenant, slug: &str, findings: &mut Findings) {
    tenant.host.settled(REACH).await;
    for connector in tenant.host.status().await {
        let what = format!("{slug} connector {}", connector.name);
        let why = connector
            .last_error
            .unwrap_or_else(|| "no answer".to_owned());
        match connector.state {
            ConnectorState::Up => findings.good(what, format!("up, {} tools", connector.tools.len())),
            ConnectorState::Connecting | ConnectorState::Down => findings.bad(what, why),
            ConnectorState::Suspended => findings.bad(
                what,
                format!("a tool changed: `gaby connectors` shows which, `gaby connector {} --accept TOOL` takes it", connector.name),
            ),
        }
    }
}
