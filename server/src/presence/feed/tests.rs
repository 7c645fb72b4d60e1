//! The feed by its inputs, and any history against the lists that were so.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::config::Settings;
use crate::presence::Row;

const INTERVAL: Duration = Duration::from_millis(50);

fn settings(max_recent_changes: usize, max_recent_bytes: usize) -> OnlineUsers {
    OnlineUsers {
        delta_interval: INTERVAL,
        max_recent_changes,
        max_recent_bytes,
        ..Settings::with_overrides("").unwrap().online_users
    }
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn online(user: &str, session: u64) -> Change {
    let json = format!(r#"{{"userId":"{user}","sessionId":"s{session}"}}"#);
    Change::online(&user.into(), &Row(json.into()))
}

fn offline(user: &str) -> Change {
    Change::Offline(user.into())
}

fn at(epoch: u32, version: u64) -> Cursor {
    Cursor { epoch, version }
}

fn state((epoch, version): (u32, u64), total: usize) -> Revision {
    Revision {
        epoch,
        version,
        total,
    }
}

fn delta(since: Cursor, at: Cursor, changes: &[Change]) -> Delta {
    Delta {
        since,
        at,
        changes: changes.to_vec(),
    }
}

/// A feed that has been asked at version 3 of epoch 1, with nine users online.
fn feed() -> Feed {
    let mut feed = Feed::new(&settings(100, 100_000));
    assert_eq!(feed.since(Cursor::default(), state((1, 3), 9)), None);
    feed
}

#[test]
fn the_first_change_is_told_at_once_and_the_next_ones_together() {
    let mut feed = feed();
    let first = feed.handle_announcement(millis(0), &[online("ann", 1)], state((1, 4), 9));
    assert_eq!(first, [delta(at(1, 3), at(1, 4), &[online("ann", 1)])]);
    assert_eq!(feed.poll_timeout(), None);
    for (version, change) in [
        (5, online("bob", 2)),
        (6, online("ann", 3)),
        (7, offline("bob")),
    ] {
        let told = feed.handle_announcement(millis(version), &[change], state((1, version), 9));
        assert_eq!(told, []);
    }
    assert_eq!(feed.poll_timeout(), Some(INTERVAL));
    assert_eq!(feed.handle_timeout(millis(49)), None, "not yet");
    let last = [online("ann", 3), offline("bob")];
    assert_eq!(
        feed.handle_timeout(INTERVAL),
        Some(delta(at(1, 4), at(1, 7), &last)),
        "the last word of each"
    );
    assert_eq!(feed.handle_timeout(millis(200)), None, "once");
    let quiet = feed.handle_announcement(millis(200), &[offline("ann")], state((1, 8), 9));
    assert_eq!(quiet, [delta(at(1, 7), at(1, 8), &[offline("ann")])]);
}

#[test]
fn who_comes_back_is_told_what_has_changed() {
    let mut feed = feed();
    feed.handle_announcement(millis(0), &[online("ann", 1)], state((1, 4), 9));
    let both = [online("bob", 2), offline("cid")];
    feed.handle_announcement(millis(1), &both, state((1, 6), 9));
    let now = state((1, 6), 9);
    let everything = [online("ann", 1), online("bob", 2), offline("cid")];
    let told = delta(at(1, 3), at(1, 6), &everything);
    assert_eq!(feed.since(at(1, 3), now), Some(told));
    for version in [4, 5] {
        let told = delta(at(1, version), at(1, 6), &both);
        assert_eq!(feed.since(at(1, version), now), Some(told), "also within");
    }
    assert_eq!(
        feed.since(at(1, 6), now),
        Some(delta(at(1, 6), at(1, 6), &[]))
    );
    for unknown in [at(1, 2), at(1, 7), at(2, 4), Cursor::default()] {
        assert_eq!(feed.since(unknown, now), None, "{unknown:?}");
    }
    let few = state((1, 6), 2);
    assert_eq!(feed.since(at(1, 3), few), None, "the list is less");
    assert_eq!(
        feed.poll_timeout(),
        Some(INTERVAL),
        "what waits goes on waiting"
    );
}

#[test]
fn nothing_waits_when_the_epoch_changes() {
    let mut feed = feed();
    feed.handle_announcement(millis(0), &[online("ann", 1)], state((1, 4), 9));
    feed.handle_announcement(millis(1), &[online("bob", 2)], state((1, 5), 9));
    let renamed = feed.handle_announcement(millis(2), &[], state((8, 70), 9));
    let expected = [
        delta(at(1, 4), at(1, 5), &[online("bob", 2)]),
        delta(at(1, 5), at(8, 70), &[]),
    ];
    assert_eq!(renamed, expected);
    let back = feed.handle_announcement(millis(3), &[offline("ann")], state((1, 9), 9));
    assert_eq!(back, [delta(at(8, 70), at(1, 9), &[offline("ann")])]);
    let now = state((1, 9), 9);
    assert_eq!(
        feed.since(at(8, 70), now).map(|delta| delta.changes),
        Some(vec![offline("ann")])
    );
    for unheard in 6..9 {
        assert_eq!(
            feed.since(at(1, unheard), now),
            None,
            "states of which only the difference is known"
        );
    }
    for before in [4, 5] {
        assert_eq!(
            feed.since(at(1, before), now),
            None,
            "nor any way past them"
        );
    }
}

#[test]
fn a_name_of_another_epoch_in_between_is_no_gap() {
    let mut feed = feed();
    feed.handle_announcement(millis(0), &[online("ann", 1)], state((1, 4), 9));
    feed.handle_announcement(millis(1), &[online("bob", 2)], state((8, 70), 9));
    feed.handle_announcement(millis(2), &[offline("bob")], state((1, 4), 9));
    feed.handle_announcement(millis(3), &[offline("ann")], state((1, 5), 9));
    let both = [offline("bob"), offline("ann")];
    assert_eq!(
        feed.since(at(1, 3), state((1, 5), 9)),
        Some(delta(at(1, 3), at(1, 5), &both))
    );
}

#[test]
fn a_new_name_within_an_epoch_is_told_with_the_next_change() {
    let mut feed = feed();
    let renamed = feed.handle_announcement(millis(0), &[], state((1, 5), 9));
    assert_eq!((renamed, feed.poll_timeout()), (vec![], None));
    let told = feed.handle_announcement(millis(0), &[offline("ann")], state((1, 6), 9));
    assert_eq!(told, [delta(at(1, 3), at(1, 6), &[offline("ann")])]);
    feed.handle_announcement(millis(1), &[], state((1, 7), 9));
    let left = feed.handle_announcement(millis(2), &[], state((8, 70), 9));
    let both = [
        delta(at(1, 6), at(1, 7), &[]),
        delta(at(1, 7), at(8, 70), &[]),
    ];
    assert_eq!(left, both, "it may have been listed, too");
}

#[test]
fn a_store_that_goes_back_is_followed_from_there() {
    let mut feed = feed();
    feed.handle_announcement(millis(0), &[online("ann", 1)], state((1, 4), 9));
    let back = feed.handle_announcement(millis(1), &[offline("ann")], state((1, 4), 9));
    assert_eq!(back, [], "one name for two lists leads nowhere");
    assert_eq!(feed.since(at(1, 3), state((1, 4), 9)), None);
    let unheard = state((1, 8), 9);
    assert_eq!(feed.since(at(1, 4), unheard), None);
    let told = feed.handle_announcement(millis(99), &[online("bob", 1)], state((1, 9), 9));
    assert_eq!(told, [delta(at(1, 8), at(1, 9), &[online("bob", 1)])]);
}

#[test]
fn there_is_always_room_for_what_waits() {
    let mut feed = Feed::new(&settings(2, 100_000));
    feed.since(Cursor::default(), state((1, 0), 9));
    feed.handle_announcement(millis(0), &[online("u0", 0)], state((1, 1), 9));
    for version in 2..4 {
        let change = online(&format!("u{version}"), version);
        let told = feed.handle_announcement(millis(1), &[change], state((1, version), 9));
        assert_eq!(told, []);
    }
    let told = feed.handle_announcement(millis(1), &[online("u4", 4)], state((1, 4), 9));
    let early = [online("u2", 2), online("u3", 3), online("u4", 4)];
    assert_eq!(told, [delta(at(1, 1), at(1, 4), &early)]);
    assert_eq!(feed.size().0, 2);
    assert_eq!(feed.since(at(1, 1), state((1, 4), 9)), None);
    assert!(feed.since(at(1, 2), state((1, 4), 9)).is_some());
}

#[test]
fn a_delta_is_written_as_the_wire_says() {
    let written = delta(at(5, 3), at(5, 6), &[online("ann", 1), offline("b\"b")]).json();
    let expected = r#"{"epoch":5,"version":6,"since":{"epoch":5,"version":3},"online":[{"userId":"ann","sessionId":"s1"}],"offline":["b\"b"]}"#;
    assert_eq!(written.unwrap(), expected);
}

/// What a store may announce, and what time passes.
#[derive(Debug, Clone)]
enum Step {
    Changes(Vec<(u8, bool)>),
    /// States follow of which nothing is known, by way of a name of another epoch.
    Missed(Vec<(u8, bool)>),
    Renamed,
    Wait(u64),
    List,
}

fn step() -> impl Strategy<Value = Step> {
    let changes = || prop::collection::vec((0..8_u8, any::<bool>()), 1..4);
    prop_oneof![
        8 => changes().prop_map(Step::Changes),
        1 => changes().prop_map(Step::Missed),
        1 => Just(Step::Renamed),
        3 => (0..120_u64).prop_map(Step::Wait),
        3 => Just(Step::List),
    ]
}

type Rows = BTreeMap<Arc<str>, Row>;

fn apply(rows: &mut Rows, changes: &[Change]) {
    for change in changes {
        match change {
            Change::Online { user, row } => rows.insert(Arc::clone(user), row.clone()),
            Change::Offline(user) => rows.remove(user),
        };
    }
}

/// What a list says that follows another.
fn difference(before: &Rows, after: &Rows) -> Vec<Change> {
    let gone = before.keys().filter(|user| !after.contains_key(*user));
    let here = after
        .iter()
        .filter(|(user, row)| before.get(*user) != Some(*row));
    gone.map(|user| Change::Offline(Arc::clone(user)))
        .chain(here.map(|(user, row)| Change::online(user, row)))
        .collect()
}

/// A client that does what the rules say.
struct Client {
    at: Cursor,
    rows: Rows,
    gaps: usize,
}

/// Whether a delta leads on from a state, as the rules say.
fn leads_on(delta: &Delta, from: Cursor) -> bool {
    let within = delta.at.epoch == from.epoch
        && delta.since.epoch == from.epoch
        && (delta.since.version..delta.at.version).contains(&from.version);
    from == delta.since || within
}

impl Client {
    fn hear(&mut self, delta: &Delta) {
        if leads_on(delta, self.at) {
            apply(&mut self.rows, &delta.changes);
            self.at = delta.at;
        } else if self.at != delta.at {
            self.gaps += 1;
        }
    }
}

struct World {
    feed: Feed,
    now: Duration,
    at: Cursor,
    rows: Rows,
    session: u64,
    local: u64,
    /// Every state that there was.
    states: Vec<(Cursor, Rows)>,
    /// And those that only others have heard of.
    unheard: Vec<(Cursor, Rows)>,
    clients: Vec<Client>,
}

impl World {
    fn revision(&self) -> Revision {
        state((self.at.epoch, self.at.version), self.rows.len())
    }

    fn change(&mut self, wanted: &[(u8, bool)]) -> Vec<Change> {
        let mut changes = Vec::new();
        for (user, comes) in wanted {
            let user = format!("u{user}");
            self.session += 1;
            let change = match (comes, self.rows.contains_key(user.as_str())) {
                (true, _) => online(&user, self.session),
                (false, true) => offline(&user),
                (false, false) => continue,
            };
            apply(&mut self.rows, std::slice::from_ref(&change));
            changes.push(change);
        }
        changes
    }

    fn announce(&mut self, changes: &[Change], at: Cursor) {
        self.at = at;
        self.states.push((at, self.rows.clone()));
        let revision = self.revision();
        for delta in self.feed.handle_announcement(self.now, changes, revision) {
            self.tell(&delta);
        }
    }

    fn tell(&mut self, delta: &Delta) {
        for client in &mut self.clients {
            client.hear(delta);
        }
    }

    fn step(&mut self, step: Step) {
        let in_order = |version: u64, count: usize| version + u64::try_from(count).unwrap();
        match step {
            Step::Changes(wanted) => {
                let changes = self.change(&wanted);
                if !changes.is_empty() {
                    let at = at(self.at.epoch, in_order(self.at.version, changes.len()));
                    self.announce(&changes, at);
                }
            }
            Step::Missed(wanted) => {
                let epoch = self.at.epoch;
                let before = self.at.version;
                self.local += 1;
                self.announce(&[], at(99, self.local));
                let former = self.rows.clone();
                for (index, one) in wanted.iter().enumerate() {
                    self.change(std::slice::from_ref(one));
                    let at = at(epoch, in_order(before, index + 1));
                    self.unheard.push((at, self.rows.clone()));
                }
                let changes = difference(&former, &self.rows);
                self.announce(&changes, at(epoch, in_order(before, wanted.len())));
            }
            Step::Renamed => self.announce(&[], at(self.at.epoch, self.at.version + 1)),
            Step::Wait(time) => {
                self.now += millis(time);
                if let Some(delta) = self.feed.handle_timeout(self.now) {
                    self.tell(&delta);
                }
            }
            Step::List => {
                self.feed.since(Cursor::default(), self.revision());
                self.clients.push(Client {
                    at: self.at,
                    rows: self.rows.clone(),
                    gaps: 0,
                });
            }
        }
    }
}

proptest! {
    #[test]
    fn whoever_applies_deltas_is_right(
        steps in prop::collection::vec(step(), 1..80),
        max_changes in 2..40_usize,
        max_bytes in 1000..20_000_usize,
    ) {
        let mut world = World {
            feed: Feed::new(&settings(max_changes, max_bytes)),
            now: millis(1000),
            at: at(1, 0),
            rows: Rows::new(),
            session: 0,
            local: 0,
            states: vec![(at(1, 0), Rows::new())],
            unheard: Vec::new(),
            clients: Vec::new(),
        };
        for step in steps {
            world.step(step);
            let (count, bytes) = world.feed.size();
            prop_assert!(count <= max_changes && bytes <= max_bytes, "{count} changes, {bytes} bytes");
            for client in &world.clients {
                prop_assert_eq!(client.gaps, 0, "nobody who listens misses anything");
                let state = world.states.iter().rfind(|(at, _)| *at == client.at);
                prop_assert_eq!(state.map(|(_, rows)| rows), Some(&client.rows), "at {:?}", client.at);
            }
            let revision = world.revision();
            for (cursor, _) in &world.states {
                let Some(delta) = world.feed.since(*cursor, revision) else { continue };
                prop_assert_eq!(delta.at, world.at);
                // Also for whoever was there when it was asked for, and has heard more elsewhere meanwhile.
                for (from, rows) in world.states.iter().chain(&world.unheard) {
                    if leads_on(&delta, *from) {
                        let mut rows = rows.clone();
                        apply(&mut rows, &delta.changes);
                        prop_assert_eq!(&rows, &world.rows, "from {:?}, asked from {:?}", from, cursor);
                    }
                }
            }
        }
        world.step(Step::Wait(100));
        for client in &world.clients {
            prop_assert_eq!(client.at.epoch, world.at.epoch);
            prop_assert_eq!(&client.rows, &world.rows, "all are told in the end");
        }
    }
}
