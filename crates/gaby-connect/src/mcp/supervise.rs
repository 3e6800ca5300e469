//! Keeps each connector reachable, and its pins true.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use backon::BackoffBuilder as _;
use gaby_store::connectors::ToolPin;
use rmcp::model::Tool;
use tokio::sync::{Notify, watch};

use super::host::{ConnectorState, Entry, Kept, Live, Pinned, Shared, lock, now};
use super::pin;
use super::record::{Reach, Setup};
use super::session::Session;
use crate::manifest::DriverKind;

/// The first pause before a connector is tried again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A connection that lasted so long was a good one: pauses begin anew.
const GOOD_LIFE: Duration = Duration::from_secs(30);

/// Puts a connector into the host and keeps it reachable from now on. `session` is one that is open
/// already.
pub(super) fn take_up(
    shared: &Arc<Shared>,
    setup: Setup,
    pins: Vec<ToolPin>,
    session: Option<Session>,
) {
    let name = setup.name.clone();
    let live = Live {
        state: ConnectorState::Connecting,
        since: now(),
        last_error: None,
        warnings: Vec::new(),
        may_write: match &session {
            Some(session) => session.may_write,
            None => may_write(&setup, shared),
        },
        session: None,
    };
    let entry = Arc::new(Entry {
        kept: Mutex::new(Kept::new(setup)),
        live: watch::channel(live).0,
        pins: Mutex::new(pins.into_iter().map(from_store).collect()),
        nudge: Notify::new(),
        trouble: Mutex::new(None),
        task: Mutex::new(None),
    });
    let task = tokio::spawn(supervise(
        Arc::downgrade(shared),
        Arc::downgrade(&entry),
        session,
    ));
    *lock(&entry.task) = Some(task.abort_handle());
    lock(&shared.entries).insert(name, entry);
}

pub(super) fn from_store(pin: ToolPin) -> (String, Pinned) {
    let suspended = pin.suspended.then(|| {
        if pin.hash.is_empty() {
            "it is new since the server was connected".to_owned()
        } else {
            "its definition changed since it was accepted".to_owned()
        }
    });
    (pin.tool.clone(), Pinned { pin, suspended })
}

/// Before its login was examined, a database server's may write.
fn may_write(setup: &Setup, shared: &Shared) -> bool {
    match &setup.config.reach {
        Reach::Manifest { manifest, .. } => shared
            .registry
            .get(manifest)
            .is_some_and(|manifest| manifest.driver == DriverKind::Postgres),
        Reach::McpStdio { .. } | Reach::McpHttp { .. } => false,
    }
}

fn up(entry: &Entry, session: Arc<Session>) {
    entry.live.send_modify(|live| {
        if live.state != ConnectorState::Up {
            live.since = now();
        }
        live.state = ConnectorState::Up;
        live.warnings = session.warnings.clone();
        live.may_write = session.may_write;
        live.session = Some(session);
    });
}

fn down(entry: &Entry, reason: String) {
    entry.live.send_modify(|live| {
        if live.state != ConnectorState::Down {
            live.since = now();
        }
        live.state = ConnectorState::Down;
        live.last_error = Some(reason);
        live.session = None;
    });
}

fn pauses() -> impl Iterator<Item = Duration> {
    backon::ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_jitter()
        .without_max_times()
        .build()
}

async fn supervise(shared: Weak<Shared>, entry: Weak<Entry>, mut ready: Option<Session>) {
    let mut waits = pauses();
    loop {
        let (Some(host), Some(connector)) = (shared.upgrade(), entry.upgrade()) else {
            return;
        };
        let attempt = match ready.take() {
            Some(session) => Ok(session),
            None => open(&host, &connector).await,
        };
        let reason = match attempt {
            Ok(session) => {
                let session = Arc::new(session);
                let began = Instant::now();
                up(&connector, session.clone());
                drop((host, connector));
                let Some(reason) = watch_over(&entry, &session).await else {
                    return;
                };
                if began.elapsed() > GOOD_LIFE {
                    waits = pauses();
                }
                reason
            }
            Err(reason) => {
                drop((host, connector));
                reason
            }
        };
        let Some(connector) = entry.upgrade() else {
            return;
        };
        tracing::warn!(
            connector = lock(&connector.kept).setup().name,
            reason,
            "a connector is down"
        );
        down(&connector, reason);
        let wait = waits.next().unwrap_or(LONGEST_PAUSE);
        // Asked for now, it is tried at once, but not in a tight loop.
        let _ = tokio::time::timeout(wait, async {
            tokio::time::sleep(FIRST_PAUSE / 2).await;
            connector.nudge.notified().await;
        })
        .await;
    }
}

