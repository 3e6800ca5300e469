//! The brain that asks a language model.
//!
//! The model is told the ticket and what was found ([`tell`]), is offered the reads at hand
//! ([`offer`]), and what it says becomes what the brain wants ([`hear`]). It names values by where they
//! stand; whatever it writes itself carries its own label, which the gate trusts for nothing. Its draft
//! is checked against the evidence ([`check`]) and sent back once, and written anew where more was in view
//! than the requester may see ([`anew`]). What is personal is hidden from it ([`veil`]). When no model
//! answers, the builtin brain goes on, and the step says so.

mod anew;
mod answer;
mod check;
mod hear;
mod offer;
pub(crate) mod scrub;
mod tell;
mod veil;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gaby_gate::GateError;
use gaby_gate::redact::{Lately, Veil};
use gaby_llm::chat::{ChatRequest, Message, ToolAnswer, ToolChoice};
use gaby_llm::llm::{NoAnswer, TryOutcome};
use gaby_llm::spend::Allowance;
use gaby_llm::{Answered, Asking, Desk, DeskError, Prompt, Prompts, Purpose};
use gaby_model::{InvestigationId, LlmUsed};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::builtin::Builtin;
use super::builtin::inputs;
use super::{Brain, BrainError, Case, Conclusion, Ending, Plan, Transcript, Want};
use crate::playbook::{Playbook, Playbooks};
use hear::Heard;
use tell::Fence;

/// The name under which investigations record this brain.
pub const NAME: &str = "llm";

/// How often a model is told that it was not understood, before it is handed over.
const MOST_NONSENSE: usize = 2;
/// The length of a conversation, in bytes, when nothing is known about the model.
const USUAL_LENGTH: usize = 96_000;
/// Bytes of text that make a token, on the safe side.
const BYTES_OF_TOKEN: usize = 3;
/// How long sorting a ticket may take.
const LONGEST_SORTING: Duration = Duration::from_secs(30);
/// A time that no call takes; the loop and the route end it earlier.
const LONG: Duration = Duration::from_secs(3_600);

/// Where models are asked, and with what words. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Models {
    /// Where they are asked, paid for, and put on record.
    pub desk: Arc<Desk>,
    /// The words.
    pub prompts: Prompts,
}

/// The brain that asks a language model.
#[derive(Debug, Clone)]
pub struct Llm {
    models: Models,
    builtin: Builtin,
    playbooks: Playbooks,
    /// From this confidence on an answer is given without a human.
    threshold: f64,
    lately: Arc<Lately>,
    scrubbed: Arc<scrub::Lately>,
    offers: Arc<offer::Offers>,
}

/// Why no model says what to do.
enum Silent {
    /// A budget is used up.
    Spent(String),
    /// Nobody answered, or none could be asked.
    Down(String),
}

impl From<DeskError> for Silent {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::NoAnswer(NoAnswer::Spent(spent)) => Self::Spent(spent.to_string()),
            other => Self::Down(other.to_string()),
        }
    }
}

impl From<GateError> for Silent {
    fn from(error: GateError) -> Self {
        Self::Down(format!("what is personal could not be hidden: {error}"))
    }
}

impl Llm {
    /// A brain that asks these models, and goes on by itself when none answers.
    #[must_use]
    pub fn new(models: Models, playbooks: Playbooks, threshold: f64) -> Self {
        Self {
            models,
            builtin: Builtin::new(playbooks.clone(), threshold),
            playbooks,
            threshold,
            lately: Arc::default(),
            scrubbed: Arc::default(),
            offers: Arc::default(),
        }
    }

    fn prompt(&self, name: &str) -> Result<&Prompt, Silent> {
        let found = self.models.prompts.get(name);
        found.ok_or_else(|| Silent::Down(format!("there is no prompt `{name}`")))
    }

