//! Subrosa keeper.
