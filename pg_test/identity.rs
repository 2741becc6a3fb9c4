//! Acting as the vault's owner for the length of a closure, and being oneself again after it.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;

    use crate::pg::role::{self, Role};
    use crate::pg::spi;

    fn text(query: &str) -> String {
        Spi::get_one(query).unwrap().unwrap()
    }

    fn become_somebody() {
        Spi::run("CREATE ROLE test_somebody; GRANT USAGE ON SCHEMA tests TO test_somebody; SET LOCAL ROLE test_somebody; SET LOCAL search_path = pg_temp, public").unwrap();
    }

    #[pg_test]
    fn only_inside_and_with_a_safe_search_path() {
        become_somebody();
        let (inside, path) = role::as_owner(|| {
            (
                role::current().is_superuser(),
                text("SELECT current_setting('search_path')"),
            )
        });
        assert!(inside);
        assert_eq!(path, "pg_catalog, pg_temp");
        assert_eq!(role::current().name(), "test_somebody");
        assert_eq!(
            text("SELECT current_setting('search_path')"),
            "pg_temp, public"
        );
    }

    #[pg_test]
    fn nested_closures_restore_step_by_step() {
        become_somebody();
        role::as_owner(|| {
            spi::session(|_| ());
            assert!(role::current().is_superuser());
            assert_eq!(
                text("SELECT current_setting('search_path')"),
                "pg_catalog, pg_temp"
            );
        });
        assert!(!role::current().is_superuser());
    }

    #[pg_test]
    fn an_error_inside_restores_as_well() {
        become_somebody();
        Spi::run("DO $$ BEGIN PERFORM tests.fail_as_owner(); EXCEPTION WHEN division_by_zero THEN END $$").unwrap();
        assert_eq!(role::current().name(), "test_somebody");
        assert_eq!(
            text("SELECT current_setting('search_path')"),
            "pg_temp, public"
        );
        Spi::run(
            "DO $$ BEGIN PERFORM tests.panic_as_owner(); EXCEPTION WHEN internal_error THEN END $$",
        )
        .unwrap();
        assert_eq!(role::current().name(), "test_somebody");
        assert_eq!(
            text("SELECT current_setting('search_path')"),
            "pg_temp, public"
        );
    }

    #[pg_extern]
    fn fail_as_owner() {
        role::as_owner(|| Spi::run("SELECT 1 / 0").unwrap());
    }

    #[pg_extern]
    fn panic_as_owner() {
        role::as_owner(|| panic!("on purpose"));
    }

    #[pg_test]
    fn rights_follow_inheritance() {
        Spi::run("CREATE ROLE test_group; CREATE ROLE test_member IN ROLE test_group; CREATE ROLE test_guest NOINHERIT IN ROLE test_group").unwrap();
        let role = |name: &str| Role::by_name(name).unwrap();
        assert!(role("test_member").has_privileges_of(role("test_group")));
        assert!(!role("test_guest").has_privileges_of(role("test_group")));
        assert!(!role("test_group").has_privileges_of(role("test_member")));
        assert_eq!(Role::by_name("test_nobody_of_that_name"), None);
        assert_eq!(Role::by_name("with\0nul"), None);
    }
}
