//! Calls of language models: kept, summed, and told apart by what became of them.

use gaby_model::*;
use gaby_store::StoreError;
use serde_json::json;

use crate::lifecycle::{investigation, ticket};
use crate::stores::every_engine;

pub(crate) fn llm_call(investigation: Option<&InvestigationId>) -> LlmCall {
    LlmCall {
        id: LlmCallId::generate(),
        investigation: investigation.cloned(),
        step: 2,
        purpose: "investigate".into(),
        prompt: "investigate".into(),
        prompt_version: "0123456789ab".into(),
        provider: "ollama".into(),
        model: "small".into(),
        outcome: LlmOutcome::Answered,
        tries: 1,
        input_tokens: 1_000,
        cached_tokens: 400,
        output_tokens: 50,
        reasoning_tokens: 10,
        micro_usd: 77,
        millis: 1_200,
        created_at: SystemClock.now(),
    }
}

#[tokio::test]
async fn a_call_is_on_record_before_it_is_made_and_settled_after_it() {
    for test in every_engine().await {
        let acme = test.store.create_workspace("acme", "Acme").await.unwrap();
        let ticket = ticket(&acme, None);
        let looked = investigation(&ticket.id);
        let mut call = LlmCall {
            outcome: LlmOutcome::Asked,
            input_tokens: 5_000,
            micro_usd: 900,
            ..llm_call(Some(&looked.id))
        };
        let asked = LlmTalk {
            request: json!({"system": "Be brief."}),
            ..LlmTalk::default()
        };
        let question = json!({"request": asked.request, "values": asked.values});
        let mut tx = acme.begin().await.unwrap();
        tx.tickets().insert(&ticket).await.unwrap();
        tx.investigations().put(&looked).await.unwrap();
        tx.llm_calls().add(&call, &question).await.unwrap();
        tx.commit().await.unwrap();
        let on_record = acme.llm_calls().get(&call.id).await.unwrap();
        assert_eq!(on_record, (call.clone(), asked.clone()));
        let held = acme.llm_calls().used_by(&looked.id).await.unwrap();
        assert_eq!(
            (held.calls, held.input_tokens, held.micro_usd),
            (1, 5_000, 900)
        );

        call.outcome = LlmOutcome::Answered;
        call.input_tokens = 1_234;
        call.micro_usd = 42;
        call.provider = "the second".into();
        let reply = LlmReply {
            answer: json!({"text": "Yes."}),
            tries: json!([{"provider": "first"}]),
            error: None,
        };
        let mut tx = acme.begin().await.unwrap();
        tx.llm_calls().settle(&call, &reply).await.unwrap();
        let unknown = tx.llm_calls().settle(&llm_call(None), &reply).await;
        assert!(unknown.is_err());
        tx.commit().await.unwrap();
        assert_eq!(
            acme.llm_calls().of(&looked.id).await.unwrap(),
            [call.clone()]
        );
        let said = LlmTalk {
            answer: reply.answer,
            tries: reply.tries,
            ..asked
        };
        assert_eq!(acme.llm_calls().get(&call.id).await.unwrap(), (call, said));
        let used = acme.llm_calls().used_by(&looked.id).await.unwrap();
        assert_eq!(
            (used.calls, used.input_tokens, used.micro_usd),
            (1, 1_234, 42)
        );
    }
}

#[tokio::test]
async fn what_was_used_is_summed_by_investigation_and_by_day_without_what_nobody_was_asked() {
    for test in every_engine().await {
        let acme = test.store.create_workspace("acme", "Acme").await.unwrap();
        let other = test.store.create_workspace("other", "Other").await.unwrap();
        let now = SystemClock.now();
        let ticket = ticket(&acme, None);
        let looked = investigation(&ticket.id);
        let mut tx = acme.begin().await.unwrap();
        tx.tickets().insert(&ticket).await.unwrap();
        tx.investigations().put(&looked).await.unwrap();
        let stopped = LlmCall {
            outcome: LlmOutcome::Stopped,
            ..llm_call(Some(&looked.id))
        };
        let asked_at_a_terminal = LlmCall {
            step: 0,
            ..llm_call(None)
        };
        let long_ago = LlmCall {
            created_at: now.plus_millis(-100_000),
            ..llm_call(Some(&looked.id))
        };
        let recent = llm_call(Some(&looked.id));
        for call in [&stopped, &asked_at_a_terminal, &long_ago, &recent] {
            tx.llm_calls().add(call, &LlmTalk::default()).await.unwrap();
        }
        tx.commit().await.unwrap();
        let used = acme.llm_calls().used_by(&looked.id).await.unwrap();
        assert_eq!(
            used,
            LlmUsed {
                calls: 2,
                input_tokens: 2_000,
                output_tokens: 100,
                micro_usd: 154
            }
        );
        let since = now.plus_millis(-50_000);
        let today = acme.llm_calls().used_since(since).await.unwrap();
        assert_eq!((today.calls, today.input_tokens), (2, 2_000));
        let nothing = other.llm_calls().used_since(since).await.unwrap();
        assert_eq!(nothing, LlmUsed::default());
        let order: Vec<_> = acme.llm_calls().of(&looked.id).await.unwrap();
        let order: Vec<_> = order.into_iter().map(|call| call.id).collect();
        assert_eq!(order, [stopped.id, long_ago.id, recent.id]);
        let unknown = acme.llm_calls().get(&LlmCallId::generate()).await;
        assert!(matches!(unknown, Err(StoreError::NotFound { .. })));
    }
}
