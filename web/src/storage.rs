//! Sealed copies kept by this browser: pins and the roster. Both are sealed by the client crate before they come here.
//!
//! The browser's cache storage holds them, since the sealed roster of a large practice is bigger than `localStorage` allows.

use js_sys::{Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

use crate::dom::{self, get};

const CACHE: &str = "subrosa-sealed";

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// What was verified last: directory, ledger, newest versions.
    Pins,
    /// The roster.
    Roster,
    /// How far an import is.
    Import,
}

impl Place {
    const fn key(self) -> &'static str {
        match self {
            Place::Pins => "/sealed/pins",
            Place::Roster => "/sealed/roster",
            Place::Import => "/sealed/import",
        }
    }
}

async fn call(object: &JsValue, name: &str, args: &js_sys::Array) -> Option<JsValue> {
    let function: Function = get(object, name).dyn_into().ok()?;
    let answer = function.apply(object, args).ok()?;
    match answer.dyn_into::<Promise>() {
        Ok(promise) => JsFuture::from(promise).await.ok(),
        Err(value) => Some(value),
    }
}

async fn cache() -> Option<JsValue> {
    call(&get(&dom::window(), "caches"), "open", &js_sys::Array::of1(&CACHE.into())).await
}

/// What was kept last, if anything.
pub async fn load(place: Place) -> Option<Vec<u8>> {
    let response = call(&cache().await?, "match", &js_sys::Array::of1(&place.key().into())).await?;
    let response: web_sys::Response = response.dyn_into().ok()?;
    let buffer = JsFuture::from(response.array_buffer().ok()?).await.ok()?;
    Some(Uint8Array::new(&buffer).to_vec())
}

/// Keeps `sealed` in place of what was kept before. A browser that refuses loses only speed.
pub async fn save(place: Place, sealed: &[u8]) {
    let Some(cache) = cache().await else { return };
    let body: JsValue = Uint8Array::from(sealed).into();
    let Ok(response) = web_sys::Response::new_with_opt_buffer_source(Some(&body.unchecked_into())) else { return };
    let _ = call(&cache, "put", &js_sys::Array::of2(&place.key().into(), &response.into())).await;
}

/// Removes everything kept.
pub async fn clear() {
    let _ = call(&get(&dom::window(), "caches"), "delete", &js_sys::Array::of1(&CACHE.into())).await;
}
