//! The demonstration: one click, invented people, and it says what it is on every page.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use anyhow::Result;
use subrosa_browser_tests::{Browser, PAGE_CHECKS, Prf, Stage, workspace};

async fn open_first_chart(browser: &Browser, url: &str) -> Result<()> {
    browser.open(&format!("{url}/")).await?;
    browser.click("Open the demonstration").await?;
    browser.see("24 patients").await?;
    browser.click_first(".roster a").await?;
    browser.see("Care team").await
}

#[tokio::test]
async fn a_demonstration_opens_with_one_click_and_says_what_it_is() -> Result<()> {
    let Some(stage) = Stage::start_demonstration().await? else { return Ok(()) };
    let browser = stage.browser(Prf::No).await?;
    open_first_chart(&browser, &stage.url).await?;
    browser.see("Everyone here was made up by a program").await?;
    for (width, dark) in [(360, true), (1440, false)] {
        browser.look(width, 900, dark).await?;
        let found = browser.script(PAGE_CHECKS).await?;
        assert_eq!(found, serde_json::json!([]));
        let folder = workspace().join("target/screenshots");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("70-demonstration-{width}.png")), browser.picture().await?)?;
    }
    browser.click("See who has looked").await?;
    browser.see("The record is complete and unchanged").await?;
    browser.close().await
}

/// Writes the picture of the README: `cargo test -p subrosa-browser-tests --test demonstration -- --ignored`.
#[tokio::test]
#[ignore = "writes docs/screenshot.png"]
async fn the_picture_of_the_readme() -> Result<()> {
    let Some(stage) = Stage::start_demonstration().await? else { return Ok(()) };
    let browser = stage.browser(Prf::No).await?;
    browser.look(1280, 800, false).await?;
    open_first_chart(&browser, &stage.url).await?;
    browser.click_first(".timeline .entry").await?;
    browser.see("Signed by").await?;
    browser.script("document.activeElement.blur(); window.scrollTo(0, 0)").await?;
    tokio::time::sleep(std::time::Duration::from_secs(7)).await;
    std::fs::write(workspace().join("docs/screenshot.png"), browser.view().await?)?;
    browser.close().await
}
