//! Reading what a person gives: files and stdin, never more than makes sense.

use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use gaby_model::IncomingTicket;

/// The longest ticket that is read: its longest body, every character of it escaped, fits in.
const MAX_TICKET_BYTES: u64 = 2 * 1024 * 1024;

/// A ticket from a file, or from stdin for `-`.
pub(crate) fn ticket(path: &Path) -> anyhow::Result<IncomingTicket> {
    let (bytes, name) = bytes(path, MAX_TICKET_BYTES)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()]
            .iter()
            .filter(|b| **b == b'\n')
            .count();
        anyhow!("{name}:{line}: not UTF-8: save the ticket as UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let ticket: IncomingTicket = serde_json::from_str(text).map_err(|error| {
        anyhow!(
            "{name}:{}:{}: not a ticket: {}. A ticket is JSON such as \
             {{\"subject\": \"…\", \"body\": \"…\", \"requester\": \"ana@example.com\"}}",
            error.line(),
            error.column(),
            without_place(&error.to_string()),
        )
    })?;
    ticket.check().context(name)?;
    Ok(ticket)
}

/// The bytes of a file, or of stdin for `-`, with the name that messages give it.
pub(crate) fn bytes(path: &Path, most: u64) -> anyhow::Result<(Vec<u8>, String)> {
    let mut bytes = Vec::new();
    let from_stdin = path == Path::new("-");
    let name = if from_stdin {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let read = if from_stdin {
        std::io::stdin().take(most + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("cannot read {name}"))?;
    if bytes.len() as u64 > most {
        bail!(
            "{name} is larger than {} MB, which is the most that is read here",
            most / 1024 / 1024
        );
    }
    Ok((bytes, name))
}

/// `key=value`, as `--set` takes it.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err(format!("`{text}` is not KEY=VALUE")),
    }
}

/// serde_json's message ends with the place, which is said at the beginning already.
fn without_place(message: &str) -> &str {
    message
        .rsplit_once(" at line ")
        .map_or(message, |(message, _)| message)
}
