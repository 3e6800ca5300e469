//! Whether a login can write at all. A read-only transaction is one layer, and a privileged role gets
//! around it (COPY to a program, server files, other databases), so the role is looked at itself.

use std::time::Duration;

use sqlx::{PgConnection, Row as _};

use super::explain;
use super::login::quote;
use crate::drivers::DriverError;

/// What stands against calling a login read-only, and what would mend it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Finding {
    /// Reasons; none: the login cannot write.
    pub(super) reasons: Vec<String>,
    /// The SQL that makes a role that cannot.
    pub(super) remedy: String,
}

impl Finding {
    /// The finding as a warning for the operator; none when there is nothing to say.
    pub(super) fn warning(&self, user: &str) -> Option<String> {
        if self.reasons.is_empty() {
            return None;
        }
        Some(format!(
            "NOT VERIFIED READ-ONLY: the login `{user}` {}. Connect with a role that cannot write; as an administrator of the database, run:\n{}",
            self.reasons.join("; it "),
            self.remedy
        ))
    }
}

/// The relations that the role may change, and how, at most a few.
const WRITES: &str = "
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
      AND CASE WHEN c.relkind = 'S' THEN
            pg_catalog.has_sequence_privilege(c.oid, 'USAGE, UPDATE')
          WHEN c.relkind IN ('r', 'v', 'm', 'p', 'f') THEN
            pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
            OR pg_catalog.has_any_column_privilege(c.oid, 'INSERT, UPDATE, REFERENCES')
          ELSE false END
    ORDER BY 1 LIMIT 4";

const CREATES: &str = "
    SELECT pg_catalog.format('%I', nspname) FROM pg_catalog.pg_namespace
    WHERE nspname NOT LIKE 'pg\\_temp%' AND nspname NOT LIKE 'pg\\_toast%'
      AND pg_catalog.has_schema_privilege(oid, 'CREATE')
    ORDER BY 1 LIMIT 4";

const MEMBER: &str = "
    SELECT pg_catalog.format('%I', r.rolname)
    FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.roleid
    WHERE m.member = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)
    ORDER BY 1 LIMIT 4";

const ATTRIBUTES: &str = "
    SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,
      session_user = current_user,
      EXISTS (SELECT FROM pg_catalog.pg_shdepend d
              WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
                AND d.refobjid = r.oid AND d.deptype = 'o'),
      pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
      EXISTS (SELECT FROM pg_catalog.pg_namespace n
              CROSS JOIN LATERAL pg_catalog.aclexplode(
                COALESCE(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) a
              WHERE n.nspname = 'public' AND a.grantee = 0 AND a.privilege_type = 'CREATE'),
      pg_catalog.current_database()::text
    FROM pg_catalog.pg_roles r WHERE rolname = current_user";

/// Looks at the role of a connection.
pub(super) async fn examine(
    connection: &mut PgConnection,
    schemas: &[String],
    time: Duration,
) -> Result<Finding, DriverError> {
    let wrong = |error: sqlx::Error| explain(&error, time);
    let row = sqlx::query(ATTRIBUTES)
        .fetch_one(&mut *connection)
        .await
        .map_err(wrong)?;
    let is = |index: usize| row.try_get::<bool, _>(index).map_err(wrong);
    let mut reasons = Vec::new();
    let superuser = is(0)?;
    for (found, reason) in [
        (superuser, "is a superuser"),
        (is(1)?, "may create roles"),
        (is(2)?, "may create databases"),
        (is(3)?, "may replicate the whole server"),
        (is(4)?, "gets around row security"),
        (!is(5)?, "acts as another role than it signed in as"),
        (is(6)?, "owns objects of the server"),
        (!superuser && is(7)?, "may create schemas in this database"),
    ] {
        if found {
            reasons.push(reason.to_owned());
        }
    }
    let public_creates = is(8)?;
    let database: String = row.try_get(9).map_err(wrong)?;
    for (query, what, ask) in [
        (MEMBER, "is a member of", true),
        (CREATES, "may create objects in schema", !superuser),
        (WRITES, "may change", !superuser),
    ] {
        if !ask {
            continue;
        }
        let names: Vec<String> = sqlx::query_scalar(query)
            .fetch_all(&mut *connection)
            .await
            .map_err(wrong)?;
        if !names.is_empty() {
            let more = if names.len() > 3 { " and more" } else { "" };
            let some = names[..names.len().min(3)].join(", ");
            reasons.push(format!("{what} {some}{more}"));
        }
    }
    Ok(Finding {
        reasons,
        remedy: remedy(&database, schemas, public_creates),
    })
}

/// SQL that makes a role which can read these schemas and nothing more.
fn remedy(database: &str, schemas: &[String], public_creates: bool) -> String {
    let mut lines = vec![
        "CREATE ROLE gaby_reader LOGIN PASSWORD 'choose-a-long-one' NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT CONNECTION LIMIT 8;".to_owned(),
        "ALTER ROLE gaby_reader SET default_transaction_read_only = on;".to_owned(),
        "ALTER ROLE gaby_reader SET temp_file_limit = '256MB';".to_owned(),
        format!("GRANT CONNECT ON DATABASE {} TO gaby_reader;", quote(database)),
    ];
    for schema in schemas {
        let schema = quote(schema);
        lines.push(format!("GRANT USAGE ON SCHEMA {schema} TO gaby_reader;"));
        lines.push(format!(
            "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO gaby_reader; -- or per table, or per column: GRANT SELECT (id, name) ON TABLE …"
        ));
    }
    if public_creates {
        lines.push(
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC; -- every role may create there now"
                .to_owned(),
        );
    }
    lines.join("\n")
}
