//! The sentences of errors that arise on this side: what to do, for whoever reads it.

use chat_protocol::code::Code;

const REFUSED: &str = "refused by the server";

pub(crate) fn explain(code: Code) -> &'static str {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the others come from our server, which brings its own sentence"
    )]
    match code {
        Code::NetworkError => {
            "no answer: check the server's address, the network and the allowed origins"
        }
        Code::Timeout => "no answer in time: try again",
        Code::NotConnected => "the connection is closed, or too much is waiting for it",
        Code::Disconnected => "the connection ended: what was sent may have arrived or not",
        Code::InvalidResponse => "unexpected answer: check that the address is a chat server's",
        Code::TokenUnavailable => "getToken failed, or what it gave is no token",
        Code::Aborted => "closed by the application",
        // Visitors are told in the widget's own words.
        _ if cfg!(feature = "visitor") => REFUSED,
        // What an answer comes to that brings no sentence.
        Code::HttpError | Code::Unavailable => "the server failed: try again later",
        Code::RateLimited => "too many requests: try again later",
        Code::NotFound => "nothing is there: check the server's address",
        Code::PayloadTooLarge => "too large: send less at a time",
        Code::InvalidToken | Code::AdminRequired => "not allowed: check the key or token",
        _ => REFUSED,
    }
}

#[cfg(test)]
mod tests {
    use super::{REFUSED, explain};
    use crate::api::refusal;

    #[test]
    fn an_answer_without_a_sentence_is_given_one_that_says_what_to_do() {
        for status in [401, 403, 404, 413, 429, 500, 502, 503, 504, 418] {
            assert_ne!(explain(refusal(status, None)), REFUSED, "{status}");
        }
    }
}
