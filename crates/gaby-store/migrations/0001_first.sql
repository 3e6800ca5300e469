-- Content columns hold sealed bytes; everything else is structure: ids, states, times, counters.
CREATE TABLE instance (
  id TEXT PRIMARY KEY,
  created_at BIGINT NOT NULL
);
CREATE TABLE wrapped_keys (
  owner TEXT NOT NULL,
  version BIGINT NOT NULL,
  wrapped BYTES NOT NULL,
  PRIMARY KEY (owner, version)
);
CREATE TABLE workspaces (
  id TEXT PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  content BYTES NOT NULL
);
CREATE TABLE settings (
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  content BYTES NOT NULL,
  PRIMARY KEY (workspace, name)
);
CREATE TABLE tickets (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  source TEXT NOT NULL,
  external_id BYTES,
  requester BYTES,
  state TEXT NOT NULL,
  priority BIGINT NOT NULL,
  sla_deadline BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  content BYTES NOT NULL,
  UNIQUE (workspace, source, external_id)
);
CREATE INDEX tickets_by_state ON tickets (workspace, state, id);
CREATE INDEX tickets_by_time ON tickets (workspace, id);
CREATE INDEX tickets_of_requester ON tickets (workspace, requester, id);
CREATE TABLE messages (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  ticket TEXT NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  author TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  content BYTES NOT NULL
);
CREATE INDEX messages_of_ticket ON messages (ticket, created_at, id);
CREATE TABLE investigations (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  ticket TEXT NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  state TEXT NOT NULL,
  verdict TEXT,
  started_at BIGINT NOT NULL,
  ended_at BIGINT,
  content BYTES NOT NULL
);
CREATE INDEX investigations_of_ticket ON investigations (ticket, id);
CREATE TABLE steps (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  investigation TEXT NOT NULL REFERENCES investigations(id) ON DELETE CASCADE,
  number BIGINT NOT NULL,
  kind TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  content BYTES NOT NULL,
  UNIQUE (investigation, number)
);
CREATE TABLE evidence (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  investigation TEXT NOT NULL REFERENCES investigations(id) ON DELETE CASCADE,
  number BIGINT NOT NULL,
  content BYTES NOT NULL,
  UNIQUE (investigation, number)
);
-- One row for each investigation that was answered: what makes a second reply impossible.
CREATE TABLE replies (
  investigation TEXT PRIMARY KEY REFERENCES investigations(id) ON DELETE CASCADE,
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  ticket TEXT NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  message TEXT NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
  created_at BIGINT NOT NULL
);
CREATE TABLE actions (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  ticket TEXT NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  investigation TEXT NOT NULL REFERENCES investigations(id) ON DELETE CASCADE,
  state TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  content BYTES NOT NULL
);
CREATE INDEX actions_by_state ON actions (workspace, state, id);
CREATE INDEX actions_of_ticket ON actions (ticket, id);
CREATE TABLE knowledge_sources (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  location BYTES NOT NULL,
  created_at BIGINT NOT NULL,
  synced_at BIGINT,
  content BYTES NOT NULL,
  UNIQUE (workspace, location)
);
CREATE TABLE documents (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  source TEXT NOT NULL REFERENCES knowledge_sources(id) ON DELETE CASCADE,
  path BYTES NOT NULL,
  ingested_at BIGINT NOT NULL,
  content BYTES NOT NULL,
  body BYTES NOT NULL,
  UNIQUE (source, path)
);
CREATE INDEX documents_of_workspace ON documents (workspace, id);
CREATE TABLE chunks (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  document TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
  ordinal BIGINT NOT NULL,
  start_at BIGINT NOT NULL,
  end_at BIGINT NOT NULL,
  hash BYTES NOT NULL,
  content BYTES NOT NULL,
  UNIQUE (document, ordinal)
);
CREATE INDEX chunks_of_workspace ON chunks (workspace, id);
CREATE TABLE index_blobs (
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  generation BIGINT NOT NULL,
  content BYTES NOT NULL,
  PRIMARY KEY (workspace, name)
);
CREATE TABLE connectors (
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  autonomy TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  content BYTES NOT NULL,
  secrets BYTES NOT NULL,
  PRIMARY KEY (workspace, name)
);
CREATE TABLE tool_pins (
  workspace TEXT NOT NULL,
  connector TEXT NOT NULL,
  tool TEXT NOT NULL,
  hash TEXT NOT NULL,
  suspended BIGINT NOT NULL,
  content BYTES NOT NULL,
  PRIMARY KEY (workspace, connector, tool),
  FOREIGN KEY (workspace, connector) REFERENCES connectors(workspace, name) ON DELETE CASCADE
);
CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  state TEXT NOT NULL,
  due BIGINT NOT NULL,
  priority BIGINT NOT NULL,
  run_after BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  lease_owner TEXT,
  lease_until BIGINT,
  created_at BIGINT NOT NULL,
  error BYTES
);
CREATE INDEX jobs_to_do ON jobs (state, due, priority, created_at);
CREATE TABLE audit_heads (
  workspace TEXT PRIMARY KEY REFERENCES workspaces(id) ON DELETE CASCADE,
  nonce BYTES NOT NULL,
  seq BIGINT NOT NULL,
  hash BYTES NOT NULL,
  edge BYTES NOT NULL,
  signed_head TEXT NOT NULL
);
CREATE TABLE audit_entries (
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  seq BIGINT NOT NULL,
  entry TEXT NOT NULL,
  hash BYTES NOT NULL,
  salt BYTES NOT NULL,
  PRIMARY KEY (workspace, seq)
);
CREATE TABLE audit_checkpoints (
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  size BIGINT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (workspace, size)
);
CREATE TABLE users (
  id TEXT PRIMARY KEY,
  email BYTES NOT NULL UNIQUE,
  role TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  content BYTES NOT NULL
);
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  token_hash BYTES NOT NULL UNIQUE,
  csrf_hash BYTES NOT NULL,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE TABLE api_tokens (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  token_hash BYTES NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  used_at BIGINT,
  content BYTES NOT NULL
);
CREATE TABLE setup_links (
  token_hash BYTES PRIMARY KEY,
  expires_at BIGINT NOT NULL
);
