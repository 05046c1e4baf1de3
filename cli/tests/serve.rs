//! The real program: it starts, says where, answers, refuses a second one on the same data, and stops when told.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_subrosa"));
    command.env_clear().stdin(Stdio::null());
    command
}

fn serve(data: &std::path::Path) -> (Child, serde_json::Value) {
    let mut child = program()
        .args(["--json", "serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

fn ask(address: &str, path: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_program_serves_says_where_and_stops_when_told() {
    let folder = std::env::temp_dir().join(format!("subrosa-serve-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let (mut child, said) = serve(&folder);
    let address = said["address"].as_str().unwrap();
    assert!(said["setup"].as_str().unwrap().contains("/#setup="));
    assert!(ask(address, "/v1/hello").contains("\"practice\":null"));
    assert!(ask(address, "/health").contains("ok"));
    assert!(ask(address, "/").starts_with("HTTP/1.1 200"));
    assert!(ask(address, "/metrics").contains("subrosa_requests_total"));

    let second = program().args(["--json", "serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&folder).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said: serde_json::Value = serde_json::from_slice(&second.stdout).unwrap();
    assert_eq!(said["code"], "locked");

    #[cfg(unix)]
    {
        Command::new("kill").arg(child.id().to_string()).status().unwrap();
        assert!(child.wait().unwrap().success());
    }
    let _ = child.kill();
    let _ = child.wait();
    let _ = std::fs::remove_dir_all(&folder);
}

#[test]
fn settings_are_checked_by_name() {
    let good = program().args(["--json", "config", "check"]).output().unwrap();
    assert!(good.status.success());
    let said: serde_json::Value = serde_json::from_slice(&good.stdout).unwrap();
    assert_eq!(said["origin"], "http://localhost:7110/");
    let bad = program().args(["config", "check", "--host", "192.168.0.1"]).output().unwrap();
    assert_eq!(bad.status.code(), Some(2));
    assert!(String::from_utf8(bad.stderr).unwrap().contains("host:"));
    let env = program().args(["config", "check"]).env("SUBROSA_LISTEN", "nonsense").output().unwrap();
    assert_eq!(env.status.code(), Some(2));
}
