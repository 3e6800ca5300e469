//! Makes the demo's databases from their scripts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::DemoError;
use super::files::Files;
use super::plan::PlannedDatabase;

/// Where each database is, by its name.
pub(super) type Databases = BTreeMap<String, PathBuf>;

/// Makes each database afresh below `folder`.
pub(super) fn make(
    planned: &[PlannedDatabase],
    files: &Files,
    folder: &Path,
) -> Result<Databases, DemoError> {
    let mut made = Databases::new();
    for database in planned {
        let path = folder.join(format!("{}.db", database.name));
        for suffix in ["", "-wal", "-shm"] {
            let old = folder.join(format!("{}.db{suffix}", database.name));
            match std::fs::remove_file(&old) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(DemoError::File { path: old, source });
                }
                _ => {}
            }
        }
        run(database, files, &path)?;
        made.insert(database.name.clone(), path);
    }
    Ok(made)
}

fn run(database: &PlannedDatabase, files: &Files, path: &Path) -> Result<(), DemoError> {
    let failed = |script: &str, error: rusqlite::Error| DemoError::Script {
        script: script.to_owned(),
        reason: error.to_string(),
    };
    let connection = Connection::open(path).map_err(|error| failed(&database.name, error))?;
    // Made anew at each start: nobody misses what a loss of power takes of it.
    connection
        .execute_batch("PRAGMA synchronous = OFF")
        .map_err(|error| failed(&database.name, error))?;
    for script in &database.scripts {
        let text = files.text(script)?;
        connection
            .execute_batch(&format!("BEGIN; {text}; COMMIT;"))
            .map_err(|error| failed(script, error))?;
    }
    Ok(())
}

/// A setting with `{{ databases.NAME }}` replaced by that database's path.
pub(super) fn fill(setting: &str, databases: &Databases) -> Result<String, DemoError> {
    let mut out = String::new();
    let mut rest = setting;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or_else(|| unknown(setting))?;
        let path = name
            .trim()
            .strip_prefix("databases.")
            .and_then(|name| databases.get(name))
            .ok_or_else(|| unknown(setting))?;
        out.push_str(before);
        out.push_str(&path.display().to_string());
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn unknown(setting: &str) -> DemoError {
    DemoError::Plan(format!(
        "`{setting}` names nothing that is there: use {{{{ databases.NAME }}}} with a name of `databases`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_takes_the_path_of_a_database_that_was_made() {
        let databases = Databases::from([("crm".to_owned(), PathBuf::from("/d/crm.db"))]);
        for (setting, filled) in [
            ("{{ databases.crm }}", Some("/d/crm.db")),
            (
                "file:{{databases.crm}}?mode=ro",
                Some("file:/d/crm.db?mode=ro"),
            ),
            ("plain", Some("plain")),
            ("{{ databases.other }}", None),
            ("{{ env.HOME }}", None),
            ("{{ databases.crm", None),
        ] {
            assert_eq!(
                fill(setting, &databases).ok().as_deref(),
                filled,
                "{setting}"
            );
        }
    }

    #[test]
    fn a_script_that_fails_is_named_and_leaves_no_half_made_table() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("bad.sql"),
            "CREATE TABLE a (b); INSERT INTO nope VALUES (1)",
        )
        .unwrap();
        let files = Files::of_folder(folder.path().into());
        let planned = [PlannedDatabase {
            name: "x".into(),
            scripts: vec!["bad.sql".into()],
        }];
        let error = make(&planned, &files, folder.path())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("bad.sql") && error.contains("nope"),
            "{error}"
        );
    }
}
