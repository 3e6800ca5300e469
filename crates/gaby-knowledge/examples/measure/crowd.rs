//! Very many chunks out of a few: each begins like one passage of a folder and ends like another, so
//! that words keep their frequencies, and its vector lies near the first one's.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex};

use gaby_knowledge::Embedder;
use gaby_knowledge::chunk::{passages, words_of};
use gaby_knowledge::embed::EmbedError;
use gaby_knowledge::read;
use gaby_knowledge::source::Source;
use serde_json::json;

/// How many passages the crowd is made from.
const BASES: usize = 1_000;
const QUERIES: usize = 200;
const SECTIONS_A_FILE: usize = 100;

struct Base {
    heading: String,
    text: String,
    vector: Vec<f32>,
}

/// The passages a crowd is made from; as an embedder, it knows the vectors of the crowd.
pub(crate) struct Crowd {
    bases: Vec<Base>,
    model: Arc<dyn Embedder>,
    texts: Mutex<BufWriter<std::fs::File>>,
    vectors: Mutex<BufWriter<std::fs::File>>,
}

impl Crowd {
    /// Takes passages from all over a folder, and notes under `out` what the crowd is given.
    pub(crate) fn of(folder: &str, model: Arc<dyn Embedder>, out: &Path) -> Self {
        let source = Source::open(folder).unwrap();
        let mut all = Vec::new();
        for file in source.list().unwrap().0 {
            let Ok(bytes) = source.read(&file) else {
                continue;
            };
            let Ok(reading) = read::read(&file.path, &bytes, false) else {
                continue;
            };
            for passage in passages(&reading) {
                let words = words_of(reading.syntax, &reading.text[passage.start..passage.end]);
                let text = words.split_whitespace().collect::<Vec<_>>().join(" ");
                let heading = match passage.heading.rsplit(" › ").next() {
                    Some(last) if !last.is_empty() => last.to_owned(),
                    _ => reading.title.clone(),
                };
                if text.len() > 100 {
                    all.push((heading, text));
                }
            }
        }
        let step = (all.len() / BASES).max(1);
        let chosen: Vec<(String, String)> = all.into_iter().step_by(step).take(BASES).collect();
        let texts: Vec<&str> = chosen.iter().map(|(_, text)| text.as_str()).collect();
        let vectors = model.embed(&texts).unwrap();
        let bases = chosen
            .iter()
            .zip(vectors)
            .map(|((heading, text), vector)| Base {
                heading: heading.clone(),
                text: text.clone(),
                vector,
            })
            .collect();
        let create = |name: &str| BufWriter::new(std::fs::File::create(out.join(name)).unwrap());
        Self {
            bases,
            model,
            texts: create("texts.jsonl").into(),
            vectors: create("vectors.f32").into(),
        }
    }

    /// Writes about so many chunks as Markdown files.
    pub(crate) fn write(&self, chunks: usize, folder: &Path) {
        for file in 0..chunks.div_ceil(SECTIONS_A_FILE) {
            let mut text = format!("# Manual {file}\n\n");
            for section in file * SECTIONS_A_FILE..chunks.min((file + 1) * SECTIONS_A_FILE) {
                let first = &self.bases[section % self.bases.len()];
                let second = &self.bases
                    [(section / self.bases.len() * 7 + section * 3 + 1) % self.bases.len()];
                let half = |text: &str| text.floor_char_boundary(text.len() / 2);
                let (head, tail) = (
                    &first.text[..half(&first.text)],
                    &second.text[half(&second.text)..],
                );
                // Marks of Markdown would make other blocks of it.
                let body: String =
                    format!("{head} {tail} {section}").replace(['#', '|', '`', '<', '*', '-'], " ");
                text.push_str(&format!(
                    "## {}\n\n{}\n\n",
                    first.heading.replace('#', ""),
                    body.trim()
                ));
            }
            std::fs::write(folder.join(format!("{file}.md")), text).unwrap();
        }
    }

    /// Questions about the passages: their headings, and how they begin.
    pub(crate) fn queries(&self) -> Vec<String> {
        let step = (self.bases.len() / QUERIES).max(1);
        self.bases
            .iter()
            .step_by(step)
            .take(QUERIES)
            .map(|base| {
                let start: Vec<&str> = base.text.split(' ').skip(3).take(6).collect();
                format!("{} {}", base.heading, start.join(" "))
            })
            .collect()
    }

    fn vector(&self, text: &str) -> Vec<f32> {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let mut state = hasher.finish() | 1;
        let base = &self.bases[(state >> 8) as usize % self.bases.len()].vector;
        let mut vector: Vec<f32> = base
            .iter()
            .map(|value| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                value + ((state % 2001) as f32 / 1000.0 - 1.0) * 0.03
            })
            .collect();
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        vector.iter_mut().for_each(|x| *x /= length);
        vector
    }
}

impl Embedder for Crowd {
    fn id(&self) -> &str {
        self.model.id()
    }

    fn dimensions(&self) -> usize {
        self.model.dimensions()
    }

    /// A single text is a query, and goes through the model; many are the crowd's.
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        if texts.len() == 1 {
            return self.model.embed(texts);
        }
        let (mut to_texts, mut to_vectors) =
            (self.texts.lock().unwrap(), self.vectors.lock().unwrap());
        let mut all = Vec::with_capacity(texts.len());
        for text in texts {
            let vector = self.vector(text);
            writeln!(to_texts, "{}", json!({"text": text})).unwrap();
            for value in &vector {
                to_vectors.write_all(&value.to_le_bytes()).unwrap();
            }
            all.push(vector);
        }
        to_texts.flush().unwrap();
        to_vectors.flush().unwrap();
        Ok(all)
    }

    fn texts_at_once(&self) -> usize {
        1_000
    }
}
