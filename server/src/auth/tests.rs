//! The decision as tables: role asked for, credential shown, tenant named.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::*;

const SECRET: &str = "a shared secret of some length, for tests";
const NOW: u64 = 1_700_000_000;
const LIFETIME: std::time::Duration = std::time::Duration::from_hours(24);

const TENANTS: &str = r#"
    [[tenants]]
    id = "open"
    admin_keys = ["open-admin"]

    [[tenants]]
    id = "42"
    admin_keys = ["shop-admin"]
    widget_keys = ["shop-widget"]
    allowed_origins = ["https://shop.example"]
    admin_origins = ["https://desk.example"]
"#;

fn sign(claims: &Value, secret: &str, algorithm: Algorithm) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(algorithm), claims, &key).unwrap()
}

fn token(claims: &Value) -> String {
    sign(claims, SECRET, Algorithm::HS256)
}

fn user_token(tenant: &Value, role: &str) -> String {
    token(&json!({ "sub": "u-1", "tenantId": tenant, "role": role, "exp": NOW + 60 }))
}

fn decide_with(credentials: &Credentials<'_>) -> Result<Identity, Refusal> {
    decide_by(&TokenVerifier::with_shared_secret(SECRET), credentials, 7)
        .map(|decision| decision.identity)
}

fn decide_by(
    verifier: &TokenVerifier,
    credentials: &Credentials<'_>,
    fresh: u128,
) -> Result<Decision, Refusal> {
    let authority = Authority {
        tenants: &Tenants::parse(TENANTS).unwrap(),
        verifier,
        visitors: &VisitorTokens::new(b"visitors", LIFETIME),
    };
    let now = WallTime::from_unix_seconds(NOW);
    decide(credentials, &authority, now, Uuid::from_u128(fresh))
}

/// `role tenant credential -> outcome`, where the outcome is `admin`, `visitor` or a code.
fn outcome(tenant: &str, role: Option<&str>, token: Option<&str>) -> String {
    let credentials = Credentials {
        tenant_id: Some(tenant),
        role,
        token,
        visitor_id: Some("v"),
        ..Credentials::default()
    };
    match decide_with(&credentials) {
        Ok(identity) => {
            assert_eq!(&**identity.tenant().id(), tenant);
            assert_eq!(
                identity.user_id().starts_with(ANONYMOUS),
                !identity.is_proven() && !identity.is_admin(),
                "{identity:?}"
            );
            identity.role().as_str().to_owned()
        }
        Err(refusal) => refusal.code().as_str().to_owned(),
    }
}

#[test]
fn role_and_credential_and_tenant_decide_together() {
    let admin = user_token(&json!("42"), "admin");
    let admin_by_number = user_token(&json!(42), "admin");
    let user = user_token(&json!("42"), "user");
    let other = user_token(&json!("open"), "admin");
    let (admin, number, user, other) = (
        Some(&*admin),
        Some(&*admin_by_number),
        Some(&*user),
        Some(&*other),
    );
    let (asks_admin, asks_user, silent) = (Some("admin"), Some("user"), None);
    let table = [
        // A tenant with widget keys.
        ("42", silent, None, "CREDENTIAL_REQUIRED"),
        ("42", asks_admin, None, "CREDENTIAL_REQUIRED"),
        ("42", silent, Some(""), "CREDENTIAL_REQUIRED"),
        ("42", silent, Some("shop-widget"), "visitor"),
        ("42", asks_user, Some("shop-widget"), "visitor"),
        ("42", asks_admin, Some("shop-widget"), "ADMIN_REQUIRED"),
        ("42", silent, Some("shop-admin"), "admin"),
        ("42", asks_admin, Some("shop-admin"), "admin"),
        ("42", asks_user, Some("shop-admin"), "visitor"),
        ("42", asks_admin, Some("open-admin"), "WRONG_TENANT"),
        ("42", silent, Some("nonsense"), "INVALID_API_KEY"),
        ("42", asks_admin, Some("nonsense"), "INVALID_API_KEY"),
        ("42", silent, user, "visitor"),
        ("42", asks_admin, user, "ADMIN_REQUIRED"),
        ("42", silent, admin, "admin"),
        ("42", asks_admin, admin, "admin"),
        ("42", asks_admin, number, "admin"),
        ("42", asks_user, admin, "visitor"),
        ("42", asks_admin, other, "WRONG_TENANT"),
        (
            "42",
            asks_admin,
            Some("eyJhbGciOiJub25lIn0.e30."),
            "INVALID_TOKEN",
        ),
        // A tenant without.
        ("open", silent, None, "visitor"),
        ("open", asks_admin, None, "CREDENTIAL_REQUIRED"),
        ("open", asks_admin, Some("open-admin"), "admin"),
        ("open", silent, Some("shop-widget"), "WRONG_TENANT"),
        ("open", silent, Some("nonsense"), "INVALID_API_KEY"),
        ("open", silent, user, "WRONG_TENANT"),
        // No tenant.
        ("", silent, None, "TENANT_REQUIRED"),
        ("nowhere", asks_admin, Some("open-admin"), "UNKNOWN_TENANT"),
    ];
    for (tenant, role, token, expected) in table {
        assert_eq!(
            outcome(tenant, role, token),
            expected,
            "{tenant} {role:?} {token:?}"
        );
    }
}

