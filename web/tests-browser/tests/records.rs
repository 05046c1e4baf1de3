//! Real test records, dropped into the browser: FHIR bundles are read, sealed and found again in a chart.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use anyhow::Result;
use subrosa_browser_tests::{Browser, PAGE_CHECKS, Prf, Stage, workspace};

fn corpora() -> Option<PathBuf> {
    let given = std::env::var_os("SUBROSA_CORPORA").map(PathBuf::from);
    let folder = given.unwrap_or_else(|| workspace().join("../shared/corpora"));
    if !folder.join("fhir-synthea-r4").is_dir() {
        println!("skipped: no test records (set SUBROSA_CORPORA)");
        return None;
    }
    Some(folder)
}

/// The smallest bundles of a folder.
fn smallest(folder: &PathBuf, count: usize) -> Vec<PathBuf> {
    let mut files: Vec<(u64, PathBuf)> = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|e| (e.metadata().unwrap().len(), e.path()))
        .filter(|(_, p)| p.extension().is_some_and(|e| e == "json"))
        .filter(|(_, p)| !p.to_string_lossy().contains("Information"))
        .collect();
    files.sort();
    files.into_iter().take(count).map(|(_, p)| p).collect()
}

async fn keep_picture(browser: &Browser, name: &str) -> Result<()> {
    let folder = workspace().join("target/screenshots");
    std::fs::create_dir_all(&folder)?;
    for (width, dark) in [(360, false), (1440, false)] {
        browser.look(width, 900, dark).await?;
        std::fs::write(folder.join(format!("{name}-{width}.png")), browser.picture().await?)?;
        let found = browser.script(PAGE_CHECKS).await?;
        assert_eq!(found, serde_json::json!([]), "{name} at {width}");
    }
    Ok(())
}

#[tokio::test]
async fn fhir_bundles_are_brought_in_and_read_in_the_chart() -> Result<()> {
    let Some(corpora) = corpora() else { return Ok(()) };
    let Some(stage) = Stage::start().await? else { return Ok(()) };
    let browser = stage.browser(Prf::Yes).await?;
    browser.set_up(&stage.setup_link, "Dr Ada Berg").await?;
    browser.page("#/import").await?;
    let files = smallest(&corpora.join("fhir-synthea-r4"), 2);
    browser.choose_files("files", &files).await?;
    browser.see("2 patients").await?;
    keep_picture(&browser, "80-import-found").await?;
    browser.click("Bring in 2 patients").await?;
    browser.see_within("The records are in", 240).await?;
    keep_picture(&browser, "81-import-done").await?;
    browser.click("Go to patients").await?;
    let name = files[0].file_name().unwrap().to_string_lossy().into_owned();
    browser.click(name.split('_').nth(1).unwrap()).await?;
    browser.see("Care team").await?;
    browser.click("Measures").await?;
    browser.click_first(".timeline .entry").await?;
    browser.see("Brought in and signed by Dr Ada Berg").await?;
    keep_picture(&browser, "82-chart-fhir").await?;

    // The same files again are recognised, and nothing is doubled.
    browser.page("#/import").await?;
    browser.choose_files("files", &files).await?;
    browser.click("Bring in 2 patients").await?;
    browser.see_within("The records are in", 240).await?;
    browser.see("0 new charts").await?;
    browser.see("0 entries written").await?;
    browser.close().await
}
