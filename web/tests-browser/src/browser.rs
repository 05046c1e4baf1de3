//! One browser with its passkeys, as a person uses it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::key::Key;
use fantoccini::wd::WindowHandle;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use crate::wire::Post;

/// Longest wait for something to appear.
const PATIENCE: Duration = Duration::from_secs(45);

/// The control key: held while the keys after it are pressed.
const HOLD: char = '\u{e009}';

/// Whether the virtual authenticator has the PRF extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prf {
    /// It has.
    Yes,
    /// It has not: seven words are needed.
    No,
}

/// A browser.
pub struct Browser {
    client: Client,
    url: String,
}

impl Browser {
    pub(crate) async fn new(client: Client, prf: Prf, url: String) -> Result<Self> {
        let browser = Browser { client, url };
        let extensions: &[&str] = if prf == Prf::Yes { &["prf"] } else { &[] };
        let authenticator = json!({
            "protocol": "ctap2_1", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
            "isUserConsenting": true, "isUserVerified": true, "extensions": extensions,
        });
        browser.post("webauthn/authenticator", authenticator).await.context("no virtual authenticator")?;
        Ok(browser)
    }

    async fn post(&self, path: &'static str, body: Value) -> Result<Value> {
        Ok(self.client.issue_cmd(Post { path, body }).await?)
    }

