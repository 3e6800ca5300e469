//! Each rule of the gate by itself: one thing is wrong, and the gate says which.

use gaby_gate::{
    Asker, Condition, Decision, Denial, Labelled, Ownership, OwnershipProof, Pattern, Scope,
};
use gaby_model::tool::AlwaysHuman;
use gaby_model::{
    Access, ArgumentRole, Autonomy, EvidenceId, Integrity, Label, Readers, Reversibility,
    ToolDefinition,
};
use serde_json::json;

use crate::scene::{Scene, arguments};

fn spoiled(spoil: impl FnOnce(&mut Scene)) -> Scene {
    let mut scene = Scene::allowed();
    spoil(&mut scene);
    scene
}

fn with_tool(change: impl FnOnce(&mut ToolDefinition)) -> Scene {
    spoiled(|scene| change(scene.tool.as_mut().unwrap()))
}

#[test]
fn a_write_that_everything_speaks_for_is_allowed() {
    assert!(matches!(Scene::allowed().decide(), Decision::Allow { .. }));
}

#[test]
fn what_nobody_offers_and_what_is_suspended_is_denied() {
    assert_eq!(spoiled(|s| s.tool = None).denied_because(), "unknown_tool");
    assert_eq!(
        spoiled(|s| s.call.tool.tool = "delete".to_owned()).denied_because(),
        "wrong_definition"
    );
    assert_eq!(
        spoiled(|s| s.suspended = Some("its definition changed".to_owned())).denied_because(),
        "suspended"
    );
}

#[test]
fn what_the_operator_forbids_is_denied_for_one_tool_or_the_whole_connector() {
    for tool in [None, Some("unlock".to_owned())] {
        let scene = spoiled(|s| {
            s.policy.denied.push(Denial {
                connector: "crm".to_owned(),
                tool,
                reason: "not in December".to_owned(),
            });
        });
        assert_eq!(scene.denied_because(), "forbidden");
    }
    let other = spoiled(|s| {
        s.policy.denied.push(Denial {
            connector: "crm".to_owned(),
            tool: Some("delete".to_owned()),
            reason: String::new(),
        });
    });
    assert_eq!(other.asks_because(), Vec::<&str>::new());
}

#[test]
fn an_investigation_without_budget_calls_nothing() {
    assert_eq!(
        spoiled(|s| s.budget.tool_calls = 0).denied_because(),
        "budget"
    );
    assert_eq!(spoiled(|s| s.budget.millis = 0).denied_because(), "budget");
}

#[test]
fn the_least_autonomy_wins_and_is_named() {
    let read_only = spoiled(|s| s.policy.autonomy.source = Autonomy::Investigate);
    match read_only.decide() {
        Decision::Deny { reason } => {
            assert_eq!(reason.code(), "read_only");
            let text = reason.to_string();
            assert!(
                text.contains("the source") && text.contains("`propose`"),
                "{text}"
            );
        }
        other => panic!("{other:?}"),
    }
    for hold in [
        |s: &mut Scene| s.policy.autonomy.connector = Autonomy::Propose,
        |s: &mut Scene| s.policy.autonomy.source = Autonomy::Propose,
        |s: &mut Scene| s.policy.autonomy.workspace = Autonomy::Propose,
        |s: &mut Scene| s.policy.autonomy.playbook = Some(Autonomy::Propose),
    ] {
        assert_eq!(spoiled(hold).asks_because(), ["proposes"]);
    }
}

#[test]
fn reads_are_allowed_at_any_autonomy_whoever_steers_them() {
    let scene = spoiled(|s| {
        s.tool.as_mut().unwrap().access = Access::Read;
        s.policy.autonomy.workspace = Autonomy::Investigate;
        s.asker = Asker::Unverified;
        s.call.arguments = arguments(Integrity::Outsider);
    });
    assert_eq!(scene.asks_because(), Vec::<&str>::new());
}

#[test]
fn money_deletion_rights_mfa_and_addresses_always_need_a_human() {
    for kind in [
        AlwaysHuman::Money,
        AlwaysHuman::Deletion,
        AlwaysHuman::Privilege,
        AlwaysHuman::Mfa,
        AlwaysHuman::EmailAddress,
        AlwaysHuman::Mass,
    ] {
        let scene = with_tool(|tool| tool.always_human = Some(kind));
        assert_eq!(scene.asks_because(), ["always_human"]);
    }
}

#[test]
fn a_requester_nobody_vouches_for_is_not_obeyed() {
    let scene = spoiled(|s| s.asker = Asker::Unverified);
    assert!(scene.asks_because().contains(&"not_verified"));
    let alert = spoiled(|s| {
        s.asker = Asker::SignedAlert {
            source: "monitor".to_owned(),
        }
    });
    assert_eq!(alert.asks_because(), Vec::<&str>::new());
}

#[test]
fn a_target_out_of_an_outsiders_text_needs_a_human() {
    let scene = spoiled(|s| s.call.arguments = arguments(Integrity::Outsider));
    assert!(scene.asks_because().contains(&"target_not_trusted"));
}

