//! Subrosa store.
