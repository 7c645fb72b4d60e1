//! Who is it? One pure decision for sockets and HTTP alike.
//!
//! [`decide`] turns what a client showed into an [`Identity`] or a coded [`Refusal`]. It reads no
//! clock and draws no random number: both are arguments.
//!
//! What must stay true:
//! - the admin role follows from a proof alone; asking for it grants nothing;
//! - a visitor without proof is always called `anonymous-…`, and nobody with a proof ever is, so
//!   that no unverified visitor can pass for, or push aside, a proven user;
//! - no refusal repeats the credential.

pub mod token;

use std::sync::Arc;

use chat_protocol::code::Code;
use chat_protocol::http::ROLE_ADMIN;
use uuid::Uuid;

use crate::clock::WallTime;
use crate::error::Refusal;
use crate::tenants::{KeyDigest, KeyKind, Tenant, Tenants};
use token::{TokenRole, TokenVerifier};

/// What precedes the id of every visitor without proof, and of nobody else.
const ANONYMOUS: &str = "anonymous-";
const MAX_USER_ID_BYTES: usize = 256;
const MAX_VISITOR_ID_BYTES: usize = 128;

/// What a client showed. Empty texts count as absent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// The tenant that the client names.
    pub tenant_id: Option<&'a str>,
    /// The role that it asks for.
    pub role: Option<&'a str>,
    /// An API key or a JWT.
    pub token: Option<&'a str>,
    /// The name that an anonymous visitor's widget gave itself.
    pub visitor_id: Option<&'a str>,
    /// The `Origin` header.
    pub origin: Option<&'a str>,
}

/// Who it is, for as long as the connection or request lasts.
#[derive(Debug, Clone)]
pub struct Identity {
    tenant: Arc<Tenant>,
    user_id: Arc<str>,
    role: Role,
    proven: bool,
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// See who is online and answer any conversation of the tenant.
    Admin,
    /// Chat in one's own conversation.
    Visitor,
}

impl Role {
    /// A stable name for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Visitor => "visitor",
        }
    }
}

impl Identity {
    /// The tenant in which all of this holds.
    pub fn tenant(&self) -> &Arc<Tenant> {
        &self.tenant
    }

    /// The user, unique within the tenant.
    pub fn user_id(&self) -> &Arc<str> {
        &self.user_id
    }

    /// What the user may do.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Whether the admin role is proven.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }

    /// Whether a signature vouches for the user id. Only then do rights outlive the session.
    pub fn is_proven(&self) -> bool {
        self.proven
    }
}

/// Decides who a client is.
///
/// `fresh` is a new random id; it names those who have no name of their own.
///
/// # Errors
/// The first of these that applies: no tenant, unknown tenant, no or bad credential, a credential
/// of another tenant, the admin role asked for and not proven, a page of a foreign origin, an
/// unusable visitor id.
pub fn decide(
    credentials: &Credentials<'_>,
    tenants: &Tenants,
    verifier: &TokenVerifier,
    now: WallTime,
    fresh: Uuid,
) -> Result<Identity, Refusal> {
    let tenant = find_tenant(credentials.tenant_id, tenants)?;
    let asked = Asked::from(credentials.role);
    let proof = match present(credentials.token) {
        Some(token) => Proof::of(token, tenant, tenants, verifier, now)?,
        None => Proof::Nothing,
    };
    let role = grant(asked, &proof, tenant)?;
    check_origin(role, credentials.origin, tenant)?;
    let (user_id, proven) = match (proof, role) {
        (Proof::Token { subject, .. }, Role::Admin | Role::Visitor) => (subject, true),
        (Proof::Key(_) | Proof::Nothing, Role::Admin) => {
            (format!("admin-key-{}", fresh.simple()), false)
        }
        (Proof::Key(_) | Proof::Nothing, Role::Visitor) => {
            (anonymous(credentials.visitor_id, fresh)?, false)
        }
    };
    Ok(Identity {
        tenant: Arc::clone(tenant),
        user_id: user_id.into(),
        role,
        proven,
    })
}

/// Finds the tenant that a request names.
///
/// # Errors
/// `TENANT_REQUIRED`, `UNKNOWN_TENANT`.
pub fn find_tenant<'a>(id: Option<&str>, tenants: &'a Tenants) -> Result<&'a Arc<Tenant>, Refusal> {
    let id = present(id)
        .ok_or_else(|| Refusal::new(Code::TenantRequired, "name the tenant in tenantId"))?;
    tenants
        .get(id)
        .ok_or_else(|| Refusal::new(Code::UnknownTenant, "there is no such tenant"))
}

