-- The audit log: entries with a place in the chain and a code (HMAC) over what they say and the code before them. What a
-- transaction writes waits until it has committed and is then sealed, many at a time.

-- Without index, check and partition, because every change of a token writes a row here: vault.audit_entries() reads it.
CREATE TABLE vault.audit_unsealed (
    entries bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
ALTER TABLE vault.audit_unsealed ALTER COLUMN entries SET STORAGE EXTERNAL;
COMMENT ON TABLE vault.audit_unsealed IS 'entries of the audit log that are not sealed yet';
SELECT pg_catalog.pg_extension_config_dump('vault.audit_unsealed', '');

CREATE TABLE vault.audit_entry (
    at               timestamptz NOT NULL,
    event            text        NOT NULL,
    login_role       text,
    role             text,
    application_name text,
    client_address   text,
    tenant           text,
    provider         text,
    subject          text,
    label            text,
    reason           text,
    detail           jsonb,
    position         bigint      NOT NULL,
    mac              bytea       NOT NULL,
    batch            bytea        -- many entries at one place: vault.audit_entries() shows them
) PARTITION BY RANGE (at);
ALTER TABLE vault.audit_entry ALTER COLUMN batch SET STORAGE EXTERNAL; -- to compress it takes longer than to write it
COMMENT ON TABLE vault.audit_entry IS 'who did what, when, about which token; never a value';

-- What falls into no month that was made ahead: no insert ever fails.
CREATE TABLE vault.audit_entry_default PARTITION OF vault.audit_entry DEFAULT;

-- Each partition has indexes of its own. With indexes on the whole table, a dump could not be restored: it would make those
-- of the later partitions a second time.
CREATE INDEX audit_entry_default_position ON vault.audit_entry_default (position);
COMMENT ON TABLE vault.audit_entry_default IS 'entries of months that have no partition of their own';
SELECT pg_catalog.pg_extension_config_dump('vault.audit_entry_default', '');

CREATE TABLE vault.audit_chain (
    singleton boolean NOT NULL DEFAULT true PRIMARY KEY CHECK (singleton),
    key       bigint  NOT NULL, -- of vault.key
    position  bigint  NOT NULL, -- of the last sealed entry
    mac       bytea   NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE vault.audit_chain IS 'the end of the chain of audit entries';
SELECT pg_catalog.pg_extension_config_dump('vault.audit_chain', '');

CREATE TABLE vault.audit_cut (
    first_position bigint      NOT NULL PRIMARY KEY,
    last_position  bigint      NOT NULL CHECK (last_position OPERATOR(pg_catalog.>=) first_position),
    last_mac       bytea       NOT NULL,
    seal           bytea       NOT NULL,
    cut_at         timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp()
);
COMMENT ON TABLE vault.audit_cut IS 'runs of entries that were dropped because they were old, so that the rest can be verified';
SELECT pg_catalog.pg_extension_config_dump('vault.audit_cut', '');

-- Not dumped: about this server's memory.
CREATE TABLE vault.audit_run (
    singleton boolean     NOT NULL DEFAULT true PRIMARY KEY CHECK (singleton),
    epoch     bigint      NOT NULL, -- of the shared memory that reads were noted in
    is_closed boolean     NOT NULL, -- everything that was noted there is written
    since     timestamptz NOT NULL
);
COMMENT ON TABLE vault.audit_run IS 'whether entries that were only in memory may have been lost in a crash';

CREATE VIEW vault.audit_log WITH (security_barrier) AS
SELECT e.at, e.event, e.login_role, e.role, e.application_name, e.client_address, e.tenant, e.provider, e.subject, e.label,
       e.reason, e.detail, e.position, e.mac
FROM (SELECT at, event, login_role, role, application_name, client_address, tenant, provider, subject, label, reason, detail,
             position, pg_catalog.encode(mac, 'hex') AS mac
      FROM vault.audit_entry WHERE batch IS NULL
      UNION ALL
      SELECT b.at, b.event, b.login_role, b.role, b.application_name, b.client_address, b.tenant, b.provider, b.subject, b.label,
             b.reason, b.detail::pg_catalog.jsonb, a.position, pg_catalog.encode(a.mac, 'hex')
      FROM vault.audit_entry AS a, vault.audit_entries(a.batch) AS b WHERE a.batch IS NOT NULL
      UNION ALL
      SELECT b.at, b.event, b.login_role, b.role, b.application_name, b.client_address, b.tenant, b.provider, b.subject, b.label,
             b.reason, b.detail::pg_catalog.jsonb, NULL, NULL
      FROM vault.audit_unsealed AS u, vault.audit_entries(u.entries) AS b) AS e
WHERE (SELECT vault.can_see_all()) OR vault.can_see(e.tenant, e.provider, e.subject);
COMMENT ON VIEW vault.audit_log IS 'the audit log, as far as the role may read or administer what the entries are about';
COMMENT ON COLUMN vault.audit_log.position IS 'place in the chain, which many entries at the same time share; NULL: not sealed yet';
