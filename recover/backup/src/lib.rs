//! Subrosa backup.
