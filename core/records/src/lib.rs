//! Subrosa records.
