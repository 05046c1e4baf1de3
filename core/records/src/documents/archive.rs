use crate::{Limits, RecordsError};
use std::io::{Cursor, Read as _};

/// Member signatures beyond which the directory itself would fill the memory.
const MOST_SIGNATURES: usize = 1_000_000;
/// Below this, a member may unpack by any ratio.
const SMALL: u64 = 1 << 20;

/// What came of one member of an archive.
pub(crate) enum Member {
    /// Its path as written, and its bytes.
    File(String, Vec<u8>),
    /// Why it was not taken: code and reason.
    Refused(&'static str, &'static str),
}

/// Reads an archive member by member, in memory; nothing is written anywhere. Calls `take` with the number of the member, from 1.
pub(crate) fn unpack(
    bytes: &[u8],
    limits: &Limits,
    mut take: impl FnMut(usize, Member) -> Result<(), RecordsError>,
) -> Result<(), RecordsError> {
    limits.check_file(bytes)?;
    if memchr::memmem::find_iter(bytes, b"PK\x01\x02")
        .take(MOST_SIGNATURES + 1)
        .count()
        > MOST_SIGNATURES
    {
        return Err(RecordsError::TooMany {
            limit: limits.zip_entries,
        });
    }
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| RecordsError::Zip)?;
    if archive.len() > limits.zip_entries {
        return Err(RecordsError::TooMany {
            limit: limits.zip_entries,
        });
    }
    let mut total = 0u64;
    for index in 0..archive.len() {
        let member = read_member(&mut archive, index, limits, &mut total)?;
        if let Some(member) = member {
            take(index + 1, member)?;
        }
    }
    Ok(())
}

fn read_member(
    archive: &mut zip::ZipArchive<Cursor<&[u8]>>,
    index: usize,
    limits: &Limits,
    total: &mut u64,
) -> Result<Option<Member>, RecordsError> {
    let refused = |code, reason| Ok(Some(Member::Refused(code, reason)));
    let mut file = match archive.by_index(index) {
        Ok(file) => file,
        Err(zip::result::ZipError::UnsupportedArchive(_)) => {
            return refused(
                "zip-unsupported",
                "this member is encrypted or packed in a way that is not read; pack it again without a password",
            );
        }
        Err(_) => return refused("zip-member-damaged", "this member is damaged"),
    };
    if file.is_dir() {
        return Ok(None);
    }
    if file.is_symlink() {
        return refused("zip-link", "this member is a link, not a file");
    }
    // Never trust the declared size: the bound holds on what really comes out.
    let packed = file.compressed_size().max(1);
    let most = (limits.item_bytes as u64)
        .min(limits.zip_ratio.saturating_mul(packed).max(SMALL))
        .min(limits.zip_total.saturating_sub(*total));
    let mut content = Vec::new();
    let read = (&mut file).take(most + 1).read_to_end(&mut content);
    *total += content.len() as u64;
    if *total > limits.zip_total {
        return Err(RecordsError::ZipBomb);
    }
    if content.len() as u64 > most {
        if content.len() > limits.item_bytes {
            return refused(
                "document-too-large",
                "this member is larger than one entry may be",
            );
        }
        return Err(RecordsError::ZipBomb);
    }
    if read.is_err() {
        return refused("zip-member-damaged", "this member is damaged");
    }
    Ok(Some(Member::File(file.name().to_owned(), content)))
}
