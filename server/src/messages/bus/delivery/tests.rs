//! Examples first, then any history of a node against the one thing that counts: each message once.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const MARGIN: Duration = Duration::from_secs(5);
const NOON: u64 = 1_700_000_000_000;

fn at(seconds: u64) -> RedisTime {
    RedisTime(NOON + seconds * 1000)
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A node that hears since the beginning of time, and has caught up.
fn hearing() -> Delivery {
    let mut delivery = Delivery::new(MARGIN);
    delivery.handle_begin();
    delivery.handle_alive(at(0));
    assert_eq!(delivery.poll_catch_up(Vec::new), None, "nobody was here");
    delivery
}

fn watch(delivery: &mut Delivery, tenant: &str) {
    assert!(delivery.handle_watch(tenant));
    delivery.handle_begin_of(tenant);
    assert!(delivery.is_listening(tenant));
}

/// All that there is to catch up with, with `t` and `u` on the node.
fn due(delivery: &mut Delivery) -> Vec<(String, RedisTime)> {
    let here = || vec!["t".into(), "u".into()];
    std::iter::from_fn(|| delivery.poll_catch_up(here))
        .map(|catch_up| (catch_up.tenant.to_string(), catch_up.from))
        .collect()
}

/// The channels that are given up when so many seconds have passed.
fn given_up(delivery: &mut Delivery, seconds: u64) -> Vec<String> {
    let tenants = delivery.handle_timeout(Duration::from_secs(seconds));
    tenants.iter().map(ToString::to_string).collect()
}

fn both_from(from: RedisTime) -> Vec<(String, RedisTime)> {
    vec![("t".to_owned(), from), ("u".to_owned(), from)]
}

fn before(time: RedisTime) -> RedisTime {
    RedisTime(time.0 - 5000)
}

#[test]
fn a_message_is_told_once_however_it_comes() {
    let mut delivery = hearing();
    assert!(delivery.handle_own(id(1)));
    assert!(!delivery.handle_heard(id(1)), "the own echo");
    assert_eq!(delivery.handle_recent(id(1)), Recent::Own);
    assert!(delivery.handle_heard(id(2)));
    assert!(!delivery.handle_heard(id(2)), "from the other channel");
    assert_eq!(delivery.handle_recent(id(2)), Recent::Known);
    assert_eq!(delivery.handle_recent(id(3)), Recent::Missed);
    assert!(!delivery.handle_heard(id(3)), "late");
    assert!(!delivery.handle_own(id(3)), "read before it was taken in");
    assert_eq!(delivery.handle_recent(id(3)), Recent::Own);
    delivery.handle_refused(id(4));
    assert_eq!(delivery.handle_recent(id(4)), Recent::Known);
}

#[test]
fn what_is_remembered_is_bounded_and_the_oldest_goes_first() {
    let mut delivery = hearing();
    let more = u128::try_from(REMEMBERED).unwrap() + 1;
    for number in 0..more {
        assert!(delivery.handle_heard(id(number)));
    }
    assert_eq!(delivery.known.origins.len(), REMEMBERED);
    assert_eq!(delivery.handle_recent(id(1)), Recent::Known);
    assert_eq!(delivery.handle_recent(id(0)), Recent::Missed);
}

#[test]
fn a_node_catches_up_from_before_it_last_heard() {
    let mut delivery = hearing();
    watch(&mut delivery, "t");
    delivery.handle_alive(at(1));
    delivery.handle_lost();
    delivery.handle_lost_of("t");
    delivery.handle_lost_of("nobody's");
    assert!(!delivery.is_reachable() && !delivery.is_listening("t"));
    assert_eq!(due(&mut delivery), [], "it would miss what comes meanwhile");
    delivery.handle_lost();
    delivery.handle_time(at(60));
    delivery.handle_begin();
    assert_eq!(due(&mut delivery), both_from(before(at(1))));
    assert_eq!(due(&mut delivery), []);
    delivery.handle_begin_of("t");
    assert_eq!(due(&mut delivery), [("t".to_owned(), before(at(1)))]);
}

#[test]
fn a_channel_that_moves_between_servers_is_caught_up_with() {
    let mut delivery = hearing();
    watch(&mut delivery, "t");
    delivery.handle_alive(at(8));
    delivery.handle_begin_of("t");
    assert_eq!(due(&mut delivery), [("t".to_owned(), before(at(8)))]);
    delivery.handle_begin();
    assert_eq!(due(&mut delivery), both_from(before(at(8))));
    assert!(delivery.is_reachable() && delivery.is_listening("t"));
}

#[test]
fn whoever_comes_when_the_node_is_reachable_is_told_nothing_that_was_said_before() {
    let mut delivery = Delivery::new(MARGIN);
    delivery.handle_begin();
    delivery.handle_ready();
    delivery.handle_time(at(9));
    assert_eq!(due(&mut delivery), []);
    // What is missed from then on is caught up with as ever.
    delivery.handle_lost();
    delivery.handle_begin();
    assert_eq!(due(&mut delivery), both_from(before(at(9))));
}

#[test]
fn one_that_has_never_heard_catches_up_from_its_beginning() {
    let mut delivery = Delivery::new(MARGIN);
    delivery.handle_lost();
    delivery.handle_begin();
    assert_eq!(due(&mut delivery), [], "what time is it?");
    delivery.handle_time(at(9));
    delivery.handle_time(at(10));
    assert_eq!(due(&mut delivery), both_from(before(at(9))));
}

#[test]
fn the_earliest_loss_counts() {
    let mut delivery = hearing();
    delivery.handle_lost();
    delivery.handle_begin();
    delivery.handle_alive(at(30));
    delivery.handle_lost();
    delivery.handle_begin();
    assert_eq!(due(&mut delivery), both_from(before(at(0))));
}

#[test]
fn a_log_that_could_not_be_read_is_read_again_from_the_same_place() {
    let mut delivery = hearing();
    delivery.handle_lost();
    delivery.handle_begin();
    let catch_up = delivery.poll_catch_up(|| vec!["t".into()]).unwrap();
    delivery.handle_alive(at(50));
    delivery.handle_unread(catch_up.clone());
    assert_eq!(delivery.poll_catch_up(Vec::new), Some(catch_up));
}

#[test]
fn an_admin_who_heard_nothing_yet_catches_up() {
    let mut delivery = hearing();
    assert!(delivery.handle_watch("t"));
    delivery.handle_unheard("t");
    delivery.handle_alive(at(7));
    delivery.handle_begin_of("t");
    assert_eq!(due(&mut delivery), [("t".to_owned(), before(at(0)))]);
    // One who waited until it was heard has missed nothing.
    watch(&mut delivery, "u");
    delivery.handle_unheard("u");
    delivery.handle_begin_of("nobody's");
    assert_eq!(due(&mut delivery), []);
}

#[test]
fn a_channel_is_given_up_when_its_last_admin_is_long_gone() {
    let mut delivery = hearing();
    watch(&mut delivery, "t");
    assert!(!delivery.handle_watch("t"), "it is listened to");
    delivery.handle_unwatch("t", Duration::from_secs(10));
    assert_eq!(given_up(&mut delivery, 3600), [""; 0]);
    delivery.handle_unwatch("t", Duration::from_secs(10));
    assert_eq!(given_up(&mut delivery, 39), [""; 0]);
    assert!(delivery.is_listening("t"));
    assert!(!delivery.handle_watch("t"), "in time");
    delivery.handle_unwatch("t", Duration::from_secs(20));
    assert_eq!(given_up(&mut delivery, 50), ["t"]);
    assert!(!delivery.is_listening("t"));
    assert!(delivery.handle_watch("t"));
}

#[test]
fn what_was_taken_in_before_a_deaf_channel_was_given_up_is_still_passed_on() {
    let mut delivery = hearing();
    watch(&mut delivery, "v");
    delivery.handle_unwatch("v", Duration::ZERO);
    delivery.handle_lost();
    delivery.handle_lost_of("v");
    assert_eq!(given_up(&mut delivery, 60), ["v"]);
    delivery.handle_begin();
    assert!(due(&mut delivery).contains(&("v".to_owned(), before(at(0)))));
}

#[test]
fn what_was_taken_in_before_a_channel_died_unnoticed_and_was_given_up_is_passed_on_again() {
    let mut delivery = hearing();
    watch(&mut delivery, "v");
    delivery.handle_alive(at(8));
    // The server has dropped the connection by now. It counts the other who listens to `v`, and no more.
    let heard = delivery.hearing("v");
    assert!(delivery.handle_own(id(1)));
    let after = delivery.hearing("v");
    assert!(!others_listened(Listeners::Counted(1), heard, after));
    delivery.handle_unwatch("v", Duration::ZERO);
    assert_eq!(given_up(&mut delivery, 60), ["v"]);
    delivery.handle_lost();
    delivery.handle_begin();
    assert!(due(&mut delivery).contains(&("v".to_owned(), before(at(8)))));
    assert_eq!(delivery.handle_recent(id(1)), Recent::Own);
    // Of a channel that never began nothing can have been thought.
    assert!(delivery.handle_watch("w"));
    delivery.handle_unwatch("w", Duration::ZERO);
    assert_eq!(given_up(&mut delivery, 60), ["w"]);
    assert_eq!(due(&mut delivery), []);
}

#[test]
fn a_node_takes_itself_for_a_listener_only_if_it_heard_all_the_while() {
    let (nothing, first, second) = (Hearing::Nothing, Hearing::Since(1), Hearing::Since(2));
    let table = [
        // How many listened, what this node heard before and after; whether another may have listened.
        (Listeners::Counted(0), nothing, nothing, false),
        (Listeners::Counted(0), first, first, false),
        (Listeners::Counted(0), nothing, first, false),
        (Listeners::Counted(1), nothing, nothing, true),
        (Listeners::Counted(1), first, first, false),
        (Listeners::Counted(1), nothing, first, true),
        (Listeners::Counted(1), first, nothing, true),
        (Listeners::Counted(1), first, second, true),
        (Listeners::Counted(2), nothing, nothing, true),
        (Listeners::Counted(2), first, first, true),
        (Listeners::Counted(2), nothing, first, true),
        (Listeners::Unknown, nothing, nothing, true),
        (Listeners::Unknown, first, first, true),
    ];
    for (listeners, before, after, expected) in table {
        assert_eq!(
            others_listened(listeners, before, after),
            expected,
            "{listeners:?}, {before:?}, {after:?}"
        );
    }
}

#[test]
fn whatever_interrupts_the_hearing_of_a_tenant_shows() {
    let begin = |delivery: &mut Delivery| delivery.handle_begin_of("t");
    let give_up = |delivery: &mut Delivery| {
        delivery.handle_unwatch("t", Duration::ZERO);
        assert_eq!(given_up(delivery, 60), ["t"]);
    };
    let mut delivery = hearing();
    assert_eq!(delivery.hearing("t"), Hearing::Nothing);
    assert!(delivery.handle_watch("t"));
    assert_eq!(
        delivery.hearing("t"),
        Hearing::Nothing,
        "it is only asked for"
    );
    let mut heard = vec![Hearing::Nothing];
    let mut shows = |delivery: &Delivery| {
        let now = delivery.hearing("t");
        assert!(!heard.contains(&now), "{now:?} of {heard:?}");
        heard.push(now);
    };
    begin(&mut delivery);
    shows(&delivery);
    // The connection broke, and was made anew.
    delivery.handle_lost_of("t");
    assert_eq!(delivery.hearing("t"), Hearing::Nothing);
    begin(&mut delivery);
    shows(&delivery);
    // It moved to a server that may not have counted it yet.
    begin(&mut delivery);
    shows(&delivery);
    // It was given up, and an admin came again.
    give_up(&mut delivery);
    assert_eq!(delivery.hearing("t"), Hearing::Nothing);
    watch(&mut delivery, "t");
    shows(&delivery);
    // Other admins, and other tenants, are no interruption.
    let now = delivery.hearing("t");
    assert!(!delivery.handle_watch("t"));
    delivery.handle_unwatch("t", Duration::ZERO);
    watch(&mut delivery, "u");
    delivery.handle_lost_of("u");
    assert_eq!(delivery.hearing("t"), now);
}

#[test]
fn what_could_not_be_passed_on_is_looked_up_again() {
    let mut delivery = hearing();
    delivery.handle_alive(at(3));
    delivery.handle_unsent(&"v".into());
    assert_eq!(due(&mut delivery), [("v".to_owned(), before(at(3)))]);
}

#[test]
fn those_whom_others_could_not_find_catch_up_from_before_that() {
    let renewed = |delivery: &mut Delivery| {
        delivery.handle_renewed(vec!["t".into()]);
        due(delivery)
    };
    let from = |seconds| vec![("t".to_owned(), before(at(seconds)))];
    let mut delivery = hearing();
    delivery.handle_alive(at(2));
    assert_eq!(renewed(&mut delivery), from(2));

    // Heard again before the sessions were handed over.
    delivery.handle_lost();
    delivery.handle_begin();
    delivery.handle_alive(at(20));
    assert_eq!(due(&mut delivery).len(), 2);
    assert_eq!(renewed(&mut delivery), from(2));
    // Held up without a loss.
    for second in (21..90).chain([120]) {
        delivery.handle_alive(at(second));
    }
    assert_eq!(renewed(&mut delivery), from(89));
    // And long after that, when nothing is in doubt any more.
    for second in 121..200 {
        delivery.handle_alive(at(second));
    }
    assert_eq!(renewed(&mut delivery), from(199));
}

#[test]
fn a_log_reaches_back_if_nothing_can_have_gone() {
    let hour = Duration::from_hours(1);
    let extent = |first: Option<u64>, length, added| Extent {
        now: at(100),
        first: first.map(at),
        length,
        added: Some(added),
    };
    let reaches = |extent: Extent, from| extent.reaches_back_to(at(from), hour);
    assert!(reaches(extent(Some(10), 5, 99), 10));
    assert!(
        !reaches(extent(Some(10), 5, 99), 9),
        "its beginning is gone"
    );
    assert!(reaches(extent(Some(10), 5, 5), 9), "it began then");
    assert!(reaches(extent(None, 0, 0), 9), "nothing was said");
    let uncounted = |first: u64| Extent {
        added: None,
        ..extent(Some(first), 5, 5)
    };
    assert!(
        !reaches(uncounted(10), 9),
        "who knows what there was before"
    );
    assert!(reaches(uncounted(9), 9));
    let late = |extent: Extent| Extent {
        now: at(3609),
        ..extent
    };
    assert!(!reaches(late(extent(None, 0, 0)), 9), "or it has expired");
    assert!(!reaches(late(extent(Some(10), 5, 5)), 9));
    assert!(reaches(late(extent(Some(9), 5, 99)), 9));
}

/// What happens to a node and around it.
#[derive(Debug, Clone)]
enum Step {
    /// Somebody speaks on another node.
    Elsewhere,
    /// Somebody speaks here, and the echo comes back if it can.
    Here,
    /// A second passes, and the node hears itself if it can.
    Pass,
    /// The connection breaks. What was published in the last while may not have come through any more.
    Lose {
        unnoticed: u64,
    },
    Begin,
    CatchUp {
        fails: bool,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => Just(Step::Elsewhere),
        3 => Just(Step::Here),
        5 => Just(Step::Pass),
        1 => (0..4_u64).prop_map(|unnoticed| Step::Lose { unnoticed }),
        2 => Just(Step::Begin),
        3 => any::<bool>().prop_map(|fails| Step::CatchUp { fails }),
    ];
    prop::collection::vec(step, 0..80)
}

/// A node, the log of its one tenant, and what its sockets were told.
struct World {
    delivery: Delivery,
    now: u64,
    hears: bool,
    /// Broken, and the node does not know yet: it ends when the time has come.
    breaks_in: Option<u64>,
    log: Vec<(RedisTime, Uuid)>,
    told: BTreeMap<Uuid, u32>,
    own: Vec<Uuid>,
    passed_on_again: Vec<Uuid>,
}

impl World {
    fn new() -> Self {
        Self {
            delivery: Delivery::new(MARGIN),
            now: 0,
            hears: false,
            breaks_in: None,
            log: Vec::new(),
            told: BTreeMap::new(),
            own: Vec::new(),
            passed_on_again: Vec::new(),
        }
    }

    fn tell(&mut self, id: Uuid, news: bool) {
        *self.told.entry(id).or_default() += u32::from(news);
    }

    fn say(&mut self) -> Uuid {
        let id = id(u128::try_from(self.log.len()).unwrap());
        self.log.push((at(self.now), id));
        self.told.entry(id).or_default();
        id
    }

    fn comes_through(&self) -> bool {
        self.hears && self.breaks_in.is_none()
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Elsewhere => {
                let id = self.say();
                if self.comes_through() {
                    let news = self.delivery.handle_heard(id);
                    self.tell(id, news);
                }
            }
            Step::Here => {
                let id = self.say();
                self.own.push(id);
                let news = self.delivery.handle_own(id);
                self.tell(id, news);
                if self.comes_through() {
                    let news = self.delivery.handle_heard(id);
                    self.tell(id, news);
                }
            }
            Step::Pass => {
                self.now += 1;
                self.delivery.handle_time(at(self.now));
                if self.comes_through() {
                    self.delivery.handle_alive(at(self.now));
                }
                match &mut self.breaks_in {
                    Some(0) => {
                        self.breaks_in = None;
                        self.hears = false;
                        self.delivery.handle_lost();
                    }
                    Some(left) => *left -= 1,
                    None => {}
                }
            }
            Step::Lose { unnoticed } => {
                if self.comes_through() {
                    self.breaks_in = Some(*unnoticed);
                }
            }
            Step::Begin => {
                if !self.hears {
                    self.hears = true;
                    self.delivery.handle_begin();
                }
            }
            Step::CatchUp { fails } => self.catch_up(*fails),
        }
    }

    fn catch_up(&mut self, fails: bool) {
        let Some(catch_up) = self.delivery.poll_catch_up(|| vec!["t".into()]) else {
            return;
        };
        for (time, id) in self.log.clone() {
            if time < catch_up.from {
                continue;
            }
            match self.delivery.handle_recent(id) {
                Recent::Missed => self.tell(id, true),
                Recent::Known => {}
                Recent::Own => self.passed_on_again.push(id),
            }
            if fails {
                return self.delivery.handle_unread(catch_up);
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_each_message_is_told_once(steps in steps()) {
        let mut world = World::new();
        world.delivery.handle_time(at(0));
        for step in &steps {
            world.step(step);
        }
        // Sooner or later every loss is noticed, and the node hears again and catches up.
        for _ in 0..5 {
            world.step(&Step::Pass);
        }
        world.step(&Step::Begin);
        while world.delivery.behind.len() + usize::from(world.delivery.all_behind.is_some()) > 0 {
            world.step(&Step::CatchUp { fails: false });
        }
        let wrong: Vec<_> = world.told.iter().filter(|(_, times)| **times != 1).collect();
        prop_assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn what_was_taken_in_while_nothing_was_heard_is_passed_on_again(steps in steps()) {
        let mut world = World::new();
        world.step(&Step::Begin);
        world.step(&Step::Pass);
        for step in &steps {
            world.step(step);
        }
        world.delivery.handle_lost();
        world.hears = false;
        let before = world.own.len();
        for step in [Step::Here, Step::Begin] {
            world.step(&step);
        }
        while world.delivery.behind.len() + usize::from(world.delivery.all_behind.is_some()) > 0 {
            world.step(&Step::CatchUp { fails: false });
        }
        prop_assert!(world.passed_on_again.contains(&world.own[before]));
    }
}
