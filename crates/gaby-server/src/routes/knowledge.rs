//! What Gaby knows: search with reasons, sources, documents.

use std::collections::HashMap;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use gaby_knowledge::{Explanation, Hit, Knowledge, SearchOptions};
use gaby_model::{ChunkId, DocumentId, KnowledgeSourceId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::auth::caller::In;
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::extract::{Id, Params};

const USUAL_HITS: usize = 10;
const MOST_HITS: usize = 100;
/// A long ticket may be searched for as a whole; addresses end about here anyway.
const LONGEST_QUERY: usize = 16 * 1024;
const DOCUMENTS_A_PAGE: usize = 100;

/// A search.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchQuery {
    /// What to look for.
    pub(crate) q: String,
    /// How many hits, 1 to 100; 10 by default.
    #[param(minimum = 1, maximum = 100)]
    pub(crate) top: Option<usize>,
    /// Whether each hit says why it was found.
    #[serde(default)]
    pub(crate) explain: bool,
    /// The workspace, unless the header `X-Gaby-Workspace` names it.
    #[allow(
        dead_code,
        reason = "read by the workspace's own extractor, documented here"
    )]
    pub(crate) workspace: Option<String>,
}

/// What a search found.
#[derive(Serialize, ToSchema)]
pub(crate) struct SearchResult {
    /// The passages, best first.
    pub(crate) hits: Vec<HitView>,
    /// How long the search took.
    pub(crate) seconds: f64,
}

/// A passage that was found.
#[derive(Serialize, ToSchema)]
pub(crate) struct HitView {
    /// Its place, from 1.
    pub(crate) rank: usize,
    /// How well it fits, 0 to 1.
    pub(crate) score: f64,
    /// The passage.
    pub(crate) chunk: ChunkId,
    /// Its document.
    pub(crate) document: DocumentId,
    /// The document's path or address.
    pub(crate) path: String,
    /// The document's title.
    pub(crate) title: String,
    /// Headings down to the passage, joined by ` › `.
    pub(crate) heading: String,
    /// Byte offset of its first character in the document's text.
    pub(crate) start: usize,
    /// Byte offset after its last character.
    pub(crate) end: usize,
    /// The passage's text.
    pub(crate) text: String,
    /// When the document last changed, where that is known.
    #[schema(required)]
    pub(crate) updated_at: Option<Timestamp>,
    /// Why it was found; only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) explain: Option<ExplanationView>,
}

/// Why a passage was found.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExplanationView {
    /// What each word of the query added to the BM25 score.
    pub(crate) terms: Vec<TermScore>,
    /// The BM25 score.
    pub(crate) bm25: f64,
    /// Similarity of meaning, -1 to 1; none while its vector is not made yet.
    #[schema(required)]
    pub(crate) similarity: Option<f64>,
    /// Place in the list by words; none when not in it.
    #[schema(required)]
    pub(crate) bm25_rank: Option<usize>,
    /// Place in the list by meaning; none when not in it.
    #[schema(required)]
    pub(crate) vector_rank: Option<usize>,
    /// How fresh the document is, in words.
    #[schema(required)]
    pub(crate) recency: Option<String>,
}

/// What one word added.
#[derive(Serialize, ToSchema)]
pub(crate) struct TermScore {
    /// The word, in the form the index holds.
    pub(crate) term: String,
    /// Its part of the BM25 score.
    pub(crate) score: f64,
}

/// Where the knowledge comes from.
#[derive(Serialize, ToSchema)]
pub(crate) struct SourceList {
    /// The sources.
    pub(crate) sources: Vec<SourceView>,
    /// All of them together.
    pub(crate) totals: KnowledgeTotals,
}

/// A place that documents come from.
#[derive(Serialize, ToSchema)]
pub(crate) struct SourceView {
    /// Its id.
    pub(crate) id: KnowledgeSourceId,
    /// Its name.
    pub(crate) name: String,
    /// The folder, file or repository.
    pub(crate) location: String,
    /// Documents in it.
    pub(crate) documents: u64,
    /// Passages in it.
    pub(crate) chunks: u64,
    /// Passages that already have their vector.
    pub(crate) embedded: u64,
    /// When it was last read.
    #[schema(required)]
    pub(crate) last_sync: Option<Timestamp>,
    /// Files that were left out the last time.
    pub(crate) skipped: u64,
    /// Which, as `path: reason`.
    pub(crate) skipped_files: Vec<String>,
}

/// All sources together.
#[derive(Serialize, ToSchema)]
pub(crate) struct KnowledgeTotals {
    /// Documents.
    pub(crate) documents: u64,
    /// Passages.
    pub(crate) chunks: u64,
    /// Passages that already have their vector.
    pub(crate) embedded: u64,
}

