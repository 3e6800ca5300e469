-- What language models were asked, and what it cost. What was said, either way, is sealed.
CREATE TABLE llm_calls (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  investigation TEXT REFERENCES investigations(id) ON DELETE CASCADE,
  step BIGINT NOT NULL,
  purpose TEXT NOT NULL,
  prompt TEXT NOT NULL,
  prompt_version TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  outcome TEXT NOT NULL,
  tries BIGINT NOT NULL,
  input_tokens BIGINT NOT NULL,
  cached_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  reasoning_tokens BIGINT NOT NULL,
  micro_usd BIGINT NOT NULL,
  millis BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  content BYTES NOT NULL
);
CREATE INDEX llm_calls_of_investigation ON llm_calls (investigation, id);
CREATE INDEX llm_calls_by_time ON llm_calls (workspace, created_at);
