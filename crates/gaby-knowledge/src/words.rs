//! The word index: tantivy in memory, scored here so that every point of a score can be shown.
//!
//! tantivy keeps the postings; BM25 is summed over them in one pass. A word in the title or a heading
//! counts for more than one in the body, before saturation (BM25F); that is done when a chunk is
//! indexed, so that a word has one list of postings. The query is a bag of words and of neighbouring
//! words: those that stand together in the question and in a passage mean the same thing. An index is never changed in place: [`WordIndex::edit`] gives a
//! new one beside the old, so that a failed or killed ingest leaves the old one as it was.

mod score;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use tantivy::directory::{Directory, RamDirectory, TerminatingWrite};
use tantivy::indexer::{LogMergePolicy, NoMergePolicy};
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{Index, IndexSettings, ReloadPolicy, Searcher, TantivyDocument, Term};

pub use score::TermScore;

use crate::error::KnowledgeError;
use crate::terms::{self, TermTokenizer};

const TOKENIZER: &str = "gaby";
const META: &str = "meta.json";
/// The least that a writer takes; more only when there is much to write.
const SMALL_WRITER: usize = 15_000_000;
const LARGE_WRITER: usize = 60_000_000;

/// One chunk, as the index takes it.
#[derive(Debug, Clone)]
pub struct IndexedChunk {
    /// The chunk's number; never reused.
    pub key: u128,
    /// The document's number; removing it removes its chunks.
    pub document: u64,
    /// What its vector is found by: equal for chunks of equal text.
    pub vector: u128,
    /// The document's title.
    pub title: String,
    /// Headings down to it.
    pub heading: String,
    /// Its words.
    pub body: String,
}

/// What the index knows of a row without opening anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The chunk's number.
    pub key: u128,
    /// The document's number.
    pub document: u64,
    /// What its vector is found by.
    pub vector: u128,
}

#[derive(Debug, Clone, Copy)]
struct Fields {
    terms: Field,
    /// How many terms the chunk has.
    length: Field,
    key_high: Field,
    key_low: Field,
    document: Field,
    vector_high: Field,
    vector_low: Field,
}

/// The word index of one workspace, or of one evaluation.
pub struct WordIndex {
    directory: RamDirectory,
    index: Index,
    searcher: Searcher,
    fields: Fields,
    rows: Vec<Option<Row>>,
    alive: usize,
    norms: score::Norms,
}

impl std::fmt::Debug for WordIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WordIndex")
            .field("alive", &self.alive)
            .finish_non_exhaustive()
    }
}

fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let text = TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer(TOKENIZER)
            .set_fieldnorms(false)
            .set_index_option(IndexRecordOption::WithFreqs),
    );
    let fields = Fields {
        terms: builder.add_text_field("terms", text),
        length: builder.add_u64_field("length", FAST),
        key_high: builder.add_u64_field("key_high", FAST),
        key_low: builder.add_u64_field("key_low", FAST),
        document: builder.add_u64_field("document", FAST | INDEXED),
        vector_high: builder.add_u64_field("vector_high", FAST),
        vector_low: builder.add_u64_field("vector_low", FAST),
    };
    (builder.build(), fields)
}

impl WordIndex {
    /// An index of nothing.
    ///
    /// # Errors
    /// When tantivy refuses.
    pub fn empty() -> Result<Self, KnowledgeError> {
        let directory = RamDirectory::create();
        let index = Index::create(directory.clone(), schema().0, IndexSettings::default())?;
        Self::over(directory, index)
    }