#[test]
fn a_target_must_be_shown_to_be_the_requesters_for_exactly_these_arguments() {
    let other = OwnershipProof::new(EvidenceId::generate(), &json!({"account": 8})).unwrap();
    for ownership in [
        Ownership::NotDeclared,
        Ownership::NotProven {
            why: "account 7 belongs to somebody else".to_owned(),
        },
        Ownership::Proven(other),
    ] {
        assert_eq!(
            spoiled(|s| s.ownership = ownership).asks_because(),
            ["not_owned"]
        );
    }
}

#[test]
fn a_read_that_shows_one_target_shows_nothing_about_another() {
    let scene = with_tool(|tool| {
        tool.arguments
            .insert("notify".to_owned(), ArgumentRole::Target);
    });
    assert_eq!(
        scene.asks_because(),
        ["target_not_trusted", "target_not_checked"]
    );
}

#[test]
fn an_empty_list_of_targets_is_everything() {
    let scene = spoiled(|s| {
        let system = Label::of(Integrity::System);
        s.call.arguments =
            Labelled::object([("account".to_owned(), Labelled::whole(json!({}), system))]);
    });
    // It is no account at all, and the rules do not know how to weigh it.
    assert_eq!(scene.denied_because(), "policy");
}

#[test]
fn a_connector_is_held_to_its_scope() {
    assert_eq!(
        spoiled(|s| s.policy.scope = Scope::ReadOnly).denied_because(),
        "out_of_scope"
    );
    let dry = spoiled(|s| s.policy.scope = Scope::DryRun);
    assert!(matches!(dry.decide(), Decision::DryRun { reasons, .. } if reasons.is_empty()));
    let dry_at_propose = spoiled(|s| {
        s.policy.scope = Scope::DryRun;
        s.policy.autonomy.workspace = Autonomy::Propose;
    });
    assert!(
        matches!(dry_at_propose.decide(), Decision::DryRun { reasons, .. } if reasons.len() == 1)
    );
    let custom = |condition: serde_json::Value| {
        spoiled(|s| {
            s.policy.scope = serde_json::from_value(json!({"custom": [
                {"tool": "unlock", "when": {"account": condition}}
            ]}))
            .unwrap();
        })
    };
    assert_eq!(
        custom(json!({"one_of": [8, 9]})).denied_because(),
        "out_of_scope"
    );
    assert_eq!(custom(json!({"one_of": [7]})).asks_because(), [""; 0]);
}

#[test]
fn what_was_disconnected_is_denied_even_to_look() {
    let scene = spoiled(|s| {
        s.revoked = Some("by ada".to_owned());
        s.tool.as_mut().unwrap().access = Access::Read;
    });
    assert_eq!(scene.denied_because(), "revoked");
}

#[test]
fn a_standing_approval_stands_in_for_a_human_only_for_what_it_covers() {
    let id = gaby_model::PatternId::generate();
    let pattern = || Pattern {
        id: id.clone(),
        tool: crate::fixtures::unlock().tool,
        definition_hash: crate::fixtures::unlock().definition_hash,
        arguments: [
            ("account".to_owned(), Condition::Equals(json!(7))),
            ("notify".to_owned(), Condition::Equals(json!("mail"))),
            ("note".to_owned(), Condition::Equals(json!("as asked"))),
        ]
        .into(),
        remaining: 1,
        ends_at: gaby_model::Timestamp::from_millis(10),
        by: gaby_model::UserId::generate(),
    };
    let at_propose = |change: &dyn Fn(&mut Scene)| {
        spoiled(|s| {
            s.policy.autonomy.workspace = Autonomy::Propose;
            s.patterns = vec![pattern()];
            change(s);
        })
        .decide()
    };
    assert!(
        matches!(at_propose(&|_| {}), Decision::Allow { under: Some(under), .. } if under == id)
    );
    let asked: [&dyn Fn(&mut Scene); 4] = [
        &|s| s.patterns[0].remaining = 0,
        &|s| s.asker = Asker::Unverified,
        &|s| s.tool.as_mut().unwrap().always_human = Some(AlwaysHuman::Money),
        &|s| s.patterns[0].arguments = [("account".to_owned(), Condition::Equals(json!(7)))].into(),
    ];
    for spoil in asked {
        assert!(matches!(at_propose(spoil), Decision::NeedsApproval { .. }));
    }
}

#[test]
fn arguments_without_a_role_and_writes_without_a_target_need_a_human() {
    let no_role = with_tool(|tool| {
        tool.arguments.remove("note");
    });
    assert_eq!(no_role.asks_because(), ["no_role"]);
    let no_target = with_tool(|tool| {
        tool.arguments.remove("account");
    });
    assert_eq!(no_target.asks_because(), ["no_role", "no_target"]);
}

