use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;
use std::marker::PhantomData;

/// What a list longer than its bound says; told apart from other errors by this text.
pub(crate) const TOO_MANY: &str = "too many elements";

/// Values in one resource beyond which it is not parsed into a tree (each costs some 32 bytes).
const MOST_VALUES: usize = 2_000_000;

/// A JSON list of at most `N` elements: the bound holds while the list is being read.
pub(crate) struct Bounded<T, const N: usize>(pub Vec<T>);

impl<T, const N: usize> Default for Bounded<T, N> {
    fn default() -> Self {
        Bounded(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const N: usize> Deserialize<'de> for Bounded<T, N> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reading<T, const N: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const N: usize> Visitor<'de> for Reading<T, N> {
            type Value = Bounded<T, N>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(element) = seq.next_element()? {
                    if list.len() >= N {
                        return Err(A::Error::custom(TOO_MANY));
                    }
                    list.push(element);
                }
                Ok(Bounded(list))
            }
        }
        d.deserialize_seq(Reading(PhantomData))
    }
}

/// A resource as a tree, unless it is no JSON, too deep, or made of more values than any real one.
pub(crate) fn tree(json: &[u8]) -> Option<Value> {
    let commas = memchr::memchr_iter(b',', json)
        .take(MOST_VALUES + 1)
        .count();
    if commas > MOST_VALUES {
        return None;
    }
    serde_json::from_slice(json).ok()
}
