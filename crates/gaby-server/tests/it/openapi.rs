//! The document in `web/openapi.json`, from which the console's types are made, is this server's.

use std::path::Path;

#[test]
fn the_console_is_built_against_the_document_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/openapi.json");
    let mut served = serde_json::to_string_pretty(&gaby_server::openapi()).unwrap();
    served.push('\n');
    if std::env::var_os("GABY_WRITE_OPENAPI").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &served).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == served,
        "web/openapi.json is not what the server serves: \
         run `GABY_WRITE_OPENAPI=1 cargo nextest run -p gaby-server openapi`"
    );
}
