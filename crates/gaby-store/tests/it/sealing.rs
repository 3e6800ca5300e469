//! What lies in the database and its folder without the key: nothing readable, nothing movable.

use std::collections::BTreeMap;

use base64::Engine as _;
use gaby_model::*;
use gaby_store::connectors::{ConnectorRecord, ToolPin};
use gaby_store::documents::{Chunk, Document, KnowledgeSource};
use gaby_store::{Store, StoreError, Workspace};
use rusqlite::types::Value;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::lifecycle::{action, investigation, message, record, ticket};
use crate::llm_calls::llm_call;
use crate::opening::files;
use crate::stores::{TestStore, every_engine, rows, statement, statement_with};

/// Stands in every text that is stored below.
const MARKER: &str = "Zanzibar";

/// Everything that can be stored, with the marker in all of it.
async fn fill(workspace: &Workspace) -> TicketId {
    let now = SystemClock.now();
    let mut ticket = ticket(workspace, Some("Zanzibar-42"));
    ticket.requester = Some(Requester {
        name: Some("Zanzibar Person".into()),
        email: Some("Zanzibar@example.com".into()),
        verified: true,
    });
    let investigation = investigation(&ticket.id);
    let mut tx = workspace.begin().await.unwrap();
    tx.tickets().insert(&ticket).await.unwrap();
    tx.tickets()
        .add_message(&message(&ticket.id, Author::Requester, "Zanzibar body"))
        .await
        .unwrap();
    tx.investigations().put(&investigation).await.unwrap();
    let step = Step {
        id: StepId::generate(),
        investigation: investigation.id.clone(),
        number: 1,
        kind: StepKind::Call,
        summary: "Zanzibar summary".into(),
        reason: "Zanzibar reason".into(),
        detail: json!({"query": "Zanzibar"}),
        evidence: vec![1],
        millis: 3,
        created_at: now,
    };
    tx.investigations()
        .add_step(&ticket.id, &step)
        .await
        .unwrap();
    let evidence = Evidence {
        id: EvidenceId::generate(),
        investigation: investigation.id.clone(),
        step: step.id,
        number: 1,
        origin: Origin::Ticket,
        text: "Zanzibar fact".into(),
        value: json!("Zanzibar"),
        label: Label::of(Integrity::Outsider),
    };
    tx.investigations().add_evidence(&evidence).await.unwrap();
    let call = llm_call(Some(&investigation.id));
    let question = json!({
        "request": {"messages": [{"role": "user", "text": "Zanzibar question"}]},
        "values": {"recipe": "Zanzibar"},
    });
    tx.llm_calls().add(&call, &question).await.unwrap();
    let reply = LlmReply {
        answer: json!({"text": "Zanzibar answer"}),
        tries: json!([{"outcome": "Zanzibar is down"}]),
        error: Some("Zanzibar".into()),
    };
    tx.llm_calls().settle(&call, &reply).await.unwrap();
    tx.actions()
        .insert(&action(&ticket.id, &investigation.id), now)
        .await
        .unwrap();
    tx.tickets()
        .add_reply(
            &investigation.id,
            &message(&ticket.id, Author::Gaby, "Zanzibar reply"),
        )
        .await
        .unwrap();
    let source = KnowledgeSource {
        id: KnowledgeSourceId::generate(),
        name: "Zanzibar".into(),
        location: "/srv/Zanzibar".into(),
        synced_at: Some(now),
        skipped: vec!["Zanzibar.bin: binary".into()],
    };
    let source = tx.documents().put_source(&source, now).await.unwrap();
    let document = Document {
        id: DocumentId::generate(),
        source,
        path: "Zanzibar.md".into(),
        title: "Zanzibar".into(),
        size: 3,
        modified: None,
        hash: hex::encode(workspace.keyed_hash("file", b"Zanzibar")),
        updated_at: None,
        meta: json!({"tag": "Zanzibar"}),
        chunks: 1,
    };
    tx.documents()
        .put(&document, "Zanzibar text", now)
        .await
        .unwrap();
    let chunk = Chunk {
        id: ChunkId::generate(),
        document: document.id.clone(),
        ordinal: 0,
        start: 0,
        end: 13,
        hash: workspace.keyed_hash("chunk", b"Zanzibar text"),
        heading: "Zanzibar".into(),
        text: "Zanzibar text".into(),
    };
    tx.documents()
        .put_chunks(&document.id, &[chunk])
        .await
        .unwrap();
    tx.put_index_blob("words", 1, b"Zanzibar postings")
        .await
        .unwrap();
    tx.set_setting("persona", &"Zanzibar").await.unwrap();
    tx.connectors()
        .put(&ConnectorRecord {
            name: "crm".into(),
            kind: "manifest".into(),
            autonomy: Autonomy::Investigate,
            config: json!({"host": "Zanzibar.example.com"}),
            secrets: BTreeMap::from([("token".into(), SecretString::from("Zanzibar"))]),
            created_at: now,
            updated_at: now,
        })
        .await
        .unwrap();
    tx.connectors()
        .put_pin(&ToolPin {
            connector: "crm".into(),
            tool: "find".into(),
            hash: "ab".into(),
            suspended: true,
            definition: json!({"description": "Zanzibar"}),
        })
        .await
        .unwrap();
    tx.enqueue(
        "investigate",
        ticket.id.as_str(),
        now,
        Priority::Normal,
        now,
    )
    .await
    .unwrap();
    tx.audit(record("ticket.received"));
    tx.commit().await.unwrap();
    let job = workspace
        .store()
        .queue()
        .claim(now, 1_000)
        .await
        .unwrap()
        .unwrap();
    workspace
        .store()
        .queue()
        .fail(&job, "Zanzibar broke", now)
        .await
        .unwrap();
    ticket.id
}

