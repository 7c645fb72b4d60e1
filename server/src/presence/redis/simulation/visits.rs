//! What pages tell of their visits, and what must be shown of it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::chance::Chance;
use super::data::Reply;
use super::truth::User;
use super::{TENANTS, World};
use crate::presence::{PresenceStore as _, Profile, Updating};

/// What a session shows at first.
pub(super) fn first(chance: &Chance, user: &User, session: &str) -> Profile {
    // Some pages report nothing.
    let says = chance.percent(60).then(|| chance.below(4));
    profile(user, session, says)
}

fn profile((_, user): &User, session: &str, says: Option<u64>) -> Profile {
    let row = format!(r#"{{"userId":"{user}","sessionId":"{session}"}}"#);
    let details = says.map(|says| match says {
        0 => "{}".to_owned(),
        1 => r#"{"idleSince":"2024-01-15T10:30:00.000Z"}"#.to_owned(),
        _ => format!(r#"{{"title":"{says}"}}"#),
    });
    Profile::written(&row, details.as_deref())
}

/// What the hash says of a session.
fn value(session: &str) -> Reply {
    Reply::Text(format!(r#"{{"sessionId":"{session}"}}"#).into_bytes())
}

impl World {
    /// A page tells something.
    pub(super) fn look(&mut self, index: usize, user: &User, session: &str, active: bool) {
        let profile = profile(user, session, Some(self.chance.below(4)));
        let (tenant, name) = (user.0, Arc::<str>::from(user.1.as_str()));
        // A session's events are handled one after the other.
        self.truth
            .lock()
            .change(user, session, Some(profile.clone()));
        let (store, truth) = (
            Arc::clone(&self.nodes[index].store),
            Arc::clone(&self.truth),
        );
        let (of, id) = (user.clone(), session.to_owned());
        self.nodes[index].spawn(async move {
            let updating = Updating {
                tenant,
                user: &name,
                session: &id,
                profile: &profile,
                active,
            };
            if let Err(error) = store.update(updating).await {
                panic!("a session could not be updated: {error}");
            }
            truth.lock().change(&of, &id, None);
        });
        self.note(|| format!("{session} of {user:?} tells something, active: {active}"));
    }

    /// One tab of each user is looked at. Says which.
    pub(super) fn look_at_something_of_everybody(&mut self) -> BTreeMap<User, String> {
        let mut looked_at = BTreeMap::new();
        for index in 0..self.nodes.len() {
            let sessions = self.truth.lock().settled_sessions_of(self.nodes[index].id);
            for (user, session) in sessions {
                if let Entry::Vacant(none_yet) = looked_at.entry(user) {
                    self.look(index, none_yet.key(), &session, true);
                    none_yet.insert(session);
                }
            }
        }
        looked_at
    }

    /// When all is well, that is what is shown.
    pub(super) fn check_looked_at(
        &self,
        looked_at: &BTreeMap<User, String>,
        wrong: &mut Vec<String>,
    ) {
        for (user, session) in looked_at {
            for node in &self.nodes {
                let view = node.views[user.0].lock();
                let shown = view.rows.as_ref().and_then(|rows| rows.get(&user.1));
                let named = format!(r#""sessionId":"{session}""#);
                if shown.is_none_or(|row| !row.contains(&named)) {
                    let node = node.id;
                    wrong.push(format!(
                        "{user:?} looks at {session}, node{node} shows {shown:?}"
                    ));
                }
            }
        }
    }

    /// When all is well, each user is shown with a session that lives, what its page told last, and the number of
    /// their tabs; and in the hash with nothing but the session.
    pub(super) fn check_shown(&self, wrong: &mut Vec<String>) {
        for (index, tenant) in TENANTS.into_iter().enumerate() {
            let truth = self.truth.lock();
            for node in &self.nodes {
                let view = node.views[tenant].lock();
                for (user, row) in view.rows.iter().flatten() {
                    let sessions = truth.profiles(&(tenant, user.clone()));
                    let rows = sessions
                        .iter()
                        .map(|(_, profile)| profile.shown(sessions.len()));
                    if !rows
                        .map(|row| super::node::row_of(&row))
                        .any(|one| one == *row)
                    {
                        let node = node.id;
                        wrong.push(format!("node{node} shows {row}, and there is {sessions:?}"));
                    }
                }
            }
            let online = truth.online(tenant);
            let key = format!("online_users:{tenant}");
            let hash = self.cloud.command(index % self.shards, &["HGETALL", &key]);
            let Reply::List(pairs) = hash else {
                continue;
            };
            let users = pairs.iter().step_by(2).cloned();
            let expected = online
                .iter()
                .map(|user| Reply::Text(user.as_bytes().into()));
            if !expected.eq(users) {
                wrong.push(format!("the hash of {tenant} is {pairs:?}, not {online:?}"));
            }
            for (user, shown) in online.iter().zip(pairs.iter().skip(1).step_by(2)) {
                let sessions = truth.profiles(&(tenant, user.clone()));
                if !sessions.iter().any(|(session, _)| value(session) == *shown) {
                    wrong.push(format!("the hash shows {user} of {tenant} as {shown:?}"));
                }
            }
        }
    }
}
