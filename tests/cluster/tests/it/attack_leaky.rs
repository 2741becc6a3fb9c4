//! Functions that tell what they are given, as cheap as a function can be, in queries over the vault's views and over
//! encrypted columns: the planner would call them first. And plans that are made as one role and run as another.

use std::sync::{Arc, Mutex};

use postgres::{Client, NoTls};
use token_vault_cluster::{Cluster, Options, Result};

use crate::master_key::register_provider;
use crate::provider::DATABASE;

/// Stands in every column of tenant `red` that a view shows.
const NAME: &str = "red-canary-4f1d";
/// Plaintext of an encrypted value and of a token of tenant `red`.
const SECRET: &str = "red-secret-canary-77c1e0";

/// Where a name of tenant red, or a secret, would be seen.
const COLUMNS: [(&str, &str); 8] = [
    ("vault.tokens", "subject"),
    ("vault.tokens", "metadata"),
    ("vault.clients", "name"),
    ("vault.clients", "metadata"),
    ("vault.attention", "client"),
    ("note", "key"),
    ("note", "plain"),
    ("notes", "plain"),
];

/// Tells its argument in a notice, and lets every row through.
const LEAK: &str = "
    CREATE FUNCTION public.leak(anyelement) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
        $$ BEGIN RAISE NOTICE 'leaked %', $1; RETURN true; END $$;
    CREATE FUNCTION public.leak_less(text, text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
        $$ BEGIN RAISE NOTICE 'leaked % %', $1, $2; RETURN $1 OPERATOR(pg_catalog.<) $2; END $$;
    CREATE OPERATOR public.<<< (LEFTARG = text, RIGHTARG = text, FUNCTION = public.leak_less, RESTRICT = scalarltsel);
    CREATE OPERATOR public.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = public.leak_less, RESTRICT = eqsel, JOIN = eqjoinsel)";

/// A vault with a token, a client and an encrypted value in each tenant, statistics gathered; `blue` and `red` may read
/// their tenant, `pool` is a member of both, `mallory` may read what `blue` may, and may create functions.
fn start() -> Result<(Cluster, Client)> {
    let options = Options::new()
        .without_fsync()
        .set("token_vault.refresh_enabled", "off");
    let cluster = Cluster::start_new(&options)?;
    let mut db = cluster.create_vault(DATABASE)?;
    register_provider(&mut db)?;
    db.batch_execute("CREATE TABLE note (owner name, key vault.secret, plain text); ALTER TABLE note ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON note USING (owner = current_user);
        CREATE ROLE pool LOGIN NOINHERIT; CREATE ROLE mallory LOGIN; GRANT CREATE ON SCHEMA public TO mallory")?;
    for (tenant, name, secret) in [("blue", "ann", "blue-secret"), ("red", NAME, SECRET)] {
        db.batch_execute(&format!(
            "CREATE ROLE {tenant}; GRANT {tenant} TO pool;
             SELECT vault.grant_access('{tenant}', '{{read}}', tenant => '{tenant}');
             SELECT vault.register_client('client-{name}', 'acme', 'id-{name}', '{secret}', tenant => '{tenant}', metadata => '{{\"a\": \"{name}\"}}');
             SELECT vault.store_token('acme', '{name}', '{secret}', 'rt-{secret}', expires_in => 3600, tenant => '{tenant}', label => 'l-{name}', scope => '{name}', metadata => '{{\"a\": \"{name}\"}}');
             SELECT vault.disable_client('client-{name}', tenant => '{tenant}');
             INSERT INTO note SELECT '{tenant}', '{secret}'::text, '{name}' FROM generate_series(1, 20)"
        ))?;
    }
    db.batch_execute("CREATE VIEW notes WITH (security_barrier) AS SELECT key, plain FROM note WHERE owner = 'blue';
        GRANT SELECT ON note TO blue, red, mallory; GRANT SELECT ON notes TO mallory;
        SELECT vault.grant_access('mallory', '{read}', tenant => 'blue'); ANALYZE")?;
    Ok((cluster, db))
}

/// A session whose notices are kept.
fn listener(cluster: &Cluster, role: &str) -> Result<(Client, Arc<Mutex<Vec<String>>>)> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&heard);
    let mut connection = cluster.connection(DATABASE, role);
    connection.notice_callback(move |notice| {
        sink.lock()
            .expect("the list")
            .push(notice.message().to_owned());
    });
    Ok((connection.connect(NoTls)?, heard))
}

/// Everything that a statement gives back in text form, errors included.
fn said(db: &mut Client, statement: &str) -> String {
    match db.simple_query(statement) {
        Ok(messages) => messages
            .iter()
            .filter_map(|message| match message {
                postgres::SimpleQueryMessage::Row(row) => Some(
                    (0..row.len())
                        .filter_map(|i| row.get(i))
                        .collect::<Vec<_>>()
                        .join("|"),
                ),
                _ => None,
            })
            .collect::<Vec<_>>()
            .join("\n"),
        Err(error) => format!("{:?}", error.as_db_error()),
    }
}

