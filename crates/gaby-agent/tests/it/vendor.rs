//! A made-up customer system: its state and every write that reached it are one file, so that they
//! outlive a killed process, and a write has happened whole or not at all.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use gaby_agent::reach::{CallFailure, Library, Passage, SearchFailure, Toolbox};
use gaby_gate::Key;
use gaby_model::tool::{AlwaysHuman, FollowUp};
use gaby_model::{
    Access, ArgumentRole, CallKey as _, ChunkId, DocumentId, Integrity, Reversibility,
    ToolDefinition, ToolRef, ToolResult,
};
use serde_json::{Value, json};

pub(crate) struct Vendor {
    folder: PathBuf,
    changing: std::sync::Mutex<()>,
}

impl Vendor {
    /// A vendor with two customers, Ann's account locked, and a dozen more.
    pub(crate) fn new(folder: &Path) -> Arc<Self> {
        let vendor = Self {
            folder: folder.to_owned(),
            changing: std::sync::Mutex::default(),
        };
        if !vendor.file().exists() {
            let mut accounts = json!([
                {"id": 1, "email": "ann@example.com", "name": "Ann", "status": "locked",
                 "locked_at": "2026-02-27 10:00:00", "failed_sign_ins": 5},
                {"id": 2, "email": "bob@example.com", "name": "Bob Canary-7731", "status": "locked",
                 "locked_at": "2026-02-20 10:00:00", "failed_sign_ins": 9},
            ]);
            for number in 1..=12 {
                accounts.as_array_mut().unwrap().push(
                    json!({"id": 100 + number, "email": format!("c{number}@example.com"),
                     "name": format!("C{number}"), "status": "locked",
                     "locked_at": "2026-02-20 10:00:00", "failed_sign_ins": 5}),
                );
            }
            vendor.store(&json!({"accounts": accounts, "writes": []}));
        }
        Arc::new(vendor)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every write that reached the vendor: `tool arguments`.
    pub(crate) fn writes(&self) -> Vec<String> {
        serde_json::from_value(self.state()["writes"].take()).unwrap()
    }

    fn accounts(&self) -> Vec<Value> {
        serde_json::from_value(self.state()["accounts"].take()).unwrap()
    }

    fn file(&self) -> PathBuf {
        self.folder.join("vendor.json")
    }

    fn state(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.file()).unwrap()).unwrap()
    }

    /// Whole or not at all, also when the process is killed.
    fn store(&self, state: &Value) {
        let new = self.folder.join("vendor.json.new");
        std::fs::write(&new, state.to_string()).unwrap();
        std::fs::rename(new, self.file()).unwrap();
    }

    pub(crate) fn set_status(&self, id: u64, status: &str) {
        self.change(id, status, None);
    }

    fn change(&self, id: u64, status: &str, write: Option<String>) {
        let _one = self.changing.lock().unwrap();
        let mut state = self.state();
        for account in state["accounts"].as_array_mut().unwrap() {
            if account["id"] == id {
                account["status"] = json!(status);
            }
        }
        let writes = state["writes"].as_array_mut().unwrap();
        writes.extend(write.map(Value::String));
        self.store(&state);
    }

    fn write(&self, name: &str, arguments: &Value, status: &str) -> Value {
        let id = arguments["customer_id"].as_u64().unwrap_or(0);
        self.change(id, status, Some(format!("{name} {arguments}")));
        json!({"changed": 1})
    }
}

fn tool(name: &str, role: Option<&str>, access: Access) -> ToolDefinition {
    ToolDefinition {
        tool: ToolRef {
            connector: "crm".to_owned(),
            tool: name.to_owned(),
        },
        description: name.to_owned(),
        role: role.map(str::to_owned),
        access,
        risk: 10,
        input_schema: json!({"type": "object", "properties": {
            "customer_id": {"type": "integer", "minimum": 1, "maximum": 1000000},
            "email": {"type": "string"}}}),
        arguments: [].into(),
        output_integrity: ["id", "email", "status", "locked_at", "failed_sign_ins"]
            .into_iter()
            .flat_map(|field| {
                [
                    (format!("/{field}"), Integrity::System),
                    (format!("/result/*/{field}"), Integrity::System),
                ]
            })
            .collect(),
        reversibility: Reversibility::default(),
        idempotent: false,
        always_human: None,
        open_world: false,
        undo: None,
        verify: None,
        preview: None,
        owner_check: None,
        definition_hash: format!("hash of {name}"),
    }
}

