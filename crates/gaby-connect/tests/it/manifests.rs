//! Manifests: what is accepted, what an error says, and that the schema for editors says the same.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use gaby_connect::manifest::{Manifest, ManifestErrors, Registry, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

fn load(value: &Value) -> Result<Manifest, ManifestErrors> {
    // JSON is YAML too.
    parse("test.yaml", value.to_string().as_bytes())
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn repository(path: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../").to_owned() + path;
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn schema() -> Value {
    serde_json::from_str(&repository("connectors/manifest.schema.json")).unwrap()
}

/// Manifests that hold every field there is.
fn complete() -> Vec<(String, Value)> {
    vec![
        ("http".to_owned(), yaml(EVERY_HTTP_FIELD)),
        ("sqlite".to_owned(), yaml(EVERY_SQL_FIELD)),
    ]
}

/// Those, and the manifests of the repository.
fn good() -> Vec<(String, Value)> {
    let mut all = complete();
    for folder in ["connectors", "demo/connectors"] {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../").to_owned() + folder;
        for entry in std::fs::read_dir(path).unwrap() {
            let name = entry.unwrap().file_name().display().to_string();
            if name.ends_with(".yaml") {
                let text = repository(&format!("{folder}/{name}"));
                all.push((name, yaml(&text)));
            }
        }
    }
    let docs = repository("docs/connectors.md");
    let (_, example) = docs
        .split_once("## A complete example\n\n```yaml\n")
        .unwrap();
    let (example, _) = example.split_once("```").unwrap();
    all.push(("docs/connectors.md".to_owned(), yaml(example)));
    all
}

const EVERY_HTTP_FIELD: &str = r#"
name: everything
title: Everything
description: Every field.
driver: http
settings:
  - { key: url, label: URL, help: Where, secret: false, required: true, default: "https://a.example.com", example: x, choices: ["https://a.example.com"] }
  - { key: key, label: Key, secret: true }
connection: { base_url: "{{ settings.url }}", allow: ["inside.example.com:8443"] }
auth: { type: header, name: X-Key, value: "{{ secrets.key }}" }
rate: { calls: 5, seconds: 1 }
health: { request: { method: GET, path: /ping } }
limits: { rows: 10, bytes: 1000, seconds: 5 }
tools:
  - name: find
    title: Find
    description: Finds.
    role: thing.find
    access: read
    risk: 1
    params:
      q: { type: string, description: What, required: false, default: a, enum: [a, b], pattern: "^[ab]$", min_length: 1, max_length: 2 }
      n: { type: integer, minimum: 1, maximum: 9 }
    request:
      method: GET
      path: /things/{{ args.n }}
      query: { q: "{{ args.q }}" }
      headers: { X-A: b }
      paging: { items: .data, cursor: .next, param: after, pages: 2 }
    output: '{ n: (.items | length) }'
    output_integrity: { /n: system }
    limits: { rows: 1 }
  - name: more
    description: More.
    access: read
    request: { method: GET, path: /more, paging: { items: .data, next: .next, link: false } }
  - name: nested
    description: Nested.
    access: read
    input_schema: { type: object, properties: { a: { type: array } } }
    request: { method: POST, path: /search, safe: true, json: { a: "{{ args.a }}" } }
  - name: do
    description: Does.
    access: write
    params: { n: { type: integer } }
    arguments: { n: target }
    request: { method: POST, path: /do, form: { n: "{{ args.n }}" } }
    reversibility: reversible
    idempotent: true
    always_human: money
    undo: { tool: do, arguments: { n: "{{ args.n }}" } }
    verify: { tool: find, arguments: { n: "{{ args.n }}" }, expect: result.n > 0 }
    preview: { tool: find, arguments: { n: "{{ args.n }}" } }
    owner_check: { tool: find, arguments: { n: "{{ args.n }}" }, expect: result.n > 0 }
"#;

const EVERY_SQL_FIELD: &str = r#"
name: sql
title: SQL
description: Every field of SQL.
driver: sqlite
settings: [{ key: path, label: Path }, { key: free, label: Free, default: "false" }]
connection: { path: "{{ settings.path }}" }
health: { query: SELECT 1 }
tools:
  - { name: schema, description: Lists., access: read, builtin: schema, when: free }
  - { name: find, description: Finds., access: read, params: { n: { type: integer } }, query: "SELECT :n AS n" }
  - name: change
    description: Changes.
    access: write
    params: { n: { type: integer } }
    statement: ["UPDATE t SET a = 1 WHERE n = :n", "DELETE FROM u WHERE n = :n"]
    affects: { at_least: 0, at_most: 5 }
"#;

#[test]
fn every_manifest_of_the_repository_loads_and_fits_the_schema() {
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (name, value) in good() {
        load(&value).unwrap_or_else(|errors| panic!("{name}: {errors}"));
        let faults: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{name}: {faults:?}");
    }
    assert!(Registry::built_in().unwrap().names().len() >= 3);
}

/// A closed object of a manifest: where it is, and what the schema knows there.
struct Closed {
    pointer: String,
    known: BTreeSet<String>,
    required: BTreeSet<String>,
}

/// Every closed object of `value`, with the part of the schema that describes it.
fn closed(value: &Value, node: &Value, root: &Value, pointer: String, out: &mut Vec<Closed>) {
    let node = match node["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap(),
        None => node,
    };
    if let Some(branches) = node["oneOf"].as_array() {
        let fits = |branch: &&Value| {
            let mut whole = (*branch).clone();
            if let Value::Object(fields) = &mut whole {
                fields.insert("$defs".into(), root["$defs"].clone());
            }
            jsonschema::validator_for(&whole).unwrap().is_valid(value)
        };
        if let Some(branch) = branches.iter().find(fits) {
            closed(value, branch, root, pointer, out);
        }
        return;
    }
    match value {
        Value::Object(fields) => {
            let names = |key: &str| -> BTreeSet<String> {
                match &node[key] {
                    Value::Object(known) => known.keys().cloned().collect(),
                    Value::Array(list) => list
                        .iter()
                        .map(|n| n.as_str().unwrap().to_owned())
                        .collect(),
                    _ => BTreeSet::new(),
                }
            };
            if node["additionalProperties"] == json!(false) {
                out.push(Closed {
                    pointer: pointer.clone(),
                    known: names("properties"),
                    required: names("required"),
                });
            }
            for (key, inner) in fields {
                let next = match &node["properties"][key] {
                    Value::Null => &node["additionalProperties"],
                    next => next,
                };
                if next.is_object() {
                    closed(
                        inner,
                        next,
                        root,
                        format!("{pointer}/{}", key.replace('/', "~1")),
                        out,
                    );
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                closed(
                    item,
                    &node["items"],
                    root,
                    format!("{pointer}/{index}"),
                    out,
                );
            }
        }
        _ => {}
    }
}

fn closed_objects(value: &Value) -> Vec<Closed> {
    let (schema, mut out) = (schema(), Vec::new());
    closed(value, &schema, &schema, String::new(), &mut out);
    out
}

#[test]
fn the_schema_knows_exactly_the_fields_that_the_loader_knows() {
    let mut places = 0;
    for (name, value) in complete() {
        for Closed { pointer, known, .. } in closed_objects(&value) {
            let mut odd = value.clone();
            odd.pointer_mut(&pointer).unwrap()["zzz"] = json!(1);
            let said = load(&odd).expect_err(&pointer).to_string();
            let Some((_, expected)) = said.split_once("unknown field `zzz`, expected ") else {
                panic!("{name} {pointer}: {said}");
            };
            let mut told: BTreeSet<String> = expected
                .trim_start_matches("one of ")
                .split([',', ' ', '`', '\n'])
                .filter(|word| !word.is_empty() && *word != "or")
                .map(str::to_owned)
                .collect();
            if pointer == "/auth" {
                // The tag that picks the kind is not among a kind's own fields.
                told.insert("type".into());
            }
            assert_eq!(told, known, "{name} {pointer}: {said}");
            places += 1;
        }
    }
    assert!(places >= 25, "{places}");
}

#[test]
fn what_the_schema_requires_the_loader_requires() {
    for (name, value) in complete() {
        for Closed {
            pointer, required, ..
        } in closed_objects(&value)
        {
            for field in required {
                let mut less = value.clone();
                if let Some(Value::Object(fields)) = less.pointer_mut(&pointer) {
                    fields.remove(&field);
                }
                assert!(load(&less).is_err(), "{name} {pointer}/{field}");
            }
        }
    }
}

fn pointers(value: &Value, pointer: String, out: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                pointers(
                    inner,
                    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")),
                    out,
                );
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                pointers(inner, format!("{pointer}/{index}"), out);
            }
        }
        _ => {}
    }
    out.push(pointer);
}

