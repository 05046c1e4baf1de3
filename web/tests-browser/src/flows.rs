//! What people do again and again: founding a practice, typing words back, signing in, writing a note.

use anyhow::{Context, Result};

use crate::Browser;

impl Browser {
    /// Types back whichever words of `words` the page asks for, and goes on.
    pub async fn type_back(&self, words: &str) -> Result<()> {
        self.see("Check what you kept").await?;
        let list: Vec<&str> = words.split_whitespace().collect();
        for id in ["word-a", "word-b", "word-c"] {
            let label = self.script(&format!("return document.querySelector('label[for={id}]').innerText")).await?;
            let place: usize = label.as_str().unwrap_or_default().trim_start_matches("Word ").trim().parse().context("which word is asked for")?;
            self.fill(id, list.get(place - 1).context("the page asks for a word that is not there")?).await?;
        }
        self.click("Go on").await
    }

    /// Founds a practice up to the practice kit; gives the kit's words.
    pub async fn found(&self, link: &str, name: &str) -> Result<()> {
        self.open(link).await?;
        self.click("Start").await?;
        self.fill("name", name).await?;
        self.click("Go on").await?;
        self.click("Make a passkey").await
    }

    /// Notes the kit shown, types it back and goes on; gives its words.
    pub async fn keep_kit(&self) -> Result<String> {
        self.see("Print the kit").await?;
        let words = self.words(".screen .words").await?;
        self.type_back(&words).await?;
        Ok(words)
    }

    /// Founds a practice and goes through the wizard to the patient list.
    pub async fn set_up(&self, link: &str, name: &str) -> Result<()> {
        self.found(link, name).await?;
        self.keep_kit().await?;
        self.see("Make a second way in").await?;
        self.click("Go on").await?;
        self.keep_kit().await?;
        self.see("Your practice is ready").await?;
        self.click("Go to patients").await?;
        self.see("No patients yet").await
    }

    /// Makes a chart; the browser then shows it.
    pub async fn new_patient(&self, given: &str, family: &str, born: &str) -> Result<()> {
        self.page("#/patients/new").await?;
        self.fill("given", given).await?;
        self.fill("family", family).await?;
        self.set_date("born", born).await?;
        self.click("Make the chart").await?;
        self.see(&format!("{given} {family}")).await?;
        self.see("Nothing in this chart yet").await
    }

    /// Writes and signs a note in the record of the chart that is open.
    pub async fn write_note(&self, title: &str, text: &str) -> Result<()> {
        self.click("Write a note").await?;
        self.fill("title", title).await?;
        self.fill("note", text).await?;
        self.click("Sign the note").await?;
        self.see("Care team").await?;
        self.see(title).await
    }

    /// Signs in with the passkey of this browser.
    pub async fn sign_in(&self) -> Result<()> {
        self.click("Sign in with passkey").await
    }
}
