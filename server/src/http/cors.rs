//! Which pages may read the answers: those of the tenant's origins.
//!
//! This protects nobody by itself, since no cookie is ever used; the origin rules that count are
//! part of the identity's decision. It must answer every preflight, whatever the route.

use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, header};
use chat_protocol::http::TENANT_ID;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::live::Live;
use crate::tenants::Tenants;

const PREFLIGHT_LASTS: Duration = Duration::from_hours(1);

/// Where the tenants are that count now.
pub(crate) trait KnowsTenants: Send + Sync + 'static {
    /// The tenants.
    fn tenants(&self) -> &Live<Tenants>;
}

/// The layer that answers preflights and marks answers, of which pages may read `exposed` headers too.
pub(crate) fn layer(
    knows: &Arc<impl KnowsTenants>,
    exposed: impl IntoIterator<Item = HeaderName>,
) -> CorsLayer {
    let knows = Arc::clone(knows);
    let admitted = move |origin: &HeaderValue, request: &Parts| {
        origin
            .to_str()
            .is_ok_and(|origin| admits(&knows.tenants().load(), request.uri.query(), origin))
    };
    let exposed = [header::ETAG, header::RETRY_AFTER]
        .into_iter()
        .chain(exposed)
        .collect::<Vec<_>>();
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(admitted))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed)
        .max_age(PREFLIGHT_LASTS)
}

/// Whether pages of this origin may read answers about the tenant that a query names; where it
/// names none, about some tenant. An unknown tenant is nobody's: its page may read the refusal.
fn admits(tenants: &Tenants, query: Option<&str>, origin: &str) -> bool {
    let named = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find_map(|(key, value)| (key == TENANT_ID).then_some(value));
    match named.as_deref() {
        Some(id) => tenants.get(id).is_none_or(|tenant| tenant.admits(origin)),
        None => tenants.any_admits(origin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenant_of_the_query_decides_and_otherwise_any() {
        let tenants = Tenants::parse(
            r#"
            [[tenants]]
            id = "a"
            allowed_origins = ["https://a.example"]
            admin_origins = ["https://desk.example"]
            [[tenants]]
            id = "b"
            allowed_origins = ["https://b.example"]
            admin_origins = ["https://desk.example"]
            "#,
        )
        .unwrap();
        let admits = |query, origin| admits(&tenants, query, origin);
        assert!(admits(Some("tenantId=a"), "https://a.example"));
        assert!(admits(Some("EIO=4&tenantId=a"), "https://desk.example"));
        assert!(!admits(Some("tenantId=a"), "https://b.example"));
        assert!(admits(Some("tenantId=nowhere"), "https://b.example"));
        assert!(admits(None, "https://b.example"));
        assert!(!admits(None, "https://c.example"));
    }
}
