//! Attempts to get around read-only by free SQL: each is refused, and leaves no trace; beside them
//! what people really ask for, which passes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gaby_connect::CallError;
use gaby_model::ToolResult;
use serde_json::json;
use sqlx::Row as _;
use sqlx::postgres::PgListener;

use crate::world::{Database, World, settings};

/// The list that every database is tried with: a number, and the ways to write it.
fn attempts() -> Vec<(u8, Vec<String>)> {
    let deep = format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    let long = format!("SELECT '{}'", "x".repeat(1_000_000));
    let list: &[(u8, &[&str])] = &[
        (1, &["COMMIT; DROP SCHEMA public CASCADE"]),
        (
            2,
            &[
                "SELECT 1; INSERT INTO canary VALUES (2)",
                "SELECT 1;;INSERT INTO canary VALUES (2);",
            ],
        ),
        (
            3,
            &["ROLLBACK; BEGIN; INSERT INTO canary VALUES (3); COMMIT"],
        ),
        (
            4,
            &[
                "SET TRANSACTION READ WRITE",
                "SET TRANSACTION READ WRITE; INSERT INTO canary VALUES (4)",
            ],
        ),
        (
            5,
            &["SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"],
        ),
        (
            6,
            &[
                "SELECT set_config('default_transaction_read_only', 'off', false)",
                "SELECT pg_catalog.set_config('default_transaction_read_only', 'off', false)",
            ],
        ),
        (
            7,
            &["WITH d AS (DELETE FROM canary RETURNING *) SELECT * FROM d"],
        ),
        (
            8,
            &[
                "WITH i AS (INSERT INTO canary VALUES (8) RETURNING *) SELECT * FROM i",
                "WITH u AS (UPDATE canary SET n = 8 RETURNING *) SELECT * FROM u",
            ],
        ),
        (
            9,
            &[
                "EXPLAIN ANALYZE INSERT INTO canary VALUES (9)",
                "EXPLAIN (ANALYZE) DELETE FROM canary",
            ],
        ),
        (
            10,
            &[
                "SELECT * INTO t10 FROM customers",
                "SELECT 1 AS a INTO TEMP t10",
            ],
        ),
        (
            11,
            &[
                "CREATE TEMP TABLE t11 AS SELECT 1",
                "CREATE TABLE t11 (a int)",
            ],
        ),
        (
            12,
            &[
                "SELECT id FROM customers FOR UPDATE",
                "SELECT id FROM customers FOR SHARE",
                "SELECT id FROM (SELECT id FROM customers FOR NO KEY UPDATE) x",
            ],
        ),
        (
            13,
            &["SELECT nextval('s')", "SELECT pg_catalog.nextval('s')"],
        ),
        (14, &["SELECT setval('s', 9)"]),
        (
            15,
            &[
                "SELECT definer_writes()",
                "SELECT public.definer_writes()",
                "SELECT * FROM definer_writes()",
            ],
        ),
        (16, &["SELECT * FROM writing_view"]),
        (17, &["DO $$ BEGIN INSERT INTO canary VALUES (17); END $$"]),
        (18, &["CALL writing_procedure()"]),
        (19, &["COPY (SELECT 1) TO PROGRAM 'touch {folder}/t19'"]),
        (
            20,
            &[
                "COPY (SELECT 1) TO '{folder}/t20'",
                "COPY canary TO '{folder}/t20'",
            ],
        ),
        (
            21,
            &["COPY canary FROM PROGRAM 'touch {folder}/t21; echo 21'"],
        ),
        (
            22,
            &[
                "COPY canary TO STDOUT",
                "COPY (SELECT * FROM secrets) TO STDOUT",
            ],
        ),
        (
            23,
            &[
                "SELECT pg_read_file('/etc/hostname')",
                "SELECT pg_read_binary_file('/etc/hostname')",
                "SELECT LOAD_FILE('/etc/hostname')",
                "SELECT readfile('/etc/hostname')",
            ],
        ),
        (
            24,
            &[
                "SELECT pg_ls_dir('/')",
                "SELECT * FROM pg_ls_dir('/')",
                "SELECT pg_stat_file('/etc/hostname')",
            ],
        ),
        (25, &["SELECT lo_import('/etc/hostname')"]),
        (26, &["SELECT lo_export(1, '{folder}/t26')"]),
        (
            27,
            &[
                "SELECT lo_from_bytea(0, 'x')",
                "SELECT lo_create(0)",
                "SELECT lo_creat(-1)",
            ],
        ),
        (28, &["SELECT pg_file_write('{folder}/t28', 'x', false)"]),
        (
            29,
            &[
                "SELECT * FROM dblink('dbname=' || current_database(), 'INSERT INTO canary VALUES (29) RETURNING 1') AS t(a int)",
            ],
        ),
        (
            30,
            &["SELECT dblink_exec('dbname=x', 'INSERT INTO canary VALUES (30)')"],
        ),
        (
            31,
            &[
                "SELECT query_to_xml('SELECT * FROM secrets', true, true, '')",
                "SELECT table_to_xml('secrets', true, true, '')",
            ],
        ),
        (
            32,
            &[
                "SELECT pg_sleep(30)",
                "SELECT pg_catalog.pg_sleep(30)",
                "SELECT \"pg_catalog\".\"pg_sleep\"(30)",
                "SELECT PG_SLEEP(30)",
                "SELECT pg_sleep_for('30 s')",
                "SELECT * FROM pg_sleep(30)",
            ],
        ),
        (
            33,
            &[
                "SELECT U&\"\\0070g_sleep\"(30)",
                "SELECT U&\"\\+000070g_sleep\"(30)",
            ],
        ),
        (
            34,
            &[
                "SELECT count(*) FROM generate_series(1, 1e11::bigint)",
                "SELECT generate_series(1, 100000000000)",
            ],
        ),
        (
            35,
            &[
                "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
                "SELECT count(*) FROM (WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n FROM r) SELECT * FROM r) x",
            ],
        ),
        (
            36,
            &[
                "SELECT repeat('x', 900000000)",
                "SELECT length(repeat('x', 900000000))",
                "SELECT lpad('x', 900000000)",
                "SELECT length(format('%900000000s', 'x'))",
            ],
        ),
        (
            37,
            &[
                "SELECT pg_advisory_lock(42)",
                "SELECT pg_try_advisory_lock(42)",
                "SELECT pg_advisory_xact_lock(42)",
            ],
        ),
        (
            38,
            &[
                "SELECT pg_terminate_backend({victim})",
                "SELECT pg_cancel_backend({victim})",
                "KILL {victim}",
            ],
        ),
        (
            39,
            &[
                "SELECT pg_reload_conf()",
                "SELECT pg_switch_wal()",
                "SELECT pg_create_physical_replication_slot('x')",
                "SELECT pg_create_logical_replication_slot('x', 'test_decoding')",
            ],
        ),
        (
            40,
            &[
                "NOTIFY canary, 'x'",
                "SELECT pg_notify('canary', 'x')",
                "LISTEN canary",
            ],
        ),
        (
            41,
            &[
                "LOCK TABLE canary IN ACCESS EXCLUSIVE MODE",
                "LOCK TABLE customers IN ACCESS SHARE MODE",
            ],
        ),
        (
            42,
            &[
                "SET ROLE postgres",
                "SET SESSION AUTHORIZATION DEFAULT",
                "RESET ROLE",
            ],
        ),
        (
            43,
            &[
                "PREPARE p AS INSERT INTO canary VALUES (43); EXECUTE p",
                "PREPARE p AS SELECT 1",
                "EXECUTE p",
                "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
            ],
        ),
        (44, &["LOAD 'auto_explain'", "CREATE EXTENSION file_fdw"]),
        (
            45,
            &[
                "SELECT password_hash FROM customers",
                "SELECT c FROM customers c",
                "SELECT row_to_json(c) FROM customers c",
                "SELECT to_jsonb(c) FROM customers c",
                "SELECT c.* FROM customers c",
                "SELECT * FROM customers",
                "SELECT c::text FROM customers c",
                "SELECT count(c) FROM customers c",
            ],
        ),
        (
            46,
            &[
                "SELECT * FROM pg_shadow",
                "SELECT * FROM pg_authid",
                "SELECT * FROM pg_catalog.pg_authid",
                "SELECT * FROM pg_stat_activity",
                "SELECT prosrc FROM pg_proc",
                "SELECT * FROM mysql.user",
                "SELECT * FROM sqlite_master",
                "SELECT * FROM sqlite_schema",
                "SELECT * FROM information_schema.tables",
                "SELECT * FROM secrets",
                "SELECT (SELECT max(a) FROM secrets)",
                "SELECT id FROM customers UNION SELECT a FROM secrets",
            ],
        ),
        (
            47,
            &[
                "SET statement_timeout = 0",
                "SELECT set_config('statement_timeout', '0', true)",
                "SET LOCAL work_mem = '1GB'",
            ],
        ),
        (
            48,
            &[
                "SELECT/**/1;/**/INSERT INTO canary VALUES (48)",
                "/* /* */ SELECT 1 */ INSERT INTO canary VALUES (48)",
                "SELECT $$;$$; INSERT INTO canary VALUES (48)",
                "SELECT '/*'; INSERT INTO canary VALUES (48) --*/",
                "/*!50000 INSERT INTO canary VALUES (48) */",
                "SELECT 1 /*!; INSERT INTO canary VALUES (48) */; DELETE FROM canary",
                "SELECT 1\0; INSERT INTO canary VALUES (48)",
                "SELECT 1\u{ff1b} INSERT INTO canary VALUES (48)",
                "\u{feff}INSERT INTO canary VALUES (48)",
                "SELECT E'\\'; INSERT INTO canary VALUES (48) --'; DELETE FROM canary",
                "",
                ";",
                "--",
                "nonsense",
            ],
        ),
    ];
    let mut attempts: Vec<(u8, Vec<String>)> = list
        .iter()
        .map(|(number, ways)| (*number, ways.iter().map(|way| (*way).to_owned()).collect()))
        .collect();
    if let Some((48, ways)) = attempts.last_mut() {
        ways.extend([long, deep]);
    }
    assert_eq!(
        attempts.iter().map(|(n, _)| *n).collect::<Vec<_>>(),
        (1..=48).collect::<Vec<_>>()
    );
    attempts
}

