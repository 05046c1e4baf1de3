//! The searcher finds a mark in every form and layer that it promises, and nothing where there is nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use subrosa_drills::search::forms::Form;
use subrosa_drills::search::{Findings, Needles, SearchError, Searcher};

const MARK: &str = "Zöe Tarrow-Weir's \"grey heron\" 4417?>~";
const KEY: [u8; 32] = [
    0x9e, 0x01, 0xfb, 0xff, 0x3e, 0x7a, 0x00, 0xc4, 0x51, 0x88, 0xfe, 0xef, 0x13, 0x64, 0xb0, 0x2d, 0xaa, 0x5f, 0xf9, 0x04, 0x73, 0xe1, 0x90, 0xcd, 0x36, 0xdb, 0x6b, 0x0a,
    0x47, 0xf2, 0x18, 0x85,
];

fn searcher() -> Searcher {
    let mut needles = Needles::new();
    needles.mark("mark", MARK).unwrap();
    needles.key("key", &KEY).unwrap();
    needles.build().unwrap()
}

fn search(bytes: &[u8]) -> Findings {
    let mut findings = Findings::default();
    searcher().search("here", bytes, &mut findings);
    findings
}

fn form_of(bytes: &[u8], id: usize) -> Option<Form> {
    search(bytes).hits.get(&(id, "here".to_owned())).map(|h| h.form)
}

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 24) as u8
        })
        .collect()
}