/// The role that a client asks for.
enum Asked {
    Admin,
    /// Anything else that it says: never more than a visitor.
    Visitor,
    /// Nothing: what the credential proves.
    Whatever,
}

impl From<Option<&str>> for Asked {
    fn from(role: Option<&str>) -> Self {
        match present(role) {
            Some(ROLE_ADMIN) => Self::Admin,
            Some(_) => Self::Visitor,
            None => Self::Whatever,
        }
    }
}

/// What a credential proves in one tenant.
enum Proof {
    Nothing,
    Key(KeyKind),
    Token { subject: String, admin: bool },
}

impl Proof {
    fn of(
        token: &str,
        tenant: &Tenant,
        tenants: &Tenants,
        verifier: &TokenVerifier,
        now: WallTime,
    ) -> Result<Self, Refusal> {
        let digest = KeyDigest::of(token);
        if let Some(kind) = tenant.key_kind(&digest) {
            return Ok(Self::Key(kind));
        }
        let wrong_tenant = || {
            Refusal::new(
                Code::WrongTenant,
                "the credential belongs to another tenant",
            )
        };
        if tenants.knows_key(&digest) {
            return Err(wrong_tenant());
        }
        if !token::looks_like_jwt(token) {
            return Err(Refusal::new(
                Code::InvalidApiKey,
                "the key is none of this tenant's",
            ));
        }
        let claims = verifier.verify(token, now)?;
        if claims.tenant_id != **tenant.id() {
            return Err(wrong_tenant());
        }
        check_subject(&claims.subject)?;
        Ok(Self::Token {
            subject: claims.subject,
            admin: claims.role == TokenRole::Admin,
        })
    }
}

fn grant(asked: Asked, proof: &Proof, tenant: &Tenant) -> Result<Role, Refusal> {
    let is_admin = matches!(
        proof,
        Proof::Key(KeyKind::Admin) | Proof::Token { admin: true, .. }
    );
    match (asked, is_admin, proof) {
        (Asked::Admin | Asked::Whatever, true, _) => Ok(Role::Admin),
        (Asked::Admin, false, Proof::Nothing) => Err(Refusal::new(
            Code::CredentialRequired,
            "the admin role needs an admin key or an admin's token",
        )),
        (Asked::Admin, false, Proof::Key(_) | Proof::Token { .. }) => Err(Refusal::new(
            Code::AdminRequired,
            "this credential does not prove the admin role",
        )),
        (Asked::Visitor | Asked::Whatever, _, Proof::Nothing) if tenant.needs_widget_key() => {
            Err(Refusal::new(
                Code::CredentialRequired,
                "this tenant asks visitors for a widget key",
            ))
        }
        (Asked::Visitor | Asked::Whatever, _, _) => Ok(Role::Visitor),
    }
}

fn check_origin(role: Role, origin: Option<&str>, tenant: &Tenant) -> Result<(), Refusal> {
    let admitted = present(origin).is_none_or(|origin| match role {
        Role::Admin => tenant.admits_admins_from(origin),
        Role::Visitor => tenant.admits_visitors_from(origin),
    });
    if admitted {
        Ok(())
    } else {
        Err(Refusal::new(
            Code::OriginNotAllowed,
            "pages of this origin may not connect to this tenant",
        ))
    }
}

fn check_subject(subject: &str) -> Result<(), Refusal> {
    let usable = !subject.is_empty()
        && subject.len() <= MAX_USER_ID_BYTES
        && !subject.chars().any(char::is_control);
    if !usable {
        return Err(Refusal::new(
            Code::InvalidToken,
            "the token's sub is empty, too long or not printable",
        ));
    }
    // Otherwise an unverified visitor could choose a visitorId that makes both the same user.
    if subject.starts_with(ANONYMOUS) {
        return Err(Refusal::new(
            Code::InvalidToken,
            "a token's sub must not begin with anonymous-",
        ));
    }
    Ok(())
}

fn anonymous(visitor_id: Option<&str>, fresh: Uuid) -> Result<String, Refusal> {
    let Some(id) = present(visitor_id) else {
        return Ok(format!("{ANONYMOUS}{}", fresh.simple()));
    };
    let usable = id.len() <= MAX_VISITOR_ID_BYTES
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    if usable {
        Ok(format!("{ANONYMOUS}{id}"))
    } else {
        Err(Refusal::new(
            Code::InvalidPayload,
            "a visitorId has at most 128 letters, digits or characters of - _ . :",
        ))
    }
}

fn present(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
#[path = "auth/tests.rs"]
mod tests;
