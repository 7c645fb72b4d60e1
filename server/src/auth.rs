//! Who is it? One pure decision for sockets and HTTP alike.
//!
//! [`decide`] turns what a client showed into an [`Identity`] or a coded [`Refusal`]. It reads no
//! clock and draws no random number: both are arguments.
//!
//! What must stay true:
//! - the admin role follows from a proof alone; asking for it grants nothing;
//! - a visitor without proof is called `anonymous-…` in a form that no proof ever gives, so that no
//!   unverified visitor can pass for, or push aside, a proven user;
//! - the form of a user's id tells whether it is proven ([`is_proven_id`]);
//! - a visitor token that does not hold is worth as much as none: an old one locks nobody out;
//! - no refusal repeats the credential.

pub mod gate;
pub mod key;
pub mod key_set;
pub mod shared_secret;
pub mod token;
pub mod visitor_token;

use std::sync::Arc;

use chat_protocol::code::Code;
use chat_protocol::http::ROLE_ADMIN;
use uuid::Uuid;

use crate::clock::WallTime;
use crate::error::Refusal;
use crate::tenants::{KeyDigest, KeyKind, Tenant, Tenants};
pub use gate::Gate;
use token::{TokenRole, TokenVerifier};
use visitor_token::{Issued, VisitorTokens};

/// What precedes the id of every visitor without an account, and of nobody else.
const ANONYMOUS: &str = "anonymous-";
/// What precedes the id of everybody who shows an admin key, and of nobody else.
const ADMIN_KEY: &str = "admin-key-";
const MAX_USER_ID_BYTES: usize = 256;
const MAX_VISITOR_ID_BYTES: usize = 128;

/// What a client showed. Empty texts count as absent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// The tenant that the client names.
    pub tenant_id: Option<&'a str>,
    /// The role that it asks for.
    pub role: Option<&'a str>,
    /// An API key, a JWT or a visitor token.
    pub token: Option<&'a str>,
    /// A visitor token that comes beside another credential, or instead of one.
    pub visitor_token: Option<&'a str>,
    /// Whether to issue a visitor token where one is due.
    pub wants_visitor_token: bool,
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
    /// The key that was shown, if it was one.
    key: Option<KeyDigest>,
}

/// Whose messages are whose, over all connections of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author<'a> {
    /// A user's.
    User(&'a str),
    /// Those of whoever shows this admin key: each of their connections has another user id.
    Key(&'a KeyDigest),
}

/// What identities are decided by.
#[derive(Debug, Clone, Copy)]
pub struct Authority<'a> {
    /// The tenants and their keys.
    pub tenants: &'a Tenants,
    /// Verifies JWTs.
    pub verifier: &'a TokenVerifier,
    /// Issues and verifies visitor tokens.
    pub visitors: &'a VisitorTokens,
}

/// Who it is, and what is to be handed to them.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Who.
    pub identity: Identity,
    /// A new visitor token, if one was wanted and is due.
    pub visitor_token: Option<Issued>,
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

    /// Whose messages this one's are.
    pub fn author(&self) -> Author<'_> {
        match (self.role, &self.key) {
            (Role::Admin, Some(key)) => Author::Key(key),
            (Role::Admin, None) | (Role::Visitor, _) => Author::User(&self.user_id),
        }
    }

    /// Whether what it was decided by still stands there: the tenant, and the key that was shown or
    /// that none was needed. Signed tokens stand for themselves until they expire.
    pub fn still_stands(&self, tenants: &Tenants) -> bool {
        tenants
            .get(self.tenant.id())
            .is_some_and(|tenant| match (&self.key, self.role) {
                (Some(key), Role::Admin) => tenant.key_kind(key) == Some(KeyKind::Admin),
                (Some(key), Role::Visitor) => tenant.key_kind(key).is_some(),
                (None, Role::Admin | Role::Visitor) => self.proven || !tenant.needs_widget_key(),
            })
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
    authority: &Authority<'_>,
    now: WallTime,
    fresh: Uuid,
) -> Result<Decision, Refusal> {
    let tenant = find_tenant(credentials.tenant_id, authority.tenants)?;
    let asked = Asked::from(credentials.role);
    let (token, shown) = credentials.told_apart(authority.tenants);
    let proof = match token {
        Some(token) => Proof::of(token, tenant, authority, now)?,
        None => Proof::Nothing,
    };
    let known = shown.and_then(|shown| authority.visitors.verify(shown, tenant.id(), now));
    let role = grant(asked, &proof, known.is_some(), tenant)?;
    check_origin(role, credentials.origin, tenant)?;
    let named = |user_id: String, proven, key| Identity {
        tenant: Arc::clone(tenant),
        user_id: user_id.into(),
        role,
        proven,
        key,
    };
    let key = match &proof {
        Proof::Key(_, key) => Some(*key),
        Proof::Nothing | Proof::Token { .. } => None,
    };
    let mut visitor_token = None;
    let identity = match (proof, role) {
        (Proof::Token { subject, .. }, Role::Admin | Role::Visitor) => named(subject, true, None),
        (Proof::Key(..) | Proof::Nothing, Role::Admin) => {
            named(format!("{ADMIN_KEY}{}", fresh.simple()), false, key)
        }
        (Proof::Key(..) | Proof::Nothing, Role::Visitor) => {
            let issue = |visitor| authority.visitors.issue(tenant.id(), visitor, now);
            let visitor = known.map(|known| known.visitor);
            if credentials.wants_visitor_token && known.is_none_or(|known| known.ages) {
                visitor_token = Some(issue(visitor.unwrap_or(fresh)));
            }
            match (visitor, &visitor_token) {
                (Some(visitor), _) => named(visitor_token::user_id(visitor), true, key),
                (None, Some(issued)) => named(issued.user_id.clone(), true, key),
                (None, None) => named(anonymous(credentials.visitor_id, fresh)?, false, key),
            }
        }
    };
    Ok(Decision {
        identity,
        visitor_token,
    })
}

