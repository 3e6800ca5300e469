//! The PostgreSQL driver on a real server.

use std::time::{Duration, Instant};

use gaby_connect::manifest::Registry;
use gaby_connect::{CallError, ConnectError, ConnectorState, Override};
use gaby_model::Autonomy;
use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::world::{Database, World, execute, settings};

const SHOP: &str = r"
CREATE TABLE customers (
  id int PRIMARY KEY, name text NOT NULL, email text NOT NULL, locked boolean NOT NULL DEFAULT false,
  balance numeric(12, 2) NOT NULL DEFAULT 0, visits bigint NOT NULL DEFAULT 0);
COMMENT ON COLUMN customers.visits IS 'How often they came';
CREATE TABLE invoices (
  id serial PRIMARY KEY, customer_id int NOT NULL REFERENCES customers DEFERRABLE INITIALLY DEFERRED, status text NOT NULL);
INSERT INTO customers (id, name, email, balance, visits) VALUES
  (1, 'Ada', 'ada@example.com', 10.50, 9007199254740993), (2, 'Bob', 'bob@example.com', 0, 3),
  (3, 'O''Neil', 'neil@example.com', -1, 0);
INSERT INTO invoices (customer_id, status) VALUES (1, 'paid'), (2, 'open');
CREATE ROLE {reader} LOGIN PASSWORD 'p@ss word' NOINHERIT;
GRANT SELECT ON customers, invoices TO {reader};
CREATE ROLE {writer} LOGIN PASSWORD 'p@ss word';
GRANT SELECT, INSERT, UPDATE ON customers, invoices TO {writer};
GRANT USAGE ON SEQUENCE invoices_id_seq TO {writer};
";

const MANIFEST: &str = r#"
name: shop
title: Shop
description: A shop.
driver: postgres
settings:
  - { key: url, label: URL, secret: true }
  - { key: write_url, label: URL for writes, secret: true, required: false }
connection: { url: '{{ secrets.url }}', write_url: '{{ secrets.write_url }}' }
limits: { rows: 3, bytes: 2000, seconds: 2 }
tools:
  - name: find
    description: Finds a customer.
    access: read
    params:
      email: { type: string }
    query: SELECT id, name, balance, visits FROM customers WHERE email = :email -- by address
  - name: typed
    description: One of each type of argument.
    access: read
    params:
      s: { type: string, required: false }
      i: { type: integer, required: false }
      n: { type: number, required: false }
      b: { type: boolean, required: false }
    query: SELECT :s AS s, :i AS i, :n AS n, :b AS b, :i + 1 AS next
  - name: all_types
    description: One of each type of column.
    access: read
    query: >
      SELECT true AS b, 7::int2 AS i2, 9007199254740993 AS i8, 0.1::float4 AS f4, 'NaN'::float8 AS nan, 12.340::numeric AS dec,
      'x'::char(3) AS c, 'e'::varchar AS v, '\x00ff'::bytea AS bytes, '{"a": [1, 12345678901234567890]}'::jsonb AS doc,
      'd9e0c1f0-0000-4000-8000-000000000000'::uuid AS u, date '2024-02-29' AS d, timestamptz '2024-02-29 12:00:00.5+02' AS t,
      timestamp '2024-02-29 12:00:00' AS lt, interval '1 day 2 hours' AS iv, ARRAY[1, 2] AS ia, ARRAY['a', NULL] AS ta,
      ARRAY[1.5] AS na, int4range(1, 5) AS r, '10.0.0.1'::inet AS ip, ROW(1, 'a') AS rec, NULL AS nothing, 1 AS b
  - name: many
    description: More than fits.
    access: read
    query: SELECT n FROM generate_series(1, 1000000) AS n
  - name: large
    description: A value that is too large.
    access: read
    query: SELECT 1 AS n, 'ok' AS t UNION ALL SELECT 2, repeat('x', 5000) ORDER BY n
  - name: slow
    description: Takes long.
    access: read
    query: SELECT pg_sleep(30)
  - name: lock
    description: Locks an account.
    access: write
    params: { id: { type: integer } }
    statement: UPDATE customers SET locked = true WHERE id = :id
  - name: invoice
    description: Makes an invoice and counts it.
    access: write
    params: { id: { type: integer }, status: { type: string } }
    statement:
      - INSERT INTO invoices (customer_id, status) VALUES (:id, :status) RETURNING id, status
      - UPDATE customers SET visits = visits + 1 WHERE id = :id
  - name: wait
    description: Takes long to write.
    access: write
    params: { id: { type: integer } }
    statement: UPDATE customers SET locked = true WHERE id = :id AND pg_sleep(30) IS NOT NULL
  - name: orphan
    description: Breaks a constraint that is looked at when the transaction ends.
    access: write
    statement: INSERT INTO invoices (customer_id, status) VALUES (99, 'open')
