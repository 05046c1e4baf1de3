//! Subrosa crypto.
