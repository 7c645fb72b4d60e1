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

/// Of a page in which nobody does anything.
const IDLE: u8 = 3;

/// What a session shows whose page says this of its visit, if it reports it.
fn profile(user: &str, key: &SessionKey, says: Option<u8>) -> Profile {
    let session = format!("{} {}", key.node.0, key.session);
    let row = format!(r#"{{"userId":"{user}","sessionId":"{session}"}}"#);
    let details = says.map(|says| match says {
        0 => "{}".to_owned(),
        IDLE => r#"{"idleSince":"2024-01-15T10:30:00.000Z"}"#.to_owned(),
        _ => format!(r#"{{"title":"{says}"}}"#),
    });
    Profile::written(&row, details.as_deref())
}

/// A row that says which session is shown.
fn row(user: &str, key: &SessionKey) -> Row {
    profile(user, key, None).shown(1)
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
        self.visit(user, session, None)
    }

    /// The same of a page that says this of its visit.
    fn visit(&mut self, user: &str, session: u32, says: Option<u8>) -> Option<Change> {
        let key = key(1, session);
        let profile = profile(user, &key, says);
        self.0.handle_join(&user.into(), key, profile)
    }

    fn update(&mut self, user: &str, session: u32, says: u8, active: bool) -> Option<Change> {
        let key = key(1, session);
        let profile = profile(user, &key, Some(says));
        self.0.handle_update(user, &key, &profile, active)
    }

    fn reported(user: &str, session: u32, says: u8, tabs: usize) -> Change {
        let row = profile(user, &key(1, session), Some(says)).shown(tabs);
        Change::online(&user.into(), &row)
    }

    fn leave(&mut self, at: u64, user: &str, session: u32) -> Option<Change> {
        self.0.handle_leave(millis(at), user, &key(1, session))
    }

    fn online(user: &str, session: u32) -> Change {
        Change::online(&user.into(), &row(user, &key(1, session)))
    }

    /// Who is shown with which session.
    fn shown(&self) -> Vec<String> {
        let text = |row: &Row| {
            let row: serde_json::Value = serde_json::from_str(row.json()).unwrap();
            let field = |name: &str| row[name].as_str().unwrap().to_owned();
            [field("userId"), field("sessionId")].join(" ")
        };
        self.0.rows().map(text).collect()
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
        shop.0.handle_join(&user.into(), key, row.into());
    }
    let changes = shop.0.handle_node_lost(NodeId(2));
    let gone = Change::Offline("bob".into());
    assert_eq!(changes, [Shop::online("ann", 1), gone], "without a grace");
    assert_eq!(shop.shown(), ["ann 1 s1", "cid 1 s4"]);
}

#[test]
fn the_tab_that_is_looked_at_is_shown_and_the_number_of_tabs_is_news() {
    let mut shop = Shop::new();
    assert_eq!(
        shop.visit("ann", 1, Some(1)),
        Some(Shop::reported("ann", 1, 1, 1))
    );
    assert_eq!(
        shop.visit("ann", 2, Some(2)),
        Some(Shop::reported("ann", 2, 2, 2))
    );
    assert_eq!(
        shop.update("ann", 1, 1, true),
        Some(Shop::reported("ann", 1, 1, 2))
    );
    assert_eq!(shop.update("ann", 1, 1, true), None, "it is shown already");
    assert_eq!(shop.update("ann", 2, 3, false), None, "nobody looks at it");
    assert_eq!(
        shop.update("ann", 1, 4, false),
        Some(Shop::reported("ann", 1, 4, 2))
    );
    assert_eq!(
        shop.leave(0, "ann", 2),
        Some(Shop::reported("ann", 1, 4, 1))
    );
    assert_eq!(shop.0.version(), 5);
}

#[test]
fn a_tab_that_nobody_looks_at_does_not_hide_the_one_that_is_looked_at() {
    let mut shop = Shop::new();
    shop.visit("ann", 1, Some(1));
    for (session, tabs) in [(2, 2), (3, 3)] {
        assert_eq!(
            shop.visit("ann", session, Some(IDLE)),
            Some(Shop::reported("ann", 1, 1, tabs)),
            "the number of tabs is news"
        );
    }
    assert_eq!(
        shop.leave(0, "ann", 1),
        Some(Shop::reported("ann", 3, IDLE, 2))
    );
    assert_eq!(
        shop.visit("ann", 4, Some(IDLE)),
        Some(Shop::reported("ann", 4, IDLE, 3)),
        "nobody looks at any"
    );
    assert_eq!(
        shop.visit("ann", 5, Some(0)),
        Some(Shop::reported("ann", 5, 0, 4))
    );
    shop.join("bob", 6);
    assert_eq!(
        shop.visit("bob", 7, Some(IDLE)),
        Some(Shop::reported("bob", 7, IDLE, 2)),
        "of a page that reports nothing nobody knows whether it is looked at"
    );
}

#[test]
fn pages_that_report_nothing_are_announced_as_ever() {
    let mut shop = Shop::new();
    shop.join("ann", 1);
    shop.visit("ann", 2, Some(1));
    assert_eq!(
        shop.join("ann", 3),
        Some(Shop::online("ann", 3)),
        "the number of tabs is hidden"
    );
    assert_eq!(shop.leave(0, "ann", 2), None);
    assert_eq!(shop.leave(0, "ann", 3), Some(Shop::online("ann", 1)));
}

#[test]
fn a_late_update_is_none() {
    let mut shop = Shop::new();
    shop.visit("ann", 1, Some(1));
    shop.leave(0, "ann", 1);
    assert_eq!(shop.update("ann", 1, 2, true), None, "its user lingers");
    assert_eq!(shop.0.handle_timeout(GRACE).len(), 1);
    assert_eq!(shop.update("ann", 1, 2, true), None, "its user is gone");
    shop.visit("ann", 2, Some(1));
    assert_eq!(shop.update("ann", 1, 2, true), None, "its user has another");
    assert_eq!(shop.shown(), ["ann 1 s2"]);
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
        says: Option<u8>,
    },
    /// A new session at once after the shown one's end.
    Reload {
        user: u8,
        node: u64,
        says: Option<u8>,
    },
    /// One of the sessions there ever were says something, living or not.
    Update {
        pick: prop::sample::Index,
        says: u8,
        active: bool,
    },
    /// The end of one of them.
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
    let says = || prop::option::of(0..=IDLE);
    let pick = || any::<prop::sample::Index>();
    prop_oneof![
        4 => (user.clone(), node.clone(), says())
            .prop_map(|(user, node, says)| Step::Join { user, node, says }),
        3 => (user, node.clone(), says())
            .prop_map(|(user, node, says)| Step::Reload { user, node, says }),
        6 => (pick(), 0..=IDLE, any::<bool>())
            .prop_map(|(pick, says, active)| Step::Update { pick, says, active }),
        6 => pick().prop_map(|pick| Step::Leave { pick }),
        1 => node.prop_map(|node| Step::LoseNode { node }),
        5 => (0..300_u64).prop_map(|millis| Step::Wait { millis }),
    ]
}