/// Which documents to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DocumentQuery {
    /// Only those whose title or path contains this.
    pub(crate) q: Option<String>,
    /// From `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// The workspace, unless the header `X-Gaby-Workspace` names it.
    #[allow(
        dead_code,
        reason = "read by the workspace's own extractor, documented here"
    )]
    pub(crate) workspace: Option<String>,
}

/// One page of documents, by path.
#[derive(Serialize, ToSchema)]
pub(crate) struct DocumentPage {
    /// The documents.
    pub(crate) items: Vec<DocumentSummary>,
    /// Where the next page begins; none on the last.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// A document in a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct DocumentSummary {
    /// Its id.
    pub(crate) id: DocumentId,
    /// Its path or address.
    pub(crate) path: String,
    /// Its title.
    pub(crate) title: String,
    /// The name of its source.
    pub(crate) source: String,
    /// Passages in it.
    pub(crate) chunks: u64,
    /// When it last changed, where that is known.
    #[schema(required)]
    pub(crate) updated_at: Option<Timestamp>,
}

/// Which passage of a document to show.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PassageQuery {
    /// Byte offset of the passage's first character.
    pub(crate) start: Option<usize>,
    /// Byte offset after its last character.
    pub(crate) end: Option<usize>,
    /// The workspace, unless the header `X-Gaby-Workspace` names it.
    #[allow(
        dead_code,
        reason = "read by the workspace's own extractor, documented here"
    )]
    pub(crate) workspace: Option<String>,
}

/// A document with its whole text.
#[derive(Serialize, ToSchema)]
pub(crate) struct DocumentView {
    /// Its id.
    pub(crate) id: DocumentId,
    /// Its path or address.
    pub(crate) path: String,
    /// Its title.
    pub(crate) title: String,
    /// Its text, plain or Markdown. Offsets count UTF-8 bytes of it.
    pub(crate) text: String,
    /// When it last changed, where that is known.
    #[schema(required)]
    pub(crate) updated_at: Option<Timestamp>,
    /// The name of its source.
    pub(crate) source: String,
    /// The passage that was asked for, moved to the nearest characters; none when none was.
    #[schema(required)]
    pub(crate) passage: Option<PassageRange>,
}

/// A range of a document's text, in UTF-8 bytes.
#[derive(Serialize, ToSchema)]
pub(crate) struct PassageRange {
    /// Offset of the first byte.
    pub(crate) start: usize,
    /// Offset after the last byte.
    pub(crate) end: usize,
}

impl HitView {
    fn new(hit: Hit) -> Self {
        Self {
            rank: hit.rank,
            score: f64::from(hit.score),
            chunk: hit.chunk,
            document: hit.document,
            path: hit.path,
            title: hit.title,
            heading: hit.heading,
            start: hit.start,
            end: hit.end,
            text: hit.text,
            updated_at: hit.updated_at,
            explain: hit.explain.map(ExplanationView::new),
        }
    }
}

impl ExplanationView {
    fn new(why: Explanation) -> Self {
        let term = |term: gaby_knowledge::TermScore| TermScore {
            score: f64::from(term.bm25),
            term: term.term,
        };
        Self {
            terms: why.terms.into_iter().map(term).collect(),
            bm25: f64::from(why.bm25),
            similarity: why.similarity.map(f64::from),
            bm25_rank: why.bm25_rank,
            vector_rank: why.vector_rank,
            recency: why.recency.map(age),
        }
    }
}

/// Days in words.
fn age(days: f64) -> String {
    match days.max(0.0).floor() {
        0.0 => "changed today".to_owned(),
        1.0 => "changed yesterday".to_owned(),
        days if days < 60.0 => format!("changed {days} days ago"),
        days if days < 730.0 => format!("changed {} months ago", (days / 30.0).floor()),
        days => format!("changed {} years ago", (days / 365.0).floor()),
    }
}

/// Search the knowledge base.
#[utoipa::path(get, path = "/api/knowledge/search", tag = "knowledge", params(SearchQuery),
    responses((status = 200, body = SearchResult), (status = 400, body = ErrorBody)))]
pub(crate) async fn search(
    State(app): State<App>,
    In(workspace): In,
    Params(query): Params<SearchQuery>,
) -> ApiResult<Json<SearchResult>> {
    let top = query.top.unwrap_or(USUAL_HITS);
    if !(1..=MOST_HITS).contains(&top) {
        return Err(ApiError::invalid(format!("`top` must be 1 to {MOST_HITS}")));
    }
    if query.q.len() > LONGEST_QUERY {
        return Err(ApiError::invalid(format!(
            "`q` has {} bytes, more than the {LONGEST_QUERY} that are searched for",
            query.q.len()
        )));
    }
    let options = SearchOptions {
        top,
        explain: query.explain,
        ..SearchOptions::default()
    };
    let began = Instant::now();
    let knowledge = app.tenants.of(&workspace).await?.knowledge;
    let hits = knowledge.search(&query.q, &options).await?;
    Ok(Json(SearchResult {
        hits: hits.into_iter().map(HitView::new).collect(),
        seconds: began.elapsed().as_secs_f64(),
    }))
}

