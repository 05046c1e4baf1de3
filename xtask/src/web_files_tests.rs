#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

fn files(list: &[(&str, &str)]) -> Files {
    list.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

fn site() -> Files {
    let raw = files(&[("app.js", "export default 1;"), ("app_bg.wasm", "module"), ("snippets/a-1/x.js", "x")]);
    let pages = files(&[
        ("index.html", "<link rel=\"icon\" href=\"/rose.svg\"><script src=\"/app.js\"></script>"),
        ("style.css", "@font-face { src: url(\"/face.woff2\") }"),
        ("face.woff2", "font"),
        ("rose.svg", "<svg/>"),
        ("sw.js", "\"/app.js\""),
    ]);
    finish(raw, pages).unwrap()
}

fn named(site: &Files, start: &str) -> (String, String) {
    let (path, bytes) = site.iter().find(|(path, _)| path.starts_with(start)).unwrap();
    (path.clone(), String::from_utf8(bytes.clone()).unwrap())
}

#[test]
fn every_file_but_pages_and_fixed_names_carries_its_hash() {
    let site = site();
    for plain in ["index.html", "sw.js", "snippets/a-1/x.js"] {
        assert!(site.contains_key(plain), "{plain}");
    }
    for hashed in ["app.js", "app_bg.wasm", "style.css", "face.woff2", "rose.svg"] {
        assert!(!site.contains_key(hashed), "{hashed}");
    }
    assert_eq!(site.len(), 8);
}

#[test]
fn the_page_names_the_script_with_its_integrity_and_the_script_names_the_module() {
    let site = site();
    let (script_path, script) = named(&site, "app.");
    let (module_path, _) = named(&site, "app_bg.");
    let integrity = |text: &str| format!("sha256-{}", STANDARD.encode(Sha256::digest(text)));
    let page = named(&site, "index.html").1;
    assert!(page.contains(&format!("src=\"/{script_path}\" integrity=\"{}\"", integrity(&script))), "{page}");
    assert!(script.contains(&module_path) && script.contains(&integrity("module")), "{script}");
}

#[test]
fn style_sheets_and_fixed_scripts_follow_the_files_they_name() {
    let site = site();
    assert!(named(&site, "style.").1.contains(&named(&site, "face.").0));
    assert!(named(&site, "sw.js").1.contains(&named(&site, "app.").0));
}

#[test]
fn a_changed_byte_changes_the_name_and_the_client_hash() {
    let client = |site: &Files| {
        let value: serde_json::Value = serde_json::from_str(&manifest(site, &Files::new())).unwrap();
        value["client"].as_str().unwrap().to_owned()
    };
    let one = site();
    let mut two = one.clone();
    two.insert("sw.js".to_owned(), b"other".to_vec());
    assert_ne!(client(&one), client(&two));
    assert_eq!(client(&one), client(&site()));
}

#[test]
fn compressed_siblings_decompress_to_the_same_bytes() {
    let site = site();
    let packed = compress_all(&site).unwrap();
    assert!(packed.keys().all(|path| !path.ends_with(".woff2")));
    for (path, bytes) in &packed {
        let mut plain = Vec::new();
        brotli::BrotliDecompress(&mut &bytes[..], &mut plain).unwrap();
        assert_eq!(&plain, &site[path]);
    }
}
