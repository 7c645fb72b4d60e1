//! `ChatApi`: the HTTP interface.

use chat_protocol::{code::Code, message::Message, presence::OnlineUser};
use serde::Serialize;
use wasm_bindgen::JsValue;

use super::{
    config::Config,
    error::ChatError,
    http, json,
    wire::{self, Outgoing},
};
use crate::api::Request;

/// Single requests. Each fails with a coded error, and never looks like an empty list. One whose future is dropped is
/// aborted.
#[derive(Clone, Debug)]
pub struct ChatApi {
    config: Config,
}

impl ChatApi {
    /// Sends nothing yet.
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    /// Who is online now. For admins.
    ///
    /// # Errors
    /// What the server refuses, and what prevents an answer.
    pub async fn online_users(&self) -> Result<Vec<OnlineUser>, ChatError> {
        let request = Request::online_users(self.config.tenant_id(), None);
        self.ask(request, |answer| wire::rows(&answer)).await
    }

    /// The messages of a conversation, oldest first.
    ///
    /// # Errors
    /// What the server refuses, and what prevents an answer.
    pub async fn messages(&self, session_id: &str) -> Result<Vec<Message>, ChatError> {
        let request = Request::messages(self.config.tenant_id(), session_id);
        self.ask(request, |answer| wire::messages(&answer)).await
    }

    /// Sends a message to a session, one that [`ChatApi::create_session`] has opened or, as an admin, any. Without one, a
    /// visitor's message opens one, which the answer names.
    ///
    /// # Errors
    /// What the server refuses, and what prevents an answer; then the message may have arrived or not.
    pub async fn send_message(
        &self,
        text: &str,
        session_id: Option<&str>,
    ) -> Result<Message, ChatError> {
        let website = &self.config.website;
        let body = json::write(&Outgoing {
            text: text.to_owned(),
            tenant_id: Some(self.config.tenant_id().to_owned()),
            session_id: session_id.map(str::to_owned),
            site_id: website.site_id.clone(),
            domain: website.domain.clone(),
        });
        self.ask(Request::send_message(body), wire::message).await
    }

    /// Opens a session; the answer is its id.
    ///
    /// # Errors
    /// What the server refuses, and what prevents an answer.
    pub async fn create_session(&self) -> Result<String, ChatError> {
        let body = json::write(&NewSession {
            tenant_id: self.config.tenant_id(),
        });
        let answer = self.ask(Request::session(body), |answer| wire::session_id(&answer));
        answer.await
    }

    async fn ask<T>(
        &self,
        request: Request,
        pick: fn(JsValue) -> Option<T>,
    ) -> Result<T, ChatError> {
        let answer = http::send(self.config.clone(), request).await?;
        pick(answer).ok_or_else(|| ChatError::new(Code::InvalidResponse))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewSession<'a> {
    tenant_id: &'a str,
}
