//! Every page, at two widths and in both colours: a picture of each under `target/screenshots`, and the checks that a script can make.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use anyhow::Result;
use subrosa_browser_tests::{Browser, PAGE_CHECKS, Prf, Stage, workspace};

const SIZES: [(u32, u32); 2] = [(360, 780), (1440, 900)];

struct Album {
    folder: PathBuf,
    findings: Vec<String>,
}

impl Album {
    fn new() -> Result<Self> {
        let folder = workspace().join("target/screenshots");
        std::fs::create_dir_all(&folder)?;
        Ok(Album { folder, findings: Vec::new() })
    }

    /// Four pictures and the checks at each.
    async fn take(&mut self, browser: &Browser, name: &str) -> Result<()> {
        for (width, height) in SIZES {
            for dark in [false, true] {
                browser.look(width, height, dark).await?;
                let colours = if dark { "dark" } else { "light" };
                std::fs::write(self.folder.join(format!("{name}-{width}-{colours}.png")), browser.picture().await?)?;
                let found = browser.script(PAGE_CHECKS).await?;
                let found = found.as_array().cloned().unwrap_or_default();
                self.findings.extend(found.iter().map(|f| format!("{name} {width} {colours}: {}", f.as_str().unwrap_or_default())));
            }
        }
        browser.look(1440, 900, false).await
    }

    /// As it is printed.
    async fn print(&self, browser: &Browser, name: &str) -> Result<()> {
        browser.look(800, 1100, false).await?;
        browser.paper(true).await?;
        std::fs::write(self.folder.join(format!("{name}-print.png")), browser.picture().await?)?;
        browser.paper(false).await?;
        browser.look(1440, 900, false).await
    }
}

#[tokio::test]
async fn every_page_is_whole_legible_and_named_at_both_widths_in_both_colours() -> Result<()> {
    let Some(stage) = Stage::start().await? else { return Ok(()) };
    let mut album = Album::new()?;
    let browser = stage.browser(Prf::Yes).await?;
    first_meeting(&mut album, &browser, &stage.setup_link).await?;
    for hash in ["patients", "team", "backup", "safety", "settings", "devices", "import"] {
        browser.page(&format!("#/{hash}")).await?;
        settle(&browser).await?;
        album.take(&browser, &format!("20-{hash}-empty")).await?;
    }
    people(&browser).await?;
    browser.page("#/patients").await?;
    browser.see("6 patients").await?;
    album.take(&browser, "30-patients").await?;
    browser.fill("search", "zzzz").await?;
    browser.see("Nobody fits").await?;
    album.take(&browser, "31-patients-nobody").await?;
    browser.page("#/patients/new").await?;
    browser.click("Make the chart").await?;
    album.take(&browser, "32-new-patient-error").await?;
    chart(&mut album, &browser).await?;
    browser.page("#/team/invite").await?;
    album.take(&browser, "50-invite").await?;
    browser.click("Make the link").await?;
    browser.see("It is shown once").await?;
    album.take(&browser, "51-invite-link").await?;
    browser.page("#/devices").await?;
    browser.click("Link a device").await?;
    browser.see("Start the program on the other device").await?;
    album.take(&browser, "52-devices-link").await?;
    browser.page("#/settings").await?;
    browser.click("Keyboard").await?;
    browser.see("Show these keys").await?;
    album.take(&browser, "53-keys").await?;
    browser.escape().await?;
    browser.click("Lock").await?;
    browser.see("Locked").await?;
    album.take(&browser, "60-locked").await?;
    browser.click("Use your member kit").await?;
    album.take(&browser, "61-kit-use").await?;
    browser.close().await?;
    assert!(album.findings.is_empty(), "{} findings:\n{}", album.findings.len(), album.findings.join("\n"));
    Ok(())
}

