//! A circuit breaker: whoever fails again and again is not asked for a while.
//!
//! A pure state machine; time is a span since whenever the caller began to count.

use std::collections::VecDeque;
use std::time::Duration;

/// So many failures in a row open it.
const IN_A_ROW: u32 = 5;
/// Or half of at least so many calls,
const WORTH_COUNTING: usize = 10;
/// within this time.
const WINDOW: Duration = Duration::from_secs(30);
/// The first time that nobody is asked; it doubles with each try that fails.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open {
        until: Duration,
    },
    /// One call is out to see whether it works again.
    Probing,
}

/// The breaker of one provider.
#[derive(Debug, Clone)]
pub struct Breaker {
    state: State,
    in_a_row: u32,
    recent: VecDeque<(Duration, bool)>,
    pause: Duration,
}

/// What became of a call, as far as the provider's health is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It answered, be it that our request was wrong.
    Well,
    /// It did not.
    Ill,
    /// Nobody knows: the call was given up by us.
    Unknown,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            state: State::Closed,
            in_a_row: 0,
            recent: VecDeque::new(),
            pause: FIRST_PAUSE,
        }
    }
}

impl Breaker {
    /// Whether a call may be made now. One that may must be followed by [`Self::record`].
    ///
    /// # Errors
    /// How long it must still rest; no time at all while another call is trying it out.
    pub fn admit(&mut self, now: Duration) -> Result<(), Duration> {
        match self.state {
            State::Closed => Ok(()),
            State::Open { until } if now >= until => {
                self.state = State::Probing;
                Ok(())
            }
            State::Open { until } => Err(until.saturating_sub(now)),
            State::Probing => Err(Duration::ZERO),
        }
    }

    /// Takes note of what became of a call.
    pub fn record(&mut self, now: Duration, health: Health) {
        match (self.state, health) {
            (State::Probing, Health::Well) => *self = Self::default(),
            (State::Probing, Health::Ill) => {
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                self.state = State::Open {
                    until: now + self.pause,
                };
            }
            // The next call tries it out.
            (State::Probing, Health::Unknown) => self.state = State::Open { until: now },
            // A call from before it opened.
            (State::Open { .. }, _) | (State::Closed, Health::Unknown) => {}
            (State::Closed, health) => self.count(now, health == Health::Well),
        }
    }

    fn count(&mut self, now: Duration, well: bool) {
        self.in_a_row = if well { 0 } else { self.in_a_row + 1 };
        self.recent.push_back((now, well));
        while let Some((at, _)) = self.recent.front()
            && now.saturating_sub(*at) > WINDOW
        {
            self.recent.pop_front();
        }
        let ill = self.recent.iter().filter(|(_, well)| !well).count();
        let half = self.recent.len() >= WORTH_COUNTING && ill * 2 >= self.recent.len();
        if self.in_a_row >= IN_A_ROW || (half && !well) {
            self.pause = FIRST_PAUSE;
            self.state = State::Open {
                until: now + self.pause,
            };
            self.recent.clear();
        }
    }

    /// Whether calls are let through without more ado.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        for second in 0..5 {
            assert!(breaker.admit(at(second)).is_ok());
            breaker.record(at(second), Health::Ill);
        }
        breaker
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_four_do_not() {
        let mut breaker = Breaker::default();
        for second in 0..20 {
            breaker.record(
                at(second * 10),
                if second % 5 == 4 {
                    Health::Well
                } else {
                    Health::Ill
                },
            );
        }
        assert!(breaker.is_closed());
        assert_eq!(opened().admit(at(4)), Err(at(15)));
        assert_eq!(opened().admit(at(18)), Err(at(1)));
    }

    #[test]
    fn half_of_ten_within_half_a_minute_open_it_and_the_same_spread_out_do_not() {
        let alternating = |step: u64| {
            let mut breaker = Breaker::default();
            for n in 0..12 {
                breaker.record(
                    at(n * step),
                    if n % 2 == 0 {
                        Health::Well
                    } else {
                        Health::Ill
                    },
                );
            }
            breaker.is_closed()
        };
        assert!(!alternating(1));
        assert!(alternating(10));
    }

    #[test]
    fn one_call_tries_it_out_and_pauses_double_up_to_five_minutes() {
        let mut breaker = opened();
        let mut now = at(4);
        for pause in [15, 30, 60, 120, 240, 300, 300] {
            assert!(
                breaker
                    .admit(now + at(pause) - Duration::from_millis(1))
                    .is_err()
            );
            now += at(pause);
            assert!(breaker.admit(now).is_ok());
            assert!(breaker.admit(now).is_err(), "one at a time");
            breaker.record(now, Health::Ill);
        }
        now += at(300);
        assert!(breaker.admit(now).is_ok());
        breaker.record(now, Health::Unknown);
        assert!(
            breaker.admit(now).is_ok(),
            "a try that was given up does not count"
        );
        breaker.record(now, Health::Well);
        assert!(breaker.is_closed());
    }

    proptest! {
        #[test]
        fn it_never_stays_shut_for_ever(steps in proptest::collection::vec((0u64..400, 0u8..3), 0..200)) {
            let mut breaker = Breaker::default();
            let mut now = Duration::ZERO;
            for (seconds, health) in steps {
                now += at(seconds);
                if breaker.admit(now).is_ok() {
                    breaker.record(now, [Health::Well, Health::Ill, Health::Unknown][usize::from(health)]);
                }
            }
            prop_assert!(breaker.admit(now + LONGEST_PAUSE).is_ok());
        }
    }
}
