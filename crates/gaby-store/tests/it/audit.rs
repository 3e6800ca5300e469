//! The audit log against whoever would change it.

use std::sync::OnceLock;

use gaby_model::{Clock as _, SystemClock};
use gaby_store::Workspace;
use gaby_store::audit::ExportedLog;
use gaby_store::audit::verify::{Kind, Problem, Report, verify};
use proptest::prelude::*;
use serde_json::json;

use crate::lifecycle::record;
use crate::stores::{TestStore, every_engine, rows, statement, statement_with};

const ENTRIES: u64 = 200;

async fn append(workspace: &Workspace, count: u64) {
    let mut tx = workspace.begin().await.unwrap();
    for number in 0..count {
        tx.audit(record(&format!("test.{number}")));
    }
    tx.commit().await.unwrap();
}

async fn filled(test: &TestStore, slug: &str) -> Workspace {
    let workspace = test
        .store
        .create_workspace(slug, "A company")
        .await
        .unwrap();
    for _ in 0..ENTRIES / 20 {
        append(&workspace, 20).await;
    }
    workspace
}

/// A log of its own and one of another workspace, with what checks their signatures.
struct Logs {
    own: ExportedLog,
    foreign: ExportedLog,
    check: Check,
}

type Check = Box<dyn Fn(&ExportedLog) -> Result<Report, Problem> + Send + Sync>;

fn logs() -> &'static Logs {
    static LOGS: OnceLock<Logs> = OnceLock::new();
    LOGS.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let test = every_engine().await.remove(0);
            let acme = filled(&test, "acme").await;
            let other = filled(&test, "other").await;
            let key = acme.audit().verifying_key();
            Logs {
                own: acme.audit().export().await.unwrap(),
                foreign: other.audit().export().await.unwrap(),
                check: Box::new(move |log| verify(log, &key)),
            }
        })
    })
}

fn problem(log: &ExportedLog) -> (u64, Kind) {
    let problem = (logs().check)(log).unwrap_err();
    (problem.seq, problem.kind)
}

#[test]
fn a_log_that_nobody_touched_is_whole() {
    for log in [&logs().own, &logs().foreign] {
        assert_eq!((logs().check)(log).unwrap().entries, ENTRIES);
    }
}

#[test]
fn each_entry_that_is_taken_out_is_named() {
    for index in 0..logs().own.entries.len() - 1 {
        let mut log = logs().own.clone();
        log.entries.remove(index);
        let seq = index as u64 + 1;
        assert_eq!(problem(&log), (seq, Kind::Missing));
        // Also when the numbers of the rows are closed up behind it.
        for (place, entry) in log.entries.iter_mut().enumerate() {
            entry.0 = place as u64 + 1;
        }
        assert_eq!(problem(&log), (seq, Kind::Missing));
    }
}

#[test]
fn each_pair_of_neighbours_that_is_swapped_is_named() {
    for index in 0..logs().own.entries.len() - 1 {
        let mut log = logs().own.clone();
        log.entries.swap(index, index + 1);
        let seq = index as u64 + 1;
        assert_eq!(problem(&log), (seq, Kind::Reordered));
        // Also when each row keeps its number.
        log.entries[index].0 = seq;
        log.entries[index + 1].0 = seq + 1;
        assert_eq!(problem(&log), (seq, Kind::Reordered));
    }
}

#[test]
fn each_end_that_is_cut_off_is_named() {
    for left in 0..logs().own.entries.len() {
        let mut log = logs().own.clone();
        log.entries.truncate(left);
        assert_eq!(problem(&log), (left as u64 + 1, Kind::Truncated));
    }
}

#[test]
fn an_entry_that_is_put_in_is_named() {
    for index in 0..20 {
        let mut log = logs().own.clone();
        let copy = log.entries[index].clone();
        log.entries.insert(index + 1, copy);
        assert_eq!(problem(&log), (index as u64 + 1, Kind::Inserted));
    }
    let mut log = logs().own.clone();
    let mut last = log.entries[199].clone();
    last.0 = 201;
    log.entries.push(last);
    assert!(matches!(problem(&log), (201, _)));
}

#[test]
fn another_workspaces_log_is_named() {
    let mut log = logs().foreign.clone();
    log.workspace.clone_from(&logs().own.workspace);
    assert!(matches!(problem(&log).1, Kind::ForeignWorkspace));
    log.heads.clone_from(&logs().own.heads);
    log.checkpoints.clear();
    assert_eq!(problem(&log), (1, Kind::ForeignWorkspace));
    let mut log = logs().own.clone();
    log.entries[70] = logs().foreign.entries[70].clone();
    assert_eq!(problem(&log), (71, Kind::ForeignWorkspace));
}

