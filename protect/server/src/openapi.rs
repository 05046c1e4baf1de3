//! The OpenAPI description, drawn from the route table, so that it cannot say anything else than what is served.

use serde_json::{Map, Value, json};

use crate::routes::{Auth, ROUTES, Route};

/// The whole description.
pub fn document() -> Value {
    let mut paths = Map::new();
    let mut types: Vec<&str> = vec!["ErrorBody"];
    for route in ROUTES {
        let slot = paths.entry(route.path).or_insert_with(|| json!({}));
        slot[route.method.to_ascii_lowercase()] = operation(route);
        types.extend([route.takes, route.gives].into_iter().filter(|t| !t.is_empty()));
    }
    types.sort_unstable();
    types.dedup();
    let schemas: Map<String, Value> = types.into_iter().map(|t| (t.to_owned(), schema(t))).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Subrosa",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The vault's API. Bodies are JSON (bytes as base64url without padding, ids as lower-case hex) or deterministic CBOR, chosen by Content-Type and Accept. Signed and sealed things travel as the bytes that were signed or sealed."
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "header", "name": "Subrosa-Session", "description": "The session's id; the request is signed in Subrosa-Signature." },
                "keeper": { "type": "apiKey", "in": "header", "name": "Subrosa-Keeper", "description": "The keeper's name; the request is signed with its key over a session id of zeros." },
                "keeper": { "type": "apiKey", "in": "header", "name": "Subrosa-Keeper", "description": "The keeper's name in the directory; the request is signed in Subrosa-Signature by its key." },
                "signature": { "type": "apiKey", "in": "header", "name": "Subrosa-Signature", "description": "v1.<time in ms>.<nonce>.<Ed25519 signature by the session key>; each is served once." }
            }
        }
    })
}

fn schema(name: &str) -> Value {
    if name == "ErrorBody" {
        return json!({
            "type": "object",
            "required": ["code", "message", "retry_after_s"],
            "properties": { "code": { "type": "string" }, "message": { "type": "string" }, "retry_after_s": { "type": ["integer", "null"] } }
        });
    }
    json!({ "type": "object", "description": format!("subrosa_protocol::api::{name} (ChartHistory: subrosa_protocol::access)") })
}

fn content(name: &str) -> Value {
    let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
    json!({ "application/json": { "schema": schema }, "application/cbor": { "schema": schema } })
}

fn operation(route: &Route) -> Value {
    let mut op = json!({ "summary": route.says, "operationId": format!("{} {}", route.method, route.path) });
    let names = route.path.split('/').filter_map(|p| p.strip_prefix('{').and_then(|p| p.strip_suffix('}')));
    let mut parameters: Vec<Value> = names.map(|n| json!({ "name": n, "in": "path", "required": true, "schema": { "type": "string" } })).collect();
    if route.versioned {
        parameters.push(json!({ "name": "Subrosa-Protocol", "in": "header", "required": true, "schema": { "type": "integer" } }));
    }
    op["parameters"] = Value::Array(parameters);
    if !route.takes.is_empty() {
        op["requestBody"] = json!({ "required": true, "content": content(route.takes) });
    } else if route.raw {
        op["requestBody"] = json!({ "required": true, "content": { "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } } });
    }
    let good = if route.gives.is_empty() { json!({ "description": "Done." }) } else { json!({ "description": "Done.", "content": content(route.gives) }) };
    let refusal = json!({ "description": "Refused, with a stable code.", "content": content("ErrorBody") });
    op["responses"] = json!({ "2XX": good, "4XX": refusal, "5XX": refusal });
    op["security"] = match route.auth {
        Auth::Session | Auth::Restricted => json!([{ "session": [], "signature": [] }]),
        Auth::Keeper => json!([{ "keeper": [], "signature": [] }]),
        Auth::Open | Auth::Strict => json!([]),
    };
    op
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::routes::{Found, find};
    use axum::http::Method;

    #[test]
    fn every_route_is_described_and_every_description_is_a_route() {
        let document = document();
        let mut described = 0;
        for (path, operations) in document["paths"].as_object().unwrap() {
            for method in operations.as_object().unwrap().keys() {
                let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).unwrap();
                let Found::Route(route, _) = find(&method, path) else { panic!("{method} {path} is described and not served") };
                assert_eq!((route.method, route.path), (method.as_str(), path.as_str()));
                described += 1;
            }
        }
        assert_eq!(described, ROUTES.len());
    }

    #[test]
    fn every_type_that_is_named_exists_in_the_protocol() {
        let source = include_str!("../../../core/protocol/src/api.rs");
        let access = include_str!("../../../core/protocol/src/access.rs");
        for name in document()["components"]["schemas"].as_object().unwrap().keys() {
            let declared = format!("pub struct {name} ");
            assert!(source.contains(&declared) || access.contains(&declared), "{name}");
        }
    }

    /// What the protocol's comments promise is served.
    #[test]
    fn every_address_in_the_protocols_comments_is_served() {
        let source = include_str!("../../../core/protocol/src/api.rs");
        let mut checked = 0;
        for quoted in source.split('`').filter(|q| q.starts_with("GET /") || q.starts_with("POST /") || q.starts_with("PUT /") || q.starts_with("DELETE /")) {
            let (method, rest) = quoted.split_once(' ').unwrap();
            let path = rest.split('?').next().unwrap();
            assert!(matches!(find(&Method::from_bytes(method.as_bytes()).unwrap(), path), Found::Route(..)), "{quoted}");
            checked += 1;
        }
        assert!(checked > 25);
    }
}