fn assert_nothing_of_red(what: &str, text: &str) {
    assert!(
        !text.contains(NAME) && !text.contains(SECRET),
        "{what} told:\n{text}"
    );
}

/// Queries that call the leaky functions in every place of a query.
fn leaky(relation: &str, column: &str) -> Vec<String> {
    [
        "SELECT * FROM {r} WHERE leak({c})",
        "SELECT * FROM {r} WHERE leak({c}) AND leak({r}::text)",
        "SELECT count(*) FROM {r} WHERE {c}::text <<< 'zzz'",
        "SELECT count(*) FROM {r} AS a JOIN {r} AS b ON a.{c}::text === b.{c}::text",
        "SELECT * FROM {r} WHERE {c}::text::integer = 1",
        "SELECT 1 / (CASE WHEN leak({c}) THEN 1 ELSE 1 END) FROM {r} ORDER BY leak({c}) LIMIT 1",
        "SELECT (SELECT leak(a.{c}) FROM {r} AS b WHERE leak(b.{c}) LIMIT 1) FROM {r} AS a",
        "SELECT leak(array_agg(x::text)) FROM {r} AS x GROUP BY leak({c}) HAVING leak(max({c}::text))",
        "EXPLAIN (ANALYZE, VERBOSE, TIMING OFF) SELECT * FROM {r} WHERE leak({c}) AND {c}::text <<< 'zzz'",
        "WITH w AS NOT MATERIALIZED (SELECT * FROM {r}) SELECT * FROM w WHERE leak({c}) OFFSET 0",
        "SELECT * FROM {r} WHERE leak({c}) FOR UPDATE",
        "SELECT * FROM {r} TABLESAMPLE SYSTEM (100) WHERE leak({c})",
    ]
    .map(|query| query.replace("{r}", relation).replace("{c}", column))
    .to_vec()
}