/// The reference: every session there ever was.
#[derive(Default)]
struct Model {
    now: Duration,
    sessions: Vec<Session>,
    /// How often something has been looked at.
    looks: u64,
}

#[derive(Clone)]
struct Session {
    user: String,
    key: SessionKey,
    says: Option<u8>,
    /// When it came or was looked at last; a little before the shown one's if it came behind that.
    look: u64,
    end: Option<Duration>,
}

/// Between two looks there is room for all that come behind.
const LOOK: u64 = 1 << 32;

impl Model {
    fn join(&mut self, user: u8, node: u64, says: Option<u8>) -> Session {
        let session = u32::try_from(self.sessions.len()).unwrap();
        let user = format!("u{user}");
        let look = self.look();
        let shown = self.living(&user).max_by_key(|session| session.look);
        let behind =
            |shown: &&Session| says == Some(IDLE) && shown.says.is_some_and(|says| says != IDLE);
        let look = shown
            .filter(behind)
            .map_or(look, |shown| shown.look - LOOK + self.looks);
        let session = Session {
            user,
            key: key(node, session),
            says,
            look,
            end: None,
        };
        self.sessions.push(session.clone());
        session
    }

    fn look(&mut self) -> u64 {
        self.looks += 1;
        self.looks * LOOK
    }

