-- Who was told by mail that an action waits, so that nobody is told twice.
CREATE TABLE mailed_actions (
  action TEXT NOT NULL REFERENCES actions(id) ON DELETE CASCADE,
  user_id TEXT NOT NULL,
  mailed_at BIGINT NOT NULL,
  PRIMARY KEY (action, user_id)
);