/// Whether a signature vouched for the user of this id when it was decided. The id alone tells.
pub fn is_proven_id(user_id: &str) -> bool {
    match user_id.strip_prefix(ANONYMOUS) {
        Some(visitor) => visitor_token::is_issued(visitor),
        None => !user_id.starts_with(ADMIN_KEY),
    }
}

/// The `visitorId` that makes an unproven visitor this user.
pub fn visitor_id_of(user_id: &str) -> Option<&str> {
    user_id
        .strip_prefix(ANONYMOUS)
        .filter(|visitor| !visitor_token::is_issued(visitor))
}

/// The id of a visitor of whom nothing is known but a session.
pub fn nameless_visitor(session: &str) -> String {
    [ANONYMOUS, session].concat()
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

impl<'a> Credentials<'a> {
    /// Whether a visitor token is among them, whatever it is worth.
    pub(crate) fn shows_visitor_token(&self) -> bool {
        let marked = |token: &str| token.starts_with(visitor_token::PREFIX);
        present(self.visitor_token).is_some() || present(self.token).is_some_and(marked)
    }

    /// The key or JWT, and the visitor token, which may stand in the other's place.
    fn told_apart(&self, tenants: &Tenants) -> (Option<&'a str>, Option<&'a str>) {
        let (token, visitor_token) = (present(self.token), present(self.visitor_token));
        match token {
            Some(token)
                if token.starts_with(visitor_token::PREFIX)
                    && !tenants.knows_key(&KeyDigest::of(token)) =>
            {
                (None, visitor_token.or(Some(token)))
            }
            Some(_) | None => (token, visitor_token),
        }
    }
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
    Key(KeyKind, KeyDigest),
    Token { subject: String, admin: bool },
}

impl Proof {
    fn of(
        token: &str,
        tenant: &Tenant,
        authority: &Authority<'_>,
        now: WallTime,
    ) -> Result<Self, Refusal> {
        let digest = KeyDigest::of(token);
        if let Some(kind) = tenant.key_kind(&digest) {
            return Ok(Self::Key(kind, digest));
        }
        let wrong_tenant = || {
            Refusal::new(
                Code::WrongTenant,
                "the credential belongs to another tenant",
            )
        };
        if authority.tenants.knows_key(&digest) {
            return Err(wrong_tenant());
        }
        if !token::looks_like_jwt(token) {
            return Err(Refusal::new(
                Code::InvalidApiKey,
                "the key is none of this tenant's",
            ));
        }
        let claims = authority.verifier.verify(token, now)?;
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

fn grant(asked: Asked, proof: &Proof, known: bool, tenant: &Tenant) -> Result<Role, Refusal> {
    let is_admin = matches!(
        proof,
        Proof::Key(KeyKind::Admin, _) | Proof::Token { admin: true, .. }
    );
    match (asked, is_admin, proof) {
        (Asked::Admin | Asked::Whatever, true, _) => Ok(Role::Admin),
        (Asked::Admin, false, Proof::Nothing) => Err(Refusal::new(
            Code::CredentialRequired,
            "the admin role needs an admin key or an admin's token",
        )),
        (Asked::Admin, false, Proof::Key(..) | Proof::Token { .. }) => Err(Refusal::new(
            Code::AdminRequired,
            "this credential does not prove the admin role",
        )),
        (Asked::Visitor | Asked::Whatever, _, Proof::Nothing)
            if tenant.needs_widget_key() && !known =>
        {
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
        Err(foreign_origin())
    }
}

/// What pages are told that have no business with a tenant.
pub(crate) fn foreign_origin() -> Refusal {
    Refusal::new(
        Code::OriginNotAllowed,
        "pages of this origin may not connect to this tenant",
    )
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
    // Otherwise an unverified visitor could choose a visitorId that makes both the same user; and an id
    // would not tell whether it is a proven one.
    if [ANONYMOUS, ADMIN_KEY]
        .iter()
        .any(|reserved| subject.starts_with(reserved))
    {
        return Err(Refusal::new(
            Code::InvalidToken,
            "a token's sub must not begin with anonymous- or admin-key-",
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