/// What must be the same before and after, whatever was tried: name → state.
pub(crate) type State = BTreeMap<&'static str, String>;

pub(crate) fn refused(answer: &Result<ToolResult, CallError>) -> bool {
    match answer {
        Err(CallError::Refused { .. }) => true,
        Ok(result) => result.is_error,
        Err(_) => false,
    }
}

const POSTGRES: &str = r#"
CREATE TABLE customers (id int PRIMARY KEY, name text, email text, password_hash text, balance numeric(12, 2),
  created timestamptz, active boolean, tags text[], meta jsonb);
INSERT INTO customers VALUES
  (1, 'Ada', 'ada@example.com', 'SECRET-HASH', 10.5, '2024-01-10 10:00+00', true, '{vip,eu}', '{"plan": "pro", "seats": 5}'),
  (2, 'Bob', 'bob@example.com', 'SECRET-HASH', 0, '2024-02-20 11:00+00', false, '{}', '{"plan": "free"}'),
  (3, 'Cyd', 'cyd@example.org', 'SECRET-HASH', -3, '2024-02-21 12:00+00', true, NULL, NULL);
CREATE TABLE invoices (id int PRIMARY KEY, customer_id int, amount numeric(12, 2), status text, due date);
INSERT INTO invoices VALUES (1, 1, 99.90, 'paid', '2024-03-01'), (2, 1, 99.90, 'open', '2024-04-01'), (3, 2, 5, 'void', '2024-03-01');
CREATE TABLE canary (n int); INSERT INTO canary VALUES (0);
CREATE TABLE secrets (a int); INSERT INTO secrets VALUES (4711);
CREATE SEQUENCE s;
CREATE FUNCTION definer_writes() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS
  'BEGIN INSERT INTO canary VALUES (15); RETURN 1; END';
