//! Which key verifies which token.

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::*;

const NOW: u64 = 1_700_000_000;
const SECRET: &str = "a shared secret of some length, for tests";

struct Pair {
    name: &'static str,
    public: &'static str,
    private: EncodingKey,
    algorithms: &'static [Algorithm],
}

macro_rules! pair {
    ($name:literal, $read:ident, $algorithms:expr) => {
        Pair {
            name: $name,
            public: include_str!(concat!("../../../tests/keys/", $name, ".public.pem")),
            private: EncodingKey::$read(include_bytes!(concat!(
                "../../../tests/keys/",
                $name,
                ".private.pem"
            )))
            .unwrap(),
            algorithms: $algorithms,
        }
    };
}

fn pairs() -> [Pair; 4] {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    [
        pair!(
            "rsa",
            from_rsa_pem,
            &[RS256, RS384, RS512, PS256, PS384, PS512]
        ),
        pair!("p256", from_ec_pem, &[ES256]),
        pair!("p384", from_ec_pem, &[ES384]),
        pair!("ed25519", from_ed_pem, &[EdDSA]),
    ]
}

fn claims() -> Value {
    json!({ "sub": "u-1", "tenantId": 42, "role": "admin", "exp": NOW + 60 })
}

fn signed(claims: &Value, algorithm: Algorithm, kid: Option<&str>, key: &EncodingKey) -> String {
    let header = Header {
        kid: kid.map(str::to_owned),
        ..Header::new(algorithm)
    };
    encode(&header, claims, key).unwrap()
}

fn verify(verifier: &TokenVerifier, token: &str) -> Result<Claims, Code> {
    verifier
        .verify(token, WallTime::from_unix_seconds(NOW))
        .map_err(|refusal| refusal.code())
}

fn by_pem(pem: &str) -> TokenVerifier {
    TokenVerifier::new(VerificationKey::all_of_pem(pem).unwrap())
}

fn jwk(pair: &Pair, algorithm: Algorithm, kid: &str) -> Jwk {
    let mut jwk = Jwk::from_encoding_key(&pair.private, algorithm).unwrap();
    jwk.common.key_id = Some(kid.to_owned());
    jwk
}

fn set(keys: &[Jwk]) -> Vec<u8> {
    serde_json::to_vec(&json!({ "keys": keys })).unwrap()
}

fn by_set(keys: &[Jwk]) -> TokenVerifier {
    let fetched = VerificationKey::all_of_set(&set(keys)).unwrap();
    TokenVerifier::default().with_fetched(fetched)
}

#[test]
fn each_key_verifies_what_its_own_half_has_signed_and_nothing_else() {
    for signer in pairs() {
        for algorithm in signer.algorithms {
            let token = signed(&claims(), *algorithm, None, &signer.private);
            for known in pairs() {
                let own = known.name == signer.name;
                let verified = verify(&by_pem(known.public), &token);
                let what = format!("{} {algorithm:?} by {}", signer.name, known.name);
                assert_eq!(verified.is_ok(), own, "{what}");
                if own {
                    assert_eq!(verified.unwrap().role, TokenRole::Admin);
                    let mut forged = token.clone();
                    let last = if forged.pop() == Some('A') { 'Q' } else { 'A' };
                    forged.replace_range(forged.len() - 1.., "_");
                    forged.push(last);
                    assert_eq!(
                        verify(&by_pem(known.public), &forged),
                        Err(Code::InvalidToken)
                    );
                }
            }
            assert!(verify(&TokenVerifier::with_shared_secret(SECRET), &token).is_err());
        }
    }
    let stranger =
        EncodingKey::from_ed_pem(include_bytes!("../../../tests/keys/other.private.pem")).unwrap();
    let token = signed(&claims(), Algorithm::EdDSA, None, &stranger);
    assert!(verify(&by_pem(pairs()[3].public), &token).is_err());
}

#[test]
fn a_public_key_is_never_taken_for_a_shared_secret() {
    for pair in pairs() {
        let secrets = [pair.public.as_bytes(), pair.public.trim().as_bytes()];
        let everything = TokenVerifier::new(
            [VerificationKey::shared_secret(SECRET)]
                .into_iter()
                .chain(VerificationKey::all_of_pem(pair.public).unwrap())
                .collect(),
        );
        for secret in secrets {
            let key = EncodingKey::from_secret(secret);
            for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                let token = signed(&claims(), algorithm, None, &key);
                assert_eq!(verify(&everything, &token), Err(Code::InvalidToken));
            }
        }
        let own = EncodingKey::from_secret(SECRET.as_bytes());
        assert!(
            verify(
                &everything,
                &signed(&claims(), Algorithm::HS256, None, &own)
            )
            .is_ok()
        );
    }
}

#[test]
fn a_token_without_a_signature_is_none() {
    // {"alg":"none"} and {"alg":"None","typ":"JWT"}, over valid claims.
    let body = signed(
        &claims(),
        Algorithm::HS256,
        None,
        &EncodingKey::from_secret(b"x"),
    );
    let body = body.split('.').nth(1).unwrap();
    for head in ["eyJhbGciOiJub25lIn0", "eyJhbGciOiJOb25lIiwidHlwIjoiSldUIn0"] {
        for token in [format!("{head}.{body}."), format!("{head}.{body}.AAAA")] {
            for pair in pairs() {
                assert_eq!(
                    verify(&by_pem(pair.public), &token),
                    Err(Code::InvalidToken)
                );
            }
        }
    }
}

