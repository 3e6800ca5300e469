//! From bytes to a checked manifest.

use super::error::{ManifestError, ManifestErrors};
use super::locate::{Place, Places};
use super::{Manifest, check};

/// The largest manifest that is read.
pub const MAX_MANIFEST_BYTES: usize = 512 * 1024;

/// Reads and checks a manifest; `file` names it in errors.
///
/// # Errors
/// Everything that is wrong with it, each fault with its place and field.
pub fn parse(file: &str, bytes: &[u8]) -> Result<Manifest, ManifestErrors> {
    let whole = |message: String| ManifestError {
        file: file.to_owned(),
        line: 1,
        column: 1,
        field: String::new(),
        message,
    };
    if bytes.len() > MAX_MANIFEST_BYTES {
        return Err(whole(format!(
            "the file has {} bytes; a manifest has at most {MAX_MANIFEST_BYTES}",
            bytes.len()
        ))
        .into());
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = &bytes[..error.valid_up_to()];
        ManifestError {
            line: 1 + good.iter().filter(|b| **b == b'\n').count() as u64,
            ..whole("the file is not UTF-8: save it as UTF-8".to_owned())
        }
    })?;
    if text.trim().is_empty() {
        return Err(whole(
            "the file is empty: a manifest needs at least name, title, description, driver and tools"
                .to_owned(),
        )
        .into());
    }
    let places: Places = serde_saphyr::from_str_with_options(text, options())
        .map_err(|error| yaml_error(file, &error, None))?;
    let mut manifest: Manifest = serde_saphyr::from_str_with_options(text, options())
        .map_err(|error| yaml_error(file, &error, Some(&places)))?;
    manifest.hash = gaby_model::canonical::hash(&text).unwrap_or_default();

    let faults = check::faults(&manifest);
    if faults.is_empty() {
        return Ok(manifest);
    }
    Err(ManifestErrors(
        faults
            .into_iter()
            .map(|(field, message)| {
                let Place { line, column } = places.of(&field);
                ManifestError {
                    file: file.to_owned(),
                    line,
                    column,
                    field,
                    message,
                }
            })
            .collect(),
    ))
}

fn options() -> serde_saphyr::Options {
    let mut options = serde_saphyr::options! {
        strict_booleans: true,
        // A text that looks like a number or a boolean is quoted, so that nobody has to guess.
        no_schema: true,
        budget: serde_saphyr::budget! {
            max_events: 40_000,
            max_nodes: 20_000,
            max_depth: 32,
            flow_nesting_limit: 32,
            max_anchors: 200,
            max_aliases: 1_000,
            max_recorded_anchor_events: 10_000,
        },
    };
    options.alias_limits.max_total_replayed_events = 10_000;
    options.alias_limits.max_replay_stack_depth = 8;
    options
}

/// The field that a parser's message calls unknown.
fn unknown_field(message: &str) -> Option<&str> {
    let (name, _) = message.strip_prefix("unknown field `")?.split_once('`')?;
    Some(name)
}

fn yaml_error(file: &str, error: &serde_saphyr::Error, places: Option<&Places>) -> ManifestError {
    let place = error.location().map(Place::from).unwrap_or_default();
    let mut message = error.without_snippet().to_string();
    // The place is told apart, so the parser's own "line x column y" would say it twice.
    for tail in [
        format!(" at line {}, column {}", place.line, place.column),
        format!(" (line {}, column {})", place.line, place.column),
    ] {
        message = message.replace(&tail, "");
    }
    let prefix = format!("error: line {} column {}: ", place.line, place.column);
    let message = message.trim_start_matches(&prefix).trim().to_owned();
    ManifestError {
        file: file.to_owned(),
        line: place.line.max(1),
        column: place.column.max(1),
        field: places
            .map(|places| match unknown_field(&message) {
                Some(name) => places.field_at(place, name),
                None => places.path_at(place),
            })
            .unwrap_or_default(),
        message: match message.as_str() {
            "expected mapping start" => "here belong lines of `field: value`".to_owned(),
            _ => message,
        },
    }
}