CREATE VIEW writing_view AS SELECT definer_writes() AS n;
CREATE PROCEDURE writing_procedure() LANGUAGE plpgsql SECURITY DEFINER AS
  'BEGIN INSERT INTO canary VALUES (18); COMMIT; END';
CREATE EXTENSION dblink; CREATE EXTENSION adminpack;
CREATE ROLE {reader} LOGIN PASSWORD 'p@ss word' NOINHERIT CONNECTION LIMIT 8;
GRANT SELECT (id, name, email, balance, created, active, tags, meta) ON customers TO {reader};
GRANT SELECT ON invoices, writing_view TO {reader};
"#;

pub(crate) async fn postgres() -> Option<(Database, World)> {
    let database = Database::new().await?;
    database.run(POSTGRES).await;
    let world = World::with(&[]).await;
    let connected = world
        .host
        .connect_manifest(
            "db",
            "postgres",
            settings([("free_sql", "true")]),
            settings([("url", &database.url("reader"))]),
        )
        .await
        .unwrap();
    assert_eq!(connected.warnings, Vec::<String>::new());
    Some((database, world))
}

/// Everything of the server that an attempt could change.
pub(crate) async fn postgres_state(database: &Database) -> State {
    const WATCHED: &[(&str, &str)] = &[
        ("rows", "SELECT concat((SELECT string_agg(n::text, ',' ORDER BY n) FROM canary), '|',
            (SELECT md5(string_agg(c::text, ',' ORDER BY id)) FROM customers c), '|', (SELECT count(*) FROM invoices), '|', (SELECT sum(a) FROM secrets))"),
        ("relations", "SELECT concat(count(*), '|', md5(string_agg(relname, ',' ORDER BY oid))) FROM pg_class"),
        ("functions", "SELECT count(*)::text FROM pg_proc"),
        ("extensions", "SELECT string_agg(extname, ',' ORDER BY 1) FROM pg_extension"),
        ("sequence", "SELECT concat(last_value, is_called) FROM s"),
        ("large objects", "SELECT count(*)::text FROM pg_largeobject_metadata"),
        ("advisory locks", "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory'"),
        ("table locks", "SELECT count(*)::text FROM pg_locks l JOIN pg_database d ON d.oid = l.database
            WHERE d.datname = current_database() AND l.pid <> pg_backend_pid() AND l.mode NOT IN ('AccessShareLock')"),
        ("slots", "SELECT count(*)::text FROM pg_replication_slots WHERE database = current_database() OR slot_name = 'x'"),
        ("roles", "SELECT md5(string_agg(r::text, ',' ORDER BY oid)) FROM pg_roles r WHERE rolname LIKE '%\\_' || split_part(current_database(), '_', 3) || '\\_%'"),
        ("prepared", "SELECT count(*)::text FROM pg_prepared_xacts"),
        ("written", "SELECT (tup_inserted + tup_updated + tup_deleted)::text FROM pg_stat_database WHERE datname = current_database()"),
    ];
    let mut admin = database.admin().await;
    let mut state = State::new();
    for (name, query) in WATCHED {
        let row = sqlx::query(*query).fetch_one(&mut admin).await.unwrap();
        state.insert(
            name,
            row.try_get::<Option<String>, _>(0)
                .unwrap()
                .unwrap_or_default(),
        );
    }
    state
}

#[tokio::test]
async fn no_attempt_on_postgresql_passes_or_leaves_a_trace() {
    let Some((database, world)) = postgres().await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    // The server runs as another user, which must be able to write here for the attempt to be real.
    std::fs::set_permissions(
        folder.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o777),
    )
    .unwrap();
    let mut listener = PgListener::connect(&database.admin_url).await.unwrap();
    listener.listen("canary").await.unwrap();
    let mut victim = database.admin().await;
    let victim_id: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut victim)
        .await
        .unwrap();

    // The admin's own look writes statistics too, so it is taken twice before it is compared.
    postgres_state(&database).await;
    let before = postgres_state(&database).await;
    let mut held = 0;
    for (number, ways) in attempts() {
        for way in &ways {
            let text = way
                .replace("{folder}", &folder.path().display().to_string())
                .replace("{victim}", &victim_id.to_string());
            let shown: String = text.chars().take(80).collect();
            let started = Instant::now();
            let answer = world.sql("db", &text).await;
            assert!(refused(&answer), "{number}: {shown}: {answer:?}");
            assert!(
                started.elapsed() < Duration::from_secs(5),
                "{number}: {shown}"
            );
            assert!(
                !format!("{answer:?}").contains("SECRET-HASH"),
                "{number}: {shown}"
            );
        }
        assert_eq!(
            postgres_state(&database).await,
            before,
            "after {number}: {ways:?}"
        );
        held += 1;
    }
    assert_eq!(held, 48);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(
        sqlx::query_scalar::<_, i32>("SELECT pg_backend_pid()")
            .fetch_one(&mut victim)
            .await
            .unwrap(),
        victim_id
    );
    let heard = tokio::time::timeout(Duration::from_millis(300), listener.recv()).await;
    assert!(heard.is_err(), "{heard:?}");
    // And the connector still works.
    assert!(world.sql("db", "SELECT 1 AS one").await.is_ok());
}

