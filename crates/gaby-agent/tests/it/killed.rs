//! A process killed at any state loses no ticket, and says and does nothing twice.

use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use gaby_agent::Approver;
use gaby_model::{ActionState, Author, Autonomy, TicketId, TicketState};
use serde_json::json;

use crate::databases;
use crate::world::{World, locked_out};

const FOLDER: &str = "GABY_TEST_KILLED_FOLDER";

/// The process that is killed: takes the ticket in and works on it. Run by the test below.
#[test]
#[ignore = "only run by the tests of killed processes"]
fn the_process_that_is_killed() {
    run_in(|world| async move {
        let ticket = serde_json::from_value(locked_out()).unwrap();
        let taken = world.agent.intake(ticket, "helpdesk").await.unwrap();
        world.work_until_settled(taken.id()).await;
    });
}

/// The process that is killed while it carries out what a human approved. Run by the test below.
#[test]
#[ignore = "only run by the tests of killed processes"]
fn the_process_that_is_killed_while_a_human_approves() {
    run_in(|world| async move {
        let ticket = serde_json::from_value(locked_out()).unwrap();
        let taken = world.agent.intake(ticket, "helpdesk").await.unwrap();
        world.work_until_settled(taken.id()).await;
        approve(&world, taken.id()).await;
    });
}

/// The process that is killed while it takes back what was done. Run by the test below.
#[test]
#[ignore = "only run by the tests of killed processes"]
fn the_process_that_is_killed_while_a_human_takes_it_back() {
    run_in(|world| async move {
        let ticket = serde_json::from_value(locked_out()).unwrap();
        let taken = world.agent.intake(ticket, "helpdesk").await.unwrap();
        world.work_until_settled(taken.id()).await;
        let _ = take_back(&world, taken.id()).await;
    });
}

