//! Questions on record: what was asked, who answered, what it cost, and that no limit is passed, also
//! not over a restart.

use std::sync::Arc;
use std::time::Duration;

use gaby_llm::address::Reach;
use gaby_llm::chat::{ChatRequest, Message};
use gaby_llm::spend::{Allowance, Price};
use gaby_llm::{
    Asking, Desk, DeskError, Llm, LlmSettings, NoAnswer, Prompts, ProviderKind, Purpose,
    WorkspaceLlm,
};
use gaby_model::{
    Depth, Investigation, InvestigationId, InvestigationState, LlmOutcome, Priority, SystemClock,
    Ticket, TicketId, TicketState, Timestamp, Usage,
};
use gaby_store::{Store, StoreConfig, Workspace};
use tokio::time::Instant;

use crate::server::{Act, Server, serve};
use crate::vendors::{Answer, of, patient};

struct Office {
    workspace: Workspace,
    looked: InvestigationId,
    _folder: tempfile::TempDir,
}

async fn office() -> Office {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(StoreConfig::in_folder(folder.path().join("data")))
        .await
        .unwrap();
    let workspace = store.create_workspace("acme", "Acme").await.unwrap();
    let now = Timestamp::from_millis(1_000);
    let ticket = Ticket {
        id: TicketId::generate(),
        workspace: workspace.id().clone(),
        source: "test".into(),
        external_id: None,
        subject: "Why?".into(),
        requester: None,
        state: TicketState::New,
        priority: Priority::Normal,
        sla_deadline: None,
        created_at: now,
        updated_at: now,
    };
    let investigation = Investigation {
        id: InvestigationId::generate(),
        ticket: ticket.id.clone(),
        state: InvestigationState::Planning,
        brain: "llm".into(),
        playbook: None,
        category: None,
        verdict: None,
        confidence: None,
        reply: None,
        citations: Vec::new(),
        escalation: None,
        depth: Depth::Standard,
        usage: Usage::default(),
        started_at: now,
        ended_at: None,
    };
    let mut tx = workspace.begin().await.unwrap();
    tx.tickets().insert(&ticket).await.unwrap();
    tx.investigations().put(&investigation).await.unwrap();
    tx.commit().await.unwrap();
    Office {
        workspace,
        looked: investigation.id,
        _folder: folder,
    }
}

impl Office {
    fn desk(&self, servers: &[&Server], per_day: Allowance) -> Desk {
        let settings = LlmSettings {
            per_day,
            ..LlmSettings::default()
        };
        self.desk_with(servers, settings)
    }

