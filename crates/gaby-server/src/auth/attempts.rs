//! How often somebody may try to sign in.
//!
//! The first few failures cost nothing; after them each costs twice the wait of the one before, for
//! the account and for the address that they came from. The wait has an end: a lock-out for ever
//! would be a gift to whoever wants somebody kept out. Signing in rightly is no attempt.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::ApiError;

/// Failures that cost nothing.
const FREE: u32 = 5;
/// What the first failure after them costs.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// An account's owner is never kept out for longer by somebody else.
const LONGEST_FOR_ACCOUNT: Duration = Duration::from_secs(60);
/// An address that guesses waits longer.
const LONGEST_FOR_ADDRESS: Duration = Duration::from_secs(15 * 60);
/// Failures are forgotten when none came for so long.
const REMEMBERED_FOR: Duration = Duration::from_secs(30 * 60);
/// Above this many remembered keys those that are forgotten by now are dropped.
const REMEMBERED: usize = 10_000;

/// Counts attempts.
#[derive(Default)]
pub(crate) struct Attempts {
    by_account: Mutex<HashMap<[u8; 32], Failures>>,
    by_address: Mutex<HashMap<IpAddr, Failures>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

/// An attempt that was let through; it counts as a failure until it is told that it was none.
pub(crate) struct Attempt {
    account: [u8; 32],
    address: IpAddr,
}

impl Attempts {
    /// Lets an attempt through and counts it.
    ///
    /// # Errors
    /// When there were too many failures, with the seconds to wait.
    pub(crate) fn begin(&self, account: &str, address: IpAddr) -> Result<Attempt, ApiError> {
        self.begin_at(account, address, Instant::now())
    }

    fn begin_at(&self, account: &str, address: IpAddr, now: Instant) -> Result<Attempt, ApiError> {
        // Accounts are remembered by fingerprint: attempts carry other people's addresses, and
        // texts of any length.
        let account = super::secret::fingerprint(&account.trim().to_lowercase());
        let waits = [
            wait(&self.by_account, &account, LONGEST_FOR_ACCOUNT, now),
            wait(&self.by_address, &address, LONGEST_FOR_ADDRESS, now),
        ];
        if let Some(wait) = waits.into_iter().flatten().max() {
            let seconds = wait.as_secs() + 1;
            return Err(ApiError::too_many(
                format!("too many attempts to sign in: try again in {seconds} seconds"),
                seconds,
            ));
        }
        count(&self.by_account, account, now);
        count(&self.by_address, address, now);
        Ok(Attempt { account, address })
    }

    /// The attempt was a right one: the account's failures are forgotten. Those of the address are
    /// kept but for this one, or an account of one's own would pay for guesses at others.
    pub(crate) fn succeeded(&self, attempt: &Attempt) {
        held(&self.by_account).remove(&attempt.account);
        if let Some(failures) = held(&self.by_address).get_mut(&attempt.address) {
            failures.count = failures.count.saturating_sub(1);
        }
    }
}

fn held<K>(
    failures: &Mutex<HashMap<K, Failures>>,
) -> std::sync::MutexGuard<'_, HashMap<K, Failures>> {
    failures.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long this key still has to wait; none when it need not.
fn wait<K: Eq + Hash>(
    failures: &Mutex<HashMap<K, Failures>>,
    key: &K,
    longest: Duration,
    now: Instant,
) -> Option<Duration> {
    let known = *held(failures).get(key)?;
    let doublings = known.count.checked_sub(FREE)?;
    let cost = FIRST_WAIT
        .saturating_mul(1 << doublings.min(16))
        .min(longest);
    cost.checked_sub(now.saturating_duration_since(known.last))
        .filter(|left| !left.is_zero())
}

fn count<K: Eq + Hash>(failures: &Mutex<HashMap<K, Failures>>, key: K, now: Instant) {
    let mut failures = held(failures);
    let forgotten = |known: &Failures| now.saturating_duration_since(known.last) >= REMEMBERED_FOR;
    if failures.len() > REMEMBERED {
        failures.retain(|_, known| !forgotten(known));
    }
    let known = failures.entry(key).or_insert(Failures {
        count: 0,
        last: now,
    });
    if forgotten(known) {
        known.count = 0;
    }
    known.count = known.count.saturating_add(1);
    known.last = now;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn the_sixth_attempt_on_an_account_waits_wherever_it_comes_from() {
        let attempts = Attempts::default();
        for n in 0..5 {
            assert!(attempts.begin("ada@example.com", address(n)).is_ok());
        }
        assert!(attempts.begin(" ADA@example.com", address(9)).is_err());
        assert!(attempts.begin("bob@example.com", address(9)).is_ok());
    }

    #[test]
    fn the_sixth_attempt_from_an_address_waits_whatever_it_tries() {
        let attempts = Attempts::default();
        for n in 0..5 {
            let account = format!("{n}@example.com");
            assert!(attempts.begin(&account, address(1)).is_ok());
        }
        assert!(attempts.begin("new@example.com", address(1)).is_err());
    }

    /// The waits of somebody who tries again as soon as it is possible.
    fn waits(account: impl Fn(usize) -> String, address: impl Fn(u8) -> IpAddr) -> Vec<u64> {
        let attempts = Attempts::default();
        let mut now = Instant::now();
        let mut waits = Vec::new();
        for n in 0..20 {
            let begun = now;
            while attempts
                .begin_at(&account(n), address(n as u8), now)
                .is_err()
            {
                now += Duration::from_secs(1);
            }
            waits.push(now.duration_since(begun).as_secs());
        }
        waits
    }

    #[test]
    fn each_failure_costs_twice_the_one_before_and_never_more_than_there_is_an_end_to() {
        let one_account = waits(|_| "ada@example.com".to_owned(), address);
        assert_eq!(one_account[..10], [0, 0, 0, 0, 0, 5, 10, 20, 40, 60]);
        assert_eq!(one_account[19], 60);
        let one_address = waits(|n| format!("{n}@example.com"), |_| address(1));
        assert_eq!(one_address[..10], [0, 0, 0, 0, 0, 5, 10, 20, 40, 80]);
        assert_eq!(one_address[19], 15 * 60);
    }

    #[test]
    fn what_was_right_is_forgotten_and_failures_are_in_time() {
        let attempts = Attempts::default();
        for _ in 0..50 {
            let attempt = attempts.begin("ada@example.com", address(1)).ok();
            attempts.succeeded(&attempt.unwrap());
        }
        let now = Instant::now();
        for _ in 0..5 {
            assert!(
                attempts
                    .begin_at("bob@example.com", address(2), now)
                    .is_ok()
            );
        }
        assert!(
            attempts
                .begin_at("bob@example.com", address(2), now)
                .is_err()
        );
        let later = now + REMEMBERED_FOR;
        for _ in 0..5 {
            assert!(
                attempts
                    .begin_at("bob@example.com", address(2), later)
                    .is_ok()
            );
        }
    }

    #[test]
    fn an_own_account_does_not_pay_for_guesses_at_others() {
        let attempts = Attempts::default();
        let mut guesses = 0;
        for n in 0..40 {
            if let Ok(own) = attempts.begin("eve@example.com", address(1)) {
                attempts.succeeded(&own);
            }
            guesses += u32::from(
                attempts
                    .begin(&format!("{n}@example.com"), address(1))
                    .is_ok(),
            );
        }
        assert_eq!(guesses, FREE);
    }
}