#[test]
fn a_token_with_a_critical_extension_is_none() {
    let verifier = TokenVerifier::with_shared_secret(SECRET);
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let with = |crit: Option<Vec<String>>| {
        let header = Header {
            crit,
            ..Header::new(Algorithm::HS256)
        };
        verify(&verifier, &encode(&header, &claims(), &key).unwrap())
    };
    assert!(with(None).is_ok());
    let critical = Some(vec!["an-extension".to_owned()]);
    assert_eq!(with(critical).unwrap_err(), Code::InvalidToken);
}

#[test]
fn a_pem_text_may_hold_several_keys_and_no_private_one() {
    let all = pairs().map(|pair| pair.public).join("\n# and\n");
    let verifier = by_pem(&all);
    for pair in pairs() {
        let token = signed(&claims(), pair.algorithms[0], None, &pair.private);
        assert!(verify(&verifier, &token).is_ok(), "{}", pair.name);
    }
    let private = include_str!("../../../tests/keys/p256.private.pem");
    let table = [
        (private, "private"),
        ("", "no PEM block"),
        ("nothing", "no PEM block"),
        (
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            "no public RSA",
        ),
        ("-----BEGIN PUBLIC KEY-----", "no public RSA"),
    ];
    for (text, expected) in table {
        let error = VerificationKey::all_of_pem(text).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn issuer_and_audience_count_once_they_are_asked_for() {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let with = |more: Value| {
        let mut claims = claims();
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        signed(&claims, Algorithm::HS256, None, &key)
    };
    let any = TokenVerifier::with_shared_secret(SECRET);
    let some = |text: &str| Some(text.to_owned());
    let strict = any.clone().demanding(some("me"), some("chat"));
    let table = [
        (json!({}), false),
        (json!({ "iss": "me" }), false),
        (json!({ "aud": "chat" }), false),
        (json!({ "iss": "you", "aud": "chat" }), false),
        (json!({ "iss": "me", "aud": "mail" }), false),
        (json!({ "iss": "me", "aud": "chat" }), true),
        (json!({ "iss": "me", "aud": ["mail", "chat"] }), true),
    ];
    for (more, good) in table {
        let token = with(more.clone());
        assert_eq!(verify(&strict, &token).is_ok(), good, "{more}");
        assert!(verify(&any, &token).is_ok(), "{more}");
    }
}

#[test]
fn a_key_of_a_set_is_found_by_its_name() {
    let [rsa, p256, ..] = pairs();
    let verifier = by_set(&[
        jwk(&rsa, Algorithm::RS256, "a"),
        jwk(&p256, Algorithm::ES256, "b"),
    ]);
    let of = |kid| signed(&claims(), Algorithm::ES256, kid, &p256.private);
    assert!(verify(&verifier, &of(Some("b"))).is_ok());
    assert!(verify(&verifier, &of(None)).is_ok());
    for (kid, lacks) in [
        (Some("a"), true),
        (Some("c"), true),
        (Some("b"), false),
        (None, false),
    ] {
        assert_eq!(verifier.lacks_key_for(&of(kid)), lacks, "{kid:?}");
        assert_eq!(verify(&verifier, &of(kid)).is_err(), lacks, "{kid:?}");
    }
    assert!(
        !verifier.lacks_key_for("some-key"),
        "only tokens ask for keys"
    );
    let replaced = verifier.with_fetched(
        VerificationKey::all_of_set(&set(&[jwk(&p256, Algorithm::ES256, "c")])).unwrap(),
    );
    assert!(
        verify(&replaced, &of(Some("b"))).is_err(),
        "what is no longer published is over"
    );
    assert!(verify(&replaced, &of(Some("c"))).is_ok());
}

#[test]
fn a_set_brings_only_keys_that_verify_signatures() {
    let [rsa, p256, ..] = pairs();
    let secret = json!({ "kty": "oct", "kid": "s", "k": "c2VjcmV0", "alg": "HS256" });
    let strange = json!({ "kty": "EC", "crv": "secp256k1", "kid": "k", "x": "AA", "y": "AA" });
    let mut encrypts = jwk(&p256, Algorithm::ES256, "e");
    encrypts.common.public_key_use = Some(PublicKeyUse::Encryption);
    let mut keys = vec![secret, strange, json!("nonsense"), json!(encrypts)];
    let text = |keys: &[Value]| serde_json::to_vec(&json!({ "keys": keys })).unwrap();
    assert!(VerificationKey::all_of_set(&text(&keys)).is_err());
    keys.push(json!(jwk(&rsa, Algorithm::RS256, "r")));
    let fetched = VerificationKey::all_of_set(&text(&keys)).unwrap();
    assert_eq!(fetched.len(), 1);
    let verifier = TokenVerifier::default().with_fetched(fetched);
    let of = |algorithm| signed(&claims(), algorithm, Some("r"), &rsa.private);
    assert!(verify(&verifier, &of(Algorithm::RS256)).is_ok());
    assert!(
        verify(&verifier, &of(Algorithm::PS256)).is_err(),
        "a key that names its algorithm is for that one alone"
    );
    let by_secret = EncodingKey::from_secret(b"secret");
    let token = signed(&claims(), Algorithm::HS256, Some("s"), &by_secret);
    assert!(verify(&verifier, &token).is_err());
    for nonsense in [&b""[..], b"{}", b"[]", br#"{"keys":[]}"#] {
        assert!(VerificationKey::all_of_set(nonsense).is_err());
    }
}
