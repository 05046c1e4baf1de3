use super::{TileError, WIDTH};

/// The longest entry that a bundle can hold, in bytes.
pub const MAX_ENTRY: usize = u16::MAX as usize;

/// The content of an entry bundle: each entry with its length before it, 16 bits big-endian.
///
/// # Errors
/// [`TileError::EntryTooLarge`] for an entry above [`MAX_ENTRY`] or more than 256 entries; [`TileError::Length`] for none at all.
pub fn write_bundle<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, TileError> {
    if entries.is_empty() {
        return Err(TileError::Length);
    }
    if entries.len() as u64 > WIDTH {
        return Err(TileError::EntryTooLarge);
    }
    let mut content = Vec::new();
    for entry in entries.iter().map(AsRef::as_ref) {
        let length = u16::try_from(entry.len()).map_err(|_| TileError::EntryTooLarge)?;
        content.extend_from_slice(&length.to_be_bytes());
        content.extend_from_slice(entry);
    }
    Ok(content)
}

/// The entries of a bundle of `width` entries, borrowed from its content. Each must still be hashed and proven like any leaf.
///
/// # Errors
/// [`TileError::Length`] unless the content is exactly `width` entries.
pub fn parse_bundle(content: &[u8], width: u16) -> Result<Vec<&[u8]>, TileError> {
    let (mut rest, mut entries) = (content, Vec::new());
    for _ in 0..width {
        let (length, after) = rest.split_first_chunk::<2>().ok_or(TileError::Length)?;
        let (entry, after) = after
            .split_at_checked(usize::from(u16::from_be_bytes(*length)))
            .ok_or(TileError::Length)?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() && width > 0 {
        Ok(entries)
    } else {
        Err(TileError::Length)
    }
}