#[test]
fn loader_and_schema_agree_on_every_wrong_value() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!("text"),
        json!([]),
        json!({"a": 1}),
    ];
    for (name, good) in complete() {
        let mut places = Vec::new();
        pointers(&good, String::new(), &mut places);
        // One place of each kind: what holds for the first tool holds for the second.
        let mut seen = BTreeSet::new();
        places.retain(|place| {
            let kind: Vec<&str> = place
                .split('/')
                .map(|part| {
                    if part.parse::<u32>().is_ok() {
                        "*"
                    } else {
                        part
                    }
                })
                .collect();
            !place.is_empty() && seen.insert(kind.join("/"))
        });
        for place in &places {
            for value in &values {
                let mut changed = good.clone();
                *changed.pointer_mut(place).unwrap() = value.clone();
                let fits = validator.is_valid(&changed);
                match load(&changed) {
                    Ok(_) => assert!(fits, "{name} {place} = {value}: only the schema refuses it"),
                    Err(errors) => {
                        let said = errors.to_string();
                        let of_type = [
                            "invalid type",
                            "unknown variant",
                            "missing field",
                            "invalid value",
                        ]
                        .iter()
                        .any(|kind| said.contains(kind));
                        assert!(
                            !(of_type && fits),
                            "{name} {place} = {value}: only the loader refuses it: {said}"
                        );
                    }
                }
            }
        }
    }
}

