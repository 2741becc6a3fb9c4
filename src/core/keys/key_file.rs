//! The text form of a master key: what a key file holds and what a key command prints.

use super::MasterKey;
use crate::envelope::KEY_LEN;
use crate::secret::{SecretString, wipe_slice};
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::fmt;
use zeroize::Zeroizing;

/// Longest key file in bytes; readers stop there.
pub const MAX_KEY_FILE: usize = 4096;

const HEX_DIGITS: usize = KEY_LEN * 2;
/// Base64 of 32 bytes, without and with padding.
const BASE64_DIGITS: [usize; 2] = [43, 44];

const LENIENT_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const EITHER_PADDING: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT_PADDING);
const EITHER_PADDING_URL: GeneralPurpose =
    GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT_PADDING);

/// What is wrong with a key file; never what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFileError {
    /// Nothing, or only a line end.
    Empty,
    /// Longer than [`MAX_KEY_FILE`].
    TooLarge,
    /// A line end before the end.
    MoreThanOneLine,
    /// Neither hexadecimal nor base64.
    NotHexOrBase64,
    /// Decodes to another number of bytes than 32.
    WrongLength {
        /// How many bytes were found.
        found: usize,
    },
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("master key is empty"),
            Self::TooLarge => write!(f, "master key file is longer than {MAX_KEY_FILE} bytes"),
            Self::MoreThanOneLine => f.write_str("master key has more than one line"),
            Self::NotHexOrBase64 => f.write_str("master key is neither hexadecimal nor base64"),
            Self::WrongLength { found } => {
                write!(f, "master key has {found} bytes instead of {KEY_LEN}")
            }
        }
    }
}

impl std::error::Error for KeyFileError {}

/// Reads a master key: 64 hexadecimal digits or the base64 of 32 bytes (either alphabet, with or without padding), on
/// one line with or without a line end.
pub fn parse_key_file(contents: &[u8]) -> Result<MasterKey, KeyFileError> {
    if contents.len() > MAX_KEY_FILE {
        return Err(KeyFileError::TooLarge);
    }
    let line = contents.strip_suffix(b"\n").unwrap_or(contents);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(KeyFileError::Empty);
    }
    if line.contains(&b'\n') {
        return Err(KeyFileError::MoreThanOneLine);
    }
    let decoded = decode(line)?;
    let mut bytes: [u8; KEY_LEN] =
        decoded
            .as_slice()
            .try_into()
            .map_err(|_| KeyFileError::WrongLength {
                found: decoded.len(),
            })?;
    let key = MasterKey::from_bytes(bytes);
    wipe_slice(&mut bytes);
    Ok(key)
}

/// What `create_master_key` writes: base64 and a line end.
pub fn format_key_file(key: &MasterKey) -> SecretString {
    let mut text = String::with_capacity(BASE64_DIGITS[1] + 1);
    STANDARD.encode_string(key.bytes(), &mut text);
    text.push('\n');
    SecretString::new(text)
}

fn decode(line: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    // 64 hexadecimal digits are base64 too, of 48 bytes; so hexadecimal goes first, except at base64's own length.
    let looks_hex = line.iter().all(u8::is_ascii_hexdigit) && !BASE64_DIGITS.contains(&line.len());
    if looks_hex || line.len() == HEX_DIGITS {
        return hex::decode(line)
            .map(Zeroizing::new)
            .map_err(|_| KeyFileError::NotHexOrBase64);
    }
    let url_alphabet = line.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = if url_alphabet {
        EITHER_PADDING_URL
    } else {
        EITHER_PADDING
    };
    engine
        .decode(line)
        .map(Zeroizing::new)
        .map_err(|_| KeyFileError::NotHexOrBase64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes whose base64 differs between the two alphabets.
    const KEY: [u8; KEY_LEN] = [0xfb; KEY_LEN];
    const BASE64: &str = "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=";

    #[test]
    fn every_documented_form_is_read() {
        let hex = "fb".repeat(KEY_LEN);
        let unpadded = BASE64.trim_end_matches('=');
        let url = BASE64.replace('+', "-").replace('/', "_");
        let forms = [
            hex.clone(),
            hex.to_uppercase() + "\n",
            BASE64.to_string(),
            format!("{BASE64}\n"),
            format!("{unpadded}\r\n"),
            url.clone(),
            url.trim_end_matches('=').to_string(),
        ];
        for form in forms {
            let key =
                parse_key_file(form.as_bytes()).unwrap_or_else(|error| panic!("{form}: {error}"));
            assert_eq!(*key.bytes(), KEY, "{form}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let text = format_key_file(&MasterKey::from_bytes(KEY));
        assert_eq!(text.expose(), format!("{BASE64}\n"));
        assert_eq!(
            *parse_key_file(text.expose().as_bytes()).unwrap().bytes(),
            KEY
        );
    }

    #[test]
    fn faults_are_named_without_content() {
        let cases: [(&[u8], KeyFileError); 11] = [
            (b"", KeyFileError::Empty),
            (b"\n", KeyFileError::Empty),
            (b"\r\n", KeyFileError::Empty),
            (&[b'a'; MAX_KEY_FILE + 1], KeyFileError::TooLarge),
            (b"abcd\nabcd\n", KeyFileError::MoreThanOneLine),
            (
                b"correct horse battery staple",
                KeyFileError::NotHexOrBase64,
            ),
            (&[0xff; 32], KeyFileError::NotHexOrBase64),
            (b"abc", KeyFileError::NotHexOrBase64),
            (b"abcd", KeyFileError::WrongLength { found: 2 }),
            (&[b'a'; 62], KeyFileError::WrongLength { found: 31 }),
            (b"+/v7+/v7", KeyFileError::WrongLength { found: 6 }),
        ];
        for (contents, expected) in cases {
            assert_eq!(parse_key_file(contents).unwrap_err(), expected);
        }
    }

    #[test]
    fn messages_are_in_the_server_s_accent() {
        assert_eq!(
            KeyFileError::WrongLength { found: 31 }.to_string(),
            "master key has 31 bytes instead of 32"
        );
    }
}
