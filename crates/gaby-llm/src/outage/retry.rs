//! When to ask again, and after how long. Pure; chance is passed in.

use std::time::Duration;

use crate::error::Fate;

/// A provider is asked so many times more.
pub const RETRIES: u32 = 2;
/// Longer than this nobody waits: another provider is asked instead.
pub const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The first pause is at most this, and doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The pause before another try of the same provider; none when there is no other try.
///
/// `tried` counts the tries so far, from 1. `chance` is 0 to 1: the pause is anywhere up to its
/// most ("full jitter"), so that many who failed together do not come back together.
#[must_use]
pub fn pause(fate: Fate, tried: u32, chance: f64) -> Option<Duration> {
    let Fate::Again(asked) = fate else {
        return None;
    };
    if tried > RETRIES {
        return None;
    }
    let most = FIRST_PAUSE * 2_u32.saturating_pow(tried.saturating_sub(1));
    let jitter = most.mul_f64(if chance.is_nan() {
        0.5
    } else {
        chance.clamp(0.0, 1.0)
    });
    match asked {
        Some(asked) if asked > LONGEST_WAIT => None,
        // A vendor's word is the least; some spread on top of it.
        Some(asked) => Some(asked + jitter),
        None => Some(jitter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_more_tries_with_growing_pauses_and_no_waiting_beyond_a_minute() {
        let again = Fate::Again(None);
        assert_eq!(pause(again, 1, 1.0), Some(Duration::from_millis(500)));
        assert_eq!(pause(again, 2, 1.0), Some(Duration::from_millis(1_000)));
        assert_eq!(pause(again, 2, 0.0), Some(Duration::ZERO));
        assert_eq!(pause(again, 3, 0.5), None);
        let asked = |seconds| Fate::Again(Some(Duration::from_secs(seconds)));
        assert_eq!(pause(asked(60), 1, 0.0), Some(Duration::from_secs(60)));
        assert_eq!(pause(asked(61), 1, 0.0), None);
        assert_eq!(pause(asked(86_400), 1, 0.0), None);
        assert_eq!(pause(Fate::Next, 1, 0.5), None);
        assert_eq!(pause(Fate::GiveUp, 1, 0.5), None);
        assert_eq!(
            pause(again, 1, f64::NAN).map(|p| p <= FIRST_PAUSE),
            Some(true)
        );
    }
}