#[test]
fn a_token_counts_only_while_it_is_genuine_and_valid() {
    let exp = NOW + 60;
    let claims = json!({ "sub": "u", "tenantId": "42", "exp": exp });
    let without = |claim: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(claim);
        token(&claims)
    };
    let with = |claim: &str, value: Value| {
        let mut claims = claims.clone();
        claims[claim] = value;
        token(&claims)
    };
    let mut forged = token(&claims);
    forged.truncate(forged.len() - 4);
    let table = [
        ("valid", token(&claims), "visitor"),
        (
            "fractional exp",
            with("exp", json!(1_700_000_060.5)),
            "visitor",
        ),
        (
            "an audience of its own",
            with("aud", json!("elsewhere")),
            "visitor",
        ),
        ("expired", with("exp", json!(NOW - 1)), "TOKEN_EXPIRED"),
        (
            "expires this second",
            with("exp", json!(NOW)),
            "TOKEN_EXPIRED",
        ),
        ("no exp", without("exp"), "INVALID_TOKEN"),
        ("exp is text", with("exp", json!("soon")), "INVALID_TOKEN"),
        ("no sub", without("sub"), "INVALID_TOKEN"),
        ("no tenant", without("tenantId"), "INVALID_TOKEN"),
        ("not yet", with("nbf", json!(NOW + 3600)), "INVALID_TOKEN"),
        (
            "two tenants",
            with("tenant_id", json!("open")),
            "INVALID_TOKEN",
        ),
        ("an empty sub", with("sub", json!("")), "INVALID_TOKEN"),
        (
            "a long sub",
            with("sub", json!("x".repeat(257))),
            "INVALID_TOKEN",
        ),
        (
            "a sub with a line break",
            with("sub", json!("a\nb")),
            "INVALID_TOKEN",
        ),
        (
            "another secret",
            sign(&claims, "guess", Algorithm::HS256),
            "INVALID_TOKEN",
        ),
        (
            "another algorithm",
            sign(&claims, SECRET, Algorithm::HS512),
            "INVALID_TOKEN",
        ),
        ("a cut signature", forged, "INVALID_TOKEN"),
    ];
    for (what, token, expected) in table {
        assert_eq!(outcome("42", None, Some(&token)), expected, "{what}");
    }
    let snake = token(&json!({ "sub": "u", "tenant_id": 42, "exp": exp }));
    assert_eq!(outcome("42", None, Some(&snake)), "visitor");
}

#[test]
fn without_a_secret_no_token_counts() {
    let token = user_token(&json!("42"), "admin");
    let credentials = Credentials {
        tenant_id: Some("42"),
        token: Some(&token),
        ..Credentials::default()
    };
    let refusal = decide_by(&TokenVerifier::default(), &credentials, 7).unwrap_err();
    assert_eq!(refusal.code(), Code::InvalidToken);
}

#[test]
fn an_id_tells_whether_it_is_proven() {
    let user = user_token(&json!("open"), "user");
    let admin = user_token(&json!("open"), "admin");
    let issued = VisitorTokens::new(b"visitors", LIFETIME).issue(
        "open",
        Uuid::from_u128(1),
        WallTime::from_unix_seconds(NOW),
    );
    let shown = [None, Some("open-admin"), Some(&*user), Some(&*admin)];
    for token in shown.into_iter().chain([Some(&*issued.token)]) {
        for (visitor_id, wants_visitor_token) in [(None, true), (None, false), (Some("v"), false)] {
            let credentials = Credentials {
                tenant_id: Some("open"),
                token,
                visitor_id,
                wants_visitor_token,
                ..Credentials::default()
            };
            let identity = decide_with(&credentials).unwrap();
            assert_eq!(
                is_proven_id(identity.user_id()),
                identity.is_proven(),
                "{identity:?}"
            );
        }
    }
    assert_eq!(visitor_id_of("anonymous-v"), Some("v"));
    for other in ["u-1", "admin-key-1", &issued.user_id] {
        assert_eq!(visitor_id_of(other), None);
    }
}

