//! A process killed at any state loses no ticket, and says and does nothing twice.

use std::path::Path;
use std::process::Command;

use gaby_model::{Author, Autonomy, TicketState};

use crate::world::{World, locked_out};

const FOLDER: &str = "GABY_TEST_KILLED_FOLDER";

/// The process that is killed: takes the ticket in and works on it. Run by the test below.
#[test]
#[ignore = "only run by the test of killed processes"]
fn the_process_that_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let world = World::open(Path::new(&folder), Autonomy::Act).await;
        let ticket = serde_json::from_value(locked_out()).unwrap();
        let taken = world.agent.intake(ticket, "helpdesk").await.unwrap();
        world.work_until_settled(taken.id()).await;
    });
}

/// Whether the process died there.
fn dies_at(failpoint: &str, folder: &Path) -> bool {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::the_process_that_is_killed", "--ignored"])
        .env(FOLDER, folder)
        .env("GABY_FAILPOINT", failpoint)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    !status.success()
}

#[test]
fn a_process_killed_at_any_state_leaves_work_that_the_next_one_finishes_once() {
    let states = gaby_model::InvestigationState::ALL.map(gaby_model::InvestigationState::as_str);
    let places = states
        .iter()
        .flat_map(|state| [format!("{state}:before"), format!("{state}:after")])
        .chain(
            [
                "intake:after",
                "action:intended",
                "action:sent",
                "action:answered",
                "action:recorded",
            ]
            .map(str::to_owned),
        );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for place in places {
        let folder = tempfile::tempdir().unwrap();
        assert!(dies_at(&place, folder.path()), "nothing died at {place}");
        runtime.block_on(async {
            let world = World::open(folder.path(), Autonomy::Act).await;
            // Its source gives it again, as sources do that had no answer.
            let ticket = serde_json::from_value(locked_out()).unwrap();
            let taken = world.agent.intake(ticket, "helpdesk").await.unwrap();
            world.work_until_settled(taken.id()).await;
            let messages = world.messages(taken.id()).await;
            let said: Vec<_> = messages
                .iter()
                .filter(|message| message.author != Author::Requester)
                .collect();
            assert_eq!(said.len(), 1, "{place}: {said:?}");
            // Sent and not known to have happened: the tool's own read says that it did not, and
            // without the vendor's word on repeats only a human may send it again.
            let (state, writes) = match place.as_str() {
                "action:sent" => (TicketState::Escalated, 0),
                _ => (TicketState::Resolved, 1),
            };
            assert_eq!(world.ticket_state(taken.id()).await, state, "{place}");
            assert_eq!(world.vendor.writes().len(), writes, "{place}");
            let depth = world.store.queue().depth().await.unwrap();
            assert_eq!(
                (depth.ready, depth.leased, depth.dead),
                (0, 0, 0),
                "{place}"
            );
        });
    }
}
