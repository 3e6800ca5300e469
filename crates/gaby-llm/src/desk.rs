//! The desk: where a workspace's questions to models are paid for and put on record.
//!
//! A question is on record before it is asked, with the most that it may cost, and settled after it.
//! So what was used is known also after a crash, and every word that went to a model can be read
//! again.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use gaby_model::{
    Clock, InvestigationId, LlmCall, LlmCallId, LlmOutcome, LlmReply, LlmUsed, Timestamp,
};
use gaby_store::{StoreError, Workspace};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::chat::{ChatRequest, TokenUsage};
use crate::llm::{Answered, Llm, NoAnswer, Question, Try};
use crate::prompts::Prompt;
use crate::settings::{Purpose, Route};
use crate::spend::{Allowance, Purse, Used};
use crate::workspace::WorkspaceLlm;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;
/// How many investigations are remembered before all are forgotten, and read anew from the record.
const REMEMBERED: usize = 1_000;

/// Where a workspace's questions to models are asked.
pub struct Desk {
    llm: Llm,
    workspace: Workspace,
    narrowed: WorkspaceLlm,
    clock: Arc<dyn Clock>,
    /// The purse of the day, and which day.
    today: Mutex<Option<(i64, Purse)>>,
    /// Investigations that are going on.
    open: std::sync::Mutex<HashMap<InvestigationId, Open>>,
}

/// What an investigation that is going on has used.
struct Open {
    day: i64,
    allowance: Allowance,
    purse: Purse,
    /// Calls on record; one may have been tried several times.
    calls: u32,
}

/// What is put on record before it is asked, as [`gaby_model::LlmTalk`] reads it.
#[derive(Serialize)]
struct Asked<'a> {
    request: &'a ChatRequest,
    values: &'a Value,
}

/// A question for a model.
#[derive(Debug)]
pub struct Asking<'a> {
    /// What for.
    pub purpose: Purpose,
    /// What its instructions were made from.
    pub prompt: &'a Prompt,
    /// What the prompt was filled in with.
    pub values: Value,
    /// The conversation.
    pub request: ChatRequest,
    /// The investigation that it is asked for.
    pub investigation: Option<&'a InvestigationId>,
    /// The number of the step that will come of it.
    pub step: u32,
    /// What the investigation may use in all.
    pub allowance: Allowance,
    /// When an answer is of no more use.
    pub deadline: Instant,
    /// Who is asked, if not whoever the settings name for the purpose.
    pub route: Option<Route>,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// Nobody answered.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// It could not be put on record, so it was not asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Desk({}, {:?})", self.workspace.slug(), self.llm)
    }
}