#[test]
fn an_unverified_visitor_never_shares_an_id_with_a_proven_user() {
    for reserved in ["anonymous-v", "anonymous-~v", "admin-key-v"] {
        let subject = token(&json!({ "sub": reserved, "tenantId": "42", "exp": NOW + 60 }));
        assert_eq!(outcome("42", None, Some(&subject)), "INVALID_TOKEN");
    }

    let named = |visitor_id| {
        decide_with(&Credentials {
            tenant_id: Some("open"),
            visitor_id,
            ..Credentials::default()
        })
        .map(|identity| identity.user_id().to_string())
        .map_err(|refusal| refusal.code())
    };
    assert_eq!(named(Some("u-1")).as_deref(), Ok("anonymous-u-1"));
    assert_eq!(
        named(None).as_deref(),
        Ok("anonymous-00000000000000000000000000000007")
    );
    assert_eq!(named(Some("")), named(None));
    let (longest, long) = ("x".repeat(128), "x".repeat(129));
    assert!(named(Some(&longest)).is_ok());
    for unusable in [long.as_str(), "a b", "a/b", "ü", "a\u{0}", "{a}", "a\"b"] {
        assert_eq!(
            named(Some(unusable)),
            Err(Code::InvalidPayload),
            "{unusable:?}"
        );
    }
}

#[test]
fn an_admin_by_key_has_a_name_that_nobody_else_can_have_twice() {
    let admin = |fresh| {
        let credentials = Credentials {
            tenant_id: Some("open"),
            token: Some("open-admin"),
            visitor_id: Some("boss"),
            ..Credentials::default()
        };
        decide_by(&TokenVerifier::default(), &credentials, fresh)
            .unwrap()
            .identity
    };
    assert_ne!(admin(1).user_id(), admin(2).user_id());
    assert!(
        !admin(1).is_proven(),
        "a shared key does not say who holds it"
    );
}

#[test]
fn origins_are_judged_by_role() {
    let outcome = |token, origin| {
        decide_with(&Credentials {
            tenant_id: Some("42"),
            token: Some(token),
            origin,
            ..Credentials::default()
        })
        .map(|identity| identity.role())
        .map_err(|refusal| refusal.code())
    };
    let (shop, desk) = (Some("https://shop.example"), Some("https://desk.example"));
    assert_eq!(outcome("shop-widget", shop), Ok(Role::Visitor));
    assert_eq!(outcome("shop-widget", None), Ok(Role::Visitor));
    assert_eq!(outcome("shop-widget", desk), Err(Code::OriginNotAllowed));
    assert_eq!(
        outcome("shop-widget", Some("null")),
        Err(Code::OriginNotAllowed)
    );
    assert_eq!(outcome("shop-admin", desk), Ok(Role::Admin));
    assert_eq!(outcome("shop-admin", shop), Err(Code::OriginNotAllowed));
}

#[test]
fn no_refusal_repeats_the_credential() {
    let secret = "eyJhbGciOiJIUzI1NiJ9.secret-part.secret-part";
    for token in [secret, "secret-part"] {
        let credentials = Credentials {
            tenant_id: Some("open"),
            token: Some(token),
            ..Credentials::default()
        };
        let refusal = decide_with(&credentials).unwrap_err();
        assert!(!refusal.to_string().contains("secret-part"));
    }
}

/// A visitor of a tenant, with a visitor token and perhaps a key.
fn visitor(tenant: &str, key: Option<&str>, shown: &str, fresh: u128) -> Result<Decision, Code> {
    let credentials = Credentials {
        tenant_id: Some(tenant),
        token: key,
        visitor_token: Some(shown),
        wants_visitor_token: true,
        visitor_id: Some("v"),
        ..Credentials::default()
    };
    let verifier = TokenVerifier::with_shared_secret(SECRET);
    decide_by(&verifier, &credentials, fresh).map_err(|refusal| refusal.code())
}

#[test]
fn a_visitor_who_asks_gets_a_token_and_is_known_by_it() {
    let first = visitor("open", None, "", 1).unwrap();
    let issued = first.visitor_token.unwrap();
    assert!(first.identity.is_proven());
    assert_eq!(**first.identity.user_id(), issued.user_id);

    let again = visitor("open", None, &issued.token, 2).unwrap();
    assert!(again.identity.is_proven());
    assert_eq!(again.identity.user_id(), first.identity.user_id());
    assert_eq!(again.visitor_token, None, "it is young");

    let other = visitor("open", None, "", 3).unwrap();
    assert_ne!(other.identity.user_id(), first.identity.user_id());
}