/// What people ask of a customer database, in PostgreSQL's words.
const ASKED_OF_POSTGRES: &[&str] = &[
    "SELECT 1 AS one",
    "SELECT id, name, email FROM customers",
    "SELECT id, name FROM public.customers ORDER BY name DESC LIMIT 2",
    "SELECT name FROM customers WHERE email = 'ada@example.com'",
    "SELECT name FROM customers WHERE lower(email) LIKE '%@example.com'",
    "SELECT name FROM customers WHERE email ILIKE 'ADA%'",
    "SELECT count(*) FROM customers WHERE active",
    "SELECT count(*) FILTER (WHERE active) AS active, count(*) AS total FROM customers",
    "SELECT status, count(*) AS n, sum(amount) AS total FROM invoices GROUP BY status ORDER BY n DESC",
    "SELECT status FROM invoices GROUP BY status HAVING count(*) >= 1",
    "SELECT c.name, i.amount FROM customers c JOIN invoices i ON i.customer_id = c.id",
    "SELECT c.name, i.id FROM customers c LEFT JOIN invoices i ON i.customer_id = c.id AND i.status = 'open'",
    "SELECT c.name FROM customers c WHERE EXISTS (SELECT 1 FROM invoices i WHERE i.customer_id = c.id)",
    "SELECT name FROM customers WHERE id IN (SELECT customer_id FROM invoices WHERE status = 'paid')",
    "SELECT name FROM customers WHERE id NOT IN (1, 2)",
    "WITH open AS (SELECT customer_id, sum(amount) AS due FROM invoices WHERE status = 'open' GROUP BY customer_id) SELECT c.name, o.due FROM customers c JOIN open o ON o.customer_id = c.id",
    "WITH a AS (SELECT id FROM customers), b AS (SELECT id FROM a WHERE id > 1) SELECT count(*) FROM b",
    "SELECT DISTINCT status FROM invoices",
    "SELECT DISTINCT ON (customer_id) customer_id, due FROM invoices ORDER BY customer_id, due DESC",
    "SELECT name, CASE WHEN balance < 0 THEN 'owes' ELSE 'fine' END AS standing FROM customers",
    "SELECT COALESCE(meta->>'plan', 'none') AS plan FROM customers",
    "SELECT meta->'seats' AS seats FROM customers WHERE meta @> '{\"plan\": \"pro\"}'",
    "SELECT (meta->>'seats')::int + 1 AS seats FROM customers WHERE meta ? 'seats'",
    "SELECT name FROM customers WHERE 'vip' = ANY (tags)",
    "SELECT name, array_length(tags, 1) AS n, array_to_string(tags, ',') AS t FROM customers",
    "SELECT name FROM customers WHERE tags @> ARRAY['eu']",
    "SELECT date_trunc('month', created) AS month, count(*) FROM customers GROUP BY 1 ORDER BY 1",
    "SELECT name FROM customers WHERE created >= now() - interval '100 years'",
    "SELECT name FROM customers WHERE created BETWEEN '2024-01-01' AND '2024-02-20 12:00'",
    "SELECT EXTRACT(year FROM created) AS year, to_char(created, 'YYYY-MM-DD') AS day FROM customers",
    "SELECT due - CURRENT_DATE AS days, due + 30 AS later FROM invoices",
    "SELECT age(created) IS NOT NULL AS known FROM customers",
    "SELECT created AT TIME ZONE 'Europe/Berlin' AS local FROM customers",
    "SELECT round(avg(amount), 2) AS mean, min(amount), max(amount), stddev(amount) FROM invoices",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) AS median FROM invoices",
    "SELECT string_agg(name, ', ' ORDER BY name) AS names FROM customers",
    "SELECT name, row_number() OVER (ORDER BY balance DESC) AS place FROM customers",
    "SELECT id, sum(amount) OVER (PARTITION BY customer_id ORDER BY id) AS running, lag(amount) OVER (ORDER BY id) AS last FROM invoices",
    "SELECT upper(name) || ' <' || email || '>' AS full FROM customers",
    "SELECT split_part(email, '@', 2) AS domain, count(*) FROM customers GROUP BY 1",
    "SELECT substring(email FROM 1 FOR 3), trim(name), position('@' IN email), length(name) FROM customers",
    "SELECT name FROM customers UNION ALL SELECT status FROM invoices ORDER BY 1",
    "SELECT customer_id FROM invoices INTERSECT SELECT id FROM customers",
    "SELECT id FROM customers EXCEPT SELECT customer_id FROM invoices",
    "SELECT (SELECT count(*) FROM invoices i WHERE i.customer_id = c.id) AS invoices, c.name FROM customers c",
    "SELECT x.n FROM (SELECT count(*) AS n FROM customers) x",
    "SELECT NULLIF(balance, 0) AS b, greatest(balance, 0), least(1, 2), abs(balance) FROM customers",
    "SELECT name FROM customers WHERE balance IS NOT NULL AND NOT active",
    "SELECT \"name\" FROM \"customers\" WHERE (active = true OR balance <> 0) AND id % 2 = 1;",
    "SELECT name -- the name\nFROM customers /* all of them */",
    "SELECT id FROM customers ORDER BY created DESC NULLS LAST OFFSET 1 LIMIT 1",
    "SELECT * FROM invoices WHERE status <> 'void'",
    "SELECT i.* FROM invoices i CROSS JOIN customers c WHERE c.id = i.customer_id",
    "VALUES (1, 'a'), (2, 'b')",
    "SELECT name FROM customers WHERE name ~ '^A' OR name SIMILAR TO '(B|C)%'",
    "SELECT status, grouping(status) AS g, sum(amount) FROM invoices GROUP BY ROLLUP (status)",
];

