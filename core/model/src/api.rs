//! The messages of the HTTP API, version 1.
