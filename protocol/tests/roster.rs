//! The presence reducer against a server that is right by construction.

use std::collections::{BTreeMap, VecDeque};

use chat_protocol::roster::{Change, Changes, Roster, Ticket, VecShelf};
use proptest::prelude::*;

type Users = Roster<VecShelf<u32>>;

fn empty() -> Users {
    Roster::new(VecShelf::default())
}

fn list(rows: &[(&str, u32)]) -> Vec<(String, u32)> {
    rows.iter()
        .map(|(user, row)| ((*user).to_owned(), *row))
        .collect()
}

/// Takes a list that is as new as the deltas around it.
fn replace(roster: &mut Users, list: &[(String, u32)]) -> Changes {
    let now = roster.ask();
    roster.answer(now, list)
}

fn order(roster: &Users) -> Vec<u32> {
    roster.shelf().rows().copied().collect()
}

#[test]
fn a_delta_says_what_it_changed_and_nothing_the_second_time() {
    let mut roster = empty();
    assert_eq!(roster.online("ann", &1), Change::Joined);
    assert_eq!(roster.online("ann", &1), Change::None);
    assert_eq!(roster.online("ann", &2), Change::Updated);
    assert_eq!(roster.offline("ann"), Change::Left);
    assert_eq!(roster.offline("ann"), Change::None);
    assert!(roster.is_empty());
}

#[test]
fn a_list_applied_twice_changes_nothing_the_second_time() {
    let mut roster = empty();
    let both = list(&[("ann", 1), ("bob", 2)]);
    assert_eq!(
        replace(&mut roster, &both),
        Changes {
            joined: 2,
            updated: 0,
            left: 0
        }
    );
    let revision = roster.revision();
    assert!(replace(&mut roster, &both).is_empty());
    assert_eq!(roster.revision(), revision);
    assert_eq!(
        replace(&mut roster, &list(&[("bob", 3)])),
        Changes {
            joined: 0,
            updated: 1,
            left: 1
        }
    );
}

#[test]
fn what_arrived_after_the_request_wins_over_its_answer() {
    let mut roster = empty();
    replace(
        &mut roster,
        &list(&[("stays", 1), ("leaves", 2), ("moves", 3)]),
    );
    let ticket = roster.ask();
    roster.online("comes", &4);
    roster.offline("leaves");
    roster.online("moves", &5);
    roster.offline("never-seen");
    let stale = list(&[("stays", 1), ("leaves", 2), ("moves", 3), ("never-seen", 6)]);
    assert!(roster.answer(ticket, &stale).is_empty());
    assert_eq!(order(&roster), [1, 5, 4]);
}

#[test]
fn what_arrived_before_the_request_yields_to_its_answer() {
    let mut roster = empty();
    roster.online("ghost", &1);
    roster.offline("back");
    let ticket = roster.ask();
    assert_eq!(
        roster.answer(ticket, &list(&[("back", 2)])),
        Changes {
            joined: 1,
            updated: 0,
            left: 1
        }
    );
    assert_eq!(order(&roster), [2]);
}

#[test]
fn an_answer_that_a_later_one_overtook_is_dropped() {
    let mut roster = empty();
    let first = roster.ask();
    let second = roster.ask();
    roster.answer(second, &list(&[("ann", 1)]));
    assert!(roster.answer(first, &list(&[("bob", 2)])).is_empty());
    assert_eq!(order(&roster), [1]);
}

#[test]
fn an_abandoned_request_leaves_no_memory_of_the_departed() {
    let mut roster = empty();
    let first = roster.ask();
    roster.offline("ann");
    roster.abandon(first);
    let second = roster.ask();
    assert_eq!(roster.answer(second, &list(&[("ann", 1)])).joined, 1);
}

#[test]
fn rows_keep_their_places_and_newcomers_go_to_the_end() {
    let mut roster = empty();
    replace(&mut roster, &list(&[("a", 1), ("b", 2), ("c", 3)]));
    replace(&mut roster, &list(&[("d", 4), ("c", 5), ("a", 1)]));
    assert_eq!(order(&roster), [1, 5, 4]);
    roster.offline("a");
    roster.online("a", &6);
    assert_eq!(order(&roster), [5, 4, 6]);
}

#[test]
fn a_user_listed_twice_is_taken_as_listed_last() {
    let mut roster = empty();
    replace(&mut roster, &list(&[("a", 1), ("a", 2)]));
    assert_eq!((roster.len(), roster.shelf().get("a")), (1, Some(&2)));
}

#[test]
fn who_comes_back_while_a_list_is_on_its_way_comes_last() {
    let mut roster = empty();
    replace(&mut roster, &list(&[("a", 1), ("b", 2), ("c", 3)]));
    let ticket = roster.ask();
    roster.offline("a");
    roster.offline("b");
    roster.online("b", &4);
    let later = roster.ask();
    // The first list may not know that they left, the second one does.
    roster.answer(ticket, &list(&[("a", 1), ("b", 2), ("c", 3)]));
    assert_eq!(order(&roster), [3, 4]);
    roster.answer(later, &list(&[("a", 5), ("a", 6), ("b", 4), ("c", 3)]));
    assert_eq!(order(&roster), [3, 4, 6]);
}