async fn share_that_passes(world: &World, asked: &[&str]) -> f64 {
    let mut failed = Vec::new();
    for text in asked {
        match world.sql("db", text).await {
            Ok(result) if !result.is_error && result.value["count"].as_u64().is_some() => {}
            other => failed.push(format!("{text}: {other:?}")),
        }
    }
    let passed = asked.len() - failed.len();
    println!("{passed} of {} pass; not: {failed:#?}", asked.len());
    passed as f64 / asked.len() as f64
}

#[tokio::test]
async fn what_people_ask_of_postgresql_passes() {
    let Some((_database, world)) = postgres().await else {
        return;
    };
    assert!(ASKED_OF_POSTGRES.len() >= 40);
    let share = share_that_passes(&world, ASKED_OF_POSTGRES).await;
    assert!(share >= 0.95, "{share}");
    let answer = world
        .sql("db", "SELECT c.name, sum(i.amount) AS total FROM customers c JOIN invoices i ON i.customer_id = c.id GROUP BY c.name ORDER BY 2 DESC")
        .await
        .unwrap();
    assert_eq!(
        answer.value["rows"],
        json!([{"name": "Ada", "total": "199.80"}, {"name": "Bob", "total": "5.00"}])
    );
}

/// Layers below the gate, by themselves: SELECTs that a manifest's own query could hold.
const CALLS: &str = r"
name: calls
title: Calls
description: Queries that do more than they should.
driver: postgres
settings: [{ key: url, label: URL, secret: true }]
connection: { url: '{{ secrets.url }}' }
limits: { seconds: 2 }
tools:
";

