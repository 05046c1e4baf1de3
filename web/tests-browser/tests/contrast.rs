//! The colours of `web/static/tokens.css`, by the formula of WCAG 2.2: text at least 4.5 to 1, borders of controls at least 3 to 1.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use subrosa_browser_tests::workspace;

type Colours = BTreeMap<String, [f64; 3]>;

fn colours(block: &str) -> Colours {
    let lines = block.lines().filter_map(|l| l.trim().strip_prefix("--")).filter_map(|l| l.split_once(": #"));
    lines
        .filter_map(|(name, value)| {
            let hex = value.trim_end_matches(';');
            let part = |n: usize| u8::from_str_radix(hex.get(n..n + 2)?, 16).ok().map(f64::from);
            Some((name.to_owned(), [part(0)?, part(2)?, part(4)?]))
        })
        .collect()
}

fn light_and_dark() -> (Colours, Colours) {
    let css = std::fs::read_to_string(workspace().join("web/static/tokens.css")).unwrap();
    let (light, dark) = css.split_once("prefers-color-scheme: dark").unwrap();
    (colours(light), colours(dark))
}

fn luminance(colour: [f64; 3]) -> f64 {
    let [r, g, b] = colour.map(|c| {
        let c = c / 255.0;
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn ratio(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_text_is_legible_on_every_ground_it_stands_on() {
    let grounds: [(&str, &[&str]); 6] = [
        ("ink", &["paper", "sheet", "hover", "pick", "amber-paper", "red-paper"]),
        ("soft", &["paper", "sheet", "hover", "pick"]),
        ("on-rose", &["rose", "rose-over"]),
        ("amber", &["amber-paper", "paper", "sheet"]),
        ("red", &["red-paper", "paper", "sheet"]),
        ("paper", &["ink"]),
    ];
    let (light, dark) = light_and_dark();
    for (theme, colours) in [("light", light), ("dark", dark)] {
        for (text, on) in grounds {
            for ground in on {
                let r = ratio(colours[text], colours[*ground]);
                assert!(r >= 4.5, "{theme}: {text} on {ground} is {r:.2} to 1");
            }
        }
    }
}

#[test]
fn borders_of_controls_are_seen() {
    let (light, dark) = light_and_dark();
    for (theme, colours) in [("light", light), ("dark", dark)] {
        for ground in ["paper", "sheet"] {
            let r = ratio(colours["edge"], colours[ground]);
            assert!(r >= 3.0, "{theme}: edge on {ground} is {r:.2} to 1");
        }
    }
}
