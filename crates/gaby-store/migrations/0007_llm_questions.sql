-- What a model is asked, apart from what a call cost and what came of it: the one is long and written once,
-- the other is changed and summed. A call from before has all of it in its own `content`.
CREATE TABLE llm_questions (
  call TEXT PRIMARY KEY REFERENCES llm_calls(id) ON DELETE CASCADE,
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  content BYTES NOT NULL
);
