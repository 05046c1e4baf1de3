//! Subrosa web.
