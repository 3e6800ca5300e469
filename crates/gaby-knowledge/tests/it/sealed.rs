//! Nothing that was taken in lies in the clear on the disk.

use gaby_knowledge::{SearchOptions, Silent};

use crate::Home;

const MARKER: &str = "xylophonequark";

#[tokio::test]
async fn no_word_of_a_document_is_found_in_any_file() {
    let home = Home::new().await;
    home.write(
        &format!("{MARKER}.md"),
        format!("# {MARKER}\n\nThe {MARKER} is ours.\n"),
    );
    home.ingest().await;
    home.knowledge.embed_pending(&Silent).await.unwrap();
    home.knowledge
        .search(MARKER, &SearchOptions::default())
        .await
        .unwrap();
    // A segment of the index holds the stem, so that is what is looked for.
    let stem = &MARKER.as_bytes()[..10];
    let mut files = 0;
    for entry in ignore::WalkBuilder::new(home.data.path())
        .standard_filters(false)
        .build()
    {
        let path = entry.unwrap().into_path();
        if path.is_file() {
            files += 1;
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                !bytes.windows(stem.len()).any(|w| w == stem),
                "{}",
                path.display()
            );
        }
    }
    assert!(files > 0);
}
