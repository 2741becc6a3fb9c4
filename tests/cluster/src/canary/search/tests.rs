use super::*;

const SECRET: &[u8] = b"canary/9f2c+61d0=4be8a7735c0e";

/// Searches a file of `contents` for `secrets`.
fn search(secrets: &[&[u8]], contents: &[u8]) -> Report {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), contents).unwrap();
    Search::new(secrets).unwrap().run(directory.path()).unwrap()
}

#[test]
fn a_planted_secret_is_found_in_every_encoding() {
    // Three bytes of ones make base64 and base64url differ at every alignment.
    let secret = b"\xff\xff\xffcanary+61d0=4be8a77350";
    for encoding in Encoding::ALL {
        for pattern in encoding.patterns(secret) {
            let contents = [&b"before "[..], &pattern, b" after"].concat();
            let report = search(&[secret], &contents);
            let finding = report
                .findings
                .first()
                .unwrap_or_else(|| panic!("{encoding:?} missed"));
            assert_eq!(
                (finding.offset, finding.secret, finding.encoding),
                (7, 0, encoding)
            );
        }
    }
}

#[test]
fn a_long_secret_is_found_when_something_interrupts_it() {
    let secret: Vec<u8> = (0..1200_u32).map(|i| (i * 7919 % 251) as u8).collect();
    let contents = [&secret[..500], &[0; 24], &secret[500..]].concat();
    assert!(!search(&[&secret], &contents).findings.is_empty());
}

#[test]
fn a_secret_across_two_reads_is_found() {
    for padding in (64 << 10) - SECRET.len()..(64 << 10) + 1 {
        let contents = [&vec![b'.'; padding][..], SECRET].concat();
        assert_eq!(
            search(&[SECRET], &contents).findings[0].offset,
            padding as u64
        );
    }
}

#[test]
fn what_is_not_there_is_not_found_and_everything_is_read() {
    let contents = vec![b'.'; 3 << 20];
    let report = search(&[SECRET], &contents);
    assert_eq!(
        report,
        Report {
            files: 1,
            bytes: 3 << 20,
            findings: vec![]
        }
    );
}

#[test]
fn findings_name_the_secret_by_number_and_say_nothing_of_it() {
    let report = search(&[b"another one entirely", SECRET], SECRET);
    assert_eq!(report.findings[0].secret, 1);
    assert!(!report.findings[0].to_string().contains("canary/9f"));
    assert!(!format!("{:?}", Search::new([SECRET]).unwrap()).contains("canary"));
}

#[test]
fn files_below_folders_are_searched_and_links_are_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("file"), SECRET).unwrap();
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(directory.path().join("a/b")).unwrap();
    std::fs::write(directory.path().join("a/b/file"), SECRET).unwrap();
    std::os::unix::fs::symlink(outside.path(), directory.path().join("link")).unwrap();
    let report = Search::new([SECRET])
        .unwrap()
        .run(directory.path())
        .unwrap();
    assert_eq!(report.files, 1);
    assert!(report.findings[0].file.ends_with("a/b/file"));
}

#[test]
fn equal_secrets_count_once_and_short_ones_are_refused() {
    assert_eq!(Search::new([SECRET, SECRET]).unwrap().secrets(), 1);
    assert!(
        Search::new([b"short"])
            .unwrap_err()
            .to_string()
            .contains("too short")
    );
    assert!(Search::new(Vec::<&[u8]>::new()).is_err());
}
