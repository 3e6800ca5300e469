//! The models of an installation: who is asked, who is asked next, and what it cost.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gaby_model::LlmCallId;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::address::Reach;
use crate::chat::{ChatRequest, ChatResponse, TokenUsage};
use crate::config::ProviderConfig;
use crate::error::{Fate, LlmError, Waiting};
use crate::http::Limits;
use crate::outage::{Breaker, Health, retry};
use crate::provider::{OnText, Provider};
use crate::settings::{LlmSettings, Purpose, Route};
use crate::spend::{Price, PriceError, Prices, Purse, Spent};
use crate::trace::CallSpan;
use crate::workspace::WorkspaceLlm;

/// The models of an installation. Cheap to clone.
#[derive(Clone)]
pub struct Llm {
    inner: Arc<Inner>,
}

struct Inner {
    settings: LlmSettings,
    prices: Prices,
    limits: Limits,
    reach: Reach,
    /// By everything that tells providers apart. Breakers go by provider, whatever the model.
    providers: Mutex<HashMap<(String, String, bool), Provider>>,
    breakers: Mutex<HashMap<String, Breaker>>,
    began: Instant,
}

impl std::fmt::Debug for Llm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Llm({:?})", self.inner.settings)
    }
}

/// Why the models of an installation cannot be used as they are set.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A provider.
    #[error(transparent)]
    Provider(#[from] LlmError),
    /// The prices.
    #[error(transparent)]
    Prices(#[from] PriceError),
}

/// What became of one try.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Try {
    /// The provider's name.
    pub provider: String,
    /// The model that was asked for.
    pub model: String,
    /// What became of it.
    pub outcome: TryOutcome,
    /// How long it took.
    pub millis: u64,
}

/// What became of one try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TryOutcome {
    /// It answered.
    Answered,
    /// It was not asked: it failed too often before.
    Resting,
    /// It failed.
    Failed {
        /// A word for the kind.
        kind: String,
        /// For people.
        message: String,
    },
}

impl std::fmt::Display for Try {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            provider, model, ..
        } = self;
        match &self.outcome {
            TryOutcome::Answered => write!(f, "{provider} ({model}) answered"),
            TryOutcome::Resting => write!(f, "{provider} was not asked, since it failed too often"),
            TryOutcome::Failed { message, .. } => f.write_str(message),
        }
    }
}

/// An answer, and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The answer.
    pub response: ChatResponse,
    /// Who answered.
    pub provider: String,
    /// What it cost in millionths of a US dollar.
    pub micro_usd: u64,
    /// Every try, the last one included.
    pub tries: Vec<Try>,
    /// How long it all took.
    pub millis: u64,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NoAnswer {
    /// A budget is used up; nobody was asked.
    #[error(transparent)]
    Spent(#[from] Spent),
    /// Nobody may be asked, as it is set.
    #[error(transparent)]
    Settings(LlmError),
    /// Everybody who was asked failed.
    #[error("no LLM provider answered: {}", .tries.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Exhausted {
        /// Every try.
        tries: Vec<Try>,
    },
}

/// One question.
#[derive(Debug)]
pub struct Question<'a> {
    /// What for.
    pub purpose: Purpose,
    /// The conversation. Its limit, temperature and deadline are the least of these and the route's.
    pub request: ChatRequest,
    /// What pays for it.
    pub purse: &'a Purse,
    /// When an answer is of no more use.
    pub deadline: Instant,
    /// Under which id it is on record, if it is.
    pub record: Option<&'a LlmCallId>,
}

/// What holds for every try of one question.
#[derive(Clone, Copy)]
struct Terms<'a> {
    purpose: Purpose,
    purse: &'a Purse,
    deadline: Instant,
    record: Option<&'a LlmCallId>,
}