    async fn ask(
        &self,
        purpose: Purpose,
        prompt: &Prompt,
        case: &Case,
        step: u32,
        (values, mut request): (Value, ChatRequest),
        longest: Duration,
    ) -> Result<Answered, Silent> {
        let hidden = Veil::of(self.models.desk.workspace())
            .await?
            .hide_again(veil::texts(&mut request), &self.lately)
            .await?;
        let budget = case.work.budget;
        let asking = Asking {
            purpose,
            prompt,
            values,
            request,
            investigation: case.work.investigation.as_ref(),
            step,
            allowance: Allowance {
                tokens: Some(budget.tokens),
                micro_usd: Some(budget.micro_usd),
                calls: None,
            },
            deadline: Instant::now() + longest,
            route: None,
        };
        let mut answered = self.models.desk.ask(asking).await?;
        veil::lift(&mut answered.response.turn, &hidden);
        Ok(answered)
    }

    /// Sorts a ticket. One that a playbook is for by its own words is sorted already: what the
    /// operator decides by category and playbook does not hang on what a model makes of a text.
    async fn sort(&self, case: &Case) -> Result<Plan, Silent> {
        let mut plan = self.builtin.plan_for(case);
        if plan.playbook.is_some() {
            plan.summary = "Look into it, as the playbook says".to_owned();
            return Ok(plan);
        }
        let prompt = self.prompt("classify")?;
        let fence = Fence::of(case, &self.scrubbed);
        let playbooks: Vec<Value> = self.playbooks.iter().map(listed).collect();
        let values = json!({"fence": fence.word(), "playbooks": playbooks});
        let request = ChatRequest {
            system: rendered(prompt, &values)?,
            messages: vec![Message::user(tell::ticket(case, &fence))],
            tools: [offer::classify()].into(),
            tool_choice: ToolChoice::Tool(offer::CLASSIFY.to_owned()),
            ..ChatRequest::default()
        };
        let answered = self
            .ask(
                Purpose::Classify,
                prompt,
                case,
                1,
                (values, request),
                LONGEST_SORTING,
            )
            .await?;
        let calls = &answered.response.turn.calls;
        let said = calls.iter().find(|call| call.name == offer::CLASSIFY);
        let Some(said) = said.map(|call| call.arguments.to_object()) else {
            return Err(Silent::Down(
                "the model did not say what the ticket is about".to_owned(),
            ));
        };
        let text = |name: &str| hear::shortened(said[name].as_str().unwrap_or_default());
        let playbook = said["playbook"]
            .as_str()
            .and_then(|name| self.playbooks.get(name));
        if let Some(playbook) = playbook {
            plan.playbook = Some(playbook.name.value.clone());
            plan.category.clone_from(&playbook.category);
            plan.from_ticket = inputs::from_ticket(playbook, case);
        } else if !text("category").is_empty() {
            plan.category = text("category");
        }
        if !text("question").is_empty() {
            plan.question = text("question");
        }
        plan.summary = match text("summary") {
            summary if summary.is_empty() => "Look into it".to_owned(),
            summary => summary,
        };
        plan.reason = match playbook {
            Some(playbook) => format!("A model sorted the ticket: \"{}\".", playbook.title),
            None => "A model sorted the ticket; no playbook is for it.".to_owned(),
        };
        plan.reason.push_str(&after(&answered));
        Ok(plan)
    }

