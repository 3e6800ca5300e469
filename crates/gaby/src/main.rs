//! The `gaby` command: reads its arguments, puts the parts together, and runs one command.
//!
//! [`cli`] is the tree of commands, [`settings`] what holds for all of them, [`workplace`] opens what
//! a command works on, and each command is a file of [`commands`]. [`failure`] says how a command
//! ends when it does not succeed.

mod cli;
mod commands;
mod failure;
mod input;
mod logging;
mod memory;
mod output;
mod progress;
mod prompt;
mod settings;
mod telemetry;
mod workplace;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;

fn main() -> ExitCode {
    stay_out_of_core_dumps();
    memory::keep_little();
    // Without it nothing can be reached over TLS; it fails only when it was done before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failure::report(&anyhow::anyhow!("cannot start: {error}")),
    };
    let ended = runtime.block_on(commands::run(cli));
    // What a command left running, such as a connector being reached, does not hold up its end.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}

/// What is opened here in memory must not be written to a disk by a crash, nor read by a debugger of
/// another process of this user. Where the system does not offer that, nothing is lost but that.
fn stay_out_of_core_dumps() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