#[test]
fn a_chain_that_was_computed_anew_does_not_match_the_signed_head() {
    let mut log = logs().own.clone();
    // Without the last entry's own hash known, an intruder closes the chain up to where it shows.
    log.entries[199].1 = log.entries[199].1.replace("test.19", "test.99");
    assert_eq!(problem(&log), (200, Kind::Changed));
}

#[test]
fn heads_that_are_gone_forged_or_of_another_key_are_named() {
    let mut log = logs().own.clone();
    log.heads[1].clear();
    assert_eq!(problem(&log).1, Kind::NoHead);
    let mut log = logs().own.clone();
    log.heads.clear();
    assert_eq!(problem(&log).1, Kind::NoHead);
    let mut log = logs().own.clone();
    log.heads[0] = log.heads[0].replacen("\n200\n", "\n201\n", 1);
    assert_eq!(problem(&log), (201, Kind::BadSignature));
    let mut log = logs().own.clone();
    log.heads[0] = "garbage".into();
    assert_eq!(problem(&log).1, Kind::BadSignature);
}

#[test]
fn each_byte_of_an_entry_counts() {
    let entry = logs().own.entries[100].1.clone();
    for at in 0..entry.len() {
        let mut log = logs().own.clone();
        let mut bytes = entry.clone().into_bytes();
        bytes[at] ^= 1;
        log.entries[100].1 = String::from_utf8(bytes).unwrap();
        assert_eq!(problem(&log).0, 101, "byte {at} of {entry}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_flipped_bit_is_named(index in 0..200_usize, at in any::<usize>(), bit in 0..7_u8, in_hash in any::<bool>()) {
        let mut log = logs().own.clone();
        let text = if in_hash { &mut log.entries[index].2 } else { &mut log.entries[index].1 };
        let mut bytes = text.clone().into_bytes();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        *text = String::from_utf8(bytes).unwrap();
        prop_assert_eq!(problem(&log).0, index as u64 + 1);
    }

    #[test]
    fn garbage_is_answered_and_never_a_panic(
        workspace in ".*", nonce in ".*", entries in prop::collection::vec((any::<u64>(), ".*", ".*"), 0..5),
        heads in prop::collection::vec(".*", 0..3), checkpoints in prop::collection::vec("(.|\n)*", 0..3),
    ) {
        let log = ExportedLog { workspace, nonce, entries, checkpoints, heads };
        prop_assert!((logs().check)(&log).is_err());
    }
}

async fn found(workspace: &Workspace) -> Option<(u64, Kind)> {
    let verified = workspace.audit().verify(&[]).await.unwrap();
    verified.err().map(|problem| (problem.seq, problem.kind))
}

#[tokio::test]
async fn what_is_done_to_the_rows_is_named() {
    for test in every_engine().await {
        let acme = filled(&test, "acme").await;
        assert_eq!(found(&acme).await, None);
        let id = acme.id();
        let cut = format!("DELETE FROM audit_entries WHERE workspace = '{id}' AND seq > 190");
        statement(&test, &cut).await;
        assert_eq!(found(&acme).await, Some((191, Kind::Truncated)));
        let out = format!("DELETE FROM audit_entries WHERE workspace = '{id}' AND seq = 17");
        statement(&test, &out).await;
        assert_eq!(found(&acme).await, Some((17, Kind::Missing)));
        let changed = format!(
            "UPDATE audit_entries SET entry = replace(entry, 'gaby', 'user') \
             WHERE workspace = '{id}' AND seq = 5"
        );
        statement(&test, &changed).await;
        assert_eq!(found(&acme).await, Some((5, Kind::Changed)));
        statement(&test, "UPDATE audit_heads SET signed_head = ''").await;
        assert!(matches!(found(&acme).await, Some((_, Kind::NoHead))));
    }
}

#[tokio::test]
async fn a_database_that_was_put_back_is_seen_by_the_head_beside_it_and_by_a_kept_checkpoint() {
    for test in every_engine().await {
        let acme = filled(&test, "acme").await;
        let id = acme.id().clone();
        let old_head = rows(
            &test,
            "SELECT seq, hash, edge, signed_head FROM audit_heads",
        )
        .await;
        let old_head = old_head.into_iter().next().unwrap();
        assert_eq!(found(&acme).await, None);
        let file = test.config.data_dir.join(format!("audit/{id}.head"));
        let old_file = std::fs::read(&file).unwrap();
        append(&acme, 100).await;
        let kept = acme.audit().checkpoint().await.unwrap();
        assert!(
            acme.audit()
                .verify(std::slice::from_ref(&kept))
                .await
                .unwrap()
                .is_ok()
        );

        // The database alone.
        for sql in [
            "DELETE FROM audit_entries WHERE seq > 200",
            "DELETE FROM audit_checkpoints WHERE size > 200",
        ] {
            statement(&test, sql).await;
        }
        let put_back = "UPDATE audit_heads SET seq = $1, hash = $2, edge = $3, signed_head = $4";
        statement_with(&test, put_back, old_head).await;
        assert_eq!(found(&acme).await, Some((201, Kind::RolledBack)));
        // With the file: this machine alone cannot tell, a kept checkpoint can.
        std::fs::write(&file, old_file).unwrap();
        assert_eq!(found(&acme).await, None);
        let problem = acme.audit().verify(&[kept]).await.unwrap().unwrap_err();
        assert_eq!((problem.seq, problem.kind), (201, Kind::RolledBack));
    }
}

#[tokio::test]
async fn a_head_file_that_lags_behind_a_crash_is_no_alarm_and_catches_up() {
    for test in every_engine().await {
        let acme = test.store.create_workspace("acme", "Acme").await.unwrap();
        let file = test
            .config
            .data_dir
            .join(format!("audit/{}.head", acme.id()));
        append(&acme, 3).await;
        assert_eq!(found(&acme).await, None);
        let behind = std::fs::read(&file).unwrap();
        append(&acme, 2).await;
        assert_eq!(found(&acme).await, None);
        std::fs::write(&file, behind).unwrap();
        assert_eq!(found(&acme).await, None);
        append(&acme, 1).await;
        assert_eq!(found(&acme).await, None);
        let caught_up = std::fs::read_to_string(&file).unwrap();
        assert_eq!(caught_up.lines().nth(1), Some("6"));
    }
}

/// So many entries in changes that do not wait for the disk.
async fn append_unhurried(workspace: &Workspace, entries: u64) {
    for n in 0..entries {
        let mut tx = workspace.begin_unhurried().await.unwrap();
        tx.audit(record(&format!("test.{n}")));
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_signed_outside_the_database_never_leads_what_is_on_disk() {
    for test in every_engine().await {
        let acme = test.store.create_workspace("acme", "Acme").await.unwrap();
        let file = test
            .config
            .data_dir
            .join(format!("audit/{}.head", acme.id()));
        // Who verifies waits for heads that are still to be written.
        let signed = async || {
            assert_eq!(found(&acme).await, None);
            let text = std::fs::read_to_string(&file).unwrap();
            text.lines().nth(1).unwrap().to_owned()
        };
        append(&acme, 3).await;
        append_unhurried(&acme, 2).await;
        assert_eq!(signed().await, "3");
        append(&acme, 1).await;
        assert_eq!(signed().await, "6");
        // The checkpoint of the 256th entry leaves the database, so it waits.
        append_unhurried(&acme, 251).await;
        assert_eq!(signed().await, "256");
    }
}

#[tokio::test]
async fn a_new_log_is_whole_and_one_that_was_emptied_is_not() {
    for test in every_engine().await {
        let acme = test.store.create_workspace("acme", "Acme").await.unwrap();
        assert_eq!(found(&acme).await, None);
        append(&acme, 3).await;
        statement(&test, "DELETE FROM audit_entries").await;
        assert_eq!(found(&acme).await, Some((1, Kind::Truncated)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_who_append_and_one_who_verifies_make_one_whole_log() {
    for test in every_engine().await {
        let acme = test.store.create_workspace("acme", "Acme").await.unwrap();
        let mut writers = Vec::new();
        for _ in 0..16 {
            let acme = acme.clone();
            writers.push(tokio::spawn(async move {
                for _ in 0..5 {
                    append(&acme, 1).await;
                }
            }));
        }
        for _ in 0..20 {
            let verified = acme.audit().verify(&[]).await.unwrap();
            assert!(verified.is_ok(), "{verified:?}");
        }
        for writer in writers {
            writer.await.unwrap();
        }
        let report = acme.audit().verify(&[]).await.unwrap().unwrap();
        assert_eq!(report.entries, 80);
    }
}

#[tokio::test]
async fn an_entry_commits_to_its_content_and_survives_a_change_that_is_dropped() {
    for test in every_engine().await {
        let acme = test.store.create_workspace("acme", "Acme").await.unwrap();
        let mut dropped = acme.begin().await.unwrap();
        dropped.audit(record("dropped"));
        drop(dropped);
        let mut tx = acme.begin().await.unwrap();
        let mut entry = record("kept");
        // A number that has no canonical form must not keep an outcome from being recorded.
        entry.content = json!({"amount": 9_007_199_254_740_993_u64});
        entry.at = SystemClock.now();
        let content = entry.content.clone();
        tx.audit(entry);
        tx.commit().await.unwrap();
        let listed = acme.audit().list(None, 10).await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].0.action, "kept");
        assert_eq!(
            acme.audit().is_about(1, &content).await.unwrap(),
            Some(true)
        );
        assert_eq!(
            acme.audit().is_about(1, &json!({})).await.unwrap(),
            Some(false)
        );
        assert_eq!(acme.audit().is_about(2, &content).await.unwrap(), None);
        assert!(acme.audit().verifying_key_text().starts_with("gaby/"));
    }
}