fn amid(bytes: &[u8]) -> Vec<u8> {
    [noise(7, 5000), b"\n <".to_vec(), bytes.to_vec(), b"> \n".to_vec(), noise(9, 5000)].concat()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn noise_holds_no_mark() {
    let findings = search(&noise(3, 3_000_000));
    assert!(findings.hits.is_empty(), "{:?}", findings.hits);
    assert_eq!(findings.searched_bytes, 3_000_000);
}

#[test]
fn a_text_is_found_in_every_form() {
    let le: Vec<u8> = MARK.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let be: Vec<u8> = MARK.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let latin: Vec<u8> = MARK.chars().map(|c| c as u32 as u8).collect();
    let all_percent: String = MARK.bytes().map(|b| format!("%{b:02x}")).collect();
    let all_json: String = MARK.encode_utf16().map(|u| format!("\\u{u:04X}")).collect();
    let cases: Vec<(Vec<u8>, Form)> = vec![
        (MARK.into(), Form::Raw),
        (MARK.to_uppercase().into(), Form::Raw),
        (MARK.to_lowercase().into(), Form::Raw),
        (le.clone(), Form::Utf16Le),
        (be, Form::Utf16Be),
        (latin, Form::Latin1),
        (serde_json::to_vec(MARK).unwrap(), Form::JsonEscaped),
        (all_json.into(), Form::JsonEscaped),
        (MARK.replace('"', "\\u0022").replace('ö', "\\u00F6").into(), Form::JsonEscaped),
        (MARK.replace('"', "\\u0022").replace('ö', "\\u00F6").replace('\'', "\\u0027").into(), Form::JsonEscaped),
        (format!("{MARK:?}").into(), Form::JsonEscaped),
        (MARK.escape_default().to_string().into(), Form::DebugEscaped),
        (MARK.as_bytes().escape_ascii().to_string().into(), Form::DebugEscaped),
        (all_percent.into(), Form::Percent),
        (hex(MARK.as_bytes()).into(), Form::Hex),
        (hex(MARK.as_bytes()).to_uppercase().into(), Form::Hex),
        (hex(&le).into(), Form::HexOfUtf16),
        (format!("{:?}", MARK.as_bytes()).into(), Form::Decimal),
        (serde_json::to_vec(MARK.as_bytes()).unwrap(), Form::Decimal),
    ];
    for (bytes, form) in cases {
        assert_eq!(form_of(&amid(&bytes), 0), Some(form), "{form:?} {:?}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn a_text_is_found_in_urls_and_forms() {
    assert_eq!(form_of(b"GET /v1/x?q=Z%C3%B6e%20Tarrow-Weir%27s%20%22grey%20heron%22%204417%3F%3E~ HTTP/1.1", 0), Some(Form::Percent));
    assert_eq!(form_of(b"q=Z%C3%B6e+Tarrow-Weir%27s+%22grey+heron%22+4417%3F%3E~&", 0), Some(Form::FormEncoded));
}

#[test]
fn base64_is_found_at_every_alignment_in_both_alphabets_and_of_either_case() {
    for text in [MARK.to_owned(), MARK.to_uppercase(), MARK.to_lowercase()] {
        for before in 0..7 {
            let bytes = [&noise(5, before)[..], text.as_bytes(), &noise(6, 11)].concat();
            for encoded in [STANDARD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
                let findings = search(format!("log line {encoded} end").as_bytes());
                let hit = findings.hits.get(&(0, "here".to_owned())).unwrap_or_else(|| panic!("{before} {encoded}"));
                assert!(matches!(hit.form, Form::Base64 | Form::Base64Url) && hit.layers.is_empty());
            }
        }
    }
}

#[test]
fn a_key_is_found_raw_in_hex_in_base64_and_as_numbers_and_by_either_half() {
    assert_eq!(form_of(&amid(&KEY), 1), Some(Form::Raw));
    assert_eq!(form_of(&amid(&KEY[..16]), 1), Some(Form::Raw));
    assert_eq!(form_of(&amid(&KEY[16..]), 1), Some(Form::Raw));
    assert_eq!(form_of(hex(&KEY).to_uppercase().as_bytes(), 1), Some(Form::Hex));
    assert_eq!(form_of(format!("{KEY:?}").as_bytes(), 1), Some(Form::Decimal));
    for before in 0..3 {
        let encoded = URL_SAFE_NO_PAD.encode([&noise(5, before)[..], &KEY].concat());
        assert!(form_of(encoded.as_bytes(), 1).is_some(), "{before}");
    }
    assert_eq!(form_of(&amid(&KEY[..12]), 1), None, "a shorter piece is chance");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::GzBuilder::new().filename("note.txt").write(Vec::new(), flate2::Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    brotli::CompressorWriter::new(&mut out, 4096, 5, 20).write_all(bytes).unwrap();
    out
}

fn story() -> Vec<u8> {
    format!("{}\n{MARK}\n{}", "It rained over the weir and nobody came. ".repeat(40), "They spoke of the lantern again. ".repeat(40)).into_bytes()
}

fn layers_of(bytes: &[u8]) -> Vec<&'static str> {
    search(bytes).hits.get(&(0, "here".to_owned())).unwrap_or_else(|| panic!("not found")).layers.clone()
}

#[test]
fn packed_streams_are_found_anywhere_and_unpacked() {
    assert_eq!(layers_of(&amid(&gzip(&story()))), ["gzip"]);
    assert_eq!(layers_of(&amid(&zlib(&story()))), ["zlib"]);
    assert_eq!(layers_of(&amid(&zstd::encode_all(&story()[..], 3).unwrap())), ["zstd"]);
    assert_eq!(layers_of(&brotli(&story())), ["brotli"]);
    assert_eq!(layers_of(&[b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\n\r\n".to_vec(), brotli(&story())].concat()), ["brotli"]);
    assert_eq!(layers_of(&deflate(&story())), ["deflate"]);
}

#[test]
fn layers_inside_layers_are_searched_three_deep() {
    let inner = gzip(&zlib(&story()));
    assert_eq!(layers_of(&amid(&inner)), ["gzip", "zlib"]);
    let text = format!("body={} end", STANDARD.encode(amid(&inner)));
    assert_eq!(layers_of(text.as_bytes()), ["base64", "gzip", "zlib"]);
    assert_eq!(layers_of(hex(&gzip(&story())).as_bytes()), ["hex", "gzip"]);
}

#[test]
fn json_inside_an_address_is_found() {
    let escaped = MARK.replace('"', "\\u0022").replace('ö', "\\u00F6");
    let address: String = escaped.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect();
    assert_eq!(layers_of(format!("GET /v1/entries?note={address} HTTP/1.1").as_bytes()), ["percent"]);
}

#[test]
fn base64_with_line_ends_is_one_run() {
    let encoded = STANDARD.encode(gzip(&story()));
    let lines: Vec<&str> = encoded.as_bytes().chunks(76).map(|l| std::str::from_utf8(l).unwrap()).collect();
    assert_eq!(layers_of(lines.join("\r\n").as_bytes()), ["base64", "gzip"]);
    assert_eq!(layers_of(lines.join("\n").as_bytes()), ["base64", "gzip"]);
}

#[test]
fn a_packed_stream_that_was_cut_is_searched_as_far_as_it_goes() {
    let whole = gzip(&[story(), noise(1, 100_000)].concat());
    assert_eq!(layers_of(&whole[..whole.len() / 2]), ["gzip"]);
}

#[test]
fn a_bomb_is_bounded() {
    let bomb = gzip(&gzip(&vec![0u8; 300 << 20]));
    let findings = search(&bomb);
    assert!(findings.unpacked_bytes <= 600 << 20);
}

#[test]
fn a_mark_too_short_to_mean_anything_is_refused() {
    assert_eq!(Needles::new().mark("short", "short").unwrap_err(), SearchError::TooShort);
    assert_eq!(Needles::new().key("short", &[1; 12]).unwrap_err(), SearchError::TooShort);
}

#[test]
fn folders_are_searched_with_their_file_names_and_an_unreadable_one_is_no_clean_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("deep")).unwrap();
    std::fs::write(folder.path().join("deep").join("Zöe Tarrow-Weir's \"grey heron\" 4417?>~.txt"), b"nothing").unwrap();
    let mut findings = Findings::default();
    searcher().search_folder("temp", folder.path(), &mut findings).unwrap();
    assert!(findings.found(0, "temp/(names)"));
    assert!(matches!(searcher().search_folder("temp", &folder.path().join("absent"), &mut findings), Err(SearchError::Unreadable(_))));
}

#[test]
fn the_memory_of_another_process_is_searched() {
    let mut child = std::process::Command::new("sh")
        .args(["-c", "read -r LINE; echo ready; read -r END; echo $LINE"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.as_mut().unwrap(), "{MARK}").unwrap();
    let mut ready = [0u8; 6];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
    let mut findings = Findings::default();
    match searcher().search_memory("memory", child.id(), &mut findings) {
        Ok(read) => assert!(read.read > 100_000 && findings.found(0, "memory")),
        Err(e) => println!("skipped: {e}"),
    }
    drop(child.stdin.take());
    child.wait().unwrap();
}
