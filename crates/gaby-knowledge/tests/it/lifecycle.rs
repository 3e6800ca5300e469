//! Documents come, change, and go.

use gaby_knowledge::{Knowledge, SearchOptions, Silent};

use crate::{Home, Letters, of};

async fn titles(knowledge: &Knowledge, query: &str) -> Vec<String> {
    let hits = knowledge
        .search(query, &SearchOptions::default())
        .await
        .unwrap();
    hits.into_iter().map(|hit| hit.title).collect()
}

#[tokio::test]
async fn only_what_changed_is_taken_in_again_and_what_is_gone_is_not_found() {
    let home = Home::new().await;
    home.write("vpn.md", "# VPN\n\nRenew the certificate.\n");
    home.write("mail/bounce.txt", "Bounced messages are retried.");
    home.write(
        "site/page.html",
        "<h1>Refunds</h1><p>Refunds take five days.</p>",
    );
    let first = home.ingest().await;
    assert_eq!((first.added, first.documents, first.chunks), (3, 3, 3));
    assert_eq!(titles(&home.knowledge, "certificates").await, ["VPN"]);

    let again = home.ingest().await;
    assert_eq!((again.added, again.updated, again.unchanged), (0, 0, 3));

    home.write("vpn.md", "# VPN\n\nUse the new gateway instead.\n");
    std::fs::remove_file(home.docs.path().join("mail/bounce.txt")).unwrap();
    let third = home.ingest().await;
    assert_eq!((third.updated, third.unchanged, third.removed), (1, 1, 1));
    assert!(titles(&home.knowledge, "certificate").await.is_empty());
    assert!(titles(&home.knowledge, "bounced").await.is_empty());
    assert_eq!(titles(&home.knowledge, "gateway").await, ["VPN"]);
}

#[tokio::test]
async fn a_file_that_was_only_touched_is_not_counted_as_changed() {
    let home = Home::new().await;
    home.write("a.md", "Same words.");
    home.ingest().await;
    let file = std::fs::File::options()
        .append(true)
        .open(home.docs.path().join("a.md"))
        .unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    let report = home.ingest().await;
    assert_eq!((report.updated, report.unchanged), (0, 1));
}

#[tokio::test]
async fn what_is_left_out_is_named_with_its_reason() {
    let home = Home::new().await;
    home.write("good.md", "Good words.");
    home.write("empty.md", "");
    home.write("blank.txt", " \n\n");
    home.write("picture.png", b"\x89PNG\0\0");
    home.write("broken.txt", b"lone \xff\xfe\xfa bytes");
    home.write("deep.html", "<div>".repeat(100_000));
    home.write("bad.pdf", b"%PDF-1.7\ngarbage");
    home.write("code.go", "package main");
    std::fs::File::create(home.docs.path().join("huge.md"))
        .unwrap()
        .set_len(21 << 20)
        .unwrap();
    let report = home.ingest().await;
    assert_eq!(report.documents, 1);
    let reasons: Vec<String> = report
        .skipped
        .iter()
        .map(|s| format!("{}: {}", s.path, s.reason))
        .collect();
    for (path, reason) in [
        ("empty.md", "empty"),
        ("blank.txt", "empty"),
        ("picture.png", "binary"),
        ("broken.txt", "broken encoding"),
        ("deep.html", "nested too deep"),
        ("bad.pdf", "PDF not readable"),
        ("code.go", "unsupported type .go"),
        ("huge.md", "too large: 21.0 MB"),
    ] {
        let expected = format!("{path}: {reason}");
        assert!(
            reasons.iter().any(|r| r.starts_with(&expected)),
            "{expected} in {reasons:?}"
        );
    }
    assert_eq!(home.knowledge.sources().await.unwrap()[0].skipped, reasons);
}

#[tokio::test]
async fn a_place_that_is_not_there_is_an_error_that_names_it() {
    let home = Home::new().await;
    for path in ["", "/no/such/place", "http://127.0.0.1:1/a.git"] {
        let request = gaby_knowledge::IngestRequest {
            paths: vec![path.into()],
            source_name: None,
        };
        let error = home
            .knowledge
            .ingest(request, &Silent)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(path), "{error}");
    }
}

#[tokio::test]
async fn a_removed_source_takes_its_documents_with_it() {
    let home = Home::new().await;
    home.write("a.md", "Words of the folder.");
    home.ingest().await;
    let source = home.knowledge.sources().await.unwrap().remove(0);
    assert_eq!((source.documents, source.chunks), (1, 1));
    assert_eq!(home.knowledge.remove_source(&source.id).await.unwrap(), 1);
    assert!(titles(&home.knowledge, "folder").await.is_empty());
    assert!(home.knowledge.sources().await.unwrap().is_empty());
    assert!(home.knowledge.remove_source(&source.id).await.is_err());
}

