//! What is done with a secret: functions, ways to hand it over, and how that ends.

use postgres::Client;
use postgres::error::SqlState;
use postgres::types::{Json, ToSql};
use token_vault_cluster::Result;

/// How a secret comes to the server.
#[derive(Clone, Copy)]
pub enum Way {
    /// In the text (`{}`), by the simple protocol.
    Text,
    /// In the text, by the extended protocol.
    Prepared,
    /// As a parameter of type text.
    Parameter,
    /// As `{"access_token": …}` in a parameter of type jsonb.
    Answer,
    /// As a line for COPY.
    Copied,
}

/// A statement, and the SQLSTATE it ends with.
pub struct Case {
    pub name: &'static str,
    pub way: Way,
    pub statement: &'static str,
    pub outcome: &'static str,
}

const fn case(
    name: &'static str,
    way: Way,
    statement: &'static str,
    outcome: &'static str,
) -> Case {
    Case {
        name,
        way,
        statement,
        outcome,
    }
}

const DONE: &str = "00000";
const SYNTAX: &str = "42601";
const NO_INTEGER: &str = "22P02";

use Way::{Answer, Copied, Parameter, Prepared, Text};

#[rustfmt::skip] // A table.
pub const CASES: &[Case] = &[
    // Each function, literals.
    case("store_token", Text, "SELECT vault.store_token('acme', 'u', '{}')", DONE),
    case("store_token, named", Text, "SELECT vault.store_token('acme', subject => 'u', access_token => 'a', refresh_token => E'{}')", DONE),
    case("store_token, id token", Text, "SELECT vault.store_token('acme', 'u', 'a', id_token => $q${}$q$)", DONE),
    case("store_token_response", Text, "SELECT vault.store_token_response('acme', 'u', '{\"access_token\": \"{}\"}')", DONE),
    case("register_client", Text, "SELECT vault.register_client('c', provider => 'acme', client_id => 'c', client_secret => '{}')", DONE),
    case("add_client_secret", Text, "SELECT vault.register_client('c', provider => 'acme', client_id => 'c'); SELECT vault.add_client_secret('c', '{}')", DONE),
    case("seal", Text, "SELECT vault.seal('{}')", DONE),
    case("seal, reveal", Text, "SELECT vault.reveal(vault.seal('{}', 'ctx'), 'ctx')", DONE),
    case("column", Text, "INSERT INTO webhook VALUES (1, '{}')", DONE),
    case("column, quoted names", Text, "INSERT INTO \"webhook\" (\"id\", \"signing_key\") VALUES (1, '{}')", DONE),
    case("column, update", Text, "UPDATE webhook SET signing_key = '{}' WHERE id = 1", DONE),
    case("column, cast", Text, "SELECT '{}'::vault.secret", DONE),
    case("continued string", Text, "SELECT vault.seal('x'\n'{}')", DONE),
    case("with backslashes", Text, r"SELECT vault.seal(E'\'{}\''), vault.seal('C:\\'), vault.seal('{}')", DONE),
    case("in a comment", Text, "SELECT /* {} /* ' */ */ vault.seal('x') -- {}", DONE),
    case("without the schema", Text, "SET search_path = vault, public; SELECT seal('{}'); RESET search_path", DONE),
    case("escaped schema", Text, "SELECT U&\"v\\0061ult\".seal('{}')", DONE),
    // … and by the extended protocol.
    case("prepared text", Prepared, "SELECT vault.seal('{}')", DONE),
    case("prepared column", Prepared, "INSERT INTO webhook VALUES (1, '{}')", DONE),
    case("prepared utility", Prepared, "DO $$BEGIN PERFORM vault.seal('{}'); END$$", DONE),
    // Parameters.
    case("store_token, bound", Parameter, "SELECT vault.store_token('acme', 'u', $1)", DONE),
    case("register_client, bound", Parameter, "SELECT vault.register_client('c', provider => 'acme', client_id => 'c', client_secret => $1)", DONE),
    case("seal, bound", Parameter, "SELECT vault.seal($1)", DONE),
    case("column, bound", Parameter, "INSERT INTO webhook VALUES (1, $1::text)", DONE),
    case("store_token_response, bound", Answer, "SELECT vault.store_token_response('acme', 'u', $1)", DONE),
    case("inside a function, bound", Parameter, "SELECT app_store($1)", DONE),
    // COPY.
    case("copy", Copied, "COPY webhook FROM STDIN", DONE),
    case("copy, csv", Copied, "COPY webhook (id, signing_key) FROM STDIN (FORMAT csv, DELIMITER E'\\t')", DONE),
    case("copy, too many columns", Copied, "COPY webhook (id) FROM STDIN", "22P04"),
    case("copy, wrong column", Copied, "COPY webhook (signing_key, id) FROM STDIN", NO_INTEGER),
    // Statements in statements.
    case("prepare", Text, "PREPARE p AS SELECT vault.seal('{}'); EXECUTE p; DEALLOCATE p", DONE),
    case("execute", Text, "PREPARE p(text) AS SELECT vault.seal($1); EXECUTE p('{}'); DEALLOCATE p", DONE),
    case("execute, column", Text, "PREPARE p(text) AS INSERT INTO webhook VALUES (1, $1); EXECUTE p('{}'); DEALLOCATE p", DONE),
    case("do", Text, "DO $$BEGIN PERFORM vault.seal('{}'); END$$", DONE),
    case("do, dynamic", Text, "DO $$BEGIN EXECUTE format('SELECT vault.seal(%L)', '{}'); END$$", DONE),
    case("do, assignment", Text, "DO $$DECLARE x text; BEGIN x := vault.reveal(vault.seal('{}')); END$$", DONE),
    case("plpgsql", Text, "SELECT app_store('{}')", DONE),
    case("plpgsql in plpgsql", Text, "SELECT app_store_twice('{}')", DONE),
    case("sql function", Text, "SELECT app_seal('{}')", DONE),
    case("procedure", Text, "CALL app_procedure('{}')", DONE),
    case("cursor", Text, "BEGIN; DECLARE c CURSOR FOR SELECT vault.seal('{}'); FETCH c; COMMIT", DONE),
    case("explain", Text, "EXPLAIN (VERBOSE) SELECT vault.seal('{}')", DONE),
    case("create table as", Text, "CREATE TABLE copied AS SELECT vault.seal('{}') AS s; DROP TABLE copied", DONE),
    case("create function", Text, "CREATE FUNCTION made() RETURNS vault.secret LANGUAGE sql AS 'SELECT vault.seal(''{}'')'; DROP FUNCTION made()", DONE),
    case("create function, body", Text, "CREATE FUNCTION made() RETURNS vault.secret LANGUAGE sql RETURN vault.seal('{}'); SELECT made(); DROP FUNCTION made()", DONE),
    case("create view", Text, "CREATE VIEW seen AS SELECT vault.seal('{}') AS s; DROP VIEW seen", DONE),
    case("default", Text, "ALTER TABLE webhook ALTER signing_key SET DEFAULT vault.seal('{}'); INSERT INTO webhook (id) VALUES (2); ALTER TABLE webhook ALTER signing_key DROP DEFAULT", DONE),
    case("default, column", Text, "ALTER TABLE webhook ALTER signing_key SET DEFAULT '{}'; ALTER TABLE webhook ALTER signing_key DROP DEFAULT", DONE),
    case("comment on", Text, "COMMENT ON TABLE webhook IS '{}'", DONE),
    // Errors of the server's, before anything here is called.
    case("syntax error", Text, "SELECT vault.seal('x' '{}')", SYNTAX),
    case("syntax error after it", Text, "SELECT vault.seal('{}'", SYNTAX),
    case("unterminated string", Text, "SELECT vault.seal('{}", SYNTAX),
    case("unterminated dollar quotes", Text, "DO $x$BEGIN PERFORM vault.seal('{}')", SYNTAX),
    case("unterminated comment", Text, "SELECT vault.seal('x') /* {}", SYNTAX),
    case("double quotes", Text, "SELECT vault.seal(\"{}\")", "42703"),
    case("no such function", Text, "SELECT vault.store_tokens('{}')", "42883"),
    case("not a number", Text, "SELECT vault.store_token('acme', 'u', 'a', expires_in => '{}')", NO_INTEGER),
    case("no json", Text, "SELECT vault.store_token_response('acme', 'u', '{\"access_token\": {}}')", NO_INTEGER),
    case("syntax error, prepared", Prepared, "SELECT vault.seal('x' '{}')", SYNTAX),
    case("no json, prepared", Prepared, "SELECT vault.store_token_response('acme', 'u', '{\"a\": {}')", NO_INTEGER),
    case("in an aborted transaction", Text, "BEGIN; SELECT 1/0; ", "22012"),
    // Errors of functions, and of what is done with their results.
    case("no such provider", Text, "SELECT vault.store_token('nobody', 'u', '{}')", "TV020"),
    case("null subject", Text, "SELECT vault.store_token('acme', NULL, '{}')", "22004"),
    case("control characters", Text, "SELECT vault.store_token('acme', 'u', E'{}\\n')", "22023"),
    case("no token response", Text, "SELECT vault.store_token_response('acme', 'u', '{\"access_tokens\": \"{}\"}')", "TV040"),
    case("no token response, bound", Answer, "SELECT vault.store_token_response('nobody', 'u', $1)", "TV020"),
    case("envelope of nobody", Text, "SELECT 'tv1.{}'::vault.secret", "TV011"),
    case("a result that is no number", Text, "SELECT vault.reveal(vault.seal('{}'))::integer", NO_INTEGER),
    case("a result that is no number, bound", Parameter, "SELECT vault.reveal(vault.seal($1))::integer", NO_INTEGER),
    case("a result that breaks a rule", Text, "CREATE TEMP TABLE plain (t text CHECK (t = '')); INSERT INTO plain SELECT vault.reveal(vault.seal('{}'))", "23514"),
    case("exported", Text, "SELECT vault.store_token('acme', 'u', 'a', refresh_token => '{}'); SELECT refresh_token::integer FROM vault.export_token_set('acme', 'u')", NO_INTEGER),
    case("exported client secrets", Text, "SELECT vault.register_client('c', provider => 'acme', client_id => 'c', client_secret => '{}'); SELECT t::text::integer FROM vault.export_client_secrets('c') AS t", NO_INTEGER),
    case("a proof of nobody's", Text, "SELECT vault.enter_tenant('t', '{}')", "TV042"),
    case("a proof of nobody's, bound", Parameter, "SELECT vault.enter_tenant('t', $1)", "TV042"),
    case("raised", Text, "DO $$BEGIN RAISE 'no: %', vault.reveal(vault.seal('{}')) USING DETAIL = '{}', HINT = '{}'; END$$", "P0001"),
    case("warned", Text, "DO $$BEGIN RAISE WARNING 'no: %', vault.reveal(vault.seal('{}')); END$$", DONE),
    case("caught and raised", Text, "DO $$BEGIN PERFORM vault.reveal(vault.seal('{}'))::integer; EXCEPTION WHEN OTHERS THEN RAISE LOG 'caught: %', SQLERRM; RAISE; END$$", NO_INTEGER),
    case("in plpgsql", Text, "SELECT app_fail('{}')", NO_INTEGER),
    case("in plpgsql, bound", Parameter, "SELECT app_fail($1)", NO_INTEGER),
    // Interruptions.
    case("timeout", Text, "SET statement_timeout = '30ms'; SELECT vault.seal('{}'), pg_sleep(60)", "57014"),
    case("timeout in plpgsql", Text, "SET statement_timeout = '30ms'; SELECT app_sleep('{}')", "57014"),
    case("lock timeout", Text, "SET lock_timeout = '30ms'; SELECT vault.seal('{}'), pg_advisory_lock(1)", "55P03"),
    case("canceled", Text, "SELECT vault.seal('{}'), pg_cancel_backend(pg_backend_pid()), pg_sleep(60)", "57014"),
];

