//! Subrosa ledger.
