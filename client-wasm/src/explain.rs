//! The sentences of errors that arise on this side: what to do, for whoever reads it.

use chat_protocol::code::Code;

pub(crate) fn explain(code: Code) -> &'static str {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the others are a server's, which brings its own sentence"
    )]
    match code {
        Code::NetworkError => {
            "no answer: check the server's address, the network and the allowed origins"
        }
        Code::Timeout => "no answer in time: try again",
        Code::NotConnected => "not connected, and too much is waiting: try again when connected",
        Code::Disconnected => "the connection ended: what was sent may have arrived or not",
        Code::InvalidResponse => "unexpected answer: check that the address is a chat server's",
        Code::TokenUnavailable => "getToken failed",
        Code::Aborted => "closed by the application",
        _ => "refused by the server",
    }
}
