//! One at a time on one ticket: whoever investigates it, tells what became of its action or takes
//! that back has its turn alone in this process. Between processes the queue's leases do the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use gaby_model::TicketId;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// Above this many remembered tickets those that nobody works on are forgotten.
const REMEMBERED: usize = 1_000;

/// The turns of the tickets that somebody works on.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<TicketId, Weak<Turn<()>>>>);

impl Turns {
    /// Waits for a ticket's turn, and has it until the guard is dropped.
    pub(crate) async fn take(&self, ticket: &TicketId) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if turns.len() > REMEMBERED {
                turns.retain(|_, turn| turn.strong_count() > 0);
            }
            match turns.get(ticket).and_then(Weak::upgrade) {
                Some(turn) => turn,
                None => {
                    let turn = Arc::new(Turn::new(()));
                    turns.insert(ticket.clone(), Arc::downgrade(&turn));
                    turn
                }
            }
        };
        turn.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_ticket_has_one_turn_and_another_ticket_its_own() {
        let turns = Turns::default();
        let ticket = TicketId::generate();
        let first = turns.take(&ticket).await;
        let soon = std::time::Duration::from_millis(20);
        assert!(
            tokio::time::timeout(soon, turns.take(&ticket))
                .await
                .is_err()
        );
        let _other = turns.take(&TicketId::generate()).await;
        drop(first);
        let _second = turns.take(&ticket).await;
    }

    #[tokio::test]
    async fn tickets_that_nobody_works_on_are_forgotten() {
        let turns = Turns::default();
        for _ in 0..REMEMBERED * 3 {
            drop(turns.take(&TicketId::generate()).await);
        }
        assert!(turns.0.lock().unwrap().len() <= REMEMBERED + 1);
    }
}
