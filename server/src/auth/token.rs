//! JSON Web Tokens: from text to verified claims.
//!
//! The library checks form, algorithm and signature. The times are checked here, against the
//! caller's clock, because the library reads the system's.

use std::fmt;

use chat_protocol::code::Code;
use chat_protocol::presence::text_or_number;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use crate::clock::WallTime;
use crate::error::Refusal;

/// How far an issuer's clock may run ahead of ours before its `nbf` keeps a fresh token out.
const NOT_BEFORE_TOLERANCE_SECONDS: f64 = 60.0;

/// Verifies tokens with the keys that the server was configured with. Without any, it refuses all.
#[derive(Default)]
pub struct TokenVerifier {
    keys: Vec<VerificationKey>,
}

/// One key and the only algorithms it is good for: a key of one kind must never be tried as
/// another (a public key taken for a shared secret lets anybody sign).
struct VerificationKey {
    key: DecodingKey,
    validation: Validation,
}

/// What a verified token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The user.
    pub subject: String,
    /// The tenant in which the token counts.
    pub tenant_id: String,
    /// The role in that tenant.
    pub role: TokenRole,
}

/// The role a token grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRole {
    /// `"role": "admin"`.
    Admin,
    /// Any other role, or none.
    User,
}

impl TokenVerifier {
    /// A verifier for tokens signed with a shared secret (HS256).
    pub fn with_shared_secret(secret: &str) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        // Who may issue tokens is settled by the secret; an audience is the issuer's own business.
        validation.validate_aud = false;
        Self {
            keys: vec![VerificationKey {
                key: DecodingKey::from_secret(secret.as_bytes()),
                validation,
            }],
        }
    }

    /// Verifies a token.
    ///
    /// # Errors
    /// `TOKEN_EXPIRED` for a genuine token past its `exp`, else `INVALID_TOKEN`.
    pub fn verify(&self, token: &str, now: WallTime) -> Result<Claims, Refusal> {
        if self.keys.is_empty() {
            return Err(invalid("this server accepts no tokens"));
        }
        let raw = self
            .keys
            .iter()
            .find_map(|known| {
                jsonwebtoken::decode::<RawClaims>(token, &known.key, &known.validation).ok()
            })
            .ok_or_else(|| invalid("the token's signature, algorithm or claims are not valid"))?
            .claims;
        raw.check(now)
    }
}

impl fmt::Debug for TokenVerifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TokenVerifier({} keys)", self.keys.len())
    }
}

/// Whether a credential has the form of a token rather than that of a key.
pub fn looks_like_jwt(credential: &str) -> bool {
    let mut parts = credential.split('.');
    let three = (parts.next(), parts.next(), parts.next(), parts.next());
    matches!(three, (Some(_), Some(_), Some(_), None)) && credential.starts_with("ey")
}

#[derive(Deserialize)]
struct RawClaims {
    sub: String,
    #[serde(rename = "tenantId")]
    tenant_id: Option<Id>,
    #[serde(rename = "tenant_id")]
    tenant_id_snake: Option<Id>,
    role: Option<String>,
    exp: f64,
    nbf: Option<f64>,
}

#[derive(Deserialize)]
struct Id(#[serde(deserialize_with = "text_or_number")] String);

impl RawClaims {
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since 1970 stay exact in an f64 for the next 285 million years"
    )]
    fn check(self, now: WallTime) -> Result<Claims, Refusal> {
        let now = now.unix_seconds() as f64;
        if self.exp <= now {
            return Err(Refusal::new(Code::TokenExpired, "the token has expired"));
        }
        if self
            .nbf
            .is_some_and(|from| from > now + NOT_BEFORE_TOLERANCE_SECONDS)
        {
            return Err(invalid("the token is not valid yet"));
        }
        let Id(tenant_id) = match (self.tenant_id, self.tenant_id_snake) {
            (Some(Id(camel)), Some(Id(snake))) if camel != snake => {
                return Err(invalid("the token's tenantId and tenant_id differ"));
            }
            (Some(id), _) | (None, Some(id)) => id,
            (None, None) => return Err(invalid("the token names no tenantId")),
        };
        Ok(Claims {
            subject: self.sub,
            tenant_id,
            role: match self.role.as_deref() {
                Some("admin") => TokenRole::Admin,
                Some(_) | None => TokenRole::User,
            },
        })
    }
}

fn invalid(why: &'static str) -> Refusal {
    Refusal::new(Code::InvalidToken, why)
}
