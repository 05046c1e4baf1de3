//! Subrosa server.
