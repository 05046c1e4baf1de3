//! What people do, from the first start to who has looked, in a real browser against the real server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use anyhow::Result;
use serde_json::Value;
use subrosa_browser_tests::{Prf, Stage};

#[tokio::test]
async fn a_newcomer_founds_a_practice_writes_a_note_signs_in_again_reads_it_and_sees_who_has_looked() -> Result<()> {
    let Some(stage) = Stage::start().await? else { return Ok(()) };
    let browser = stage.browser(Prf::Yes).await?;
    browser.set_up(&stage.setup_link, "Dr Ada Berg").await?;
    browser.new_patient("Mara", "Example", "1984-05-17").await?;
    browser.write_note("First session", "She slept through the night for the first time since March.").await?;

    // A new tab knows nothing: the note comes back from the server and is opened here.
    browser.reload().await?;
    browser.see("Good to see you").await?;
    browser.sign_in().await?;
    browser.see("1 patient").await?;
    browser.fill("search", "exmaple mara").await?;
    browser.click("Example, Mara").await?;
    browser.see("First session").await?;
    browser.click("First session").await?;
    browser.see("slept through the night").await?;
    browser.see("Signed by Dr Ada Berg").await?;

    browser.click("See who has looked").await?;
    browser.see("The record is complete and unchanged").await?;
    for words in ["made the chart", "wrote", "opened the chart", "looked at this list", "Dr Ada Berg"] {
        browser.see(words).await?;
    }
    let log = browser.log().await?;
    assert!(!log.contains("Content Security Policy") && !log.contains("TrustedHTML"), "{log}");
    let foreign = browser
        .script("return performance.getEntriesByType('resource').map((e) => e.name).filter((n) => !n.startsWith(location.origin))")
        .await?;
    assert_eq!(foreign, Value::Array(vec![]), "a page asked somebody else");
    browser.close().await
}

#[tokio::test]
async fn an_amended_note_keeps_its_versions_and_a_draft_survives_locking() -> Result<()> {
    let Some(stage) = Stage::start().await? else { return Ok(()) };
    let browser = stage.browser(Prf::Yes).await?;
    browser.set_up(&stage.setup_link, "Dr Ada Berg").await?;
    browser.new_patient("Noor", "Sample", "1990-01-02").await?;
    browser.write_note("Session note", "Version the first.").await?;
    browser.click("Session note").await?;
    browser.click("Amend").await?;
    browser.see("Earlier versions stay").await?;
    browser.fill("note", "Version the second.").await?;
    browser.click("Sign the note").await?;
    browser.see("2 versions").await?;
    browser.click("Session note").await?;
    browser.see("Version the second.").await?;
    browser.see("Version 1").await?;

    browser.click("Write a note").await?;
    browser.fill("note", "Half a thought about the").await?;
    browser.click("Lock").await?;
    browser.see("Locked").await?;
    let hidden = browser.text().await?;
    assert!(!hidden.contains("Half a thought") && !hidden.contains("Sample"));
    browser.click("Unlock").await?;
    browser.see("Your draft from before is back").await?;
    let text = browser.script("return document.getElementById('note').value").await?;
    assert_eq!(text.as_str(), Some("Half a thought about the"));
    browser.close().await
}

#[tokio::test]
async fn psychotherapy_notes_stand_apart_and_are_released_only_when_asked_for() -> Result<()> {
    let Some(stage) = Stage::start().await? else { return Ok(()) };
    let browser = stage.browser(Prf::Yes).await?;
    browser.set_up(&stage.setup_link, "Dr Ada Berg").await?;
    browser.new_patient("Iris", "Muster", "1971-11-30").await?;
    browser.click("Psychotherapy").await?;
    browser.see("You have no separate notes on this patient.").await?;
    browser.click("Write a note").await?;
    browser.see("Only you can open it. Not here: session times").await?;
    browser.fill("title", "About the dream").await?;
    browser.fill("note", "The house by the river again.").await?;
    browser.click("Sign the note").await?;
    browser.see("Care team").await?;
    assert!(!browser.text().await?.contains("About the dream"), "separate notes are not in the list of all");
    browser.click("Psychotherapy").await?;
    browser.see("About the dream").await?;
    browser.close().await
}

