//! Error codes: every refusal that leaves the system, by one stable name.
//!
//! The same code stands in a `connect_error`'s `data.code`, in an HTTP body's `code`, in the acknowledgement of a
//! refused message, and in the SDK's `error.code`. A code's name never changes and is never reused.

/// Whether trying again unchanged can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The cause may pass by itself: try again later, with backoff.
    Later,
    /// The same request will be refused again: something must be changed first.
    Never,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal, $retry:ident;)*) => {
        /// A stable error code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// Every code, in declaration order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name on the wire, `UPPER_SNAKE`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The HTTP status that carries this code; 0 for codes that only arise inside a client.
            pub const fn http_status(self) -> u16 {
                match self {
                    $(Self::$variant => $status,)*
                }
            }

            /// Whether trying again unchanged can help.
            pub const fn retry(self) -> Retry {
                match self {
                    $(Self::$variant => Retry::$retry,)*
                }
            }
        }
    };
}

codes! {
    /// No `tenantId` in the handshake, query, header or body.
    TenantRequired = "TENANT_REQUIRED", 400, Never;
    /// `X-Tenant-ID` and the query's `tenantId` name different tenants.
    TenantMismatch = "TENANT_MISMATCH", 400, Never;
    /// The payload is not of the documented shape.
    InvalidPayload = "INVALID_PAYLOAD", 400, Never;
    /// A message without text.
    TextRequired = "TEXT_REQUIRED", 400, Never;
    /// The request needs a credential and brought none.
    CredentialRequired = "CREDENTIAL_REQUIRED", 401, Never;
    /// A token that is malformed, wrongly signed or lacks a claim.
    InvalidToken = "INVALID_TOKEN", 401, Never;
    /// A token past its `exp`.
    TokenExpired = "TOKEN_EXPIRED", 401, Never;
    /// A key that is none of the tenant's.
    InvalidApiKey = "INVALID_API_KEY", 401, Never;
    /// The credential is valid but does not prove the admin role.
    AdminRequired = "ADMIN_REQUIRED", 403, Never;
    /// The credential belongs to another tenant.
    WrongTenant = "WRONG_TENANT", 403, Never;
    /// The page's origin is not among the tenant's.
    OriginNotAllowed = "ORIGIN_NOT_ALLOWED", 403, Never;
    /// No such tenant.
    UnknownTenant = "UNKNOWN_TENANT", 404, Never;
    /// No such session or conversation in this tenant.
    UnknownSession = "UNKNOWN_SESSION", 404, Never;
    /// No such path.
    NotFound = "NOT_FOUND", 404, Never;
    /// The path exists, but not for this method.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", 405, Never;
    /// A message text over the limit.
    TextTooLong = "TEXT_TOO_LONG", 413, Never;
    /// A body or frame over the limit.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", 413, Never;
    /// Too many requests in too short a time.
    RateLimited = "RATE_LIMITED", 429, Later;
    /// Too many connections for this tenant or address.
    TooManyConnections = "TOO_MANY_CONNECTIONS", 429, Later;
    /// The server failed; its log says why.
    Internal = "INTERNAL", 500, Later;
    /// A dependency of the server is away.
    Unavailable = "UNAVAILABLE", 503, Later;
    /// The server is going down; another, or the same, is back soon.
    ShuttingDown = "SHUTTING_DOWN", 503, Later;

    /// Client: the request got no answer at all (offline, refused, blocked by CORS).
    NetworkError = "NETWORK_ERROR", 0, Later;
    /// Client: no answer in time.
    Timeout = "TIMEOUT", 0, Later;
    /// Client: the call needs a live connection and there is none.
    NotConnected = "NOT_CONNECTED", 0, Later;
    /// Client: the connection ended before the answer came.
    Disconnected = "DISCONNECTED", 0, Later;
    /// Client: the server refused the connection without saying a known code.
    ConnectionRefused = "CONNECTION_REFUSED", 0, Later;
    /// Client: an answer that is not of the documented shape.
    InvalidResponse = "INVALID_RESPONSE", 0, Later;
    /// Client: an HTTP error status without a known code.
    HttpError = "HTTP_ERROR", 0, Later;
    /// Client: the application's `getToken` failed.
    TokenUnavailable = "TOKEN_UNAVAILABLE", 0, Later;
    /// Client: missing or contradictory configuration.
    InvalidConfig = "INVALID_CONFIG", 0, Never;
    /// Client: the caller gave the request up, or closed the object that made it.
    Aborted = "ABORTED", 0, Never;
    /// Client: this browser or page does not let WebAssembly run.
    WasmUnavailable = "WASM_UNAVAILABLE", 0, Never;
}

impl Code {
    /// Whether other credentials may be all that is needed: a token expires by itself, and whoever issues them may have a
    /// newer one.
    pub const fn concerns_credentials(self) -> bool {
        matches!(
            self,
            Self::CredentialRequired
                | Self::InvalidToken
                | Self::TokenExpired
                | Self::InvalidApiKey
        )
    }

    /// The code of that name; `None` for a name this version does not know.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn every_code_has_its_own_upper_snake_name_that_reads_back() {
        for (i, code) in Code::ALL.iter().enumerate() {
            let name = code.as_str();
            assert!(
                name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'),
                "{name}"
            );
            assert_eq!(Code::from_name(name), Some(*code));
            assert!(
                Code::ALL[..i].iter().all(|other| other.as_str() != name),
                "{name} twice"
            );
        }
        assert_eq!(Code::from_name("invalid_token"), None);
    }

    #[test]
    fn what_concerns_credentials_is_what_http_calls_unauthorised() {
        for code in Code::ALL {
            assert_eq!(code.concerns_credentials(), code.http_status() == 401);
        }
    }

    #[test]
    fn a_status_is_an_error_status_or_none() {
        for code in Code::ALL {
            let status = code.http_status();
            assert!(status == 0 || (400..600).contains(&status), "{code:?}");
        }
    }
}
