//! A live view's stream: what happens in one workspace, for as long as its watcher may watch.

use std::time::Duration;

use futures_util::stream::{self, Stream};
use gaby_model::Event;
use gaby_store::Workspace;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::app::App;
use crate::auth::caller::Caller;
use crate::routes::events::{LiveEvent, Resync, ResyncKind};

/// How often it is asked whether the watcher still may; sessions also end in other processes.
const STILL_ALLOWED: Duration = Duration::from_secs(20);

struct Watch {
    app: App,
    caller: Caller,
    events: Receiver<Event>,
    ended: Receiver<gaby_model::SessionId>,
    check: Interval,
}

/// What happens in a workspace, until the watcher's session ends or the server goes down.
pub(crate) fn follow(
    app: App,
    caller: Caller,
    workspace: &Workspace,
) -> impl Stream<Item = LiveEvent> + Send + 'static + use<> {
    let mut check = interval(STILL_ALLOWED);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let watch = Watch {
        events: app.store.events().subscribe(workspace.id()),
        ended: app.ended_sessions.subscribe(),
        check,
        app,
        caller,
    };
    stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((event, watch))
    })
}

impl Watch {
    async fn next(&mut self) -> Option<LiveEvent> {
        loop {
            tokio::select! {
                () = self.app.shutdown.cancelled() => return None,
                ended = self.ended.recv() => match (ended, &self.caller) {
                    (Ok(session), Caller::Person(person)) if session == person.session.id => {
                        return None;
                    }
                    // Which sessions ended was missed: ask.
                    (Err(RecvError::Lagged(_)), _) if !self.caller.still_holds(&self.app).await => {
                        return None;
                    }
                    _ => {}
                },
                _ = self.check.tick() => {
                    if !self.caller.still_holds(&self.app).await {
                        return None;
                    }
                }
                event = self.events.recv() => return match event {
                    Ok(event) => Some(LiveEvent::Change(event)),
                    Err(RecvError::Lagged(_)) => Some(LiveEvent::Resync(Resync {
                        kind: ResyncKind::Resync,
                    })),
                    Err(RecvError::Closed) => None,
                },
            }
        }
    }
}
