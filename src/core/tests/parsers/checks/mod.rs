//! What holds for every input of a parser, whoever made it. The fuzz targets in `fuzz/`, the property tests and the
//! replay of the committed seeds all call these functions; each panics where a promise is broken.
//!
//! "Does not panic" is the least of it: what is accepted is decided here a second time, by readers written from the
//! documentation of the formats and for plainness only, and what is accepted is written back.

pub mod armour;
pub mod envelope;
pub mod key_file;
pub mod statement;

/// What became of an input. A seed's file name begins with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// The parser refused it.
    Refused,
    /// The parser accepted it.
    Accepted,
    /// An envelope that opened: sealed under the key of the released vectors, in one of their contexts.
    Opened,
}

/// The last two digits of the base64 alphabets.
const STANDARD: [u8; 2] = *b"+/";
const URL_SAFE: [u8; 2] = *b"-_";

/// The bytes that base64 without padding stands for; `None` where a digit is no digit or a bit is left over.
fn unpadded_base64(digits: &[u8], last_two: [u8; 2]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for digit in digits {
        held = held << 6 | digit_value(*digit, last_two)?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    // A digit by itself leaves six bits, which no writer makes even if they are zero.
    (held == 0 && bits < 6).then_some(bytes)
}

fn digit_value(digit: u8, last_two: [u8; 2]) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        _ if digit == last_two[0] => 62,
        _ if digit == last_two[1] => 63,
        _ => return None,
    };
    Some(value.into())
}
