//! What can go wrong with a model, and what to do about it.

use std::time::Duration;

use crate::chat::ChatError;

/// Why a model gave no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LlmError {
    /// The settings cannot be used.
    #[error("the LLM provider `{provider}` cannot be used: {problem}")]
    Config {
        /// Which.
        provider: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A rule of the operator's forbids it.
    #[error("the LLM provider `{provider}` may not be used: {rule}")]
    Forbidden {
        /// Which.
        provider: String,
        /// The rule.
        rule: String,
    },
    /// The conversation is malformed; a fault of ours.
    #[error("the conversation cannot be sent: {0}")]
    Conversation(#[from] ChatError),
    /// It cannot be reached.
    #[error("`{provider}` cannot be reached: {reason}")]
    Unreachable {
        /// Which.
        provider: String,
        /// Why.
        reason: String,
    },
    /// It took too long.
    #[error("`{provider}` took too long: {waiting} within {} ms", .limit.as_millis())]
    TimedOut {
        /// Which.
        provider: String,
        /// What was waited for.
        waiting: Waiting,
        /// How long.
        limit: Duration,
    },
    /// It answered with an error.
    #[error("`{provider}` answered {status}: {message}")]
    Status {
        /// Which.
        provider: String,
        /// The HTTP status, or the one that an error within a stream stands for.
        status: u16,
        /// What it said, shortened.
        message: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// The answer broke off.
    #[error("the answer of `{provider}` broke off: {reason}")]
    Cut {
        /// Which.
        provider: String,
        /// How.
        reason: String,
    },
    /// The answer is not what the vendor documents.
    #[error("the answer of `{provider}` cannot be read: {reason}")]
    Malformed {
        /// Which.
        provider: String,
        /// What is wrong.
        reason: String,
    },
    /// The answer is longer than was asked for, or than is read.
    #[error("the answer of `{provider}` is too long: {reason}")]
    TooLong {
        /// Which.
        provider: String,
        /// What was exceeded.
        reason: String,
    },
}

/// What was waited for when time ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// A connection.
    Connection,
    /// The first byte of an answer.
    FirstByte,
    /// The next part of an answer.
    NextPart,
    /// The whole answer.
    WholeAnswer,
}

impl std::fmt::Display for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connection => "no connection",
            Self::FirstByte => "no answer began",
            Self::NextPart => "the answer did not go on",
            Self::WholeAnswer => "the answer did not end",
        })
    }
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Ask again; after this time at least, if the vendor said one.
    Again(Option<Duration>),
    /// Ask somebody else: this one cannot help now.
    Next,
    /// Nobody can: the time is over, or the request itself is wrong.
    GiveUp,
}

impl LlmError {
    /// What to do after this failure.
    #[must_use]
    pub fn fate(&self) -> Fate {
        match self {
            Self::Conversation(_)
            | Self::TimedOut {
                waiting: Waiting::WholeAnswer,
                ..
            } => Fate::GiveUp,
            Self::Config { .. } | Self::Forbidden { .. } | Self::TooLong { .. } => Fate::Next,
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Cut { .. }
            | Self::Malformed { .. } => Fate::Again(None),
            Self::Status {
                status,
                retry_after,
                ..
            } => match status {
                // 529 is Anthropic's "overloaded".
                408 | 409 | 425 | 429 | 500..=599 => Fate::Again(*retry_after),
                _ => Fate::Next,
            },
        }
    }

    /// Whether this speaks against the provider's health, as opposed to our request or settings.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self.fate(), Fate::Again(_))
    }

    /// A word for logs, metrics and the timeline.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Config { .. } => "config",
            Self::Forbidden { .. } => "forbidden",
            Self::Conversation(_) => "conversation",
            Self::Unreachable { .. } => "unreachable",
            Self::TimedOut { .. } => "timed_out",
            Self::Status { status: 429, .. } => "rate_limited",
            Self::Status {
                status: 401 | 403, ..
            } => "refused_key",
            Self::Status { .. } => "status",
            Self::Cut { .. } => "cut",
            Self::Malformed { .. } => "malformed",
            Self::TooLong { .. } => "too_long",
        }
    }
}
