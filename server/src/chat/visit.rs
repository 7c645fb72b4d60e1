//! What a visitor's page tells of its visit: `auth.visit` in CONNECT, and later `update_presence`.

use chat_protocol::code::Code;
use chat_protocol::visit::Visit;
use chat_socketio::Event;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::connect::is_listed;
use super::page::Rules;
use super::{Chat, Socket, rate_limited};
use crate::auth::Identity;
use crate::error::Refusal;
use crate::messages::MessageStore;
use crate::payload;
use crate::presence::{PresenceStore, Profile, Updating};

/// The acknowledgement, for those who ask for one.
#[derive(Debug, Serialize)]
pub(super) struct Updated {}

/// Handles the event: what is left out stays as it was, but for `idle`.
///
/// # Errors
/// Too many, no object, or a session that reports no visit.
pub(super) async fn update<P: PresenceStore, M: MessageStore>(
    chat: &Chat<P, M>,
    socket: &Socket,
    event: &Event<'_>,
) -> Result<Updated, Refusal> {
    let rate = chat.settings.visits.per_socket;
    if !chat.allows(socket, |rates| &mut rates.updates, rate)
        || !chat.open.updates.allow(socket, chat.clock.now())
    {
        return Err(rate_limited());
    }
    let update: Visit = payload::of_event(event).ok_or_else(|| {
        Refusal::new(
            Code::InvalidPayload,
            "the payload is an object like auth.visit",
        )
    })?;
    let member = socket.session();
    let identity = &member.identity;
    // Events of one socket are handled one after the other, so nobody changes it meanwhile.
    let known = member.profile.lock().clone();
    let Some(mut user) = known.reported().filter(|_| is_listed(chat, identity)) else {
        return Err(Refusal::new(
            Code::UnknownSession,
            "this session reports no visit: say `visit` in auth",
        ));
    };
    let now = chat.clock.wall();
    rules(chat, identity).update(&mut user, &update, now);
    let profile = Profile::reporting(&user).map_err(|error| formless(&error))?;
    *member.profile.lock() = profile.clone();
    let updating = Updating {
        tenant: identity.tenant().id(),
        user: identity.user_id(),
        session: socket.id(),
        profile: &profile,
        active: update.idle.is_none(),
    };
    chat.presence
        .update(updating)
        .await
        .map_err(|error| error.into_refusal("update presence"))?;
    Ok(Updated {})
}

/// The visit in what a client shows in CONNECT, if it is one.
pub(super) fn told_in(auth: &str) -> Option<Visit> {
    #[derive(Deserialize)]
    struct Auth<'a> {
        #[serde(borrow, default)]
        visit: Option<&'a RawValue>,
    }
    let auth: Auth<'_> = serde_json::from_str(auth).ok()?;
    payload::read_object(auth.visit?.get())
}

/// How the pages of a visitor are shown, as the tenants are now: they may have been exchanged since the visitor came.
pub(super) fn rules<'a, P, M>(chat: &'a Chat<P, M>, identity: &Identity) -> Rules<'a> {
    let tenants = chat.gate.tenants().load();
    let tenant = tenants.get(identity.tenant().id());
    Rules {
        limits: &chat.settings.visits,
        full_urls: tenant.is_some_and(|tenant| tenant.full_urls()),
    }
}

/// What is said of what has no JSON form, which is nothing.
pub(super) fn formless(error: &serde_json::Error) -> Refusal {
    tracing::error!(%error, "a user has no JSON form");
    Refusal::new(Code::Internal, "the server failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_is_a_visit() {
        let told = |visit: &str| told_in(&format!(r#"{{"token":"t","visit":{visit}}}"#));
        assert_eq!(told("{}"), Some(Visit::default()));
        let titled = Visit {
            title: Some("A".into()),
            ..Visit::default()
        };
        assert_eq!(told(r#" {"title":"A","url":7,"more":[]}"#), Some(titled));
        for other in [
            "null",
            "true",
            "1",
            "\"{}\"",
            "[]",
            r#"["https://a.example/"]"#,
        ] {
            assert_eq!(told(other), None, "{other}");
        }
        assert_eq!(told_in(""), None);
        assert_eq!(told_in("{}"), None);
    }
}
