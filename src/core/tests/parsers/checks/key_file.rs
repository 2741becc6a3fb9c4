//! What may be a master key file, or the output of a key command.

use super::{STANDARD, URL_SAFE, Verdict, unpadded_base64};
use token_vault_core::keys::{
    KeyFileError, MAX_KEY_FILE, MasterKey, format_key_file, parse_key_file,
};

/// Everything that holds for any contents.
pub fn check(contents: &[u8]) -> Verdict {
    match (parse_key_file(contents), read(contents)) {
        (Ok(key), Some(expected)) => {
            check_key(&key, &expected);
            Verdict::Accepted
        }
        (Err(error), None) => {
            check_error(contents, error);
            Verdict::Refused
        }
        (Ok(_), None) => panic!("accepted what no key file holds"),
        (Err(error), Some(_)) => panic!("refused a key: {error}"),
    }
}

/// It is this key, and what is written of it is read back as the same key.
fn check_key(key: &MasterKey, expected: &[u8; 32]) {
    let written = format_key_file(key);
    let written = written.expose().as_bytes();
    assert_eq!(read(written).as_ref(), Some(expected));
    assert_eq!((written.len(), written.last()), (45, Some(&b'\n')));
    let again = parse_key_file(written).expect("what is written is read");
    assert_eq!(again.fingerprint(), key.fingerprint());
    assert_eq!(format!("{key:?}"), "MasterKey([redacted])");
}

/// The message is one of five, which tells nothing of the contents but how many bytes they stand for.
fn check_error(contents: &[u8], error: KeyFileError) {
    let message = error.to_string();
    let expected = match error {
        KeyFileError::Empty => "master key is empty".into(),
        KeyFileError::TooLarge => "master key file is longer than 4096 bytes".into(),
        KeyFileError::MoreThanOneLine => "master key has more than one line".into(),
        KeyFileError::NotHexOrBase64 => "master key is neither hexadecimal nor base64".into(),
        KeyFileError::WrongLength { found } => {
            assert!(found != 32 && found < contents.len());
            format!("master key has {found} bytes instead of 32")
        }
    };
    assert_eq!(message, expected);
    assert_eq!(
        error == KeyFileError::TooLarge,
        contents.len() > MAX_KEY_FILE
    );
    assert_eq!(
        error == KeyFileError::Empty,
        matches!(contents, b"" | b"\n" | b"\r" | b"\r\n")
    );
}

/// The key in these contents, by a second reading of the documentation: one line, whose end may be missing, of 64
/// hexadecimal digits or the base64 of 32 bytes in either alphabet, padded or not.
fn read(contents: &[u8]) -> Option<[u8; 32]> {
    let ends: [&[u8]; 4] = [b"\r\n", b"\n", b"\r", b""];
    let line = ends.iter().find_map(|end| contents.strip_suffix(*end))?;
    hexadecimal(line).or_else(|| {
        let digits = line.strip_suffix(b"=").unwrap_or(line);
        [STANDARD, URL_SAFE]
            .iter()
            .find_map(|last_two| unpadded_base64(digits, *last_two)?.try_into().ok())
    })
}

fn hexadecimal(line: &[u8]) -> Option<[u8; 32]> {
    let digits = line
        .iter()
        .map(|digit| char::from(*digit).to_digit(16))
        .collect::<Option<Vec<u32>>>()?;
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| (pair[0] << 4 | pair[1]) as u8)
        .collect();
    bytes.try_into().ok().filter(|_| digits.len() == 64)
}
