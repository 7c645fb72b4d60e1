//! What every request brings: a tenant, perhaps a credential, an origin, an address.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use chat_protocol::code::Code;
use chat_protocol::http::{TENANT_HEADER, TENANT_ID, VISITOR_TOKEN_HEADER};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::auth::{Credentials, Identity, visitor_token};
use crate::chat::connect::{bearer_token, counted_address};
use crate::chat::{Chat, rate_limited};
use crate::error::Refusal;
use crate::payload;

/// Who asks, before anything of it is checked.
#[derive(Debug)]
pub(super) struct Asker {
    tenant_id: Option<String>,
    token: Option<String>,
    visitor_token: Option<String>,
    origin: Option<String>,
    /// The address by which it is counted, if it is to be.
    address: Option<IpAddr>,
}

/// An id in a body, which older clients write as a number.
#[derive(Debug, Deserialize)]
pub(super) struct BodyId(
    #[serde(deserialize_with = "chat_protocol::presence::text_or_number")] String,
);

impl Asker {
    /// Adds the tenant that the body names.
    ///
    /// # Errors
    /// `TENANT_MISMATCH` if another one has been named already.
    pub(super) fn naming(mut self, tenant_id: Option<BodyId>) -> Result<Self, Refusal> {
        let named = tenant_id.map(|BodyId(id)| id);
        self.tenant_id = agree([self.tenant_id, named])?;
        Ok(self)
    }

    /// Whether a credential came with the request, whatever it is worth. A visitor token that is worth
    /// nothing is as good as none.
    pub(super) fn has_credential(&self) -> bool {
        self.token
            .as_ref()
            .is_some_and(|token| !token.is_empty() && !token.starts_with(visitor_token::PREFIX))
    }

    /// Decides who it is.
    ///
    /// # Errors
    /// Those of [`Gate::decide`](crate::auth::Gate::decide).
    pub(super) fn identify<P, M>(
        &self,
        chat: &Chat<P, M>,
        role: Option<&str>,
        visitor_id: Option<&str>,
    ) -> Result<Identity, Refusal> {
        let credentials = Credentials {
            tenant_id: self.tenant_id.as_deref(),
            role,
            token: self.token.as_deref(),
            visitor_token: self.visitor_token.as_deref(),
            // An answer over HTTP has no place for one.
            wants_visitor_token: false,
            visitor_id,
            origin: self.origin.as_deref(),
        };
        let decision = chat.gate.decide(&credentials, self.address)?;
        Ok(decision.identity)
    }

    /// Counts a request that leaves something behind.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub(super) fn count_post<P, M>(
        &self,
        chat: &Chat<P, M>,
        author: &Identity,
    ) -> Result<(), Refusal> {
        if chat
            .open
            .allows_post(self.address, author, chat.clock.now())
        {
            Ok(())
        } else {
            Err(rate_limited())
        }
    }
}

impl<P, M> FromRequestParts<Arc<Chat<P, M>>> for Asker
where
    Chat<P, M>: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(
        parts: &mut Parts,
        chat: &Arc<Chat<P, M>>,
    ) -> Result<Self, Refusal> {
        let header = |name: &str| text_header(&parts.headers, name);
        let tenant_id = agree([
            query_parameter(parts.uri.query(), TENANT_ID),
            header(TENANT_HEADER),
        ])?;
        let token = header(header::AUTHORIZATION.as_str())
            .and_then(|header| bearer_token(&header).map(str::to_owned));
        chat.gate.prepare(token.as_deref()).await;
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self {
            tenant_id,
            token,
            visitor_token: header(VISITOR_TOKEN_HEADER),
            origin: header(header::ORIGIN.as_str()),
            address: counted_address(
                &chat.settings.connections,
                peer.map(|ConnectInfo(peer)| peer.ip()),
                header("x-forwarded-for").as_deref(),
            ),
        })
    }
}

/// The first value of a query parameter, decoded; an empty one is absent.
pub(super) fn query_parameter(query: Option<&str>, name: &str) -> Option<String> {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find_map(|(key, value)| (key == name).then(|| value.into_owned()))
        .filter(|value| !value.is_empty())
}

/// Reads a JSON body, whatever its declared type: pages send JSON as plain text to avoid preflights.
///
/// # Errors
/// `PAYLOAD_TOO_LARGE`, or `INVALID_PAYLOAD` with the expected shape.
pub(super) fn json_body<T: DeserializeOwned>(
    body: Result<Bytes, BytesRejection>,
    shape: &'static str,
) -> Result<T, Refusal> {
    let body = body.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Refusal::new(Code::PayloadTooLarge, "the body is too large")
        } else {
            Refusal::new(Code::InvalidPayload, "the body ended early")
        }
    })?;
    payload::of_body(&body).ok_or_else(|| Refusal::new(Code::InvalidPayload, shape))
}

fn text_header(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    (!text.is_empty()).then(|| text.to_owned())
}

fn agree(named: [Option<String>; 2]) -> Result<Option<String>, Refusal> {
    match named {
        [Some(one), Some(other)] if one != other => Err(Refusal::new(
            Code::TenantMismatch,
            "the request names two different tenants",
        )),
        [one, other] => Ok(one.or(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_name_the_tenant_must_agree() {
        let some = |id: &str| Some(id.to_owned());
        assert_eq!(agree([None, None]), Ok(None));
        assert_eq!(agree([some("a"), None]), Ok(some("a")));
        assert_eq!(agree([None, some("a")]), Ok(some("a")));
        assert_eq!(agree([some("a"), some("a")]), Ok(some("a")));
        let refusal = agree([some("a"), some("b")]).unwrap_err();
        assert_eq!(refusal.code(), Code::TenantMismatch);
    }

    #[test]
    fn a_query_parameter_is_decoded_and_never_empty() {
        assert_eq!(
            query_parameter(Some("a=1&tenantId=x%20y"), "tenantId").as_deref(),
            Some("x y")
        );
        assert_eq!(query_parameter(Some("tenantId="), "tenantId"), None);
        assert_eq!(query_parameter(None, "tenantId"), None);
    }
}