/// What the cases need beside the vault: functions, and a lock that another session holds.
pub const FUNCTIONS: &str = "
    CREATE FUNCTION app_store(t text) RETURNS void LANGUAGE plpgsql AS
        $$BEGIN PERFORM vault.store_token('acme', 'u', t); END$$;
    CREATE FUNCTION app_store_twice(t text) RETURNS void LANGUAGE plpgsql AS
        $$BEGIN PERFORM app_store(t); EXECUTE format('SELECT app_store(%L)', t); END$$;
    CREATE FUNCTION app_seal(t text) RETURNS vault.secret LANGUAGE sql AS 'SELECT vault.seal(t)';
    CREATE FUNCTION app_fail(t text) RETURNS integer LANGUAGE plpgsql AS
        $$BEGIN RETURN vault.reveal(vault.seal(t))::integer; END$$;
    CREATE FUNCTION app_sleep(t text) RETURNS void LANGUAGE plpgsql AS
        $$BEGIN PERFORM vault.seal(t), pg_sleep(60); END$$;
    SELECT pg_advisory_lock(1);
    CREATE PROCEDURE app_procedure(t text) LANGUAGE plpgsql AS
        $$BEGIN PERFORM vault.seal(t); COMMIT; EXECUTE format('SELECT vault.seal(%L)', t); END$$";