"#;

async fn shop(writer: bool) -> Option<(Database, World)> {
    let database = Database::new().await?;
    database.run(SHOP).await;
    let world = World::with(&[MANIFEST]).await;
    let mut secrets = settings([("url", &database.url("reader"))]);
    if writer {
        secrets.insert("write_url".into(), database.url("writer"));
    }
    let connected = world
        .host
        .connect_manifest("shop", "shop", settings([]), secrets)
        .await
        .unwrap();
    assert_eq!(connected.warnings, Vec::<String>::new());
    Some((database, world))
}

async fn one<T>(database: &Database, query: &'static str) -> T
where
    T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    sqlx::query_scalar(query)
        .fetch_one(&mut database.admin().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_named_query_finds_what_it_is_asked_for_and_arguments_are_never_sql() {
    let Some((_database, world)) = shop(false).await else {
        return;
    };
    let found = world
        .call("shop", "find", json!({"email": "ada@example.com"}))
        .await
        .unwrap();
    assert_eq!(
        found.value,
        json!({"count": 1, "rows": [{"id": 1, "name": "Ada", "balance": "10.50", "visits": "9007199254740993"}]})
    );
    let injected = world
        .call("shop", "find", json!({"email": "' OR true --"}))
        .await
        .unwrap();
    assert_eq!(injected.value["count"], 0);
    let nul = world.call("shop", "find", json!({"email": "a\0b"})).await;
    assert!(matches!(nul, Err(CallError::Refused { .. })), "{nul:?}");
}

#[tokio::test]
async fn arguments_keep_their_types_and_what_is_not_given_is_null() {
    let Some((_database, world)) = shop(false).await else {
        return;
    };
    let given = world
        .call(
            "shop",
            "typed",
            json!({"s": "é", "i": 3, "n": 0.5, "b": true}),
        )
        .await
        .unwrap();
    assert_eq!(
        given.value["rows"][0],
        json!({"s": "é", "i": 3, "n": 0.5, "b": true, "next": 4})
    );
    let none = world.call("shop", "typed", json!({})).await.unwrap();
    assert_eq!(
        none.value["rows"][0],
        json!({"s": null, "i": null, "n": null, "b": null, "next": null})
    );
}

#[tokio::test]
async fn every_type_of_column_arrives_as_documented() {
    let Some((_database, world)) = shop(false).await else {
        return;
    };
    let found = world.call("shop", "all_types", json!({})).await.unwrap();
    assert!(!found.is_error, "{}", found.value);
    assert_eq!(
        found.value["rows"][0],
        json!({
            "b": true, "i2": 7, "i8": "9007199254740993", "f4": 0.1, "nan": null, "dec": "12.340",
            "c": "x", "v": "e", "bytes": "AP8=", "doc": {"a": [1, "12345678901234567890"]},
            "u": "d9e0c1f0-0000-4000-8000-000000000000", "d": "2024-02-29", "t": "2024-02-29T10:00:00.5+00:00",
            "lt": "2024-02-29T12:00:00", "iv": "1 day 02:00:00", "ia": [1, 2], "ta": ["a", null],
            "na": ["1.5"], "r": "[1,5)", "ip": "10.0.0.1/32", "rec": "(1,a)", "nothing": null, "b_2": 1
        })
    );
}

#[tokio::test]
async fn rows_bytes_and_time_are_bounded() {
    let Some((database, world)) = shop(false).await else {
        return;
    };
    let many = world.call("shop", "many", json!({})).await.unwrap();
    assert!(many.truncated);
    assert_eq!(many.value["count"], 3);

    let large = world.call("shop", "large", json!({})).await.unwrap();
    assert!(large.truncated);
    assert_eq!(large.value["rows"], json!([{"n": 1, "t": "ok"}]));

    let started = Instant::now();
    let slow = world.call("shop", "slow", json!({})).await;
    assert!(matches!(slow, Err(CallError::Timeout { .. })), "{slow:?}");
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(running(&database).await, 0);
}

/// Queries of Gaby's that run on the server.
async fn running(database: &Database) -> i64 {
    let mut left = i64::MAX;
    for _ in 0..40 {
        left = one(
            database,
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'gaby'",
        )
        .await;
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    left
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_cancelled_on_the_server() {
    let Some((database, world)) = shop(false).await else {
        return;
    };
    let call = world.call("shop", "slow", json!({}));
    let _ = tokio::time::timeout(Duration::from_millis(300), call).await;
    world.host.remove("shop").await.unwrap();
    assert_eq!(running(&database).await, 0);
}

#[tokio::test]
async fn a_write_goes_through_the_writing_role_in_one_transaction() {
    let Some((database, world)) = shop(true).await else {
        return;
    };
    let made = world
        .call("shop", "invoice", json!({"id": 1, "status": "open"}))
        .await
        .unwrap();
    assert_eq!(
        made.value,
        json!({"affected": 2, "rows": [{"id": 3, "status": "open"}]})
    );
    assert_eq!(
        one::<i64>(&database, "SELECT count(*) FROM invoices").await,
        3
    );

    // The second statement touches nothing, so the first one's row goes too.
    let refused = world
        .call("shop", "invoice", json!({"id": 99, "status": "open"}))
        .await
        .unwrap();
    assert!(refused.is_error);
    let said = refused.value.as_str().unwrap();
    assert!(
        said.contains("nothing was changed") && said.contains("0 rows"),
        "{said}"
    );
    assert_eq!(
        one::<i64>(&database, "SELECT count(*) FROM invoices").await,
        3
    );
}

#[tokio::test]
async fn a_write_that_is_too_slow_or_refused_at_its_end_changed_nothing_and_says_so() {
    let Some((database, world)) = shop(true).await else {
        return;
    };
    for (tool, arguments) in [("wait", json!({"id": 1})), ("orphan", json!({}))] {
        let failed = world.call("shop", tool, arguments).await.unwrap();
        assert!(failed.is_error, "{tool}");
        let said = failed.value.as_str().unwrap();
        assert!(said.contains("nothing was changed"), "{tool}: {said}");
    }
    assert_eq!(
        one::<i64>(&database, "SELECT count(*) FROM invoices").await,
        2
    );
    assert!(!one::<bool>(&database, "SELECT bool_or(locked) FROM customers").await);
}

#[tokio::test]
async fn without_a_writing_role_the_reading_role_writes_only_what_it_is_granted() {
    let Some((database, world)) = shop(false).await else {
        return;
    };
    let refused = world.call("shop", "lock", json!({"id": 1})).await;
    assert!(
        matches!(refused, Err(CallError::Refused { .. })),
        "{refused:?}"
    );
    assert!(!one::<bool>(&database, "SELECT bool_or(locked) FROM customers").await);
}

async fn connect_as(database: &Database, world: &World, name: &str, url: &str) -> Vec<String> {
    let _ = database;
    world
        .host
        .connect_manifest(name, "shop", settings([]), settings([("url", url)]))
        .await
        .unwrap()
        .warnings
}

#[tokio::test]
async fn a_login_that_could_write_is_not_called_read_only_and_never_acts_by_itself() {
    let Some(database) = Database::new().await else {
        return;
    };
    database.run(SHOP).await;
    database
        .run("CREATE ROLE {group}; CREATE ROLE {owner} LOGIN PASSWORD 'p@ss word' IN ROLE {group};
              CREATE TABLE owned (a int); ALTER TABLE owned OWNER TO {owner}; GRANT CREATE ON SCHEMA public TO {owner};")
        .await;
    let world = World::with(&[MANIFEST]).await;

    let superuser = connect_as(&database, &world, "super", &database.admin_url).await;
    assert!(superuser[0].contains("is a superuser"), "{superuser:?}");
    let writer = connect_as(&database, &world, "writer", &database.url("writer")).await;
    assert!(
        writer[0].contains("may change public.customers, public.invoices"),
        "{writer:?}"
    );
    let owner = connect_as(&database, &world, "owner", &database.url("owner")).await;
    for reason in [
        "owns objects",
        "is a member of group_",
        "may create objects in schema public",
    ] {
        assert!(owner[0].contains(reason), "{owner:?}");
    }

    let propose = Override {
        autonomy: Some(Autonomy::Propose),
        ..Override::default()
    };
    world.host.set_override("writer", propose).await.unwrap();
    let act = Override {
        autonomy: Some(Autonomy::Act),
        ..Override::default()
    };
    let refused = world.host.set_override("writer", act.clone()).await;
    assert!(
        matches!(refused, Err(ConnectError::Settings(_))),
        "{refused:?}"
    );
    assert_eq!(world.host.autonomy("writer"), Some(Autonomy::Propose));

    assert_eq!(
        connect_as(&database, &world, "reader", &database.url("reader")).await,
        Vec::<String>::new()
    );
    world.host.set_override("reader", act).await.unwrap();
    assert_eq!(world.host.autonomy("reader"), Some(Autonomy::Act));

    // Somebody grants more later: found at the next test, and acting stops.
    database.run("GRANT DELETE ON customers TO {reader}").await;
    let status = world.host.test("reader").await.unwrap();
    assert!(
        status.warnings[0].contains("may change public.customers"),
        "{:?}",
        status.warnings
    );
    assert_eq!(status.autonomy, Autonomy::Propose);
}

#[tokio::test]
async fn the_sql_that_is_offered_makes_a_role_that_passes() {
    let Some(database) = Database::new().await else {
        return;
    };
    database
        .run("CREATE TABLE t (a int); INSERT INTO t VALUES (1); GRANT CREATE ON SCHEMA public TO PUBLIC;")
        .await;
    let world = World::with(&[MANIFEST]).await;
    let warnings = connect_as(&database, &world, "super", &database.admin_url).await;
    let (_, sql) = warnings[0].split_once("run:\n").unwrap();
    let role = database.role("reader");
    let sql = sql
        .replace("gaby_reader", &role)
        .replace("choose-a-long-one", "p@ss word");
    execute(&mut database.admin().await, &sql).await;

    let warnings = connect_as(&database, &world, "made", &database.url("reader")).await;
    assert_eq!(warnings, Vec::<String>::new());
    let mut connection = sqlx::PgConnection::connect(&database.url("reader"))
        .await
        .unwrap();
    let written = sqlx::raw_sql("INSERT INTO t VALUES (2)")
        .execute(&mut connection)
        .await;
    assert!(written.is_err());
}

#[tokio::test]
async fn free_sql_is_off_until_switched_on_and_needs_a_login_that_cannot_write() {
    let Some(database) = Database::new().await else {
        return;
    };
    database.run(SHOP).await;
    let world = World::with(&[]).await;
    for (name, role, free) in [
        ("off", "reader", "false"),
        ("on", "reader", "true"),
        ("writer", "writer", "true"),
    ] {
        world
            .host
            .connect_manifest(
                name,
                "postgres",
                settings([("free_sql", free)]),
                settings([("url", &database.url(role))]),
            )
            .await
            .unwrap();
    }
    let query = "SELECT name FROM customers WHERE id = 2";
    assert!(matches!(
        world.sql("off", query).await,
        Err(CallError::Unknown(_))
    ));
    assert_eq!(
        world.sql("on", query).await.unwrap().value["rows"],
        json!([{"name": "Bob"}])
    );
    let refused = world.sql("writer", query).await.unwrap_err();
    assert!(refused.to_string().contains("cannot write"), "{refused}");
}

#[tokio::test]
async fn the_schema_shows_what_the_role_may_read_and_nothing_else() {
    let Some(database) = Database::new().await else {
        return;
    };
    database.run(SHOP).await;
    database
        .run("CREATE TABLE secrets (a int); CREATE SCHEMA hidden; CREATE TABLE hidden.t (a int); GRANT SELECT ON hidden.t TO {reader};
              REVOKE SELECT ON customers FROM {reader}; GRANT SELECT (id, visits) ON customers TO {reader};")
        .await;
    let world = World::with(&[]).await;
    world
        .host
        .connect_manifest(
            "db",
            "postgres",
            settings([]),
            settings([("url", &database.url("reader"))]),
        )
        .await
        .unwrap();
    let schema = world.call("db", "schema", json!({})).await.unwrap();
    let text = schema.value.to_string();
    assert!(
        !text.contains("secrets") && !text.contains("hidden") && !text.contains("email"),
        "{text}"
    );
    assert_eq!(
        schema.value["tables"][0],
        json!({"name": "customers", "kind": "table", "columns": [
            {"name": "id", "type": "integer", "primary_key": true},
            {"name": "visits", "type": "bigint", "primary_key": false, "description": "How often they came"},
        ]})
    );
}

#[tokio::test]
async fn an_expensive_free_query_is_refused_before_it_runs() {
    let Some((database, _)) = shop(false).await else {
        return;
    };
    database
        .run("CREATE TABLE big AS SELECT n AS id FROM generate_series(1, 20000) n; ANALYZE big; GRANT SELECT ON big TO {reader};")
        .await;
    let world = World::with(&[]).await;
    world
        .host
        .connect_manifest(
            "db",
            "postgres",
            settings([("free_sql", "true")]),
            settings([("url", &database.url("reader"))]),
        )
        .await
        .unwrap();
    let refused = world
        .sql(
            "db",
            "SELECT count(*) FROM big a, big b, big c WHERE a.id + b.id > c.id",
        )
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("estimates the cost"),
        "{refused}"
    );
    let first = world
        .sql("db", "SELECT big.id FROM big, customers LIMIT 1")
        .await
        .unwrap();
    assert_eq!(first.value["count"], 1);
}

#[tokio::test]
async fn what_cannot_be_reached_says_so_without_the_password() {
    let Some(database) = Database::new().await else {
        return;
    };
    database.run(SHOP).await;
    let world = World::with(&[]).await;
    let good = database.url("reader");
    let (_, place) = good.rsplit_once('@').unwrap();
    let (server, _) = place.split_once('/').unwrap();
    for (url, said) in [
        (format!("postgres://u:sekret@{server}/nosuchdb"), "nosuchdb"),
        (
            "postgres://u:sekret@127.0.0.1:1/db".to_owned(),
            "cannot connect to 127.0.0.1:1/db",
        ),
        (
            "mysql://u:sekret@localhost/db".to_owned(),
            "does not begin with postgres://",
        ),
        (
            "postgres://u:sekret@localhost".to_owned(),
            "names no database",
        ),
        ("postgres://localhost/db".to_owned(), "names no user"),
        ("sekret".to_owned(), "is not a connection string"),
    ] {
        let error = world
            .host
            .connect_manifest("db", "postgres", settings([]), settings([("url", &url)]))
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(said) && !error.contains("sekret"),
            "{url}: {error}"
        );
    }
    let system = world
        .host
        .connect_manifest(
            "db",
            "postgres",
            settings([("schemas", "public, pg_catalog")]),
            settings([("url", &good)]),
        )
        .await
        .unwrap_err()
        .to_string();
    assert!(
        system.contains("`pg_catalog`, which is the server's own"),
        "{system}"
    );
}

#[tokio::test]
async fn a_server_that_goes_away_is_shown_as_down_and_comes_back_by_itself() {
    let Some((database, world)) = shop(false).await else {
        return;
    };
    database.run("ALTER ROLE {reader} NOLOGIN").await;
    let failed = world.call("shop", "find", json!({"email": "a"})).await;
    assert!(
        matches!(failed, Err(CallError::Unavailable { .. })),
        "{failed:?}"
    );
    let state = async || world.host.status().await.remove(0);
    wait_for(async || state().await.state == ConnectorState::Down).await;
    let down = state().await;
    assert!(down.last_error.unwrap().contains("not permitted to log in"));
    assert_eq!(down.tools.len(), 10);
    database.run("ALTER ROLE {reader} LOGIN").await;
    wait_for(async || state().await.state == ConnectorState::Up).await;
    world
        .call("shop", "find", json!({"email": "a"}))
        .await
        .unwrap();
}

async fn wait_for(condition: impl AsyncFn() -> bool) {
    for _ in 0..200 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not come to pass within ten seconds");
}

#[test]
fn the_built_in_manifests_load() {
    let registry = Registry::built_in().unwrap();
    assert!(registry.get("postgres").is_some());
    let _: Value = Value::Null;
}
