//! The presence reducer against a server that says of which moment its lists and deltas are.

use std::collections::BTreeMap;

use chat_protocol::roster::{Changes, Delta, Fit, Mark, Roster, Ticket, VecShelf};
use proptest::prelude::*;

type Users = Roster<VecShelf<u32>>;
type Truth = BTreeMap<u8, u32>;

fn empty() -> Users {
    Roster::new(VecShelf::default())
}

fn at(epoch: u32, version: u64) -> Mark {
    Mark { epoch, version }
}

fn list(rows: &[(&str, u32)]) -> Vec<(String, u32)> {
    rows.iter()
        .map(|(user, row)| ((*user).to_owned(), *row))
        .collect()
}

fn delta(roster: &mut Users, since: Mark, until: Mark, on: &[(&str, u32)], off: &[&str]) -> Fit {
    let offline: Vec<_> = off.iter().map(|user| (*user).to_owned()).collect();
    roster.delta(&Delta {
        since,
        until,
        online: &list(on),
        offline: &offline,
    })
}

/// Takes a list that came in one order with the deltas.
fn replace(roster: &mut Users, mark: Mark, list: &[(String, u32)]) -> Changes {
    let now = roster.ask();
    roster.answer_at(now, mark, true, list)
}

fn order(roster: &Users) -> Vec<u32> {
    roster.shelf().rows().copied().collect()
}

/// A roster with two users at version 5 of epoch 1.
fn known() -> Users {
    let mut roster = empty();
    replace(&mut roster, at(1, 5), &list(&[("ann", 1), ("bob", 2)]));
    roster
}

#[test]
fn a_delta_that_follows_is_applied_and_changes_nothing_the_second_time() {
    let mut roster = known();
    let step = (at(1, 5), at(1, 7));
    assert_eq!(
        delta(&mut roster, step.0, step.1, &[("cid", 3)], &["ann"]),
        Fit::Applied
    );
    assert_eq!(
        (order(&roster), roster.mark()),
        (vec![2, 3], Some(at(1, 7)))
    );
    let revision = roster.revision();
    assert_eq!(
        delta(&mut roster, step.0, step.1, &[("cid", 3)], &["ann"]),
        Fit::Stale
    );
    assert_eq!(roster.revision(), revision);
}

#[test]
fn a_delta_that_overlaps_with_what_is_known_is_applied() {
    let mut roster = known();
    assert_eq!(
        delta(&mut roster, at(1, 2), at(1, 6), &[("ann", 9)], &["cid"]),
        Fit::Applied
    );
    assert_eq!(
        (order(&roster), roster.mark()),
        (vec![9, 2], Some(at(1, 6)))
    );
}

#[test]
fn a_delta_that_does_not_follow_is_a_gap() {
    for (since, until) in [
        (at(1, 6), at(1, 7)),
        (at(2, 5), at(2, 6)),
        (at(1, 4), at(2, 6)),
        (at(2, 1), at(1, 6)),
    ] {
        let mut roster = known();
        assert_eq!(
            delta(&mut roster, since, until, &[("cid", 3)], &["ann"]),
            Fit::Gap
        );
        assert_eq!(
            (order(&roster), roster.mark()),
            (vec![1, 2], Some(at(1, 5)))
        );
    }
    assert_eq!(
        delta(&mut empty(), at(0, 0), at(1, 1), &[("cid", 3)], &[]),
        Fit::Gap
    );
}

#[test]
fn a_delta_may_lead_into_another_epoch_from_where_one_is() {
    let mut roster = known();
    assert_eq!(
        delta(&mut roster, at(1, 5), at(2, 1), &[], &["bob"]),
        Fit::Applied
    );
    assert_eq!((order(&roster), roster.mark()), (vec![1], Some(at(2, 1))));
}

#[test]
fn an_older_list_of_the_same_epoch_is_dropped_whoever_was_asked_first() {
    let mut roster = known();
    let (first, second) = (roster.ask(), roster.ask());
    roster.answer_at(second, at(1, 6), false, &list(&[("ann", 1)]));
    roster.answer_at(first, at(1, 8), false, &list(&[("bob", 2)]));
    assert_eq!((order(&roster), roster.mark()), (vec![2], Some(at(1, 8))));
    assert!(replace(&mut roster, at(1, 7), &list(&[])).is_empty());
    assert_eq!(roster.mark(), Some(at(1, 8)));
}

#[test]
fn another_epoch_is_believed_if_it_came_in_order_or_was_asked_for_since() {
    let mut roster = known();
    let before = roster.ask();
    replace(&mut roster, at(2, 1), &list(&[("cid", 3)]));
    roster.answer_at(before, at(1, 9), false, &list(&[("ann", 1)]));
    assert_eq!((order(&roster), roster.mark()), (vec![3], Some(at(2, 1))));
    let since = roster.ask();
    roster.answer_at(since, at(3, 1), false, &list(&[("dan", 4)]));
    assert_eq!((order(&roster), roster.mark()), (vec![4], Some(at(3, 1))));
}

