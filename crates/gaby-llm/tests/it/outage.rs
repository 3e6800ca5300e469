//! Providers that fail: who is asked instead, how often, and what it costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gaby_llm::address::Reach;
use gaby_llm::chat::{ChatRequest, Message};
use gaby_llm::llm::TryOutcome;
use gaby_llm::spend::{Allowance, Price, Purse, Used};
use gaby_llm::{
    Answered, Limits, Llm, LlmSettings, NoAnswer, ProviderKind, Purpose, Question, WorkspaceLlm,
};
use tokio::time::Instant;

use crate::server::{Act, Server, serve};
use crate::vendors::{Answer, Vendor, of, patient};

/// A provider that fails its first calls in some way, and answers then.
async fn failing(
    times: usize,
    fault: impl Fn(Vendor) -> Vec<Act> + Send + Sync + 'static,
) -> Server {
    let vendor = of(ProviderKind::OpenAiCompatible);
    serve(move |n, _| match n < times {
        true => fault(vendor),
        false => vec![
            vendor.head(),
            Act::Send(vendor.bytes(&Answer::text("here"))),
        ],
    })
    .await
}

fn llm(servers: &[&Server], limits: Limits) -> Llm {
    let vendor = of(ProviderKind::OpenAiCompatible);
    let mut settings = LlmSettings::default();
    for (place, server) in servers.iter().enumerate() {
        let mut config = vendor.config(server);
        config.name = ["first", "second", "third"][place].into();
        settings.fallback.push(config);
    }
    settings.prices.push(Price {
        provider: None,
        model: "*".into(),
        input: 1.0,
        cached: None,
        cache_write: None,
        output: 2.0,
    });
    Llm::open(settings, Reach::default(), limits).unwrap()
}

fn purse(allowance: Allowance) -> Purse {
    Purse::new("this investigation", allowance, Used::default(), Vec::new())
}

async fn ask(llm: &Llm, purse: &Purse) -> Result<Answered, NoAnswer> {
    let request = ChatRequest {
        messages: vec![Message::user("Why?")],
        max_output_tokens: 100,
        ..ChatRequest::default()
    };
    let question = Question {
        purpose: Purpose::Answer,
        request,
        purse,
        deadline: Instant::now() + Duration::from_secs(60),
        record: None,
    };
    llm.ask(question, &WorkspaceLlm::default(), &mut |_| {})
        .await
}

fn outcomes(answered: &Answered) -> Vec<(&str, bool)> {
    answered
        .tries
        .iter()
        .map(|t| (t.provider.as_str(), t.outcome == TryOutcome::Answered))
        .collect()
}

#[tokio::test]
async fn a_provider_is_asked_three_times_and_then_the_next() {
    let open = purse(Allowance::default());
    let busy = |vendor: Vendor| vendor.refusal(503, "busy", &[]);
    let (stumbles, fine) = (failing(2, busy).await, failing(0, busy).await);
    let answered = ask(&llm(&[&stumbles, &fine], patient()), &open)
        .await
        .unwrap();
    assert_eq!(
        outcomes(&answered),
        [("first", false), ("first", false), ("first", true)]
    );
    let (down, fine) = (failing(99, busy).await, failing(0, busy).await);
    let answered = ask(&llm(&[&down, &fine], patient()), &open).await.unwrap();
    assert_eq!(
        outcomes(&answered),
        [
            ("first", false),
            ("first", false),
            ("first", false),
            ("second", true)
        ]
    );
    assert_eq!(answered.provider, "second");
    let (down, also) = (failing(99, busy).await, failing(99, busy).await);
    let error = ask(&llm(&[&down, &also], patient()), &open)
        .await
        .unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("`first` answered 503") && said.contains("`second` answered 503"),
        "{said}"
    );
    assert_eq!((down.seen().len(), also.seen().len()), (3, 3));
}

