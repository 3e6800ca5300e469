//! Calls of language models: what they cost in the clear, so that it can be summed, and what was
//! said sealed.

use gaby_model::{InvestigationId, LlmCall, LlmCallId, LlmReply, LlmTalk, LlmUsed, Timestamp};
use serde::Serialize;

use crate::Result;
use crate::error::StoreError;
use crate::sql::{Row, query, query_of};
use crate::tx::Tx;
use crate::workspace::{Workspace, as_word, word};

const COLUMNS: &str = "id, investigation, step, purpose, prompt, prompt_version, provider, model, \
     outcome, tries, input_tokens, cached_tokens, output_tokens, reasoning_tokens, micro_usd, \
     millis, created_at";

/// Reads of calls of language models.
pub struct LlmCalls<'a>(&'a Workspace);

/// Changes of calls of language models.
pub struct LlmCallsTx<'a>(&'a mut Tx);

impl Workspace {
    /// Calls of language models.
    #[must_use]
    pub fn llm_calls(&self) -> LlmCalls<'_> {
        LlmCalls(self)
    }
}

impl Tx {
    /// Calls of language models.
    pub fn llm_calls(&mut self) -> LlmCallsTx<'_> {
        LlmCallsTx(self)
    }
}

impl LlmCalls<'_> {
    /// One call, and what was said in it.
    ///
    /// # Errors
    /// When there is none of this id in this workspace, or it does not open.
    pub async fn get(&self, id: &LlmCallId) -> Result<(LlmCall, LlmTalk)> {
        let sql = format!(
            "SELECT {COLUMNS}, content, \
             (SELECT content FROM llm_questions WHERE call = id AND workspace = $2) \
             FROM llm_calls WHERE id = $1 AND workspace = $2"
        );
        let row = query_of(sql)
            .bind(id.as_str())
            .bind(self.0.id().as_str())
            .fetch_optional(self.0.db().reader())
            .await?
            .ok_or_else(|| StoreError::NotFound {
                what: "model call",
                id: id.to_string(),
            })?;
        let content = row.bytes(17)?;
        let talk = match row.get::<Option<Vec<u8>>>(18)? {
            None => self.0.unseal("llm_calls", id.as_str(), content)?,
            Some(question) => {
                let reply: LlmReply = self.0.unseal("llm_calls", id.as_str(), content)?;
                LlmTalk {
                    answer: reply.answer,
                    tries: reply.tries,
                    error: reply.error,
                    ..self.0.unseal("llm_questions", id.as_str(), &question)?
                }
            }
        };
        Ok((call(&row)?, talk))
    }

    /// The calls of an investigation, in the order in which they were made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(&self, investigation: &InvestigationId) -> Result<Vec<LlmCall>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM llm_calls WHERE investigation = $1 AND workspace = $2 ORDER BY id"
        );
        let rows = query_of(sql)
            .bind(investigation.as_str())
            .bind(self.0.id().as_str())
            .fetch_all(self.0.db().reader())
            .await?;
        rows.iter().map(call).collect()
    }

    /// What an investigation has used so far, and what calls that are out may use at most. A call
    /// that was stopped by a budget is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn used_by(&self, investigation: &InvestigationId) -> Result<LlmUsed> {
        self.used("investigation = $2", Which::Of(investigation))
            .await
    }

    /// What all investigations of one investigation's ticket have used so far, as [`Self::used_by`] has
    /// it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn used_by_ticket_of(&self, investigation: &InvestigationId) -> Result<LlmUsed> {
        let of_ticket = "investigation IN (SELECT id FROM investigations WHERE workspace = $1 AND \
             ticket = (SELECT ticket FROM investigations WHERE workspace = $1 AND id = $2))";
        self.used(of_ticket, Which::Of(investigation)).await
    }

    /// What the whole workspace has used since a moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn used_since(&self, since: Timestamp) -> Result<LlmUsed> {
        self.used("created_at >= $2", Which::Since(since)).await
    }

    async fn used(&self, which: &str, value: Which<'_>) -> Result<LlmUsed> {
        // The sum of a BIGINT is another type on PostgreSQL.
        let sql = format!(
            "SELECT COUNT(*), CAST(COALESCE(SUM(input_tokens), 0) AS BIGINT), \
             CAST(COALESCE(SUM(output_tokens), 0) AS BIGINT), \
             CAST(COALESCE(SUM(micro_usd), 0) AS BIGINT) \
             FROM llm_calls WHERE workspace = $1 AND {which} AND outcome <> 'stopped'"
        );
        let query = query_of(sql).bind(self.0.id().as_str());
        let query = match value {
            Which::Of(investigation) => query.bind(investigation.as_str()),
            Which::Since(since) => query.bind(since.as_millis()).large(),
        };
        let row = query.fetch_one(self.0.db().reader()).await?;
        Ok(LlmUsed {
            calls: u32::try_from(row.get::<i64>(0)?).unwrap_or(u32::MAX),
            input_tokens: count(&row, 1)?,
            output_tokens: count(&row, 2)?,
            micro_usd: count(&row, 3)?,
        })
    }
}

