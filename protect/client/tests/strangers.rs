//! Whatever bytes a stranger sends: a clear refusal, never a panic, never a word of the content.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::sync::Arc;

use proptest::prelude::*;
use subrosa_client::{ClientError, Connection, Credential, DeviceSecrets, Fut, Invited, Kit, Request, Response, SystemClock, Transport, check_looked_proof, open_offline};

/// A server that answers the same to everything.
struct Says(u16, Vec<u8>);

impl Transport for Says {
    fn send(&self, _: Request) -> Fut<'_, Result<Response, ClientError>> {
        let answer = Response { status: self.0, headers: Vec::new(), body: self.1.clone() };
        Box::pin(async move { Ok(answer) })
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), text in "\\PC{0,200}", status in 100u16..600) {
        prop_assert!(check_looked_proof(&bytes).is_err());
        let _ = Kit::from_qr_text(&text);
        prop_assert!(Credential::from_json(&text).is_err() || text.contains("rawId") || text.contains("id"));
        let conn = Connection::new(Arc::new(Says(status, bytes.clone())), Arc::new(SystemClock));
        let refused = wait(conn.hello());
        prop_assert!(refused.is_err());
        prop_assert!(wait(Invited::read(&conn, &text)).is_err());
        let passkey = subrosa_client::SoftPasskey::new("http://localhost");
        prop_assert!(wait(open_offline(&passkey, None, &bytes)).is_err());
        prop_assert!(wait(subrosa_client::signin(&conn, &passkey, None)).is_err());
    }

    #[test]
    fn a_refusals_text_reaches_people_without_control_characters_and_bounded(message in "\\PC{0,50}[\\x00-\\x1f]{0,9}\\PC{0,900}") {
        let body = serde_json::json!({ "code": "some-code", "message": message, "retry_after_s": null }).to_string().into_bytes();
        let conn = Connection::new(Arc::new(Says(400, body)), Arc::new(SystemClock));
        let error = wait(conn.hello()).unwrap_err();
        prop_assert_eq!(error.server_code(), Some("some-code"));
        let shown = error.to_string();
        prop_assert!(shown.chars().count() <= 600 && !shown.chars().any(char::is_control));
    }
}

#[test]
fn a_device_file_of_other_bytes_is_refused_before_any_work() {
    for file in [&b""[..], b"\xa0", b"\x83\x01\x02\x03", &[0xff; 64]] {
        assert_eq!(DeviceSecrets::open(file, "a long passphrase").unwrap_err().code(), "local-copy");
    }
}