#[test]
fn churn_does_not_grow_the_roster() {
    let mut roster = empty();
    for round in 0..10_000u32 {
        roster.online(&round.to_string(), &round);
        if round >= 5 {
            assert_eq!(roster.offline(&(round - 5).to_string()), Change::Left);
        }
    }
    assert_eq!(order(&roster), [9_995, 9_996, 9_997, 9_998, 9_999]);
}

/// What can happen between a server and a client that share one ordered event channel and a slow side channel.
#[derive(Clone, Debug)]
enum Step {
    /// The server's truth changes, and an event is sent.
    Online(u8, u32),
    Offline(u8),
    /// The same, while the client is disconnected: the event is lost.
    LostOnline(u8, u32),
    LostOffline(u8),
    /// The oldest event on its way arrives.
    Deliver,
    /// The client asks for a list.
    Ask,
    /// The server reads the list for the oldest unserved request.
    Read,
    /// The answer to some served request arrives.
    Answer(prop::sample::Index),
    /// Some request is given up.
    Abandon(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let user = 0..6u8;
    prop_oneof![
        4 => (user.clone(), 0..1000u32).prop_map(|(user, row)| Step::Online(user, row)),
        4 => user.clone().prop_map(Step::Offline),
        1 => (user.clone(), 0..1000u32).prop_map(|(user, row)| Step::LostOnline(user, row)),
        1 => user.prop_map(Step::LostOffline),
        8 => Just(Step::Deliver),
        2 => Just(Step::Ask),
        2 => Just(Step::Read),
        2 => any::<prop::sample::Index>().prop_map(Step::Answer),
        1 => any::<prop::sample::Index>().prop_map(Step::Abandon),
    ]
}

type Truth = BTreeMap<u8, u32>;

struct World {
    truth: Truth,
    events: VecDeque<(u8, Option<u32>)>,
    asked: VecDeque<Ticket>,
    served: Vec<(Ticket, Truth)>,
    roster: Users,
}

impl World {
    fn change(&mut self, user: u8, row: Option<u32>, lost: bool) {
        match row {
            Some(row) => self.truth.insert(user, row),
            None => self.truth.remove(&user),
        };
        if !lost {
            self.events.push_back((user, row));
        }
    }

    fn deliver(&mut self) -> bool {
        let Some((user, row)) = self.events.pop_front() else {
            return false;
        };
        match row {
            Some(row) => self.roster.online(&user.to_string(), &row),
            None => self.roster.offline(&user.to_string()),
        };
        true
    }

    fn read(&mut self) {
        if let Some(ticket) = self.asked.pop_front() {
            self.served.push((ticket, self.truth.clone()));
        }
    }

    fn answer(&mut self, (ticket, list): (Ticket, Truth)) {
        let list: Vec<_> = list
            .into_iter()
            .map(|(user, row)| (user.to_string(), row))
            .collect();
        self.roster.answer(ticket, &list);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Online(user, row) => self.change(user, Some(row), false),
            Step::Offline(user) => self.change(user, None, false),
            Step::LostOnline(user, row) => self.change(user, Some(row), true),
            Step::LostOffline(user) => self.change(user, None, true),
            Step::Deliver => {
                self.deliver();
            }
            Step::Ask => {
                let ticket = self.roster.ask();
                self.asked.push_back(ticket);
            }
            Step::Read => self.read(),
            Step::Answer(which) if !self.served.is_empty() => {
                let served = self.served.swap_remove(which.index(self.served.len()));
                self.answer(served);
            }
            Step::Abandon(which) if !self.served.is_empty() => {
                let (ticket, _) = self.served.swap_remove(which.index(self.served.len()));
                self.roster.abandon(ticket);
            }
            Step::Answer(_) | Step::Abandon(_) => {}
        }
    }

    fn shown(&self) -> Truth {
        (0..6)
            .filter_map(|user| Some((user, *self.roster.shelf().get(&user.to_string())?)))
            .collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// However the network delays lists and loses events while disconnected: one list that is asked for after the
    /// last loss, and all events since, and the client shows exactly the truth, whatever order they arrive in.
    #[test]
    fn converges(history in prop::collection::vec(step(), 0..120), tail in prop::collection::vec(step(), 0..40), late in any::<bool>()) {
        let mut world = World {
            truth: Truth::new(),
            events: VecDeque::new(),
            asked: VecDeque::new(),
            served: Vec::new(),
            roster: empty(),
        };
        for step in history {
            world.step(&step);
        }
        // A disconnected client's events are gone, not late.
        while world.deliver() {}

        let resync = world.roster.ask();
        let list = world.truth.clone();
        let mut resync = Some((resync, list));
        if !late {
            world.answer(resync.take().expect("asked"));
        }
        for step in tail {
            world.step(&lossless(step));
        }
        if let Some(resync) = resync {
            world.answer(resync);
        }
        while world.deliver() {}
        while let Some(served) = world.served.pop() {
            world.answer(served);
        }
        prop_assert_eq!(world.shown(), world.truth.clone());
        prop_assert_eq!(world.roster.len(), world.truth.len());
    }
}

fn lossless(step: Step) -> Step {
    match step {
        Step::LostOnline(user, row) => Step::Online(user, row),
        Step::LostOffline(user) => Step::Offline(user),
        Step::Online(..)
        | Step::Offline(_)
        | Step::Deliver
        | Step::Ask
        | Step::Read
        | Step::Answer(_)
        | Step::Abandon(_) => step,
    }
}
