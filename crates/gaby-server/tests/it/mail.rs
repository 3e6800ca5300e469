//! People are told by mail that an action waits, over a real SMTP server.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gaby_model::{ActionId, TicketId};
use gaby_server::{MailSettings, Post};
use gaby_store::accounts::Role;
use serde_json::{Value, json};

use crate::action::propose;
use crate::world::{Seat, Setting, World};

/// What nobody but who signs in may read.
const MARKER: &str = "xylophone-7731";

/// A mail server that puts what it gets into a folder. None where the test tools are not installed.
struct MailServer {
    process: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl MailServer {
    async fn start() -> Option<Self> {
        let python = PathBuf::from(std::env::var_os("GABY_TEST_MCP_VENV")?).join("bin/python");
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let folder = tempfile::tempdir().unwrap();
        let server = Self::on(&python, port, folder);
        server.answers().await;
        Some(server)
    }

    fn on(python: &Path, port: u16, folder: tempfile::TempDir) -> Self {
        let process = Command::new(python)
            .args(["-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{port}")])
            .args(["-c", "aiosmtpd.handlers.Mailbox"])
            .arg(folder.path().join("mail"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            process,
            folder,
            port,
        }
    }

    async fn answers(&self) {
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(("127.0.0.1", self.port))
                .await
                .is_ok()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the mail server does not answer");
    }

    fn post(&self, more: Value) -> Post {
        let mut settings = json!({
            "server": "127.0.0.1", "port": self.port, "from": "Gaby <gaby@example.com>",
        });
        let more = more.as_object().unwrap().clone();
        settings.as_object_mut().unwrap().extend(more);
        let settings: MailSettings = serde_json::from_value(settings).unwrap();
        Post::open(&settings).unwrap().unwrap()
    }

    /// The mails, each as it came.
    fn mails(&self) -> Vec<String> {
        let Ok(folder) = std::fs::read_dir(self.folder.path().join("mail/new")) else {
            return Vec::new();
        };
        folder
            .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
            .collect()
    }

    async fn wait_for(&self, count: usize) -> Vec<String> {
        for _ in 0..300 {
            if self.mails().len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.mails()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A ticket that was looked into, and an action on it that waits.
async fn waiting(world: &World) -> (TicketId, ActionId) {
    let workspace = world.workspace("default").await;
    let tenant = world.tenants.open(&workspace).await.unwrap();
    let ticket =
        json!({"subject": "Help", "body": MARKER, "requester": {"email": "ann@example.com"}});
    let ticket = serde_json::from_value(ticket).unwrap();
    let taken = tenant.agent.intake(ticket, "helpdesk").await.unwrap();
    world.looked_into(&workspace, taken.id()).await;
    let action = propose(&workspace, taken.id(), MARKER).await;
    (taken.id().clone(), action)
}

/// The part of a mail's link behind `#token=`; long lines of a mail are broken with `=`.
fn token(mail: &str) -> String {
    let plain = mail
        .replace("=\r\n", "")
        .replace("=\n", "")
        .replace("=3D", "=");
    let (_, behind) = plain.split_once("#token=").unwrap();
    behind.split_whitespace().next().unwrap().to_owned()
}

#[tokio::test]
async fn whoever_decides_is_told_once_with_a_link_that_is_theirs() {
    let Some(server) = MailServer::start().await else {
        return;
    };
    let world = World::with(Setting {
        post: Some(server.post(json!({"tls": "none"}))),
        ..Setting::default()
    })
    .await;
    let agent = world.person(Role::Agent, None).await;
    world.person(Role::Viewer, None).await;
    let (_, action) = waiting(&world).await;

    let mails = server.wait_for(1).await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    let mail = &mails[0];
    assert!(mail.contains("Auto-Submitted: auto-generated"), "{mail}");
    assert!(mail.contains("unlock") && mail.contains("crm"), "{mail}");
    // What the ticket says stays behind the sign-in.
    assert!(!mail.contains(MARKER), "{mail}");

    let form = json!({"token": token(mail)});
    let seat = Seat {
        workspace: Some("default".to_owned()),
        ..agent
    };
    let led = world.post(&seat, "/api/links/follow", &form).await;
    assert_eq!(led.status, 200, "{}", led.text);
    assert_eq!(led.json["action"], json!(action));

    // A server that starts anew remembers who was told.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let folder = world.stop().await;
    let world = World::with(Setting {
        post: Some(server.post(json!({"tls": "none"}))),
        folder,
        ..Setting::default()
    })
    .await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(server.mails().len(), 1);
    drop(world);
}

#[tokio::test]
async fn a_server_without_encryption_is_not_used_unless_it_is_allowed() {
    let Some(server) = MailServer::start().await else {
        return;
    };
    let refused = server
        .post(json!({}))
        .check()
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains(&server.port.to_string()), "{refused}");
    let taken = server.post(json!({"tls": "none"})).check().await.unwrap();
    assert_eq!(taken, format!("127.0.0.1:{}", server.port));
}

#[tokio::test]
async fn a_mail_server_that_is_away_holds_nothing_up_and_is_told_of_later() {
    let Some(server) = MailServer::start().await else {
        return;
    };
    let away: MailSettings = serde_json::from_value(json!({
        "server": "127.0.0.1", "port": 1, "tls": "none", "from": "gaby@example.com",
    }))
    .unwrap();
    let world = World::with(Setting {
        post: Post::open(&away).unwrap(),
        ..Setting::default()
    })
    .await;
    world.person(Role::Agent, None).await;
    let (_, action) = waiting(&world).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    let workspace = world.workspace("default").await;
    assert!(workspace.mailed_actions().await.unwrap().is_empty());
    let folder = world.stop().await;

    let world = World::with(Setting {
        post: Some(server.post(json!({"tls": "none"}))),
        folder,
        ..Setting::default()
    })
    .await;
    assert_eq!(server.wait_for(1).await.len(), 1);
    for _ in 0..50 {
        let workspace = world.workspace("default").await;
        let told = workspace.mailed_actions().await.unwrap();
        if told.iter().any(|(told, _)| *told == action) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it is not noted who was told");
}
