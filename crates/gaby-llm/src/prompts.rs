//! The prompts: files with a head, versioned by what is in them.
//!
//! A prompt is a Markdown file that begins with a head (`name`, `purpose`, `description`) between two
//! lines of `---`; below stands a template in Jinja's syntax. Its version is the beginning of the
//! SHA-256 of the whole file, so that a call on record tells exactly what was asked, and a changed
//! word is another version. An operator's file replaces the shipped one of the same name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::settings::Purpose;

/// The prompts that come with Gaby.
const BUILT_IN: &[(&str, &str)] = &[
    ("answer.md", include_str!("../../../prompts/answer.md")),
    ("classify.md", include_str!("../../../prompts/classify.md")),
    (
        "investigate.md",
        include_str!("../../../prompts/investigate.md"),
    ),
];

/// The largest prompt that is read, in bytes.
const MAX_BYTES: usize = 256 * 1024;
/// What a template may compute, in steps of its engine.
const FUEL: u64 = 200_000;

/// One prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub purpose: Purpose,
    /// What it is for, in words.
    pub description: String,
    /// The first 12 digits of the SHA-256 of its file.
    pub version: String,
    template: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    name: String,
    purpose: Purpose,
    description: String,
}

/// Why prompts cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// A file or folder cannot be read.
    #[error("cannot read the prompts at {path}: {why}")]
    Unreadable {
        /// Where.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A file is no prompt.
    #[error("the prompt {file} cannot be used: {why}")]
    Faulty {
        /// Which.
        file: String,
        /// What is wrong, and what to do.
        why: String,
    },
}

/// The prompts in use, by name. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Prompts(Arc<BTreeMap<String, Prompt>>);

impl Prompts {
    /// The shipped prompts, and over them those of a folder; a folder that is not there has none.
    ///
    /// # Errors
    /// When a file cannot be read or is no prompt, or replaces none of those that are used.
    pub fn load(own: Option<&Path>) -> Result<Self, PromptError> {
        let mut all = BTreeMap::new();
        for (file, text) in BUILT_IN {
            let prompt = Prompt::parse(file, text)?;
            all.insert(prompt.name.clone(), prompt);
        }
        for (file, text) in own.map(read_folder).transpose()?.unwrap_or_default() {
            let prompt = Prompt::parse(&file, &text)?;
            if !all.contains_key(&prompt.name) {
                let names: Vec<&str> = all.keys().map(String::as_str).collect();
                return Err(PromptError::Faulty {
                    file,
                    why: format!(
                        "nothing uses a prompt `{}`: the names are {}",
                        prompt.name,
                        names.join(", ")
                    ),
                });
            }
            all.insert(prompt.name.clone(), prompt);
        }
        Ok(Self(Arc::new(all)))
    }

    /// The prompt of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Prompt> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Prompt> {
        self.0.values()
    }
}

impl Prompt {
    /// Reads a prompt, and checks that its template can be filled in.
    ///
    /// # Errors
    /// When it has no head, or a head or template that cannot be read.
    pub fn parse(file: &str, text: &str) -> Result<Self, PromptError> {
        let faulty = |why: String| PromptError::Faulty {
            file: file.to_owned(),
            why,
        };
        if text.len() > MAX_BYTES {
            return Err(faulty(format!("it has more than {MAX_BYTES} bytes")));
        }
        let version = hex::encode(&Sha256::digest(text.as_bytes())[..6]);
        let unix = text.replace("\r\n", "\n");
        let (head, template) = unix
            .strip_prefix("---\n")
            .and_then(|rest| rest.split_once("\n---\n"))
            .ok_or_else(|| {
                faulty(
                    "it must begin with its name, purpose and description between two lines of ---"
                        .to_owned(),
                )
            })?;
        let head: Head = serde_saphyr::from_str(head)
            .map_err(|error| faulty(format!("its head cannot be read: {error}")))?;
        let prompt = Self {
            name: head.name,
            purpose: head.purpose,
            description: head.description,
            version,
            template: template.trim().to_owned(),
        };
        engine()
            .template_from_str(&prompt.template)
            .map_err(|error| faulty(format!("its template cannot be read: {error}")))?;
        Ok(prompt)
    }

