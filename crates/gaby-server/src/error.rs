//! What the API answers when it cannot do what was asked.
//!
//! Every error is `{"error": {"code": "…", "message": "…"}}` with the fitting status. The code is
//! for programs and stays; the message is for people and says what failed, on what, what to do.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gaby_agent::AgentError;
use gaby_connect::mcp::ConnectError;
use gaby_gate::GateError;
use gaby_knowledge::KnowledgeError;
use gaby_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::AccountError;

/// The result of a handler.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

/// Why a request was not done.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after: Option<u64>,
}

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// What failed.
    pub(crate) error: ErrorDetail,
}

/// What failed, for programs and for people.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorDetail {
    /// A stable word for programs.
    #[schema(example = "not_found")]
    pub(crate) code: String,
    /// What failed, on what, and what to do.
    pub(crate) message: String,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// The request cannot be understood.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    /// Nobody is signed in.
    pub(crate) fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", message)
    }

    /// Somebody is signed in who may not do this.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// There is no such thing in this workspace.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// The thing is not in a state that allows this.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    /// Too many attempts; try again after so many seconds.
    pub(crate) fn too_many(message: impl Into<String>, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", message)
        }
    }

    /// Something broke here. What broke is logged; the caller gets no internals.
    pub(crate) fn internal(what: &'static str, error: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %error, "{what} failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            format!("{what} failed; the server's log says why"),
        )
    }

    /// The store could not do its part. What passes by itself is said so; the rest is logged.
    pub(crate) fn store(what: &'static str, error: &StoreError) -> Self {
        if error.is_temporary() {
            tracing::error!(%error, "{what} failed");
            return Self::unavailable(error.to_string());
        }
        Self::internal(what, error)
    }

    /// Something this needs is not there right now.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self {
            retry_after: Some(5),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody {
            error: ErrorDetail {
                code: self.code.to_owned(),
                message: self.message,
            },
        };
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { .. } | StoreError::NoWorkspace { .. } => {
                Self::not_found(error.to_string())
            }
            StoreError::Exists(_) | StoreError::WorkspaceExists(_) => {
                Self::conflict(error.to_string())
            }
            StoreError::BadSlug(_) => Self::invalid(error.to_string()),
            other => Self::store("the store", &other),
        }
    }
}

impl From<AgentError> for ApiError {
    fn from(error: AgentError) -> Self {
        match error {
            AgentError::Ticket(error) => Self::invalid(error.to_string()),
            AgentError::Rules(_) | AgentError::PolicyFile(_) => Self::invalid(error.to_string()),
            AgentError::NoTicket(_) | AgentError::NoAction(_) => Self::not_found(error.to_string()),
            // What a person asks for that no standing approval may be.
            AgentError::Gate(error @ GateError::Pattern(_)) => Self::invalid(error.to_string()),
            AgentError::NoLike { .. }
            | AgentError::NotUndoable { .. }
            | AgentError::NotEdited { .. }
            | AgentError::Busy(_)
            | AgentError::TakenBefore { .. }
            | AgentError::WrongState { .. } => Self::conflict(error.to_string()),
            AgentError::Gate(GateError::Store(error)) | AgentError::Store(error) => error.into(),
            AgentError::Gate(error) => Self::conflict(error.to_string()),
            other => Self::internal("the agent", &other),
        }
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Email | AccountError::Name | AccountError::Password(_) => {
                Self::invalid(error.to_string())
            }
            AccountError::Taken(_) => Self::conflict(error.to_string()),
            AccountError::Unknown(_) => Self::not_found(error.to_string()),
            AccountError::Store(error) => Self::store("storing the account", &error),
            AccountError::Hash(_) => Self::internal("hashing the password", &error),
        }
    }
}

impl From<KnowledgeError> for ApiError {
    fn from(error: KnowledgeError) -> Self {
        match error {
            KnowledgeError::NotFound { .. } => Self::not_found(error.to_string()),
            KnowledgeError::Store(error) => error.into(),
            other => Self::internal("the knowledge base", &other),
        }
    }
}

impl From<ConnectError> for ApiError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::NotConnected(_) | ConnectError::UnknownManifest { .. } => {
                Self::not_found(error.to_string())
            }
            ConnectError::Exists(_) => Self::conflict(error.to_string()),
            ConnectError::Store(error) => error.into(),
            ConnectError::Manifest(error) => Self::internal("reading the manifests", &error),
            ConnectError::Unreachable { .. } => {
                Self::new(StatusCode::BAD_GATEWAY, "unreachable", error.to_string())
            }
            other => Self::invalid(other.to_string()),
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        let code = match rejection.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
            StatusCode::PAYLOAD_TOO_LARGE => "too_large",
            _ => "invalid_request",
        };
        // A body of the wrong shape is as invalid as one that is no JSON at all.
        let status = match rejection.status() {
            StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            other => other,
        };
        Self::new(status, code, rejection.body_text())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::invalid(rejection.body_text())
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::invalid(rejection.body_text())
    }
}