    async fn chrome(&self, command: &str, parameters: Value) -> Result<Value> {
        self.post("goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    /// Goes to a full address.
    pub async fn open(&self, address: &str) -> Result<()> {
        Ok(self.client.goto(address).await?)
    }

    /// Opens another tab of this browser and goes on in it; gives the one left, for [`Browser::back_to`].
    pub async fn another_tab(&self) -> Result<WindowHandle> {
        let left = self.client.window().await?;
        let tab = self.client.new_window(true).await?;
        self.client.switch_to_window(tab.handle).await?;
        self.client.goto(&format!("{}/", self.url)).await?;
        Ok(left)
    }

    /// Goes on in another tab.
    pub async fn back_to(&self, tab: WindowHandle) -> Result<()> {
        Ok(self.client.switch_to_window(tab).await?)
    }

    /// Goes to a page of the app without loading it anew.
    pub async fn page(&self, hash: &str) -> Result<()> {
        self.script(&format!("location.hash = {}", json!(hash))).await?;
        Ok(())
    }

    /// Loads the app anew, as a new tab would.
    pub async fn reload(&self) -> Result<()> {
        self.client.goto("about:blank").await?;
        Ok(self.client.goto(&format!("{}/", self.url)).await?)
    }

    /// Runs a script in the page.
    pub async fn script(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute(script, vec![]).await?)
    }

    /// The visible text of the page.
    pub async fn text(&self) -> Result<String> {
        let value = self.script("return document.body ? document.body.innerText : ''").await?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the page shows a text.
    pub async fn see(&self, text: &str) -> Result<()> {
        self.see_within(text, PATIENCE.as_secs()).await
    }

    /// Waits so many seconds until the page shows a text.
    pub async fn see_within(&self, text: &str, seconds: u64) -> Result<()> {
        let begun = Instant::now();
        loop {
            let shown = self.text().await.unwrap_or_default();
            if shown.contains(text) {
                return Ok(());
            }
            if begun.elapsed() > Duration::from_secs(seconds) {
                bail!("the page never showed {text:?}; it shows:\n{shown}\nand the browser says:\n{}", self.log().await.unwrap_or_default());
            }
            tokio::time::sleep(Duration::from_millis(80)).await;
        }
    }

    /// Waits until the page no longer shows a text.
    pub async fn no_longer_see(&self, text: &str) -> Result<()> {
        let begun = Instant::now();
        while self.text().await?.contains(text) {
            if begun.elapsed() > PATIENCE {
                bail!("the page still shows {text:?}");
            }
            tokio::time::sleep(Duration::from_millis(80)).await;
        }
        Ok(())
    }

    /// What the browser's console holds since it was asked last.
    pub async fn log(&self) -> Result<String> {
        let entries = self.post("se/log", json!({ "type": "browser" })).await?;
        let lines = entries.as_array().into_iter().flatten().filter_map(|e| e.get("message").and_then(Value::as_str));
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }

    /// Clicks the visible button or link with exactly this text or label.
    pub async fn click(&self, text: &str) -> Result<()> {
        let begun = Instant::now();
        let script = r#"
            const wanted = arguments[0];
            const visible = (e) => e.getClientRects().length > 0 && !e.closest('[hidden]');
            const all = [...document.querySelectorAll('dialog[open] button, dialog[open] a'), ...document.querySelectorAll('button, a, label.button, summary, label.choice')];
            const found = all.find((e) => visible(e) && !e.disabled && ((e.innerText || '').trim() === wanted || e.getAttribute('aria-label') === wanted || (e.matches('.choice, .entry, .roster a, .side a') && (e.innerText || '').includes(wanted))));
            if (!found) return false;
            found.scrollIntoView({ block: 'center' });
            found.click();
            return true;"#;
        loop {
            if self.client.execute(script, vec![json!(text)]).await? == json!(true) {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                bail!("nothing to click called {text:?}; the page shows:\n{}", self.text().await.unwrap_or_default());
            }
            tokio::time::sleep(Duration::from_millis(80)).await;
        }
    }

    /// Clicks the first element that fits a selector, once it is there.
    pub async fn click_first(&self, selector: &str) -> Result<()> {
        let begun = Instant::now();
        let script = "const e = [...document.querySelectorAll(arguments[0])].find((e) => e.getClientRects().length > 0); if (e) e.click(); return !!e;";
        while self.client.execute(script, vec![json!(selector)]).await? != json!(true) {
            if begun.elapsed() > PATIENCE {
                bail!("no {selector}; the page shows:\n{}", self.text().await.unwrap_or_default());
            }
            tokio::time::sleep(Duration::from_millis(80)).await;
        }
        Ok(())
    }

    /// Types into the field with this id, in place of what is there.
    pub async fn fill(&self, id: &str, text: &str) -> Result<()> {
        let field = self.client.wait().at_most(PATIENCE).for_element(Locator::Id(id)).await.with_context(|| format!("no field {id}"))?;
        field.clear().await?;
        field.send_keys(text).await?;
        Ok(())
    }

    /// Sets a date field, whose typing order depends on the machine.
    pub async fn set_date(&self, id: &str, iso: &str) -> Result<()> {
        let script = "const e = document.getElementById(arguments[0]); e.value = arguments[1]; e.dispatchEvent(new Event('input', { bubbles: true }));";
        self.client.execute(script, vec![json!(id), json!(iso)]).await?;
        Ok(())
    }

    /// Chooses a file in the file field with this id.
    pub async fn choose_file(&self, id: &str, file: &Path) -> Result<()> {
        self.choose_files(id, &[file.to_owned()]).await
    }

    /// Chooses several files in the file field with this id.
    pub async fn choose_files(&self, id: &str, files: &[PathBuf]) -> Result<()> {
        let field = self.client.wait().at_most(PATIENCE).for_element(Locator::Id(id)).await?;
        let paths: Vec<String> = files.iter().map(|f| f.canonicalize().unwrap_or_else(|_| f.clone()).display().to_string()).collect();
        field.send_keys(&paths.join("\n")).await?;
        Ok(())
    }

    /// Presses keys one after the other, wherever the focus is. After [`HOLD`] the control key is held to the end.
    pub async fn press(&self, keys: &str) -> Result<()> {
        let mut actions = KeyActions::new("keyboard".to_owned());
        for key in keys.chars() {
            actions = actions.then(KeyAction::Down { value: key });
            if key != HOLD {
                actions = actions.then(KeyAction::Up { value: key });
            }
        }
        self.client.perform_actions(actions.then(KeyAction::Up { value: HOLD })).await?;
        Ok(())
    }

    /// Presses Tab.
    pub async fn tab(&self) -> Result<()> {
        self.press(&char::from(Key::Tab).to_string()).await
    }

    /// Presses Enter.
    pub async fn enter(&self) -> Result<()> {
        self.press(&char::from(Key::Enter).to_string()).await
    }

    /// Presses Escape.
    pub async fn escape(&self) -> Result<()> {
        self.press(&char::from(Key::Escape).to_string()).await
    }

    /// The words of a numbered list on the page (a kit, seven words, six words), as one text.
    pub async fn words(&self, selector: &str) -> Result<String> {
        let script = "return [...document.querySelectorAll(arguments[0])].filter((e) => e.getClientRects().length > 0).map((e) => e.textContent.trim()).join(' ')";
        let value = self.client.execute(script, vec![json!(format!("{selector} li"))]).await?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    /// Makes the window this wide, in light or dark colours.
    pub async fn look(&self, width: u32, height: u32, dark: bool) -> Result<()> {
        let phone = width < 600;
        self.chrome("Emulation.setDeviceMetricsOverride", json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone })).await?;
        let scheme = if dark { "dark" } else { "light" };
        self.chrome("Emulation.setEmulatedMedia", json!({ "media": "", "features": [{ "name": "prefers-color-scheme", "value": scheme }] })).await?;
        // Colours change over 120 ms.
        tokio::time::sleep(Duration::from_millis(250)).await;
        Ok(())
    }

    /// As it would be printed, or on the screen again.
    pub async fn paper(&self, on: bool) -> Result<()> {
        self.chrome("Emulation.setEmulatedMedia", json!({ "media": if on { "print" } else { "" } })).await?;
        Ok(())
    }

    /// A picture of the whole page as PNG.
    pub async fn picture(&self) -> Result<Vec<u8>> {
        let answer = self.chrome("Page.captureScreenshot", json!({ "format": "png", "captureBeyondViewport": true })).await?;
        let data = answer.get("data").and_then(Value::as_str).context("no picture")?;
        Ok(base64::engine::general_purpose::STANDARD.decode(data)?)
    }

    /// A picture of what the window shows as PNG.
    pub async fn view(&self) -> Result<Vec<u8>> {
        let answer = self.chrome("Page.captureScreenshot", json!({ "format": "png" })).await?;
        let data = answer.get("data").and_then(Value::as_str).context("no picture")?;
        Ok(base64::engine::general_purpose::STANDARD.decode(data)?)
    }

    /// Ends the browser.
    pub async fn close(self) -> Result<()> {
        Ok(self.client.close().await?)
    }
}
