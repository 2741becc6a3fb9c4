//! What sessions and refreshers tell each other. The databases here exist only on the board.

#[pgrx::pg_schema]
mod tests {
    use pgrx::pg_sys::Oid;
    use pgrx::prelude::*;
    use token_vault_core::refresh::Closed;

    use crate::pg::server;
    use crate::worker::board::{self, Wish};

    fn database(number: u32) -> Oid {
        Oid::from(4_000_000_000 + number)
    }

    fn wishes(tokens: &[i64]) -> Vec<Wish> {
        let wish = |token: &i64| Wish {
            token: *token,
            generation: 1,
        };
        tokens.iter().map(wish).collect()
    }

    #[pg_test]
    fn a_request_is_asked_taken_and_finished() {
        let (database, me) = (database(1), server::process_id());
        assert_eq!(board::ask(database, me, &wishes(&[7, 8, 7])), 3);
        assert_eq!(board::open_requests(me), 3);
        // Each token once, and only to the refresher of this database.
        assert_eq!(board::take(self::database(2), 10), []);
        assert_eq!(board::take(database, 10), wishes(&[7, 8]));
        assert_eq!(board::take(database, 10), []);
        board::finish(database, &wishes(&[7]));
        assert_eq!(board::open_requests(me), 1);
        board::finish(self::database(2), &wishes(&[8]));
        assert_eq!(board::open_requests(me), 1);
        board::finish(database, &wishes(&[8]));
        assert_eq!(board::open_requests(me), 0);
        board::withdraw(me);
    }

    #[pg_test]
    fn a_request_outlives_the_session_that_gave_up_until_it_is_taken() {
        let (database, me) = (database(3), server::process_id());
        board::ask(database, me, &wishes(&[1, 2]));
        board::withdraw(me);
        assert_eq!(board::open_requests(me), 0);
        assert_eq!(board::take(database, 10), wishes(&[1, 2]));
        assert_eq!(board::take(database, 10), []);
    }

    #[pg_test]
    fn a_refresher_takes_no_more_than_it_has_room_for() {
        let (database, me) = (database(4), server::process_id());
        board::ask(database, me, &wishes(&[1, 2, 3]));
        assert_eq!(board::take(database, 2).len(), 2);
        assert_eq!(board::take(database, 2).len(), 1);
        board::withdraw(me);
    }

    #[pg_test]
    fn what_a_dead_refresher_had_taken_is_asked_again() {
        let (database, me) = (database(5), server::process_id());
        board::ask(database, me, &wishes(&[1]));
        assert_eq!(board::take(database, 1), wishes(&[1]));
        board::refresher_started(database, me);
        assert_eq!(board::running_refresher(database), Some(me));
        assert_eq!(board::take(database, 1), wishes(&[1]));
        board::refresher_ended(database, me, false);
        assert_eq!(board::running_refresher(database), None);
        board::withdraw(me);
    }

    #[pg_test]
    fn who_waits_is_told_why_nothing_is_sent() {
        let (database, me) = (database(7), server::process_id());
        board::ask(database, me, &wishes(&[1, 2]));
        assert_eq!(board::take(database, 9), wishes(&[1, 2]));
        board::finish_with(database, &wishes(&[1]), Some(Closed::Client));
        board::finish(database, &wishes(&[2]));
        assert_eq!(board::open_requests(me), 0);
        assert_eq!(board::reason(me), Some(Closed::Client));
        board::withdraw(me);
        assert_eq!(board::reason(me), None);
    }

    #[pg_test]
    fn a_refresher_is_told_what_it_does_not_find_out_by_itself() {
        let database = database(8);
        let lanes = |lanes: &[(i64, i64)]| lanes.iter().copied().collect();
        // Awake, it may have looked already.
        assert_eq!(board::take_hints(database), Some(vec![]));
        board::schedule_changed(database, &lanes(&[(5, 1_000)]));
        assert_eq!(board::take_hints(database), Some(vec![(5, 1_000)]));
        // From here on more than once: the launcher forgets databases that do not exist, perhaps in between.
        // Asleep, it looks at everything by itself before 500.
        let is_told_the_earlier = |_| {
            board::sleeps_until(database, 100, 500);
            board::schedule_changed(database, &lanes(&[(5, 499), (6, 501)]));
            board::take_hints(database) == Some(vec![(5, 499)])
        };
        assert!((0..10).any(is_told_the_earlier));
        // More than can be told: it looks at the table.
        let many: Vec<(i64, i64)> = (0..1000).map(|lane| (lane, 1)).collect();
        let overflows = |_| {
            board::schedule_changed(database, &lanes(&many));
            board::take_hints(database).is_none()
        };
        assert!((0..10).any(overflows));
        assert_eq!(board::take_hints(database), Some(vec![]));
        let looks = |_| {
            board::ask_to_look(database);
            board::take_hints(database).is_none()
        };
        assert!((0..10).any(looks));
        board::forget_database(database);
    }

    #[pg_test]
    fn requests_of_a_session_that_has_ended_are_swept() {
        // No process of any server has this number.
        let (database, nobody) = (database(6), i32::MAX);
        board::ask(database, nobody, &wishes(&[1]));
        board::sweep();
        assert_eq!(board::open_requests(nobody), 0);
        assert_eq!(board::take(database, 1), []);
    }

    #[pg_test]
    fn a_database_is_held_until_its_session_lets_go_or_ends() {
        let (database, me) = (database(7), server::process_id());
        assert!(!board::is_held(database));
        assert!(board::hold(database, me));
        assert!(board::hold(database, me));
        assert!(board::is_held(database));
        assert!(!board::is_held(self::database(8)));
        assert!(board::sweep_holds());
        assert!(board::is_held(database));
        board::release(me);
        assert!(!board::is_held(database));
        // No process of any server has this number.
        board::hold(database, i32::MAX);
        board::sweep_holds();
        assert!(!board::is_held(database));
    }

    #[pg_test]
    fn two_sessions_hold_the_same_database() {
        let (database, me) = (database(9), server::process_id());
        // Any other process of this server that lives: holds of dead ones are taken down.
        let other: i32 = Spi::get_one(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'token_vault launcher'",
        )
        .unwrap()
        .unwrap();
        board::hold(database, me);
        board::hold(database, other);
        board::release(me);
        assert!(board::is_held(database));
        board::release(other);
        assert!(!board::is_held(database));
    }
}
