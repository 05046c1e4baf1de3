//! Drives the real server and the real browser app in a headless Chromium, with virtual passkeys.
//!
//! A test asks for a [`Stage`]: a server of its own on a free port with an empty data directory, and a chromedriver. [`Stage::browser`] opens a
//! browser with an authenticator that has the PRF extension or not. Without Chromium and chromedriver a test prints one line that begins with
//! `skipped:` and passes.
//!
//! What this crate never does: reach into the app. It sees what a person sees, and types and clicks what a person would.
//!
//! Sources: W3C WebDriver; W3C Web Authentication Level 3, section 11 (virtual authenticators); Chrome DevTools Protocol for sizes, colours
//! and whole-page pictures.
//!
//! ```no_run
//! # async fn f() -> anyhow::Result<()> {
//! use subrosa_browser_tests::{Prf, Stage};
//! let Some(stage) = Stage::start().await? else { return Ok(()) };
//! let browser = stage.browser(Prf::Yes).await?;
//! browser.open(&stage.setup_link).await?;
//! browser.see("Set up your practice").await?;
//! # Ok(()) }
//! ```

mod browser;
mod checks;
mod flows;
mod stage;
mod wire;

pub use browser::{Browser, Prf};
pub use checks::{Finding, PAGE_CHECKS};
pub use stage::{Stage, workspace};