/// The marker as it would look in a file: plain, lower case, UTF-16, base64 at each alignment, hex.
fn forms() -> Vec<Vec<u8>> {
    let utf16 = |big: bool| -> Vec<u8> {
        MARKER
            .encode_utf16()
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    };
    let mut forms = vec![
        MARKER.as_bytes().to_vec(),
        MARKER.to_lowercase().into_bytes(),
        utf16(false),
        utf16(true),
        hex::encode(MARKER).into_bytes(),
    ];
    for shift in 0..3 {
        let text = [&"xyz"[..shift], MARKER].concat();
        let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(text);
        // Characters that also hold bits of what stands beside the marker tell nothing.
        let from = [0, 2, 3][shift];
        forms.push(encoded.as_bytes()[from..encoded.len() - 1].to_vec());
    }
    forms
}

async fn holds_marker(test: &TestStore) -> Option<String> {
    let mut all = files(test.folder.path());
    if test.store.engine_name() == "postgres" {
        all.extend(dump(test).await);
    }
    let forms = forms();
    all.into_iter()
        .find(|(_, bytes)| {
            forms
                .iter()
                .any(|form| bytes.windows(form.len()).any(|window| window == form))
        })
        .map(|(name, _)| name)
}

/// Every row of every table of a PostgreSQL database, bytes as they are.
async fn dump(test: &TestStore) -> BTreeMap<String, Vec<u8>> {
    let tables = rows(
        test,
        "SELECT table_name::text, column_name::text FROM information_schema.columns \
         WHERE table_schema = 'public'",
    );
    let mut out = BTreeMap::new();
    for row in tables.await {
        let (table, column) = (text(&row[0]), text(&row[1]));
        let sql = format!(
            "SELECT COALESCE(CASE WHEN pg_typeof({column}) = 'bytea'::regtype \
             THEN {column}::text::bytea ELSE convert_to({column}::text, 'UTF8') END, ''::bytea) \
             FROM {table}"
        );
        let mut all = Vec::new();
        for row in rows(test, &sql).await {
            all.extend(bytes(&row[0]));
            all.push(b'\n');
        }
        out.insert(format!("{table}.{column}"), all);
    }
    out
}

#[tokio::test]
async fn nothing_that_was_written_can_be_read_in_any_file() {
    for test in every_engine().await {
        let workspace = test
            .store
            .create_workspace("acme", "Zanzibar Ltd")
            .await
            .unwrap();
        fill(&workspace).await;
        assert_eq!(holds_marker(&test).await, None, "while open");
        test.store.close().await;
        assert_eq!(holds_marker(&test).await, None, "after closing");
    }
}

#[test]
fn the_search_for_the_marker_finds_it_in_every_form() {
    for shift in 0..3 {
        let text = [&"abc"[..shift], MARKER, " and more"].concat();
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        let found = forms().iter().any(|form| {
            encoded
                .as_bytes()
                .windows(form.len())
                .any(|window| window == form)
        });
        assert!(found, "at alignment {shift}");
    }
}