async fn settle(browser: &Browser) -> Result<()> {
    for _ in 0..40 {
        let busy = browser.script("return document.querySelectorAll('.working').length").await?;
        if busy == serde_json::json!(0) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn first_meeting(album: &mut Album, browser: &Browser, link: &str) -> Result<()> {
    browser.open(link).await?;
    browser.see("Set up your practice").await?;
    album.take(browser, "01-welcome").await?;
    browser.click("Start").await?;
    browser.click("Go on").await?;
    browser.see("Enter your name").await?;
    album.take(browser, "02-name-error").await?;
    browser.fill("name", "Dr Ada Berg").await?;
    browser.click("Go on").await?;
    browser.see("Make your passkey").await?;
    album.take(browser, "03-passkey").await?;
    browser.click("Make a passkey").await?;
    browser.see("Print the kit").await?;
    album.take(browser, "04-practice-kit").await?;
    album.print(browser, "04-practice-kit").await?;
    browser.keep_kit().await?;
    browser.see("Make a second way in").await?;
    album.take(browser, "05-second-way").await?;
    browser.click("Go on").await?;
    browser.see("Print the kit").await?;
    album.take(browser, "06-member-kit").await?;
    browser.keep_kit().await?;
    browser.see("Your practice is ready").await?;
    album.take(browser, "07-done").await?;
    browser.click("Go to patients").await?;
    browser.see("No patients yet").await
}

async fn people(browser: &Browser) -> Result<()> {
    for (given, family, born) in [
        ("Mara", "Example", "1984-05-17"),
        ("Jonas", "Beispiel", "1992-02-08"),
        ("Noor", "Muster", "2003-09-21"),
        ("Tomás", "Ejemplo", "1968-12-01"),
        ("Wilhelmina-Alexandrina", "Langename-Doppelbindestrich van der Überlänge", "1955-06-30"),
        ("Iris", "Sample", ""),
    ] {
        browser.page("#/patients/new").await?;
        browser.fill("given", given).await?;
        browser.fill("family", family).await?;
        browser.set_date("born", born).await?;
        browser.fill("phone", "555-0100").await?;
        browser.click("Make the chart").await?;
        browser.see("Nothing in this chart yet").await?;
        browser.no_longer_see("Make the chart").await?;
    }
    Ok(())
}

async fn chart(album: &mut Album, browser: &Browser) -> Result<()> {
    browser.page("#/patients").await?;
    browser.click("Sample, Iris").await?;
    browser.see("Nothing in this chart yet").await?;
    album.take(browser, "40-chart-empty").await?;
    browser.page("#/patients").await?;
    browser.click("Example, Mara").await?;
    for (title, text) in [
        ("Intake", "Referred by her GP for low mood and poor sleep since March. No current thoughts of self-harm; names her sister as the first person to call."),
        ("Session note", "D: Slept through for the first time since March. Went to the choir twice.\n\nA: Mood lifting; activation plan carried out as agreed.\n\nP: Keep the plan. PHQ-9 at the next session."),
    ] {
        browser.see("Mara Example").await?;
        browser.write_note(title, text).await?;
    }
    album.take(browser, "41-chart").await?;
    browser.click("Session note").await?;
    browser.see("activation plan").await?;
    album.take(browser, "42-chart-open").await?;
    album.print(browser, "42-chart-open").await?;
    browser.click("Amend").await?;
    browser.see("Earlier versions stay").await?;
    album.take(browser, "43-amend").await?;
    browser.fill("note", "D: Slept through for the first time since March. Went to the choir three times.\n\nA: Mood lifting.\n\nP: Keep the plan.").await?;
    browser.click("Sign the note").await?;
    browser.see("2 versions").await?;
    browser.click("Session note").await?;
    browser.see("Version 1").await?;
    album.take(browser, "44-versions").await?;
    browser.click("Psychotherapy").await?;
    browser.see("You have no separate notes").await?;
    album.take(browser, "45-psychotherapy").await?;
    browser.click("Write a note").await?;
    browser.see("Only you can open it. Not here").await?;
    browser.click("Sign the note").await?;
    album.take(browser, "46-writer-error").await?;
    browser.click("Finish later").await?;
    browser.click("See who has looked").await?;
    browser.see("The record is complete and unchanged").await?;
    album.take(browser, "47-looked").await
}
