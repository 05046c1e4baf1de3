//! A headless Chromium and its driver for the browser tests.

use crate::system;
use anyhow::{Context, Result};
use std::path::PathBuf;

/// Where the two programs are; the tests start them themselves.
pub struct Chromium {
    /// For `SUBROSA_TEST_CHROMIUM`.
    pub browser: PathBuf,
    /// For `SUBROSA_TEST_CHROMEDRIVER`.
    pub driver: PathBuf,
}

impl Chromium {
    /// Finds both, installing them where that is allowed. The error says why there are none.
    pub fn find() -> Result<Self> {
        if let Some(found) = Self::present() {
            return Ok(found);
        }
        system::apt_install(&["chromium", "chromium-driver"])?;
        Self::present().context("chromium and chromium-driver are installed but not on the PATH")
    }

    fn present() -> Option<Self> {
        let browser = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(system::find_on_path)?;
        let driver = system::find_on_path("chromedriver")?;
        Some(Self { browser, driver })
    }
}
