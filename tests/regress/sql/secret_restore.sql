-- Ciphertext as input: only from roles that may restore, or anybody could plant a stranger's secret and have it revealed.
-- And what a damaged envelope does.
\a \t
CREATE TABLE webhook (id integer PRIMARY KEY, signing_key vault.secret);
CREATE ROLE regress_app;
CREATE ROLE regress_restore;
GRANT ALL ON webhook TO regress_app, regress_restore;
SELECT vault.grant_access('regress_app', '{read,write}'), vault.grant_access('regress_restore', '{restore}');
INSERT INTO webhook VALUES (1, 'somebody else''s');
SELECT signing_key AS envelope FROM webhook WHERE id = 1 \gset

SET ROLE regress_app;
INSERT INTO webhook VALUES (2, 'own');
-- Each way in. The first error is shown; of the others the SQLSTATE. (The envelope itself, which differs from run to run, is not.)
PREPARE by_type (vault.secret) AS INSERT INTO webhook VALUES (3, $1);
PREPARE by_text (text) AS INSERT INTO webhook VALUES (3, $1);
PREPARE by_varchar (varchar) AS INSERT INTO webhook VALUES (3, $1);
EXECUTE by_text (:'envelope');
\echo :SQLSTATE
SELECT outcome(format('INSERT INTO webhook VALUES (3, %L)', :'envelope')),
       outcome(format('EXECUTE by_type (%L)', :'envelope')),
       outcome(format('EXECUTE by_varchar (%L)', :'envelope')),
       outcome(format('UPDATE webhook SET signing_key = %L WHERE id = 2', :'envelope')),
       outcome(format('SELECT %L::vault.secret', :'envelope')),
       outcome(format('SELECT %L::text::vault.secret', :'envelope')),
       outcome(format('SELECT vault.reveal(%L)', :'envelope')),
       outcome(format('SELECT jsonb_populate_record(NULL::webhook, %L)', jsonb_build_object('signing_key', :'envelope'))),
       outcome(format('SELECT %L::vault.secret[]', ARRAY[:'envelope']));
-- Any text that begins like an envelope is refused, so that none is mistaken; seal() takes it.
INSERT INTO webhook VALUES (3, 'tv1.is not an envelope');
\echo :SQLSTATE
INSERT INTO webhook VALUES (3, vault.seal('tv1.is not an envelope')), (4, 'TV1.nor is this'), (5, ' tv1.or this');
SELECT id, vault.reveal(signing_key) FROM webhook WHERE id > 2 ORDER BY id;
-- Moving a value within SQL needs no text.
INSERT INTO webhook SELECT 6, signing_key FROM webhook WHERE id = 2;
UPDATE webhook SET signing_key = (SELECT signing_key FROM webhook WHERE id = 3) WHERE id = 6;
SELECT vault.reveal(signing_key) FROM webhook WHERE id = 6;
RESET ROLE;

-- The privilege restore: ciphertext yes, plaintext no.
SET ROLE regress_restore;
INSERT INTO webhook VALUES (10, :'envelope');
INSERT INTO webhook VALUES (11, 'plaintext');
\echo :SQLSTATE
SELECT outcome('SELECT vault.reveal(signing_key) FROM webhook WHERE id = 10');
RESET ROLE;
SELECT vault.reveal(signing_key) FROM webhook WHERE id = 10;

-- Not everything that begins like one is one.
SELECT outcome(format('INSERT INTO webhook VALUES (12, %L)', damaged)) AS sqlstate, kind
FROM (VALUES ('nothing', 'tv1.'), ('one letter', 'tv1.A'), ('not base64url', 'tv1.+/+/'), ('cut', left(:'envelope', 60)),
             ('padded', :'envelope' || '='), ('with white space', :'envelope' || ' '), ('another version', 'tv1.Ag' || substr(:'envelope', 7))) AS v (kind, damaged);

-- Damaged inside: a superuser can bring it in, as a dump would.
INSERT INTO webhook VALUES (20, overlay(:'envelope' PLACING CASE substr(:'envelope', 60, 1) WHEN 'A' THEN 'B' ELSE 'A' END FROM 60 FOR 1));
INSERT INTO webhook VALUES (21, 'healthy');
SELECT id, signing_key::text LIKE 'tv1.%' FROM webhook WHERE id >= 20 ORDER BY id;
SELECT vault.reveal(signing_key) FROM webhook WHERE id = 20;
\echo :SQLSTATE
SELECT id, vault.reveal(signing_key) FROM webhook WHERE id = 21;
-- Damage on the page, so bad that it is no envelope at all: reads, dumps and comparisons of the other rows go on.
CREATE CAST (bytea AS vault.secret) WITHOUT FUNCTION;
INSERT INTO webhook VALUES (22, '\x'::bytea::vault.secret), (23, '\xffffffffffffffffffff'::bytea::vault.secret);
DROP CAST (bytea AS vault.secret);
SELECT id, signing_key FROM webhook WHERE id >= 22 ORDER BY id;
COPY (SELECT id, signing_key FROM webhook WHERE id >= 22 ORDER BY id) TO stdout;
SELECT id, outcome('SELECT vault.reveal(signing_key) FROM webhook WHERE id = ' || id) FROM webhook WHERE id >= 20 ORDER BY id;

DROP TABLE webhook;
SELECT vault.revoke_access('regress_app'), vault.revoke_access('regress_restore');
DROP ROLE regress_app, regress_restore;