impl Llm {
    /// Makes the models of their settings. Nobody is asked yet.
    ///
    /// # Errors
    /// When a provider or a price cannot be used.
    pub fn open(
        settings: LlmSettings,
        reach: Reach,
        limits: Limits,
    ) -> Result<Self, SettingsError> {
        let prices = Prices::with(settings.prices.clone())?;
        let reach = Reach {
            local_only: settings.local_only || reach.local_only,
            ..reach
        };
        for config in settings.providers()? {
            Provider::open(config, reach.clone(), limits)?;
        }
        Ok(Self {
            inner: Arc::new(Inner {
                settings,
                prices,
                limits,
                reach,
                providers: Mutex::default(),
                breakers: Mutex::default(),
                began: Instant::now(),
            }),
        })
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &LlmSettings {
        &self.inner.settings
    }

    /// Checks that no provider is where none may be, as names lead now. A name that is not found is
    /// no error here: it is checked again at each call.
    ///
    /// # Errors
    /// When a provider is at an address that the rules forbid.
    pub async fn check_addresses(&self) -> Result<(), LlmError> {
        for config in self.inner.settings.providers()? {
            let provider = Provider::open(config, self.inner.reach.clone(), self.inner.limits)?;
            match provider.check_address().await {
                Err(error @ LlmError::Forbidden { .. }) => return Err(error),
                Err(error) => tracing::warn!(%error, "an LLM provider's address is not found"),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Who is asked for a purpose in a workspace.
    ///
    /// # Errors
    /// When nobody may be asked.
    pub fn route(&self, purpose: Purpose, workspace: &WorkspaceLlm) -> Result<Route, LlmError> {
        self.inner.settings.route(purpose, workspace)
    }

    /// The price of a provider's model.
    #[must_use]
    pub fn price(&self, config: &ProviderConfig) -> Price {
        self.inner.prices.of(config)
    }

    fn provider(&self, config: &ProviderConfig, local_only: bool) -> Result<Provider, LlmError> {
        let key = (config.name.clone(), config.model.clone(), local_only);
        let mut known = self
            .inner
            .providers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(provider) = known.get(&key) {
            return Ok(provider.clone());
        }
        let reach = Reach {
            local_only: local_only || self.inner.reach.local_only,
            ..self.inner.reach.clone()
        };
        let provider = Provider::open(config.clone(), reach, self.inner.limits)?;
        known.insert(key, provider.clone());
        Ok(provider)
    }

    fn breaker<T>(&self, name: &str, with: impl FnOnce(&mut Breaker, Duration) -> T) -> T {
        let mut all = self
            .inner
            .breakers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = self.inner.began.elapsed();
        with(all.entry(name.to_owned()).or_default(), now)
    }

    /// Asks whoever is next until somebody answers.
    ///
    /// # Errors
    /// When the purse is empty, nobody may be asked, or nobody answers.
    pub async fn ask(
        &self,
        question: Question<'_>,
        workspace: &WorkspaceLlm,
        on_text: OnText<'_>,
    ) -> Result<Answered, NoAnswer> {
        let route = self
            .route(question.purpose, workspace)
            .map_err(NoAnswer::Settings)?;
        self.ask_by(&route, question, workspace, on_text).await
    }

    /// Asks by a route that is given, as when a call is made again with another model.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn ask_by(
        &self,
        route: &Route,
        question: Question<'_>,
        workspace: &WorkspaceLlm,
        on_text: OnText<'_>,
    ) -> Result<Answered, NoAnswer> {
        let began = Instant::now();
        let local_only = self.inner.settings.local_only(workspace);
        let mut request = question.request;
        request.max_output_tokens = match request.max_output_tokens {
            0 => route.max_output_tokens,
            asked => asked.min(route.max_output_tokens),
        };
        request.temperature = request.temperature.or(route.temperature);
        let deadline = question
            .deadline
            .min(began + Duration::from_secs(u64::from(route.seconds)));
        let terms = Terms {
            purpose: question.purpose,
            purse: question.purse,
            deadline,
            record: question.record,
        };
        let mut tries = Vec::new();
        for config in &route.providers {
            let provider = match self.provider(config, local_only) {
                Ok(provider) => provider,
                Err(error) => {
                    tries.push(failed(config, &error, Duration::ZERO));
                    continue;
                }
            };
            let mut tried = 0;
            loop {
                if self.breaker(&config.name, Breaker::admit).is_err() {
                    tries.push(Try {
                        provider: config.name.clone(),
                        model: config.model.clone(),
                        outcome: TryOutcome::Resting,
                        millis: 0,
                    });
                    break;
                }
                let mut watch = Watch {
                    llm: self,
                    name: &config.name,
                    health: Health::Unknown,
                };
                let started = Instant::now();
                tried += 1;
                match self.attempt(&provider, &request, terms, on_text).await {
                    Ok((response, micro_usd)) => {
                        watch.health = Health::Well;
                        tries.push(Try {
                            provider: config.name.clone(),
                            model: config.model.clone(),
                            outcome: TryOutcome::Answered,
                            millis: millis(started.elapsed()),
                        });
                        return Ok(Answered {
                            response,
                            provider: config.name.clone(),
                            micro_usd,
                            tries,
                            millis: millis(began.elapsed()),
                        });
                    }
                    Err(Attempt::Spent(spent)) => return Err(spent.into()),
                    Err(Attempt::Failed(error)) => {
                        tracing::warn!(provider = %config.name, kind = error.kind(), %error, "a model gave no answer");
                        watch.health = if error.is_outage() {
                            Health::Ill
                        } else {
                            Health::Well
                        };
                        let fate = error.fate();
                        if fate == Fate::GiveUp {
                            watch.health = Health::Unknown;
                        }
                        drop(watch);
                        tries.push(failed(config, &error, started.elapsed()));
                        if fate == Fate::GiveUp {
                            return Err(NoAnswer::Exhausted { tries });
                        }
                        let pause = retry::pause(fate, tried, rand::random());
                        match pause.filter(|pause| Instant::now() + *pause < deadline) {
                            Some(pause) => tokio::time::sleep(pause).await,
                            None => break,
                        }
                    }
                }
            }
        }
        Err(NoAnswer::Exhausted { tries })
    }

    async fn attempt(
        &self,
        provider: &Provider,
        request: &ChatRequest,
        terms: Terms<'_>,
        on_text: OnText<'_>,
    ) -> Result<(ChatResponse, u64), Attempt> {
        let price = self.price(provider.config());
        let input = request.estimated_input();
        let held = terms
            .purse
            .reserve(input, request.max_output_tokens, &price)
            .map_err(Attempt::Spent)?;
        let request = ChatRequest {
            max_output_tokens: held.output(),
            ..request.clone()
        };
        let call = CallSpan::begin(provider.config(), &request, terms.purpose, terms.record);
        let asking = provider.chat(&request, terms.deadline, on_text);
        match asking.instrument(call.span()).await {
            Ok(response) => {
                let cost = held.settle(&response.usage);
                call.answered(&response, cost);
                Ok((response, cost))
            }
            Err(error) => {
                call.failed(&error);
                held.settle(&billed(&error, input, request.max_output_tokens));
                Err(Attempt::Failed(error))
            }
        }
    }
}

enum Attempt {
    Spent(Spent),
    Failed(LlmError),
}

/// What a vendor bills for a call that failed: nothing if it refused; what was sent, and perhaps all
/// that it could write, if the answer had begun.
fn billed(error: &LlmError, input: u64, output: u32) -> TokenUsage {
    let (input, output) = match error {
        LlmError::TooLong { .. }
        | LlmError::Cut { .. }
        | LlmError::TimedOut {
            waiting: Waiting::NextPart | Waiting::WholeAnswer,
            ..
        } => (input, u64::from(output)),
        LlmError::Malformed { .. }
        | LlmError::TimedOut {
            waiting: Waiting::FirstByte,
            ..
        } => (input, 0),
        _ => (0, 0),
    };
    TokenUsage {
        input,
        output,
        estimated: true,
        ..TokenUsage::default()
    }
}

fn failed(config: &ProviderConfig, error: &LlmError, took: Duration) -> Try {
    Try {
        provider: config.name.clone(),
        model: config.model.clone(),
        outcome: TryOutcome::Failed {
            kind: error.kind().to_owned(),
            message: error.to_string(),
        },
        millis: millis(took),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Tells the breaker what became of a call, also when nobody waits for it any more.
struct Watch<'a> {
    llm: &'a Llm,
    name: &'a str,
    health: Health,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let health = self.health;
        self.llm
            .breaker(self.name, |breaker, now| breaker.record(now, health));
    }
}
