//! How often an API may be asked: by the manifest's own limit, and by what the vendor said last.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::drivers::DriverError;
use crate::manifest::Rate;

pub(super) struct Pace {
    rate: Option<Rate>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When the latest calls were sent, as far back as the limit looks.
    sent: VecDeque<Instant>,
    /// Until when the vendor wants to be left alone.
    quiet_until: Option<Instant>,
}

impl Pace {
    pub(super) fn new(rate: Option<Rate>) -> Self {
        Self {
            rate,
            state: Mutex::default(),
        }
    }

    /// Waits for its turn to send; refuses when it would come after the deadline.
    pub(super) async fn turn(&self, deadline: Instant) -> Result<(), DriverError> {
        loop {
            let now = Instant::now();
            let Some(at) = self.take(now) else {
                return Ok(());
            };
            if at >= deadline {
                let wait = at.saturating_duration_since(now).as_secs() + 1;
                return Err(DriverError::Refused(format!(
                    "the limit of calls to this API is used up: try again in {wait} seconds"
                )));
            }
            tokio::time::sleep_until(at.into()).await;
        }
    }

    /// Takes a turn now, or says when the next may come.
    fn take(&self, now: Instant) -> Option<Instant> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = state.quiet_until.filter(|until| *until > now) {
            return Some(until);
        }
        let rate = self.rate?;
        let window = Duration::from_secs(u64::from(rate.seconds));
        while state.sent.front().is_some_and(|sent| *sent + window <= now) {
            state.sent.pop_front();
        }
        if state.sent.len() >= rate.calls as usize {
            return state.sent.front().map(|sent| *sent + window);
        }
        state.sent.push_back(now);
        None
    }

    /// Notes that the vendor wants no call for so long.
    pub(super) fn quiet(&self, time: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.quiet_until = Some(Instant::now() + time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_calls_pass_in_a_window_and_the_next_one_after_it() {
        let pace = Pace::new(Some(Rate {
            calls: 2,
            seconds: 10,
        }));
        let start = Instant::now();
        assert_eq!(pace.take(start), None);
        assert_eq!(pace.take(start + Duration::from_secs(4)), None);
        let next = start + Duration::from_secs(10);
        assert_eq!(pace.take(start + Duration::from_secs(5)), Some(next));
        assert_eq!(pace.take(next), None);
    }

    #[tokio::test]
    async fn a_call_is_refused_while_the_vendor_wants_quiet_beyond_its_deadline() {
        let pace = Pace::new(None);
        let soon = Instant::now() + Duration::from_secs(5);
        assert!(pace.turn(soon).await.is_ok());
        pace.quiet(Duration::from_secs(60));
        let refused = pace.turn(soon).await.unwrap_err().to_string();
        assert!(refused.contains("try again in"), "{refused}");
    }
}