#[test]
fn a_parameter_is_of_a_closed_list_or_bounded_or_the_operators_own() {
    let notify = |schema: serde_json::Value, value: Labelled| {
        let mut scene = with_tool(|tool| tool.input_schema["properties"]["notify"] = schema);
        scene.call.arguments = Labelled::object([
            (
                "account".to_owned(),
                scene.call.arguments.argument("account").unwrap(),
            ),
            ("notify".to_owned(), value),
        ]);
        let proof = OwnershipProof::new(EvidenceId::generate(), scene.call.arguments.value());
        scene.ownership = Ownership::Proven(proof.unwrap());
        scene.recompiled().asks_because()
    };
    let bounded = json!({"type": "integer", "minimum": 1, "maximum": 30});
    let none: [&str; 0] = [];
    assert_eq!(
        notify(json!({"enum": ["a"]}), Labelled::outsider(json!("b"))),
        ["not_bounded"]
    );
    assert_eq!(
        notify(json!({"type": "string"}), Labelled::outsider(json!("b"))),
        ["not_bounded"]
    );
    assert_eq!(
        notify(bounded.clone(), Labelled::outsider(json!(31))),
        ["not_bounded"]
    );
    assert_eq!(
        notify(
            json!({"type": "integer", "minimum": 1}),
            Labelled::outsider(json!(2))
        ),
        ["not_bounded"]
    );
    assert!(!notify(bounded, Labelled::outsider(json!(30))).contains(&"not_bounded"));
    let own = Labelled::whole(json!("b"), Label::of(Integrity::Playbook));
    assert_eq!(notify(json!({"type": "string"}), own), none);
}

#[test]
fn what_has_no_way_back_needs_a_human() {
    let scene = with_tool(|tool| {
        tool.reversibility = Reversibility::Irreversible;
        tool.idempotent = false;
    });
    assert_eq!(scene.asks_because(), ["no_way_back", "risky"]);
}

#[test]
fn many_records_need_a_human_whether_a_preview_or_the_arguments_name_them() {
    assert_eq!(spoiled(|s| s.records = Some(2)).asks_because(), ["mass"]);
    let listed = spoiled(|s| {
        let accounts = json!({"type": "array", "items": {"type": "integer"}});
        s.tool.as_mut().unwrap().input_schema["properties"]["account"] = accounts;
        let system = Label::of(Integrity::System);
        s.call.arguments =
            Labelled::object([("account".to_owned(), Labelled::whole(json!([7, 8]), system))]);
        let proof = OwnershipProof::new(EvidenceId::generate(), s.call.arguments.value());
        s.ownership = Ownership::Proven(proof.unwrap());
    });
    assert_eq!(listed.recompiled().asks_because(), ["mass"]);
}

#[test]
fn a_risk_at_the_threshold_needs_a_human_and_shows_its_parts() {
    let scene = with_tool(|tool| tool.risk = 40);
    match scene.decide() {
        Decision::NeedsApproval { reasons, risk } => {
            assert_eq!(reasons[0].code(), "risky");
            let sum: u8 = risk.parts.iter().map(|part| part.points).sum();
            assert_eq!((risk.score, sum), (50, 50));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_goes_to_somebody_who_may_not_see_it() {
    let secret = |audience: &[&str]| {
        spoiled(|s| {
            let mut label = Label::of(Integrity::System);
            label.readers = Readers::Only(["requester:ada@example.com".to_owned()].into());
            s.call.arguments =
                Labelled::object([("note".to_owned(), Labelled::whole(json!("x"), label))]);
            s.audience = audience.iter().map(|who| (*who).to_owned()).collect();
        })
    };
    assert_eq!(
        secret(&["requester:bob@example.com"]).denied_because(),
        "not_for_audience"
    );
    assert!(matches!(
        secret(&["requester:ada@example.com"]).decide(),
        Decision::NeedsApproval { .. }
    ));
}

#[test]
fn a_secret_is_passed_on_only_by_the_person_who_wrote_it() {
    let key = "ghp_0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R";
    let told = |value: serde_json::Value, integrity, audience: &[&str]| {
        spoiled(|s| {
            let note = Labelled::whole(value, Label::of(integrity));
            s.call.arguments = Labelled::object([("note".to_owned(), note)]);
            s.audience = audience.iter().map(|who| (*who).to_owned()).collect();
        })
    };
    let checked = ["connector:crm"];
    for value in [
        json!(key),
        json!(format!("it is\\n{key}, you know")),
        json!([{"deep": [key]}]),
        json!({ key: 1 }),
    ] {
        for integrity in [Integrity::Outsider, Integrity::System, Integrity::Playbook] {
            let scene = told(value.clone(), integrity, &checked);
            assert_eq!(scene.denied_because(), "secret", "{value}");
        }
        for scene in [
            told(value.clone(), Integrity::Operator, &checked),
            told(value.clone(), Integrity::Outsider, &[]),
        ] {
            // What is no text may be refused for that.
            let decision = scene.decide();
            let for_that =
                matches!(&decision, Decision::Deny { reason } if reason.code() == "secret");
            assert!(!for_that, "{value}: {decision:?}");
        }
    }
}

#[test]
fn arguments_that_cannot_be_hashed_are_denied() {
    for value in [
        json!([1]),
        json!("text"),
        json!(null),
        json!({"account": u64::MAX}),
    ] {
        let scene = spoiled(|s| s.call.arguments = Labelled::outsider(value));
        assert_eq!(scene.denied_because(), "arguments");
    }
}
