//! `gaby shadow-report`: what Gaby would have done with a connector that is only rehearsed.

use std::time::Duration;

use gaby_agent::Shadow;
use gaby_gate::display::escape;
use gaby_gate::dry_run::Afterwards;
use gaby_model::{Change, Clock as _, SystemClock};

use crate::output::{self, Output};
use crate::workplace::Workplace;

const REACH: Duration = Duration::from_secs(10);
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// Show what Gaby would have done with a connector in dry run, and what people did instead
///
/// `gaby connector NAME --scope dry_run` begins it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The connector
    connector: String,
    /// How many days back, 1 to 90
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u8).range(1..=90))]
    days: u8,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let tenant = place.tenant().await?;
    tenant.host.settled(REACH).await;
    let since = SystemClock
        .now()
        .plus_millis(-i64::from(args.days) * DAY_MILLIS);
    let shadow = tenant.agent.shadow_report(&args.connector, since).await?;
    if args.json {
        return output::json(&shadow);
    }
    let mut out = Output::new();
    tell(&mut out, &shadow, args.days)?;
    out.end()
}

fn tell(out: &mut Output, shadow: &Shadow, days: u8) -> anyhow::Result<()> {
    let report = &shadow.report;
    out.line(format!(
        "{} in the last {days} days: Gaby would have made {} changes by herself and asked for {}.",
        report.connector, report.would_have_acted, report.would_have_asked
    ))?;
    if report.rehearsals.is_empty() {
        return Ok(());
    }
    out.line(format!(
        "Now {} stand as she would have made them, {} as they were, {} otherwise, {} could not be looked at.",
        shadow.as_gaby_would_have, shadow.as_it_was, shadow.otherwise, shadow.not_looked
    ))?;
    for (reason, times) in &report.by_reason {
        out.line(format!(
            "  {times} times would have asked: {}",
            escape(reason)
        ))?;
    }
    for (rehearsal, afterwards) in report.rehearsals.iter().zip(&shadow.afterwards) {
        out.line(format!("{}  {}", rehearsal.at, escape(&rehearsal.summary)))?;
        for change in &rehearsal.diff.changes {
            out.line(format!("  Gaby:   {}", shown(change)))?;
        }
        match afterwards {
            Afterwards::AsGabyWouldHave => out.line("  people: the same")?,
            Afterwards::AsItWas => out.line("  people: nothing")?,
            Afterwards::NotLooked => out.line("  people: nobody could look")?,
            Afterwards::Otherwise(changes) => {
                for change in changes {
                    out.line(format!("  people: {}", shown(change)))?;
                }
            }
        }
    }
    Ok(())
}

fn shown(change: &Change) -> String {
    escape(&format!(
        "{} from {} to {}",
        change.field, change.before, change.after
    ))
}
