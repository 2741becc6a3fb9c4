//! Re-encryption step by step, and the end of a key.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;
    use token_vault_core::envelope::KeyId;

    use crate::pg::inval::{self, Topic};
    use crate::pg::{lock, random, tid::Tid};
    use crate::store::reencryption::{self, Step};
    use crate::store::retirement::{self, Outcome};
    use crate::store::{column, key_usage, keyring, master_key};

    fn text(query: &str) -> String {
        Spi::get_one(query).unwrap().unwrap()
    }

    fn number(query: &str) -> i64 {
        Spi::get_one(query).unwrap().unwrap()
    }

    fn with_values() -> i64 {
        Spi::run(
            "SELECT vault.create_master_key() WHERE NOT EXISTS (SELECT FROM vault.key);
             SELECT vault.register_client('one', 'google', 'id', 'secret');
             SELECT vault.store_token('google', 'user-' || i, 'access-' || i, refresh_token => 'refresh-' || i, expires_in => 3600)
             FROM generate_series(1, 7) AS i;
             CREATE TABLE public.test_hook (id integer, a vault.secret, b vault.secret);
             INSERT INTO public.test_hook SELECT i, 'a' || i, CASE WHEN i > 5 THEN 'b' || i END FROM generate_series(1, 7) AS i;",
        )
        .unwrap();
        keyring::active_id("").unwrap().0
    }

    /// Retires the active key and makes another one.
    fn rotate() -> i64 {
        let master = master_key::current().unwrap();
        let id = KeyId(i64::from_be_bytes(random::bytes()) & i64::MAX);
        let wrapped = master.wrap(id, "", &random::bytes(), &random::bytes());
        let fingerprint = master.fingerprint().to_vec();
        Spi::run(
            "UPDATE vault.key SET state = 'retired', retired_at = now() WHERE state = 'active'",
        )
        .unwrap();
        Spi::run_with_args(
            "INSERT INTO vault.key (id, wrapped_key, master_key_fingerprint) VALUES ($1, $2, $3)",
            &[id.0.into(), wrapped.into(), fingerprint.into()],
        )
        .unwrap();
        inval::announce(Topic::Keys);
        reencryption::begin();
        id.0
    }

    /// Steps until there is nothing to do; returns how many there were.
    fn finish(batch_size: usize) -> usize {
        let mut steps = 0;
        loop {
            match reencryption::step(batch_size).unwrap() {
                Step::More(_) => steps += 1,
                Step::Idle => return steps,
                step => panic!("{step:?}"),
            }
            assert!(steps < 100, "it never ends");
        }
    }

    fn state() -> String {
        text(
            "SELECT concat_ws(' ', state, total, done, remaining, problems) FROM vault.reencryption",
        )
    }

    #[pg_test]
    fn everything_is_sealed_with_the_new_key_and_reads_the_same() {
        let old = with_values();
        let new = rotate();
        assert_ne!(old, new);
        assert_eq!(
            text("SELECT string_agg(u::text, ' ') FROM vault.key_usage() AS u"),
            format!("({old},14,1,9)")
        );
        assert!(finish(3) > 5, "small batches");
        assert_eq!(
            text("SELECT string_agg(u::text, ' ') FROM vault.key_usage() AS u"),
            format!("({new},14,1,9)")
        );
        assert_eq!(state(), "done 24 24 0 0");
        assert_eq!(
            number(
                "SELECT count(*) FROM generate_series(1, 7) AS i JOIN public.test_hook USING (id)
                 WHERE vault.get_token('google', 'user-' || i) = 'access-' || i
                   AND vault.reveal(a) = 'a' || i AND (b IS NULL) = (i <= 5)"
                    .replace("USING (id)", "ON id = i")
                    .as_str()
            ),
            7
        );
        assert_eq!(number("SELECT max(generation) FROM vault.token"), 1);
    }

    #[pg_test]
    fn a_damaged_value_is_left_and_counted() {
        with_values();
        Spi::run(
            "UPDATE vault.token SET refresh_token = overlay(refresh_token placing '\\x00' from 50) WHERE subject = 'user-2';
             UPDATE vault.token SET access_token = '\\x' WHERE subject = 'user-3'",
        )
        .unwrap();
        rotate();
        finish(3);
        assert_eq!(state(), "done 24 22 2 2");
        assert_eq!(
            text("SELECT vault.get_token('google', 'user-2')"),
            "access-2"
        );
    }

    #[pg_test]
    fn a_table_that_refuses_is_a_problem_of_its_own() {
        with_values();
        Spi::run(
            "CREATE TABLE public.test_later AS TABLE public.test_hook;
             ALTER TABLE public.test_hook ADD CHECK (id = 0) NOT VALID",
        )
        .unwrap();
        let new = rotate();
        finish(100);
        assert_eq!(state(), "done 33 24 9 9");
        assert_eq!(
            text("SELECT problem FROM vault.reencryption"),
            "public.test_hook: SQLSTATE 23514"
        );
        assert_eq!(
            number("SELECT max(vault.envelope_key(a)) FROM public.test_later"),
            new
        );
    }

    #[pg_test]
    fn the_owner_s_code_runs_as_the_owner_and_triggers_do_not() {
        with_values();
        Spi::run(
            "CREATE ROLE test_owner; GRANT CREATE ON SCHEMA public TO test_owner;
             ALTER TABLE public.test_hook OWNER TO test_owner;
             CREATE FUNCTION public.test_as_owner(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS
                 $$ BEGIN IF current_user <> 'test_owner' THEN RAISE 'not as %', current_user; END IF; RETURN $1; END $$;
             CREATE FUNCTION public.test_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;
             CREATE TRIGGER t BEFORE UPDATE ON public.test_hook FOR EACH ROW EXECUTE FUNCTION public.test_trigger();
             ALTER TABLE public.test_hook ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
             SET LOCAL ROLE test_owner;
             CREATE INDEX ON public.test_hook (public.test_as_owner(id)) WHERE public.test_as_owner(1) = 1;
             RESET ROLE",
        )
        .unwrap();
        rotate();
        finish(100);
        assert_eq!(state(), "done 24 24 0 0");
    }

    #[pg_test]
    fn paused_it_does_nothing_and_resumed_it_goes_on() {
        let old = with_values();
        rotate();
        assert!(matches!(reencryption::step(3), Ok(Step::More(0))));
        Spi::run("SELECT vault.pause_reencryption()").unwrap();
        assert!(matches!(reencryption::step(3), Ok(Step::Idle)));
        assert_eq!(state(), "paused 24 0 24 0");
        assert_eq!(
            number("SELECT min(vault.envelope_key(access_token)) FROM vault.token"),
            old
        );
        Spi::run("SELECT vault.resume_reencryption()").unwrap();
        finish(3);
        assert_eq!(state(), "done 24 24 0 0");
    }

    #[pg_test]
    /// Its end needs all other transactions to have ended; that is seen in tests/cluster.
    fn a_key_waits_for_a_second_search_and_for_opaque_columns() {
        let old = with_values();
        rotate();
        assert_eq!(retirement::look().unwrap(), Outcome::default(), "not done");
        finish(100);
        let waiting = Outcome {
            waiting: 1,
            ..Outcome::default()
        };
        assert_eq!(retirement::look().unwrap(), waiting);
        Spi::run("CREATE TABLE public.test_opaque (x vault.secret[])").unwrap();
        assert_eq!(retirement::look().unwrap(), Outcome::default());
        Spi::run("DROP TABLE public.test_opaque").unwrap();
        // Other tests' transactions decide whether it still waits.
        let destroyed = Outcome {
            destroyed: 1,
            ..Outcome::default()
        };
        let end = retirement::look().unwrap();
        assert!(end == waiting || end == destroyed, "{end:?}");
        let state = if end == destroyed {
            "destroyed"
        } else {
            "retired"
        };
        assert_eq!(
            text(&format!("SELECT state FROM vault.key WHERE id = {old}")),
            state
        );
    }

    #[pg_test]
    fn columns_are_found_wherever_they_are() {
        Spi::run(
            "CREATE DOMAIN public.test_domain AS vault.secret;
             CREATE TYPE public.test_pair AS (a integer, s vault.secret);
             CREATE TABLE public.test_parent (id integer, s public.test_domain) PARTITION BY RANGE (id);
             CREATE TABLE public.\"test leaf\" PARTITION OF public.test_parent DEFAULT;
             CREATE TABLE public.test_array (s vault.secret[], t public.test_domain[]);
             CREATE TABLE public.test_composite (p public.test_pair);
             CREATE TABLE public.test_row (r public.test_parent[]);
             CREATE TABLE public.test_generated (g vault.secret GENERATED ALWAYS AS (NULL) STORED);
             CREATE MATERIALIZED VIEW public.test_view AS SELECT s FROM public.test_parent",
        )
        .unwrap();
        let tables: Vec<String> = column::tables()
            .into_iter()
            .map(|table| format!("{} ({})", table.name, table.columns.join(", ")))
            .collect();
        assert_eq!(tables, ["public.\"test leaf\" (s)"]);
        assert_eq!(
            column::opaque(),
            [
                "public.test_array.s",
                "public.test_array.t",
                "public.test_composite.p",
                "public.test_generated.g",
                "public.test_row.r",
                "public.test_view.s"
            ]
        );
    }

    #[pg_test]
    fn the_key_is_told_from_the_first_bytes() {
        let key = with_values();
        assert_eq!(
            number("SELECT vault.envelope_key(vault.seal(repeat('x', 1000000)))"),
            key
        );
        assert_eq!(
            Spi::get_one::<i64>("SELECT vault.envelope_key('\\x0102'::bytea)").unwrap(),
            None
        );
        assert_eq!(
            text(
                "SELECT string_agg(vault.is_current('', e)::text, ' ') FROM (VALUES ('\\x'::bytea), ((SELECT access_token FROM vault.token LIMIT 1))) AS v (e)"
            ),
            "false true"
        );
    }

    #[pg_test]
    fn places_are_numbers_in_the_same_order() {
        for (block, line) in [(0, 0), (0, 1), (1, 0), (u32::MAX, u16::MAX)] {
            let tid = Tid { block, line };
            assert_eq!(Tid::from_number(tid.to_number()), tid);
        }
        assert!(
            Tid::before(2).to_number()
                > Tid {
                    block: 1,
                    line: u16::MAX
                }
                .to_number()
        );
        let place = Spi::get_one::<Tid>("SELECT '(70000,3)'::tid").unwrap();
        assert_eq!(
            place,
            Some(Tid {
                block: 70000,
                line: 3
            })
        );
    }

    #[pg_test]
    fn the_custody_is_given_back() {
        let held = || {
            number(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objsubid = 3",
            )
        };
        let custody = lock::try_hold_custody();
        assert!(custody.is_some());
        assert_eq!(held(), 1);
        drop(custody);
        assert_eq!(held(), 0);
    }

    #[pg_test]
    fn values_that_cannot_be_read_are_said() {
        with_values();
        Spi::run(
            "CREATE ROLE test_owner; ALTER TABLE public.test_hook OWNER TO test_owner;
             REVOKE ALL ON public.test_hook FROM test_owner",
        )
        .unwrap();
        let usage = key_usage::scan().unwrap();
        assert_eq!(usage.unreadable, ["public.test_hook: SQLSTATE 42501"]);
    }
}
