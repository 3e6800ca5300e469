//! A disk without room: nothing that was acknowledged is lost, reads go on, and work goes on when
//! there is room again, without a restart.
//!
//! The server runs in a process of its own whose files may not grow beyond a limit, or whose folder
//! is a small file system where this machine lets us make one.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::world::{Seat, Setting, World};

const FOLDER: &str = "GABY_TEST_SMALL_DISK";
const MORE: &str = "GABY_TEST_MORE_ROOM";

/// The process on the small disk. Run by the tests below.
#[tokio::test]
#[ignore = "only run by the tests of full disks"]
async fn the_server_on_a_small_disk() {
    let (Ok(folder), Ok(more)) = (std::env::var(FOLDER), std::env::var(MORE)) else {
        return;
    };
    let world = World::with(Setting {
        folder: tempfile::tempdir_in(folder).unwrap(),
        ..Setting::default()
    })
    .await;
    let nobody = Seat::default();
    let workspace = world.workspace("default").await;
    let program = world.program(&workspace, &["tickets:write", "read"]).await;
    let person = world.admin().await;

    let mut acknowledged = Vec::new();
    let mut refused = None;
    // First what is large no longer fits, then what is small.
    for size in [200_000, 20] {
        for number in 0..2_000 {
            let ticket = json!({"subject": format!("{size}-{number}"), "body": "x".repeat(size)});
            let answer = world.post(&program, "/api/tickets", &ticket).await;
            if answer.status == 202 {
                acknowledged.push(answer.json["id"].as_str().unwrap().to_owned());
                continue;
            }
            refused = Some(answer);
            break;
        }
        let refused = refused.take().expect("the disk was never full");
        assert_eq!(
            (refused.status, refused.code()),
            (503, "unavailable"),
            "{}",
            refused.text
        );
        assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
        assert!(
            refused.message().contains("disk") || refused.message().contains("space"),
            "{}",
            refused.text
        );
    }
    let health = world.get(&nobody, "/healthz").await;
    assert_eq!(health.status, 503, "{}", health.text);
    // Reads go on, for people and for programs.
    for seat in [&program, &person] {
        let list = world.get(seat, "/api/tickets?limit=5").await;
        assert_eq!(list.status, 200, "{}", list.text);
    }
    assert_eq!(world.get(&person, "/api/session").await.status, 200);

    let made_room = Command::new("sh")
        .args(["-c", &more])
        .env("SERVER", std::process::id().to_string())
        .status()
        .unwrap();
    assert!(made_room.success());
    let begun = Instant::now();
    loop {
        let answer = world
            .post(&program, "/api/tickets", &json!({"body": "room again?"}))
            .await;
        if answer.status == 202 {
            acknowledged.push(answer.json["id"].as_str().unwrap().to_owned());
            break;
        }
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", answer.text);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for id in &acknowledged {
        world.looked_into(&workspace, &id.parse().unwrap()).await;
    }
    let queue = world.store.queue().depth().await.unwrap();
    assert_eq!(queue.dead, 0, "a ticket was given up for a full disk");
    let all = workspace.tickets().counts().await.unwrap();
    let all: u64 = all.into_iter().map(|(_, count)| count).sum();
    assert_eq!(
        all,
        acknowledged.len() as u64,
        "no more and no fewer than acknowledged"
    );
    assert!(workspace.audit().verify(&[]).await.unwrap().is_ok());
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(world.get(&nobody, "/healthz").await.status, 200);
}

/// Runs the server after a shell's preparations; gives what it printed when it failed.
fn served(folder: &Path, before: &str, more: &str) -> Result<(), String> {
    let test = std::env::current_exe().unwrap();
    let run = format!(
        "{before} exec '{}' --exact full_disk::the_server_on_a_small_disk --ignored --nocapture",
        test.display()
    );
    let mut command = match before.contains("mount") {
        true => {
            let mut command = Command::new("unshare");
            command.args(["--map-root-user", "--mount", "sh", "-c", &run]);
            command
        }
        false => {
            let mut command = Command::new("sh");
            command.args(["-c", &run]);
            command
        }
    };
    let output = command
        .env(FOLDER, folder)
        .env(MORE, more)
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[test]
fn a_file_that_may_not_grow_is_answered_with_503_and_forgiven() {
    let folder = tempfile::tempdir().unwrap();
    // Blocks of 512 or 1024 bytes, by the shell. The signal would end the process.
    let before = "trap '' XFSZ; ulimit -S -f 6000;";
    let more = "prlimit --pid \"$SERVER\" --fsize=unlimited:unlimited";
    served(folder.path(), before, more).unwrap();
}

#[test]
fn a_file_system_without_room_is_answered_with_503_and_forgiven() {
    let may = Command::new("unshare")
        .args(["--map-root-user", "--mount", "true"])
        .status();
    if !may.is_ok_and(|status| status.success()) {
        // This machine lets nobody make a file system; the test above has to do.
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    let before = format!("mount -t tmpfs -o size=6m tmpfs '{at}' &&");
    let more = format!("mount -o remount,size=64m '{at}'");
    served(folder.path(), &before, &more).unwrap();
}
