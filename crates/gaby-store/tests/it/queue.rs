//! The queue under many hands.

use std::collections::BTreeSet;

use gaby_model::*;
use gaby_store::Store;
use gaby_store::queue::{MAX_ATTEMPTS, due};

use crate::stores::{every_engine, statement};

async fn enqueue(store: &Store, count: usize, priority: Priority, at: Timestamp) {
    let workspace = store.workspace("acme").await.unwrap();
    let mut tx = workspace.begin().await.unwrap();
    for number in 0..count {
        tx.enqueue("test", &format!("{priority:?}{number}"), at, priority, at)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_job_is_given_to_two_workers() {
    for test in every_engine().await {
        test.store.create_workspace("acme", "Acme").await.unwrap();
        let now = SystemClock.now();
        enqueue(&test.store, 60, Priority::Normal, now).await;
        // Two processes on PostgreSQL; one process on SQLite.
        let stores = match test.store.engine_name() {
            "postgres" => vec![
                test.store.clone(),
                Store::open(test.config.clone()).await.unwrap(),
            ],
            _ => vec![test.store.clone()],
        };
        let mut workers = Vec::new();
        for worker in 0..8 {
            let store = stores[worker % stores.len()].clone();
            workers.push(tokio::spawn(async move {
                let mut mine = Vec::new();
                while let Some(job) = store.queue().claim(now, 60_000).await.unwrap() {
                    mine.push(job.subject.clone());
                    store.queue().complete(&job.id).await.unwrap();
                }
                mine
            }));
        }
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.await.unwrap());
        }
        assert_eq!(all.len(), 60);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 60);
        assert_eq!(test.store.queue().depth().await.unwrap().ready, 0);
    }
}

#[tokio::test]
async fn what_is_due_first_is_done_first_and_then_what_matters_more() {
    for test in every_engine().await {
        test.store.create_workspace("acme", "Acme").await.unwrap();
        let now = SystemClock.now();
        enqueue(&test.store, 1, Priority::Low, now.plus_millis(-5_000)).await;
        enqueue(&test.store, 1, Priority::Normal, now).await;
        enqueue(&test.store, 1, Priority::Urgent, now).await;
        let mut order = Vec::new();
        while let Some(job) = test.store.queue().claim(now, 1_000).await.unwrap() {
            order.push(job.subject);
        }
        assert_eq!(order, ["Low0", "Urgent0", "Normal0"]);
        assert!(due(None, Priority::Urgent, now) < due(None, Priority::High, now));
        assert_eq!(due(Some(now), Priority::Low, now), now);
    }
}

#[tokio::test]
async fn a_job_that_fails_waits_longer_each_time_and_is_put_aside_in_the_end() {
    for test in every_engine().await {
        test.store.create_workspace("acme", "Acme").await.unwrap();
        let mut now = SystemClock.now();
        enqueue(&test.store, 1, Priority::Normal, now).await;
        let mut last_wait = 0;
        for attempt in 1..=MAX_ATTEMPTS {
            let job = test.store.queue().claim(now, 1_000).await.unwrap().unwrap();
            assert_eq!(job.attempts, attempt);
            let dead = test.store.queue().fail(&job, "no", now).await.unwrap();
            assert_eq!(dead, attempt == MAX_ATTEMPTS);
            assert_eq!(test.store.queue().claim(now, 1_000).await.unwrap(), None);
            let mut wait = 0;
            while !dead && wait < 600_000 {
                wait += 1_000;
                let later = now.plus_millis(wait);
                if let Some(again) = test.store.queue().claim(later, 0).await.unwrap() {
                    // Given back as it was, for the next round.
                    let row = format!(
                        "UPDATE jobs SET state = 'ready', attempts = attempts - 1 WHERE id = '{}'",
                        again.id
                    );
                    statement(&test, &row).await;
                    break;
                }
            }
            assert!(dead || wait > last_wait, "{wait} after {last_wait}");
            last_wait = wait;
            now = now.plus_millis(wait);
        }
        let depth = test.store.queue().depth().await.unwrap();
        assert_eq!((depth.ready, depth.leased, depth.dead), (0, 0, 1));
    }
}

