//! Language models: asked in one way, whoever serves them.
//!
//! A [`Provider`] speaks one vendor's protocol: it writes our [`chat::ChatRequest`] as the vendor
//! documents it, signs it, and reads the streamed answer under limits of time and size. [`Llm`] asks
//! the providers that the [`settings`] name for a purpose, one after the other, retries, leaves those
//! that fail alone for a while ([`outage`]), and takes what it costs out of a purse before each call
//! ([`spend`]). Models that cannot call tools are asked to in words ([`prompted`]). [`prompts`] are
//! files; a [`workspace`] may have models of its own, within what the operator allows; at its [`desk`] a workspace's questions are paid for and put on record.

pub mod address;
mod auth;
pub mod chat;
pub mod config;
pub mod desk;
pub mod error;
mod frame;
mod http;
pub mod llm;
pub mod outage;
pub mod probe;
pub mod prompted;
pub mod prompts;
pub mod provider;
pub mod settings;
pub mod spend;
pub mod stub;
mod trace;
mod wire;
pub mod workspace;

pub use chat::{ChatRequest, ChatResponse, Message, TokenUsage};
pub use config::{ProviderConfig, ProviderKind};
pub use desk::{Asking, Desk, DeskError};
pub use error::{Fate, LlmError};
pub use http::Limits;
pub use llm::{Answered, Llm, NoAnswer, Question};
pub use probe::{Probe, probe};
pub use prompts::{Prompt, PromptError, Prompts};
pub use provider::Provider;
pub use settings::{LlmSettings, Purpose};
pub use workspace::{WorkspaceKeys, WorkspaceLlm};
