//! The picture by its inputs: what is told, and that nothing is told twice.

use super::*;

const LATER: Duration = Duration::from_secs(15);

fn mark(epoch: u32, version: u64) -> Mark {
    Mark { epoch, version }
}

fn published<'a>(at: (u32, u64), user: &'a str, value: Option<&'a str>) -> Published<'a> {
    let mark = mark(at.0, at.1);
    Published { mark, user, value }
}

fn online(user: &str, value: &str) -> Change {
    Change::online(&user.into(), &row_of(user, value).unwrap())
}

fn offline(user: &str) -> Change {
    Change::Offline(user.into())
}

fn snapshot(at: (u32, u64), pairs: &[(&str, &str)]) -> (Mark, Everyone) {
    let bytes = |(user, value): &(&str, &str)| (user.as_bytes().into(), value.as_bytes().into());
    (mark(at.0, at.1), pairs.iter().map(bytes).collect())
}

const S1: &str = r#"{"sessionId":"s1"}"#;
const S2: &str = r#"{"sessionId":"s2"}"#;

fn level(at: (u32, u64), pairs: &[(&str, &str)]) -> Mirror {
    let mut mirror = Mirror::new(99);
    let first = mirror.handle_snapshot(Duration::ZERO, snapshot(at, pairs), LATER);
    assert_eq!(first, (vec![], Reaction::Nothing), "the first is no news");
    mirror
}

#[test]
fn a_change_is_told_once_and_a_missed_one_by_the_next_snapshot() {
    let mut mirror = level((1, 4), &[("ann", S1)]);
    let told = mirror.handle_published(published((1, 5), "bob", Some(S2)));
    assert_eq!(told, Reaction::Tell(online("bob", S2)));
    let again = mirror.handle_published(published((1, 5), "bob", Some(S2)));
    assert_eq!(again, Reaction::Nothing);
    let gap = mirror.handle_published(published((1, 7), "cid", Some(S1)));
    assert_eq!(gap, Reaction::Ask);
    assert_eq!(mirror.level(), None);
    let missed = snapshot((1, 6), &[("bob", S2)]);
    let (changes, reaction) = mirror.handle_snapshot(Duration::ZERO, missed, LATER);
    assert_eq!(
        changes,
        [offline("ann"), online("cid", S1)],
        "and what was heard since"
    );
    assert_eq!(reaction, Reaction::Nothing);
    assert_eq!(mirror.level(), Some(mark(1, 7)));
}

#[test]
fn a_state_that_is_no_longer_followed_has_another_name() {
    let mut mirror = level((1, 4), &[("ann", S1)]);
    let named = |news: Option<Revision>| news.map(|state| (state.epoch, state.version));
    assert_eq!(named(mirror.news(&[])), Some((1, 4)));
    assert_eq!(mirror.news(&[]), None, "once");
    mirror.handle_published(published((1, 5), "ann", Some(S1)));
    assert_eq!(named(mirror.news(&[])), Some((1, 5)), "of the same list");
    mirror.handle_published(published((1, 7), "cid", Some(S1)));
    let between = mirror.news(&[]).unwrap();
    assert_eq!(between.epoch, 99);
    mirror.handle_snapshot(Duration::ZERO, snapshot((1, 8), &[]), LATER);
    assert_eq!(named(mirror.news(&[offline("ann")])), Some((1, 8)));
    // What is between this and a later snapshot is not known either.
    assert!(mirror.needs(mark(1, 9)));
    mirror.handle_missed();
    let next = mirror.news(&[]).unwrap();
    assert_eq!((next.epoch, mirror.level()), (99, None));
    assert_ne!(next.version, between.version);
}

#[test]
fn what_is_known_needs_no_snapshot() {
    let mut mirror = level((1, 4), &[("ann", S1)]);
    let needs = |mirror: &Mirror| {
        [mark(1, 3), mark(1, 4), mark(1, 5), mark(2, 1)].map(|mark| mirror.needs(mark))
    };
    assert_eq!(needs(&mirror), [false, false, true, true]);
    mirror.handle_lost();
    assert_eq!(needs(&mirror), [true; 4]);
}

#[test]
fn nothing_is_named_that_nobody_may_have_seen() {
    let mut mirror = Mirror::new(99);
    mirror.handle_published(published((1, 5), "ann", Some(S1)));
    assert_eq!(mirror.news(&[]), None);
    mirror.begin_alone(std::iter::empty());
    assert!(mirror.news(&[]).is_some());
}

