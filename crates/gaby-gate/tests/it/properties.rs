//! What holds for every call and every context.

use std::sync::{Arc, LazyLock};

use gaby_gate::{
    Asker, AutonomyLevels, BudgetLeft, Context, Decision, Denial, Labelled, Ownership,
    OwnershipProof, Policy, ProposedCall, Rules, Scope, decide,
};
use gaby_model::tool::AlwaysHuman;
use gaby_model::{
    Access, ArgumentRole, Autonomy, EvidenceId, Integrity, Label, Reversibility, ToolDefinition,
    ToolRef,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures;
use crate::scene::{Scene, compiled};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map("account|notify|note|.{0,4}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_autonomy() -> impl Strategy<Value = Autonomy> {
    prop::sample::select(vec![
        Autonomy::Investigate,
        Autonomy::Propose,
        Autonomy::Act,
    ])
}

fn any_integrity() -> impl Strategy<Value = Integrity> {
    prop::sample::select(vec![
        Integrity::Outsider,
        Integrity::System,
        Integrity::VerifiedRequester,
        Integrity::Playbook,
        Integrity::Operator,
    ])
}

fn any_tool() -> impl Strategy<Value = ToolDefinition> {
    (
        any::<bool>(),
        any::<u8>(),
        any_json(),
        any::<bool>(),
        any::<bool>(),
        prop::option::of(Just(AlwaysHuman::Money)),
        prop::option::of(prop::sample::select(vec![
            ArgumentRole::Target,
            ArgumentRole::Parameter,
            ArgumentRole::Content,
        ])),
    )
        .prop_map(
            |(write, risk, schema, reversible, idempotent, always_human, role)| {
                let mut tool = fixtures::unlock();
                tool.access = if write { Access::Write } else { Access::Read };
                tool.risk = risk;
                if !schema.is_null() {
                    tool.input_schema = schema;
                }
                if !reversible {
                    tool.reversibility = Reversibility::Irreversible;
                }
                tool.idempotent = idempotent;
                tool.always_human = always_human;
                if let Some(role) = role {
                    tool.arguments.insert("notify".to_owned(), role);
                }
                tool
            },
        )
}

prop_compose! {
    fn any_scene()(
        tool in prop::option::weighted(0.9, any_tool()),
        suspended in prop::option::weighted(0.1, Just("changed".to_owned())),
        connector in any_autonomy(),
        source in any_autonomy(),
        workspace in any_autonomy(),
        playbook in prop::option::of(any_autonomy()),
        risk_threshold in any::<u8>(),
        mass_limit in any::<u32>(),
        verified in any::<bool>(),
        owned in 0..4_u8,
        budget in prop_oneof![Just(0_u32), Just(5)],
        records in prop::option::of(any::<u64>()),
        own_arguments in any::<bool>(),
        arbitrary in any_json(),
        integrity in any_integrity(),
        forbidden in prop::option::weighted(0.1, prop::option::of(Just("unlock".to_owned()))),
        scope in any_scope(),
    ) -> Scene {
        let allowed = Scene::allowed();
        let arguments = if own_arguments {
            crate::scene::arguments(integrity)
        } else {
            Labelled::whole(arbitrary, Label::of(integrity))
        };
        let proof = OwnershipProof::new(EvidenceId::generate(), arguments.value());
        let ownership = match (owned, proof) {
            (0, _) | (2.., Err(_)) => Ownership::NotDeclared,
            (1, _) => Ownership::NotProven { why: "no".to_owned() },
            (_, Ok(proof)) => Ownership::Proven(proof),
        };
        Scene {
            tool,
            suspended,
            policy: Policy {
                autonomy: AutonomyLevels { connector, source, workspace, playbook },
                risk_threshold,
                mass_limit,
                denied: forbidden.into_iter().map(|tool| Denial {
                    connector: "crm".to_owned(), tool, reason: "no".to_owned(),
                }).collect(),
                scope,
                rules: allowed.policy.rules,
            },
            revoked: None,
            rules: allowed.rules,
            situation: allowed.situation,
            patterns: Vec::new(),
            asker: if verified { allowed.asker } else { Asker::Unverified },
            ownership,
            budget: BudgetLeft { tool_calls: budget, millis: 1 },
            records,
            audience: Vec::new(),
            call: ProposedCall { tool: allowed.call.tool, arguments },
        }
    }
}

/// The built-in rules with one more that only takes away.
static RESTRICTING: LazyLock<[Arc<Rules>; 3]> = LazyLock::new(|| {
    [
        "forbid(principal, action, resource) when { !context.verified };",
        r#"@escalate("ask") forbid(principal, action in Action::"write", resource);"#,
        "forbid(principal, action, resource) when { context.risk + 9223372036854775807 > 0 };",
    ]
    .map(|rule| Arc::new(compiled(rule).unwrap()))
});

fn any_scope() -> impl Strategy<Value = Scope> {
    let grant = |dry_run| {
        Scope::Custom(vec![gaby_gate::Grant {
            tool: "unlock".to_owned(),
            when: [].into(),
            dry_run,
        }])
    };
    prop::sample::select(vec![
        Scope::ReadWrite,
        Scope::ReadWrite,
        Scope::ReadWrite,
        Scope::ReadOnly,
        Scope::DryRun,
        Scope::Custom(Vec::new()),
        grant(true),
        grant(false),
    ])
}

fn permissiveness(decision: &Decision) -> u8 {
    match decision {
        Decision::Deny { .. } => 0,
        Decision::DryRun { .. } => 1,
        Decision::NeedsApproval { .. } => 2,
        Decision::Allow { .. } => 3,
    }
}

fn lower(level: Autonomy) -> Autonomy {
    match level {
        Autonomy::Act => Autonomy::Propose,
        Autonomy::Propose | Autonomy::Investigate => Autonomy::Investigate,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_call_gets_a_decision_and_it_can_be_written_down(scene in any_scene()) {
        let decision = scene.decide();
        prop_assert!(serde_json::to_string(&decision).is_ok());
        if let Decision::NeedsApproval { reasons, .. } = decision {
            prop_assert!(!reasons.is_empty());
        }
    }

    #[test]
    fn what_nothing_is_known_about_is_denied(arguments in any_json(), connector in ".*", tool in ".*") {
        let call = ProposedCall {
            tool: ToolRef { connector, tool },
            arguments: Labelled::whole(arguments, Label::of(Integrity::Operator)),
        };
        let policy = Policy { autonomy: AutonomyLevels::all(Autonomy::Act), ..Policy::default() };
        let denied = matches!(decide(&call, &Context::new(&policy)), Decision::Deny { .. });
        prop_assert!(denied);
    }

    #[test]
    fn a_denial_beats_whatever_allows(scene in any_scene()) {
        let mut denied = scene;
        denied.policy.denied.push(Denial {
            connector: "crm".to_owned(),
            tool: Some("unlock".to_owned()),
            reason: "no".to_owned(),
        });
        let is_denied = matches!(denied.decide(), Decision::Deny { .. });
        prop_assert!(is_denied);
    }

    #[test]
    fn less_autonomy_never_gives_more(scene in any_scene(), which in 0..4_u8) {
        let before = permissiveness(&scene.decide());
        let mut held = scene;
        let levels = &mut held.policy.autonomy;
        match which {
            0 => levels.connector = lower(levels.connector),
            1 => levels.source = lower(levels.source),
            2 => levels.workspace = lower(levels.workspace),
            _ => levels.playbook = Some(lower(levels.playbook.unwrap_or(Autonomy::Act))),
        }
        prop_assert!(permissiveness(&held.decide()) <= before);
    }

    #[test]
    fn a_narrower_scope_never_gives_more(scene in any_scene()) {
        let mut wide = scene.clone();
        wide.policy.scope = Scope::ReadWrite;
        prop_assert!(permissiveness(&scene.decide()) <= permissiveness(&wide.decide()));
    }

    #[test]
    fn without_rules_nothing_is_allowed(scene in any_scene()) {
        let mut lawless = scene;
        lawless.rules = None;
        let denied = matches!(lawless.decide(), Decision::Deny { .. });
        prop_assert!(denied);
    }

    #[test]
    fn one_more_rule_that_forbids_or_escalates_never_gives_more(scene in any_scene(), which in 0..3_usize) {
        let before = permissiveness(&scene.decide());
        let rules = Arc::clone(&RESTRICTING[which]);
        let mut held = scene;
        held.policy.rules = rules.hash().to_owned();
        held.rules = Some(rules);
        prop_assert!(permissiveness(&held.decide()) <= before);
    }

    #[test]
    fn an_outsiders_word_never_gives_more(scene in any_scene()) {
        let before = permissiveness(&scene.decide());
        let mut hostile = scene;
        hostile.call.arguments = Labelled::outsider(hostile.call.arguments.value().clone());
        prop_assert!(permissiveness(&hostile.decide()) <= before);
    }

    #[test]
    fn no_write_is_allowed_without_every_condition(scene in any_scene()) {
        let decision = scene.decide();
        if let (Decision::Allow { risk, .. }, Some(tool)) = (&decision, &scene.tool)
            && tool.access == Access::Write
        {
            prop_assert_eq!(scene.policy.autonomy.least().0, Autonomy::Act);
            prop_assert!(scene.asker.is_verified());
            prop_assert!(matches!(scene.ownership, Ownership::Proven(_)));
            prop_assert!(tool.always_human.is_none());
            prop_assert!(risk.score < scene.policy.risk_threshold);
            prop_assert!(tool.idempotent || tool.reversibility == Reversibility::Reversible);
            let target = scene.call.arguments.argument("account").unwrap();
            prop_assert!(target.label().integrity >= Integrity::System);
        }
    }

    #[test]
    fn deciding_twice_gives_the_same(scene in any_scene()) {
        prop_assert_eq!(scene.decide(), scene.decide());
    }
}

#[test]
fn arguments_nested_without_end_are_denied() {
    let mut scene = Scene::allowed();
    let mut deep = json!(1);
    for _ in 0..1_000 {
        deep = Value::Array(vec![deep]);
    }
    let fields = [("account".to_owned(), deep)].into_iter().collect();
    scene.call.arguments = Labelled::outsider(Value::Object(fields));
    assert_eq!(scene.denied_because(), "arguments");
}
