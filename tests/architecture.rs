//! The rules of docs/architecture.md that the compiler does not check.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The longest file of the extension and its packages: beyond this it is more than one concern.
const MAX_LINES: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below `folder` with this ending, with their text.
fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == ending)
            {
                let text = fs::read_to_string(&path).expect("text");
                found.push((
                    path.strip_prefix(root())
                        .expect("below the root")
                        .to_owned(),
                    text,
                ));
            }
        }
    }
    assert!(!found.is_empty(), "no .{ending} file below {folder}");
    found
}

/// The lines that say something to the compiler.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
}

fn mentions(text: &str, word: &str) -> bool {
    let is_part =
        |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code(text).any(|line| {
        line.match_indices(word).any(|(at, _)| {
            !is_part(line[..at].chars().next_back())
                && !is_part(line[at + word.len()..].chars().next())
        })
    })
}

fn none(offenders: impl Iterator<Item = PathBuf>, rule: &str) {
    let offenders: Vec<PathBuf> = offenders.collect();
    assert!(offenders.is_empty(), "{rule}: {offenders:?}");
}

#[test]
fn unsafe_and_the_servers_functions_have_one_home() {
    let outside = || {
        files("src", "rs")
            .into_iter()
            .filter(|(path, _)| !path.starts_with("src/pg"))
    };
    let without_attribute = |text: &str| text.replace("#[unsafe(no_mangle)]", "");
    none(
        outside()
            .filter(|(_, text)| mentions(&without_attribute(text), "unsafe"))
            .map(|(path, _)| path),
        "unsafe outside src/pg",
    );
    none(
        outside()
            .filter(|(path, text)| path != Path::new("src/lib.rs") && mentions(text, "pg_sys"))
            .map(|(path, _)| path),
        "pg_sys outside src/pg and the entry points in src/lib.rs",
    );
}

#[test]
fn dependencies_point_one_way() {
    for (folder, forbidden) in [
        (
            "src/pg",
            &[
                "crate::error",
                "crate::store",
                "crate::sqlfn",
                "crate::sqltype",
                "crate::worker",
            ][..],
        ),
        (
            "src/store",
            &["crate::sqlfn", "crate::sqltype", "crate::worker"],
        ),
        ("src/worker", &["crate::sqlfn", "crate::sqltype"]),
        ("src/sqltype", &["crate::sqlfn", "crate::worker"]),
    ] {
        for module in forbidden {
            none(
                files(folder, "rs")
                    .into_iter()
                    .filter(|(_, text)| text.contains(module))
                    .map(|(path, _)| path),
                &format!("{folder} uses {module}"),
            );
        }
    }
}

#[test]
fn the_core_and_the_http_client_know_no_postgresql() {
    for manifest in ["src/core/Cargo.toml", "src/http/Cargo.toml"] {
        let text = fs::read_to_string(root().join(manifest)).expect("manifest");
        assert!(
            !text.lines().any(|line| line.starts_with("pgrx")),
            "{manifest} names pgrx"
        );
    }
    for package in ["src/core/lib.rs", "src/http/lib.rs"] {
        let text = fs::read_to_string(root().join(package)).expect("crate root");
        assert!(
            text.contains("#![forbid(unsafe_code)]"),
            "{package} allows unsafe code"
        );
    }
}

/// Providers whose names are words of Rust, SQL or plain English as well: these count only as a whole string.
const WORDS: [&str; 8] = [
    "box", "front", "line", "linear", "monday", "notion", "square", "x",
];
/// A field of a Debug output; the provider would still be found by its domain.
const NOT_A_NAME: &str = "threads";

/// The texts between quotation marks in a line of Rust; good enough for lines that hold no mark inside a text.
fn texts(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2)
}

/// The last two labels of the hosts in a line of the catalogue.
fn domains(line: &str) -> impl Iterator<Item = &str> {
    let hosts = line
        .split("https://")
        .skip(1)
        .filter_map(|url| url.split(['/', ',', '?', ' ', '"']).next());
    hosts.filter(|host| !host.contains('}')).filter_map(|host| {
        let (rest, _) = host.rsplit_once('.')?;
        Some(&host[rest.rfind('.').map_or(0, |dot| dot + 1)..])
    })
}

#[test]
fn no_provider_is_named_in_code() {
    let catalogue = fs::read_to_string(root().join("catalogue/providers.csv")).expect("catalogue");
    let lines = catalogue.lines().skip(1);
    let names: Vec<&str> = lines
        .clone()
        .filter_map(|line| line.split(',').next())
        .collect();
    assert!(names.len() >= 150, "found only {names:?}");
    let domains: BTreeSet<&str> = lines.flat_map(domains).collect();
    assert!(domains.contains("threads.net"), "found only {domains:?}");
    let names = names.into_iter().filter(|name| *name != NOT_A_NAME);
    let forbidden: Vec<&str> = names.chain(domains).collect();
    let is_shipped = |path: &Path| {
        !path
            .iter()
            .any(|part| part == "tests" || part == "examples")
    };
    let ours = files("src", "rs")
        .into_iter()
        .filter(|(path, _)| is_shipped(path));
    for (path, text) in ours {
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let text = text.to_lowercase();
        for name in &forbidden {
            let is_named = if WORDS.contains(name) {
                code(&text).any(|line| texts(line).any(|text| text == *name))
            } else {
                mentions(&text, name)
            };
            assert!(!is_named, "{} names {name}", path.display());
        }
    }
}

#[test]
fn the_catalogue_is_generated() {
    let check = std::process::Command::new("python3")
        .arg(root().join("scripts/catalogue.py"))
        .arg("--check")
        .output()
        .expect("python3");
    assert!(
        check.status.success(),
        "{}",
        String::from_utf8_lossy(&check.stderr)
    );
}

#[test]
fn every_sql_file_is_part_of_the_install_script() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).expect("lib.rs");
    for (path, _) in files("sql", "sql") {
        let name = path
            .file_name()
            .expect("name")
            .to_string_lossy()
            .into_owned();
        // Upgrade steps are installed by their name.
        let listed = name.contains("--") || lib.contains(&format!("/{name}\""));
        assert!(listed, "{name} is not listed in src/lib.rs");
    }
}

#[test]
fn files_are_short() {
    none(
        files("src", "rs")
            .into_iter()
            .filter(|(_, text)| text.lines().count() > MAX_LINES)
            .map(|(path, _)| path),
        "longer than one concern",
    );
}