#[test]
fn cheap_functions_are_shown_no_row_of_another_tenant() -> Result<()> {
    let (cluster, mut db) = start()?;
    let (mut mallory, heard) = listener(&cluster, "mallory")?;
    mallory.batch_execute(LEAK)?;
    // Once more where other plans are cheap: parallel workers, no indexes, no nested loops.
    let other_plans = "SET parallel_setup_cost = 0; SET min_parallel_table_scan_size = 0; SET enable_indexscan = off; SET enable_nestloop = off";
    for settings in ["", other_plans] {
        mallory.batch_execute(settings)?;
        for (relation, column) in COLUMNS {
            for query in leaky(relation, column) {
                let told = said(&mut mallory, &query);
                assert_nothing_of_red(&query, &told);
                let notices = heard.lock().expect("the list").split_off(0).join("\n");
                assert_nothing_of_red(&query, &notices);
            }
        }
    }
    // The functions do leak: what mallory may see, and what the superuser runs.
    mallory.batch_execute("SELECT FROM vault.tokens WHERE leak(subject)")?;
    assert_eq!(heard.lock().expect("the list").split_off(0), ["leaked ann"]);
    // They would be called first, were it not for the barrier.
    db.batch_execute("ALTER VIEW vault.tokens RESET (security_barrier)")?;
    mallory.batch_execute("SELECT FROM vault.tokens WHERE leak(subject)")?;
    let notices = heard.lock().expect("the list").join("\n");
    assert!(notices.contains(NAME), "{notices}");
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn no_function_of_the_vault_claims_to_be_leakproof_or_immutable() -> Result<()> {
    let (_cluster, mut db) = start()?;
    let claims: Vec<String> = db
        .query(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'vault'::regnamespace
             AND (proleakproof OR provolatile = 'i' AND proname NOT IN ('secret_out', 'secret_send', 'secret_recv', 'envelope_key', 'audit_entries'))",
            &[],
        )?
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(claims, [""; 0]);
    Ok(())
}

#[test]
fn statistics_hold_no_value_of_encrypted_columns() -> Result<()> {
    let (_cluster, mut db) = start()?;
    let held: i64 = db
        .query_one(
            "SELECT count(*) FROM pg_stats
             WHERE (schemaname, tablename, attname) IN (('vault', 'token', 'access_token'), ('vault', 'token', 'refresh_token'), ('vault', 'token', 'id_token'),
                       ('vault', 'token', 'unread_answer'), ('public', 'note', 'key'))
               AND (most_common_vals IS NOT NULL OR histogram_bounds IS NOT NULL OR most_common_elems IS NOT NULL)",
            &[],
        )?
        .get(0);
    assert_eq!(held, 0);
    // The values that are there belong to columns that are no secret: nothing in any of them.
    let text: String = db
        .query_one(
            "SELECT coalesce(string_agg(s::text, ' '), '') FROM pg_stats AS s",
            &[],
        )?
        .get(0);
    assert!(!text.contains(SECRET));
    assert!(text.contains(NAME), "the search finds nothing at all");
    Ok(())
}

#[test]
fn explain_shows_no_value() -> Result<()> {
    let (_cluster, mut db) = start()?;
    for query in [
        "SELECT vault.reveal(key) FROM note",
        "SELECT FROM note WHERE vault.reveal(key) = 'x' ORDER BY vault.reveal(key)",
        "SELECT vault.get_token('acme', '{n}', 'red', 'l-{n}')",
        "SELECT FROM note WHERE plain = vault.get_token('acme', '{n}', 'red', 'l-{n}')",
        "SELECT FROM note WHERE vault.get_token('acme', '{n}', 'red', 'l-{n}') LIKE 'red%'",
        "SELECT FROM note WHERE vault.reveal((SELECT key FROM note WHERE plain = '{n}' LIMIT 1)) = plain",
        "SELECT FROM vault.get_token_set('acme', '{n}', 'red', 'l-{n}')",
        "SELECT FROM vault.export_token_set('acme', '{n}', 'red', 'l-{n}')",
        "SELECT vault.reveal('{s}'), '{s}'::vault.secret",
        "INSERT INTO note (key) VALUES ('{s}'), ('{s}'::vault.secret)",
    ] {
        let query = query.replace("{n}", NAME).replace("{s}", SECRET);
        for options in [
            "VERBOSE",
            "ANALYZE, VERBOSE, BUFFERS",
            "ANALYZE, VERBOSE, FORMAT json",
        ] {
            let plan = said(&mut db, &format!("EXPLAIN ({options}) {query}"));
            assert!(plan.contains("cost") || plan.contains("Cost"), "{plan}");
            assert!(!plan.contains(SECRET), "{plan}");
        }
    }
    Ok(())
}

/// The subjects that a statement gives, in one session that changes its role.
#[test]
fn a_plan_made_as_one_role_gives_another_only_what_that_one_may_see() -> Result<()> {
    let (cluster, mut db) = start()?;
    db.batch_execute(
        "CREATE FUNCTION public.subjects() RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT subject FROM vault.tokens; END $$;
         CREATE FUNCTION public.inlined() RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT subject FROM vault.tokens';
         CREATE FUNCTION public.revealed() RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT vault.reveal(key) FROM note; END $$;
         CREATE FUNCTION public.own_token(tenant text, subject text, label text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN vault.get_token('acme', subject, tenant, label); END $$;
         CREATE FUNCTION public.of_blue() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT subject FROM vault.tokens';
         GRANT CREATE ON SCHEMA public TO blue; ALTER FUNCTION public.of_blue() OWNER TO blue",
    )?;
    for mode in ["auto", "force_generic_plan", "force_custom_plan"] {
        let mut pool = cluster.connect(DATABASE, "pool")?;
        pool.batch_execute(&format!("SET plan_cache_mode = {mode}; SET ROLE red"))?;
        pool.batch_execute(
            "PREPARE listed AS SELECT subject FROM vault.tokens; PREPARE clients AS SELECT name FROM vault.clients; PREPARE attention AS SELECT DISTINCT client FROM vault.attention;
             PREPARE notes AS SELECT DISTINCT plain FROM note; PREPARE token(text, text, text) AS SELECT vault.get_token('acme', $2, $1, $3)",
        )?;
        // Often enough that a generic plan is taken.
        for _ in 0..8 {
            let (blue, red) = ("ann", NAME);
            for (role, own, secret, stranger) in [
                ("red", red, SECRET, ("blue", blue)),
                ("blue", blue, "blue-secret", ("red", red)),
            ] {
                pool.batch_execute(&format!(
                    "SET ROLE {role}; SET token_vault.tenant = '{role}'"
                ))?;
                for (statement, expected) in [
                    ("EXECUTE listed", own.to_owned()),
                    ("EXECUTE clients", format!("client-{own}")),
                    ("EXECUTE attention", format!("client-{own}")),
                    ("EXECUTE notes", own.to_owned()),
                    ("SELECT public.subjects()", own.to_owned()),
                    ("SELECT public.inlined()", own.to_owned()),
                    (
                        "SELECT DISTINCT r FROM public.revealed() AS r",
                        secret.to_owned(),
                    ),
                ] {
                    assert_eq!(
                        said(&mut pool, statement),
                        expected,
                        "{role}, {mode}: {statement}"
                    );
                }
                pool.batch_execute("RESET token_vault.tenant")?;
                let of_blue = said(&mut pool, "SELECT public.of_blue()");
                assert_eq!(
                    of_blue, blue,
                    "a SECURITY DEFINER function sees what its owner may"
                );
                for call in ["EXECUTE token({})", "SELECT public.own_token({})"] {
                    let arguments = |tenant: &str, subject: &str| {
                        call.replace("{}", &format!("'{tenant}', '{subject}', 'l-{subject}'"))
                    };
                    assert_eq!(
                        said(&mut pool, &arguments(role, own)),
                        secret,
                        "{role}, {mode}"
                    );
                    let refused = said(&mut pool, &arguments(stranger.0, stranger.1));
                    assert!(refused.contains("42501"), "{role}, {mode}: {refused}");
                }
            }
        }
    }
    Ok(())
}
