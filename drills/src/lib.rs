//! Subrosa drills.
