//! How long one decision takes: a write with every check, under the built-in rules alone and under
//! 1,000 policies more (to be less than a millisecond at the median), and the labelling of a result of 100 rows.

#![allow(clippy::panic)] // a measure that cannot be taken must not look like one that was

use criterion::{Criterion, criterion_group, criterion_main};
use gaby_gate::rules::files;
use gaby_gate::{
    Asker, AutonomyLevels, BudgetLeft, Context, Decision, Labelled, Ownership, OwnershipProof,
    Policy, PolicyFile, Proposed, ProposedCall, Rules, decide, label_result,
};
use gaby_model::{Access, Autonomy, EvidenceId, Integrity, Label, ToolDefinition};
use serde_json::json;
use std::hint::black_box;

#[path = "../src/fixtures.rs"]
#[allow(dead_code)]
mod fixtures;

/// So many rules of the kinds that operators write: about single tools, connectors, arguments,
/// times and facts; some that look at every call.
fn rules(count: usize, tools: &[ToolDefinition]) -> Rules {
    let text: String = (0..count)
        .map(|n| match n % 5 {
            0 => format!("@id(\"r{n}\") forbid(principal, action == Action::\"crm__tool_{}\", resource) when {{ context.arguments has account && context.arguments.account == {n} }};\n", n % 100),
            1 => format!("@id(\"r{n}\") forbid(principal == Requester::\"user{n}@example.com\", action in Action::\"connector:crm\", resource);\n"),
            2 => format!("@id(\"r{n}\") forbid(principal, action in Action::\"write\", resource == Workspace::\"ws{n}\") when {{ context.risk > {} }};\n", n % 100),
            3 => format!("@id(\"r{n}\") forbid(principal, action, resource) when {{ context.category == \"c{n}\" && context.facts.contains(\"plan=p{n}\") }};\n"),
            _ => format!("@id(\"r{n}\") @escalate(\"ask\") forbid(principal, action in Action::\"write\", resource) when {{ context.environment == \"e{n}\" && context.hour > 18 }};\n"),
        })
        .collect();
    let own = PolicyFile {
        name: "own".to_owned(),
        text,
        origin: gaby_gate::rules::Origin::Operator,
    };
    Rules::compile(&files::layered([files::built_in(), vec![own]]), tools)
        .unwrap_or_else(|error| panic!("the rules to measure with do not compile: {error}"))
}

fn decisions(criterion: &mut Criterion) {
    let tool = fixtures::unlock();
    let mut tools: Vec<ToolDefinition> = (0..100)
        .map(|n| {
            let mut other = fixtures::unlock();
            other.tool.tool = format!("tool_{n}");
            other
        })
        .collect();
    tools.push(tool.clone());
    let arguments = Labelled::object([
        (
            "account".to_owned(),
            Labelled::whole(json!(7), Label::of(Integrity::System)),
        ),
        ("notify".to_owned(), Labelled::outsider(json!("mail"))),
        ("note".to_owned(), Labelled::outsider(json!("as asked"))),
    ]);
    let proof = OwnershipProof::new(EvidenceId::generate(), arguments.value())
        .unwrap_or_else(|error| panic!("the owner is not proven: {error}"));
    let call = ProposedCall {
        tool: tool.tool.clone(),
        arguments,
    };
    for count in [0, 1_000] {
        let rules = rules(count, &tools);
        let policy = Policy {
            autonomy: AutonomyLevels::all(Autonomy::Act),
            rules: rules.hash().to_owned(),
            ..Policy::default()
        };
        let context = Context {
            tool: Some(&tool),
            rules: Some(&rules),
            asker: Asker::VerifiedRequester {
                email: "ada@example.com".to_owned(),
            },
            ownership: Ownership::Proven(proof.clone()),
            budget: BudgetLeft::unlimited(),
            ..Context::new(&policy)
        };
        assert!(matches!(decide(&call, &context), Decision::Allow { .. }));
        criterion.bench_function(&format!("decide a write under {count} policies"), |bench| {
            bench.iter(|| decide(black_box(&call), black_box(&context)));
        });
        // With what an approval would be bound to, as every call of an investigation has it.
        criterion.bench_function(&format!("permit a write under {count} policies"), |bench| {
            bench.iter(|| Proposed::new(black_box(call.clone())).decide(black_box(&context)));
        });
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