    /// The prompt with these values filled in. A value that is not given is empty.
    ///
    /// # Errors
    /// When the template computes too much, or something that cannot be.
    pub fn render(&self, values: &impl Serialize) -> Result<String, PromptError> {
        let values = minijinja::Value::from(minijinja::value::Serde(values));
        let text = engine().render_str(&self.template, values);
        text.map(|text| text.trim().to_owned())
            .map_err(|error| PromptError::Faulty {
                file: self.name.clone(),
                why: error.to_string(),
            })
    }
}

fn engine() -> minijinja::Environment<'static> {
    let mut engine = minijinja::Environment::new();
    engine.set_fuel(Some(FUEL));
    engine
}

fn read_folder(folder: &Path) -> Result<Vec<(String, String)>, PromptError> {
    let unreadable = |path: &Path, error: std::io::Error| PromptError::Unreadable {
        path: path.to_owned(),
        why: error.to_string(),
    };
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(folder, error)),
        Ok(entries) => entries,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let Some(name) = name.filter(|name| name.ends_with(".md")) else {
            continue;
        };
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        files.push((name, text));
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OWN: &str = "---\nname: answer\npurpose: answer\ndescription: Ours.\n---\nMarks: {{ fence }}. {% if recipe %}Do {{ recipe }}.{% endif %}\n";

    #[test]
    fn every_shipped_prompt_reads_and_each_name_is_its_file() {
        let prompts = Prompts::load(None).unwrap();
        for (file, _) in BUILT_IN {
            let name = file.strip_suffix(".md").unwrap();
            let prompt = prompts.get(name).unwrap();
            let text = prompt.render(&json!({"fence": "<<7>>", "budget": {"turns": 40}}));
            assert!(text.unwrap().contains("<<7>>"), "{name}");
        }
        assert_eq!(prompts.iter().count(), BUILT_IN.len());
    }

    #[test]
    fn a_version_is_the_hash_of_the_file_and_a_changed_word_is_another() {
        let one = Prompt::parse("answer.md", OWN).unwrap();
        let whole = hex::encode(Sha256::digest(OWN.as_bytes()));
        assert!(whole.starts_with(&one.version) && one.version.len() == 12);
        let other = Prompt::parse("answer.md", &OWN.replace("Ours", "Yours")).unwrap();
        assert_ne!(one.version, other.version);
        assert_eq!(one.render(&json!({"fence": "#"})).unwrap(), "Marks: #.");
    }

    #[test]
    fn an_operators_file_stands_for_the_shipped_one_and_what_nothing_uses_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none");
        assert!(Prompts::load(Some(&missing)).is_ok());
        std::fs::write(folder.path().join("mine.md"), OWN).unwrap();
        std::fs::write(folder.path().join("notes.txt"), "not a prompt").unwrap();
        let prompts = Prompts::load(Some(folder.path())).unwrap();
        assert_eq!(prompts.get("answer").unwrap().description, "Ours.");
        let stray = OWN.replace("name: answer", "name: anwser");
        std::fs::write(folder.path().join("mine.md"), stray).unwrap();
        let error = Prompts::load(Some(folder.path())).unwrap_err().to_string();
        assert!(
            error.contains("`anwser`") && error.contains("investigate"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_prompt_is_refused_with_its_file() {
        for text in [
            "no head",
            "---\nname: answer\n---\nx",
            "---\nname: answer\npurpose: cook\ndescription: x\n---\nx",
            "---\nname: answer\npurpose: answer\ndescription: x\n---\n{% if %}",
        ] {
            let error = Prompt::parse("broken.md", text).unwrap_err().to_string();
            assert!(error.contains("broken.md"), "{error}");
        }
        let endless = OWN.replace(
            "{{ fence }}",
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
        );
        assert!(
            Prompt::parse("x.md", &endless)
                .unwrap()
                .render(&json!({}))
                .is_err()
        );
    }
}