    fn desk_with(&self, servers: &[&Server], mut settings: LlmSettings) -> Desk {
        let vendor = of(ProviderKind::OpenAiCompatible);
        for (place, server) in servers.iter().enumerate() {
            let mut config = vendor.config(server);
            config.name = ["first", "second"][place].into();
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
        let llm = Llm::open(settings, Reach::default(), patient()).unwrap();
        Desk::new(
            llm,
            self.workspace.clone(),
            WorkspaceLlm::default(),
            Arc::new(SystemClock),
        )
    }

    /// Another investigation, of the same ticket or of another.
    async fn another(&self, of_same_ticket: bool) -> InvestigationId {
        let known = self.workspace.investigations();
        let mut another = known.get(&self.looked).await.unwrap();
        let mut tx = self.workspace.begin().await.unwrap();
        if !of_same_ticket {
            let mut ticket = self.workspace.tickets().get(&another.ticket).await.unwrap();
            ticket.id = TicketId::generate();
            another.ticket = ticket.id.clone();
            tx.tickets().insert(&ticket).await.unwrap();
        }
        another.id = InvestigationId::generate();
        tx.investigations().put(&another).await.unwrap();
        tx.commit().await.unwrap();
        another.id
    }

    async fn ask(&self, desk: &Desk, allowance: Allowance) -> Result<String, DeskError> {
        self.ask_for(desk, &self.looked, allowance).await
    }

    async fn ask_for(
        &self,
        desk: &Desk,
        investigation: &InvestigationId,
        allowance: Allowance,
    ) -> Result<String, DeskError> {
        let prompts = Prompts::load(None).unwrap();
        let asking = Asking {
            purpose: Purpose::Investigate,
            prompt: prompts.get("investigate").unwrap(),
            values: serde_json::json!({"fence": "#"}),
            route: None,
            request: ChatRequest {
                system: "Be brief.".into(),
                messages: vec![Message::user("Why?")],
                max_output_tokens: 100,
                ..ChatRequest::default()
            },
            investigation: Some(investigation),
            step: 2,
            allowance,
            deadline: Instant::now() + Duration::from_secs(30),
        };
        Ok(desk.ask(asking).await?.response.turn.text)
    }
}

async fn answering() -> Server {
    let vendor = of(ProviderKind::OpenAiCompatible);
    serve(move |_, _| {
        vec![
            vendor.head(),
            Act::Send(vendor.bytes(&Answer::text("here"))),
        ]
    })
    .await
}

#[tokio::test]
async fn a_call_is_on_record_with_what_was_said_who_answered_and_what_it_cost() {
    let office = office().await;
    let down = serve(|_, _| vec![crate::server::head(400, &[]), Act::Send(b"{}".to_vec())]).await;
    let up = answering().await;
    let desk = office.desk(&[&down, &up], Allowance::default());
    let text = office.ask(&desk, Allowance::default()).await.unwrap();
    assert_eq!(text, "here");
    let calls = office
        .workspace
        .llm_calls()
        .of(&office.looked)
        .await
        .unwrap();
    let [call] = calls.as_slice() else {
        panic!("{calls:?}")
    };
    assert_eq!(
        (call.outcome, call.tries, call.step),
        (LlmOutcome::Answered, 2, 2)
    );
    assert_eq!(
        (call.provider.as_str(), call.purpose.as_str()),
        ("second", "investigate")
    );
    let prompts = Prompts::load(None).unwrap();
    assert_eq!(
        call.prompt_version,
        prompts.get("investigate").unwrap().version
    );
    assert!(call.input_tokens > 0 && call.output_tokens > 0);
    assert_eq!(call.micro_usd, call.input_tokens + 2 * call.output_tokens);
    let (_, said) = office.workspace.llm_calls().get(&call.id).await.unwrap();
    assert_eq!(said.request["messages"][0]["text"], "Why?");
    assert_eq!(said.answer["turn"]["text"], "here");
    assert_eq!(said.values["fence"], "#");
    assert_eq!(said.tries[0]["provider"], "first");
    assert_eq!(said.error, None);
}

#[tokio::test]
async fn a_model_that_is_asked_for_ever_is_stopped_exactly_also_over_a_restart() {
    let up = answering().await;
    let office = office().await;
    // Every call of the stub is billed alike.
    let probe = office.desk(&[&up], Allowance::default());
    office.ask(&probe, Allowance::default()).await.unwrap();
    let one = office
        .workspace
        .llm_calls()
        .used_by(&office.looked)
        .await
        .unwrap();
    let tokens = one.input_tokens + one.output_tokens;
    let limit = tokens * 4 + 130;
    let allowance = Allowance {
        tokens: Some(limit),
        ..Allowance::default()
    };
    let mut refused = None;
    for _ in 0..50 {
        // A new desk each time: what was used is told by the record alone.
        let desk = office.desk(&[&up], Allowance::default());
        if let Err(error) = office.ask(&desk, allowance).await {
            refused = Some(error);
            break;
        }
    }
    let Some(DeskError::NoAnswer(NoAnswer::Spent(spent))) = refused else {
        panic!("it was never stopped")
    };
    assert!(spent.to_string().contains("this investigation"), "{spent}");
    let used = office
        .workspace
        .llm_calls()
        .used_by(&office.looked)
        .await
        .unwrap();
    let all = used.input_tokens + used.output_tokens;
    assert!(
        all <= limit && all + tokens + 130 > limit,
        "{all} of {limit}"
    );
    let last = office
        .workspace
        .llm_calls()
        .of(&office.looked)
        .await
        .unwrap();
    let last = last.last().unwrap();
    assert_eq!(
        (last.outcome, last.tries, last.micro_usd),
        (LlmOutcome::Stopped, 0, 0)
    );
    let asked = up.seen().len();
    let desk = office.desk(&[&up], Allowance::default());
    assert!(office.ask(&desk, allowance).await.is_err());
    assert_eq!(up.seen().len(), asked, "who is stopped is not asked");
}

#[tokio::test]
async fn a_workspace_has_its_own_limit_for_the_day() {
    let up = answering().await;
    let office = office().await;
    let per_day = Allowance {
        calls: Some(3),
        ..Allowance::default()
    };
    let desk = office.desk(&[&up], per_day);
    for _ in 0..3 {
        office.ask(&desk, Allowance::default()).await.unwrap();
    }
    for desk in [desk, office.desk(&[&up], per_day)] {
        let refused = office.ask(&desk, Allowance::default()).await.unwrap_err();
        assert!(
            refused.to_string().contains("the workspace today"),
            "{refused}"
        );
    }
    assert_eq!(up.seen().len(), 3);
}

#[tokio::test]
async fn a_call_that_nobody_waited_for_counts_with_the_most_that_it_may_have_cost() {
    let vendor = of(ProviderKind::OpenAiCompatible);
    let silent = serve(move |_, _| vec![vendor.head(), Act::Hang]).await;
    let office = office().await;
    let desk = office.desk(&[&silent], Allowance::default());
    let asking = office.ask(&desk, Allowance::default());
    let waited = tokio::time::timeout(Duration::from_millis(300), asking).await;
    assert!(waited.is_err());
    let calls = office
        .workspace
        .llm_calls()
        .of(&office.looked)
        .await
        .unwrap();
    assert_eq!(calls[0].outcome, LlmOutcome::Asked);
    let used = office
        .workspace
        .llm_calls()
        .used_by(&office.looked)
        .await
        .unwrap();
    assert_eq!(used.output_tokens, 100);
    assert_eq!(used.micro_usd, used.input_tokens + 200);
}

#[tokio::test]
async fn all_investigations_of_a_ticket_have_one_limit_together_also_over_a_restart() {
    let up = answering().await;
    let office = office().await;
    let per_ticket = Allowance {
        calls: Some(5),
        ..Allowance::default()
    };
    let desk = || {
        let settings = LlmSettings {
            per_ticket,
            ..LlmSettings::default()
        };
        office.desk_with(&[&up], settings)
    };
    let (first, second) = (office.looked.clone(), office.another(true).await);
    for (investigation, calls) in [(&first, 3), (&second, 2)] {
        for _ in 0..calls {
            // A new desk each time: what was used is told by the record alone.
            let (desk, open) = (desk(), Allowance::default());
            office.ask_for(&desk, investigation, open).await.unwrap();
        }
    }
    for investigation in [&first, &second] {
        let (desk, open) = (desk(), Allowance::default());
        let refused = office.ask_for(&desk, investigation, open).await;
        let refused = refused.unwrap_err().to_string();
        assert_eq!(
            refused,
            "the budget of 5 calls of a model (this ticket) is used up"
        );
    }
    assert_eq!(up.seen().len(), 5);
    let elsewhere = office.another(false).await;
    let (desk, open) = (desk(), Allowance::default());
    office.ask_for(&desk, &elsewhere, open).await.unwrap();
}