    /// From the files that [`WordIndex::files`] gave.
    ///
    /// # Errors
    /// When they are damaged or incomplete: rebuild from the chunks.
    pub fn open(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, KnowledgeError> {
        let directory = RamDirectory::create();
        for (name, bytes) in files {
            let path = Path::new(name);
            let written = if name == META {
                directory.atomic_write(path, bytes)
            } else {
                directory
                    .open_write(path)
                    .map_err(|error| KnowledgeError::Index(error.to_string()))
                    .map(|mut file| file.write_all(bytes).and_then(|()| file.terminate()))?
            };
            written.map_err(|error| KnowledgeError::Index(error.to_string()))?;
        }
        let index = Index::open(directory.clone())?;
        if index.schema() != schema().0 {
            return Err(KnowledgeError::Index(
                "its fields are of another version".into(),
            ));
        }
        Self::over(directory, index)
    }

    fn over(directory: RamDirectory, index: Index) -> Result<Self, KnowledgeError> {
        index.tokenizers().register(TOKENIZER, TermTokenizer);
        let (_, fields) = schema();
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()?;
        let searcher = reader.searcher();
        let (mut rows, mut lengths) = (Vec::new(), Vec::new());
        for segment in searcher.segment_readers() {
            let fast = segment.fast_fields();
            let length = fast.u64("length")?;
            let key_high = fast.u64("key_high")?;
            let key_low = fast.u64("key_low")?;
            let document = fast.u64("document")?;
            let high = fast.u64("vector_high")?;
            let low = fast.u64("vector_low")?;
            for row in 0..segment.max_doc() {
                let value =
                    |column: &tantivy::columnar::Column<u64>| column.first(row).unwrap_or(0);
                lengths.push(value(&length) as f32);
                rows.push((!segment.is_deleted(row)).then(|| Row {
                    key: (u128::from(value(&key_high)) << 64) | u128::from(value(&key_low)),
                    document: value(&document),
                    vector: (u128::from(value(&high)) << 64) | u128::from(value(&low)),
                }));
            }
        }
        let alive = rows.iter().flatten().count();
        let norms = score::Norms::of(&lengths, &rows);
        Ok(Self {
            directory,
            index,
            searcher,
            fields,
            rows,
            alive,
            norms,
        })
    }

    /// A new index without the chunks of `removed` documents and with `added` chunks.
    ///
    /// # Errors
    /// When tantivy refuses.
    pub fn edit(&self, removed: &[u64], added: &[IndexedChunk]) -> Result<Self, KnowledgeError> {
        let directory = RamDirectory::create();
        for name in self.file_names()? {
            let path = Path::new(&name);
            let bytes = self.read(&name)?;
            let copied = if name == META {
                directory.atomic_write(path, &bytes)
            } else {
                directory
                    .open_write(path)
                    .map_err(|error| KnowledgeError::Index(error.to_string()))
                    .map(|mut file| file.write_all(&bytes).and_then(|()| file.terminate()))?
            };
            copied.map_err(|error| KnowledgeError::Index(error.to_string()))?;
        }
        let index = Index::open(directory.clone())?;
        index.tokenizers().register(TOKENIZER, TermTokenizer);
        let large = added.len() > 2_000;
        let threads = if large {
            std::thread::available_parallelism().map_or(1, |n| n.get().min(8))
        } else {
            1
        };
        let heap = if large { LARGE_WRITER } else { SMALL_WRITER };
        let mut writer =
            index.writer_with_num_threads::<TantivyDocument>(threads, heap * threads)?;
        writer.set_merge_policy(Box::new(NoMergePolicy));
        for document in removed {
            writer.delete_term(Term::from_field_u64(self.fields.document, *document));
        }
        for chunk in added {
            let mut document = TantivyDocument::default();
            let text = terms::fields(&chunk.title, &chunk.heading, &chunk.body);
            document.add_u64(self.fields.length, terms::count(&text));
            document.add_text(self.fields.terms, text);
            document.add_u64(self.fields.key_high, (chunk.key >> 64) as u64);
            document.add_u64(self.fields.key_low, chunk.key as u64);
            document.add_u64(self.fields.document, chunk.document);
            document.add_u64(self.fields.vector_high, (chunk.vector >> 64) as u64);
            document.add_u64(self.fields.vector_low, chunk.vector as u64);
            writer.add_document(document)?;
        }
        writer.commit()?;
        let segments = index.searchable_segment_metas()?;
        let deleted: u32 = segments.iter().map(|meta| meta.num_deleted_docs()).sum();
        let rows: u32 = segments.iter().map(|meta| meta.max_doc()).sum();
        if segments.len() > 8 || deleted * 4 > rows {
            let ids: Vec<_> = segments.iter().map(|meta| meta.id()).collect();
            writer.set_merge_policy(Box::new(LogMergePolicy::default()));
            writer.merge(&ids).wait()?;
        }
        writer.wait_merging_threads()?;
        Self::over(directory, index)
    }

    fn file_names(&self) -> Result<Vec<String>, KnowledgeError> {
        let mut names = vec![META.to_owned()];
        for file in self.index.load_metas()?.list_segment_files() {
            if self.directory.exists(&file).unwrap_or(false) {
                names.push(file.to_string_lossy().into_owned());
            }
        }
        names[1..].sort();
        Ok(names)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, KnowledgeError> {
        let failed = |error: String| KnowledgeError::Index(format!("{name}: {error}"));
        let slice = self
            .directory
            .open_read(Path::new(name))
            .map_err(|error| failed(error.to_string()))?;
        let bytes = slice
            .read_bytes()
            .map_err(|error| failed(error.to_string()))?;
        Ok(bytes.as_slice().to_vec())
    }

    /// The files that hold the index, by name. A file never changes under its name, `meta.json`
    /// aside.
    ///
    /// # Errors
    /// When one cannot be read back.
    pub fn files(&self) -> Result<BTreeMap<String, Vec<u8>>, KnowledgeError> {
        self.file_names()?
            .into_iter()
            .map(|name| Ok((name.clone(), self.read(&name)?)))
            .collect()
    }

    /// Its rows; removed ones are none.
    #[must_use]
    pub fn rows(&self) -> &[Option<Row>] {
        &self.rows
    }

    /// How many chunks it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.alive
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.alive == 0
    }

    /// Roughly how much memory it takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.directory.total_mem_usage() + self.rows.len() * size_of::<Option<Row>>()
    }
}
