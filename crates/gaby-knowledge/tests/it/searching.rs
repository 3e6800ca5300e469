//! What is found, and why.

use gaby_knowledge::{SearchOptions, Silent};
use proptest::prelude::*;

use crate::Home;

fn explained(top: usize) -> SearchOptions {
    SearchOptions {
        top,
        explain: true,
        neighbours: true,
        ..SearchOptions::default()
    }
}

#[tokio::test]
async fn a_hit_opens_its_place_and_its_terms_add_up() {
    let home = Home::new().await;
    home.write("guide.md", "---\ntitle: Sign-in guide\ndate: 2026-01-31\n---\n# Sign-in\n\nIntro.\n\n## Réset\n\nPress “Réset” — then wait.\n\n## Later\n\nSign in again.\n");
    home.write("other.md", "# Other\n\nReset the router.\n");
    home.ingest().await;
    home.knowledge.embed_pending(&Silent).await.unwrap();
    let hits = home
        .knowledge
        .search("How do I RESET my sign-in?", &explained(10))
        .await
        .unwrap();
    for (index, hit) in hits.iter().enumerate() {
        assert_eq!(hit.rank, index + 1);
        let document = home.knowledge.document(&hit.document).await.unwrap();
        assert_eq!(&document.text[hit.start..hit.end], hit.text);
        let why = hit.explain.as_ref().unwrap();
        let sum: f32 = why.terms.iter().map(|term| term.bm25).sum();
        assert!((sum - why.bm25).abs() < 1e-4, "{sum} for {}", why.bm25);
        assert!(why.similarity.is_some() && why.vector_rank.is_some());
    }
    let first = &hits[0];
    assert_eq!(
        (first.title.as_str(), first.heading.as_str()),
        ("Sign-in guide", "Sign-in › Réset")
    );
    assert_eq!(
        first.updated_at.unwrap().to_string(),
        "2026-01-31T00:00:00.000Z"
    );
    let around = first.neighbours.as_ref().unwrap();
    assert_eq!(
        (around.before.as_deref(), around.after.as_deref()),
        (Some("Intro."), Some("Sign in again."))
    );
    let passage = home
        .knowledge
        .passage(&first.document, first.start + 1, usize::MAX)
        .await
        .unwrap();
    assert!(passage.before.ends_with('P'), "{passage:?}");
    assert!(
        home.knowledge
            .passage(&first.document, usize::MAX, 0)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn repeated_words_of_a_long_ticket_count() {
    let home = Home::new().await;
    home.write("vpn.md", "# Tunnel\n\nThe tunnel needs a certificate.");
    home.write("printer.md", "# Printer\n\nThe printer needs paper.");
    home.ingest().await;
    for (query, title) in [
        ("printer printer printer tunnel", "Printer"),
        ("printer tunnel tunnel tunnel", "Tunnel"),
    ] {
        let hits = home.knowledge.search(query, &explained(2)).await.unwrap();
        assert_eq!(hits[0].title, title, "{query}");
        assert!(hits[0].explain.as_ref().unwrap().similarity.is_none());
    }
}

#[tokio::test]
async fn passages_that_say_the_same_are_shown_once() {
    let home = Home::new().await;
    home.write("v1/reset.md", "# Reset\n\nPress the button.");
    home.write("v2/reset.md", "# Reset\n\nPress the button.");
    home.write("c.md", "# Button\n\nA button is round.");
    home.ingest().await;
    assert_eq!(
        home.knowledge
            .search("button", &explained(9))
            .await
            .unwrap()
            .len(),
        2
    );
    let all = SearchOptions {
        fold_duplicates: false,
        ..explained(9)
    };
    assert_eq!(
        home.knowledge.search("button", &all).await.unwrap().len(),
        3
    );
}

#[tokio::test]
async fn odd_questions_are_answered_without_harm() {
    let home = Home::new().await;
    assert!(
        home.knowledge
            .search("anything", &explained(5))
            .await
            .unwrap()
            .is_empty()
    );
    home.write("a.md", "# 重置\n\n重置密码 needs a code.");
    home.ingest().await;
    assert_eq!(
        home.knowledge
            .search("密码", &explained(5))
            .await
            .unwrap()
            .len(),
        1
    );
    for query in [
        "",
        "   ",
        "\0",
        "the of and",
        &"é".repeat(5_000_000),
        "\"unclosed AND (",
        "🦀",
    ] {
        home.knowledge.search(query, &explained(5)).await.unwrap();
    }
    assert!(
        home.knowledge
            .search("code", &explained(0))
            .await
            .unwrap()
            .is_empty()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_file_makes_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), kind in 0usize..4) {
        let name = ["a.md", "a.txt", "a.html", "a.pdf"][kind];
        if let Ok(reading) = gaby_knowledge::read::read(name, &bytes, true) {
            for block in &reading.blocks {
                prop_assert!(reading.text.get(block.range.clone()).is_some());
            }
            for passage in gaby_knowledge::chunk::passages(&reading) {
                prop_assert!(reading.text.get(passage.start..passage.end).is_some());
            }
        }
    }
}