#[tokio::test]
async fn what_was_written_is_read_back_with_the_key() {
    for test in every_engine().await {
        let workspace = test
            .store
            .create_workspace("acme", "Zanzibar Ltd")
            .await
            .unwrap();
        let ticket = fill(&workspace).await;
        test.store.close().await;
        let store = Store::open(test.config.clone()).await.unwrap();
        let workspace = store.workspace("acme").await.unwrap();
        let messages = workspace.tickets().messages(&ticket).await.unwrap();
        assert_eq!(messages[0].body, "Zanzibar body");
        assert_eq!(messages[1].body, "Zanzibar reply");
        let latest = workspace
            .investigations()
            .latest(&ticket)
            .await
            .unwrap()
            .unwrap();
        let steps = workspace.investigations().steps(&latest.id).await.unwrap();
        assert_eq!(steps[0].reason, "Zanzibar reason");
        let evidence = workspace
            .investigations()
            .evidence(&latest.id)
            .await
            .unwrap();
        assert_eq!(evidence[0].text, "Zanzibar fact");
        let call = &workspace.llm_calls().of(&latest.id).await.unwrap()[0];
        let (_, said) = workspace.llm_calls().get(&call.id).await.unwrap();
        assert_eq!(said.answer["text"], "Zanzibar answer");
        let crm = workspace.connectors().get("crm").await.unwrap().unwrap();
        assert_eq!(crm.secrets["token"].expose_secret(), "Zanzibar");
        assert!(workspace.connectors().pins("crm").await.unwrap()[0].suspended);
        let blob = workspace.index_blob("words").await.unwrap();
        assert_eq!(blob, Some((1, b"Zanzibar postings".to_vec())));
        let setting: Option<String> = workspace.setting("persona").await.unwrap();
        assert_eq!(setting.as_deref(), Some("Zanzibar"));
        let chunks = workspace.documents().chunks_after(None, 10).await.unwrap();
        assert_eq!(chunks[0].text, "Zanzibar text");
        assert_eq!(workspace.documents().totals().await.unwrap(), (1, 1));
        let mine = workspace
            .tickets()
            .of_requester(" zanzibar@EXAMPLE.com", 5)
            .await;
        assert_eq!(mine.unwrap().len(), 1);
    }
}

fn unsealable<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(
        matches!(result, Err(StoreError::Unsealable { .. })),
        "{result:?}"
    );
}

#[tokio::test]
async fn a_sealed_value_opens_in_its_own_cell_only() {
    for test in every_engine().await {
        let acme = test.store.create_workspace("acme", "Acme").await.unwrap();
        let other = test.store.create_workspace("other", "Other").await.unwrap();
        let one = fill(&acme).await;
        let foreign = fill(&other).await;
        let two = ticket(&acme, None);
        let mut tx = acme.begin().await.unwrap();
        tx.tickets().insert(&two).await.unwrap();
        tx.commit().await.unwrap();

        let copy = |table: &str, from: &str, to: &str| {
            format!(
                "UPDATE {table} SET content = (SELECT content FROM {table} WHERE id = '{from}') \
                 WHERE id = '{to}'"
            )
        };
        statement(&test, &copy("tickets", one.as_str(), two.id.as_str())).await;
        unsealable(acme.tickets().get(&two.id).await);
        statement(&test, &copy("tickets", foreign.as_str(), one.as_str())).await;
        unsealable(acme.tickets().get(&one).await);

        // A row that is moved to another workspace as a whole.
        let moved = format!(
            "UPDATE tickets SET workspace = '{}' WHERE id = '{foreign}'",
            acme.id()
        );
        statement(&test, &moved).await;
        unsealable(acme.tickets().get(&foreign).await);

        // A value in another column of its row.
        statement(&test, "UPDATE documents SET content = body").await;
        unsealable(acme.documents().list(None).await);
        statement(&test, "UPDATE connectors SET content = secrets").await;
        unsealable(acme.connectors().get("crm").await);

        // An older part of the index under a newer generation.
        statement(&test, "UPDATE index_blobs SET generation = 2").await;
        unsealable(acme.index_blob("words").await);
    }
}

#[tokio::test]
async fn a_right_that_is_raised_in_the_database_is_not_had() {
    for test in every_engine().await {
        let acme = test.store.create_workspace("acme", "Acme").await.unwrap();
        fill(&acme).await;
        statement(&test, "UPDATE tool_pins SET suspended = 0").await;
        assert!(acme.connectors().pins("crm").await.is_err());
        statement(&test, "UPDATE connectors SET autonomy = 'act'").await;
        let error = acme.connectors().get("crm").await.unwrap_err();
        assert!(error.to_string().contains("autonomy"), "{error}");
    }
}

