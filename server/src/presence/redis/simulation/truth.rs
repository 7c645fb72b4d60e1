//! What really happened, and what may be said about it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::cloud::NodeId;
use crate::presence::Profile;

/// A user of a tenant.
pub(super) type User = (&'static str, String);

/// Who is connected where, who was, and what has gone wrong with nodes and servers.
#[derive(Debug, Default)]
pub(super) struct Truth {
    lease: Duration,
    grace: Duration,
    sessions: BTreeMap<User, BTreeMap<String, Session>>,
    ended: BTreeMap<User, End>,
    /// When a session of each user ended last of which no node could tell.
    died: BTreeMap<User, Duration>,
    troubles: Vec<Trouble>,
    /// When data of which tenant were lost.
    losses: Vec<(&'static str, Duration)>,
    /// Who was rightly announced as gone, where and when, and when each user last came.
    told_gone: BTreeMap<(NodeId, User), Duration>,
    came: BTreeMap<User, Duration>,
    /// When which node began.
    starts: BTreeMap<NodeId, Duration>,
    /// Users who were announced as gone although they were there, in words.
    pub(super) false_offlines: Vec<String>,
    pub(super) offlines: usize,
    pub(super) worst_ghost: Duration,
}

#[derive(Debug)]
struct Session {
    node: NodeId,
    /// When the node had done all it could to announce it; none before that.
    since: Option<Duration>,
    profile: Profile,
    /// Whether its node is being told of something that it shows.
    busy: bool,
}

/// How a user's last session ended.
#[derive(Debug, Clone, Copy)]
struct End {
    at: Duration,
    /// Whether its node saw it, and lived on.
    clean: bool,
    node: NodeId,
}

/// A time during which a node or a server could not do its work.
#[derive(Debug)]
struct Trouble {
    whose: Whose,
    from: Duration,
    /// None while it goes on.
    to: Option<Duration>,
}

/// What is concerned by a trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whose {
    /// A node's, of one of several kinds.
    Node(NodeId, u64),
    Tenant(&'static str, u64),
}

/// How long a message may be on its way.
const UNDER_WAY: Duration = Duration::from_millis(100);

/// Troubles that follow each other so closely are one: what they interrupt takes so long to come back.
const RECOVERY: Duration = Duration::from_millis(900);

impl Truth {
    pub(super) fn new(lease: Duration, grace: Duration) -> Self {
        Self {
            lease,
            grace,
            ..Self::default()
        }
    }

    pub(super) fn start(&mut self, node: NodeId, now: Duration) {
        self.starts.insert(node, now);
    }

    pub(super) fn begin(
        &mut self,
        (user, session): (&User, &str),
        profile: Profile,
        node: NodeId,
        now: Duration,
    ) {
        self.came.insert(user.clone(), now);
        let session_of = Session {
            node,
            since: None,
            profile,
            busy: false,
        };
        let sessions = self.sessions.entry(user.clone()).or_default();
        sessions.insert(session.to_owned(), session_of);
    }

    pub(super) fn settle(&mut self, user: &User, session: &str, now: Duration) {
        let sessions = self.sessions.get_mut(user);
        if let Some(session) = sessions.and_then(|sessions| sessions.get_mut(session)) {
            session.since = Some(now);
        }
    }

    /// A session begins to show something else, or its node has done all it could to tell of that.
    pub(super) fn change(&mut self, user: &User, session: &str, profile: Option<Profile>) {
        let sessions = self.sessions.get_mut(user);
        if let Some(session) = sessions.and_then(|sessions| sessions.get_mut(session)) {
            session.busy = profile.is_some();
            if let Some(profile) = profile {
                session.profile = profile;
            }
        }
    }

    /// What each session of a user shows.
    pub(super) fn profiles(&self, user: &User) -> Vec<(String, Profile)> {
        let sessions = self.sessions.get(user).into_iter().flatten();
        sessions
            .map(|(session, held)| (session.clone(), held.profile.clone()))
            .collect()
    }

    pub(super) fn end(&mut self, user: &User, session: &str, now: Duration, clean: bool) {
        let Some(sessions) = self.sessions.get_mut(user) else {
            return;
        };
        let Some(ended) = sessions.remove(session) else {
            return;
        };
        if sessions.is_empty() {
            self.sessions.remove(user);
            let node = ended.node;
            self.ended.insert(
                user.clone(),
                End {
                    at: now,
                    clean,
                    node,
                },
            );
        }
        if !clean {
            self.died.insert(user.clone(), now);
        }
    }

    /// A node is no more, and all that it held.
    pub(super) fn end_node(&mut self, node: NodeId, now: Duration, clean: bool) {
        let held: Vec<(User, String)> = self
            .sessions
            .iter()
            .flat_map(|(user, sessions)| {
                let of_node = sessions.iter().filter(move |(_, held)| held.node == node);
                of_node.map(move |(session, _)| (user.clone(), session.clone()))
            })
            .collect();
        for (user, session) in held {
            self.end(&user, &session, now, clean);
        }
    }

    pub(super) fn sessions_of(&self, node: NodeId) -> Vec<(User, String)> {
        let mut all = Vec::new();
        for (user, sessions) in &self.sessions {
            for (session, held) in sessions {
                if held.node == node {
                    all.push((user.clone(), session.clone()));
                }
            }
        }
        all
    }

    /// Those of them that have been announced, and of which nothing is on its way.
    pub(super) fn settled_sessions_of(&self, node: NodeId) -> Vec<(User, String)> {
        let mut sessions = self.sessions_of(node);
        sessions.retain(|(user, session)| {
            let held = self.sessions.get(user).and_then(|of| of.get(session));
            held.is_some_and(|held| held.since.is_some() && !held.busy)
        });
        sessions
    }

    /// The users of a tenant that are connected.
    pub(super) fn online(&self, tenant: &str) -> BTreeSet<String> {
        let of_tenant = self.sessions.keys().filter(|(of, _)| *of == tenant);
        of_tenant.map(|(_, user)| user.clone()).collect()
    }

    /// False if the same trouble goes on already.
    pub(super) fn trouble_begins(&mut self, whose: Whose, now: Duration) -> bool {
        let going_on = |trouble: &Trouble| trouble.whose == whose && trouble.to.is_none();
        if self.troubles.iter().any(going_on) {
            return false;
        }
        self.troubles.push(Trouble {
            whose,
            from: now,
            to: None,
        });
        true
    }

    pub(super) fn trouble_ends(&mut self, whose: &Whose, now: Duration) {
        for trouble in &mut self.troubles {
            if trouble.whose == *whose && trouble.to.is_none() {
                trouble.to = Some(now);
            }
        }
    }

    pub(super) fn lose_data(&mut self, tenant: &'static str, now: Duration) {
        self.losses.push((tenant, now));
    }

    /// When a node was out of touch about a tenant, with the time that it takes to come back.
    fn spans(&self, node: NodeId, tenant: &str, now: Duration) -> Vec<(Duration, Duration)> {
        let concerns = |trouble: &&Trouble| match &trouble.whose {
            Whose::Node(of, _) => *of == node,
            Whose::Tenant(of, _) => *of == tenant,
        };
        let mut spans: Vec<(Duration, Duration)> = self
            .troubles
            .iter()
            .filter(concerns)
            .map(|trouble| (trouble.from, trouble.to.unwrap_or(now) + RECOVERY))
            .collect();
        spans.sort_unstable();
        let mut merged: Vec<(Duration, Duration)> = Vec::new();
        for (from, to) in spans {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                Some(_) | None => merged.push((from, to)),
            }
        }
        merged
    }

    /// The longest time for which it was so that ended after `since`.
    fn out_of_touch(&self, node: NodeId, tenant: &str, since: Duration, now: Duration) -> Duration {
        let spans = self.spans(node, tenant, now).into_iter();
        let recent = spans.filter(|(_, to)| *to >= since);
        let lengths = recent.map(|(from, to)| to.saturating_sub(from).saturating_sub(RECOVERY));
        lengths.max().unwrap_or_default()
    }

    /// Whether others must know of a session.
    fn is_firm(&self, session: &Session, tenant: &str, now: Duration) -> bool {
        // What was said before it came may be heard after.
        let Some(since) = session.since.filter(|since| *since + UNDER_WAY <= now) else {
            return false;
        };
        // Its node may not have come to say so yet, for the first time or since data were lost.
        let losses = self.losses.iter().filter(|(of, _)| *of == tenant);
        let to_tell: Vec<Duration> = losses.map(|(_, at)| *at).chain([since]).collect();
        let spans = self.spans(session.node, tenant, now);
        let untold = spans.iter().any(|(from, to)| {
            let within = |at: &Duration| from <= at && at <= to;
            now <= *to && to_tell.iter().any(within)
        });
        // Others may have taken a node for dead that could not be heard for nearly half a lease.
        let a_lease_ago = now.saturating_sub(self.lease);
        let silent = self.out_of_touch(session.node, tenant, a_lease_ago, now);
        !untold && silent < self.lease.mul_f64(0.45)
    }

    /// Somebody says that a user is here. Is that news?
    pub(super) fn judge_online(&mut self, who: NodeId, tenant: &str, user: &str, now: Duration) {
        let user = user_of(tenant, user);
        let Some(gone) = self.told_gone.get(&(who, user.clone())).copied() else {
            return;
        };
        let came = self.came.get(&user).copied().unwrap_or_default();
        // What a server does late is told late, and a replica may know nothing of the end.
        let lost = self
            .losses
            .iter()
            .any(|(of, at)| *of == tenant && *at + self.lease > gone);
        // What a server does when it goes on is told then, and to who is out of touch when that is over.
        let froze = Whose::Tenant(user.0, super::trouble::FREEZE);
        let spans = self.spans(who, tenant, now);
        let late = self.troubles.iter().any(|trouble| {
            let lasts = |(from, to): &(Duration, Duration)| *from <= trouble.from && now <= *to;
            trouble.whose == froze && spans.iter().any(lasts)
        });
        // Others may hear late of what a node could not tell; it knows by itself.
        let its_own = self.ended.get(&user).is_some_and(|end| end.node == who);
        // Nobody can tell that a session is over whose node has died.
        let died = self.died.get(&user).copied();
        let told = died.is_none_or(|died| died + self.lease * 2 < now);
        let here = self.sessions.contains_key(&user);
        if came < gone && came + RECOVERY < now && its_own && told && !late && !lost && !here {
            self.false_offlines.push(format!(
                "at {now:?} node{who} said {user:?} is here, gone since {gone:?}"
            ));
        }
    }

    /// Somebody says that a user is gone. Was that so?
    pub(super) fn judge_offline(&mut self, who: NodeId, tenant: &str, user: &str, now: Duration) {
        self.offlines += 1;
        let user_of = user_of(tenant, user);
        let Some(sessions) = self.sessions.get(&user_of) else {
            self.told_gone.insert((who, user_of), now);
            return;
        };
        let since = now.saturating_sub(self.lease);
        // Whoever says it may be on its own, and know only of its own sessions.
        if self.out_of_touch(who, tenant, since, now) > Duration::ZERO
            && !sessions
                .values()
                .any(|held| held.node == who && held.since.is_some())
        {
            return;
        }
        let firm = sessions
            .iter()
            .find(|(_, session)| self.is_firm(session, tenant, now));
        if let Some((session, held)) = firm {
            self.false_offlines.push(format!(
                "at {now:?} node{who} said {user} of {tenant} is gone, who has {session} on node{}",
                held.node
            ));
        }
    }

    /// How much longer than allowed a user is listed at a node who is not there; none if it is all right.
    pub(super) fn judge_listed(
        &mut self,
        who: NodeId,
        user: &User,
        now: Duration,
    ) -> Option<Duration> {
        if self.sessions.contains_key(user) {
            return None;
        }
        let end = self.ended.get(user)?;
        let gone_for = now.saturating_sub(end.at);
        let two_leases_ago = now.saturating_sub(self.lease * 2);
        let troubled =
            |trouble: &Trouble| trouble.to.is_none_or(|to| to + RECOVERY >= two_leases_ago);
        // One that has just begun gives others the time to begin too. That is seen where none lives long.
        let start = self.starts.get(&who).copied().unwrap_or_default();
        let young = now < start + self.lease;
        let allowed = if young {
            gone_for
        } else if self.troubles.iter().any(troubled) {
            // Then the bound holds from the end of the last trouble.
            let ends = self
                .troubles
                .iter()
                .map(|trouble| trouble.to.unwrap_or(now));
            let last = ends.max().unwrap_or_default().max(end.at);
            (last + RECOVERY + self.lease).saturating_sub(end.at)
        } else if end.clean {
            self.grace + self.lease.mul_f64(0.25)
        } else {
            self.lease
        };
        if self.out_of_touch(who, user.0, now, now) == Duration::ZERO {
            self.worst_ghost = self.worst_ghost.max(gone_for);
        }
        gone_for.checked_sub(allowed).filter(|over| !over.is_zero())
    }
}

/// A user by the names that are announced.
fn user_of(tenant: &str, user: &str) -> User {
    let known = super::TENANTS.into_iter().find(|known| *known == tenant);
    (known.unwrap_or_default(), user.to_owned())
}
