//! The binary in a data folder of its own, without anything of the caller's environment.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take before a test gives up.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A data folder, and the files that a test makes.
pub(crate) struct Gaby {
    folder: tempfile::TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Gaby {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Where a file of the test is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the test, and gives its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// The command, ready to be changed.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gaby"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("GABY_DATA", self.data())
            .current_dir(self.folder.path())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments), b"")
    }

    /// Runs a command with this on stdin.
    pub(crate) fn run_with(&self, arguments: &[&str], stdin: impl AsRef<[u8]>) -> Ran {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped());
        Ran::of(command, stdin.as_ref())
    }

    /// Runs a command that must succeed, and gives its JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.out))
    }

    /// Runs a command that must succeed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        ran.out
    }

    /// A token that hands tickets in, with its `id` and `token`.
    pub(crate) fn ticket_token(&self) -> Value {
        let scope = ["--scope", "tickets:write"];
        self.json(&[&["token", "create", "feed", "--json"], &scope[..]].concat())
    }

    /// The demo company's database, with its data.
    pub(crate) fn demo_database(&self) -> PathBuf {
        let database = self.path("larkfield.db");
        let connection = rusqlite::Connection::open(&database).unwrap();
        for script in ["schema.sql", "data.sql"] {
            let script = repository().join("demo/database").join(script);
            let text = std::fs::read_to_string(script).unwrap();
            connection.execute_batch(&text).unwrap();
        }
        database
    }

    /// Connects the demo's accounts in such a database.
    pub(crate) fn connect_accounts(&self, database: &Path) {
        let path = format!("path={}", database.display());
        let manifests = demo_manifests();
        let connect = ["connect", "larkfield_accounts", "--connectors"];
        self.ok(&[&connect[..], &[&manifests, "--set", &path]].concat());
    }

    /// Starts the server and waits until it answers.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Serving {
        Serving::start(self, arguments)
    }
}

impl Ran {
    pub(crate) fn of(mut command: Command, stdin: &[u8]) -> Self {
        let mut child = command.spawn().unwrap();
        if let Some(mut pipe) = child.stdin.take() {
            // Whoever refuses its input early closes the pipe.
            let _ = pipe.write_all(stdin);
        }
        let output = child.wait_with_output().unwrap();
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A running server, killed when dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: String,
    /// What it said on stderr until it was ready.
    pub(crate) greeting: String,
}

impl Serving {
    fn start(gaby: &Gaby, arguments: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|probe| probe.local_addr())
            .unwrap()
            .port();
        let address = format!("127.0.0.1:{port}");
        let log = std::fs::File::create(gaby.path("serve.log")).unwrap();
        let mut command = gaby.command(&["serve", "--listen", &address]);
        let mut child = command.args(arguments).stdout(log).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains(&address) {
            let read = said.read_line(&mut greeting).unwrap();
            assert_ne!(read, 0, "the server ended: {greeting}");
        }
        std::thread::spawn(move || {
            let _ = said.read_to_string(&mut String::new());
        });
        let serving = Self {
            child,
            address,
            greeting,
        };
        wait_for("the server to answer", || serving.get("/healthz").is_some());
        serving
    }

    /// The body that a path gives; none when there is no answer or no success.
    pub(crate) fn get(&self, path: &str) -> Option<String> {
        self.request(&format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        ))
    }

    /// As [`Self::get`], with a token.
    pub(crate) fn get_with(&self, token: &str, path: &str) -> Option<String> {
        self.request(&format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n",
            self.address
        ))
    }

    /// Hands in a ticket with a token, and gives the answer.
    pub(crate) fn post_ticket(&self, token: &str, ticket: &str) -> Option<String> {
        self.request(&format!(
            "POST /api/tickets HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{ticket}",
            self.address,
            ticket.len()
        ))
    }

    fn request(&self, text: &str) -> Option<String> {
        let mut stream = std::net::TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(LONG)).ok()?;
        stream.write_all(text.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.starts_with("HTTP/1.1 2").then(|| body.to_owned())
    }

    /// Kills it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn end(mut self) -> Option<i32> {
        terminate(&self.child);
        let ended = wait_until_ended(&mut self.child);
        assert!(ended.is_some(), "the server did not end");
        ended.and_then(|status| status.code())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn terminate(child: &Child) {
    let ended = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(ended.unwrap().success());
}

fn wait_until_ended(child: &mut Child) -> Option<std::process::ExitStatus> {
    let began = Instant::now();
    while began.elapsed() < LONG {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

/// Waits until something is so.
pub(crate) fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < LONG, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The folder of the demo's manifests.
pub(crate) fn demo_manifests() -> String {
    repository().join("demo/connectors").display().to_string()
}

/// The repository's root.
pub(crate) fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}
