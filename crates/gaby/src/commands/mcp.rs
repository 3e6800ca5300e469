//! `gaby mcp`: offer a connector to another MCP host.

use clap::Subcommand;

use crate::workplace::Workplace;

/// Offer a connector to another MCP host
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Serve(Serve),
}

/// Speak MCP over stdin and stdout for one connector, until they close
///
/// Only its reads are offered: a write needs Gaby's gate, which the other host does not have.
#[derive(Debug, clap::Args)]
struct Serve {
    /// The connector's name, as `gaby connectors` shows it
    name: String,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let What::Serve(serve) = args.what;
    let workspace = place.workspace().await?;
    let registry = place.registry()?;
    Ok(gaby_connect::mcp::serve_stdio(&workspace, &registry, &serve.name).await?)
}