#[tokio::test]
async fn nobody_waits_longer_than_a_minute_and_what_cannot_help_is_not_tried_again() {
    let open = purse(Allowance::default());
    for fault in [
        (|vendor: Vendor| vendor.refusal(429, "later", &[("retry-after", "61")]))
            as fn(Vendor) -> Vec<Act>,
        |vendor| vendor.refusal(401, "bad key", &[]),
        |vendor| vendor.refusal(400, "bad request", &[]),
    ] {
        let (first, second) = (failing(99, fault).await, failing(0, fault).await);
        let answered = ask(&llm(&[&first, &second], patient()), &open)
            .await
            .unwrap();
        assert_eq!(outcomes(&answered), [("first", false), ("second", true)]);
        assert_eq!(first.seen().len(), 1);
    }
    let soon = failing(1, |vendor| {
        vendor.refusal(429, "soon", &[("retry-after", "1")])
    })
    .await;
    let began = Instant::now();
    let answered = ask(&llm(&[&soon], patient()), &open).await.unwrap();
    assert_eq!(answered.tries.len(), 2);
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "it waited as it was told"
    );
}

#[tokio::test]
async fn who_fails_again_and_again_is_left_alone() {
    let open = purse(Allowance::default());
    let fault = |vendor: Vendor| vendor.refusal(500, "down", &[]);
    let (down, fine) = (failing(99, fault).await, failing(0, fault).await);
    let llm = llm(&[&down, &fine], patient());
    for _ in 0..6 {
        assert_eq!(ask(&llm, &open).await.unwrap().provider, "second");
    }
    assert_eq!(
        down.seen().len(),
        5,
        "after five failures in a row nobody asks"
    );
    let answered = ask(&llm, &open).await.unwrap();
    assert_eq!(answered.tries[0].outcome, TryOutcome::Resting);
    assert_eq!(fine.seen().len(), 7);
    // A wrong key is not an outage.
    let refuse = |vendor: Vendor| vendor.refusal(401, "no", &[]);
    let (refusing, fine) = (failing(99, refuse).await, failing(0, refuse).await);
    let llm = self::llm(&[&refusing, &fine], patient());
    for _ in 0..7 {
        ask(&llm, &open).await.unwrap();
    }
    assert_eq!(refusing.seen().len(), 7);
}

#[tokio::test]
async fn an_empty_purse_asks_nobody_and_a_small_one_gets_a_short_answer() {
    let fine = failing(0, |_| Vec::new()).await;
    let llm = llm(&[&fine], patient());
    for empty in [
        Allowance {
            tokens: Some(50),
            ..Allowance::default()
        },
        Allowance {
            micro_usd: Some(50),
            ..Allowance::default()
        },
        Allowance {
            calls: Some(0),
            ..Allowance::default()
        },
    ] {
        let error = ask(&llm, &purse(empty)).await.unwrap_err();
        assert!(matches!(error, NoAnswer::Spent(_)), "{error}");
    }
    assert!(fine.seen().is_empty());
    let small = purse(Allowance {
        tokens: Some(120),
        ..Allowance::default()
    });
    let answered = ask(&llm, &small).await.unwrap();
    let asked_for = fine.seen()[0].body["max_tokens"].as_u64().unwrap();
    assert!((64..100).contains(&asked_for), "{asked_for}");
    assert_eq!(
        small.used(),
        Used {
            input: 20,
            output: 7,
            micro_usd: 34,
            calls: 1
        }
    );
    assert_eq!(answered.micro_usd, 34);
}

#[tokio::test]
async fn what_fails_is_paid_for_as_far_as_the_vendor_will_bill_it() {
    let used = |fault: fn(Vendor) -> Vec<Act>| async move {
        let server = failing(99, fault).await;
        let purse = purse(Allowance::default());
        ask(&llm(&[&server], patient()), &purse).await.unwrap_err();
        purse.used()
    };
    let refused = used(|vendor| vendor.refusal(500, "down", &[])).await;
    assert_eq!((refused.input, refused.output, refused.calls), (0, 0, 3));
    let cut = used(|vendor| {
        let bytes = vendor.bytes(&Answer::text("half"));
        vec![vendor.head(), Act::Send(bytes[..bytes.len() / 2].to_vec())]
    })
    .await;
    assert!(
        cut.input > 0 && cut.output == 300,
        "three answers that may have been whole: {cut:?}"
    );
    // Whoever stops waiting leaves what was held as used.
    let server = failing(99, |vendor| vec![vendor.head(), Act::Hang]).await;
    let (llm, purse) = (llm(&[&server], patient()), purse(Allowance::default()));
    let given_up = tokio::time::timeout(Duration::from_millis(300), ask(&llm, &purse)).await;
    assert!(given_up.is_err());
    assert_eq!(purse.used().output, 100);
}

