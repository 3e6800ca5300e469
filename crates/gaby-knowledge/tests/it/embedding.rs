//! Vectors follow behind, and survive what happens meanwhile.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use gaby_knowledge::{Embedder, Knowledge, SearchOptions, Silent};

use crate::{Home, Letters};

#[tokio::test]
async fn unchanged_passages_keep_their_vectors_and_moved_files_too() {
    let home = Home::new().await;
    home.write("a.md", "# One\n\nFirst part.\n\n# Two\n\nSecond part.\n");
    home.ingest().await;
    assert_eq!(home.knowledge.embed_pending(&Silent).await.unwrap(), 2);
    home.write("a.md", "# One\n\nFirst part.\n\n# Two\n\nAnother part.\n");
    home.ingest().await;
    assert_eq!(home.knowledge.embed_pending(&Silent).await.unwrap(), 1);
    std::fs::rename(home.docs.path().join("a.md"), home.docs.path().join("b.md")).unwrap();
    assert_eq!(home.ingest().await.added, 1);
    assert_eq!(home.knowledge.embed_pending(&Silent).await.unwrap(), 0);
    assert_eq!(home.embedder.embedded.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn what_was_embedded_before_a_failure_is_kept() {
    let home = Home::new().await;
    for number in 0..40 {
        home.write(
            &format!("{number}.md"),
            format!("Passage number {number} of many."),
        );
    }
    home.ingest().await;
    let failing = Arc::new(Letters {
        id: "letters".into(),
        embedded: 0.into(),
        fails_after: 20,
    });
    let stopped = Knowledge::open(home.workspace.clone(), failing)
        .await
        .unwrap();
    assert!(stopped.embed_pending(&Silent).await.is_err());
    let kept = stopped.stats().await.unwrap().embedded;
    assert!(kept > 0 && kept <= 20, "{kept}");
    assert_eq!(
        home.knowledge.embed_pending(&Silent).await.unwrap() as u64,
        40 - kept
    );
}

#[tokio::test]
async fn the_old_vectors_serve_until_those_of_another_embedder_are_all_there() {
    let home = Home::new().await;
    for number in 0..30 {
        home.write(&format!("{number}.md"), format!("Passage number {number}."));
    }
    home.ingest().await;
    home.knowledge.embed_pending(&Silent).await.unwrap();
    let old: Arc<dyn Embedder> = Letters::new("letters");
    let failing = Arc::new(Letters {
        id: "other".into(),
        embedded: 0.into(),
        fails_after: 20,
    });
    let changed = Knowledge::open_with(home.workspace.clone(), failing, vec![Arc::clone(&old)])
        .await
        .unwrap();
    assert!(changed.embed_pending(&Silent).await.is_err());
    let options = SearchOptions {
        explain: true,
        ..SearchOptions::default()
    };
    let hits = changed.search("passage", &options).await.unwrap();
    assert!(hits[0].explain.as_ref().unwrap().similarity.is_some());

    let other = Letters::new("other");
    let finished = Knowledge::open(home.workspace.clone(), other.clone())
        .await
        .unwrap();
    let made = finished.embed_pending(&Silent).await.unwrap();
    assert!(
        made < 30,
        "what was made before the failure is kept: {made}"
    );
    assert_eq!(finished.stats().await.unwrap().embedded, 30);
    let before = other.embedded.load(Ordering::SeqCst);
    let hits = finished.search("passage", &options).await.unwrap();
    assert!(hits[0].explain.as_ref().unwrap().similarity.is_some());
    assert_eq!(other.embedded.load(Ordering::SeqCst), before + 1);
}
