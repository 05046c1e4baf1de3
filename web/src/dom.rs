//! The few things asked of the browser itself.

use subrosa_model::Timestamp;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{Document, Event, EventTarget, HtmlElement, Window};

/// The window. A page without one cannot run this program at all.
#[allow(clippy::expect_used)]
pub fn window() -> Window {
    web_sys::window().expect("the app runs in a page")
}

/// The document.
#[allow(clippy::expect_used)]
pub fn document() -> Document {
    window().document().expect("the app runs in a page")
}

/// This device's time.
pub fn now() -> Timestamp {
    Timestamp(js_sys::Date::now() as i64)
}

/// Calls `f` on every such event for as long as the page lives.
pub fn listen(target: &EventTarget, name: &str, f: impl FnMut(Event) + 'static) {
    let closure = Closure::<dyn FnMut(Event)>::new(f);
    let _ = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
    closure.forget();
}

/// Calls `f` every `ms` milliseconds for as long as the page lives.
pub fn every(ms: i32, f: impl FnMut() + 'static) {
    let closure = Closure::<dyn FnMut()>::new(f);
    let _ = window().set_interval_with_callback_and_timeout_and_arguments_0(closure.as_ref().unchecked_ref(), ms);
    closure.forget();
}

/// Lets the browser paint before something long begins.
pub async fn breathe() {
    wait(0).await;
}

/// Waits.
pub async fn wait(ms: i32) {
    let promise = js_sys::Promise::new(&mut |done, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&done, ms);
    });
    let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
}

/// Puts the focus on the first match.
pub fn focus(selector: &str) {
    if let Ok(Some(found)) = document().query_selector(selector)
        && let Ok(element) = found.dyn_into::<HtmlElement>()
    {
        let _ = element.focus();
    }
}

/// Puts the focus there once the page has been drawn.
pub fn focus_soon(selector: &'static str) {
    wasm_bindgen_futures::spawn_local(async move {
        breathe().await;
        focus(selector);
    });
}

/// The name in the tab.
pub fn set_title(title: &str) {
    document().set_title(title);
}

/// Whether the focus is where letters are typed.
pub fn typing() -> bool {
    document().active_element().is_some_and(|e| matches!(e.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"))
}

/// Whether a dialog is open.
pub fn dialog_open() -> bool {
    document().query_selector("dialog[open]").ok().flatten().is_some()
}

/// Opens the print dialogue.
pub fn print() {
    let _ = window().print();
}

/// Copies a text.
pub fn copy(text: &str) {
    let _ = window().navigator().clipboard().write_text(text);
}

/// Hands a file to the person.
pub fn download(name: &str, kind: &str, bytes: &[u8]) -> Option<()> {
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes));
    let options = web_sys::BlobPropertyBag::new();
    options.set_type(kind);
    let blob = web_sys::Blob::new_with_u8_array_sequence_and_options(&parts, &options).ok()?;
    let url = web_sys::Url::create_object_url_with_blob(&blob).ok()?;
    let link: web_sys::HtmlAnchorElement = document().create_element("a").ok()?.dyn_into().ok()?;
    link.set_href(&url);
    link.set_download(name);
    link.click();
    let _ = web_sys::Url::revoke_object_url(&url);
    Some(())
}

/// The browser's time zone, as `Europe/Helsinki`.
pub fn time_zone() -> String {
    let format = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
    let options = format.resolved_options();
    js_sys::Reflect::get(&options, &"timeZone".into()).ok().and_then(|v| v.as_string()).unwrap_or_else(|| "UTC".to_owned())
}

/// A property of a JavaScript value.
pub fn get(value: &JsValue, name: &str) -> JsValue {
    js_sys::Reflect::get(value, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

/// The value of the input that an event came from.
pub fn value_of(event: &Event) -> String {
    let target = event.target().map(JsValue::from).unwrap_or(JsValue::UNDEFINED);
    get(&target, "value").as_string().unwrap_or_default()
}

thread_local! {
    static WARN: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    static WARNS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// While on, the browser asks before this page is left: something shown once has not been written down yet.
pub fn warn_before_leaving(on: bool) {
    WARN.with(|w| w.set(on));
    if on && !WARNS.with(|w| w.replace(true)) {
        listen(&window(), "beforeunload", |event| {
            if WARN.with(std::cell::Cell::get) {
                event.prevent_default();
            }
        });
    }
}
