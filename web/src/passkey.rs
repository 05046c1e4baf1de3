//! Passkeys: the client's [`Authenticator`] over `navigator.credentials`, with the PRF extension.
//!
//! What is sent is built field by field, so that the PRF's output, which the browser would put into `toJSON()`, cannot be in it.

use js_sys::{Array, Object, Reflect, Uint8Array};
use serde_json::{Map, Value, json};
use subrosa_client::{Authenticator, ClientError, Credential, Fut};
use subrosa_crypto::{Zeroizing, base64url, from_base64url};
use wasm_bindgen::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

use crate::dom::{self, get};

/// This browser's passkeys.
pub struct Passkeys;

impl Authenticator for Passkeys {
    fn create<'a>(&'a self, options_json: &'a str) -> Fut<'a, Result<Credential, ClientError>> {
        Box::pin(ask("create", options_json))
    }

    fn get<'a>(&'a self, options_json: &'a str) -> Fut<'a, Result<Credential, ClientError>> {
        Box::pin(ask("get", options_json))
    }
}

/// Whether this browser has passkeys at all.
pub fn available() -> bool {
    get(&dom::window(), "PublicKeyCredential").is_function()
}

async fn ask(method: &str, options_json: &str) -> Result<Credential, ClientError> {
    if !available() {
        return Err(ClientError::PasskeyAnswer("this browser has no passkeys"));
    }
    let options: Value = serde_json::from_str(options_json).map_err(|_| refused())?;
    let options = to_js(&options, "");
    let container: JsValue = get(&dom::window().navigator(), "credentials");
    let call = get(&container, method).dyn_into::<js_sys::Function>().map_err(|_| ClientError::PasskeyAnswer("this browser has no passkeys"))?;
    let promise = call.call1(&container, &options).map_err(|e| failed(&e))?;
    let promise = promise.dyn_into::<js_sys::Promise>().map_err(|_| refused())?;
    let credential = JsFuture::from(promise).await.map_err(|e| failed(&e))?;
    read(&credential)
}

/// What the browser said, without anything of the credential.
fn read(credential: &JsValue) -> Result<Credential, ClientError> {
    let raw_id = bytes(&get(credential, "rawId")).ok_or_else(refused)?;
    let response = get(credential, "response");
    let mut fields = Map::new();
    for name in ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"] {
        if let Some(value) = bytes(&get(&response, name)) {
            fields.insert(name.to_owned(), Value::String(base64url(&value)));
        }
    }
    if let Ok(transports) = get(&response, "getTransports").dyn_into::<js_sys::Function>()
        && let Ok(list) = transports.call0(&response)
    {
        let list: Vec<Value> = Array::from(&list).iter().filter_map(|t| t.as_string()).map(Value::String).collect();
        fields.insert("transports".to_owned(), Value::Array(list));
    }
    let results = get(credential, "getClientExtensionResults")
        .dyn_into::<js_sys::Function>()
        .ok()
        .and_then(|f| f.call0(credential).ok())
        .unwrap_or(JsValue::UNDEFINED);
    let prf = get_deep(&results, &["prf"]);
    let first = bytes(&get_deep(&prf, &["results", "first"])).map(Zeroizing::new);
    let prf_output = first.and_then(|b| <[u8; 32]>::try_from(b.as_slice()).ok()).map(Zeroizing::new);
    let json = json!({ "id": base64url(&raw_id), "rawId": base64url(&raw_id), "type": "public-key", "response": fields, "extensions": {} });
    Ok(Credential { json: json.to_string(), id: raw_id, prf: prf_output, prf_enabled: get(&prf, "enabled").as_bool() })
}

fn get_deep(value: &JsValue, path: &[&str]) -> JsValue {
    path.iter().fold(value.clone(), |value, name| if value.is_object() { get(&value, name) } else { JsValue::UNDEFINED })
}

fn bytes(value: &JsValue) -> Option<Vec<u8>> {
    value.is_instance_of::<js_sys::ArrayBuffer>().then(|| Uint8Array::new(value).to_vec())
}

/// JSON to JavaScript; the texts that WebAuthn wants as bytes become bytes.
fn to_js(value: &Value, name: &str) -> JsValue {
    match value {
        Value::Null => JsValue::UNDEFINED,
        Value::Bool(b) => (*b).into(),
        Value::Number(n) => n.as_f64().unwrap_or_default().into(),
        Value::String(text) => match name {
            "challenge" | "id-bytes" | "first" | "second" => from_base64url(text).map_or(JsValue::UNDEFINED, |b| Uint8Array::from(b.as_slice()).into()),
            _ => text.into(),
        },
        Value::Array(items) => items.iter().map(|item| to_js(item, name)).collect::<Array>().into(),
        Value::Object(fields) => {
            let object = Object::new();
            for (key, field) in fields.iter().filter(|(_, field)| !field.is_null()) {
                let is_bytes = key == "id" && matches!(name, "user" | "allowCredentials" | "excludeCredentials");
                let _ = Reflect::set(&object, &key.into(), &to_js(field, if is_bytes { "id-bytes" } else { key }));
            }
            object.into()
        }
    }
}

fn failed(error: &JsValue) -> ClientError {
    match get(error, "name").as_string().as_deref() {
        Some("NotAllowedError" | "AbortError") => ClientError::PasskeyCancelled,
        _ => refused(),
    }
}

fn refused() -> ClientError {
    ClientError::PasskeyAnswer("not understood")
}
