//! Last use and number of reads: noted in shared memory, written in batches. No refresher runs in the test database,
//! because nothing here commits a token.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;

    use crate::pg::server;
    use crate::worker::usage;

    fn stored(subject: &str) -> i64 {
        Spi::run("SELECT vault.create_master_key() WHERE NOT EXISTS (SELECT FROM vault.key)")
            .unwrap();
        Spi::run_with_args(
            "SELECT vault.store_token('google', $1, 'access')",
            &[subject.into()],
        )
        .unwrap();
        Spi::get_one_with_args(
            "SELECT id FROM vault.token WHERE subject = $1",
            &[subject.into()],
        )
        .unwrap()
        .unwrap()
    }

    fn written(token: i64) -> Option<(i64, i64)> {
        Spi::get_two_with_args(
            "SELECT reads, (extract(epoch FROM last_used_at) * 1000000)::bigint FROM vault.token_usage WHERE token = $1",
            &[token.into()],
        )
        .map(|(reads, at)| Some((reads?, at?)))
        .unwrap_or_default()
    }

    /// One test, because what one session notes another one may write: the table is the server's.
    #[pg_test]
    fn reads_are_collected_then_added_up() {
        let (often, once, deleted) = (stored("often"), stored("once"), stored("deleted"));
        usage::note(often, 1_000_000);
        usage::note(often, 3_000_000);
        usage::note(often, 2_000_000);
        usage::note(once, 5_000_000);
        usage::note(deleted, 6_000_000);
        Spi::run("SELECT vault.delete_token('google', 'deleted')").unwrap();
        assert_eq!(written(often), None);
        usage::write(server::database());
        assert_eq!(written(often), Some((3, 2_000_000)));
        assert_eq!(written(once), Some((1, 5_000_000)));
        assert_eq!(written(deleted), None);

        // Nothing is written twice; what comes later is added, and time never runs back.
        usage::write(server::database());
        assert_eq!(written(once), Some((1, 5_000_000)));
        usage::note(once, 4_000_000);
        usage::write(server::database());
        assert_eq!(written(once), Some((2, 5_000_000)));

        // More tokens than there is room for: the rest is not counted, and nothing waits or breaks.
        (1..=40_000).for_each(|number| usage::note(i64::MAX - number, 1));
        let mut rounds = 0;
        while usage::is_pending() {
            usage::write(server::database());
            rounds += 1;
        }
        // Each round takes its part, whatever has become of it.
        assert_eq!(rounds, 16_384_usize.div_ceil(usage::ROUND));
        usage::note(often, 9_000_000);
        usage::write(server::database());
        assert_eq!(written(often), Some((4, 9_000_000)));
    }
}
