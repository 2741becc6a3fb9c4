-- Re-encryption: after a key was rotated, every value that is sealed with an older key is sealed again.

-- The job: one row, once there was one. Not dumped: a restored vault begins anew.
CREATE TABLE vault.reencryption_job (
    singleton      boolean     NOT NULL DEFAULT true PRIMARY KEY CHECK (singleton),
    state          text        NOT NULL DEFAULT 'running' CHECK (state OPERATOR(pg_catalog.=) ANY (ARRAY['running', 'paused', 'done'])),
    started_at     timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp(),
    updated_at     timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp(),
    finished_at    timestamptz,
    total          bigint,                          -- NULL: not counted yet
    done           bigint      NOT NULL DEFAULT 0,
    pass           integer     NOT NULL DEFAULT 0,  -- what was locked, or moved behind the cursor, needs another one
    stage          text        NOT NULL DEFAULT 'counting' CHECK (stage OPERATOR(pg_catalog.=) ANY (ARRAY['counting', 'tokens', 'client secrets', 'columns'])),
    relation       oid,                             -- a user's table
    position       bigint      NOT NULL DEFAULT 0,  -- token id, client id, or place in that table
    resealed       bigint      NOT NULL DEFAULT 0,  -- in this pass
    problems       bigint      NOT NULL DEFAULT 0,  -- in this pass
    problem        text,
    run_started_at timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp(), -- since then one process is at work
    run_done       bigint      NOT NULL DEFAULT 0,
    searched_at    timestamptz,                     -- when values of retired keys were last looked for
    search_took    interval    NOT NULL DEFAULT '0'
) WITH (fillfactor = 50);
COMMENT ON TABLE vault.reencryption_job IS 'how far re-encryption is, with the place where it goes on after a crash';
COMMENT ON COLUMN vault.reencryption_job.problem IS 'the last value or table that was left as it is; names only, never data';

CREATE VIEW vault.reencryption WITH (security_barrier) AS
SELECT j.state, j.started_at, j.updated_at, j.finished_at, j.total, j.done,
       GREATEST(j.total OPERATOR(pg_catalog.-) j.done, 0) AS remaining,
       CASE WHEN j.total OPERATOR(pg_catalog.=) 0 THEN 100.0
            ELSE pg_catalog.round(100.0 OPERATOR(pg_catalog.*) j.done OPERATOR(pg_catalog./) j.total, 1) END AS percent,
       r.rate,
       CASE WHEN j.state OPERATOR(pg_catalog.=) 'running' AND r.rate OPERATOR(pg_catalog.>) 0
            THEN j.updated_at OPERATOR(pg_catalog.+) pg_catalog.make_interval(
                secs => ((j.total OPERATOR(pg_catalog.-) j.done) OPERATOR(pg_catalog./) r.rate)::double precision) END AS estimated_end,
       CASE WHEN j.state OPERATOR(pg_catalog.=) 'done' THEN NULL
            WHEN j.stage OPERATOR(pg_catalog.=) 'tokens' THEN 'vault.token'
            WHEN j.stage OPERATOR(pg_catalog.=) 'client secrets' THEN 'vault.client_secret'
            ELSE j.relation::pg_catalog.regclass::pg_catalog.text END AS relation,
       j.problems, j.problem
FROM vault.reencryption_job AS j
CROSS JOIN LATERAL (SELECT
       CASE WHEN j.updated_at OPERATOR(pg_catalog.>) j.run_started_at
            THEN pg_catalog.round((j.done OPERATOR(pg_catalog.-) j.run_done)
                 OPERATOR(pg_catalog./) EXTRACT(epoch FROM j.updated_at OPERATOR(pg_catalog.-) j.run_started_at), 1) END AS rate) AS r
WHERE vault.can_administer();
COMMENT ON VIEW vault.reencryption IS 'how far re-encryption is; empty while there never was any';

CREATE PROCEDURE vault.reencrypt(batch_size integer DEFAULT 500)
LANGUAGE c AS 'MODULE_PATHNAME', 'token_vault_reencrypt';