/// List the sources of the knowledge base.
#[utoipa::path(get, path = "/api/knowledge/sources", tag = "knowledge",
    responses((status = 200, body = SourceList)))]
pub(crate) async fn list_sources(
    State(app): State<App>,
    In(workspace): In,
) -> ApiResult<Json<SourceList>> {
    let knowledge = app.tenants.of(&workspace).await?.knowledge;
    let stats = knowledge.stats().await?;
    let sources = knowledge
        .sources()
        .await?
        .into_iter()
        .map(|source| SourceView {
            id: source.id,
            name: source.name,
            location: source.location,
            documents: source.documents as u64,
            chunks: source.chunks as u64,
            embedded: source.embedded as u64,
            last_sync: source.last_sync,
            skipped: source.skipped.len() as u64,
            skipped_files: source.skipped,
        });
    Ok(Json(SourceList {
        sources: sources.collect(),
        totals: KnowledgeTotals {
            documents: stats.documents,
            chunks: stats.chunks,
            embedded: stats.embedded,
        },
    }))
}

/// List documents.
#[utoipa::path(get, path = "/api/knowledge/documents", tag = "knowledge", params(DocumentQuery),
    responses((status = 200, body = DocumentPage)))]
pub(crate) async fn list_documents(
    State(app): State<App>,
    In(workspace): In,
    Params(query): Params<DocumentQuery>,
) -> ApiResult<Json<DocumentPage>> {
    let knowledge = app.tenants.of(&workspace).await?.knowledge;
    let names: HashMap<_, _> = source_names(&knowledge).await?;
    let begin: usize = match &query.cursor {
        None => 0,
        Some(text) => text
            .parse()
            .map_err(|_| ApiError::invalid("`cursor` is not a `next_cursor` of this list"))?,
    };
    let found = knowledge
        .documents(query.q.as_deref().unwrap_or(""))
        .await?;
    let end = begin.saturating_add(DOCUMENTS_A_PAGE);
    let next_cursor = (end < found.len()).then(|| end.to_string());
    let items = found
        .into_iter()
        .skip(begin)
        .take(DOCUMENTS_A_PAGE)
        .map(|document| DocumentSummary {
            source: names.get(&document.source).cloned().unwrap_or_default(),
            id: document.id,
            path: document.path,
            title: document.title,
            chunks: u64::from(document.chunks),
            updated_at: document.updated_at,
        })
        .collect();
    Ok(Json(DocumentPage { items, next_cursor }))
}

async fn source_names(knowledge: &Knowledge) -> ApiResult<HashMap<KnowledgeSourceId, String>> {
    let sources = knowledge.sources().await?;
    Ok(sources
        .into_iter()
        .map(|source| (source.id, source.name))
        .collect())
}

/// Read a document.
#[utoipa::path(get, path = "/api/knowledge/documents/{id}", tag = "knowledge",
    params(("id" = DocumentId, Path, description = "The document"), PassageQuery),
    responses((status = 200, body = DocumentView), (status = 404, body = ErrorBody)))]
pub(crate) async fn get_document(
    State(app): State<App>,
    In(workspace): In,
    Id(id): Id<DocumentId>,
    Params(query): Params<PassageQuery>,
) -> ApiResult<Json<DocumentView>> {
    let knowledge = app.tenants.of(&workspace).await?.knowledge;
    let found = knowledge.document(&id).await?;
    let names = source_names(&knowledge).await?;
    let passage = query.start.map(|start| {
        let end = query.end.unwrap_or(start).max(start);
        PassageRange {
            start: found.text.floor_char_boundary(start),
            end: found.text.ceil_char_boundary(end),
        }
    });
    Ok(Json(DocumentView {
        source: names
            .get(&found.document.source)
            .cloned()
            .unwrap_or_default(),
        id: found.document.id,
        path: found.document.path,
        title: found.document.title,
        text: found.text,
        updated_at: found.document.updated_at,
        passage,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_the_unit_people_would_use() {
        for (days, words) in [
            (-1.0, "changed today"),
            (1.5, "changed yesterday"),
            (12.0, "changed 12 days ago"),
            (95.0, "changed 3 months ago"),
            (1000.0, "changed 2 years ago"),
        ] {
            assert_eq!(age(days), words);
        }
    }
}
