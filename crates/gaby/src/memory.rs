//! Memory goes back to the system when it is no longer needed.
//!
//! Investigations come in bursts. The C library would keep what each thread needed for that thread,
//! and what lies between things that are still in use for whatever comes next.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How often a server gives back what lies between.
const EVERY: Duration = Duration::from_secs(30);

/// Sets the C library up; before there is another thread.
pub(crate) fn keep_little() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: numbers are set, before there is another thread.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 128 * 1024);
    }
}

/// Gives back what is free, again and again, for as long as a server runs.
pub(crate) async fn keep_giving_back(shutdown: CancellationToken) {
    while shutdown
        .run_until_cancelled(tokio::time::sleep(EVERY))
        .await
        .is_some()
    {
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        // SAFETY: the library takes its own locks.
        let _ = tokio::task::spawn_blocking(|| unsafe { libc::malloc_trim(0) }).await;
    }
}
