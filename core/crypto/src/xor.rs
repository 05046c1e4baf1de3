//! Custody halves: a key as two halves whose XOR it is. One half alone is uniformly random and tells nothing.

use crate::{CryptoError, HalfKey, Key, random};
use subrosa_model::KeyId;
use zeroize::Zeroizing;

fn xor(a: &[u8; 32], b: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(core::array::from_fn(|i| a[i] ^ b[i]))
}

/// Splits a key into two halves, new at every call. Seal each to its own group of officers ([`crate::seal_key_to`]).
pub fn split<P>(key: &Key<P>) -> (HalfKey, HalfKey) {
    let first = HalfKey::from_bytes(random::make_bytes());
    let second = HalfKey::from_bytes(*xor(key.expose(), first.expose()));
    (first, second)
}

/// Joins two halves, in either order, and checks that they give the key that was named.
///
/// # Errors
/// `WrongKeyInside` when the halves do not belong together or to that key.
pub fn join<P>(a: &HalfKey, b: &HalfKey, expect: &KeyId) -> Result<Key<P>, CryptoError> {
    let key = Key::from_bytes(*xor(a.expose(), b.expose()));
    if key.id() == *expect { Ok(key) } else { Err(CryptoError::WrongKeyInside) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CompartmentKey, purpose};

    #[test]
    fn two_halves_of_one_split_give_the_key_and_no_others_do() {
        let key = CompartmentKey::make();
        let ((a, b), (c, _)) = (split(&key), split(&key));
        assert_eq!(join::<purpose::Compartment>(&a, &b, &key.id()).unwrap().expose(), key.expose());
        assert_eq!(join::<purpose::Compartment>(&b, &a, &key.id()).unwrap().expose(), key.expose());
        assert_eq!(join::<purpose::Compartment>(&c, &b, &key.id()).err(), Some(CryptoError::WrongKeyInside));
        assert_eq!(join::<purpose::Compartment>(&a, &a, &key.id()).err(), Some(CryptoError::WrongKeyInside));
    }
}
