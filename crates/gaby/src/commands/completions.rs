//! `gaby completions`: the shell completes commands and flags.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;

/// Print a script that has the shell complete commands
///
/// For bash: gaby completions bash > ~/.local/share/bash-completion/completions/gaby
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "gaby", &mut script);
    std::io::Write::write_all(&mut std::io::stdout(), &script)?;
    Ok(())
}
