//! The functions that a SELECT may use. What is not listed is refused, so a function that a later
//! version of an engine brings is refused until somebody looked at it.
//!
//! Left out on purpose, beside everything that writes, waits, locks, signals or reads files:
//! `repeat`, `lpad`, `rpad`, `format`, `printf`, `replicate`, `generate_series`, `randomblob`,
//! `zeroblob` and `regexp_*` (memory and time that a deadline ends late), `set_config`,
//! `current_setting`, `query_to_xml` and the like (SQL inside text), `row_to_json` and `to_json`
//! (whole rows past column grants), `nextval` (writes).

use super::shape::Dialect;

/// Known to both engines.
const COMMON: &[&str] = &[
    "abs", "avg", "ceil", "ceiling", "coalesce", "concat", "concat_ws", "count", "cume_dist",
    "dense_rank", "exp", "first_value", "floor", "lag", "last_value", "lead", "length", "ln", "log",
    "lower", "ltrim", "max", "min", "mod", "nth_value", "ntile", "nullif", "percent_rank", "power",
    "rank", "replace", "round", "row_number", "rtrim", "sign", "sqrt", "substr", "substring", "sum",
    "trim", "trunc", "upper",
];

const POSTGRES: &[&str] = &[
    "age", "array_agg", "array_length", "array_to_string", "bool_and", "bool_or", "btrim",
    "cardinality", "char_length", "character_length", "corr", "date", "date_part", "date_trunc",
    "date_bin", "div", "every", "greatest", "initcap", "json_array_length", "json_extract_path_text",
    "jsonb_array_length", "jsonb_extract_path_text", "jsonb_typeof", "json_typeof", "justify_days",
    "least", "left", "make_date", "make_interval", "md5", "mode", "now", "num_nulls", "octet_length",
    "percentile_cont", "percentile_disc", "position", "right", "split_part", "starts_with",
    "statement_timestamp", "stddev", "stddev_pop", "stddev_samp", "string_agg", "strpos", "to_char",
    "to_date", "to_number", "to_timestamp", "transaction_timestamp", "translate", "variance",
    "var_pop", "var_samp", "width_bucket", "current_date", "current_time", "current_timestamp",
    "localtime", "localtimestamp",
];

const SQLITE: &[&str] = &[
    "char", "current_date", "current_time", "current_timestamp", "date", "datetime",
    "glob", "group_concat", "hex", "ifnull", "iif", "instr", "json", "json_array_length",
    "json_extract", "json_type", "json_valid", "julianday", "like", "likely", "quote",
    "strftime", "string_agg", "time", "timediff", "total", "typeof", "unicode", "unixepoch",
    "unlikely", "->", "->>", "match", "bm25", "snippet", "highlight",
];

/// Whether a SELECT in this dialect may use the function.
pub(crate) fn allowed(dialect: Dialect, name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let own = match dialect {
        Dialect::Postgres => POSTGRES,
        Dialect::Sqlite => SQLITE,
    };
    COMMON.contains(&name.as_str()) || own.contains(&name.as_str())
}
