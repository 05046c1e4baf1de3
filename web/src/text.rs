//! Every word on the screen comes from a Fluent catalogue in `web/locales`.

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};

const ENGLISH: &str = include_str!("../locales/en.ftl");

thread_local! {
    static BUNDLE: FluentBundle<FluentResource> = load();
}

fn load() -> FluentBundle<FluentResource> {
    let mut bundle = FluentBundle::new(vec![unic_langid::LanguageIdentifier::default()]);
    if let Ok(language) = "en".parse() {
        bundle.locales = vec![language];
    }
    bundle.set_use_isolating(false);
    // A catalogue with a mistake still gives the messages that could be read; `texts.rs` in tests-browser refuses mistakes.
    let resource = FluentResource::try_new(ENGLISH.to_owned()).unwrap_or_else(|(partial, _)| partial);
    let _ = bundle.add_resource(resource);
    bundle
}

/// The text of a message.
pub fn t(key: &str) -> String {
    text(key, None).unwrap_or_else(|| key.to_owned())
}

/// The text of a message with named values.
pub fn tv<'a>(key: &str, values: impl IntoIterator<Item = (&'a str, FluentValue<'a>)>) -> String {
    let args: FluentArgs = values.into_iter().collect();
    text(key, Some(&args)).unwrap_or_else(|| key.to_owned())
}

/// The text of a message that may not exist.
pub fn maybe(key: &str) -> Option<String> {
    text(key, None)
}

fn text(key: &str, args: Option<&FluentArgs>) -> Option<String> {
    BUNDLE.with(|bundle| {
        let pattern = bundle.get_message(key)?.value()?;
        Some(bundle.format_pattern(pattern, args, &mut Vec::new()).into_owned())
    })
}

/// `tv` with less to type: `say!("ago-days", n = 3)`.
#[macro_export]
macro_rules! say {
    ($key:expr, $($name:ident = $value:expr),+ $(,)?) => {
        $crate::text::tv($key, [$((stringify!($name), fluent_bundle::FluentValue::from($value))),+])
    };
}