#[tokio::test]
async fn a_lost_index_is_rebuilt_from_the_chunks() {
    let home = Home::new().await;
    home.write("a.md", "Words that stay.");
    home.ingest().await;
    home.knowledge.embed_pending(&Silent).await.unwrap();
    let names = home.workspace.index_blobs().await.unwrap();
    assert!(names.len() > 2);
    let mut tx = home.workspace.begin().await.unwrap();
    for (name, generation) in names.iter().filter(|(name, _)| name != "manifest").take(2) {
        tx.put_index_blob(name, *generation, b"damaged")
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let reopened = Knowledge::open(home.workspace.clone(), Letters::new("letters"))
        .await
        .unwrap();
    assert_eq!(titles(&reopened, "stay").await, ["A"]);
    assert_eq!(reopened.embed_pending(&Silent).await.unwrap(), 1);
}

#[tokio::test]
async fn another_process_sees_what_was_committed_and_neither_loses_the_others_work() {
    let home = Home::new().await;
    let other = Knowledge::open(home.workspace.clone(), Letters::new("letters"))
        .await
        .unwrap();
    home.write("a.md", "First document.");
    home.ingest().await;
    assert_eq!(titles(&other, "first").await, ["A"]);
    other.embed_pending(&Silent).await.unwrap();
    let more = tempfile::tempdir().unwrap();
    std::fs::write(more.path().join("b.md"), "Second document.").unwrap();
    let (one, two) = tokio::join!(
        other.ingest(of(more.path()), &Silent),
        home.knowledge.embed_pending(&Silent),
    );
    one.unwrap();
    two.unwrap();
    home.knowledge.embed_pending(&Silent).await.unwrap();
    for knowledge in [&home.knowledge, &other] {
        let stats = knowledge.stats().await.unwrap();
        assert_eq!((stats.documents, stats.chunks, stats.embedded), (2, 2, 2));
    }
}

#[tokio::test]
async fn an_ingest_that_is_cut_off_leaves_the_old_state_or_a_whole_new_one() {
    let home = Home::new().await;
    home.write("a.md", "Old words.");
    home.ingest().await;
    home.write("a.md", "New words, and more of them.");
    home.write("b.md", "More words.");
    for polls in 1..60 {
        let knowledge = home.knowledge.clone();
        let request = of(home.docs.path());
        let mut work = Box::pin(async move { knowledge.ingest(request, &Silent).await });
        for _ in 0..polls {
            let step = tokio::time::timeout(std::time::Duration::from_micros(200), &mut work).await;
            if step.is_ok() {
                break;
            }
        }
        drop(work);
        let opened = Knowledge::open(home.workspace.clone(), Letters::new("letters"))
            .await
            .unwrap();
        let stats = opened.stats().await.unwrap();
        let found = opened
            .search("words", &SearchOptions::default())
            .await
            .unwrap();
        assert_eq!(found.len() as u64, stats.chunks);
        assert!(stats.documents == 1 || stats.documents == 2);
    }
    assert_eq!(home.ingest().await.documents, 2);
}

#[tokio::test]
async fn a_bare_repository_is_read_from_its_objects_and_only_what_changed_again() {
    let home = Home::new().await;
    let bare = home.docs.path().join("handbook.git");
    let work = tempfile::tempdir().unwrap();
    let git = |folder: &std::path::Path, arguments: &[&str]| {
        let done = std::process::Command::new("git")
            .current_dir(folder)
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    git(work.path(), &["init", "-q", "-b", "main"]);
    std::fs::write(
        work.path().join("guide.md"),
        "# Guide\n\nFollow the yellow line.",
    )
    .unwrap();
    std::fs::write(work.path().join("other.md"), "Something else.").unwrap();
    git(work.path(), &["add", "."]);
    git(work.path(), &["commit", "-q", "-m", "one"]);
    git(
        work.path(),
        &["clone", "-q", "--bare", ".", bare.to_str().unwrap()],
    );
    let ingest = || home.knowledge.ingest(of(&bare), &Silent);
    assert_eq!(ingest().await.unwrap().added, 2);
    assert_eq!(titles(&home.knowledge, "yellow").await, ["Guide"]);
    std::fs::write(
        work.path().join("guide.md"),
        "# Guide\n\nFollow the green line.",
    )
    .unwrap();
    git(work.path(), &["commit", "-q", "-a", "-m", "two"]);
    git(work.path(), &["push", "-q", bare.to_str().unwrap(), "main"]);
    let second = ingest().await.unwrap();
    assert_eq!((second.updated, second.unchanged), (1, 1));
    assert_eq!(home.knowledge.sources().await.unwrap()[0].name, "handbook");
}
