//! Scratch.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]
use gaby_model::{Depth, IncomingTicket};
use gaby_server::{Embedding, Parts, PartsConfig, Tenants, demo::Demo};
use gaby_store::{Store, StoreConfig};
use std::path::PathBuf;

#[tokio::main]
async fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap());
    let only = std::env::args().nth(2).unwrap_or_default();
    let verbose = std::env::args().nth(3).is_some();
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(StoreConfig::in_folder(data.path()))
        .await
        .unwrap();
    let demo = match Demo::read(Some(folder.clone()), data.path()) {
        Ok(d) => d,
        Err(e) => {
            println!("{e}");
            return;
        }
    };
    let config = PartsConfig {
        connectors: vec![],
        playbooks: vec![],
        policies: None,
        embedding: Embedding::Builtin,
    };
    let parts: Parts = match demo.parts(&config) {
        Ok(p) => p,
        Err(e) => {
            println!("{e}");
            return;
        }
    };
    let tenants = Tenants::new(store.clone(), parts);
    if let Err(e) = demo.install(&store, &tenants).await {
        println!("install: {e}");
        return;
    }
    let workspace = store.workspace("larkfield").await.unwrap();
    let tenant = tenants.open(&workspace).await.unwrap();
    let started = std::time::Instant::now();
    println!(
        "embedded {:?}",
        tenant
            .knowledge
            .embed_pending(&gaby_knowledge::Silent)
            .await
    );
    println!("in {:?}", started.elapsed());
    for s in tenant.host.status().await {
        println!(
            "{} {:?} {:?} tools {}",
            s.name,
            s.state,
            s.last_error,
            s.tools.len()
        );
    }
    let mut files: Vec<_> = std::fs::read_dir(folder.join("tickets"))
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if !name.contains(&only) {
            continue;
        }
        let ticket: IncomingTicket =
            serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        match tenant
            .agent
            .investigate_incoming(ticket, "helpdesk", Depth::Standard)
            .await
        {
            Err(e) => println!("## {name}: ERROR {e}"),
            Ok(r) => {
                println!(
                    "## {name}: {:?} {:.2} playbook {:?}",
                    r.verdict,
                    r.confidence.value(),
                    r.playbook
                );
                println!("{}", r.reply);
                for a in &r.actions {
                    println!(
                        "   ACTION {} {:?} because {:?} risk {}",
                        a.call.tool, a.state, a.needs_human_because, a.risk
                    );
                }
                if let Some(e) = &r.escalation {
                    println!(
                        "   ESCALATION {}",
                        serde_json::to_string(e)
                            .unwrap()
                            .chars()
                            .take(if verbose { 4000 } else { 500 })
                            .collect::<String>()
                    );
                }
                if verbose {
                    for s in &r.steps {
                        println!("   STEP {} {}", s.summary, s.detail);
                    }
                }
            }
        }
    }
}
