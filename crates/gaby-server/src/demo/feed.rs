//! Lets the demo's tickets arrive one after another.

use std::time::Duration;

use gaby_agent::Agent;
use gaby_model::IncomingTicket;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::DemoError;
use super::files::Files;
use super::plan::Plan;

/// A ticket that will arrive.
pub(super) struct Arrival {
    after: Duration,
    ticket: IncomingTicket,
}

/// Reads the tickets before the first one arrives, so that a fault is told at the start.
pub(super) fn read(plan: &Plan, files: &Files) -> Result<Vec<Arrival>, DemoError> {
    let mut arrivals = Vec::with_capacity(plan.tickets.len());
    for planned in &plan.tickets {
        let text = files.text(&planned.file)?;
        let faulty = |reason: String| DemoError::Ticket {
            file: planned.file.clone(),
            reason,
        };
        let mut ticket: IncomingTicket =
            serde_json::from_str(&text).map_err(|error| faulty(error.to_string()))?;
        ticket.check().map_err(|error| faulty(error.to_string()))?;
        // Its file tells a ticket that was handed in at an earlier start.
        ticket
            .external_id
            .get_or_insert_with(|| planned.file.clone());
        arrivals.push(Arrival {
            after: Duration::from_secs(planned.after),
            ticket,
        });
    }
    arrivals.sort_by_key(|arrival| arrival.after);
    Ok(arrivals)
}

/// Hands the tickets in at their time, until all are in or the server goes down.
pub(super) async fn run(
    agent: Agent,
    source: String,
    arrivals: Vec<Arrival>,
    shutdown: CancellationToken,
) {
    let start = Instant::now();
    for arrival in arrivals {
        tokio::select! {
            () = sleep_until(start + arrival.after) => {}
            () = shutdown.cancelled() => return,
        }
        let subject = arrival.ticket.subject.clone();
        match agent.intake(arrival.ticket, &source).await {
            Ok(_) => tracing::info!(subject, "a ticket arrived"),
            Err(error) => tracing::error!(subject, %error, "a ticket did not get in"),
        }
    }
}