/// Mistakes that people make, each with what they are told.
#[test]
fn an_error_names_file_line_and_field_and_says_what_to_do() {
    let base = |tools: &str| {
        format!(
            "name: shop\ntitle: Shop\ndescription: A shop.\ndriver: sqlite\nconnection: {{ path: /srv/shop.db }}\ntools:\n{tools}"
        )
    };
    let find = "  - name: find\n    description: Finds.\n    access: read\n";
    let cases = [
        ("empty file", String::new()),
        ("not YAML", "name: [shop\ntitle: x".to_owned()),
        ("a list", "- name: shop".to_owned()),
        ("nothing but a name", "name: shop".to_owned()),
        (
            "misspelt field",
            base(&format!("{find}    qeury: SELECT 1\n")),
        ),
        (
            "driver that does not exist",
            base(&format!("{find}    query: SELECT 1\n")).replace("sqlite", "oracle"),
        ),
        (
            "no as a boolean",
            base(&format!("{find}    query: SELECT 1\n    idempotent: no\n")),
        ),
        (
            "bad name",
            base(&format!("{find}    query: SELECT 1\n")).replace("name: shop", "name: My__Shop"),
        ),
        (
            "two tools of a name",
            base(&format!(
                "{find}    query: SELECT 1\n{find}    query: SELECT 2\n"
            )),
        ),
        (
            "a read that writes",
            base(&format!("{find}    query: DELETE FROM t\n")),
        ),
        (
            "two statements",
            base(&format!("{find}    query: SELECT 1; SELECT 2\n")),
        ),
        (
            "a write inside a read",
            base(&format!(
                "{find}    query: WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d\n"
            )),
        ),
        (
            "parameter that is not declared",
            base(&format!(
                "{find}    query: SELECT * FROM t WHERE id = :id\n"
            )),
        ),
        (
            "parameter that is not used",
            base(&format!(
                "{find}    params: {{ id: {{ type: integer }} }}\n    query: SELECT 1\n"
            )),
        ),
        (
            "default of another type",
            base(&format!(
                "{find}    params: {{ id: {{ type: integer, default: seven }} }}\n    query: SELECT :id\n"
            )),
        ),
        (
            "broken regular expression",
            base(&format!(
                "{find}    params: {{ s: {{ type: string, pattern: '(' }} }}\n    query: SELECT :s\n"
            )),
        ),
        (
            "endless filter",
            base(&format!(
                "{find}    query: SELECT 1\n    output: '[repeat(1)]'\n"
            )),
        ),
        (
            "broken filter",
            base(&format!(
                "{find}    query: SELECT 1\n    output: '.rows |'\n"
            )),
        ),
        (
            "too much trust",
            base(&format!(
                "{find}    query: SELECT 1\n    output_integrity: {{ /rows: operator }}\n"
            )),
        ),
        (
            "reversible without undo",
            base(
                "  - name: lock\n    description: Locks.\n    access: write\n    statement: UPDATE t SET a = 1\n    reversibility: reversible\n",
            ),
        ),
        (
            "undo that is a read",
            base(&format!(
                "{find}    query: SELECT 1\n  - name: lock\n    description: Locks.\n    access: write\n    statement: UPDATE t SET a = 1\n    reversibility: reversible\n    undo: {{ tool: find }}\n"
            )),
        ),
        (
            "a setting that does not exist",
            base(&format!("{find}    query: SELECT 1\n"))
                .replace("/srv/shop.db", "'{{ settings.file }}'"),
        ),
        (
            "a request on a database",
            base(&format!("{find}    request: {{ method: GET, path: /x }}\n")),
        ),
        (
            "limits beyond what is possible",
            base(&format!(
                "{find}    query: SELECT 1\n    limits: {{ rows: 1000000, seconds: 0 }}\n"
            )),
        ),
        ("not UTF-8", "\u{0}".to_owned()),
    ];
    let mut told = String::new();
    for (what, text) in cases {
        let errors = parse("connectors/shop.yaml", text.as_bytes()).expect_err(what);
        for error in &errors.0 {
            assert!(error.line >= 1 && error.column >= 1, "{what}: {error}");
        }
        told.push_str(&format!("# {what}\n{errors}\n\n"));
    }
    insta::assert_snapshot!(told);
}