#[tokio::test]
async fn below_the_gate_the_read_only_transaction_and_the_role_hold_too() {
    let Some((database, _)) = postgres().await else {
        return;
    };
    let queries = [
        "SELECT nextval('s')",
        "SELECT setval('s', 9)",
        "SELECT definer_writes()",
        "SELECT n FROM writing_view",
        "SELECT lo_from_bytea(0, 'x')",
        "SELECT lo_create(0)",
        "SELECT pg_advisory_lock(42)",
        "SELECT pg_notify('canary', 'x')",
        "SELECT set_config('default_transaction_read_only', 'off', false), set_config('transaction_read_only', 'off', false)",
        "SELECT pg_read_file('/etc/hostname')",
        "SELECT pg_file_write('/tmp/x', 'x', false)",
        "SELECT a FROM secrets",
        "SELECT password_hash FROM customers",
        "SELECT pg_reload_conf()",
        "SELECT pg_switch_wal()",
        "SELECT pg_create_physical_replication_slot('x')",
        "SELECT query_to_xml('SELECT * FROM secrets', true, true, '')",
    ];
    let tools: String = queries
        .iter()
        .enumerate()
        .map(|(index, query)| {
            format!("  - {{ name: q{index}, description: A query., access: read, query: \"{query}\" }}\n")
        })
        .collect();
    let world = World::with(&[&format!("{CALLS}{tools}")]).await;
    world
        .host
        .connect_manifest(
            "calls",
            "calls",
            settings([]),
            settings([("url", &database.url("reader"))]),
        )
        .await
        .unwrap();
    let mut listener = PgListener::connect(&database.admin_url).await.unwrap();
    listener.listen("canary").await.unwrap();
    // What is written and rolled back counts as written in the server's statistics.
    let state = async || {
        let mut state = postgres_state(&database).await;
        state.remove("written");
        state
    };
    let before = state().await;
    for (index, query) in queries.iter().enumerate() {
        let answer = world.call("calls", &format!("q{index}"), json!({})).await;
        let text = format!("{answer:?}");
        assert!(
            !text.contains("SECRET-HASH") && !text.contains("4711"),
            "{query}: {text}"
        );
        let mut after = state().await;
        for _ in 0..20 {
            if after == before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            after = state().await;
        }
        assert_eq!(after, before, "after {query}: {text}");
    }
    let heard = tokio::time::timeout(Duration::from_millis(300), listener.recv()).await;
    assert!(heard.is_err(), "{heard:?}");
}

const SQLITE: &str = r#"
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, email TEXT, balance REAL, created TEXT, active INTEGER, meta TEXT);
INSERT INTO customers VALUES
  (1, 'Ada', 'ada@example.com', 10.5, '2024-01-10 10:00:00', 1, '{"plan": "pro", "tags": ["vip"]}'),
  (2, 'Bob', 'bob@example.com', 0, '2024-02-20 11:00:00', 0, '{"plan": "free"}'),
  (3, 'Cyd', 'cyd@example.org', -3, '2024-02-21 12:00:00', 1, NULL);
CREATE TABLE invoices (id INTEGER PRIMARY KEY, customer_id INTEGER, amount REAL, status TEXT, due TEXT);
INSERT INTO invoices VALUES (1, 1, 99.9, 'paid', '2024-03-01'), (2, 1, 99.9, 'open', '2024-04-01'), (3, 2, 5, 'void', '2024-03-01');
CREATE TABLE canary (n INTEGER); INSERT INTO canary VALUES (0);
"#;

