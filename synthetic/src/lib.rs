//! Subrosa synthetic.