/// Brings a session back into order.
pub const AFTERWARDS: &str =
    "ROLLBACK; RESET search_path; RESET statement_timeout; RESET lock_timeout; DISCARD TEMP;
    DEALLOCATE ALL; SELECT pg_advisory_unlock_all()";

impl Case {
    /// Hands `secret` over; returns the SQLSTATE this ended with.
    pub fn run(&self, db: &mut Client, secret: &str) -> Result<String> {
        let text = self.statement.replace("{}", secret);
        let ended = match self.way {
            Text => db.batch_execute(&text),
            Prepared => db.execute(&text, &[]).map(drop),
            Parameter => run_with(db, self.statement, &secret),
            Answer => {
                let answer = Json(serde_json::json!({ "access_token": secret }));
                run_with(db, self.statement, &answer)
            }
            Copied => copy(db, &text, secret),
        };
        let Err(error) = ended else {
            return Ok(DONE.to_owned());
        };
        match error.code() {
            Some(code) => Ok(SqlState::code(code).to_owned()),
            None => Err(error.into()),
        }
    }
}

fn run_with(
    db: &mut Client,
    statement: &str,
    value: &(dyn ToSql + Sync),
) -> std::result::Result<(), postgres::Error> {
    db.execute(statement, &[value]).map(drop)
}

fn copy(
    db: &mut Client,
    statement: &str,
    secret: &str,
) -> std::result::Result<(), postgres::Error> {
    use std::io::Write;
    let mut writer = db.copy_in(statement)?;
    // What the server thinks of it is told by `finish`.
    let _ = writeln!(writer, "7\t{secret}");
    writer.finish().map(drop)
}