    /// Who lives on elsewhere has lost a session; of others nothing is left.
    fn lose(&mut self, node: NodeId) {
        let mut ended = BTreeSet::new();
        for session in &mut self.sessions {
            if session.end.is_none() && session.key.node == node {
                session.end = Some(self.now);
                ended.insert(session.user.clone());
            }
        }
        for user in ended {
            if self.living(&user).next().is_none() {
                for session in self
                    .sessions
                    .iter_mut()
                    .filter(|session| session.user == user)
                {
                    session.end = Some(Duration::ZERO);
                }
            }
        }
    }

    fn living<'a>(&'a self, user: &'a str) -> impl Iterator<Item = &'a Session> {
        let living = move |session: &&Session| session.user == user && session.end.is_none();
        self.sessions.iter().filter(living)
    }

    fn shown(&self, user: &str) -> Shown {
        let tabs = self.living(user).count();
        if let Some(session) = self.living(user).max_by_key(|session| session.look) {
            return Shown::Row(profile(user, &session.key, session.says).shown(tabs));
        }
        let mine = self.sessions.iter().filter(|session| session.user == user);
        let last = mine.filter_map(|session| session.end).max();
        match last {
            // Which of the ended ones was shown last is settled by the watcher's table.
            Some(end) if self.now < end + GRACE => Shown::Lingering,
            Some(_) | None => Shown::Nothing,
        }
    }
}

#[derive(Debug)]
enum Shown {
    Row(Row),
    Lingering,
    Nothing,
}

fn take(step: &Step, presence: &mut TenantPresence, model: &mut Model) -> Vec<Change> {
    let join = |presence: &mut TenantPresence, session: Session| {
        let profile = profile(&session.user, &session.key, session.says);
        presence.handle_join(&session.user.as_str().into(), session.key, profile)
    };
    match *step {
        Step::Join { user, node, says } => join(presence, model.join(user, node, says))
            .into_iter()
            .collect(),
        Step::Reload { user, node, says } => {
            let now = model.now;
            let name = format!("u{user}");
            let shown = model.living(&name).max_by_key(|session| session.look);
            let key = shown.map(|session| session.key.clone());
            let left = key.and_then(|key| {
                let of_key = model.sessions.iter_mut().find(|session| session.key == key);
                of_key.unwrap().end = Some(now);
                presence.handle_leave(now, &name, &key)
            });
            let joined = join(presence, model.join(user, node, says));
            left.into_iter().chain(joined).collect()
        }
        Step::Update { .. } | Step::Leave { .. } if model.sessions.is_empty() => Vec::new(),
        Step::Update { pick, says, active } => {
            let look = model.look();
            let index = pick.index(model.sessions.len());
            let session = &mut model.sessions[index];
            session.says = Some(says);
            if active {
                session.look = look;
            }
            let profile = profile(&session.user, &session.key, Some(says));
            let change = presence.handle_update(&session.user, &session.key, &profile, active);
            change.into_iter().collect()
        }
        Step::Leave { pick } => {
            let index = pick.index(model.sessions.len());
            let session = &mut model.sessions[index];
            session.end.get_or_insert(model.now);
            let change = presence.handle_leave(model.now, &session.user, &session.key);
            change.into_iter().collect()
        }
        Step::LoseNode { node } => {
            model.lose(NodeId(node));
            presence.handle_node_lost(NodeId(node))
        }
        Step::Wait { millis: waited } => {
            model.now += millis(waited);
            presence.handle_timeout(model.now)
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
            for change in take(&step, &mut presence, &mut model) {
                announced += 1;
                match change {
                    Change::Online { user, row } => {
                        let head = format!(r#"{{"userId":"{user}","#);
                        prop_assert!(row.json().starts_with(&head));
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
                    Shown::Row(row) => prop_assert_eq!(watcher.get(&user), Some(&row)),
                    Shown::Lingering => prop_assert!(watcher.contains_key(&user)),
                    Shown::Nothing => prop_assert_eq!(watcher.get(&user), None),
                }
            }
        }
        for session in &model.sessions {
            presence.handle_leave(model.now, &session.user, &session.key);
        }
        presence.handle_timeout(model.now + GRACE);
        prop_assert!(presence.is_empty(), "nobody stays for ever");
        prop_assert_eq!(presence.poll_timeout(), None, "and no timer either");
    }
}