#[test]
fn whatever_has_no_mark_is_ordered_by_asking() {
    let mut roster = known();
    let ticket = roster.ask();
    delta(&mut roster, at(1, 5), at(1, 6), &[("cid", 3)], &["ann"]);
    roster.answer(ticket, &list(&[("ann", 1), ("bob", 2)]));
    assert_eq!((order(&roster), roster.mark()), (vec![2, 3], None));
    roster.online("dan", &4);
    assert_eq!(
        delta(&mut roster, at(1, 6), at(1, 7), &[], &["bob"]),
        Fit::Gap
    );

    let mut roster = known();
    roster.online("cid", &3);
    assert_eq!(roster.mark(), None);
    let mut roster = known();
    roster.offline("nobody");
    assert_eq!(roster.mark(), None);
}

#[derive(Clone, Debug)]
enum Step {
    /// The server's truth changes.
    Change(u8, Option<u32>),
    /// The server begins a new history, with some of its users.
    Restart(u8),
    /// The client asks over HTTP, with or without a cursor.
    Ask(bool),
    /// The server reads the oldest request; its answer is on its way.
    Read,
    /// A delta from some moment to some later one is on its way.
    Delta(prop::sample::Index, prop::sample::Index),
    /// A list of some moment is on its way, on a socket.
    List(prop::sample::Index),
    /// Something that is on its way arrives; it may arrive again.
    Arrive(prop::sample::Index, bool),
    /// The same, and it is lost.
    Lose(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        8 => (0..5u8, prop::option::of(0..100u32)).prop_map(|(user, row)| Step::Change(user, row)),
        1 => any::<u8>().prop_map(Step::Restart),
        3 => any::<bool>().prop_map(Step::Ask),
        3 => Just(Step::Read),
        6 => (index(), index()).prop_map(|(from, to)| Step::Delta(from, to)),
        2 => index().prop_map(Step::List),
        10 => (index(), any::<bool>()).prop_map(|(which, again)| Step::Arrive(which, again)),
        1 => index().prop_map(Step::Lose),
    ]
}

/// One moment of the server's history, and whom the change that led to it was about.
struct Moment {
    mark: Mark,
    truth: Truth,
    changed: Option<u8>,
}

enum Mail {
    /// The answer to a request: the list of a moment, or what led there from another one.
    Answer(Ticket, Option<Mark>, usize),
    List(usize),
    Delta(usize, usize),
}

struct World {
    history: Vec<Moment>,
    asked: Vec<(Ticket, Option<Mark>)>,
    mail: Vec<Mail>,
    roster: Users,
}

impl World {
    fn new() -> Self {
        Self {
            history: vec![Moment {
                mark: at(7, 1),
                truth: Truth::new(),
                changed: None,
            }],
            asked: Vec::new(),
            mail: Vec::new(),
            roster: empty(),
        }
    }

    fn now(&self) -> &Moment {
        self.history.last().expect("it never ends")
    }

    fn moment(&self, mark: Mark) -> usize {
        let found = self.history.iter().position(|moment| moment.mark == mark);
        found.expect("the server has been there")
    }

    fn rows(&self, moment: usize) -> Vec<(String, u32)> {
        self.history[moment]
            .truth
            .iter()
            .map(|(user, row)| (user.to_string(), *row))
            .collect()
    }

    /// What led from one moment to another: the final state of everybody who changed in between.
    fn deliver_delta(&mut self, from: usize, to: usize, answers: Option<Ticket>) {
        let (since, until) = (self.history[from].mark, self.history[to].mark);
        let truth = &self.history[to].truth;
        let between = &self.history[from + 1..=to];
        let restarted = since.epoch != until.epoch;
        let named =
            |user: u8| restarted || between.iter().any(|moment| moment.changed == Some(user));
        let (mut online, mut offline) = (Vec::new(), Vec::new());
        for user in (0..5).filter(|user| named(*user)) {
            match truth.get(&user) {
                Some(row) => online.push((user.to_string(), *row)),
                None => offline.push(user.to_string()),
            }
        }
        let delta = Delta {
            since,
            until,
            online: &online[..],
            offline: &offline[..],
        };
        match answers {
            Some(ticket) => self.roster.answer_delta(ticket, &delta),
            None => self.roster.delta(&delta),
        };
    }