/// Waits until the session ends or is reported as broken; none when the connector is gone.
async fn watch_over(entry: &Weak<Entry>, session: &Session) -> Option<String> {
    let connector = entry.upgrade()?;
    tokio::select! {
        reason = session.closed() => Some(reason),
        () = connector.nudge.notified() => Some(
            lock(&connector.trouble)
                .take()
                .unwrap_or_else(|| "it is being reached anew".into()),
        ),
    }
}

async fn open(shared: &Arc<Shared>, entry: &Arc<Entry>) -> Result<Session, String> {
    let setup = entry.setup();
    let session = Session::open(&setup, &shared.registry).await?;
    if !setup.is_first_party() {
        reconcile(shared, entry, &session).await?;
    }
    Ok(session)
}

/// Compares what a third party offers now with what was approved, and suspends what differs.
pub(super) async fn reconcile(
    shared: &Arc<Shared>,
    entry: &Arc<Entry>,
    session: &Session,
) -> Result<(), String> {
    let offered = session.tools().await?;
    let name = entry.setup().name;
    let known = lock(&entry.pins).clone();
    let (now_known, changed) = compare(&name, known, &offered);
    if !changed.is_empty() {
        tracing::warn!(
            connector = name,
            tools = changed
                .iter()
                .map(|pin| pin.tool.as_str())
                .collect::<Vec<_>>()
                .join(", "),
            "definitions differ from what was accepted: suspended"
        );
        store_pins(shared, &changed)
            .await
            .map_err(|error| format!("its pins cannot be stored: {error}"))?;
    }
    *lock(&entry.pins) = now_known;
    Ok(())
}

/// The pins after looking at what is offered, and those that have to be stored.
fn compare(
    connector: &str,
    mut known: BTreeMap<String, Pinned>,
    offered: &[Tool],
) -> (BTreeMap<String, Pinned>, Vec<ToolPin>) {
    let mut changed = Vec::new();
    for tool in offered {
        let twice = offered
            .iter()
            .filter(|other| other.name == tool.name)
            .count()
            > 1;
        let hash = match pin::hash(tool) {
            _ if twice => Err("the server offers two tools of this name".to_owned()),
            hash => hash,
        };
        match known.get_mut(tool.name.as_ref()) {
            Some(pinned) => {
                let reason = match &hash {
                    Err(reason) => Some(reason.clone()),
                    Ok(_) if pinned.pin.hash.is_empty() => pinned.suspended.clone(),
                    Ok(hash) if *hash != pinned.pin.hash => {
                        Some("its definition changed since it was accepted".to_owned())
                    }
                    // A change that was seen stays for the operator to look at, even when undone.
                    Ok(_) if pinned.pin.suspended => pinned.suspended.clone(),
                    Ok(_) => None,
                };
                if reason.is_some() && !pinned.pin.suspended {
                    pinned.pin.suspended = true;
                    changed.push(pinned.pin.clone());
                }
                pinned.suspended = reason;
            }
            None => {
                let reason = match hash {
                    Err(reason) => reason,
                    Ok(_) => "it is new since the server was connected".to_owned(),
                };
                let name: String = tool.name.chars().take(128).collect();
                let pin = ToolPin {
                    connector: connector.to_owned(),
                    tool: name.clone(),
                    hash: String::new(),
                    suspended: true,
                    definition: short_definition(tool),
                };
                changed.push(pin.clone());
                known.insert(
                    name,
                    Pinned {
                        pin,
                        suspended: Some(reason),
                    },
                );
            }
        }
    }
    for (name, pinned) in &mut known {
        if !offered.iter().any(|tool| tool.name == *name) && pinned.suspended.is_none() {
            pinned.suspended = Some("the server does not offer it any more".to_owned());
        }
    }
    (known, changed)
}

/// A definition that is kept for looking at, without what is too large to keep.
pub(super) fn short_definition(tool: &Tool) -> serde_json::Value {
    let mut kept = pin::definition(tool);
    if kept.to_string().len() > 100_000 {
        kept = serde_json::json!({"name": tool.name, "inputSchema": {"type": "object"}});
    }
    kept
}

pub(super) async fn store_pins(
    shared: &Shared,
    pins: &[ToolPin],
) -> Result<(), gaby_store::StoreError> {
    let mut tx = shared.workspace.begin().await?;
    for pin in pins {
        tx.connectors().put_pin(pin).await?;
    }
    tx.commit().await
}
