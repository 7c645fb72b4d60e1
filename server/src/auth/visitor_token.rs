//! The signed visitor token: how a visitor without an account is known again.
//!
//! The server issues it to a visitor's page that asks for one, and it makes whoever shows it that
//! visitor: a name with a proof. It is compact, and only this server reads it:
//! `visitor.` and base64url of: version (1 byte), issued and expiring (Unix seconds, 8 bytes each,
//! big-endian), the visitor (16 bytes), the tenant's id, HMAC-SHA256 of all that (32 bytes).
//!
//! What must stay true:
//! - the visitor is random and chosen here, never by a page: a page that could choose it would get
//!   another's conversation by asking for a token of that name;
//! - the user id has a form that no `visitorId` and no JWT can give ([`user_id`]);
//! - a token that does not hold says nothing about why, and is worth as much as none.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use uuid::Uuid;

use super::ANONYMOUS;
use crate::clock::WallTime;

/// What every token begins with, so that one among other credentials is known as such.
pub const PREFIX: &str = "visitor.";

/// Not a character of a `visitorId`.
const MARK: &str = "~";
const VERSION: u8 = 1;
const TAG_BYTES: usize = 32;
/// Separates this use of a secret from every other use of the same secret.
const LABEL: &[u8] = b"chat visitor token";
/// Longer ones are not looked at.
const MAX_TOKEN_BYTES: usize = 512;

/// Issues and verifies visitor tokens.
#[derive(Clone)]
pub struct VisitorTokens {
    key: [u8; TAG_BYTES],
    lifetime: Duration,
}

/// What a token that holds says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Who.
    pub visitor: Uuid,
    /// Whether it is past half of its life, so that a new one is due.
    pub ages: bool,
}

/// A token for its visitor, and nobody else.
#[derive(Clone, PartialEq, Eq)]
pub struct Issued {
    /// The token.
    pub token: String,
    /// The user that it makes of whoever shows it.
    pub user_id: String,
    /// Until when.
    pub expires_at: WallTime,
}

impl VisitorTokens {
    /// Tokens signed with a key that follows from `secret`.
    pub fn new(secret: &[u8], lifetime: Duration) -> Self {
        Self {
            key: tag(secret, &[LABEL]),
            lifetime,
        }
    }

    /// How long a token holds.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// A token for a visitor of a tenant.
    pub fn issue(&self, tenant: &str, visitor: Uuid, now: WallTime) -> Issued {
        let issued = now.unix_seconds();
        let expires = issued.saturating_add(self.lifetime.as_secs());
        let mut bytes = vec![VERSION];
        bytes.extend(issued.to_be_bytes());
        bytes.extend(expires.to_be_bytes());
        bytes.extend(visitor.as_bytes());
        bytes.extend(tenant.as_bytes());
        let tag = tag(&self.key, &[&bytes]);
        bytes.extend(tag);
        let mut token = String::from(PREFIX);
        URL_SAFE_NO_PAD.encode_string(&bytes, &mut token);
        Issued {
            token,
            user_id: user_id(visitor),
            expires_at: WallTime::from_unix_seconds(expires),
        }
    }

    /// Who a token shows, if it is one of ours, for this tenant and still valid.
    pub fn verify(&self, token: &str, tenant: &str, now: WallTime) -> Option<Known> {
        let encoded = token
            .strip_prefix(PREFIX)
            .filter(|_| token.len() <= MAX_TOKEN_BYTES)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let (signed, shown) = bytes.split_last_chunk::<TAG_BYTES>()?;
        keyed(&self.key, &[signed]).verify_slice(shown).ok()?;
        let (version, rest) = signed.split_first()?;
        let (issued, rest) = rest.split_first_chunk()?;
        let (expires, rest) = rest.split_first_chunk()?;
        let (visitor, tenant_id) = rest.split_first_chunk()?;
        let (issued, expires) = (u64::from_be_bytes(*issued), u64::from_be_bytes(*expires));
        let now = now.unix_seconds();
        (*version == VERSION && tenant_id == tenant.as_bytes() && now < expires).then(|| Known {
            visitor: Uuid::from_bytes(*visitor),
            ages: now.saturating_sub(issued) > expires.saturating_sub(issued) / 2,
        })
    }
}

/// The user that a token makes of a visitor: anonymous like all who have no account, and in a form
/// that nobody can take by naming themselves.
pub fn user_id(visitor: Uuid) -> String {
    format!("{ANONYMOUS}{MARK}{}", visitor.simple())
}

/// Whether what follows `anonymous-` in a user's id is of a visitor with a token.
pub(super) fn is_issued(visitor: &str) -> bool {
    visitor.starts_with(MARK)
}

impl fmt::Debug for VisitorTokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VisitorTokens")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Issued")
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac
}

fn tag(key: &[u8], parts: &[&[u8]]) -> [u8; TAG_BYTES] {
    keyed(key, parts).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 3600;
    const NOW: u64 = 1_700_000_000;

    fn at(seconds: u64) -> WallTime {
        WallTime::from_unix_seconds(seconds)
    }

    fn tokens(secret: &str) -> VisitorTokens {
        VisitorTokens::new(secret.as_bytes(), Duration::from_secs(30 * DAY))
    }

    #[test]
    fn a_token_shows_its_visitor_in_its_tenant_until_it_expires() {
        let visitor = Uuid::from_u128(7);
        let issued = tokens("s").issue("42", visitor, at(NOW));
        assert_eq!(issued.user_id, user_id(visitor));
        assert_eq!(issued.expires_at, at(NOW + 30 * DAY));
        let known = |tenant, now| tokens("s").verify(&issued.token, tenant, at(now));
        let fresh = Known {
            visitor,
            ages: false,
        };
        assert_eq!(known("42", NOW), Some(fresh));
        assert_eq!(known("42", NOW + 15 * DAY), Some(fresh));
        let aged = Known {
            visitor,
            ages: true,
        };
        assert_eq!(known("42", NOW + 15 * DAY + 1), Some(aged));
        assert_eq!(known("42", NOW + 30 * DAY - 1), Some(aged));
        assert_eq!(known("42", NOW + 30 * DAY), None);
        for tenant in ["4", "422", ""] {
            assert_eq!(known(tenant, NOW), None);
        }
        assert_eq!(tokens("t").verify(&issued.token, "42", at(NOW)), None);
    }

    #[test]
    fn no_changed_token_holds() {
        let tokens = tokens("s");
        let Issued { token, .. } = tokens.issue("42", Uuid::from_u128(7), at(NOW));
        let encoded = token.strip_prefix(PREFIX).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(encoded).unwrap();
        let verify = |bytes: &[u8]| {
            let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
            tokens.verify(&token, "42", at(NOW))
        };
        assert!(verify(&bytes).is_some());
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert_eq!(verify(&changed), None, "byte {index}");
            assert_eq!(verify(&bytes[..index]), None, "cut at {index}");
        }
        for nonsense in ["", "visitor.", "visitor.AAAA", "visitor.ü", encoded] {
            assert_eq!(tokens.verify(nonsense, "42", at(NOW)), None);
        }
        let long = format!("{PREFIX}{}", "A".repeat(1 << 20));
        assert_eq!(tokens.verify(&long, "42", at(NOW)), None);
    }

    #[test]
    fn what_is_logged_holds_no_token_and_no_key() {
        let issued = tokens("s").issue("42", Uuid::from_u128(7), at(NOW));
        assert!(!format!("{issued:?}").contains(&issued.token[8..]));
        assert!(!format!("{:?}", tokens("s")).contains("key"));
    }
}
