//! How long one decision takes: a write with every check, with 1 and with 1,000 denials to look
//! through, and the labelling of a result of 100 rows.

use criterion::{Criterion, criterion_group, criterion_main};
use gaby_gate::{
    Asker, AutonomyLevels, BudgetLeft, Context, Denial, Labelled, Ownership, OwnershipProof,
    Policy, ProposedCall, decide, label_result,
};
use gaby_model::{Access, Autonomy, EvidenceId, Integrity, Label};
use serde_json::json;
use std::hint::black_box;

#[path = "../src/fixtures.rs"]
#[allow(dead_code)]
mod fixtures;

fn decisions(criterion: &mut Criterion) {
    let tool = fixtures::unlock();
    let arguments = Labelled::object([
        (
            "account".to_owned(),
            Labelled::whole(json!(7), Label::of(Integrity::System)),
        ),
        ("notify".to_owned(), Labelled::outsider(json!("mail"))),
        ("note".to_owned(), Labelled::outsider(json!("as asked"))),
    ]);
    let Ok(proof) = OwnershipProof::new(EvidenceId::generate(), arguments.value()) else {
        return;
    };
    let call = ProposedCall {
        tool: tool.tool.clone(),
        arguments,
    };
    for denials in [1, 1_000] {
        let policy = Policy {
            autonomy: AutonomyLevels::all(Autonomy::Act),
            denied: (0..denials)
                .map(|n| Denial {
                    connector: format!("other_{n}"),
                    tool: None,
                    reason: "not here".to_owned(),
                })
                .collect(),
            ..Policy::default()
        };
        let context = Context {
            tool: Some(&tool),
            asker: Asker::VerifiedRequester {
                email: "ada@example.com".to_owned(),
            },
            ownership: Ownership::Proven(proof.clone()),
            budget: BudgetLeft::unlimited(),
            ..Context::new(&policy)
        };
        criterion.bench_function(
            &format!("decide a write among {denials} denials"),
            |bench| {
                bench.iter(|| decide(black_box(&call), black_box(&context)));
            },
        );
    }
}

fn labels(criterion: &mut Criterion) {
    let mut find = fixtures::tool("crm", "find", Access::Read);
    find.output_integrity = [
        ("/rows/*/id".to_owned(), Integrity::System),
        ("/rows/*/status".to_owned(), Integrity::System),
    ]
    .into();
    let row = json!({"id": 7, "status": "locked", "name": "Ada"});
    let rows = json!({"rows": vec![row; 100]});
    let arguments = Label::of(Integrity::VerifiedRequester);
    criterion.bench_function("label one field of 100 rows", |bench| {
        bench.iter(|| {
            label_result(&find, black_box(rows.clone()), &arguments, None).at("/rows/99/id")
        });
    });
}

criterion_group!(benches, decisions, labels);
criterion_main!(benches);
