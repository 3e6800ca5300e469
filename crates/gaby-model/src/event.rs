//! What just happened, for live views.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{ActionId, InvestigationId, TicketId};

/// A change that somebody may be watching. Carries ids only: whoever sees it asks for the thing
/// itself, and so passes the same checks as everybody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A ticket was taken in or changed.
    TicketChanged {
        /// Which.
        ticket: TicketId,
    },
    /// An investigation began, moved or ended.
    InvestigationChanged {
        /// Of which ticket.
        ticket: TicketId,
        /// Which.
        investigation: InvestigationId,
    },
    /// A step was recorded.
    StepRecorded {
        /// Of which ticket.
        ticket: TicketId,
        /// Of which investigation.
        investigation: InvestigationId,
        /// Its place, from 1.
        number: u32,
    },
    /// An action was proposed, decided or carried out.
    ActionChanged {
        /// Of which ticket.
        ticket: TicketId,
        /// Which.
        action: ActionId,
    },
    /// A connector came up, went down or was changed.
    ConnectorChanged {
        /// Its name.
        connector: String,
    },
    /// Documents came, changed or went, or their vectors grew.
    KnowledgeChanged,
}
