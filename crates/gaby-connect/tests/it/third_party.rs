//! Third-party MCP servers from the npm registry and PyPI, as an operator connects them.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use gaby_connect::{CallError, ConnectorState, Override};
use gaby_model::{Access, Autonomy};
use serde_json::{Value, json};

use crate::world::{World, settings};

/// The folders of the npm packages and of the Python environment; none when they are not installed.
fn installed() -> Option<(PathBuf, PathBuf)> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    Some((folder("GABY_TEST_MCP_DIR")?, folder("GABY_TEST_MCP_VENV")?))
}

fn argv(program: PathBuf, arguments: &[&str]) -> Vec<String> {
    std::iter::once(program.display().to_string())
        .chain(arguments.iter().map(|argument| (*argument).to_owned()))
        .collect()
}

async fn connect(world: &World, name: &str, argv: Vec<String>) {
    world
        .host
        .connect_mcp_stdio(name, argv, settings([]))
        .await
        .unwrap_or_else(|error| panic!("{name}: {error}"));
}

async fn mark_read(world: &World, name: &str, tools: &[&str]) {
    let change = Override {
        read_tools: Some(tools.iter().map(|tool| (*tool).to_owned()).collect()),
        ..Override::default()
    };
    world.host.set_override(name, change).await.unwrap();
}

#[tokio::test]
async fn everything_over_stdio_counts_as_writes_until_marked() {
    let Some((npm, _)) = installed() else { return };
    let world = World::with(&[]).await;
    let program = npm.join("node_modules/.bin/mcp-server-everything");
    connect(&world, "everything", argv(program, &[])).await;
    let status = world.host.status().await.remove(0);
    assert_eq!(status.kind, "mcp_stdio");
    assert_eq!(status.autonomy, Autonomy::Investigate);
    assert!(status.tools.len() >= 10, "{}", status.tools.len());
    // Most of them say readOnlyHint of themselves.
    assert!(status.tools.iter().all(|tool| tool.access == Access::Write));

    mark_read(&world, "everything", &["echo", "get-sum"]).await;
    let catalog = world.host.catalog().await;
    let reads: Vec<&str> = catalog
        .iter()
        .filter(|tool| tool.access == Access::Read)
        .map(|tool| tool.tool.tool.as_str())
        .collect();
    assert_eq!(reads, ["echo", "get-sum"]);

    let echo = world
        .call("everything", "echo", json!({"message": "hällo"}))
        .await
        .unwrap();
    assert!(
        echo.value.as_str().unwrap().contains("hällo"),
        "{}",
        echo.value
    );
    let sum = world
        .call("everything", "get-sum", json!({"a": 2, "b": 40}))
        .await
        .unwrap();
    assert!(sum.value.as_str().unwrap().contains("42"), "{}", sum.value);
    let wrong = world
        .call("everything", "get-sum", json!({"a": "two"}))
        .await;
    assert!(matches!(wrong, Err(CallError::Refused { .. })), "{wrong:?}");
    let weather = world
        .call(
            "everything",
            "get-structured-content",
            json!({"location": "Chicago"}),
        )
        .await
        .unwrap();
    assert!(weather.value.is_object(), "{}", weather.value);
    let image = world
        .call("everything", "get-tiny-image", json!({}))
        .await
        .unwrap();
    assert!(
        image
            .value
            .as_str()
            .unwrap()
            .contains("[image of type \"image/png\"]"),
        "{}",
        image.value
    );
    let links = world
        .call("everything", "get-resource-links", json!({"count": 2}))
        .await
        .unwrap();
    assert!(
        links.value.as_str().unwrap().contains("[link "),
        "{}",
        links.value
    );
}