/// Further attempts that only SQLite knows.
const SQLITE_ONLY: &[&str] = &[
    "ATTACH '{folder}/attached.db' AS a",
    "ATTACH DATABASE '{folder}/data/gaby.db' AS a",
    "VACUUM INTO '{folder}/vacuumed.db'",
    "VACUUM",
    "PRAGMA query_only = 0",
    "PRAGMA writable_schema = ON",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "PRAGMA user_version = 7",
    "SELECT load_extension('{folder}/x')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT randomblob(500000000)",
    "SELECT zeroblob(500000000)",
    "SELECT length(printf('%500000000d', 1))",
    "SELECT * FROM pragma_table_info('customers')",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM sqlite_temp_master",
    "SELECT * FROM sqlite_dbpage",
    "SELECT * FROM main.sqlite_master",
    "SELECT * FROM customers AS c, sqlite_master",
    "SELECT writefile('{folder}/written', 'x')",
    "SELECT edit('x')",
    "REINDEX",
    "ANALYZE",
    "CREATE TRIGGER t AFTER INSERT ON canary BEGIN DELETE FROM customers; END",
    "INSERT INTO canary VALUES (1) RETURNING n",
    "REPLACE INTO canary VALUES (1)",
    "SAVEPOINT a",
    "BEGIN IMMEDIATE",
    "SELECT count(*) FROM generate_series(1, 100000000000)",
];

