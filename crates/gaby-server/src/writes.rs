//! Whether the store takes writes. A probe asks often, and each try costs a sync of the disk: so it is
//! tried once in a while, and the outcome is told until then.

use std::time::{Duration, Instant};

use gaby_store::{Store, StoreError};
use tokio::sync::Mutex;

const TRIED_EVERY: Duration = Duration::from_secs(5);

/// The outcome of the last try.
#[derive(Default)]
pub(crate) struct Writes(Mutex<Option<Tried>>);

struct Tried {
    at: Instant,
    failed: Option<String>,
}

impl Writes {
    /// Why the store takes no writes; none when it does.
    pub(crate) async fn failed(&self, store: &Store) -> Option<String> {
        let mut last = self.0.lock().await;
        if let Some(tried) = last
            .as_ref()
            .filter(|tried| tried.at.elapsed() < TRIED_EVERY)
        {
            return tried.failed.clone();
        }
        let failed = match store.probe().await {
            Ok(()) => None,
            // Somebody else writes: that is no fault.
            Err(StoreError::Busy(_)) if last.as_ref().is_some_and(|last| last.failed.is_none()) => {
                None
            }
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = &failed {
            tracing::error!(why, "the store takes no writes");
        }
        *last = Some(Tried {
            at: Instant::now(),
            failed: failed.clone(),
        });
        failed
    }
}