#[tokio::test]
async fn one_workspace_cannot_reach_another_ones_things_by_id() {
    for test in every_engine().await {
        let acme = test.store.create_workspace("acme", "Acme").await.unwrap();
        let other = test.store.create_workspace("other", "Other").await.unwrap();
        let foreign = fill(&other).await;
        assert!(acme.tickets().get(&foreign).await.is_err());
        assert!(acme.tickets().messages(&foreign).await.unwrap().is_empty());
        assert!(
            acme.investigations()
                .latest(&foreign)
                .await
                .unwrap()
                .is_none()
        );
        assert!(acme.actions().of_ticket(&foreign).await.unwrap().is_empty());
        let looked = other.investigations().latest(&foreign).await.unwrap();
        let looked = looked.unwrap().id;
        let call = &other.llm_calls().of(&looked).await.unwrap()[0].id;
        assert!(acme.llm_calls().of(&looked).await.unwrap().is_empty());
        assert!(acme.llm_calls().get(call).await.is_err());
        let document = &other.documents().list(None).await.unwrap()[0].id;
        assert!(acme.documents().get(document).await.is_err());
        assert!(acme.documents().chunks(document).await.unwrap().is_empty());
        assert!(acme.index_blob("words").await.unwrap().is_none());
        assert!(acme.connectors().get("crm").await.unwrap().is_none());
        let mut tx = acme.begin().await.unwrap();
        let set = tx
            .tickets()
            .set_state(&foreign, TicketState::Resolved, SystemClock.now())
            .await;
        assert!(matches!(set, Err(StoreError::NotFound { .. })), "{set:?}");
        assert_ne!(acme.keyed_hash("x", b"y"), other.keyed_hash("x", b"y"));
    }
}

#[tokio::test]
async fn a_deleted_workspace_is_gone_from_a_backup_too() {
    for test in every_engine().await {
        let acme = test.store.create_workspace("acme", "Acme").await.unwrap();
        let other = test.store.create_workspace("other", "Other").await.unwrap();
        fill(&acme).await;
        fill(&other).await;
        let id = acme.id().clone();
        let workspaces = saved(&test, "workspaces").await;
        test.store.delete_workspace(acme).await.unwrap();

        assert!(matches!(
            test.store.workspace("acme").await,
            Err(StoreError::NoWorkspace { .. })
        ));
        let all = files(test.folder.path());
        assert!(
            !all.keys().any(|name| name.contains(id.as_str())),
            "{:?}",
            all.keys()
        );
        for table in ["index_blobs", "tickets", "chunks", "audit_entries", "jobs"] {
            let left = saved(&test, table).await;
            assert_eq!(left.len(), 1, "{table}");
        }
        // The rows of a backup come back; the key does not.
        for (workspace, slug, content) in workspaces {
            if workspace == id.as_str() {
                let sql =
                    "INSERT INTO workspaces (id, slug, created_at, content) VALUES ($1, $2, 0, $3)";
                let values = vec![workspace.into(), slug.into(), content.into()];
                statement_with(&test, sql, values).await;
            }
        }
        let opened = test.store.workspace("acme").await;
        assert!(
            matches!(opened, Err(StoreError::MissingKey(_))),
            "{opened:?}"
        );
        let other = test.store.workspace("other").await.unwrap();
        assert_eq!(other.documents().list(None).await.unwrap().len(), 1);
    }
}

/// Rows of a table, as a backup would hold them: for `workspaces` id, slug and content.
async fn saved(test: &TestStore, table: &str) -> Vec<(String, String, Vec<u8>)> {
    let sql = match table {
        "workspaces" => "SELECT id, slug, content FROM workspaces".to_owned(),
        table => format!("SELECT workspace FROM {table}"),
    };
    let found = rows(test, &sql).await;
    let rows = found.iter().map(|row| match table {
        "workspaces" => (text(&row[0]), text(&row[1]), bytes(&row[2])),
        _ => (text(&row[0]), String::new(), Vec::new()),
    });
    rows.collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => panic!("not a text: {other:?}"),
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::Blob(bytes) => bytes.clone(),
        other => panic!("not bytes: {other:?}"),
    }
}

#[tokio::test]
async fn a_deletion_that_was_cut_short_is_finished_by_the_next_start() {
    let test = every_engine().await.remove(0);
    let acme = test.store.create_workspace("acme", "Acme").await.unwrap();
    let other = test.store.create_workspace("other", "Other").await.unwrap();
    let key = |workspace: &Workspace| {
        test.config
            .data_dir
            .join(format!("keys/{}.key", workspace.id()))
    };
    let row = format!("DELETE FROM workspaces WHERE id = '{}'", acme.id());
    statement(&test, &row).await;
    assert!(key(&acme).exists());
    test.store.close().await;
    let store = Store::open(test.config.clone()).await.unwrap();
    assert!(!key(&acme).exists());
    assert!(key(&other).exists());
    store.workspace("other").await.unwrap();
}
