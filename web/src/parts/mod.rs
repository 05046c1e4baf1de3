//! What pages are made of: fields, notices, dialogs, icons, words that are shown and typed back.

mod dialog;
mod field;
mod icon;
mod kit;
mod notice;
mod words;

pub use dialog::Dialog;
pub use field::{Choice, Pick, TextArea, TextField};
pub use icon::{Icon, Mark};
pub use kit::{KitPaper, TypeBack};
pub use notice::{Empty, Head, Notice, ProblemNote, Working};
pub use words::{CopyField, Qr, SixWords, WordList};