#[tokio::test]
async fn a_thousand_at_once_spend_no_more_than_there_is() {
    let vendor = of(ProviderKind::OpenAiCompatible);
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    // It always writes all that it may.
    let server = serve(move |_, seen| {
        count.fetch_add(1, Ordering::SeqCst);
        let most = seen.body["max_tokens"].as_u64().unwrap();
        let answer = Answer {
            text: vec!["x"],
            usage: Some((20, 0, most, 0)),
            ..Answer::default()
        };
        vec![vendor.head(), Act::Send(vendor.bytes(&answer))]
    })
    .await;
    let llm = llm(&[&server], patient());
    let purse = purse(Allowance {
        tokens: Some(5_000),
        ..Allowance::default()
    });
    let asks = (0..1_000).map(|_| {
        let (llm, purse) = (llm.clone(), purse.clone());
        tokio::spawn(async move { ask(&llm, &purse).await })
    });
    let done = futures_util::future::join_all(asks).await;
    let answered = done.iter().filter(|done| matches!(done, Ok(Ok(_)))).count();
    let used = purse.used();
    assert!(used.input + used.output <= 5_000, "{used:?}");
    assert_eq!(answered, served.load(Ordering::SeqCst));
    assert!(answered >= 35, "{answered}");
}

#[tokio::test]
async fn local_only_refuses_what_is_elsewhere_at_start_and_at_each_call() {
    let vendor = of(ProviderKind::OpenAiCompatible);
    let server = failing(0, |_| Vec::new()).await;
    let mut settings = LlmSettings {
        local_only: true,
        ..LlmSettings::default()
    };
    let mut config = vendor.config(&server);
    config.base_url = Some("https://93.184.216.34/v1".into());
    settings.fallback.push(config);
    let llm = Llm::open(settings, Reach::default(), patient()).unwrap();
    assert!(
        llm.check_addresses()
            .await
            .unwrap_err()
            .to_string()
            .contains("local_only")
    );
    let error = ask(&llm, &purse(Allowance::default())).await.unwrap_err();
    assert!(error.to_string().contains("local_only"), "{error}");
    // A workspace may be stricter than its installation.
    let mut settings = LlmSettings::default();
    let mut elsewhere = vendor.config(&server);
    elsewhere.base_url = Some("https://93.184.216.34/v1".into());
    let mut near = vendor.config(&server);
    near.name = "near".into();
    settings.fallback = vec![elsewhere, near];
    let llm = Llm::open(settings, Reach::default(), patient()).unwrap();
    let strict = WorkspaceLlm {
        local_only: true,
        ..WorkspaceLlm::default()
    };
    let purse = purse(Allowance::default());
    let request = ChatRequest {
        messages: vec![Message::user("Why?")],
        max_output_tokens: 100,
        ..ChatRequest::default()
    };
    let question = Question {
        purpose: Purpose::Answer,
        request,
        purse: &purse,
        deadline: Instant::now() + Duration::from_secs(60),
        record: None,
    };
    let answered = llm.ask(question, &strict, &mut |_| {}).await.unwrap();
    assert_eq!(
        outcomes(&answered),
        [("openai-compatible", false), ("near", true)]
    );
}

#[tokio::test]
async fn a_model_without_tools_of_its_own_calls_them_in_words() {
    let vendor = of(ProviderKind::OpenAiCompatible);
    let server = serve(move |_, seen| {
        let in_words = seen.body.get("tools").is_none()
            && seen.body["messages"][0]["content"].as_str().unwrap().contains("crm__customer.find");
        if !in_words || seen.body["messages"].as_array().unwrap().iter().any(|m| m["role"] == "tool") {
            return vendor.refusal(400, "this model does not support tools", &[]);
        }
        let said = "I look.\n```json\n{\"calls\":[{\"tool\":\"crm__customer.find\",\"arguments\":{\"email\":\"a@b.c\"}}]}\n```";
        vec![vendor.head(), Act::Send(vendor.bytes(&Answer::text(said)))]
    })
    .await;
    let mut config = vendor.config(&server);
    config.native_tools = false;
    let provider = gaby_llm::Provider::open(config, Reach::default(), patient()).unwrap();
    let response = crate::vendors::ask(&provider, &crate::contract::conversation())
        .await
        .unwrap();
    assert_eq!(response.turn.text, "I look.");
    assert_eq!(response.turn.calls[0].name, "crm__customer.find");
}
