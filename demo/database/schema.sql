-- The database of Larkfield, a made-up company that sells scheduling and invoicing software to
-- trades: plumbers, electricians, cleaners. SQLite. Times are UTC, `YYYY-MM-DD HH:MM:SS`;
-- amounts are decimal texts.

CREATE TABLE companies (
  id          INTEGER PRIMARY KEY,
  name        TEXT NOT NULL,
  country     TEXT NOT NULL,
  created_at  TEXT NOT NULL
);

CREATE TABLE accounts (
  id               INTEGER PRIMARY KEY,
  company_id       INTEGER NOT NULL REFERENCES companies (id),
  name             TEXT NOT NULL,                -- typed by the person, not checked
  email            TEXT NOT NULL UNIQUE,         -- lower case, confirmed by a link
  role             TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'dispatcher', 'technician')),
  status           TEXT NOT NULL CHECK (status IN ('active', 'locked', 'disabled')),
  failed_sign_ins  INTEGER NOT NULL DEFAULT 0,
  locked_at        TEXT,
  last_sign_in_at  TEXT,
  merged_into      INTEGER REFERENCES accounts (id),
  created_at       TEXT NOT NULL
);

CREATE TABLE sign_ins (
  id          INTEGER PRIMARY KEY,
  account_id  INTEGER NOT NULL REFERENCES accounts (id),
  at          TEXT NOT NULL,
  outcome     TEXT NOT NULL CHECK (outcome IN ('success', 'failure')),
  reason      TEXT,
  ip          TEXT NOT NULL
);

CREATE TABLE password_resets (
  id            INTEGER PRIMARY KEY,
  account_id    INTEGER NOT NULL REFERENCES accounts (id),
  requested_by  TEXT NOT NULL CHECK (requested_by IN ('account', 'support')),
  requested_at  TEXT NOT NULL
);

CREATE TABLE subscriptions (
  id          INTEGER PRIMARY KEY,
  company_id  INTEGER NOT NULL UNIQUE REFERENCES companies (id),
  plan        TEXT NOT NULL CHECK (plan IN ('Solo', 'Team', 'Business')),
  status      TEXT NOT NULL CHECK (status IN ('trialing', 'active', 'past_due', 'cancelled')),
  seats       INTEGER NOT NULL,
  renews_at   TEXT,
  ends_at     TEXT
);

CREATE TABLE invoices (
  id          INTEGER PRIMARY KEY,
  company_id  INTEGER NOT NULL REFERENCES companies (id),
  number      TEXT NOT NULL UNIQUE,
  status      TEXT NOT NULL CHECK (status IN ('open', 'paid', 'overdue', 'void')),
  amount      TEXT NOT NULL,
  currency    TEXT NOT NULL,
  issued_at   TEXT NOT NULL,
  due_at      TEXT NOT NULL,
  paid_at     TEXT,
  sent_to     TEXT NOT NULL                      -- the company's billing address on file
);

CREATE TABLE invoice_sends (
  id          INTEGER PRIMARY KEY,
  invoice_id  INTEGER NOT NULL REFERENCES invoices (id),
  sent_to     TEXT NOT NULL,
  at          TEXT NOT NULL
);

CREATE TABLE payments (
  id          INTEGER PRIMARY KEY,
  company_id  INTEGER NOT NULL REFERENCES companies (id),
  invoice_id  INTEGER NOT NULL REFERENCES invoices (id),
  amount      TEXT NOT NULL,
  currency    TEXT NOT NULL,
  status      TEXT NOT NULL CHECK (status IN ('succeeded', 'failed', 'refunded')),
  method      TEXT NOT NULL,
  at          TEXT NOT NULL
);

CREATE TABLE refunds (
  id          INTEGER PRIMARY KEY,
  payment_id  INTEGER NOT NULL UNIQUE REFERENCES payments (id),
  amount      TEXT NOT NULL,
  reason      TEXT NOT NULL,
  at          TEXT NOT NULL
);

CREATE TABLE email_deliveries (
  id         INTEGER PRIMARY KEY,
  at         TEXT NOT NULL,
  address    TEXT NOT NULL,
  kind       TEXT NOT NULL CHECK (kind IN ('invoice', 'password_reset', 'notification')),
  subject    TEXT NOT NULL,
  reference  TEXT,
  status     TEXT NOT NULL CHECK (status IN ('queued', 'delivered', 'bounced', 'suppressed', 'deferred')),
  reason     TEXT
);

CREATE TABLE email_suppressions (
  address  TEXT PRIMARY KEY,
  reason   TEXT NOT NULL,
  since    TEXT NOT NULL,
  active   INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE imports (
  id           INTEGER PRIMARY KEY,
  company_id   INTEGER NOT NULL REFERENCES companies (id),
  file_name    TEXT NOT NULL,
  status       TEXT NOT NULL CHECK (status IN ('queued', 'done', 'failed', 'partial')),
  rows_total   INTEGER NOT NULL,
  rows_failed  INTEGER NOT NULL,
  started_at   TEXT NOT NULL
);

CREATE TABLE import_errors (
  id           INTEGER PRIMARY KEY,
  import_id    INTEGER NOT NULL REFERENCES imports (id),
  row_number   INTEGER NOT NULL,
  column_name  TEXT NOT NULL,
  message      TEXT NOT NULL
);

CREATE TABLE sso_configurations (
  domain                  TEXT PRIMARY KEY,
  company_id              INTEGER NOT NULL REFERENCES companies (id),
  provider                TEXT NOT NULL,
  status                  TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
  certificate_expires_at  TEXT,
  last_error              TEXT,
  last_error_at           TEXT
);

CREATE TABLE vpn_certificates (
  id          INTEGER PRIMARY KEY,
  account_id  INTEGER NOT NULL REFERENCES accounts (id),
  device      TEXT NOT NULL,
  status      TEXT NOT NULL CHECK (status IN ('valid', 'expired', 'revoked')),
  issued_at   TEXT NOT NULL,
  expires_at  TEXT NOT NULL
);

CREATE INDEX sign_ins_by_account ON sign_ins (account_id, at);
CREATE INDEX invoices_by_company ON invoices (company_id, issued_at);
CREATE INDEX payments_by_company ON payments (company_id, at);
CREATE INDEX deliveries_by_address ON email_deliveries (address, at);
CREATE INDEX imports_by_company ON imports (company_id, started_at);
