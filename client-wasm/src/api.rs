//! The HTTP interface (contract section 5) as values: what to send, and what an answer means. Where JavaScript is the
//! platform, that puts the query together by itself, and only the second half counts.

use alloc::string::String;

use chat_protocol::{code::Code, http, roster::Mark, socket_io::push_number};

/// A request, but for the base address and the headers that every request bears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path and query.
    pub target: String,
    /// The JSON body of a `POST`.
    pub body: Option<String>,
}

impl Request {
    /// Everyone online in the tenant, or what has happened since `mark`.
    pub fn online_users(tenant_id: &str, mark: Option<Mark>) -> Self {
        let mut request = Self::get(http::ONLINE_USERS_PATH, &[(http::TENANT_ID, tenant_id)]);
        if let Some(mark) = mark {
            for (name, number) in [
                (http::EPOCH, mark.epoch.into()),
                (http::VERSION, mark.version),
            ] {
                push_parameter(&mut request.target, "&", name, "");
                push_number(&mut request.target, number);
            }
        }
        request
    }

    /// The messages of a conversation.
    pub fn messages(tenant_id: &str, session_id: &str) -> Self {
        Self::get(
            http::MESSAGES_PATH,
            &[(http::TENANT_ID, tenant_id), (http::SESSION_ID, session_id)],
        )
    }

    /// Sends a message; `body` is the JSON of `{ text, tenantId, sessionId?, … }`.
    pub fn send_message(body: String) -> Self {
        Self::post(http::SEND_MESSAGE_PATH, body)
    }

    /// Asks for a session; `body` is the JSON of `{ tenantId }`.
    pub fn session(body: String) -> Self {
        Self::post(http::SESSION_PATH, body)
    }

    fn get(path: &str, query: &[(&str, &str)]) -> Self {
        let mut target = String::from(path);
        let mut separator = "?";
        for (name, value) in query {
            push_parameter(&mut target, separator, name, value);
            separator = "&";
        }
        Self {
            method: "GET",
            target,
            body: None,
        }
    }

    fn post(path: &str, body: String) -> Self {
        Self {
            method: "POST",
            target: path.into(),
            body: Some(body),
        }
    }
}

/// Names are taken as they are, values are encoded.
pub(crate) fn push_parameter(out: &mut String, separator: &str, name: &str, value: &str) {
    for part in [separator, name, "="] {
        out.push_str(part);
    }
    push_encoded(out, value);
}

/// What an answer with an error status means: the code it bears, or what its status says.
///
/// `code` is the `code` of the JSON body, if it is one of ours.
pub fn refusal(status: u16, code: Option<Code>) -> Code {
    code.unwrap_or(match status {
        401 => Code::InvalidToken,
        403 => Code::AdminRequired,
        404 => Code::NotFound,
        413 => Code::PayloadTooLarge,
        429 => Code::RateLimited,
        502..=504 => Code::Unavailable,
        _ => Code::HttpError,
    })
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
fn push_encoded(out: &mut String, value: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Request, refusal};
    use chat_protocol::{code::Code, roster::Mark};

    #[test]
    fn values_cannot_leave_their_place_in_a_query() {
        assert_eq!(
            Request::messages("x&b=1#?/ é", "").target,
            "/api/chat/messages?tenantId=x%26b%3D1%23%3F%2F%20%C3%A9&sessionId="
        );
    }

    #[test]
    fn a_request_names_the_moment_that_is_known() {
        let mark = Some(Mark {
            epoch: u32::MAX,
            version: 120,
        });
        for (mark, query) in [
            (None, "tenantId=7"),
            (mark, "tenantId=7&epoch=4294967295&version=120"),
        ] {
            assert_eq!(
                Request::online_users("7", mark).target,
                ["/api/chat/online-users?", query].concat()
            );
        }
    }

    #[test]
    fn a_refusal_is_what_its_code_says_and_else_what_its_status_says() {
        assert_eq!(
            refusal(403, Some(Code::OriginNotAllowed)),
            Code::OriginNotAllowed
        );
        assert_eq!(refusal(403, None), Code::AdminRequired);
        assert_eq!(refusal(401, None), Code::InvalidToken);
        assert_eq!(refusal(503, None), Code::Unavailable);
        assert_eq!(refusal(418, None), Code::HttpError);
    }
}