/// The process that is killed at any moment: takes tickets in, notes which were acknowledged, and
/// works on them. Run by the test below.
#[test]
#[ignore = "only run by the tests of killed processes"]
fn the_process_that_is_killed_at_any_moment() {
    run_in(|world| async move {
        let acknowledged = |number: u32| world.folder().join(format!("acknowledged-{number}"));
        let hand_in = async {
            for number in 1..=CUSTOMERS {
                if !acknowledged(number).exists() {
                    let ticket = serde_json::from_value(of_customer(number)).unwrap();
                    world.agent.intake(ticket, "helpdesk").await.unwrap();
                    std::fs::write(acknowledged(number), "").unwrap();
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        };
        tokio::join!(hand_in, world.work_until(all_are_settled));
    });
}

const CUSTOMERS: u32 = 12;

fn of_customer(number: u32) -> serde_json::Value {
    json!({
        "subject": "Locked out",
        "body": "my account is locked, please unlock it",
        "requester": {"email": format!("c{number}@example.com"), "verified": true},
        "external_id": format!("C-{number}"),
    })
}

async fn all_are_settled(world: &World) -> bool {
    let counts = world.agent.workspace().tickets().counts().await.unwrap();
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    let busy = [TicketState::New, TicketState::Investigating];
    let depth = world.store.queue().depth().await.unwrap();
    all == u64::from(CUSTOMERS)
        && counts.iter().all(|(state, _)| !busy.contains(state))
        && depth.ready + depth.leased == 0
}

/// Does the killed process's work in the folder that it was given, if it was.
fn run_in<F: Future<Output = ()>>(work: impl FnOnce(World) -> F) {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    // How far Gaby may go is noted in the folder, so that every process of a test has the same.
    let autonomy = match Path::new(&folder).join("propose").exists() {
        true => Autonomy::Propose,
        false => Autonomy::Act,
    };
    tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(async { work(World::open(Path::new(&folder), autonomy).await).await });
}

fn process(name: &str, folder: &Path, failpoint: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", &format!("killed::{name}"), "--ignored"])
        .env(FOLDER, folder)
        .env("GABY_FAILPOINT", failpoint)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    command
}

/// Whether the process was ended by a signal, and not by itself.
fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal().is_some()
}

async fn approve(world: &World, ticket: &TicketId) {
    let actions = world.agent.workspace().actions().of_ticket(ticket).await;
    let Some(action) = actions.unwrap().pop() else {
        return;
    };
    let human = Approver {
        user: &world.user,
        email: "agent@example.org",
    };
    // It may have been decided before the process was killed.
    let _ = world
        .agent
        .approve(&action.id, &action.decision_hash, human)
        .await;
}

async fn take_back(world: &World, ticket: &TicketId) -> Result<(), gaby_agent::AgentError> {
    let actions = world.agent.workspace().actions().of_ticket(ticket).await;
    let human = Approver {
        user: &world.user,
        email: "agent@example.org",
    };
    let original = &actions.unwrap()[0].id;
    world.agent.undo(original, human).await.map(|_| ())
}

/// What Gaby said in a ticket.
async fn said(world: &World, ticket: &TicketId) -> Vec<String> {
    let messages = world.messages(ticket).await.into_iter();
    messages
        .filter(|message| message.author != Author::Requester)
        .map(|message| message.body)
        .collect()
}

#[tokio::test]
async fn a_process_killed_at_any_state_leaves_work_that_the_next_one_finishes_once() {
    let states = gaby_model::InvestigationState::ALL.map(gaby_model::InvestigationState::as_str);
    let places = states
        .iter()
        .flat_map(|state| [format!("{state}:before"), format!("{state}:after")])
        .chain(
            [
                "intake:before",
                "intake:after",
                "action:intended",
                "action:sent",
                "action:answered",
                "action:recorded",
            ]
            .map(str::to_owned),
        );
    for place in places {
        for folder in databases::folders().await {
            let at = format!("{place} on {:?}", databases::of(folder.path()));
            let died = process("the_process_that_is_killed", folder.path(), &place).status();
            assert!(was_killed(died.unwrap()), "nothing died at {at}");
            let world = World::open(folder.path(), Autonomy::Act).await;
            // Its source gives it again, as sources do that had no answer.
            let ticket = serde_json::from_value(locked_out()).unwrap();
            let taken = world.agent.intake(ticket, "helpdesk").await.unwrap();
            world.work_until_settled(taken.id()).await;
            let said = said(&world, taken.id()).await;
            assert_eq!(said.len(), 1, "{at}: {said:?}");
            // Sent and not known to have happened: the tool's own read says that it did not, and
            // without the vendor's word on repeats only a human may send it again.
            let (state, writes) = match place.as_str() {
                "action:sent" => (TicketState::Escalated, 0),
                _ => (TicketState::Resolved, 1),
            };
            assert_eq!(world.ticket_state(taken.id()).await, state, "{at}");
            assert_eq!(world.vendor.writes().len(), writes, "{at}");
            world.check(&at).await;
        }
    }
}

#[tokio::test]
async fn a_process_killed_while_a_human_approves_carries_it_out_once_and_tells_it_once() {
    // The second time that the end of the investigation is stored is when what became of the
    // action is told.
    for place in [
        "action:proposed",
        "action:approved",
        "action:sent",
        "action:answered",
        "action:recorded",
        "done:before@2",
        "done:after@2",
    ] {
        for folder in databases::folders().await {
            let at = format!("{place} on {:?}", databases::of(folder.path()));
            std::fs::write(folder.path().join("propose"), "").unwrap();
            let name = "the_process_that_is_killed_while_a_human_approves";
            let died = process(name, folder.path(), place).status().unwrap();
            assert!(was_killed(died), "nothing died at {at}");

            let world = World::open(folder.path(), Autonomy::Propose).await;
            let ticket = serde_json::from_value(locked_out()).unwrap();
            let taken = world.agent.intake(ticket, "helpdesk").await.unwrap();
            world.work_until_settled(taken.id()).await;
            approve(&world, taken.id()).await;
            let id = taken.id();
            world
                .work_until(async |world| {
                    world.ticket_state(id).await != TicketState::WaitingForApproval
                })
                .await;
            let (state, writes, action) = match place {
                "action:sent" => (TicketState::Escalated, 0, ActionState::Unknown),
                _ => (TicketState::Resolved, 1, ActionState::Done),
            };
            assert_eq!(world.ticket_state(id).await, state, "{at}");
            assert_eq!(world.vendor.writes().len(), writes, "{at}");
            let actions = world.agent.workspace().actions().of_ticket(id).await;
            let states: Vec<_> = actions.unwrap().iter().map(|action| action.state).collect();
            assert_eq!(states, [action], "{at}");
            let said = said(&world, id).await;
            assert_eq!(said.len(), 1, "{at}: {said:?}");
            world.check(&at).await;
        }
    }
}

#[tokio::test]
async fn a_process_killed_while_it_takes_something_back_does_so_once_and_the_original_says_so() {
    // The first time is the action itself, the second what takes it back.
    for place in [
        "action:intended@2",
        "action:sent@2",
        "action:answered@2",
        "action:recorded@2",
    ] {
        for folder in databases::folders().await {
            let at = format!("{place} on {:?}", databases::of(folder.path()));
            let name = "the_process_that_is_killed_while_a_human_takes_it_back";
            let died = process(name, folder.path(), place).status().unwrap();
            assert!(was_killed(died), "nothing died at {at}");

            let world = World::open(folder.path(), Autonomy::Act).await;
            let ticket = serde_json::from_value(locked_out()).unwrap();
            let taken = world.agent.intake(ticket, "helpdesk").await.unwrap();
            let id = taken.id();
            let states = async |world: &World| -> Vec<ActionState> {
                let actions = world.agent.workspace().actions().of_ticket(id).await;
                actions.unwrap().iter().map(|action| action.state).collect()
            };
            world
                .work_until(async |world| {
                    let under_way = [ActionState::Intended, ActionState::Sent];
                    let states = states(world).await;
                    states.iter().all(|state| !under_way.contains(state))
                })
                .await;
            // Sent and not known to have happened: the original stands, and is not taken back again
            // by itself or by anybody, because nobody knows.
            let (expected, writes) = match place {
                "action:sent@2" => ([ActionState::Done, ActionState::Unknown], 1),
                _ => ([ActionState::Undone, ActionState::Done], 2),
            };
            assert_eq!(states(&world).await, expected, "{at}");
            assert_eq!(world.vendor.writes().len(), writes, "{at}");
            assert!(take_back(&world, id).await.is_err(), "{at}");
            assert_eq!(world.vendor.writes().len(), writes, "{at}");
            assert_eq!(said(&world, id).await.len(), 1, "{at}");
            world.check(&at).await;
        }
    }
}

#[tokio::test]
async fn processes_killed_at_any_moment_lose_no_ticket_and_do_nothing_twice() {
    for folder in databases::folders().await {
        let at = format!("{:?}", databases::of(folder.path()));
        let mut kills = 0;
        // A spread of moments, from before the store is open to when most is done.
        for round in 0_u64..14 {
            let name = "the_process_that_is_killed_at_any_moment";
            let mut child = process(name, folder.path(), "").spawn().unwrap();
            tokio::time::sleep(Duration::from_millis(150 + round * 97 % 900)).await;
            if child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
                kills += 1;
            }
            child.wait().unwrap();
        }
        assert!(kills >= 3, "{at}: killed {kills} times only");
        let acknowledged = (1..=CUSTOMERS)
            .filter(|number| {
                folder
                    .path()
                    .join(format!("acknowledged-{number}"))
                    .exists()
            })
            .count();
        let world = World::open(folder.path(), Autonomy::Act).await;
        let before: u64 = {
            let counts = world.agent.workspace().tickets().counts().await.unwrap();
            counts.iter().map(|(_, count)| count).sum()
        };
        assert!(
            before >= acknowledged as u64,
            "{at}: an acknowledged ticket is gone"
        );
        for number in 1..=CUSTOMERS {
            let ticket = serde_json::from_value(of_customer(number)).unwrap();
            world.agent.intake(ticket, "helpdesk").await.unwrap();
        }
        world.work_until(all_are_settled).await;
        world.check(&at).await;
        let mut writes = world.vendor.writes();
        writes.sort();
        let count = writes.len();
        writes.dedup();
        assert_eq!(writes.len(), count, "{at}: a write happened twice");
        let tickets = world.agent.workspace().tickets();
        let all = gaby_store::tickets::TicketFilter {
            limit: 100,
            ..Default::default()
        };
        let mut unlocked = 0;
        for ticket in tickets.list(&all).await.unwrap() {
            let said = said(&world, &ticket.id).await;
            assert_eq!(said.len(), 1, "{at}: {said:?}");
            unlocked += usize::from(ticket.state == TicketState::Resolved);
        }
        // Whatever is not resolved was on its way when the process died, and a human sees it.
        assert_eq!(unlocked, count, "{at}");
    }
}
