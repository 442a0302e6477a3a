//! Headers and claims of perfect tokens, as Entra and an authorization server of ours write them.

use serde_json::{Value, json};

use crate::{with, without};

/// Base URL of the authority.
pub const AUTHORITY: &str = "https://login.microsoftonline.com";
/// Base URL of v1 issuers.
pub const V1_AUTHORITY: &str = "https://sts.windows.net";
/// The tenant that may call.
pub const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
/// A second tenant that may call.
pub const SECOND_TENANT: &str = "3aa4a235-b6e2-48d5-9195-7fcf05b459b0";
/// A tenant that Entra knows and the rules do not.
pub const FOREIGN_TENANT: &str = "0f7a9c11-5d39-4f3e-9d43-c3f2d3b9c0ab";
/// The tenant of personal accounts.
pub const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
/// The caller.
pub const USER: &str = "00aa00aa-bb11-cc22-dd33-44ee44ee44ee";
/// The client application.
pub const CLIENT: &str = "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d";
/// This server, as v2 tokens name it.
pub const AUDIENCE: &str = "11111111-2222-3333-4444-555555555555";
/// This server, as v1 tokens name it.
pub const AUDIENCE_URI: &str = "api://valet.example";
/// The name of the key that signs.
pub const KEY_ID: &str = "Work-Key_1";
/// An authorization server of ours.
pub const AT_JWT_ISSUER: &str = "https://valet.example";
/// This server, as that one's tokens name it.
pub const AT_JWT_AUDIENCE: &str = "https://valet.example/mcp";

/// The header of a v2 token as Entra writes it.
#[must_use]
pub fn header() -> Value {
    json!({ "typ": "JWT", "alg": "RS256", "kid": KEY_ID })
}

/// The claims of a delegated v2 token that was issued five minutes before `now`, with the claims that decide nothing too.
#[must_use]
pub fn claims(now: u64) -> Value {
    json!({
        "aud": AUDIENCE, "iss": format!("{AUTHORITY}/{TENANT}/v2.0"),
        "iat": now - 300, "nbf": now - 300, "exp": now + 3600,
        "aio": "AXQAi/8TAAAA", "azp": CLIENT, "azpacr": "0", "name": "Abe Lincoln", "oid": USER,
        "preferred_username": "abeli@example.com", "rh": "I", "scp": "Mail.Read access_as_user",
        "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ", "tid": TENANT,
        "uti": "Ed4nKQ7kqkOmDUzjxgAhAA", "ver": "2.0", "wids": ["b79fbf4d-3ef9-4689-8143-76b194e85509"],
    })
}

/// The claims of a delegated v1 token.
#[must_use]
pub fn v1_claims(now: u64) -> Value {
    let v1 = with(claims(now), "ver", json!("1.0"));
    let v1 = with(v1, "iss", json!(format!("{V1_AUTHORITY}/{TENANT}/")));
    with(with(without(v1, "azp"), "appid", json!(CLIENT)), "aud", json!(AUDIENCE_URI))
}

/// The claims of a v2 token that an application got for itself.
#[must_use]
pub fn app_claims(now: u64) -> Value {
    let app = without(without(claims(now), "scp"), "name");
    with(with(app, "roles", json!(["Files.Read.All"])), "idtyp", json!("app"))
}

/// The header of an access token in the JWT profile (RFC 9068 section 2.1).
#[must_use]
pub fn at_jwt_header() -> Value {
    with(header(), "typ", json!("at+jwt"))
}

/// The claims of such a token (RFC 9068 section 2.2), with the user as Entra knows them.
#[must_use]
pub fn at_jwt_claims(now: u64) -> Value {
    json!({
        "iss": AT_JWT_ISSUER, "aud": AT_JWT_AUDIENCE, "iat": now - 300, "exp": now + 600, "jti": "jti-1",
        "sub": USER, "client_id": "https://client.example/metadata.json", "scope": "mcp.access",
        "tid": TENANT, "oid": USER, "name": "Abe Lincoln", "sid": "session-1",
    })
}