async fn sqlite() -> (World, std::path::PathBuf) {
    let world = World::with(&[]).await;
    let path = world.folder.path().join("shop.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(SQLITE).unwrap();
    drop(db);
    world
        .host
        .connect_manifest(
            "db",
            "sqlite",
            settings([("path", &path.display().to_string()), ("free_sql", "true")]),
            settings([]),
        )
        .await
        .unwrap();
    (world, path)
}

/// The file's bytes, the folder's files, and whether somebody holds a lock.
fn sqlite_state(world: &World, path: &std::path::Path) -> State {
    let mut files: Vec<String> = std::fs::read_dir(world.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().display().to_string())
        .collect();
    files.sort();
    let db = rusqlite::Connection::open(path).unwrap();
    db.busy_timeout(Duration::ZERO).unwrap();
    let free = db.execute_batch("BEGIN EXCLUSIVE; ROLLBACK").is_ok();
    drop(db);
    let bytes = std::fs::read(path).unwrap();
    [
        ("file", format!("{} {:?}", bytes.len(), bytes)),
        ("files", files.join(" ")),
        ("free", free.to_string()),
    ]
    .into()
}

#[tokio::test]
async fn no_attempt_on_sqlite_passes_or_leaves_a_trace() {
    let (world, path) = sqlite().await;
    let folder = world.folder.path().display().to_string();
    let own: Vec<String> = SQLITE_ONLY.iter().map(|text| (*text).to_owned()).collect();
    let mut all = attempts();
    all.push((49, own));
    // What PostgreSQL's column grants refuse, a file without roles gives: it holds no such column.
    let readable = ["SELECT * FROM customers", "SELECT c.* FROM customers c"];
    let before = sqlite_state(&world, &path);
    for (number, ways) in all {
        for way in ways.iter().filter(|way| !readable.contains(&way.as_str())) {
            let text = way.replace("{folder}", &folder).replace("{victim}", "1");
            let shown: String = text.chars().take(80).collect();
            let started = Instant::now();
            let answer = world.sql("db", &text).await;
            assert!(refused(&answer), "{number}: {shown}: {answer:?}");
            assert!(
                started.elapsed() < Duration::from_secs(5),
                "{number}: {shown}"
            );
        }
        assert!(
            sqlite_state(&world, &path) == before,
            "after {number}: {ways:?}"
        );
    }
    assert!(world.sql("db", "SELECT 1 AS one").await.is_ok());
}

const ASKED_OF_SQLITE: &[&str] = &[
    "SELECT 1 AS one",
    "SELECT id, name, email FROM customers",
    "SELECT * FROM customers",
    "SELECT name FROM main.customers ORDER BY name DESC LIMIT 2",
    "SELECT name FROM customers WHERE email = 'ada@example.com'",
    "SELECT name FROM customers WHERE lower(email) LIKE '%@example.com'",
    "SELECT name FROM customers WHERE name GLOB 'A*'",
    "SELECT count(*) FROM customers WHERE active",
    "SELECT count(*) FILTER (WHERE active) AS active FROM customers",
    "SELECT status, count(*) AS n, sum(amount) AS total FROM invoices GROUP BY status ORDER BY n DESC",
    "SELECT status FROM invoices GROUP BY status HAVING count(*) >= 1",
    "SELECT c.name, i.amount FROM customers c JOIN invoices i ON i.customer_id = c.id",
    "SELECT c.name, i.id FROM customers c LEFT JOIN invoices i ON i.customer_id = c.id AND i.status = 'open'",
    "SELECT c.name FROM customers c WHERE EXISTS (SELECT 1 FROM invoices i WHERE i.customer_id = c.id)",
    "SELECT name FROM customers WHERE id IN (SELECT customer_id FROM invoices WHERE status = 'paid')",
    "SELECT name FROM customers WHERE id NOT IN (1, 2)",
    "WITH open AS (SELECT customer_id, sum(amount) AS due FROM invoices GROUP BY customer_id) SELECT c.name, o.due FROM customers c JOIN open o ON o.customer_id = c.id",
    "WITH a AS (SELECT id FROM customers), b AS (SELECT id FROM a WHERE id > 1) SELECT count(*) FROM b",
    "SELECT DISTINCT status FROM invoices",
    "SELECT name, CASE WHEN balance < 0 THEN 'owes' ELSE 'fine' END AS standing FROM customers",
    "SELECT coalesce(json_extract(meta, '$.plan'), 'none') AS plan FROM customers",
    "SELECT meta->>'plan' AS plan FROM customers WHERE meta IS NOT NULL",
    "SELECT name FROM customers WHERE meta->>'plan' = 'pro'",
    "SELECT json_array_length(meta, '$.tags') FROM customers",
    "SELECT strftime('%Y-%m', created) AS month, count(*) FROM customers GROUP BY 1 ORDER BY 1",
    "SELECT name FROM customers WHERE created >= datetime('now', '-100 years')",
    "SELECT name FROM customers WHERE date(created) BETWEEN '2024-01-01' AND '2024-02-20'",
    "SELECT julianday('now') - julianday(due) AS days FROM invoices",
    "SELECT date(due, '+30 days') AS later FROM invoices",
    "SELECT round(avg(amount), 2) AS mean, min(amount), max(amount), total(amount) FROM invoices",
    "SELECT group_concat(name, ', ') AS names FROM customers",
    "SELECT name, row_number() OVER (ORDER BY balance DESC) AS place FROM customers",
    "SELECT id, sum(amount) OVER (PARTITION BY customer_id ORDER BY id) AS running, lag(amount) OVER (ORDER BY id) AS last FROM invoices",
    "SELECT upper(name) || ' <' || email || '>' AS full FROM customers",
    "SELECT substr(email, instr(email, '@') + 1) AS domain, count(*) FROM customers GROUP BY 1",
    "SELECT trim(name), length(name), replace(name, 'A', 'a') FROM customers",
    "SELECT name FROM customers UNION ALL SELECT status FROM invoices ORDER BY 1",
    "SELECT customer_id FROM invoices INTERSECT SELECT id FROM customers",
    "SELECT id FROM customers EXCEPT SELECT customer_id FROM invoices",
    "SELECT (SELECT count(*) FROM invoices i WHERE i.customer_id = c.id) AS invoices, c.name FROM customers c",
    "SELECT x.n FROM (SELECT count(*) AS n FROM customers) x",
    "SELECT nullif(balance, 0) AS b, max(balance, 0), abs(balance), typeof(balance) FROM customers",
    "SELECT iif(active, 'yes', 'no') AS a, ifnull(meta, '') FROM customers",
    "SELECT \"name\" FROM \"customers\" WHERE (active = 1 OR balance <> 0) AND id % 2 = 1;",
    "SELECT name -- the name\nFROM customers /* all of them */",
    "SELECT id FROM customers ORDER BY created DESC LIMIT 1 OFFSET 1",
    "SELECT CAST(balance AS INTEGER) AS whole FROM customers",
    "VALUES (1, 'a'), (2, 'b')",
];

#[tokio::test]
async fn what_people_ask_of_sqlite_passes() {
    let (world, _) = sqlite().await;
    assert!(ASKED_OF_SQLITE.len() >= 40);
    let share = share_that_passes(&world, ASKED_OF_SQLITE).await;
    assert!(share >= 0.95, "{share}");
}

#[tokio::test]
async fn a_query_without_end_on_sqlite_ends_at_its_limit() {
    let (world, path) = sqlite().await;
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(
        "CREATE TABLE many (n INTEGER);
         WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3000) INSERT INTO many SELECT n FROM r",
    )
    .unwrap();
    let started = Instant::now();
    let answer = world
        .sql(
            "db",
            "SELECT count(*) FROM many a, many b, many c WHERE a.n + b.n = c.n * 7 + 1000000",
        )
        .await;
    assert!(
        matches!(answer, Err(CallError::Timeout { .. })),
        "{answer:?}"
    );
    assert!(
        started.elapsed() < Duration::from_secs(11),
        "{:?}",
        started.elapsed()
    );
    let many = world.sql("db", "SELECT n FROM many").await.unwrap();
    assert!(many.truncated);
    assert_eq!(many.value["count"], 100);
}