#[tokio::test]
async fn a_job_that_takes_its_process_down_each_time_is_put_aside() {
    for test in every_engine().await {
        test.store.create_workspace("acme", "Acme").await.unwrap();
        let now = SystemClock.now();
        enqueue(&test.store, 1, Priority::Normal, now).await;
        let mut begun = 0;
        while test
            .store
            .queue()
            .claim(now.plus_millis(begun * 10), 1)
            .await
            .unwrap()
            .is_some()
        {
            begun += 1;
            assert!(begun < 100, "begun for ever");
        }
        assert_eq!(test.store.queue().depth().await.unwrap().dead, 1);
    }
}

#[tokio::test]
async fn the_leases_of_an_ended_process_are_freed_at_once_by_the_next() {
    for test in every_engine().await {
        test.store.create_workspace("acme", "Acme").await.unwrap();
        let now = SystemClock.now();
        enqueue(&test.store, 1, Priority::Normal, now).await;
        let held = test
            .store
            .queue()
            .claim(now, 3_600_000)
            .await
            .unwrap()
            .unwrap();
        assert!(
            test.store
                .queue()
                .renew(&held.id, now, 3_600_000)
                .await
                .unwrap()
        );

        let next = Store::open(test.config.clone()).await.unwrap();
        assert_eq!(next.queue().claim(now, 1_000).await.unwrap(), None);
        assert_eq!(next.queue().recover().await.unwrap(), 1);
        let job = next.queue().claim(now, 1_000).await.unwrap().unwrap();
        assert_eq!(job.id, held.id);

        // Whoever held it before can neither renew nor end it.
        assert!(
            !test
                .store
                .queue()
                .renew(&held.id, now, 1_000)
                .await
                .unwrap()
        );
        test.store.queue().complete(&held.id).await.unwrap();
        test.store.queue().fail(&held, "late", now).await.unwrap();
        assert_eq!(next.queue().depth().await.unwrap().leased, 1);
    }
}

#[tokio::test]
async fn a_process_knows_whether_others_work_on_the_queue() {
    for test in every_engine().await {
        let first = test.store.lock_worker().await.unwrap();
        assert!(first.alone());
        let other = Store::open(test.config.clone()).await.unwrap();
        let second = other.lock_worker().await.unwrap();
        assert!(!second.alone());
        drop((first, second));
        // A connection takes a moment to be gone on the other side.
        let mut tries = 0;
        while !other.lock_worker().await.unwrap().alone() {
            tries += 1;
            assert!(tries < 100, "nobody is left");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn a_job_that_could_not_be_done_for_a_full_disk_is_never_put_aside_for_it() {
    for test in every_engine().await {
        test.store.create_workspace("acme", "Acme").await.unwrap();
        let mut now = SystemClock.now();
        enqueue(&test.store, 1, Priority::Normal, now).await;
        for _ in 0..MAX_ATTEMPTS * 8 {
            let job = test.store.queue().claim(now, 1_000).await.unwrap().unwrap();
            assert_eq!(job.attempts, 1);
            test.store.queue().postpone(&job, now).await.unwrap();
            assert_eq!(test.store.queue().claim(now, 1_000).await.unwrap(), None);
            now = now.plus_millis(10_000);
        }
        assert_eq!(test.store.queue().depth().await.unwrap().ready, 1);
    }
}

#[tokio::test]
async fn a_job_of_a_change_that_is_dropped_was_never_added() {
    for test in every_engine().await {
        let workspace = test.store.create_workspace("acme", "Acme").await.unwrap();
        let now = SystemClock.now();
        let mut tx = workspace.begin().await.unwrap();
        tx.enqueue("test", "x", now, Priority::Normal, now)
            .await
            .unwrap();
        drop(tx);
        assert_eq!(test.store.queue().claim(now, 1_000).await.unwrap(), None);
    }
}
