//! What Gaby knows, over the API: searched with reasons, listed, and read where a citation points.

use gaby_knowledge::{IngestRequest, Silent};
use gaby_store::accounts::Role;

use crate::world::{Seat, World};

/// A server that knows two articles, and somebody who may read them.
async fn with_articles() -> (World, Seat) {
    let world = World::start().await;
    let docs = tempfile::tempdir().unwrap();
    std::fs::write(
        docs.path().join("export.md"),
        "# Export reports\n\nÖffne Reports.\n\n## As a file\n\nChoose Export and pick CSV.\n",
    )
    .unwrap();
    std::fs::write(
        docs.path().join("locked.md"),
        "# Locked accounts\n\nWait 30 minutes.\n",
    )
    .unwrap();
    std::fs::write(docs.path().join("logo.png"), [0x89, b'P', b'N', b'G', 0, 0]).unwrap();
    let workspace = world.workspace("default").await;
    let tenant = world.tenants.open(&workspace).await.unwrap();
    let request = IngestRequest {
        paths: vec![docs.path().display().to_string()],
        source_name: Some("Manual".to_owned()),
    };
    tenant.knowledge.ingest(request, &Silent).await.unwrap();
    let viewer = world.person(Role::Viewer, None).await;
    (world, viewer)
}

#[tokio::test]
async fn a_search_says_why_it_found_what_it_found() {
    let (world, viewer) = with_articles().await;
    let found = world
        .get(&viewer, "/api/knowledge/search?q=export%20csv&explain=true")
        .await;
    assert_eq!(found.status, 200, "{}", found.text);
    let hit = &found.json["hits"][0];
    assert_eq!(hit["rank"], 1);
    assert_eq!(hit["title"], "Export reports");
    assert!(hit["explain"]["bm25"].as_f64().unwrap() > 0.0);
    assert!(!hit["explain"]["terms"].as_array().unwrap().is_empty());
    let plain = world.get(&viewer, "/api/knowledge/search?q=export").await;
    assert!(plain.json["hits"][0].get("explain").is_none());
    for (query, status) in [
        ("q=", 200),
        ("q=%20", 200),
        ("q=%F0%9F%A6%80", 200),
        ("q=%22unbalanced+AND+(", 200),
        ("q=x&top=0", 400),
        ("q=x&top=101", 400),
        ("q=x&top=-1", 400),
        ("q=x&explain=maybe", 400),
        ("q=x&nonsense=1", 400),
        ("", 400),
        // Bytes that are no text are looked for as the replacement character: nothing is found.
        ("q=%ff", 200),
    ] {
        let answered = world
            .get(&viewer, &format!("/api/knowledge/search?{query}"))
            .await;
        assert_eq!(answered.status, status, "{query}: {}", answered.text);
    }
}

#[tokio::test]
async fn a_citation_opens_the_passage_in_the_documents_own_text() {
    let (world, viewer) = with_articles().await;
    let found = world.get(&viewer, "/api/knowledge/search?q=csv").await;
    let hit = &found.json["hits"][0];
    let (start, end) = (hit["start"].as_u64().unwrap(), hit["end"].as_u64().unwrap());
    let path = format!(
        "/api/knowledge/documents/{}",
        hit["document"].as_str().unwrap()
    );
    let opened = world
        .get(&viewer, &format!("{path}?start={start}&end={end}"))
        .await;
    assert_eq!(opened.status, 200, "{}", opened.text);
    let text = opened.json["text"].as_str().unwrap();
    let passage = &opened.json["passage"];
    let (from, to) = (
        passage["start"].as_u64().unwrap(),
        passage["end"].as_u64().unwrap(),
    );
    assert_eq!(
        &text[from as usize..to as usize],
        hit["text"].as_str().unwrap()
    );
    // Offsets within a character, beyond the end, and turned round.
    let umlaut = text.find('Ö').unwrap() + 1;
    for query in [
        format!("start={umlaut}&end={umlaut}"),
        "start=0&end=18446744073709551615".to_owned(),
        "start=999999".to_owned(),
        "start=50&end=3".to_owned(),
        "end=5".to_owned(),
    ] {
        let answered = world.get(&viewer, &format!("{path}?{query}")).await;
        assert_eq!(answered.status, 200, "{query}: {}", answered.text);
    }
    for query in ["start=-1", "start=x", "start=99999999999999999999"] {
        let answered = world.get(&viewer, &format!("{path}?{query}")).await;
        assert_eq!(answered.status, 400, "{query}: {}", answered.text);
    }
}

#[tokio::test]
async fn sources_and_documents_are_listed_with_what_was_left_out() {
    let (world, viewer) = with_articles().await;
    let sources = world.get(&viewer, "/api/knowledge/sources").await;
    let source = &sources.json["sources"][0];
    assert_eq!(source["name"], "Manual");
    assert_eq!(
        (source["documents"].as_u64(), source["skipped"].as_u64()),
        (Some(2), Some(1))
    );
    assert!(
        source["skipped_files"][0]
            .as_str()
            .unwrap()
            .contains("logo.png"),
        "{source}"
    );
    assert_eq!(sources.json["totals"]["documents"], 2);
    let documents = world.get(&viewer, "/api/knowledge/documents?q=LOCK").await;
    assert_eq!(documents.json["items"].as_array().unwrap().len(), 1);
    assert_eq!(documents.json["items"][0]["title"], "Locked accounts");
    assert_eq!(documents.json["items"][0]["source"], "Manual");
    for bad in ["cursor=x", "cursor=-1", "nonsense=1"] {
        let refused = world
            .get(&viewer, &format!("/api/knowledge/documents?{bad}"))
            .await;
        assert_eq!(refused.status, 400, "{bad}");
    }
}