#[tokio::test]
async fn a_passkey_without_prf_is_followed_by_seven_words() -> Result<()> {
    let Some(stage) = Stage::start().await? else { return Ok(()) };
    let browser = stage.browser(Prf::No).await?;
    browser.found(&stage.setup_link, "Dr Ben Odo").await?;
    browser.see("Your seven words").await?;
    let seven = browser.words(".words").await?;
    assert_eq!(seven.split_whitespace().count(), 7, "{seven}");
    browser.type_back(&seven).await?;
    browser.keep_kit().await?;
    browser.click("Go on").await?;
    browser.keep_kit().await?;
    browser.click("Go to patients").await?;
    browser.new_patient("Lea", "Beispiel", "2001-07-09").await?;

    browser.reload().await?;
    browser.sign_in().await?;
    browser.see("Your passkey was right").await?;
    browser.fill("seven", "abandon abandon abandon abandon abandon abandon abandon").await?;
    browser.click("Unlock").await?;
    browser.see("not the words that belong to this passkey").await?;
    browser.fill("seven", "one two").await?;
    browser.click("Unlock").await?;
    browser.see("These are 2 words").await?;
    browser.fill("seven", &seven.to_uppercase()).await?;
    browser.click("Unlock").await?;
    browser.see("1 patient").await?;
    browser.close().await
}

#[tokio::test]
async fn two_people_compare_six_words_and_the_second_works_until_removed() -> Result<()> {
    let Some(stage) = Stage::start().await? else { return Ok(()) };
    let owner = stage.browser(Prf::Yes).await?;
    owner.set_up(&stage.setup_link, "Dr Ada Berg").await?;
    owner.page("#/team/invite").await?;
    owner.click("Make the link").await?;
    owner.see("It is shown once").await?;
    let link = owner.script("return document.getElementById('invite-link').value").await?;

    let kim = stage.browser(Prf::Yes).await?;
    kim.open(link.as_str().unwrap()).await?;
    kim.see("You have been invited").await?;
    let address = kim.script("return location.href").await?;
    assert!(!address.as_str().unwrap().contains(link.as_str().unwrap().rsplit('/').next().unwrap()), "the secret leaves the address");
    kim.fill("name", "Kim Sand").await?;
    kim.click("Make a passkey").await?;
    kim.see("Compare six words").await?;
    let theirs = kim.words(".six").await?;

    owner.click("Go to the team").await?;
    owner.see("Kim Sand has followed your invitation").await?;
    let ours = owner.words(".six").await?;
    assert_eq!(ours, theirs);
    assert_eq!(ours.split_whitespace().count(), 6, "{ours}");
    owner.click("The words are the same: let Kim Sand in").await?;
    owner.see("They can sign in now").await?;

    kim.click("Sign in").await?;
    kim.sign_in().await?;
    kim.see("Patients").await?;
    kim.page("#/team").await?;
    kim.see("Dr Ada Berg").await?;

    owner.click("Remove").await?;
    owner.see("Kim Sand loses access at once").await?;
    owner.click("Remove Kim Sand").await?;
    owner.see("Kim Sand no longer has access").await?;
    kim.reload().await?;
    kim.sign_in().await?;
    kim.see("Details").await?;
    kim.close().await?;
    owner.close().await
}

#[tokio::test]
async fn a_lock_reaches_every_tab_and_leaves_nothing_on_the_screen() -> Result<()> {
    let Some(stage) = Stage::start().await? else { return Ok(()) };
    let browser = stage.browser(Prf::Yes).await?;
    browser.set_up(&stage.setup_link, "Dr Ada Berg").await?;
    browser.new_patient("Mara", "Example", "1984-05-17").await?;
    let first = browser.another_tab().await?;
    browser.see("Good to see you").await?;
    // The virtual passkey lives in the first tab only, so this tab says what a tab says when it is locked.
    browser.script("const c = new BroadcastChannel('subrosa'); c.postMessage('lock'); c.close()").await?;
    browser.back_to(first).await?;
    browser.see("Locked").await?;
    let left = browser.script("return document.documentElement.outerHTML").await?;
    assert!(!left.as_str().unwrap().contains("Example"), "a name is still in the page");
    browser.click("Unlock").await?;
    browser.see("Mara Example").await?;
    browser.close().await
}

