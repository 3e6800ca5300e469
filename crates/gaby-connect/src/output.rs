//! From what a system answered to what the tool gives: jq filters of manifests.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data, unwrap_valr};
use jaq_json::{Val, read};
use regex::Regex;
use serde_json::Value;

/// The longest filter.
const MAX_FILTER_BYTES: usize = 8_000;
/// The longest time that a filter may take.
const DEADLINE: Duration = Duration::from_secs(2);

/// A filter that could not be read or run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the jq filter {0}")]
pub(crate) struct FilterError(String);

type Filter = jaq_core::compile::Filter<jaq_core::Native<data::JustLut<Val>>>;

/// A compiled jq filter without loops, so that it ends.
pub(crate) struct Mapping {
    filter: Arc<Filter>,
}

impl std::fmt::Debug for Mapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mapping")
    }
}

/// Words that could run for ever or look outside; jq cannot be interrupted from without.
static ENDLESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?:^|[^.\w$])(def|recurse|recurse_down|while|until|repeat|range|limit|input|inputs|env|debug|stderr|include|import|combinations|walk|halt|halt_error|error)\b|\$ENV|\$__",
    )
    .ok()
});

static STRINGS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#""(?:[^"\\]|\\[^(])*""#).ok());

/// Filters that were compiled: each is when its manifest is checked, and again at every connect, and takes some
/// milliseconds for the definitions that jq brings along.
static COMPILED: LazyLock<Mutex<HashMap<String, Arc<Filter>>>> = LazyLock::new(Mutex::default);

/// How many are remembered before all are forgotten.
const REMEMBERED: usize = 256;

impl Mapping {
    /// Reads a filter.
    pub(crate) fn compile(code: &str) -> Result<Self, FilterError> {
        let compiled = || COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(filter) = compiled().get(code) {
            let filter = Arc::clone(filter);
            return Ok(Self { filter });
        }
        let filter = Arc::new(Self::compiled(code)?);
        let mut compiled = compiled();
        if compiled.len() >= REMEMBERED {
            compiled.clear();
        }
        compiled.insert(code.to_owned(), Arc::clone(&filter));
        Ok(Self { filter })
    }

    fn compiled(code: &str) -> Result<Filter, FilterError> {
        if code.len() > MAX_FILTER_BYTES {
            return Err(FilterError(format!(
                "has {} bytes; at most {MAX_FILTER_BYTES} are read",
                code.len()
            )));
        }
        let bare = STRINGS
            .as_ref()
            .map_or_else(|| code.into(), |strings| strings.replace_all(code, "\"\""));
        let captured = ENDLESS
            .as_ref()
            .and_then(|endless| endless.captures(&bare))
            .and_then(|found| found.iter().flatten().last());
        if let Some(found) = captured {
            return Err(FilterError(format!(
                "uses `{}`, which could run without end or look outside the result: leave it out",
                found.as_str().trim()
            )));
        }
        let defs = jaq_core::defs()
            .chain(jaq_std::defs())
            .chain(jaq_json::defs());
        let funs = jaq_core::funs()
            .chain(jaq_std::funs())
            .chain(jaq_json::funs());
        let arena = Arena::default();
        let modules = Loader::new(defs)
            .load(&arena, File { code, path: () })
            .map_err(|_| FilterError(format!("`{}` is not valid jq", shorten(code))))?;
        Compiler::default()
            .with_funs(funs)
            .compile(modules)
            .map_err(|errors| {
                let names: Vec<String> = errors
                    .into_iter()
                    .flat_map(|(_, errors)| errors)
                    .map(|(name, _)| format!("`{name}`"))
                    .collect();
                FilterError(format!(
                    "`{}` uses {}, which jq does not know",
                    shorten(code),
                    names.join(", ")
                ))
            })
    }

    /// The filter's first output, on a blocking thread; nothing gives null.
    pub(crate) async fn apply(
        &self,
        value: Value,
        most_bytes: usize,
    ) -> Result<Value, FilterError> {
        let filter = self.filter.clone();
        let run = tokio::task::spawn_blocking(move || apply(&filter, &value, most_bytes));
        match tokio::time::timeout(DEADLINE, run).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(FilterError(
                "stopped unexpectedly on this answer".to_owned(),
            )),
            Err(_) => Err(FilterError(format!(
                "took longer than {} seconds on this answer",
                DEADLINE.as_secs()
            ))),
        }
    }
}

fn apply(filter: &Filter, value: &Value, most_bytes: usize) -> Result<Value, FilterError> {
    let text = value.to_string();
    let input = read::parse_single(text.as_bytes())
        .map_err(|error| FilterError(format!("cannot read the answer: {error}")))?;
    let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
    let first = filter.id.run((context, input)).map(unwrap_valr).next();
    let output = match first {
        None => return Ok(Value::Null),
        Some(Err(error)) => {
            let text: String = error.to_string().chars().take(300).collect();
            return Err(FilterError(format!("failed on this answer: {text}")));
        }
        Some(Ok(output)) => output.to_string(),
    };
    if output.len() > most_bytes {
        return Err(FilterError(format!(
            "gave {} bytes, more than the {most_bytes} of this tool's limit",
            output.len()
        )));
    }
    serde_json::from_str(&output)
        .map_err(|error| FilterError(format!("gave something that is not JSON: {error}")))
}

fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn a_filter_builds_objects() {
        let mapping =
            Mapping::compile("{found: (.rows | length > 0), customer: .rows[0]}").unwrap();
        let given = json!({"rows": [{"id": 7, "name": "Zoë \"q\""}]});
        assert_eq!(
            mapping.apply(given, 1000).await.unwrap(),
            json!({"found": true, "customer": {"id": 7, "name": "Zoë \"q\""}})
        );
    }

    #[tokio::test]
    async fn numbers_survive_and_size_is_bounded() {
        let mapping = Mapping::compile(".").unwrap();
        let given = json!({"n": 9_007_199_254_740_993_i64, "f": 0.1, "s": "x"});
        assert_eq!(mapping.apply(given.clone(), 1000).await.unwrap(), given);
        let error = mapping.apply(given, 5).await.unwrap_err();
        assert!(error.to_string().contains("more than the 5"), "{error}");
    }

    #[test]
    fn filters_that_may_not_end_or_look_outside_are_refused() {
        for code in [
            "def f: f; f",
            "repeat(1)",
            "[range(1e9)]",
            "recurse",
            "env",
            "$ENV.PATH",
            "until(false; .)",
            "input",
        ] {
            assert!(Mapping::compile(code).is_err(), "{code}");
        }
        for code in [".range", ".a.input", "{\"def\": 1}", "\"while\""] {
            assert!(Mapping::compile(code).is_ok(), "{code}");
        }
    }

    #[test]
    fn a_broken_filter_says_what_is_wrong() {
        let error = Mapping::compile(".a |").unwrap_err().to_string();
        assert!(error.contains("not valid jq"), "{error}");
        let error = Mapping::compile("nonsense(.)").unwrap_err().to_string();
        assert!(error.contains("nonsense"), "{error}");
    }
}