    /// Asks the model what next, until it says something that can be done.
    async fn think(&self, transcript: &Transcript) -> Result<Want, Silent> {
        let prompt = self.prompt("investigate")?;
        let case = &transcript.case;
        let fence = Fence::of(case, &self.scrubbed);
        let recipe = transcript
            .plan
            .playbook
            .as_deref()
            .and_then(|name| self.playbooks.get(name))
            .map(recipe);
        let values = json!({
            "fence": fence.word(),
            "budget": case.work.budget,
            "recipe": recipe,
        });
        let offer = self.offers.of(&case.tools);
        let mut request = ChatRequest {
            system: rendered(prompt, &values)?,
            messages: tell::conversation(transcript, &offer.changes, &fence, self.length()),
            tools: Arc::clone(&offer.looks),
            ..ChatRequest::default()
        };
        let turn = tell::turns_of_model(transcript) + 1;
        // The plan is step 1.
        let step = transcript.turns.last().map_or(1, |turn| turn.step) + 1;
        let mut sent_back = false;
        let mut nonsense = 0;
        loop {
            let answered = self
                .ask(
                    Purpose::Investigate,
                    prompt,
                    case,
                    step,
                    (values.clone(), request.clone()),
                    LONG,
                )
                .await?;
            let note = after(&answered);
            let said = &answered.response.turn;
            match hear::hear(said, &case.tools, turn) {
                Heard::Wants(Want::Conclude(conclusion)) => {
                    let faults = check::faults(&conclusion.sentences, &transcript.evidence);
                    if faults.is_empty() || sent_back {
                        let end = self.end(check::stripped(conclusion, &faults));
                        let end = self.in_fit_words(transcript, end, &values).await?;
                        return Ok(noted(Want::Conclude(end), &note));
                    }
                    sent_back = true;
                    let told = check::sent_back(&faults, &conclusion.sentences);
                    reply_to(&mut request, &answered, &[told]);
                }
                Heard::Wants(want) => return Ok(noted(want, &note)),
                Heard::Nonsense(_) if nonsense == MOST_NONSENSE => {
                    let reason = "The model said nothing that could be done.";
                    return Ok(noted(Want::Conclude(handed_over(reason)), &note));
                }
                Heard::Nonsense(faults) => {
                    nonsense += 1;
                    reply_to(&mut request, &answered, &faults);
                }
            }
        }
    }

    /// An answer that the model itself is not sure enough of goes to a human.
    fn end(&self, mut conclusion: Conclusion) -> Conclusion {
        if conclusion.ending == Ending::Answer && conclusion.confidence < self.threshold {
            let percent = (conclusion.confidence * 100.0).round();
            let reason = format!("The model is only {percent} % sure of its answer.");
            conclusion.ending = Ending::Escalate;
            conclusion.escalation = Some(reason);
            conclusion.action = None;
        }
        conclusion
    }

    /// How long a conversation may be, in bytes: what the model reads at once, less what stands
    /// around it.
    fn length(&self) -> usize {
        let desk = &self.models.desk;
        let route = desk.llm().route(Purpose::Investigate, desk.narrowed());
        let tokens = route
            .ok()
            .and_then(|route| route.providers.first()?.context_tokens)
            .map(|tokens| usize::try_from(tokens).unwrap_or(usize::MAX));
        match tokens {
            Some(tokens) => (tokens / 2 * BYTES_OF_TOKEN).min(USUAL_LENGTH),
            None => USUAL_LENGTH,
        }
    }
}

#[async_trait]
impl Brain for Llm {
    fn name(&self) -> &str {
        NAME
    }

    async fn plan(&self, case: &Case) -> Result<Plan, BrainError> {
        match self.sort(case).await {
            Ok(plan) => Ok(plan),
            Err(Silent::Spent(why) | Silent::Down(why)) => {
                let mut plan = self.builtin.plan_for(case);
                plan.reason = format!("{} {}", alone(&why), plan.reason);
                Ok(plan)
            }
        }
    }

    async fn next(&self, transcript: &Transcript) -> Result<Want, BrainError> {
        match self.think(transcript).await {
            Ok(want) => Ok(want),
            Err(Silent::Spent(why)) => Ok(Want::Conclude(super::out_of_budget(&why))),
            Err(Silent::Down(why)) => {
                let want = self.builtin.want_after(transcript);
                Ok(noted_before(want, &alone(&why)))
            }
        }
    }

