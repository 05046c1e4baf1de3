//! Subrosa protocol.
