//! Which parts of a secret are searched for.

/// Long enough that nobody else's bytes are taken for it, short enough to survive most interruptions.
const LENGTH: usize = 24;

/// Evenly spread over a long secret; whoever finds none of them has less than a fifth of it in one piece.
const COUNT: usize = 8;

/// Below this a hit could be chance.
pub(super) const MIN_SECRET: usize = 12;

/// The pieces of a secret: all of a short one, some of a long one, always its beginning and its end.
pub(super) fn pieces(secret: &[u8]) -> Vec<&[u8]> {
    if secret.len() <= LENGTH {
        return vec![secret];
    }
    let last = secret.len() - LENGTH;
    let count = COUNT.min(last.div_ceil(LENGTH) + 1);
    (0..count)
        .map(|i| i * last / (count - 1))
        .map(|start| &secret[start..start + LENGTH])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_secret_is_one_piece() {
        assert_eq!(pieces(b"0123456789abcdef"), [b"0123456789abcdef"]);
    }

    #[test]
    fn a_long_secret_is_covered_from_end_to_end() {
        let secret: Vec<u8> = (0..=255).cycle().take(1200).collect();
        let pieces = pieces(&secret);
        assert_eq!(pieces.len(), COUNT);
        assert!(secret.starts_with(pieces[0]));
        assert!(secret.ends_with(pieces[COUNT - 1]));
    }

    #[test]
    fn one_byte_more_makes_two_overlapping_pieces() {
        assert_eq!(pieces(&[7; LENGTH + 1]).len(), 2);
    }
}
