//! How the server says no.
//!
//! Every refusal that leaves the server, by whichever way, is a [`Refusal`]: the same code and text
//! stand in a `connect_error`'s data, in an acknowledgement and in an HTTP body. The table of codes
//! and their HTTP statuses is `chat_protocol::code`.

use std::borrow::Cow;
use std::fmt;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chat_protocol::code::Code;
use serde::Serialize;

/// A request that is not granted: what the caller can do about it is in the code and the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    code: Code,
    message: Cow<'static, str>,
}

impl Refusal {
    /// A refusal with a text for people. The text must not repeat what the caller sent as a secret.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The machine-readable reason.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The reason in words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The JSON body `{ "error": text, "code": "UPPER_SNAKE" }`.
    pub fn body(&self) -> RefusalBody<'_> {
        RefusalBody {
            error: &self.message,
            code: self.code.as_str(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.message, self.code.as_str())
    }
}

impl std::error::Error for Refusal {}

/// A refusal as it is written into an acknowledgement or an HTTP body.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct RefusalBody<'a> {
    error: &'a str,
    code: &'a str,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.http_status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(self.body())).into_response();
        // For the one place that counts refusals.
        response.extensions_mut().insert(self.code);
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// A store could not do its duty. The cause is for the log; callers learn only `UNAVAILABLE`.
#[derive(Debug)]
pub struct StoreError {
    cause: Box<dyn std::error::Error + Send + Sync>,
}

impl StoreError {
    /// Wraps what happened inside a store.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            cause: cause.into(),
        }
    }

    /// Logs the cause, once, and says what the caller may know.
    pub fn into_refusal(self, doing: &'static str) -> Refusal {
        tracing::error!(cause = %self.cause, doing, "the store failed");
        Refusal::new(Code::Unavailable, "the store is not available; try again")
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(formatter)
    }
}

impl std::error::Error for StoreError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status_that_http_knows_and_an_error_class() {
        for code in Code::ALL {
            let status = code.http_status();
            assert!(
                StatusCode::from_u16(status).is_ok_and(|known| known.as_u16() >= 400)
                    || status == 0,
                "{} has the status {status}",
                code.as_str()
            );
        }
    }

    #[test]
    fn the_body_names_text_and_code() {
        let refusal = Refusal::new(Code::AdminRequired, "admins only");
        let body = serde_json::to_string(&refusal.body()).unwrap();
        assert_eq!(body, r#"{"error":"admins only","code":"ADMIN_REQUIRED"}"#);
        assert_eq!(refusal.into_response().status(), StatusCode::FORBIDDEN);
    }
}
