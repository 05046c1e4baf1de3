//! Searches the memory of a running process through `/proc/PID/mem` (Linux).

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};

use super::{Findings, SearchError, Searcher};

const PIECE: usize = 32 << 20;
const SHARED: usize = 1 << 20;

/// How much of a process could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryRead {
    /// Bytes read.
    pub read: u64,
    /// Bytes of mappings that the kernel did not give (device memory, guard pages).
    pub refused: u64,
}

impl Searcher {
    /// Searches every readable mapping of a process, its arguments and its environment. Reads no more than is resident: holes read as an error and are counted.
    ///
    /// # Errors
    /// [`SearchError::NotPermitted`] when the kernel does not let this user read it.
    pub fn search_memory(&self, place: &str, pid: u32, findings: &mut Findings) -> Result<MemoryRead, SearchError> {
        let refused = || SearchError::NotPermitted(pid);
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).map_err(|_| refused())?;
        let mut memory = File::open(format!("/proc/{pid}/mem")).map_err(|_| refused())?;
        let mut done = MemoryRead::default();
        let mut buffer = vec![0u8; PIECE];
        for line in maps.lines() {
            let Some((from, to)) = readable(line) else { continue };
            let mut at = from;
            while at < to {
                let want = usize::try_from(to - at).unwrap_or(PIECE).min(PIECE);
                let got = read_some(&mut memory, &mut buffer[..want], at);
                if got == 0 {
                    done.refused += to - at;
                    break;
                }
                done.read += got as u64;
                self.search(place, &buffer[..got], findings);
                at += got as u64;
                if at < to && got > SHARED {
                    at -= SHARED as u64;
                    done.read -= SHARED as u64;
                    findings.searched_bytes -= SHARED as u64;
                }
            }
        }
        if done.read == 0 {
            return Err(refused());
        }
        for name in ["cmdline", "environ"] {
            self.search(place, &fs::read(format!("/proc/{pid}/{name}")).map_err(|_| refused())?, findings);
        }
        Ok(done)
    }
}

fn read_some(memory: &mut File, buffer: &mut [u8], at: u64) -> usize {
    let mut got = 0;
    if memory.seek(SeekFrom::Start(at)).is_err() {
        return 0;
    }
    while got < buffer.len() {
        match memory.read(&mut buffer[got..]) {
            Ok(n) if n > 0 => got += n,
            _ => break,
        }
    }
    got
}

fn readable(line: &str) -> Option<(u64, u64)> {
    let mut fields = line.split_whitespace();
    let (from, to) = fields.next()?.split_once('-')?;
    let rights = fields.next()?;
    let name = fields.nth(3).unwrap_or("");
    if !rights.starts_with('r') || matches!(name, "[vvar]" | "[vsyscall]" | "[vvar_vclock]") {
        return None;
    }
    Some((u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?))
}
