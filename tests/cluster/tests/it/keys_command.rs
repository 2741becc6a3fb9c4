//! A command that prints the master key, and every way in which it does not: an error in the session that needs the
//! key, nothing written, no process left behind, and over as soon as the setting is right again.

use std::fs;
use std::time::Instant;

use token_vault_cluster::canary::Search;
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Cluster, Options, Result, StopMode};

use crate::audit_harness::wait_until_sealed;
use crate::keys::{key_rows, let_a_command_print_it, master_key, pid, set};
use crate::master_key::{assert_refused, cluster_with_token, session};
use crate::provider::LIMIT;
use crate::session::{at_once, complaint, get_token, sqlstate};

const COMMAND: &str = "token_vault.master_key_command";

/// In the text and the environment of every command here: how its processes are recognized.
fn marker(cluster: &Cluster) -> String {
    format!("TV_COMMAND_OF={}", cluster.port())
}

/// Sets a command, in which `KEY` stands for the file with the key.
fn let_it_be(cluster: &Cluster, command: &str) -> Result<()> {
    let file = cluster.directory().join("kms.key");
    let command = command.replace("KEY", &file.to_string_lossy());
    set(
        cluster,
        COMMAND,
        &format!("export {}; {command}", marker(cluster)),
    )
}

/// A cluster with a token, whose master key a command must print.
fn cluster() -> Result<Cluster> {
    let cluster = cluster_with_token()?;
    let_a_command_print_it(&cluster)?;
    Ok(cluster)
}

/// The processes that a command has started.
fn processes(cluster: &Cluster) -> Result<Vec<String>> {
    let marker = marker(cluster);
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let process = entry?.path();
        let holds = |file: &str| {
            // It may have ended meanwhile.
            let bytes = fs::read(process.join(file)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).contains(&marker)
        };
        if holds("cmdline") || holds("environ") {
            found.push(process.to_string_lossy().into_owned());
        }
    }
    Ok(found)
}

/// Killed processes need a moment to be gone.
fn assert_no_process_is_left(cluster: &Cluster, command: &str) -> Result<()> {
    let gone = wait_for("the command's processes to end", LIMIT, || {
        Ok(processes(cluster)?.is_empty().then_some(()))
    });
    assert!(
        gone.is_ok(),
        "{command}: {:?} are left",
        processes(cluster)?
    );
    Ok(())
}

