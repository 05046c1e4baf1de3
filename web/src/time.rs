//! Times in the practice's zone, and how long ago in words.

use std::cell::RefCell;

use subrosa_model::Timestamp;
use wasm_bindgen::JsValue;

use crate::{dom, say};

thread_local! {
    static ZONE: RefCell<String> = RefCell::new(dom::time_zone());
}

/// From now on every time shown is this zone's.
pub fn set_zone(zone: &str) {
    ZONE.with(|z| zone.clone_into(&mut z.borrow_mut()));
}

fn format(at: Timestamp, fields: &[(&str, &str)]) -> String {
    let options = js_sys::Object::new();
    let zone = ZONE.with(|z| z.borrow().clone());
    for (name, value) in fields.iter().copied().chain([("timeZone", zone.as_str())]) {
        let _ = js_sys::Reflect::set(&options, &name.into(), &value.into());
    }
    let date = js_sys::Date::new(&JsValue::from_f64(at.0 as f64));
    date.to_locale_string("en-GB", &options).into()
}

/// `12 Nov 2026`.
pub fn day(at: Timestamp) -> String {
    format(at, &[("day", "numeric"), ("month", "short"), ("year", "numeric")])
}

/// `09:02`.
pub fn clock(at: Timestamp) -> String {
    format(at, &[("hour", "2-digit"), ("minute", "2-digit"), ("hourCycle", "h23")])
}

/// `12 Nov 2026, 09:02`.
pub fn moment(at: Timestamp) -> String {
    format!("{}, {}", day(at), clock(at))
}

/// `2026-11-12`, for sorting and comparing.
pub fn iso_day(at: Timestamp) -> String {
    let options = js_sys::Object::new();
    let zone = ZONE.with(|z| z.borrow().clone());
    for (name, value) in [("day", "2-digit"), ("month", "2-digit"), ("year", "numeric"), ("timeZone", zone.as_str())] {
        let _ = js_sys::Reflect::set(&options, &name.into(), &value.into());
    }
    let text: String = js_sys::Date::new(&JsValue::from_f64(at.0 as f64)).to_locale_date_string("sv-SE", &options).into();
    text
}

/// `12 Nov 2026` from `2026-11-12` or a longer ISO 8601 text; what is not a date stays as it is.
pub fn day_of_iso(text: &str) -> String {
    let Some(date) = text.get(..10).filter(|d| d.as_bytes().get(4) == Some(&b'-') && d.as_bytes().get(7) == Some(&b'-')) else {
        return text.to_owned();
    };
    let ms = js_sys::Date::parse(&format!("{date}T12:00:00Z"));
    if ms.is_nan() {
        return text.to_owned();
    }
    let options = js_sys::Object::new();
    for (name, value) in [("day", "numeric"), ("month", "short"), ("year", "numeric"), ("timeZone", "UTC")] {
        let _ = js_sys::Reflect::set(&options, &name.into(), &value.into());
    }
    js_sys::Date::new(&JsValue::from_f64(ms)).to_locale_date_string("en-GB", &options).into()
}

/// `3 minutes ago`; a date when it is longer than a week ago.
pub fn ago(at: Timestamp) -> String {
    let past = dom::now().since(at);
    match past {
        i64::MIN..Timestamp::MINUTE => crate::text::t("ago-now"),
        Timestamp::MINUTE..Timestamp::HOUR => say!("ago-minutes", n = past / Timestamp::MINUTE),
        Timestamp::HOUR..Timestamp::DAY => say!("ago-hours", n = past / Timestamp::HOUR),
        _ if past < 7 * Timestamp::DAY => say!("ago-days", n = past / Timestamp::DAY),
        _ => day(at),
    }
}

/// Every time zone that the browser knows; at least its own.
pub fn zones() -> Vec<String> {
    let own = dom::time_zone();
    let intl = dom::get(&js_sys::global(), "Intl");
    let known = wasm_bindgen::JsCast::dyn_into::<js_sys::Function>(dom::get(&intl, "supportedValuesOf")).ok();
    let list = known.and_then(|f| f.call1(&intl, &"timeZone".into()).ok()).map(|l| js_sys::Array::from(&l));
    let mut zones: Vec<String> = list.map(|l| l.iter().filter_map(|z| z.as_string()).collect()).unwrap_or_default();
    if !zones.contains(&own) {
        zones.insert(0, own);
    }
    zones
}
