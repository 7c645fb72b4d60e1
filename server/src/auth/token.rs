//! JSON Web Tokens: from text to verified claims.
//!
//! The library checks form, algorithm and signature. The times are checked here, against the
//! caller's clock, because the library reads the system's.

use chat_protocol::code::Code;
use chat_protocol::presence::text_or_number;
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::Deserialize;

use super::key::VerificationKey;
use crate::clock::WallTime;
use crate::error::Refusal;

/// How far an issuer's clock may run ahead of ours before its `nbf` keeps a fresh token out.
const NOT_BEFORE_TOLERANCE_SECONDS: f64 = 60.0;

/// Verifies tokens with the keys that the server knows. Without any, it refuses all.
#[derive(Debug, Clone, Default)]
pub struct TokenVerifier {
    /// From the configuration.
    own: Vec<VerificationKey>,
    /// From the issuer's key set, as fetched last.
    fetched: Vec<VerificationKey>,
    /// The `iss` that every token must have.
    issuer: Option<String>,
    /// The `aud` that every token must have, among others perhaps.
    audience: Option<String>,
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
    /// A verifier with these keys.
    pub fn new(keys: Vec<VerificationKey>) -> Self {
        Self {
            own: keys,
            ..Self::default()
        }
    }

    /// A verifier for tokens signed with a shared secret (HS256).
    pub fn with_shared_secret(secret: &str) -> Self {
        Self::new(vec![VerificationKey::shared_secret(secret)])
    }

    /// The same, for tokens of this issuer and for this audience alone; `None` asks for nothing.
    #[must_use]
    pub fn demanding(self, issuer: Option<String>, audience: Option<String>) -> Self {
        Self {
            issuer,
            audience,
            ..self
        }
    }

    /// The same with the keys that the issuer publishes now, in place of those fetched before.
    #[must_use]
    pub fn with_fetched(&self, keys: Vec<VerificationKey>) -> Self {
        Self {
            fetched: keys,
            ..self.clone()
        }
    }

    /// Whether a credential is a token that no known key can have signed, so that it is worth asking
    /// the issuer whether there is a new one.
    pub fn lacks_key_for(&self, credential: &str) -> bool {
        looks_like_jwt(credential)
            && jsonwebtoken::decode_header(credential)
                .is_ok_and(|head| self.candidates(&head).next().is_none())
    }

    /// Verifies a token.
    ///
    /// # Errors
    /// `TOKEN_EXPIRED` for a genuine token past its `exp`, else `INVALID_TOKEN`.
    pub fn verify(&self, token: &str, now: WallTime) -> Result<Claims, Refusal> {
        let not_valid = || invalid("the token's signature, algorithm or claims are not valid");
        let head = jsonwebtoken::decode_header(token).map_err(|_| not_valid())?;
        // What is marked as critical has to be understood, and no extension is.
        if head.crit.is_some() {
            return Err(not_valid());
        }
        let validation = self.validation(head.alg);
        let raw = self
            .candidates(&head)
            .find_map(|known| {
                jsonwebtoken::decode::<RawClaims>(token, known.key(), &validation).ok()
            })
            .ok_or_else(not_valid)?
            .claims;
        raw.check(now)
    }

    /// The keys that may have signed a token with this head.
    fn candidates(&self, head: &Header) -> impl Iterator<Item = &VerificationKey> {
        let (algorithm, id) = (head.alg, head.kid.clone());
        self.own
            .iter()
            .chain(&self.fetched)
            .filter(move |known| known.fits(algorithm, id.as_deref()))
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.validate_exp = false;
        let mut required = vec!["exp"];
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        match &self.audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                required.push("aud");
            }
            // Then it is the issuer's own business.
            None => validation.validate_aud = false,
        }
        validation.set_required_spec_claims(&required);
        validation
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

#[cfg(test)]
mod tests;
