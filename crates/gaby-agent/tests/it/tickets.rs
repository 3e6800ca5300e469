//! What becomes of tickets.

use gaby_model::{Author, Autonomy, Origin, TicketState, Verdict};
use serde_json::json;

use crate::world::{World, locked_out};

#[tokio::test]
async fn a_question_that_an_article_answers_is_resolved_with_citations_that_open_the_place() {
    let world = World::new(Autonomy::Investigate).await;
    let result = world
        .investigate(
            "cli",
            json!({"body": "Hello,\nhow do I export a report?\nThanks"}),
        )
        .await;
    assert_eq!(result.verdict, Verdict::Resolved, "{result:?}");
    assert!(
        result.reply.contains("1. Open Reports."),
        "{}",
        result.reply
    );
    for citation in &result.citations {
        assert_eq!(
            &result.reply[citation.start..citation.end],
            citation.sentence
        );
        let Origin::Passage {
            title, start, end, ..
        } = &citation.source
        else {
            panic!("{citation:?}")
        };
        assert_eq!(title, "Export reports");
        assert!(end > start && end - start < 60, "{citation:?}");
    }
    assert_eq!(
        world.ticket_state(&result.ticket).await,
        TicketState::Resolved
    );
    let messages = world.messages(&result.ticket).await;
    assert_eq!(messages.len(), 2);
    assert_eq!(
        (messages[1].author, &messages[1].body),
        (Author::Gaby, &result.reply)
    );
    assert!(result.usage.searches == 1 && result.usage.tool_calls == 0);
}

#[tokio::test]
async fn a_question_that_nothing_answers_is_handed_over_with_what_was_looked_at() {
    let world = World::new(Autonomy::Investigate).await;
    let result = world
        .investigate(
            "cli",
            json!({"body": "Do you sell helicopters to penguins in Antarctica?"}),
        )
        .await;
    assert_eq!(result.verdict, Verdict::Escalated);
    let bundle = result.escalation.unwrap();
    assert!(bundle.looked_at[0].contains("helicopters"), "{bundle:?}");
    assert!(bundle.next_step.is_some());
    assert_eq!(
        world.ticket_state(&result.ticket).await,
        TicketState::Escalated
    );
    assert_eq!(world.messages(&result.ticket).await[1].author, Author::Note);
}

#[tokio::test]
async fn a_passage_that_only_shares_a_word_is_linked_and_not_told_as_found() {
    let world = World::new(Autonomy::Investigate).await;
    let result = world
        .investigate(
            "cli",
            json!({"body": "Which minutes suit penguins in Antarctica for a helicopter landing on loose gravel?"}),
        )
        .await;
    assert_eq!(result.verdict, Verdict::Escalated);
    let bundle = result.escalation.unwrap();
    assert_eq!(bundle.found, "");
    assert_eq!(bundle.links.len(), 1, "{bundle:?}");
}

#[tokio::test]
async fn where_gaby_may_act_an_own_account_is_unlocked_and_the_requester_told() {
    let world = World::new(Autonomy::Act).await;
    let result = world.investigate("helpdesk", locked_out()).await;
    assert_eq!(result.verdict, Verdict::Resolved, "{result:#?}");
    assert_eq!(result.playbook.as_deref(), Some("account-locked"));
    assert_eq!(
        world.vendor.writes(),
        [r#"unlock_account {"customer_id":1}"#]
    );
    assert!(
        result
            .reply
            .starts_with("Your account was locked on 27 February 2026 after 5 failed sign-ins. ["),
        "{}",
        result.reply
    );
    assert!(
        result
            .reply
            .contains("Your account is unlocked, and you can sign in again. ["),
        "{}",
        result.reply
    );
    assert!(result.citations.iter().any(
        |c| matches!(&c.source, Origin::ToolCall { tool, .. } if tool.tool == "unlock_account")
    ));
}

#[tokio::test]
async fn where_gaby_may_only_look_the_fix_is_suggested_to_a_human() {
    let world = World::new(Autonomy::Investigate).await;
    let result = world.investigate("helpdesk", locked_out()).await;
    assert_eq!(result.verdict, Verdict::Escalated);
    let bundle = result.escalation.unwrap();
    assert!(bundle.reason.contains("`investigate`"), "{}", bundle.reason);
    assert_eq!(
        bundle.next_step.as_deref(),
        Some("Unlock the account of ann@example.com")
    );
    assert!(
        bundle.found.contains("locked on 27 February 2026"),
        "{}",
        bundle.found
    );
    assert_eq!(world.vendor.writes(), [""; 0]);
    for citation in &result.citations {
        assert_eq!(
            &result.reply[citation.start..citation.end],
            citation.sentence
        );
    }
}

#[tokio::test]
async fn a_ticket_that_its_source_gives_twice_is_taken_in_and_investigated_once() {
    let world = World::new(Autonomy::Act).await;
    let ticket: gaby_model::IncomingTicket = serde_json::from_value(locked_out()).unwrap();
    let first = world
        .agent
        .intake(ticket.clone(), "helpdesk")
        .await
        .unwrap();
    let second = world.agent.intake(ticket, "helpdesk").await.unwrap();
    assert_eq!(first.id(), second.id());
    assert!(matches!(second, gaby_agent::TakenIn::Known(_)));
    world.work_until_settled(first.id()).await;
    assert_eq!(world.ticket_state(first.id()).await, TicketState::Resolved);
    assert_eq!(world.messages(first.id()).await.len(), 2);
    assert_eq!(world.vendor.writes().len(), 1);
    assert_eq!(world.store.queue().depth().await.unwrap().ready, 0);
}

#[tokio::test]
async fn a_ticket_that_says_nothing_or_too_much_is_refused() {
    let world = World::new(Autonomy::Act).await;
    for body in [String::new(), "x".repeat(10_000_000)] {
        let ticket = serde_json::from_value(json!({"body": body})).unwrap();
        assert!(world.agent.intake(ticket, "api").await.is_err());
        assert!(world.agent.ask(&body).await.is_err());
    }
}

#[tokio::test]
async fn a_requester_without_an_address_is_asked_for_it() {
    let world = World::new(Autonomy::Act).await;
    let result = world
        .investigate("helpdesk", json!({"body": "my account is locked"}))
        .await;
    assert_eq!(result.reply, "Which e-mail address do you sign in with?");
    assert_eq!(
        world.ticket_state(&result.ticket).await,
        TicketState::WaitingForRequester
    );
}

#[tokio::test]
async fn an_answer_on_the_terminal_is_cited_and_a_doubtful_one_says_so() {
    let world = World::new(Autonomy::Act).await;
    let answer = world.agent.ask("How do I export a report?").await.unwrap();
    assert!(
        answer.answered && !answer.citations.is_empty(),
        "{answer:?}"
    );
    let doubtful = world
        .agent
        .ask("Who won the chess olympiad in 1927?")
        .await
        .unwrap();
    assert!(
        !doubtful.answered && doubtful.doubt.is_some(),
        "{doubtful:?}"
    );
    assert_eq!(world.vendor.writes(), [""; 0]);
}
