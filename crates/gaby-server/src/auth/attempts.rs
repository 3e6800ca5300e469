//! How often somebody may try to sign in: five times, then once every twelve seconds, for each
//! account and for each address. Never for ever: a lock-out would be a gift to an attacker.

use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::error::ApiError;

const PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);
/// Above this many remembered keys those that are free again are forgotten.
const REMEMBERED: usize = 10_000;

/// Counts attempts.
pub(crate) struct Attempts {
    by_account: DefaultKeyedRateLimiter<[u8; 32]>,
    by_address: DefaultKeyedRateLimiter<IpAddr>,
}

impl Attempts {
    pub(crate) fn new() -> Self {
        Self {
            by_account: RateLimiter::keyed(Quota::per_minute(PER_MINUTE)),
            by_address: RateLimiter::keyed(Quota::per_minute(PER_MINUTE)),
        }
    }

    /// Counts one attempt.
    ///
    /// # Errors
    /// When there were too many, with the seconds to wait.
    pub(crate) fn count(&self, account: &str, address: IpAddr) -> Result<(), ApiError> {
        if self.by_account.len() > REMEMBERED {
            self.by_account.retain_recent();
        }
        if self.by_address.len() > REMEMBERED {
            self.by_address.retain_recent();
        }
        // Accounts are remembered by fingerprint: attempts carry other people's addresses, and
        // texts of any length.
        let account = super::secret::fingerprint(&account.trim().to_lowercase());
        let wait = |until: governor::NotUntil<_>| {
            let seconds = until
                .wait_time_from(DefaultClock::default().now())
                .as_secs()
                + 1;
            ApiError::too_many(
                format!("too many attempts to sign in: try again in {seconds} seconds"),
                seconds,
            )
        };
        self.by_address.check_key(&address).map_err(wait)?;
        self.by_account.check_key(&account).map_err(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn the_sixth_attempt_on_an_account_waits_wherever_it_comes_from() {
        let attempts = Attempts::new();
        for n in 0..5 {
            assert!(attempts.count("ada@example.com", address(n)).is_ok());
        }
        assert!(attempts.count(" ADA@example.com", address(9)).is_err());
        assert!(attempts.count("bob@example.com", address(9)).is_ok());
    }

    #[test]
    fn the_sixth_attempt_from_an_address_waits_whatever_it_tries() {
        let attempts = Attempts::new();
        for n in 0..5 {
            assert!(
                attempts
                    .count(&format!("{n}@example.com"), address(1))
                    .is_ok()
            );
        }
        assert!(attempts.count("new@example.com", address(1)).is_err());
    }
}