#[tokio::test]
async fn a_server_sees_nothing_of_gabys_environment() {
    let Some((npm, _)) = installed() else { return };
    let world = World::with(&[]).await;
    let program = npm.join("node_modules/.bin/mcp-server-everything");
    world
        .host
        .connect_mcp_stdio(
            "everything",
            argv(program, &[]),
            settings([("TOKEN", "named")]),
        )
        .await
        .unwrap();
    let environment = world
        .call("everything", "get-env", json!({}))
        .await
        .unwrap();
    let mut names: Vec<&str> = environment
        .value
        .as_object()
        .unwrap_or_else(|| panic!("{}", environment.value))
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["GABY_MCP_SERVER", "HOME", "PATH", "TOKEN"]);
}

#[tokio::test]
async fn everything_over_streamable_http() {
    let Some((npm, _)) = installed() else { return };
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut server =
        tokio::process::Command::new(npm.join("node_modules/.bin/mcp-server-everything"))
            .arg("streamableHttp")
            .env("PORT", port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
    let world = World::with(&[]).await;
    let url = format!("http://127.0.0.1:{port}/mcp");
    let mut connected = Err("never tried".to_owned());
    for _ in 0..60 {
        connected = world
            .host
            .connect_mcp_http("everything", &url, settings([]))
            .await
            .map_err(|error| error.to_string());
        if connected.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let connected = connected.unwrap();
    assert!(connected.tools.len() >= 10);
    let sum = world
        .call("everything", "get-sum", json!({"a": 2, "b": 40}))
        .await
        .unwrap();
    assert!(sum.value.as_str().unwrap().contains("42"), "{}", sum.value);

    server.kill().await.unwrap();
    let gone = world
        .call("everything", "get-sum", json!({"a": 2, "b": 40}))
        .await;
    assert!(gone.is_err(), "{gone:?}");
    let mut state = ConnectorState::Up;
    for _ in 0..100 {
        state = world.host.status().await.remove(0).state;
        if state == ConnectorState::Down {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(state, ConnectorState::Down);
}

#[tokio::test]
async fn the_filesystem_server_reads_its_folder_and_no_other() {
    let Some((npm, _)) = installed() else { return };
    let world = World::with(&[]).await;
    let folder = world.folder.path().join("shared");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("runbook.md"), "# Restart\nTurn it off and on.").unwrap();
    let program = npm.join("node_modules/.bin/mcp-server-filesystem");
    connect(
        &world,
        "files",
        argv(program, &[&folder.display().to_string()]),
    )
    .await;
    mark_read(&world, "files", &["read_text_file", "list_directory"]).await;

    let path = folder.join("runbook.md").display().to_string();
    let read = world
        .call("files", "read_text_file", json!({"path": path}))
        .await
        .unwrap();
    assert!(
        read.value.to_string().contains("Turn it off and on"),
        "{}",
        read.value
    );
    let listed = world
        .call(
            "files",
            "list_directory",
            json!({"path": folder.display().to_string()}),
        )
        .await
        .unwrap();
    assert!(
        listed.value.to_string().contains("runbook.md"),
        "{}",
        listed.value
    );
    let outside = world
        .call("files", "read_text_file", json!({"path": "/etc/hostname"}))
        .await
        .unwrap();
    assert!(outside.is_error, "{}", outside.value);

    let new = folder.join("new.md").display().to_string();
    let written = world
        .write(
            "files",
            "write_file",
            json!({"path": new, "content": "new"}),
            "k",
        )
        .await
        .unwrap();
    assert!(!written.is_error, "{}", written.value);
    assert_eq!(
        std::fs::read_to_string(folder.join("new.md")).unwrap(),
        "new"
    );
}

#[tokio::test]
async fn the_git_server_shows_a_repository() {
    let Some((_, python)) = installed() else {
        return;
    };
    let world = World::with(&[]).await;
    let folder = world.folder.path().join("repository");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("a.txt"), "one\n").unwrap();
    for arguments in [
        ["init", "-q", "-b", "main"].as_slice(),
        &["add", "a.txt"],
        &[
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@example.com",
            "commit",
            "-q",
            "-m",
            "First things first",
        ],
    ] {
        let done = std::process::Command::new("git")
            .args(arguments)
            .current_dir(&folder)
            .status();
        assert!(done.unwrap().success());
    }
    std::fs::write(folder.join("a.txt"), "two\n").unwrap();
    connect(&world, "git", argv(python.join("bin/mcp-server-git"), &[])).await;
    mark_read(
        &world,
        "git",
        &["git_status", "git_log", "git_diff_unstaged"],
    )
    .await;

    let repository = json!({"repo_path": folder.display().to_string()});
    let log = world
        .call("git", "git_log", repository.clone())
        .await
        .unwrap();
    assert!(
        log.value.to_string().contains("First things first"),
        "{}",
        log.value
    );
    let diff = world
        .call("git", "git_diff_unstaged", repository)
        .await
        .unwrap();
    assert!(diff.value.to_string().contains("+two"), "{}", diff.value);
}

#[tokio::test]
async fn the_time_server_tells_and_converts() {
    let Some((_, python)) = installed() else {
        return;
    };
    let world = World::with(&[]).await;
    connect(
        &world,
        "time",
        argv(python.join("bin/mcp-server-time"), &[]),
    )
    .await;
    mark_read(&world, "time", &["get_current_time", "convert_time"]).await;
    let converted = world
        .call(
            "time",
            "convert_time",
            json!({"source_timezone": "Europe/Berlin", "time": "12:00", "target_timezone": "Asia/Tokyo"}),
        )
        .await
        .unwrap();
    let text = converted.value.to_string();
    // Tokyo is seven or eight hours ahead, by the season.
    assert!(text.contains("T19:00") || text.contains("T20:00"), "{text}");
}

/// What the official Python client found at a server of ours.
async fn python_client(port: u16, tool: &str, arguments: &Value) -> Option<Value> {
    let (_, python) = installed()?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/servers/client.py");
    let done = tokio::process::Command::new(python.join("bin/python"))
        .args([script, &port.to_string(), tool, &arguments.to_string()])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    Some(serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{said}")))
}

#[tokio::test]
async fn another_host_is_served_the_reads_of_a_connector_and_no_write() {
    if installed().is_none() {
        return;
    }
    const SHOP: &str = r#"
name: shop
title: Shop
description: A shop.
driver: sqlite
settings: [{ key: path, label: Path }]
connection: { path: "{{ settings.path }}" }
tools:
  - { name: find, description: Finds., access: read, params: { id: { type: integer } }, query: "SELECT name FROM customers WHERE id = :id" }
  - { name: rename, description: Renames., access: write, params: { id: { type: integer } }, statement: "UPDATE customers SET name = 'x' WHERE id = :id" }
"#;
    let world = World::with(&[SHOP]).await;
    let path = world.folder.path().join("shop.db");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO customers VALUES (7, 'Ada')")
        .unwrap();
    world
        .host
        .connect_manifest(
            "shop",
            "shop",
            settings([("path", &path.display().to_string())]),
            settings([]),
        )
        .await
        .unwrap();

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (workspace, registry) = (world.workspace.clone(), world.host.registry().clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let pipes = stream.into_split();
            let (workspace, registry) = (workspace.clone(), registry.clone());
            tokio::spawn(async move {
                gaby_connect::mcp::serve_manifest(&workspace, &registry, "shop", pipes).await
            });
        }
    });
    let found = python_client(port, "find", &json!({"id": 7}))
        .await
        .unwrap();
    assert_eq!(found["tools"], json!([{"name": "find", "read": true}]));
    assert_eq!(
        found["result"],
        json!({"count": 1, "rows": [{"name": "Ada"}]})
    );
    assert_eq!(found["is_error"], false);
    let wrong = python_client(port, "find", &json!({"id": "seven"}))
        .await
        .unwrap();
    assert_eq!(wrong["is_error"], true);
    assert!(
        wrong["text"][0].as_str().unwrap().contains("`id`"),
        "{wrong}"
    );
}
