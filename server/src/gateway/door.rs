//! Who may pass: the same decision as on a server, taken before a backend hears of anybody.
//!
//! What must stay true: who is refused here would be refused there, with the same code and words. Where only a
//! backend can tell (a visitor token signed with a secret that this gateway does not have, who may read a
//! conversation) the gateway does not refuse.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use chat_protocol::code::Code;
use chat_protocol::http::{
    CONVERSATIONS_PATH, ONLINE_HISTORY_PATH, ONLINE_USERS_PATH, ROLE, ROLE_ADMIN, TENANT_HEADER,
    TENANT_ID, VISITOR_TOKEN_HEADER,
};
use serde::Deserialize;

use super::headers::from_the_proxy;
use crate::auth::{Credentials, Gate};
use crate::chat::connect::{self, Shown, bearer_token, counted_address};
use crate::config::settings::Connections;
use crate::error::Refusal;
use crate::payload;
use crate::tenants::KeyDigest;

/// No role has so long a name: what is longer asks for none, and is kept no longer than this.
const MAX_ROLE_BYTES: usize = 32;

/// Decides who may pass.
pub(crate) struct Door {
    pub(crate) gate: Gate,
    connections: Connections,
}

/// What an API request shows of its sender.
#[derive(Debug, Default)]
pub(crate) struct Ask {
    tenant_id: Option<String>,
    token: Option<String>,
    visitor_token: Option<String>,
    visitor_id: Option<String>,
    origin: Option<String>,
    needs_admin: bool,
}

/// A request that may pass.
#[derive(Debug)]
pub(crate) struct Passed {
    /// The tenant that it is about.
    pub(crate) tenant: Arc<str>,
    /// The credential that was verified, if one was shown.
    pub(crate) key: Option<KeyDigest>,
}

/// What the gateway reads of a body.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    tenant_id: Option<Id>,
    #[serde(default)]
    visitor_id: Option<String>,
}

