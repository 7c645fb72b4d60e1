//! The rules one by one, and then random histories against a reference model.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const GRACE: Duration = Duration::from_millis(200);

fn key(node: u64, session: u32) -> SessionKey {
    SessionKey {
        node: NodeId(node),
        session: format!("s{session}").into(),
    }
}

/// A row that says which session is shown.
fn row(user: &str, key: &SessionKey) -> Row {
    Row(format!("{user} {} {}", key.node.0, key.session).into())
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

struct Shop(TenantPresence);

impl Shop {
    fn new() -> Self {
        Self(TenantPresence::new(GRACE))
    }

    fn join(&mut self, user: &str, session: u32) -> Option<Change> {
        let key = key(1, session);
        let row = row(user, &key);
        self.0.handle_join(&user.into(), key, row)
    }

    fn leave(&mut self, at: u64, user: &str, session: u32) -> Option<Change> {
        self.0.handle_leave(millis(at), user, &key(1, session))
    }

    fn online(user: &str, session: u32) -> Change {
        Change::online(&user.into(), &row(user, &key(1, session)))
    }

    fn shown(&self) -> Vec<&str> {
        self.0.rows().map(Row::json).collect()
    }
}

#[test]
fn a_second_tab_is_announced_and_its_end_shows_the_first_again() {
    let mut shop = Shop::new();
    assert_eq!(shop.join("ann", 1), Some(Shop::online("ann", 1)));
    assert_eq!(shop.join("ann", 2), Some(Shop::online("ann", 2)));
    assert_eq!(shop.leave(0, "ann", 2), Some(Shop::online("ann", 1)));
    assert_eq!(shop.0.poll_timeout(), None);
    assert_eq!(shop.0.version(), 3);
}

#[test]
fn the_end_of_a_session_that_is_not_shown_is_nobodys_business() {
    let mut shop = Shop::new();
    shop.join("ann", 1);
    shop.join("ann", 2);
    assert_eq!(shop.leave(0, "ann", 1), None);
    assert_eq!(shop.shown(), ["ann 1 s2"]);
    assert_eq!(shop.0.version(), 2);
}

#[test]
fn a_reload_within_the_grace_time_is_no_departure() {
    let mut shop = Shop::new();
    shop.join("ann", 1);
    assert_eq!(shop.leave(1000, "ann", 1), None);
    assert_eq!(shop.shown(), ["ann 1 s1"], "still listed");
    assert_eq!(shop.0.poll_timeout(), Some(millis(1200)));
    assert_eq!(shop.join("ann", 2), Some(Shop::online("ann", 2)));
    assert!(shop.0.handle_timeout(millis(1200)).is_empty());
    assert_eq!(shop.shown(), ["ann 1 s2"]);
}

#[test]
fn the_grace_time_counts_from_the_last_departure() {
    let mut shop = Shop::new();
    shop.join("ann", 1);
    shop.leave(1000, "ann", 1);
    shop.join("ann", 2);
    shop.leave(1100, "ann", 2);
    assert!(shop.0.handle_timeout(millis(1299)).is_empty());
    assert_eq!(
        shop.0.handle_timeout(millis(1300)),
        [Change::Offline("ann".into())]
    );
    assert!(shop.0.handle_timeout(millis(1300)).is_empty(), "said once");
    assert!(shop.0.is_empty());
    assert_eq!(shop.0.poll_timeout(), None);
}

#[test]
fn a_late_or_repeated_leave_harms_nobody() {
    let mut shop = Shop::new();
    shop.join("ann", 1);
    shop.leave(0, "ann", 1);
    shop.join("ann", 2);
    assert_eq!(shop.leave(10, "ann", 1), None);
    assert_eq!(shop.leave(10, "bob", 1), None);
    assert!(shop.0.handle_timeout(millis(10_000)).is_empty());
    assert_eq!(shop.shown(), ["ann 1 s2"]);
}

#[test]
fn joining_twice_is_joining_once() {
    let mut shop = Shop::new();
    shop.join("ann", 1);
    assert_eq!(shop.join("ann", 1), None);
    shop.leave(0, "ann", 1);
    assert_eq!(shop.0.handle_timeout(GRACE).len(), 1);
}

#[test]
fn a_lost_node_takes_its_sessions_and_no_others() {
    let mut shop = Shop::new();
    for (user, node, session) in [("ann", 1, 1), ("ann", 2, 2), ("bob", 2, 3), ("cid", 1, 4)] {
        let key = key(node, session);
        let row = row(user, &key);
        shop.0.handle_join(&user.into(), key, row);
    }
    let changes = shop.0.handle_node_lost(NodeId(2));
    let gone = Change::Offline("bob".into());
    assert_eq!(changes, [Shop::online("ann", 1), gone], "without a grace");
    assert_eq!(shop.shown(), ["ann 1 s1", "cid 1 s4"]);
}

#[test]
fn pages_continue_after_the_cursor_even_when_its_user_has_left() {
    let mut shop = Shop::new();
    for user in ["a", "b", "c", "d"] {
        shop.join(user, 1);
    }
    let after = |shop: &Shop, cursor: Option<&str>| -> Vec<String> {
        shop.0
            .rows_after(cursor)
            .map(|(id, _)| id.to_string())
            .collect()
    };
    assert_eq!(after(&shop, None), ["a", "b", "c", "d"]);
    shop.leave(0, "b", 1);
    shop.0.handle_timeout(GRACE);
    assert_eq!(after(&shop, Some("b")), ["c", "d"]);
    assert_eq!(after(&shop, Some("d")), [""; 0]);
}

#[derive(Debug, Clone)]
enum Step {
    Join {
        user: u8,
        node: u64,
    },
    /// A new session at once after the newest one's end.
    Reload {
        user: u8,
        node: u64,
    },
    /// The end of one of the sessions there ever were, living or not.
    Leave {
        pick: prop::sample::Index,
    },
    LoseNode {
        node: u64,
    },
    Wait {
        millis: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let user = 0..4_u8;
    let node = 0..3_u64;
    prop_oneof![
        4 => (user.clone(), node.clone()).prop_map(|(user, node)| Step::Join { user, node }),
        3 => (user, node.clone()).prop_map(|(user, node)| Step::Reload { user, node }),
        6 => any::<prop::sample::Index>().prop_map(|pick| Step::Leave { pick }),
        1 => node.prop_map(|node| Step::LoseNode { node }),
        5 => (0..300_u64).prop_map(|millis| Step::Wait { millis }),
    ]
}

/// The reference: every session there ever was, with the time of its end.
#[derive(Default)]
struct Model {
    now: Duration,
    sessions: Vec<(String, SessionKey, Option<Duration>)>,
}

impl Model {
    /// Who lives on elsewhere has lost a session; of others nothing is left.
    fn lose(&mut self, node: NodeId) {
        let lost = |key: &SessionKey| key.node == node;
        let living = |(_, _, end): &&(String, SessionKey, Option<Duration>)| end.is_none();
        let ended: Vec<String> = self
            .sessions
            .iter()
            .filter(living)
            .filter(|(_, key, _)| lost(key))
            .map(|(user, _, _)| user.clone())
            .collect();
        for (_, key, end) in &mut self.sessions {
            if end.is_none() && lost(key) {
                *end = Some(self.now);
            }
        }
        for user in ended {
            let lives_on = self
                .sessions
                .iter()
                .filter(living)
                .any(|(owner, _, _)| *owner == user);
            for (owner, _, end) in &mut self.sessions {
                if *owner == user && !lives_on {
                    *end = Some(Duration::ZERO);
                }
            }
        }
    }

    fn shown(&self, user: &str) -> Option<Row> {
        let mine = || self.sessions.iter().filter(|(owner, _, _)| owner == user);
        let living = mine().rfind(|(_, _, end)| end.is_none());
        let ended = mine().filter_map(|(_, key, end)| end.map(|end| (end, key)));
        let lingering = || {
            let (end, _) = ended.clone().max_by_key(|(end, _)| *end)?;
            (self.now < end + GRACE).then_some(())
        };
        match living {
            Some((_, key, _)) => Some(row(user, key)),
            // Which of the ended ones was shown last is settled by the watcher's table.
            None => lingering().map(|()| Row("lingering".into())),
        }
    }
}

proptest! {
    #[test]
    fn any_history_agrees_with_the_model(steps in prop::collection::vec(step(), 1..120)) {
        let mut presence = TenantPresence::new(GRACE);
        let mut model = Model { now: GRACE, ..Model::default() };
        let mut watcher: BTreeMap<String, Row> = BTreeMap::new();
        let mut announced = 0;
        for step in steps {
            let mut changes = Vec::new();
            let mut join = |presence: &mut TenantPresence, model: &mut Model, user: u8, node| {
                let (user, session) = (format!("u{user}"), u32::try_from(model.sessions.len()).unwrap());
                let key = key(node, session);
                changes.extend(presence.handle_join(&user.as_str().into(), key.clone(), row(&user, &key)));
                model.sessions.push((user, key, None));
            };
            match step {
                Step::Join { user, node } => join(&mut presence, &mut model, user, node),
                Step::Reload { user, node } => {
                    let name = format!("u{user}");
                    let now = model.now;
                    let newest = model.sessions.iter_mut().rfind(|(owner, _, end)| *owner == name && end.is_none());
                    let left = newest.and_then(|(_, key, end)| {
                        *end = Some(now);
                        presence.handle_leave(now, &name, key)
                    });
                    join(&mut presence, &mut model, user, node);
                    changes.splice(0..0, left);
                }
                Step::Leave { pick } => {
                    if !model.sessions.is_empty() {
                        let now = model.now;
                        let index = pick.index(model.sessions.len());
                        let (user, key, end) = &mut model.sessions[index];
                        end.get_or_insert(now);
                        changes.extend(presence.handle_leave(now, user, key));
                    }
                }
                Step::LoseNode { node } => {
                    model.lose(NodeId(node));
                    changes.extend(presence.handle_node_lost(NodeId(node)));
                }
                Step::Wait { millis: waited } => {
                    model.now += millis(waited);
                    changes.extend(presence.handle_timeout(model.now));
                }
            }
            for change in changes {
                announced += 1;
                match change {
                    Change::Online { user, row } => {
                        prop_assert_eq!(row.json().split(' ').next(), Some(&*user));
                        prop_assert_ne!(watcher.insert(user.to_string(), row.clone()), Some(row), "news must be news");
                    }
                    Change::Offline(user) => prop_assert!(watcher.remove(&*user).is_some(), "gone once"),
                }
            }
            prop_assert_eq!(presence.version(), announced);
            prop_assert_eq!(
                presence.rows().collect::<Vec<_>>(), watcher.values().collect::<Vec<_>>(),
                "the changes alone rebuild the list"
            );
            for user in (0..4).map(|user| format!("u{user}")) {
                match model.shown(&user) {
                    Some(row) if row.json() == "lingering" => prop_assert!(watcher.contains_key(&user)),
                    expected => prop_assert_eq!(watcher.get(&user), expected.as_ref()),
                }
            }
        }
        let everyone: BTreeSet<_> = model.sessions.iter().map(|(user, key, _)| (user.clone(), key.clone())).map(|(u, k)| (u, k.node.0, k.session)).collect();
        for (user, node, session) in everyone {
            presence.handle_leave(model.now, &user, &SessionKey { node: NodeId(node), session });
        }
        presence.handle_timeout(model.now + GRACE);
        prop_assert!(presence.is_empty(), "nobody stays for ever");
        prop_assert_eq!(presence.poll_timeout(), None, "and no timer either");
    }
}