    fn deliver(&mut self, mail: Mail) {
        match mail {
            Mail::Answer(ticket, Some(cursor), to) => {
                let from = self.moment(cursor);
                self.deliver_delta(from, to, Some(ticket));
            }
            Mail::Answer(ticket, None, to) => {
                let (mark, rows) = (self.history[to].mark, self.rows(to));
                self.roster.answer_at(ticket, mark, false, &rows);
            }
            Mail::List(to) => {
                let (mark, rows) = (self.history[to].mark, self.rows(to));
                replace(&mut self.roster, mark, &rows);
            }
            Mail::Delta(from, to) => {
                self.deliver_delta(from, to, None);
            }
        }
    }

    fn step(&mut self, step: &Step) {
        let last = self.history.len() - 1;
        match *step {
            Step::Change(user, row) => {
                let mut truth = self.now().truth.clone();
                let Mark { epoch, version } = self.now().mark;
                match row {
                    Some(row) => truth.insert(user, row),
                    None => truth.remove(&user),
                };
                self.history.push(Moment {
                    mark: at(epoch, version + 1),
                    truth,
                    changed: Some(user),
                });
            }
            Step::Restart(kept) => {
                let mut truth = self.now().truth.clone();
                truth.retain(|user, _| kept >> user & 1 == 1);
                // Epochs have no order.
                let epoch = self.now().mark.epoch.wrapping_mul(0x9e37_79b1);
                self.history.push(Moment {
                    mark: at(epoch, 1),
                    truth,
                    changed: None,
                });
            }
            Step::Ask(with_cursor) => {
                let cursor = self.roster.mark().filter(|_| with_cursor);
                self.asked.push((self.roster.ask(), cursor));
            }
            Step::Read if !self.asked.is_empty() => {
                let (ticket, cursor) = self.asked.remove(0);
                self.mail.push(Mail::Answer(ticket, cursor, last));
            }
            Step::Delta(from, to) if last > 0 => {
                let from = from.index(last);
                let to = from + 1 + to.index(last - from);
                self.mail.push(Mail::Delta(from, to));
            }
            Step::List(of) => self.mail.push(Mail::List(of.index(last + 1))),
            Step::Arrive(which, again) if !self.mail.is_empty() => {
                let mail = self.mail.swap_remove(which.index(self.mail.len()));
                match mail {
                    Mail::List(to) if again => self.mail.push(Mail::List(to)),
                    Mail::Delta(from, to) if again => self.mail.push(Mail::Delta(from, to)),
                    Mail::List(_) | Mail::Delta(..) | Mail::Answer(..) => {}
                }
                self.deliver(mail);
            }
            Step::Lose(which) if !self.mail.is_empty() => {
                match self.mail.swap_remove(which.index(self.mail.len())) {
                    Mail::Answer(ticket, ..) => self.roster.abandon(ticket),
                    Mail::List(_) | Mail::Delta(..) => {}
                }
            }
            Step::Read | Step::Delta(..) | Step::Arrive(..) | Step::Lose(_) => {}
        }
    }

    fn shown(&self) -> Truth {
        (0..5)
            .filter_map(|user| Some((user, *self.roster.shelf().get(&user.to_string())?)))
            .collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// Lists and deltas are lost, late, doubled and in any order, and the server begins anew: at each moment the rows are
    /// those of the mark, within an epoch the mark never goes back, and one answer to a request of now makes it now.
    #[test]
    fn shows_the_moment_of_its_mark(steps in prop::collection::vec(step(), 0..50), over_socket in any::<bool>()) {
        let mut world = World::new();
        for step in &steps {
            let before = world.roster.mark();
            world.step(step);
            match (before, world.roster.mark()) {
                (Some(before), Some(after)) if before.epoch == after.epoch => {
                    prop_assert!(before.version <= after.version);
                }
                (Some(_), None) => prop_assert!(false, "a mark was lost"),
                (Some(_) | None, Some(_)) | (None, None) => {}
            }
            if let Some(mark) = world.roster.mark() {
                let truth = &world.history[world.moment(mark)].truth;
                prop_assert_eq!(&world.shown(), truth);
                prop_assert_eq!(world.roster.len(), truth.len());
            } else {
                prop_assert!(world.roster.is_empty());
            }
        }
        let last = world.history.len() - 1;
        let fresh = if over_socket {
            Mail::List(last)
        } else {
            Mail::Answer(world.roster.ask(), None, last)
        };
        world.deliver(fresh);
        prop_assert_eq!(world.shown(), world.now().truth.clone());
        // What is still on its way undoes nothing, but for a socket's list, which nothing may overtake.
        for mail in std::mem::take(&mut world.mail) {
            if !matches!(mail, Mail::List(_)) {
                world.deliver(mail);
            }
        }
        prop_assert_eq!(world.shown(), world.now().truth.clone());
    }
}
