//! Places where tests let the process die, to see what the next start makes of it.

/// Kills the process as SIGKILL would, when `GABY_FAILPOINT` names this place.
///
/// Only in builds with debug assertions; a release build has nothing here.
pub fn failpoint(name: &str) {
    #[cfg(debug_assertions)]
    if std::env::var("GABY_FAILPOINT").is_ok_and(|wanted| wanted == name) {
        std::process::abort();
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
}
