//! The one source of randomness: the operating system's, or the browser's `crypto.getRandomValues`.

/// Draws `N` random bytes.
///
/// # Panics
/// When the system has no randomness to give. There is nothing safe to do without it, so this is the one place that stops the program.
#[allow(clippy::expect_used, reason = "going on without randomness would make keys that can be guessed")]
pub fn make_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes).expect("the system's random number generator failed");
    bytes
}

/// The same source as a generator, for crates that ask for one.
pub(crate) struct SystemRandom;

impl rand_core::TryRng for SystemRandom {
    type Error = core::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(u32::from_le_bytes(make_bytes()))
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(u64::from_le_bytes(make_bytes()))
    }
    #[allow(clippy::expect_used, reason = "as in make_bytes")]
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Self::Error> {
        getrandom::fill(dest).expect("the system's random number generator failed");
        Ok(())
    }
}
impl rand_core::TryCryptoRng for SystemRandom {}
