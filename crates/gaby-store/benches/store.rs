//! What sealing and the audit log cost: `cargo bench -p gaby-store`.

use criterion::{BatchSize, Criterion, Throughput};
use gaby_model::{Clock as _, SystemClock};
use gaby_store::audit::{Actor, AuditRecord, verify};
use gaby_store::{Store, StoreConfig, Workspace};
use tokio::runtime::Runtime;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let Ok(runtime) = Runtime::new() else { return };
    let Ok(folder) = tempfile::tempdir() else {
        return;
    };
    let opened = runtime.block_on(async {
        let store = Store::open(StoreConfig::in_folder(folder.path())).await?;
        store.create_workspace("bench", "Bench").await
    });
    match opened {
        Ok(workspace) => {
            seal(&mut criterion);
            append(&mut criterion, &runtime, &workspace);
            verify_log(&mut criterion, &runtime, &workspace);
        }
        Err(error) => tracing::error!(%error, "the store does not open"),
    }
    criterion.final_summary();
}

fn seal(criterion: &mut Criterion) {
    let sealer = gaby_store::seal::Sealer::for_bench();
    let place = gaby_store::seal::Place {
        table: "messages",
        row: "msg_0190",
        column: "content",
    };
    let plain = vec![b'x'; 1_024];
    let mut group = criterion.benchmark_group("seal");
    group.throughput(Throughput::Bytes(1_024));
    group.bench_function("seal and open 1 KB", |bench| {
        bench.iter(|| sealer.open(place, &sealer.seal(place, &plain)));
    });
    group.finish();
}

fn append(criterion: &mut Criterion, runtime: &Runtime, workspace: &Workspace) {
    let mut group = criterion.benchmark_group("audit");
    for entries in [1_u64, 20] {
        group.throughput(Throughput::Elements(entries));
        group.bench_function(format!("append {entries} in a change"), |bench| {
            bench.iter(|| runtime.block_on(change(workspace, entries)));
        });
    }
    group.finish();
}

async fn change(workspace: &Workspace, entries: u64) -> gaby_store::Result<()> {
    let mut tx = workspace.begin().await?;
    for _ in 0..entries {
        tx.audit(AuditRecord {
            actor: Actor::gaby(),
            action: "action.intended".into(),
            object: "act_0190".into(),
            decision: serde_json::json!({"risk": 30, "rules": ["own.record"]}),
            content: serde_json::json!({"call": "crm__unlock", "name": "somebody"}),
            at: SystemClock.now(),
        });
    }
    tx.commit().await
}

fn verify_log(criterion: &mut Criterion, runtime: &Runtime, workspace: &Workspace) {
    let Ok(log) = runtime.block_on(workspace.audit().export()) else {
        return;
    };
    let key = workspace.audit().verifying_key();
    let mut group = criterion.benchmark_group("audit");
    group.throughput(Throughput::Elements(log.entries.len() as u64));
    group.sample_size(10);
    group.bench_function(format!("verify {} entries", log.entries.len()), |bench| {
        bench.iter_batched(
            || &log,
            |log| verify::verify(log, &key),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}
