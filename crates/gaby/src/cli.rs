//! The tree of commands.

use clap::{Parser, Subcommand};

use crate::commands::{
    approvals, ask, audit, completions, connect, connector, connectors, consents, doctor, eval,
    ingest, investigate, llm, mcp, playbook, policy, redact, replay, search, serve, shadow_report,
    stub_llm, tickets, token, undo, user, workspace,
};
use crate::settings::Global;

/// AI support agent that actually investigates.
#[derive(Debug, Parser)]
#[command(name = "gaby", bin_name = "gaby", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// A command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(serve::Args),
    Ingest(ingest::Args),
    Search(search::Args),
    Ask(ask::Args),
    Investigate(investigate::Args),
    Approvals(approvals::Args),
    Undo(undo::Args),
    Tickets(tickets::Args),
    Connect(connect::Args),
    Connectors(connectors::Args),
    Connector(connector::Args),
    Consents(consents::Args),
    ShadowReport(shadow_report::Args),
    Mcp(mcp::Args),
    Playbook(playbook::Args),
    Policy(policy::Args),
    Llm(llm::Args),
    Redact(redact::Args),
    Eval(eval::Args),
    Replay(replay::Args),
    StubLlm(stub_llm::Args),
    Audit(audit::Args),
    Workspace(workspace::Args),
    Doctor(doctor::Args),
    Token(token::Args),
    User(user::Args),
    Completions(completions::Args),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_documentation_names_every_command_and_no_other() {
        let documented = include_str!("../../../docs/cli.md");
        let table: Vec<&str> = documented
            .lines()
            .filter(|line| line.starts_with("| `gaby "))
            .collect();
        let tree = Cli::command();
        for command in tree.get_subcommands() {
            let name = command.get_name();
            let row = |line: &&str| line.split(['`', ' ']).any(|word| word == name);
            let rows: Vec<&str> = table.iter().copied().filter(row).collect();
            assert!(!rows.is_empty(), "docs/cli.md has no row for `gaby {name}`");
            for below in command.get_subcommands() {
                let below = below.get_name();
                let named = rows.iter().any(|line| line.contains(below));
                assert!(named, "docs/cli.md does not name `gaby {name} {below}`");
            }
        }
        for line in table {
            let name = line.split(['`', ' ']).nth(3).unwrap_or_default();
            let known = tree
                .get_subcommands()
                .any(|command| command.get_name() == name);
            assert!(known, "there is no `gaby {name}`: {line}");
        }
    }
}
