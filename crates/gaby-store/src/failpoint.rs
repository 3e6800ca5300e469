//! Places where tests let the process die, to see what the next start makes of it.

/// Kills the process as SIGKILL would, when `GABY_FAILPOINT` names this place. `PLACE@2` dies when it
/// is passed for the second time.
///
/// Only in builds with debug assertions; a release build has nothing here.
pub fn failpoint(name: &str) {
    #[cfg(debug_assertions)]
    {
        use std::sync::atomic::{AtomicU32, Ordering};
        static PASSED: AtomicU32 = AtomicU32::new(0);
        let Ok(wanted) = std::env::var("GABY_FAILPOINT") else {
            return;
        };
        let (place, time) = wanted.split_once('@').unwrap_or((&wanted, "1"));
        if place == name && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == time.parse().unwrap_or(1) {
            std::process::abort();
        }
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
}