/// An id, which older clients write as a number.
#[derive(Debug, Deserialize)]
struct Id(#[serde(deserialize_with = "chat_protocol::presence::text_or_number")] String);

impl Door {
    pub(crate) fn new(gate: Gate, connections: Connections) -> Self {
        Self { gate, connections }
    }

    /// Whether what comes with requests about where they come from was written by a proxy of ours.
    pub(crate) fn trusts_the_peer(&self) -> bool {
        self.connections.trust_forwarded_for
    }

    /// The address by which a client is counted, if it is to be counted.
    pub(crate) fn address(&self, parts: &Parts) -> Option<IpAddr> {
        let peer = parts.extensions.get::<ConnectInfo<std::net::SocketAddr>>();
        counted_address(
            &self.connections,
            peer.map(|ConnectInfo(peer)| peer.ip()),
            from_the_proxy(&parts.headers, true).as_deref(),
        )
    }

    /// Judges the request that opens a session by what it shows already.
    ///
    /// # Errors
    /// No tenant, an unknown one, a page of a foreign origin, or too many guesses. Credentials are judged with
    /// CONNECT: one that it shows counts before the request's, however bad that is.
    pub(crate) fn handshake(
        &self,
        shown: &Shown,
        address: Option<IpAddr>,
    ) -> Result<Arc<str>, Refusal> {
        let credentials = Credentials {
            tenant_id: shown.tenant_id.as_deref(),
            ..Credentials::default()
        };
        if let Err(refusal) = self.gate.decide(&credentials, address)
            && is_final(refusal.code())
        {
            return Err(refusal);
        }
        let tenants = self.gate.tenants().load();
        let tenant = crate::auth::find_tenant(credentials.tenant_id, &tenants)?;
        // Which role it is for, CONNECT will show.
        let foreign = |origin: &String| !origin.is_empty() && !tenant.admits(origin);
        if shown.origin.as_ref().is_some_and(foreign) {
            return Err(crate::auth::foreign_origin());
        }
        Ok(Arc::clone(tenant.id()))
    }

    /// Judges a CONNECT of a session that was opened by a request which showed this.
    ///
    /// # Errors
    /// Those that a server would answer with.
    pub(crate) async fn connect(
        &self,
        shown: &Shown,
        auth: &str,
        address: Option<IpAddr>,
    ) -> Result<(), Refusal> {
        match connect::decide(&self.gate, shown, auth, address).await {
            Ok(_) => Ok(()),
            Err(refusal)
                if self.cannot_tell(&refusal, || connect::shows_visitor_token(shown, auth)) =>
            {
                Ok(())
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Judges an API request.
    ///
    /// # Errors
    /// Those that a server would answer with.
    pub(crate) async fn request(
        &self,
        ask: &Ask,
        address: Option<IpAddr>,
    ) -> Result<Passed, Refusal> {
        let credentials = Credentials {
            tenant_id: ask.tenant_id.as_deref(),
            role: ask.needs_admin.then_some(ROLE_ADMIN),
            token: ask.token.as_deref(),
            visitor_token: ask.visitor_token.as_deref(),
            wants_visitor_token: false,
            visitor_id: ask.visitor_id.as_deref(),
            origin: ask.origin.as_deref(),
        };
        self.gate.prepare(credentials.token).await;
        let key = match self.gate.decide(&credentials, address) {
            Ok(_) => ask.token.as_deref().filter(|token| !token.is_empty()),
            Err(refusal) if self.cannot_tell(&refusal, || credentials.shows_visitor_token()) => {
                None
            }
            Err(refusal) => return Err(refusal),
        };
        let tenants = self.gate.tenants().load();
        let tenant = crate::auth::find_tenant(credentials.tenant_id, &tenants)?;
        Ok(Passed {
            tenant: Arc::clone(tenant.id()),
            key: key.map(KeyDigest::of),
        })
    }

    /// Whether a credential is missing only because a visitor token that was shown cannot be judged here.
    fn cannot_tell(&self, refusal: &Refusal, shows_visitor_token: impl FnOnce() -> bool) -> bool {
        refusal.code() == Code::CredentialRequired
            && !self.gate.judges_visitor_tokens()
            && shows_visitor_token()
    }
}

impl Ask {
    /// What the head of a request shows.
    ///
    /// # Errors
    /// `TENANT_MISMATCH` if it names two tenants.
    pub(crate) fn of(parts: &Parts) -> Result<Self, Refusal> {
        let header = |name: &str| text_header(&parts.headers, name);
        let mut ask = Self {
            token: bearer_of(&parts.headers),
            visitor_token: header(VISITOR_TOKEN_HEADER),
            origin: header(header::ORIGIN.as_str()),
            needs_admin: is_for_admins(parts.uri.path()),
            ..Self::default()
        };
        for named in parameters(parts, TENANT_ID).chain(header(TENANT_HEADER)) {
            ask.name(named)?;
        }
        Ok(ask)
    }

    /// Adds what the body shows.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD` if it is no object, `TENANT_MISMATCH` if it names another tenant.
    pub(crate) fn read(&mut self, body: &[u8]) -> Result<(), Refusal> {
        let named: Named = payload::of_body(body)
            .ok_or_else(|| Refusal::new(Code::InvalidPayload, "the body is { tenantId, … }"))?;
        self.visitor_id = named.visitor_id;
        named.tenant_id.map_or(Ok(()), |Id(id)| self.name(id))
    }

    fn name(&mut self, id: String) -> Result<(), Refusal> {
        match &self.tenant_id {
            Some(known) if *known != id => Err(Refusal::new(
                Code::TenantMismatch,
                "the request names two different tenants",
            )),
            Some(_) | None => {
                self.tenant_id = Some(id);
                Ok(())
            }
        }
    }
}

/// What a request to open a session shows. `None` if it says something twice: whoever reads it next might
/// read the other.
pub(crate) fn shown(parts: &Parts) -> Option<Shown> {
    let once = |name: &str| {
        let mut values = parameters(parts, name);
        let first = values.next();
        values.next().is_none().then_some(first)
    };
    Some(Shown {
        tenant_id: once(TENANT_ID)?,
        role: once(ROLE)?.map(|role| cut(role, MAX_ROLE_BYTES)),
        bearer: bearer_of(&parts.headers),
        origin: text_header(&parts.headers, header::ORIGIN.as_str()),
    })
}

fn cut(mut text: String, bytes: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes));
    text.shrink_to_fit();
    text
}

/// All values of a query parameter that are not empty.
pub(crate) fn parameters<'a>(
    parts: &'a Parts,
    name: &str,
) -> impl Iterator<Item = String> + use<'a> {
    let name = name.to_owned();
    form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
        .filter(move |(key, value)| *key == *name && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}

/// Servers differ in whether a slash at the end, or the case, makes another path.
fn is_for_admins(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    [ONLINE_USERS_PATH, ONLINE_HISTORY_PATH, CONVERSATIONS_PATH]
        .into_iter()
        .any(|known| path.eq_ignore_ascii_case(known))
}

/// Whether every server reads a path the same way: nothing in it is to be decoded or put right.
pub(crate) fn is_plain(path: &str) -> bool {
    let segments = path.trim_end_matches('/').split('/').skip(1);
    !path.contains(['%', '\\'])
        && segments
            .into_iter()
            .all(|segment| !matches!(segment, "" | "." | ".."))
}

fn bearer_of(headers: &HeaderMap) -> Option<String> {
    text_header(headers, header::AUTHORIZATION.as_str())
        .and_then(|header| bearer_token(&header).map(str::to_owned))
}

fn text_header(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whether nothing that CONNECT shows can make up for it.
fn is_final(code: Code) -> bool {
    matches!(
        code,
        Code::TenantRequired | Code::UnknownTenant | Code::RateLimited
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_could_be_another_is_not_plain() {
        for path in [ONLINE_USERS_PATH, "/webchat/message", "/webchat/message/"] {
            assert!(is_plain(path), "{path}");
        }
        for path in [
            "/api/chat//online-users",
            "/api/chat/./online-users",
            "/api/chat/x/../online-users",
            "/api/chat/online%2dusers",
            "/api/chat/x\\online-users",
        ] {
            assert!(!is_plain(path), "{path}");
        }
    }

    #[test]
    fn what_is_kept_of_a_role_is_bounded() {
        let long = format!("/?tenantId=42&role={}", "é".repeat(100));
        let (parts, ()) = axum::http::Request::get(long)
            .body(())
            .unwrap()
            .into_parts();
        assert_eq!(shown(&parts).unwrap().role, Some("é".repeat(16)));
    }

    #[test]
    fn the_lists_are_for_admins_however_they_are_written() {
        assert!(is_for_admins(ONLINE_USERS_PATH));
        assert!(is_for_admins(CONVERSATIONS_PATH));
        assert!(is_for_admins("/api/chat/online-users/History/"));
        assert!(is_for_admins("/api/chat/Online-Users/"));
        assert!(!is_for_admins("/api/chat/messages"));
    }
}
