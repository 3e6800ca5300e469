//! Says what the gate, persistence and audit of an investigation cost beside its searches.
//!
//! `investigation_cost FOLDER ROUNDS` works on a data folder that `gaby serve --demo --data FOLDER`
//! has left, with the demo's tickets again and again, and prints one JSON object: the median over the
//! investigations, in milliseconds, of the whole, of searching, of the tools' own time, of the brain,
//! and of the rest, which is the gate, the store, the audit log and the loop around them.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use gaby_agent::brain::{Brain, BrainError, Case, Plan, Transcript, Want};
use gaby_agent::reach::{CallFailure, Library, Passage, SearchFailure, Toolbox};
use gaby_agent::{Agent, AgentSettings};
use gaby_gate::Key;
use gaby_model::{Depth, IncomingTicket, ToolDefinition, ToolResult};
use gaby_server::{AGENT_SETTINGS, Parts, PartsConfig, Tenant, library, toolbox};
use gaby_store::{Store, StoreConfig};
use serde_json::{Value, json};

/// How long something took, added up until it is taken.
#[derive(Default)]
struct Spent(AtomicU64);

impl Spent {
    async fn over<T>(&self, work: impl Future<Output = T>) -> T {
        let clock = Instant::now();
        let outcome = work.await;
        let micros = u64::try_from(clock.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.0.fetch_add(micros, Ordering::Relaxed);
        outcome
    }

    fn take(&self) -> f64 {
        Duration::from_micros(self.0.swap(0, Ordering::Relaxed)).as_secs_f64() * 1000.0
    }
}

/// One of the parts that an agent works with, and the time spent in it.
struct Timed<T: ?Sized> {
    inner: Arc<T>,
    spent: Arc<Spent>,
}

#[async_trait]
impl Library for Timed<dyn Library> {
    async fn search(&self, query: &str, top: usize) -> Result<Vec<Passage>, SearchFailure> {
        self.spent.over(self.inner.search(query, top)).await
    }
}

#[async_trait]
impl Toolbox for Timed<dyn Toolbox> {
    async fn catalog(&self) -> Vec<ToolDefinition> {
        self.spent.over(self.inner.catalog()).await
    }

    async fn call(&self, key: Key) -> Result<ToolResult, CallFailure> {
        self.spent.over(self.inner.call(key)).await
    }
}

#[async_trait]
impl Brain for Timed<dyn Brain> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn plan(&self, case: &Case) -> Result<Plan, BrainError> {
        self.spent.over(self.inner.plan(case)).await
    }

    async fn next(&self, transcript: &Transcript) -> Result<Want, BrainError> {
        self.spent.over(self.inner.next(transcript)).await
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, rounds] = arguments.as_slice() else {
        println!("investigation_cost FOLDER ROUNDS");
        return;
    };
    println!("{}", measure(folder, rounds.parse().unwrap()).await);
}

async fn measure(folder: &str, rounds: u32) -> Value {
    let demo = std::path::Path::new(folder).join("demo");
    let store = Store::open(StoreConfig::in_folder(folder)).await.unwrap();
    let slug = store.workspaces().await.unwrap()[0].slug.clone();
    let workspace = store.workspace(&slug).await.unwrap();
    let parts = Parts::load(&PartsConfig {
        connectors: vec![demo.join("connectors")],
        ..PartsConfig::default()
    })
    .unwrap();
    let tenant = Tenant::open(workspace.clone(), &parts).await.unwrap();
    tenant.host.settled(Duration::from_secs(10)).await;
    let settings: AgentSettings = workspace
        .setting(AGENT_SETTINGS)
        .await
        .unwrap()
        .unwrap_or_default();

    let [search, tools, thought]: [Arc<Spent>; 3] = std::array::from_fn(|_| Arc::default());
    let brain =
        gaby_agent::brain::builtin::Builtin::new(parts.playbooks.clone(), settings.threshold);
    let agent = Agent::open(
        workspace,
        Arc::new(Timed {
            inner: toolbox(tenant.host.clone()),
            spent: Arc::clone(&tools),
        }),
        Arc::new(Timed {
            inner: library(tenant.knowledge.clone()),
            spent: Arc::clone(&search),
        }),
        parts.playbooks.clone(),
        settings,
    );
    agent.think_with(Arc::new(Timed {
        inner: Arc::new(brain) as Arc<dyn Brain>,
        spent: Arc::clone(&thought),
    }));

    let mut files: Vec<_> = std::fs::read_dir(demo.join("tickets"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut all: Vec<[f64; 5]> = Vec::new();
    // A first round to warm up.
    for round in 0..=rounds {
        for file in &files {
            let mut ticket: IncomingTicket =
                serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            ticket.external_id = Some(format!("measured-{}-{round}", file.display()));
            let source = ticket.source.clone().unwrap_or_default();
            let clock = Instant::now();
            agent
                .investigate_incoming(ticket, &source, Depth::Standard)
                .await
                .unwrap();
            let whole = clock.elapsed().as_secs_f64() * 1000.0;
            let [searched, called, thinking] = [search.take(), tools.take(), thought.take()];
            let rest = whole - searched - called - thinking;
            if round > 0 {
                all.push([whole, searched, called, thinking, rest]);
            }
        }
    }
    let median = |part: usize| {
        let mut values: Vec<f64> = all.iter().map(|one| one[part]).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    json!({
        "investigations": all.len(), "whole_ms": median(0), "search_ms": median(1),
        "tools_ms": median(2), "brain_ms": median(3), "rest_ms": median(4),
    })
}