#[tokio::test]
async fn a_list_of_patients_is_brought_in_and_found_again() -> Result<()> {
    let Some(stage) = Stage::start().await? else { return Ok(()) };
    let browser = stage.browser(Prf::Yes).await?;
    browser.set_up(&stage.setup_link, "Dr Ada Berg").await?;
    browser.page("#/import").await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("clients.csv");
    let mut csv = "Last Name,First Name,DOB,Phone\n".to_owned();
    for n in 0..40 {
        csv.push_str(&format!("Testperson{n:02},Given{n:02},19{:02}-03-{:02},555-01{n:02}\n", 50 + n, 1 + n % 28));
    }
    std::fs::write(&file, csv)?;
    browser.choose_file("files", &file).await?;
    browser.see("What is in each column?").await?;
    browser.click("Go on").await?;
    browser.see("40 patients").await?;
    browser.click("Bring in 40 patients").await?;
    browser.see("The records are in").await?;
    browser.click("Go to patients").await?;
    browser.see("40 patients").await?;
    browser.fill("search", "testperson17").await?;
    browser.click("Testperson17, Given17").await?;
    browser.see("Given17 Testperson17").await?;
    browser.close().await
}

#[tokio::test]
async fn the_keyboard_alone_reaches_everything_and_the_focus_is_always_seen() -> Result<()> {
    let Some(stage) = Stage::start().await? else { return Ok(()) };
    let browser = stage.browser(Prf::Yes).await?;
    browser.set_up(&stage.setup_link, "Dr Ada Berg").await?;
    browser.new_patient("Mara", "Example", "1984-05-17").await?;

    browser.script("document.activeElement.blur()").await?;
    browser.press("?").await?;
    browser.see("Keyboard").await?;
    browser.escape().await?;
    browser.no_longer_see("Show these keys").await?;
    browser.press("gp").await?;
    browser.see("1 patient").await?;
    browser.press("/").await?;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    browser.press("exam").await?;
    browser.see("Example, Mara").await?;
    browser.enter().await?;
    browser.see("Mara Example").await?;
    browser.script("document.activeElement.blur()").await?;
    browser.press("n").await?;
    browser.see("Sign the note").await?;
    browser.script("document.getElementById('note').focus()").await?;
    browser.press("Written without a mouse.").await?;
    browser.press("\u{e009}\u{e007}").await?;
    browser.see("Care team").await?;
    browser.see("Session note").await?;

    browser.page("#/settings").await?;
    browser.see("Practice mark").await?;
    browser.script("document.activeElement.blur()").await?;
    let mut seen = Vec::new();
    for _ in 0..30 {
        browser.tab().await?;
        let at = browser
            .script(
                "const e = document.activeElement; const s = getComputedStyle(e); const b = e.getBoundingClientRect();
                 return e === document.body ? null : [(e.innerText || e.tagName).trim(), parseFloat(s.outlineWidth) >= 2 && s.outlineStyle !== 'none', b.top, b.left];",
            )
            .await?;
        if at.is_null() {
            // Past the last one, on the way round to the browser's own buttons.
            continue;
        }
        assert_eq!(at[1], Value::Bool(true), "the focus is not seen on {at}");
        seen.push(at[0].as_str().unwrap_or_default().to_owned());
    }
    // The focus began on the page's heading; the order is told from the first element on.
    let first = seen.iter().position(|s| s == "Skip to the page").unwrap();
    let seen = &seen[first..];
    let place = |name: &str| seen.iter().position(|s| s == name).unwrap_or_else(|| panic!("Tab never reached {name}: {seen:?}"));
    assert!(place("Skip to the page") < place("Patients"));
    assert!(place("Patients") < place("Settings") && place("Settings") < place("Bring in records"), "{seen:?}");
    browser.close().await
}