#[test]
fn a_token_that_does_not_hold_is_as_good_as_none() {
    let of_shop = visitor("42", Some("shop-widget"), "", 1).unwrap();
    let of_shop = of_shop.visitor_token.unwrap();
    let old = VisitorTokens::new(b"visitors", LIFETIME).issue(
        "open",
        Uuid::from_u128(9),
        WallTime::from_unix_seconds(NOW - 2 * LIFETIME.as_secs()),
    );
    for shown in [
        &*of_shop.token,
        &old.token,
        "visitor.x",
        "nonsense",
        "ey.a.b",
    ] {
        let decision = visitor("open", None, shown, 2).unwrap();
        let issued = decision.visitor_token.expect(shown);
        assert_eq!(issued.user_id, visitor_token::user_id(Uuid::from_u128(2)));
    }
    let aging = VisitorTokens::new(b"visitors", LIFETIME).issue(
        "open",
        Uuid::from_u128(9),
        WallTime::from_unix_seconds(NOW - LIFETIME.as_secs() / 2 - 1),
    );
    let decision = visitor("open", None, &aging.token, 2).unwrap();
    let renewed = decision.visitor_token.unwrap();
    assert_eq!(renewed.user_id, aging.user_id);
    assert!(renewed.expires_at > aging.expires_at);
}

#[test]
fn a_visitor_token_may_stand_for_the_widget_key_and_for_nothing_more() {
    let code = |token, role| {
        let credentials = Credentials {
            tenant_id: Some("42"),
            token,
            role,
            ..Credentials::default()
        };
        decide_with(&credentials)
            .map(|identity| (identity.is_admin(), identity.is_proven()))
            .map_err(|refusal| refusal.code())
    };
    let first = visitor("42", Some("shop-widget"), "", 1).unwrap();
    let token = first.visitor_token.unwrap().token;
    assert_eq!(code(Some(&token), None), Ok((false, true)));
    assert_eq!(
        code(Some(&token), Some("admin")),
        Err(Code::CredentialRequired)
    );
    let cut = &token[..token.len() - 1];
    assert_eq!(code(Some(cut), None), Err(Code::CredentialRequired));
    assert_eq!(
        visitor("42", None, "", 1).unwrap_err(),
        Code::CredentialRequired
    );
}

#[test]
fn nobody_with_an_account_gets_a_visitor_token() {
    let user = user_token(&json!("open"), "user");
    for key in [user.as_str(), "open-admin"] {
        let decision = visitor("open", Some(key), "", 1).unwrap();
        assert_eq!(decision.visitor_token, None);
    }
}

#[test]
fn no_page_can_name_itself_like_a_visitor_with_a_token() {
    let issued = visitor("open", None, "", 1).unwrap();
    let id = issued.identity.user_id().strip_prefix(ANONYMOUS).unwrap();
    let credentials = Credentials {
        tenant_id: Some("open"),
        visitor_id: Some(id),
        ..Credentials::default()
    };
    assert_eq!(
        decide_with(&credentials).unwrap_err().code(),
        Code::InvalidPayload
    );
}

#[test]
fn an_identity_stands_while_its_tenant_and_key_do() {
    let identity = |token: &str, role: Option<&str>| {
        decide_with(&Credentials {
            tenant_id: Some("42"),
            token: Some(token),
            role,
            ..Credentials::default()
        })
        .unwrap()
    };
    let (admin, widget) = (identity("shop-admin", None), identity("shop-widget", None));
    let demoted = identity("shop-admin", Some("user"));
    let proven = identity(&user_token(&json!("42"), "admin"), None);
    let table = [
        (
            "admin_keys = [\"shop-admin\"]\nwidget_keys = [\"shop-widget\"]",
            [true; 4],
        ),
        ("admin_keys = [\"shop-admin\"]", [true, false, true, true]),
        (
            "widget_keys = [\"shop-widget\"]",
            [false, true, false, true],
        ),
        ("widget_keys = [\"shop-admin\"]", [false, false, true, true]),
    ];
    for (keys, expected) in table {
        let tenants = Tenants::parse(&format!("[[tenants]]\nid = \"42\"\n{keys}")).unwrap();
        let stands = [&admin, &widget, &demoted, &proven].map(|it| it.still_stands(&tenants));
        assert_eq!(stands, expected, "{keys}");
    }
    assert!(!proven.still_stands(&Tenants::development()));
}
