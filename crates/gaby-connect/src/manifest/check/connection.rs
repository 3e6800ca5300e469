//! How a manifest reaches its system.

use super::{Faults, declared};
use crate::manifest::{Auth, DriverKind, Manifest};

pub(super) fn connection(manifest: &Manifest, faults: &mut Faults) {
    let (fields, needed): (&[&str], &[&str]) = match manifest.driver {
        DriverKind::Sqlite => (&["path"], &["path"]),
        DriverKind::Postgres => (
            &[
                "url",
                "host",
                "port",
                "database",
                "user",
                "password",
                "tls",
                "schemas",
                "write_url",
                "write_user",
                "write_password",
            ],
            &[],
        ),
        DriverKind::Http => (&["base_url", "allow"], &["base_url"]),
    };
    let known = declared(manifest);
    for (key, value) in &manifest.connection {
        let field = format!("connection.{key}");
        if !fields.contains(&key.as_str()) {
            faults.add(
                field.clone(),
                format!(
                    "is not known to driver `{}`: it takes {}",
                    manifest.driver.as_str(),
                    fields.join(", ")
                ),
            );
        }
        for template in value.templates() {
            faults.template(&field, template, &known);
        }
    }
    for key in needed {
        if !manifest.connection.contains_key(*key) {
            faults.add("connection", format!("`{key}` is missing"));
        }
    }
    let has = |key: &str| manifest.connection.contains_key(key);
    if manifest.driver == DriverKind::Postgres && !has("url") && !has("host") {
        faults.add(
            "connection",
            "`url`, or `host` with `database` and `user`, is missing",
        );
    }
    if let Some(rate) = manifest.rate {
        if manifest.driver != DriverKind::Http {
            faults.add("rate", "is for driver `http`");
        }
        for (key, value, most) in [
            ("calls", rate.calls, 10_000),
            ("seconds", rate.seconds, 3_600),
        ] {
            if value == 0 || value > most {
                faults.add(format!("rate.{key}"), format!("must be 1 to {most}"));
            }
        }
    }
    match (&manifest.auth, manifest.driver) {
        (None | Some(Auth::None), _) => {}
        (Some(_), DriverKind::Sqlite | DriverKind::Postgres) => faults.add(
            "auth",
            "is for driver `http`: put the password into `connection`",
        ),
        (Some(Auth::Bearer { token }), _) => faults.template("auth.token", token, &known),
        (Some(Auth::Basic { username, password }), _) => {
            faults.template("auth.username", username, &known);
            faults.template("auth.password", password, &known);
        }
        (
            Some(Auth::OAuth2ClientCredentials {
                token_url,
                client_id,
                client_secret,
                scope,
                audience,
                client_auth: _,
            }),
            _,
        ) => {
            for (field, template) in [
                ("auth.token_url", token_url),
                ("auth.client_id", client_id),
                ("auth.client_secret", client_secret),
                ("auth.scope", scope),
                ("auth.audience", audience),
            ] {
                faults.template(field, template, &known);
            }
        }
        (Some(Auth::Header { name, value }), _) => {
            faults.template("auth.value", value, &known);
            if reqwest::header::HeaderName::try_from(name.as_str()).is_err() {
                faults.add("auth.name", "is not a header's name");
            }
        }
    }
}
