//! Third-party servers as child processes: bare environment, own process group, ended with all
//! their children.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Arc, LazyLock, Mutex, mpsc};

use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// What is kept of a server's stderr, for its last error.
const STDERR_BYTES: usize = 8 * 1024;
/// Where programs are looked for when Gaby herself has no `PATH`.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// The largest file that a server may write.
#[cfg(target_os = "linux")]
const FILE_BYTES: u64 = 1024 * 1024 * 1024;
/// Names each server in its environment, so that what it leaves behind can be found.
const MARK: &str = "GABY_MCP_SERVER";

/// A running server. Dropping it ends it.
pub(super) struct Process {
    child: Child,
    group: Option<rustix::process::Pid>,
    mark: String,
    stderr: Arc<Mutex<Vec<u8>>>,
}

/// Its two ends.
pub(super) struct Pipes {
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
}

impl Process {
    /// Starts `argv` with nothing in its environment but Gaby's `PATH` and `HOME`, and `env`.
    pub(super) async fn start(
        argv: &[String],
        env: &BTreeMap<String, String>,
    ) -> Result<(Self, Pipes), String> {
        let (program, arguments) = argv
            .split_first()
            .ok_or_else(|| "the command is empty".to_owned())?;
        let mark = uuid::Uuid::new_v4().to_string();
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .env(
                "PATH",
                std::env::var_os("PATH").unwrap_or_else(|| PATH.into()),
            )
            .envs(std::env::var_os("HOME").map(|home| ("HOME", home)))
            .envs(env)
            .env(MARK, &mark)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        bind_to_us(&mut command);
        let mut child = spawn(command)
            .await
            .map_err(|error| format!("`{program}` cannot be started: {error}"))?;
        let group = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(rustix::process::Pid::from_raw);
        let stderr = Arc::new(Mutex::new(Vec::new()));
        if let Some(pipe) = child.stderr.take() {
            tokio::spawn(keep_tail(pipe, stderr.clone()));
        }
        let pipes = match (child.stdin.take(), child.stdout.take()) {
            (Some(stdin), Some(stdout)) => Pipes { stdin, stdout },
            _ => return Err(format!("`{program}` was started without pipes")),
        };
        Ok((
            Self {
                child,
                group,
                mark,
                stderr,
            },
            pipes,
        ))
    }

    /// The last lines that it wrote to stderr.
    pub(super) fn last_words(&self) -> Option<String> {
        let bytes = self.stderr.lock().ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let tail = lines[lines.len().saturating_sub(3)..].join(" | ");
        (!tail.is_empty()).then(|| tail.chars().take(500).collect())
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(Some(status)) => Some(status.to_string()),
            _ => None,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // The group outlives its leader when the leader left children behind.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.start_kill();
        end_marked(&self.mark);
    }
}

/// Ends what left the group by making a session of its own, by the mark that it inherited.
fn end_marked(mark: &str) {
    use rustix::process::{Pid, Signal, kill_process};
    let own = std::process::id();
    let wanted = format!("{MARK}={mark}");
    // Only Linux shows it; elsewhere the group is all that can be ended.
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return;
    };
    for process in processes.filter_map(Result::ok) {
        let Some(id) = process
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        if id == own {
            continue;
        }
        let Ok(environment) = std::fs::read(process.path().join("environ")) else {
            continue;
        };
        let marked = environment
            .split(|byte| *byte == 0)
            .any(|entry| entry == wanted.as_bytes());
        let id = i32::try_from(id).ok().and_then(Pid::from_raw);
        if let (true, Some(id)) = (marked, id) {
            let _ = kill_process(id, Signal::KILL);
        }
    }
}

/// Keeps the end of what a server writes to stderr, and reads on so that it never blocks.
async fn keep_tail(mut pipe: ChildStderr, kept: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0; 4096];
    while let Ok(read) = pipe.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        if let Ok(mut kept) = kept.lock() {
            kept.extend_from_slice(&buffer[..read]);
            let over = kept.len().saturating_sub(STDERR_BYTES);
            kept.drain(..over);
        }
    }
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn bind_to_us(command: &mut Command) {
    use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
    // SAFETY: between fork and exec only async-signal-safe calls are allowed; these are system
    // calls without allocation or locks.
    unsafe {
        command.pre_exec(|| {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            let none = Rlimit {
                current: Some(0),
                maximum: Some(0),
            };
            setrlimit(Resource::Core, none)?;
            let file = Rlimit {
                current: Some(FILE_BYTES),
                maximum: Some(FILE_BYTES),
            };
            setrlimit(Resource::Fsize, file)?;
            Ok(())
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn bind_to_us(_: &mut Command) {}

type Request = (
    Command,
    tokio::runtime::Handle,
    tokio::sync::oneshot::Sender<std::io::Result<Child>>,
);

/// One thread that lives as long as the process and starts all servers: the parent-death signal
/// fires when the *thread* that started a child ends, and runtime threads come and go.
static STARTER: LazyLock<Option<mpsc::Sender<Request>>> = LazyLock::new(|| {
    let (sender, receiver) = mpsc::channel::<Request>();
    std::thread::Builder::new()
        .name("mcp-starter".into())
        .spawn(move || {
            for (mut command, runtime, answer) in receiver {
                let _entered = runtime.enter();
                let _ = answer.send(command.spawn());
            }
        })
        .ok()
        .map(|_| sender)
});

async fn spawn(command: Command) -> std::io::Result<Child> {
    let gone = || std::io::Error::other("the thread that starts servers is gone");
    let (sender, receiver) = tokio::sync::oneshot::channel();
    STARTER
        .as_ref()
        .ok_or_else(gone)?
        .send((command, tokio::runtime::Handle::current(), sender))
        .map_err(|_| gone())?;
    receiver.await.map_err(|_| gone())?
}
