-- What a connector was granted; its scope, and whether it was taken back, are sealed as well.
CREATE TABLE grants (
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  connector TEXT NOT NULL,
  revoked BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  content BYTES NOT NULL,
  PRIMARY KEY (workspace, connector)
);
-- Who connected what, with which scope, and who took it back. Only ever added to.
CREATE TABLE consents (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  connector TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  content BYTES NOT NULL
);
CREATE INDEX consents_of_workspace ON consents (workspace, id);
CREATE TABLE policy_files (
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  content BYTES NOT NULL,
  PRIMARY KEY (workspace, name)
);
CREATE TABLE patterns (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  remaining BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  content BYTES NOT NULL
);
CREATE INDEX patterns_of_workspace ON patterns (workspace, ends_at);
CREATE TABLE approval_links (
  token_hash BYTES PRIMARY KEY,
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  action TEXT NOT NULL REFERENCES actions(id) ON DELETE CASCADE,
  user_id TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT
);
CREATE TABLE rehearsals (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  connector TEXT NOT NULL,
  ticket TEXT NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  created_at BIGINT NOT NULL,
  content BYTES NOT NULL
);
CREATE INDEX rehearsals_of_connector ON rehearsals (workspace, connector, created_at);
-- What a pseudonym stands for; the pseudonym itself says nothing without the workspace's key.
CREATE TABLE pseudonyms (
  workspace TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  pseudonym TEXT NOT NULL,
  content BYTES NOT NULL,
  PRIMARY KEY (workspace, pseudonym)
);