fn follow_up(tool: &str, expect: Option<&str>) -> FollowUp {
    FollowUp {
        tool: tool.to_owned(),
        arguments: [(
            "customer_id".to_owned(),
            "{{ args.customer_id }}".to_owned(),
        )]
        .into(),
        expect: expect.map(str::to_owned),
    }
}

fn write(name: &str, role: Option<&str>, becomes: &str, undo: &str) -> ToolDefinition {
    ToolDefinition {
        arguments: [("customer_id".to_owned(), ArgumentRole::Target)].into(),
        reversibility: Reversibility::Reversible,
        undo: Some(follow_up(undo, None)),
        verify: Some(follow_up(
            "account_state",
            Some(&format!("result.status == '{becomes}'")),
        )),
        preview: Some(follow_up("account_state", None)),
        owner_check: Some(follow_up(
            "account_state",
            Some("result.email == requester.email|lower"),
        )),
        ..tool(name, role, Access::Write)
    }
}

#[async_trait]
impl Toolbox for Vendor {
    async fn catalog(&self) -> Vec<ToolDefinition> {
        vec![
            tool("find_customer", Some("customer.find"), Access::Read),
            tool("account_state", Some("account.state"), Access::Read),
            write(
                "unlock_account",
                Some("account.unlock"),
                "active",
                "lock_account",
            ),
            write("lock_account", None, "locked", "unlock_account"),
            ToolDefinition {
                arguments: [
                    ("keep_id".to_owned(), ArgumentRole::Target),
                    ("merge_id".to_owned(), ArgumentRole::Target),
                ]
                .into(),
                always_human: Some(AlwaysHuman::Deletion),
                ..tool("merge_accounts", Some("account.merge"), Access::Write)
            },
        ]
    }

    async fn call(&self, key: Key) -> Result<ToolResult, CallFailure> {
        let arguments = key.call().arguments.clone();
        let by = |field: &str, wanted: &Value| {
            self.accounts().into_iter().find(|account| {
                account[field].to_string().to_lowercase() == wanted.to_string().to_lowercase()
            })
        };
        let value = match key.call().tool.tool.as_str() {
            "find_customer" => {
                json!({"result": by("email", &arguments["email"]).into_iter().collect::<Vec<_>>()})
            }
            "account_state" => by("id", &arguments["customer_id"]).unwrap_or(json!({})),
            "unlock_account" => self.write("unlock_account", &arguments, "active"),
            "lock_account" => self.write("lock_account", &arguments, "locked"),
            "merge_accounts" => self.write("merge_accounts", &arguments, "merged"),
            other => return Err(CallFailure::NotMade(format!("no tool {other}"))),
        };
        Ok(ToolResult {
            value,
            truncated: false,
            is_error: false,
            millis: 1,
        })
    }
}

/// A knowledge base of two articles, found by words they share with the query.
pub(crate) struct Shelf;

const ARTICLES: &[(&str, &str)] = &[
    (
        "Locked accounts",
        "An account is locked after five failed sign-ins. Wait 30 minutes, or ask support to unlock it.",
    ),
    (
        "Export reports",
        "To export a report, do this:\n\n1. Open Reports.\n2. Choose Export.\n3. Pick CSV.\n\nExports are kept for 30 days.",
    ),
];

#[async_trait]
impl Library for Shelf {
    async fn search(&self, query: &str, top: usize) -> Result<Vec<Passage>, SearchFailure> {
        let wanted = gaby_agent::text::words::content_stems(query);
        let mut found: Vec<Passage> = ARTICLES
            .iter()
            .filter_map(|(title, text)| {
                let stems = gaby_agent::text::words::content_stems(&format!("{title} {text}"));
                let shared = wanted.iter().filter(|stem| stems.contains(stem)).count() as f64;
                let score = shared / wanted.len().max(1) as f64;
                (shared > 0.0).then(|| Passage {
                    score,
                    bm25: score * 10.0,
                    similarity: Some(score),
                    bm25_rank: Some(1),
                    vector_rank: Some(1),
                    chunk: ChunkId::generate(),
                    document: DocumentId::generate(),
                    path: format!("{title}.md"),
                    title: (*title).to_owned(),
                    heading: String::new(),
                    start: 0,
                    end: text.len(),
                    text: (*text).to_owned(),
                })
            })
            .collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.truncate(top);
        Ok(found)
    }
}