impl Desk {
    /// The desk of a workspace.
    #[must_use]
    pub fn new(
        llm: Llm,
        workspace: Workspace,
        narrowed: WorkspaceLlm,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            llm,
            workspace,
            narrowed,
            clock,
            today: Mutex::default(),
            open: std::sync::Mutex::default(),
        }
    }

    /// The models behind it.
    #[must_use]
    pub fn llm(&self) -> &Llm {
        &self.llm
    }

    /// Whose desk it is.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// What the workspace set for itself.
    #[must_use]
    pub fn narrowed(&self) -> &WorkspaceLlm {
        &self.narrowed
    }

    /// Asks, and puts question and answer on record.
    ///
    /// # Errors
    /// When a purse is empty, nobody may be asked or nobody answers, or it cannot be recorded.
    pub async fn ask(&self, asking: Asking<'_>) -> Result<Answered, DeskError> {
        let now = self.clock.now();
        let purse = self
            .purse(asking.investigation, asking.allowance, now)
            .await?;
        let before = purse.used();
        let route = match &asking.route {
            Some(route) => Ok(route.clone()),
            None => self.llm.route(asking.purpose, &self.narrowed),
        };
        let mut call = self.held(&asking, route.as_ref().ok(), now);
        let call_id = call.id.clone();
        let asked = Asked {
            request: &asking.request,
            values: &asking.values,
        };
        self.add(&call, &asked).await?;
        let began = Instant::now();
        let question = Question {
            purpose: asking.purpose,
            request: asking.request,
            purse: &purse,
            deadline: asking.deadline,
            record: Some(&call_id),
        };
        let mut silently = |_: &str| {};
        let answered = match route {
            Ok(route) => {
                let asking = self
                    .llm
                    .ask_by(&route, question, &self.narrowed, &mut silently);
                asking.await
            }
            Err(error) => Err(NoAnswer::Settings(error)),
        };
        call.millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let reply = settle(&mut call, &answered, before, purse.used());
        self.settle(&call, &reply).await?;
        Ok(answered?)
    }

    /// The call before it is made: with who is asked first, and the most that it may cost there.
    fn held(&self, asking: &Asking<'_>, route: Option<&Route>, now: Timestamp) -> LlmCall {
        let mut call = LlmCall {
            id: LlmCallId::generate(),
            investigation: asking.investigation.cloned(),
            step: asking.step,
            purpose: asking.purpose.to_string(),
            prompt: asking.prompt.name.clone(),
            prompt_version: asking.prompt.version.clone(),
            provider: String::new(),
            model: String::new(),
            outcome: LlmOutcome::Asked,
            tries: 0,
            input_tokens: asking.request.estimated_input(),
            cached_tokens: 0,
            output_tokens: 0,
            reasoning_tokens: 0,
            micro_usd: 0,
            millis: 0,
            created_at: now,
        };
        if let Some(route) = route
            && let Some(first) = route.providers.first()
        {
            call.provider.clone_from(&first.name);
            call.model.clone_from(&first.model);
            call.output_tokens = u64::from(match asking.request.max_output_tokens {
                0 => route.max_output_tokens,
                asked => asked.min(route.max_output_tokens),
            });
            let price = self.llm.price(first);
            call.micro_usd = price.most(call.input_tokens, call.output_tokens);
        }
        call
    }

    /// What an investigation has used so far.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn used_by(&self, investigation: &InvestigationId) -> Result<LlmUsed, StoreError> {
        if let Some(open) = self.opened().get(investigation) {
            let used = open.purse.used();
            return Ok(LlmUsed {
                calls: open.calls,
                input_tokens: used.input,
                output_tokens: used.output,
                micro_usd: used.micro_usd,
            });
        }
        self.workspace.llm_calls().used_by(investigation).await
    }

    /// Has what an investigation used read anew from the record: for when it is taken up, since another
    /// process may have gone on with it meanwhile, and for when it ends.
    pub fn forget(&self, investigation: &InvestigationId) {
        self.opened().remove(investigation);
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, HashMap<InvestigationId, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The purse of an investigation, within those of its ticket and of the workspace's day.
    async fn purse(
        &self,
        investigation: Option<&InvestigationId>,
        allowance: Allowance,
        now: Timestamp,
    ) -> Result<Purse, StoreError> {
        let day = now.as_millis().div_euclid(DAY_MILLIS);
        if let Some(id) = investigation
            && let Some(open) = self.opened().get(id)
            && open.day == day
            && open.allowance == allowance
        {
            return Ok(open.purse.clone());
        }
        let mut today = self.today.lock().await;
        let shared = match &*today {
            Some((of, purse)) if *of == day => purse.clone(),
            _ => {
                let since = Timestamp::from_millis(day * DAY_MILLIS);
                let used = self.workspace.llm_calls().used_since(since).await?;
                let allowance = self.llm.settings().per_day;
                let purse = Purse::new("the workspace today", allowance, total(used), Vec::new());
                *today = Some((day, purse.clone()));
                purse
            }
        };
        drop(today);
        let mut within = vec![shared];
        let mut used = LlmUsed::default();
        if let Some(id) = investigation {
            let calls = self.workspace.llm_calls();
            used = calls.used_by(id).await?;
            let of_ticket = self.llm.settings().per_ticket;
            if of_ticket != Allowance::default() {
                let used = total(calls.used_by_ticket_of(id).await?);
                within.push(Purse::new("this ticket", of_ticket, used, Vec::new()));
            }
        }
        let calls = used.calls;
        let purse = Purse::new("this investigation", allowance, total(used), within);
        if let Some(id) = investigation {
            let open = Open {
                day,
                allowance,
                purse: purse.clone(),
                calls,
            };
            let mut opened = self.opened();
            if opened.len() >= REMEMBERED {
                opened.clear();
            }
            opened.insert(id.clone(), open);
        }
        Ok(purse)
    }

    // The disk is not waited for: of a call that a loss of power forgets, the step that came of it
    // still tells.
    async fn add(&self, call: &LlmCall, asked: &Asked<'_>) -> Result<(), StoreError> {
        let mut tx = self.workspace.begin_unhurried().await?;
        tx.llm_calls().add(call, asked).await?;
        tx.commit().await
    }

    async fn settle(&self, call: &LlmCall, reply: &LlmReply) -> Result<(), StoreError> {
        let mut tx = self.workspace.begin_unhurried().await?;
        tx.llm_calls().settle(call, reply).await?;
        tx.commit().await?;
        if let Some(id) = &call.investigation
            && call.outcome != LlmOutcome::Stopped
            && let Some(open) = self.opened().get_mut(id)
        {
            open.calls = open.calls.saturating_add(1);
        }
        Ok(())
    }
}

fn total(used: LlmUsed) -> Used {
    Used {
        input: used.input_tokens,
        output: used.output_tokens,
        micro_usd: used.micro_usd,
        calls: used.calls,
    }
}

/// Writes what became of a call into its record, and gives what was said. Tries that failed were paid
/// for as well, so what was used is what the purse has less.
fn settle(
    call: &mut LlmCall,
    answered: &Result<Answered, NoAnswer>,
    before: Used,
    after: Used,
) -> LlmReply {
    let tries: &[Try] = match answered {
        Ok(answered) => &answered.tries,
        Err(NoAnswer::Exhausted { tries }) => tries,
        Err(NoAnswer::Spent(_) | NoAnswer::Settings(_)) => &[],
    };
    call.tries = u32::try_from(tries.len()).unwrap_or(u32::MAX);
    call.input_tokens = after.input.saturating_sub(before.input);
    call.output_tokens = after.output.saturating_sub(before.output);
    call.micro_usd = after.micro_usd.saturating_sub(before.micro_usd);
    let mut reply = LlmReply {
        tries: serde_json::to_value(tries).unwrap_or(Value::Null),
        ..LlmReply::default()
    };
    match answered {
        Ok(answered) => {
            let TokenUsage {
                cached, reasoning, ..
            } = answered.response.usage;
            call.outcome = LlmOutcome::Answered;
            call.provider.clone_from(&answered.provider);
            call.model.clone_from(&answered.response.model);
            call.cached_tokens = cached;
            call.reasoning_tokens = reasoning;
            reply.answer = serde_json::to_value(&answered.response).unwrap_or(Value::Null);
        }
        Err(error) => {
            let nobody = matches!(error, NoAnswer::Spent(_)) && call.input_tokens == 0;
            call.outcome = match nobody {
                true => LlmOutcome::Stopped,
                false => LlmOutcome::Failed,
            };
            reply.error = Some(error.to_string());
        }
    }
    reply
}