#[test]
fn what_is_huge_deep_or_explodes_is_refused_soon() {
    let deep = format!("name: {}{}", "[".repeat(50_000), "]".repeat(50_000));
    let bomb = (0..30).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
        text + &format!("a{}: &a{} [*a{n}, *a{n}, *a{n}, *a{n}]\n", n + 1, n + 1)
    });
    let wide = format!("name: shop\ntools: [{}]", "{}, ".repeat(100_000));
    let long = format!("name: {}", "x".repeat(10_000_000));
    for (what, text) in [
        ("deep", deep),
        ("bomb", bomb),
        ("wide", wide),
        ("long", long),
    ] {
        let started = Instant::now();
        let errors = parse("test.yaml", text.as_bytes()).expect_err(what);
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "{what}: {:?}",
            started.elapsed()
        );
        assert!(
            errors.to_string().len() < 2_000,
            "{what}: {}",
            errors.to_string().len()
        );
    }
    assert!(parse("test.yaml", &[0xff, 0xfe, 0, b'a']).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn garbage_is_an_error_with_a_place(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Err(errors) = parse("test.yaml", &bytes) {
            prop_assert!(!errors.0.is_empty());
            for error in &errors.0 {
                prop_assert!(error.line >= 1 && !error.message.is_empty(), "{}", error);
            }
        }
    }

    #[test]
    fn a_good_manifest_with_a_piece_cut_changed_or_repeated_never_panics(
        from in any::<prop::sample::Index>(),
        length in 0_usize..40,
        insert in "[\\PC\\n]{0,20}",
        twice in any::<bool>(),
        which in 0_usize..2,
    ) {
        let text = [EVERY_HTTP_FIELD, EVERY_SQL_FIELD][which];
        let start = from.index(text.len());
        let (before, rest) = text.split_at(start);
        let end = length.min(rest.len());
        let piece = if twice { &rest[..end] } else { "" };
        let changed = format!("{before}{piece}{insert}{}", &rest[if twice { 0 } else { end }..]);
        let _ = parse("test.yaml", changed.as_bytes());
    }
}
