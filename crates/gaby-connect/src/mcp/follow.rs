//! What another process does to the connectors, as the command line beside a running server, holds
//! here too: nobody waits for a restart to take a right back.

use std::collections::BTreeSet;
use std::sync::Arc;

use gaby_model::CallKey;
use gaby_store::StoreError;
use secrecy::ExposeSecret as _;

use super::host::{Host, Kept, Shared, lock};
use super::record::Setup;
use super::supervise;

impl<K: CallKey> Host<K> {
    /// Takes over what the store holds now. If it cannot be read, what was known goes on to hold.
    pub(super) async fn follow(&self) {
        if let Err(error) = follow(&self.shared).await {
            tracing::warn!(%error, "whether connectors changed cannot be told now");
        }
    }
}

async fn follow(shared: &Arc<Shared>) -> Result<(), StoreError> {
    // Connecting may take long; meanwhile what is known holds.
    let Ok(_one) = shared.managing.try_lock() else {
        return Ok(());
    };
    let records = shared.workspace.connectors().list().await?;
    let names: BTreeSet<&str> = records.iter().map(|record| record.name.as_str()).collect();
    for name in shared.names() {
        if !names.contains(name.as_str()) {
            shared.let_go(&name);
        }
    }
    for record in records {
        let name = record.name.clone();
        let setup = match Setup::from_record(record) {
            Ok(setup) => setup,
            Err(error) => {
                tracing::error!(connector = name, %error, "a stored connector cannot be read");
                continue;
            }
        };
        let same_system = match shared.entry(&name) {
            Some(entry) => {
                let known = entry.setup();
                let same = reaches_the_same(&known, &setup);
                if same && (known.autonomy != setup.autonomy || known.config != setup.config) {
                    *lock(&entry.kept) = Kept::new(setup.clone());
                }
                same
            }
            None => false,
        };
        if !same_system {
            shared.let_go(&name);
            let pins = shared.workspace.connectors().pins(&name).await?;
            supervise::take_up(shared, setup, pins, None);
        } else if !setup.is_first_party() {
            accepted_elsewhere(shared, &name).await?;
        }
    }
    Ok(())
}

fn reaches_the_same(known: &Setup, stored: &Setup) -> bool {
    let secrets = |setup: &Setup| -> Vec<(String, String)> {
        let all = setup.secrets.iter();
        all.map(|(key, secret)| (key.clone(), secret.expose_secret().to_owned()))
            .collect()
    };
    known.config.reach == stored.config.reach && secrets(known) == secrets(stored)
}

/// A definition that was accepted has another hash; one that was found to be another keeps the hash
/// of the accepted one, and only this process lifts what it found itself.
async fn accepted_elsewhere(shared: &Arc<Shared>, name: &str) -> Result<(), StoreError> {
    let Some(entry) = shared.entry(name) else {
        return Ok(());
    };
    for pin in shared.workspace.connectors().pins(name).await? {
        let mut known = lock(&entry.pins);
        let other = known
            .get(&pin.tool)
            .is_none_or(|known| known.pin.hash != pin.hash);
        if other && !pin.suspended {
            let (tool, pinned) = supervise::from_store(pin);
            known.insert(tool, pinned);
        }
    }
    Ok(())
}
