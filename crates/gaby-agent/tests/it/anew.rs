//! An answer that is written anew, when its first words were chosen with somebody else's data in view.

use gaby_model::{Autonomy, Verdict};

use crate::model::with_model;
use crate::world::locked_out;

#[tokio::test]
async fn an_answer_with_more_in_view_than_the_requester_may_see_is_written_anew_without_it() {
    // Bob's account is looked at after an article, or instead of it.
    for (looks, says, verdict) in [
        (
            "{tool: search_knowledge, arguments: {query: locked account}}",
            "It opens again after 30 minutes.",
            Verdict::Resolved,
        ),
        (
            "{tool: crm__account_state, arguments: {customer_id: 2}}",
            "It is locked.",
            Verdict::Escalated,
        ),
    ] {
        let script = format!(
            r#"
rules:
  - when: {{turn: 0}}
    times: 1
    answer: {{calls: [{looks}]}}
  - when: {{turn: 1}}
    times: 1
    answer: {{calls: [{{tool: crm__account_state, arguments: {{customer_id: 2}}}}]}}
  - answer:
      calls:
        - tool: conclude
          arguments:
            verdict: answer
            confidence: 0.9
            reason: r
            sentences: [{{text: {says}, evidence: [1]}}]
"#
        );
        let (world, journal) = with_model(Autonomy::Act, &script).await;
        let result = world.investigate("helpdesk", locked_out()).await;
        assert_eq!(result.verdict, verdict, "{looks}: {result:#?}");
        let requests = journal.asked();
        assert_eq!(requests.len(), 4, "{looks}");
        let anew = requests.last().unwrap();
        assert!(!anew.to_string().contains("Step 3"), "{anew}");
        assert_eq!(anew["tools"].as_array().unwrap().len(), 1, "{anew}");
        if verdict == Verdict::Resolved {
            assert_eq!(result.reply, "It opens again after 30 minutes. [1]");
            assert!(anew.to_string().contains("Step 2"), "{anew}");
        }
    }
}
