use crate::CryptoError;

/// Smallest padded length of an entry's envelope.
pub const ENVELOPE_FLOOR: usize = 4096;
/// Step to which drafts are padded.
pub const DRAFT_STEP: usize = 16 * 1024;

const PREFIX: usize = 8;

/// Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PoPETs 2019, algorithm 1): the length up to
/// which to pad. It leaks O(log log n) bits and adds at most 12 %.
pub fn padme(len: usize) -> usize {
    if len < 2 {
        return len;
    }
    let e = usize::BITS - 1 - len.leading_zeros();
    let s = u32::BITS - e.leading_zeros();
    let mask = (1usize << e.saturating_sub(s)) - 1;
    len.saturating_add(mask) & !mask
}

/// Pads with zeros to Padmé's length of at least `floor` bytes (4096 for entries): length as u64 little endian, the bytes, zeros.
pub fn pad(plain: &[u8], floor: usize) -> Vec<u8> {
    fill(plain, padme(floor.max(PREFIX + plain.len())))
}

/// Pads with zeros to the next multiple of `step` bytes (drafts: 16 KiB). Same form, opened by [`unpad`].
pub fn pad_to_step(plain: &[u8], step: usize) -> Vec<u8> {
    fill(plain, (PREFIX + plain.len()).next_multiple_of(step.max(1)))
}

fn fill(plain: &[u8], total: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(total + 16);
    out.extend_from_slice(&(plain.len() as u64).to_le_bytes());
    out.extend_from_slice(plain);
    out.resize(total.max(out.len()), 0);
    out
}

/// The bytes inside the padding.
///
/// # Errors
/// `Padding` when the length does not fit or something other than zeros follows.
pub fn unpad(padded: &[u8]) -> Result<&[u8], CryptoError> {
    let (prefix, rest) = padded.split_first_chunk::<PREFIX>().ok_or(CryptoError::Padding)?;
    let len = usize::try_from(u64::from_le_bytes(*prefix)).map_err(|_| CryptoError::Padding)?;
    let (plain, zeros) = rest.split_at_checked(len).ok_or(CryptoError::Padding)?;
    if zeros.iter().any(|b| *b != 0) {
        return Err(CryptoError::Padding);
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padme_matches_the_paper_and_adds_at_most_twelve_percent() {
        assert_eq!([0, 1, 2, 8, 9, 10, 100, 1000, 4096, 4097].map(padme), [0, 1, 2, 8, 10, 10, 104, 1024, 4096, 4352]);
        for len in 2..200_000usize {
            let padded = padme(len);
            assert!(padded >= len && padded - len <= len * 12 / 100 + 1, "{len} -> {padded}");
            assert_eq!(padme(padded), padded);
        }
    }

    #[test]
    fn short_notes_all_look_alike() {
        let lengths: std::collections::BTreeSet<usize> = (0..4000).map(|n| pad(&vec![1; n], ENVELOPE_FLOOR).len()).collect();
        assert_eq!(lengths.len(), 1);
        assert_eq!(pad_to_step(&[1; 100], DRAFT_STEP).len(), DRAFT_STEP);
        assert_eq!(pad_to_step(&[1; DRAFT_STEP], DRAFT_STEP).len(), 2 * DRAFT_STEP);
    }

    #[test]
    fn damaged_padding_is_refused() {
        let good = pad(b"note", 64);
        assert_eq!(unpad(&good), Ok(&b"note"[..]));
        let mut tail = good.clone();
        tail[63] = 1;
        assert_eq!(unpad(&tail), Err(CryptoError::Padding));
        let mut long = good.clone();
        long[7] = 0xff;
        assert_eq!(unpad(&long), Err(CryptoError::Padding));
        assert_eq!(unpad(&good[..7]), Err(CryptoError::Padding));
        assert_eq!(unpad(&[]), Err(CryptoError::Padding));
    }
}
