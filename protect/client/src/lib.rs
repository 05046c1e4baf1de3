//! Subrosa client.