enum Which<'a> {
    Of(&'a InvestigationId),
    Since(Timestamp),
}

impl LlmCallsTx<'_> {
    /// Adds a call that is about to be made: `question` is what is asked, as [`LlmTalk`] has it.
    ///
    /// # Errors
    /// When it is there already, or the database fails.
    pub async fn add(&mut self, call: &LlmCall, question: &impl Serialize) -> Result<()> {
        let workspace = self.0.workspace().clone();
        let content = workspace.seal("llm_calls", call.id.as_str(), &LlmReply::default())?;
        query(
            "INSERT INTO llm_calls (id, workspace, investigation, step, purpose, prompt, \
             prompt_version, provider, model, outcome, tries, input_tokens, cached_tokens, \
             output_tokens, reasoning_tokens, micro_usd, millis, created_at, content) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
             $18, $19)",
        )
        .bind(call.id.as_str())
        .bind(workspace.id().as_str())
        .bind(call.investigation.as_ref().map(InvestigationId::as_str))
        .bind(i64::from(call.step))
        .bind(&call.purpose)
        .bind(&call.prompt)
        .bind(&call.prompt_version)
        .bind(&call.provider)
        .bind(&call.model)
        .bind(as_word(&call.outcome)?)
        .bind(i64::from(call.tries))
        .bind(number(call.input_tokens))
        .bind(number(call.cached_tokens))
        .bind(number(call.output_tokens))
        .bind(number(call.reasoning_tokens))
        .bind(number(call.micro_usd))
        .bind(number(call.millis))
        .bind(call.created_at.as_millis())
        .bind(content)
        .execute(&mut self.0.inner)
        .await?;
        query("INSERT INTO llm_questions (call, workspace, content) VALUES ($1, $2, $3)")
            .bind(call.id.as_str())
            .bind(workspace.id().as_str())
            .bind(workspace.seal("llm_questions", call.id.as_str(), question)?)
            .execute(&mut self.0.inner)
            .await?;
        Ok(())
    }

    /// Writes down what came of a call.
    ///
    /// # Errors
    /// When there is no such call, or the database fails.
    pub async fn settle(&mut self, call: &LlmCall, reply: &LlmReply) -> Result<()> {
        let workspace = self.0.workspace().clone();
        let settled = query(
            "UPDATE llm_calls SET provider = $3, model = $4, outcome = $5, tries = $6, \
             input_tokens = $7, cached_tokens = $8, output_tokens = $9, reasoning_tokens = $10, \
             micro_usd = $11, millis = $12, content = $13 WHERE id = $1 AND workspace = $2",
        )
        .bind(call.id.as_str())
        .bind(workspace.id().as_str())
        .bind(&call.provider)
        .bind(&call.model)
        .bind(as_word(&call.outcome)?)
        .bind(i64::from(call.tries))
        .bind(number(call.input_tokens))
        .bind(number(call.cached_tokens))
        .bind(number(call.output_tokens))
        .bind(number(call.reasoning_tokens))
        .bind(number(call.micro_usd))
        .bind(number(call.millis))
        .bind(workspace.seal("llm_calls", call.id.as_str(), reply)?)
        .execute(&mut self.0.inner)
        .await?;
        match settled.rows_affected() {
            0 => Err(StoreError::NotFound {
                what: "model call",
                id: call.id.to_string(),
            }),
            _ => Ok(()),
        }
    }
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn count(row: &Row, column: usize) -> Result<u64> {
    Ok(row.get::<i64>(column)?.unsigned_abs())
}

fn call(row: &Row) -> Result<LlmCall> {
    let short = |column| -> Result<u32> {
        u32::try_from(row.get::<i64>(column)?).map_err(StoreError::corrupt)
    };
    let investigation: Option<String> = row.get(1)?;
    Ok(LlmCall {
        id: crate::workspace::parsed(&row.get::<String>(0)?)?,
        investigation: investigation
            .map(|id| crate::workspace::parsed(&id))
            .transpose()?,
        step: short(2)?,
        purpose: row.get(3)?,
        prompt: row.get(4)?,
        prompt_version: row.get(5)?,
        provider: row.get(6)?,
        model: row.get(7)?,
        outcome: word(&row.get::<String>(8)?)?,
        tries: short(9)?,
        input_tokens: count(row, 10)?,
        cached_tokens: count(row, 11)?,
        output_tokens: count(row, 12)?,
        reasoning_tokens: count(row, 13)?,
        micro_usd: count(row, 14)?,
        millis: count(row, 15)?,
        created_at: Timestamp::from_millis(row.get(16)?),
    })
}