    async fn models_used(&self, id: &InvestigationId) -> Result<Option<LlmUsed>, BrainError> {
        let used = self.models.desk.used_by(id).await;
        used.map(Some).map_err(|error| BrainError {
            brain: NAME.to_owned(),
            reason: error.to_string(),
        })
    }

    fn forget(&self, id: &InvestigationId) {
        self.models.desk.forget(id);
    }
}

fn rendered(prompt: &Prompt, values: &impl Serialize) -> Result<String, Silent> {
    let text = prompt.render(values);
    text.map_err(|error| Silent::Down(error.to_string()))
}

/// Answers each call of a turn, so that the conversation can go on; every call must have its answer.
fn reply_to(request: &mut ChatRequest, answered: &Answered, told: &[String]) {
    let turn = answered.response.turn.clone();
    let calls = turn.calls.clone();
    request.messages.push(Message::Assistant(turn));
    if calls.is_empty() {
        let text = "Call one of the tools; to end, call `conclude`.";
        request.messages.push(Message::user(text));
        return;
    }
    let results = calls
        .into_iter()
        .enumerate()
        .map(|(place, call)| ToolAnswer {
            call: call.id,
            name: call.name,
            content: told
                .get(place)
                .or(told.first())
                .cloned()
                .unwrap_or_default(),
            is_error: true,
        })
        .collect();
    request.messages.push(Message::Tools { results });
}

/// Says who answered, when it was not the first who was asked at the first try.
fn after(answered: &Answered) -> String {
    let failed: Vec<String> = answered
        .tries
        .iter()
        .filter(|one| one.outcome != TryOutcome::Answered)
        .map(ToString::to_string)
        .collect();
    match failed.is_empty() {
        true => String::new(),
        false => format!(
            " ({} answered, after: {})",
            answered.provider,
            hear::shortened(&failed.join("; "))
        ),
    }
}

fn alone(why: &str) -> String {
    format!(
        "The built-in brain went on alone: {}.",
        hear::shortened(why)
    )
}

fn noted(want: Want, note: &str) -> Want {
    with_why(want, |why| format!("{why}{note}"))
}

fn noted_before(want: Want, note: &str) -> Want {
    with_why(want, |why| format!("{note} {why}"))
}

fn with_why(mut want: Want, change: impl Fn(&str) -> String) -> Want {
    match &mut want {
        Want::Search(wish) => wish.why = change(&wish.why),
        Want::Call(wish) => wish.why = change(&wish.why),
        Want::Several { looks } => looks.iter_mut().for_each(|look| {
            let why = look.why_mut();
            *why = change(why);
        }),
        Want::Ask { why, .. } => *why = change(why),
        Want::Conclude(conclusion) => conclusion.because = change(&conclusion.because),
    }
    want
}

fn handed_over(reason: &str) -> Conclusion {
    Conclusion {
        escalation: Some(reason.to_owned()),
        next_step: Some("Go on from what was found.".to_owned()),
        ..super::out_of_budget(reason)
    }
}

fn listed(playbook: &Playbook) -> Value {
    json!({
        "name": playbook.name.value,
        "category": playbook.category,
        "title": playbook.title,
    })
}

/// A playbook in words: what the operator would have done.
fn recipe(playbook: &Playbook) -> String {
    let mut text = format!("{}: {}", playbook.title, playbook.description.trim());
    for step in &playbook.steps {
        let what = match (&step.value.role, &step.value.search) {
            (Some(role), _) => format!("use the tool with the role `{role}`"),
            (None, Some(_)) => "search the knowledge base".to_owned(),
            (None, None) => continue,
        };
        let why = step.value.why.as_deref().unwrap_or("");
        text.push_str(&format!(
            "\n- {what}{}{why}",
            if why.is_empty() { "" } else { ": " }
        ));
    }
    for outcome in &playbook.outcomes {
        if let Some(action) = &outcome.value.action {
            text.push_str(&format!(
                "\n- it may end with a change by the role `{}`",
                action.role
            ));
        }
    }
    text
}
