//! `gaby stub-llm`: a model that answers by a script.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use gaby_llm::stub::{Script, Stub};

use crate::output::note;

/// Serve a model that answers by a script, the same way each time
///
/// It speaks OpenAI's Chat Completions. docs/models.md describes the script. For demos, tests and
/// evaluations of your own: GABY_LLM_PROVIDER=openai-compatible GABY_LLM_MODEL=stub and
/// GABY_LLM_BASE_URL with the address that this prints.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The script, YAML or JSON
    #[arg(long, value_name = "FILE")]
    script: PathBuf,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let path = args.script.display();
    let text =
        std::fs::read_to_string(&args.script).with_context(|| format!("cannot read {path}"))?;
    let script = Script::parse(&text).with_context(|| path.to_string())?;
    let stub = Stub::bind(script, args.listen)
        .await
        .with_context(|| format!("cannot listen at {}", args.listen))?;
    note(format!("The stub model is at {}", stub.url));
    tokio::select! {
        ended = stub.run() => Ok(ended?),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}