#[test]
fn after_a_new_beginning_the_missing_are_given_time() {
    let mut mirror = level((1, 4), &[("ann", S1), ("bob", S2)]);
    let before = mirror.revision();
    let other = mirror.handle_published(published((2, 1), "bob", Some(S2)));
    assert_eq!(other, Reaction::Ask);
    let (changes, _) =
        mirror.handle_snapshot(Duration::ZERO, snapshot((2, 1), &[("bob", S2)]), LATER);
    assert_eq!(changes, [], "nobody is told");
    assert_ne!(mirror.revision(), before);
    assert_ne!(mirror.revision().epoch, 2, "this is no state of Redis");
    assert_eq!(mirror.poll_timeout(), Some(LATER));
    let back = mirror.handle_published(published((2, 2), "ann", Some(S1)));
    assert_eq!(back, Reaction::Nothing, "no news");
    assert_eq!(mirror.revision().epoch, 2);
    assert_eq!(mirror.handle_timeout(LATER), []);
}

#[test]
fn who_does_not_come_back_after_a_new_beginning_is_gone() {
    let mut mirror = level((1, 4), &[("ann", S1)]);
    mirror.handle_lost();
    mirror.handle_snapshot(Duration::ZERO, snapshot((2, 0), &[]), LATER);
    assert_eq!(mirror.handle_timeout(LATER / 2), []);
    assert_eq!(mirror.handle_timeout(LATER), [offline("ann")]);
    assert_eq!(mirror.handle_timeout(LATER), []);
}

#[test]
fn alone_a_node_shows_its_own() {
    let mut mirror = level((1, 4), &[("ann", S1)]);
    let (ann, bob): (Arc<str>, Arc<str>) = ("ann".into(), "bob".into());
    let (here, elsewhere) = (row_of("bob", S2).unwrap(), row_of("ann", S2).unwrap());
    let own = [(&bob, here.clone()), (&ann, elsewhere.clone())];
    let changes = mirror.handle_alone(own.into_iter());
    assert_eq!(changes, [online("bob", S2)], "ann is shown already");
    let left = mirror.handle_own_leave(&bob, "s2", None, LATER);
    assert_eq!(left, None, "a grace time first");
    let not_shown = mirror.handle_own_leave(&ann, "s2", None, LATER);
    assert_eq!(not_shown, None);
    assert_eq!(mirror.handle_timeout(LATER), [offline("bob")]);
    let (changes, _) = mirror.handle_snapshot(LATER, snapshot((1, 9), &[("ann", S2)]), LATER);
    assert_eq!(changes, [online("ann", S2)]);
}

#[test]
fn alone_a_tab_here_does_not_take_the_place_of_one_elsewhere_for_good() {
    let mut mirror = level((1, 4), &[("ann", S1)]);
    mirror.handle_alone(std::iter::empty());
    let (ann, here) = (Arc::from("ann"), row_of("ann", S2).unwrap());
    let told = mirror.handle_own_show(&ann, &here, true);
    assert_eq!(told, Some(online("ann", S2)));
    let told = mirror.handle_own_leave(&ann, "s2", None, LATER);
    assert_eq!(told, Some(online("ann", S1)));
    assert_eq!(mirror.handle_timeout(LATER), []);
    // A reload here is none: what was shown before was of this node, and has ended.
    mirror.handle_own_leave(&ann, "s1", None, LATER);
    mirror.handle_own_show(&ann, &here, true);
    mirror.handle_own_leave(&ann, "s2", None, LATER);
    assert_eq!(mirror.handle_timeout(LATER), [offline("ann")]);
}

#[test]
fn alone_a_node_counts_the_tabs_that_it_knows() {
    let two = r#"{"sessionId":"s1","title":"A","tabs":2}"#;
    let mut mirror = level((1, 4), &[("ann", two)]);
    mirror.handle_alone(std::iter::empty());
    let (ann, one) = (Arc::from("ann"), r#"{"sessionId":"s1","title":"A"}"#);
    let next = || Some((Arc::from("s1"), row_of("ann", one).unwrap()));
    let told = mirror.handle_own_leave(&ann, "s2", next(), LATER);
    assert_eq!(told, Some(online("ann", one)));
    assert_eq!(mirror.handle_own_leave(&ann, "s2", next(), LATER), None);
    let told = mirror.handle_own_leave(&ann, "s1", None, LATER);
    assert_eq!(
        (told, mirror.handle_timeout(LATER)),
        (None, vec![offline("ann")])
    );
}

#[test]
fn what_is_heard_while_a_snapshot_is_on_its_way_is_bounded() {
    let mut mirror = Mirror::new(99);
    for version in 1..=MAX_HEARD as u64 {
        let reaction = mirror.handle_published(published((1, version), "ann", Some(S1)));
        assert_eq!(reaction, Reaction::Nothing);
    }
    let one_more = published((1, MAX_HEARD as u64 + 1), "ann", Some(S2));
    assert_eq!(mirror.handle_published(one_more), Reaction::Ask);
}

#[test]
fn a_value_and_a_row_are_each_others_inverse() {
    for user in ["ann", "a\"n\nn", "ü"] {
        let row = row_of(user, S1).unwrap();
        assert_eq!(value_of(user, &row).as_deref(), Some(S1));
    }
    for foreign in ["", "{}", "[]", "{\"a\":1", "null"] {
        assert!(row_of("ann", foreign).is_none(), "{foreign}");
    }
}