#[test]
fn a_command_that_prints_no_key_says_why() -> Result<()> {
    let cluster = cluster()?;
    let before = key_rows(&mut session(&cluster)?)?;
    let cases = [
        ("true", "is empty"),
        ("echo", "is empty"),
        ("cat KEY KEY", "more than one line"),
        ("echo c2hvcnQ=", "has 5 bytes instead of 32"),
        ("echo 'not a key at all'", "neither hexadecimal nor base64"),
        ("yes", "more than 4096 bytes"),
        ("exit 3", "exit status 3"),
        ("cat KEY; exit 1", "exit status 1"),
        ("kill -9 $$", "by a signal"),
        ("cat KEY; kill -SEGV $$", "by a signal"),
        ("/nonexistent/kms", "exit status 127"),
    ];
    for (command, words) in cases {
        let_it_be(&cluster, command)?;
        assert_refused(&cluster, "TV002", words)?;
        let told = complaint(get_token(&mut session(&cluster)?, "alice"));
        assert!(!told.contains(&marker(&cluster)), "{told}");
        assert_no_process_is_left(&cluster, command)?;
    }
    let_it_be(&cluster, "cat KEY")?;
    assert_eq!(get_token(&mut session(&cluster)?, "alice")?, "at-1");
    assert_eq!(key_rows(&mut session(&cluster)?)?, before);
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_command_that_does_not_end_is_ended_in_time_with_all_that_it_has_started() -> Result<()> {
    let cluster = cluster()?;
    let before = key_rows(&mut session(&cluster)?)?;
    set(&cluster, "token_vault.master_key_timeout", "500ms")?;
    let commands = [
        "sleep 600",
        "(sleep 600 & sleep 600) & sleep 600 & wait",
        "trap '' TERM INT HUP; sleep 600",
        // Closes its output and lives on.
        "cat KEY; exec >&-; sleep 600",
        "while :; do :; done",
        "while sleep 0.1; do echo; done",
        // Its child holds the output open after it has ended.
        "sleep 600 & cat KEY",
    ];
    for command in commands {
        let_it_be(&cluster, command)?;
        let mut db = session(&cluster)?;
        let begin = Instant::now();
        let told = complaint(get_token(&mut db, "alice"));
        let elapsed = begin.elapsed().as_millis();
        assert!(
            told.contains("within 500 ms") || command.contains("echo"),
            "{command}: {told}"
        );
        assert!((450..5000).contains(&elapsed), "{command}: {elapsed} ms");
        assert_no_process_is_left(&cluster, command)?;
        assert_eq!(sqlstate(get_token(&mut db, "alice")), "TV002", "{command}");
        assert_no_process_is_left(&cluster, command)?;
    }
    set(&cluster, "token_vault.master_key_timeout", "10s")?;
    let_it_be(&cluster, "sleep 0.3; cat KEY")?;
    assert_eq!(get_token(&mut session(&cluster)?, "alice")?, "at-1");
    assert_eq!(key_rows(&mut session(&cluster)?)?, before);
    cluster.assert_never_crashed();
    Ok(())
}

/// The SQLSTATE, or what the client says where there is none.
fn how_it_ends(result: std::result::Result<String, postgres::Error>) -> String {
    match result {
        Ok(_) => "a token".into(),
        Err(error) => match error.code() {
            Some(code) => code.code().into(),
            None => error.to_string(),
        },
    }
}

#[test]
fn a_session_that_waits_for_a_command_can_be_cancelled() -> Result<()> {
    let cluster = cluster()?;
    set(&cluster, "token_vault.master_key_timeout", "50s")?;
    let_it_be(&cluster, "sleep 600 & sleep 600")?;
    // Of a session that is terminated, a client may see the end of the connection before it sees why.
    for (stop, codes) in [
        ("pg_cancel_backend", &["57014"][..]),
        ("pg_terminate_backend", &["57P01", "connection closed"][..]),
    ] {
        let mut db = session(&cluster)?;
        let pid = pid(&mut db)?;
        let reader = std::thread::spawn(move || how_it_ends(get_token(&mut db, "alice")));
        wait_for("the command", LIMIT, || {
            Ok((processes(&cluster)?.len() >= 3).then_some(()))
        })?;
        let begin = Instant::now();
        session(&cluster)?.execute(&format!("SELECT {stop}($1)"), &[&pid])?;
        assert_no_process_is_left(&cluster, stop)?;
        let end = reader.join().expect("the session's thread");
        assert!(codes.contains(&end.as_str()), "{stop}: {end}");
        assert!(begin.elapsed() < LIMIT, "{stop}: {:?}", begin.elapsed());
    }
    // Nobody waits for the turn of a session that has gone.
    let_it_be(&cluster, "cat KEY")?;
    assert_eq!(get_token(&mut session(&cluster)?, "alice")?, "at-1");
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_session_that_ends_takes_its_command_with_it() -> Result<()> {
    let cluster = cluster()?;
    set(&cluster, "token_vault.master_key_timeout", "50s")?;
    let_it_be(&cluster, "sleep 600 & sleep 600")?;
    let mut db = session(&cluster)?;
    let reader = std::thread::spawn(move || get_token(&mut db, "alice").is_err());
    wait_for("the command", LIMIT, || {
        Ok((!processes(&cluster)?.is_empty()).then_some(()))
    })?;
    cluster.stop(StopMode::Fast)?;
    assert_no_process_is_left(&cluster, "a fast shutdown")?;
    assert!(reader.join().expect("the session's thread"));
    Ok(())
}

/// The token of `alice`, read in so many new sessions at once.
fn read_at_once(cluster: &Cluster, sessions: usize) -> Result<()> {
    for read in at_once(cluster, sessions, |db| get_token(db, "alice"))? {
        assert_eq!(read?, "at-1");
    }
    Ok(())
}

/// How often a command of [`let_it_be`] that says so has run.
fn runs(cluster: &Cluster) -> Result<usize> {
    let file = cluster.directory().join("runs");
    Ok(fs::read_to_string(file).unwrap_or_default().lines().count())
}

fn let_it_be_counted(cluster: &Cluster) -> Result<()> {
    let file = cluster.directory().join("runs");
    let_it_be(
        cluster,
        &format!("echo run >> {}; sleep 0.2; cat KEY", file.display()),
    )
}

#[test]
fn preloaded_it_runs_once_for_all_sessions_after_a_start_and_a_reload() -> Result<()> {
    let mut cluster = cluster()?;
    // Whoever seals the audit log needs the key as well.
    wait_until_sealed(&mut session(&cluster)?)?;
    let_it_be_counted(&cluster)?;
    cluster.restart(StopMode::Fast)?;
    read_at_once(&cluster, 20)?;
    assert_eq!(runs(&cluster)?, 1);
    read_at_once(&cluster, 5)?;
    assert_eq!(runs(&cluster)?, 1);

    cluster.reload()?;
    wait_for("the command to run again", LIMIT, || {
        assert_eq!(get_token(&mut session(&cluster)?, "alice")?, "at-1");
        Ok((runs(&cluster)? == 2).then_some(()))
    })?;
    read_at_once(&cluster, 20)?;
    assert_eq!(runs(&cluster)?, 2);
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn not_preloaded_it_runs_once_for_each_session() -> Result<()> {
    let cluster = Cluster::start_new(&Options::new().not_preloaded().without_fsync())?;
    let mut db = cluster.create_vault("app")?;
    crate::master_key::register_provider(&mut db)?;
    db.batch_execute("SELECT vault.store_token('acme', 'alice', access_token => 'at-1')")?;
    let_a_command_print_it(&cluster)?;
    let_it_be_counted(&cluster)?;
    let mut sessions = Vec::new();
    for _ in 0..3 {
        let mut db = session(&cluster)?;
        for _ in 0..5 {
            assert_eq!(get_token(&mut db, "alice")?, "at-1");
        }
        sessions.push(db);
    }
    assert_eq!(runs(&cluster)?, 3);
    read_at_once(&cluster, 4)?;
    assert_eq!(runs(&cluster)?, 7);
    Ok(())
}

#[test]
fn neither_the_key_nor_the_command_is_shown_to_anybody() -> Result<()> {
    let cluster = cluster_with_token()?;
    let key = master_key(&cluster)?;
    let_a_command_print_it(&cluster)?;
    // A script in trace mode prints what it handles.
    let_it_be(&cluster, "set -x; key=$(cat KEY); echo $key >&2; echo $key")?;
    let mut db = session(&cluster)?;
    assert_eq!(get_token(&mut db, "alice")?, "at-1");

    let search = Search::new([key])?;
    search.run(&cluster.log_file())?.assert_clean();
    search.run(&cluster.data_directory())?.assert_clean();
    let found = search.run(&cluster.directory().join("kms.key"))?.findings;
    assert!(!found.is_empty(), "the search does not know the key");
    let text = fs::read(cluster.directory().join("kms.key"))?;
    let text = text.trim_ascii_end();
    for row in db.query("SELECT pid FROM pg_stat_activity", &[])? {
        for file in ["environ", "cmdline"] {
            let bytes = fs::read(format!("/proc/{}/{file}", row.get::<_, i32>(0)))?;
            assert!(
                !bytes.windows(text.len()).any(|window| window == text),
                "{file}"
            );
        }
    }

    db.batch_execute("CREATE ROLE visitor LOGIN; SELECT vault.grant_access('visitor', '{read}')")?;
    let mut visitor = cluster.connect("app", "visitor")?;
    let shown = visitor.query_one(&format!("SHOW {COMMAND}"), &[]);
    assert_eq!(sqlstate(shown), "42501");
    let listed = visitor.query(
        "SELECT setting FROM pg_settings WHERE setting LIKE '%TV_COMMAND_OF%'",
        &[],
    )?;
    assert!(listed.is_empty());
    let_it_be(&cluster, "exit 3")?;
    let told = complaint(get_token(&mut cluster.connect("app", "visitor")?, "alice"));
    assert!(
        !told.contains("TV_COMMAND_OF") && !told.contains("kms"),
        "{told}"
    );
    Ok(())
}
