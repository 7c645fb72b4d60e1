//! Every combination of tenant, credential, role and origin, over a socket and over HTTP, by one table.

use serde_json::json;

use crate::support::{Page, TestServer, token};

/// What a credential makes of somebody in a tenant.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Proves {
    Admin,
    /// A visitor, by a credential that could be an admin's but is none.
    Visitor,
    /// A visitor, without any such credential.
    Nobody,
    Refused(&'static str),
}
use Proves::{Admin, Nobody, Refused, Visitor};

/// What somebody is let in as, or the code they are refused with.
type Outcome = Result<&'static str, &'static str>;

const ORIGINS: [Option<&str>; 4] = [
    None,
    Some("https://shop.example"),
    Some("https://desk.example"),
    Some("https://evil.example"),
];

/// The credentials: what each proves in the tenant `open`, and in `42`, which has widget keys.
fn table(visitor_token: &str) -> Vec<(&'static str, String, Proves, Proves)> {
    let jwt =
        |tenant: &str, role: &str| token(json!({ "sub": "u", "tenantId": tenant, "role": role }));
    let expired = token(json!({ "sub": "u", "tenantId": "open", "exp": 1_000_000_000 }));
    let mut forged = jwt("open", "admin");
    forged.truncate(forged.len() - 4);
    let missing = Refused("CREDENTIAL_REQUIRED");
    let foreign = Refused("WRONG_TENANT");
    let (unknown, invalid) = (Refused("INVALID_API_KEY"), Refused("INVALID_TOKEN"));
    let old = Refused("TOKEN_EXPIRED");
    let unsigned = "eyJhbGciOiJub25lIn0.e30.";
    vec![
        ("nothing", String::new(), Nobody, missing),
        ("no key", "nonsense".into(), unknown, unknown),
        ("open's admin key", "open-admin".into(), Admin, foreign),
        ("42's admin key", "shop-admin".into(), foreign, Admin),
        ("42's widget key", "shop-widget".into(), foreign, Visitor),
        ("a user of open", jwt("open", "user"), Visitor, foreign),
        ("an admin of open", jwt("open", "admin"), Admin, foreign),
        ("a user of 42", jwt("42", "user"), foreign, Visitor),
        ("an admin of 42", jwt("42", "admin"), foreign, Admin),
        ("an expired token", expired, old, old),
        ("a forged token", forged, invalid, invalid),
        ("an unsigned token", unsigned.into(), invalid, invalid),
        (
            "open's visitor token",
            visitor_token.into(),
            Nobody,
            missing,
        ),
        ("a bad visitor token", "visitor.x".into(), Nobody, missing),
    ]
}

fn expected(
    tenant: Option<&str>,
    proves: Proves,
    role: Option<&str>,
    origin: Option<&str>,
) -> Outcome {
    match tenant {
        None => return Err("TENANT_REQUIRED"),
        Some("open" | "42") => {}
        Some(_) => return Err("UNKNOWN_TENANT"),
    }
    let granted = match (proves, role) {
        // What is wrong with the credential is said before anything else.
        (Refused(code), _) => return Err(code),
        (Nobody, Some("admin")) => return Err("CREDENTIAL_REQUIRED"),
        (Visitor, Some("admin")) => return Err("ADMIN_REQUIRED"),
        (Admin, None | Some("admin")) => "admin",
        (Admin | Visitor | Nobody, _) => "visitor",
    };
    let admitted = match (tenant, granted) {
        (Some("42"), "admin") => "https://desk.example",
        (Some("42"), _) => "https://shop.example",
        _ => return Ok(granted),
    };
    match origin {
        Some(origin) if origin != admitted => Err("ORIGIN_NOT_ALLOWED"),
        Some(_) | None => Ok(granted),
    }
}

fn status(code: &str) -> u16 {
    match code {
        "TENANT_REQUIRED" => 400,
        "UNKNOWN_TENANT" => 404,
        "CREDENTIAL_REQUIRED" | "INVALID_API_KEY" | "INVALID_TOKEN" | "TOKEN_EXPIRED" => 401,
        "WRONG_TENANT" | "ADMIN_REQUIRED" | "ORIGIN_NOT_ALLOWED" => 403,
        other => panic!("no status for {other}"),
    }
}

async fn by_socket(
    server: &TestServer,
    mut page: Page,
    tenant: Option<&str>,
) -> Result<String, String> {
    if let Some(tenant) = tenant {
        page = page.query("tenantId", tenant);
    }
    match page.try_open(server).await {
        Err(error) => Err(error["data"]["code"].as_str().unwrap().to_owned()),
        Ok(mut client) => {
            let asked = json!({ "tenantId": tenant });
            let answer = client.ask("get_online_users", &asked).await;
            let is_admin = answer["code"] != "ADMIN_REQUIRED";
            client.leave().await;
            Ok(if is_admin { "admin" } else { "visitor" }.to_owned())
        }
    }
}

/// Reading the list asks for the admin role; opening a session asks for none.
async fn by_http(
    server: &TestServer,
    tenant: Option<&str>,
    credential: &str,
    role: Option<&str>,
    origin: Option<&str>,
) -> (u16, String) {
    let named = tenant.map_or(String::new(), |tenant| format!("?tenantId={tenant}"));
    let mut request = match role {
        Some(_) => server.get(&format!("/api/chat/online-users{named}")),
        None => server.post(&format!("/api/chat/session{named}"), &json!({})),
    };
    if !credential.is_empty() {
        request = request.bearer_auth(credential);
    }
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body: serde_json::Value = response.json().await.unwrap();
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn every_combination_ends_as_the_table_says() {
    let server = TestServer::start().await;
    let mut known = Page::of("open")
        .auth("visitorToken", "")
        .open(&server)
        .await;
    let issued = known.expect("visitor_token").await;
    let visitor_token = issued["token"].as_str().unwrap();
    let mut seen = 0;
    for (what, credential, in_open, in_shop) in table(visitor_token) {
        for tenant in [Some("open"), Some("42"), Some("nowhere"), None] {
            let proves = if tenant == Some("42") {
                in_shop
            } else {
                in_open
            };
            for role in [None, Some("user"), Some("admin")] {
                for origin in ORIGINS {
                    let expected = expected(tenant, proves, role, origin);
                    let case = format!("{what}, {tenant:?}, {role:?}, {origin:?}");
                    let mut page = Page::nowhere();
                    // By turns in each of the places where a credential may stand.
                    page = match (credential.is_empty(), seen % 3) {
                        (true, _) => page,
                        (false, 0) => page.auth("token", credential.as_str()),
                        (false, 1) => page.auth("apiKey", credential.as_str()),
                        (false, _) => page.header("authorization", &format!("Bearer {credential}")),
                    };
                    page = match (role, seen % 2) {
                        (Some(role), 0) => page.query("role", role),
                        (Some(role), _) => page.auth("role", role),
                        (None, _) => page,
                    };
                    if let Some(origin) = origin {
                        page = page.header("origin", origin);
                    }
                    let outcome = by_socket(&server, page, tenant).await;
                    let outcome = outcome.as_deref().map_err(String::as_str);
                    assert_eq!(outcome, expected, "socket: {case}");
                    if role != Some("user") {
                        let outcome = by_http(&server, tenant, &credential, role, origin).await;
                        let code = expected.err().unwrap_or_default();
                        let status = if code.is_empty() { 200 } else { status(code) };
                        assert_eq!(outcome, (status, code.to_owned()), "http: {case}");
                    }
                    seen += 1;
                }
            }
        }
    }
    assert_eq!(seen, 14 * 4 * 3 * 4);
    drop(known);
    server.finish().await;
}
