-- Which cluster and database this vault lives in: the clone guard. The row is data (written by
-- vault.create_master_key, dumped with the rest), so a restored dump or a copied database still
-- names the original and refreshes nothing until vault.adopt_installation() is called.

CREATE TABLE vault.installation (
    singleton         boolean     NOT NULL DEFAULT true PRIMARY KEY CHECK (singleton),
    system_identifier text        NOT NULL, -- of the cluster, as pg_control_system() shows it
    database_oid      oid         NOT NULL,
    timeline          bigint      NOT NULL, -- another one: a standby was promoted, or a backup recovered
    backup_label      text        NOT NULL, -- SHA-256 of the data directory's backup_label.old; '' where there is none
    adopted_at        timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp()
);
COMMENT ON TABLE vault.installation IS 'the cluster and database whose worker may refresh tokens (clone guard)';

SELECT pg_catalog.pg_extension_config_dump('vault.installation', '');
