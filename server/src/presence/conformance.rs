//! One suite for every [`PresenceStore`]: each of the trait's duties, seen from outside.
//!
//! The factory makes a fresh, running store for a grace time and an announcer. Nothing here sleeps
//! for a fixed time; it waits until something has been announced.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{
    Announcement, Announcer, Arc, Change, Joining, Leaving, List, PresenceStore, Profile, Revision,
    Row, Sample, Updating, Who,
};

const GRACE: Duration = Duration::from_millis(60);

/// Runs the suite.
pub async fn run<S: PresenceStore>(new: impl AsyncFn(Duration, Announcer) -> Arc<S>) {
    let case = async || {
        let told = Arc::new(Told::default());
        let told_by_store = Arc::clone(&told);
        let announce: Announcer = Box::new(move |announcement| told_by_store.push(&announcement));
        let store = new(GRACE, announce).await;
        for tenant in ["t", "a", "b"] {
            store.watch(tenant).await;
        }
        Case { store, told }
    };
    comes_and_goes(case().await).await;
    a_reload_is_no_departure(case().await).await;
    tabs(case().await).await;
    visits(case().await).await;
    unseen_tabs(case().await).await;
    late_updates(case().await).await;
    minutes(case().await).await;
    repeats_and_late_leaves(case().await).await;
    tenants_apart(case().await).await;
    many_leave_at_once(case().await).await;
    whereabouts(case().await).await;
    pages(case().await).await;
    revisions(case().await).await;
    lists_and_announcements_agree(case().await).await;
    states_have_one_order(case().await).await;
}

struct Case<S> {
    store: Arc<S>,
    told: Arc<Told>,
}

#[derive(Default)]
struct Told {
    all: Mutex<Vec<(String, Vec<Change>, Revision)>>,
    more: Notify,
}

impl Told {
    fn push(&self, announcement: &Announcement<'_>) {
        let Announcement {
            tenant,
            changes,
            revision,
        } = *announcement;
        self.all
            .lock()
            .push((tenant.to_owned(), changes.to_vec(), revision));
        self.more.notify_one();
    }

    /// The changes told to a tenant.
    fn changes(&self, tenant: &str) -> Vec<Change> {
        let all = self.all.lock();
        let told = all.iter().filter(|(to, _, _)| to == tenant);
        told.flat_map(|(_, changes, _)| changes.clone()).collect()
    }

    /// The states told to a tenant, and how many changes led to each.
    fn states(&self, tenant: &str) -> Vec<(usize, Revision)> {
        let all = self.all.lock();
        let told = all.iter().filter(|(to, _, _)| to == tenant);
        told.map(|(_, changes, revision)| (changes.len(), *revision))
            .collect()
    }
}

fn row(user: &str, session: &str) -> Row {
    Row(format!(r#"{{"userId":"{user}","sessionId":"{session}"}}"#).into())
}

fn saying(user: &str, session: &str, says: &str) -> Profile {
    Profile::written(row(user, session).json(), Some(says))
}

fn reported(user: &str, session: &str, says: &str, tabs: usize) -> Change {
    Change::online(&user.into(), &saying(user, session, says).shown(tabs))
}

fn online(user: &str, session: &str) -> Change {
    Change::online(&user.into(), &row(user, session))
}

fn offline(user: &str) -> Change {
    Change::Offline(user.into())
}

impl<S: PresenceStore> Case<S> {
    async fn join(&self, tenant: &str, user: &str, session: &str) {
        let joining = Joining {
            tenant: tenant.into(),
            user: user.into(),
            session: session.into(),
            profile: row(user, session).into(),
        };
        self.store.join(joining).await.unwrap();
    }

    /// A session comes whose page says this of its visit.
    async fn visit(&self, user: &str, session: &str, says: &str) {
        let joining = Joining {
            tenant: "t".into(),
            user: user.into(),
            session: session.into(),
            profile: saying(user, session, says),
        };
        self.store.join(joining).await.unwrap();
    }

    async fn update(&self, user: &str, session: &str, says: &str, active: bool) {
        let updating = Updating {
            tenant: "t",
            user: &user.into(),
            session,
            profile: &saying(user, session, says),
            active,
        };
        self.store.update(updating).await.unwrap();
    }

    async fn leave(&self, tenant: &str, user: &str, session: &str) {
        let leaving = Leaving {
            tenant,
            user,
            session,
        };
        self.store.leave(leaving).await.unwrap();
    }

    /// Everything announced to a tenant, as soon as it is that much.
    async fn told(&self, tenant: &str, count: usize) -> Vec<Change> {
        loop {
            let told = self.told.changes(tenant);
            if told.len() >= count {
                return told;
            }
            self.told.more.notified().await;
        }
    }

    async fn list(&self, tenant: &str) -> String {
        let json = |list: &Arc<List>| list.json().to_owned();
        self.store.with_list(tenant, json).await.unwrap()
    }
}

fn list_of(rows: &[Row]) -> String {
    let rows: Vec<&str> = rows.iter().map(Row::json).collect();
    format!(r#"{{"users":[{}]}}"#, rows.join(","))
}

async fn comes_and_goes<S: PresenceStore>(case: Case<S>) {
    assert_eq!(case.list("t").await, list_of(&[]));
    case.join("t", "ann", "s1").await;
    assert_eq!(case.list("t").await, list_of(&[row("ann", "s1")]));
    case.leave("t", "ann", "s1").await;
    assert_eq!(
        case.list("t").await,
        list_of(&[row("ann", "s1")]),
        "listed during the grace time"
    );
    assert_eq!(
        case.told("t", 2).await,
        [online("ann", "s1"), offline("ann")]
    );
    assert_eq!(case.list("t").await, list_of(&[]));
}

async fn a_reload_is_no_departure<S: PresenceStore>(case: Case<S>) {
    case.join("t", "ann", "s1").await;
    case.leave("t", "ann", "s1").await;
    case.join("t", "ann", "s2").await;
    // Another user's whole grace time passes after ann's would have.
    case.join("t", "bob", "s3").await;
    case.leave("t", "bob", "s3").await;
    let told = case.told("t", 4).await;
    let expected = [
        online("ann", "s1"),
        online("ann", "s2"),
        online("bob", "s3"),
        offline("bob"),
    ];
    assert_eq!(told, expected);
    assert_eq!(case.list("t").await, list_of(&[row("ann", "s2")]));
}

async fn tabs<S: PresenceStore>(case: Case<S>) {
    case.join("t", "ann", "s1").await;
    case.join("t", "ann", "s2").await;
    case.join("t", "ann", "s3").await;
    case.leave("t", "ann", "s2").await;
    case.leave("t", "ann", "s3").await;
    let expected = [
        online("ann", "s1"),
        online("ann", "s2"),
        online("ann", "s3"),
        online("ann", "s1"),
    ];
    assert_eq!(case.told("t", 4).await, expected);
    case.leave("t", "ann", "s1").await;
    assert_eq!(
        case.told("t", 5).await.last(),
        Some(&offline("ann")),
        "once, after the last one"
    );
}

const HOME: &str = r#"{"title":"Home"}"#;
const IDLE: &str = r#"{"title":"A","idleSince":"2024-01-15T10:30:00.000Z"}"#;
/// What stands in its title does not make it idle.
const LAMP: &str = r#"{"title":"\"idleSince\":\"lamp\"","visits":2}"#;

/// What a page tells is shown while its session is, with the number of tabs.
async fn visits<S: PresenceStore>(case: Case<S>) {
    case.visit("ann", "s1", HOME).await;
    case.update("ann", "s1", HOME, true).await;
    case.update("ann", "s1", LAMP, true).await;
    case.visit("ann", "s2", "{}").await;
    case.update("ann", "s1", HOME, false).await;
    case.update("ann", "s2", "{}", true).await;
    case.update("ann", "s1", HOME, true).await;
    case.join("t", "ann", "s3").await;
    case.update("ann", "s2", LAMP, true).await;
    case.leave("t", "ann", "s1").await;
    case.leave("t", "ann", "s2").await;
    case.leave("t", "ann", "s3").await;
    let expected = [
        reported("ann", "s1", HOME, 1),
        reported("ann", "s1", LAMP, 1),
        reported("ann", "s2", "{}", 2),
        reported("ann", "s1", HOME, 2),
        online("ann", "s3"),
        reported("ann", "s2", LAMP, 3),
        reported("ann", "s2", LAMP, 2),
        online("ann", "s3"),
        offline("ann"),
    ];
    assert_eq!(case.told("t", expected.len()).await, expected);
    case.visit("bob", "s4", LAMP).await;
    let rows = [saying("bob", "s4", LAMP).shown(1)];
    assert_eq!(case.list("t").await, list_of(&rows));
}

/// A tab that comes while nobody looks at it stands behind the one that is looked at, but not behind others.
async fn unseen_tabs<S: PresenceStore>(case: Case<S>) {
    case.visit("ann", "s1", HOME).await;
    case.visit("ann", "s2", IDLE).await;
    case.update("ann", "s1", LAMP, false).await;
    case.leave("t", "ann", "s1").await;
    case.visit("ann", "s3", IDLE).await;
    case.visit("ann", "s4", "{}").await;
    case.join("t", "ann", "s5").await;
    case.visit("ann", "s6", IDLE).await;
    let expected = [
        reported("ann", "s1", HOME, 1),
        reported("ann", "s1", HOME, 2),
        reported("ann", "s1", LAMP, 2),
        reported("ann", "s2", IDLE, 1),
        reported("ann", "s3", IDLE, 2),
        reported("ann", "s4", "{}", 3),
        online("ann", "s5"),
        reported("ann", "s6", IDLE, 5),
    ];
    assert_eq!(case.told("t", expected.len()).await, expected);
}

/// An update of a session that is over, or is another user's, changes nothing.
async fn late_updates<S: PresenceStore>(case: Case<S>) {
    case.update("ann", "s1", LAMP, true).await;
    case.visit("ann", "s1", HOME).await;
    case.update("bob", "s1", LAMP, true).await;
    case.leave("t", "ann", "s1").await;
    case.update("ann", "s1", LAMP, true).await;
    let rows = [saying("ann", "s1", HOME).shown(1)];
    assert_eq!(
        case.list("t").await,
        list_of(&rows),
        "in the grace time, too"
    );
    case.told("t", 2).await;
    case.update("ann", "s1", LAMP, true).await;
    case.visit("ann", "s2", HOME).await;
    case.update("ann", "s1", LAMP, true).await;
    let expected = [
        reported("ann", "s1", HOME, 1),
        offline("ann"),
        reported("ann", "s2", HOME, 1),
    ];
    assert_eq!(case.told("t", 3).await, expected);
    assert_eq!(case.store.revision("t").await.unwrap().total, 1);
}

/// Each minute of the last hour has a place, and the number now is in the last.
async fn minutes<S: PresenceStore>(case: Case<S>) {
    let numbers = |samples: &[Sample]| {
        let counts = || samples.iter().filter_map(|sample| sample.count);
        let now = samples.last().and_then(|sample| sample.count).unwrap();
        // The present minute may have begun just now.
        (now.online, counts().map(|count| count.peak).max().unwrap())
    };
    let history = async |tenant| case.store.history(tenant).await.unwrap();
    let empty = history("t").await;
    assert_eq!((empty.len(), numbers(&empty)), (61, (0, 0)));
    for (user, session) in [("ann", "s1"), ("ann", "s2"), ("bob", "s3"), ("cid", "s4")] {
        case.join("t", user, session).await;
    }
    case.leave("t", "bob", "s3").await;
    case.told("t", 5).await;
    let samples = history("t").await;
    assert_eq!(numbers(&samples), (2, 3));
    let begins: Vec<u64> = samples.iter().map(|sample| sample.at).collect();
    let minutes = begins.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(minutes.eq([60_000; 60]));
    assert_eq!(numbers(&history("a").await), (0, 0), "another tenant");
}

async fn repeats_and_late_leaves<S: PresenceStore>(case: Case<S>) {
    case.join("t", "ann", "s1").await;
    case.join("t", "ann", "s1").await;
    case.leave("t", "ann", "s1").await;
    case.join("t", "ann", "s2").await;
    case.leave("t", "ann", "s1").await;
    case.leave("t", "nobody", "s1").await;
    case.join("t", "bob", "s3").await;
    case.leave("t", "bob", "s3").await;
    case.leave("t", "bob", "s3").await;
    let expected = [
        online("ann", "s1"),
        online("ann", "s2"),
        online("bob", "s3"),
        offline("bob"),
    ];
    assert_eq!(case.told("t", 4).await, expected);
    assert_eq!(case.list("t").await, list_of(&[row("ann", "s2")]));
}

async fn tenants_apart<S: PresenceStore>(case: Case<S>) {
    case.join("a", "ann", "s1").await;
    case.join("b", "ann", "s2").await;
    case.leave("a", "ann", "s1").await;
    assert_eq!(
        case.told("a", 2).await,
        [online("ann", "s1"), offline("ann")]
    );
    assert_eq!(case.told("b", 1).await, [online("ann", "s2")]);
    assert_eq!(case.list("a").await, list_of(&[]));
    assert_eq!(case.list("b").await, list_of(&[row("ann", "s2")]));
    assert_eq!(case.list("c").await, list_of(&[]));
}

async fn many_leave_at_once<S: PresenceStore>(case: Case<S>) {
    let users: Vec<String> = (0..50).map(|user| format!("u{user:02}")).collect();
    for user in &users {
        case.join("t", user, user).await;
    }
    for user in &users {
        case.leave("t", user, user).await;
    }
    let mut gone = case.told("t", 100).await.split_off(50);
    let expected: Vec<Change> = users.iter().map(|user| offline(user)).collect();
    gone.sort_by_key(|change| format!("{change:?}"));
    assert_eq!(gone, expected);
    assert_eq!(case.list("t").await, list_of(&[]));
}

async fn whereabouts<S: PresenceStore>(case: Case<S>) {
    let find = async |tenant: &str, who: Who<'_>| {
        let found = case.store.locate(tenant, who).await.unwrap();
        found.map(|location| (location.user.to_string(), location.nodes.len()))
    };
    assert_eq!(find("t", Who::User("ann")).await, None);
    // Names that a store may read no meaning into.
    for (index, user) in ["ann", "ann b", "an", "5:ann:b", "", "ü \u{7f}"]
        .iter()
        .enumerate()
    {
        let session = format!("s{index}");
        case.join("t", user, &session).await;
        let found = Some(((*user).to_owned(), 1));
        assert_eq!(find("t", Who::Session(&session)).await, found);
        assert_eq!(find("t", Who::User(user)).await, found);
    }
    case.join("t", "ann", "s9").await;
    let ann = Some(("ann".to_owned(), 1));
    assert_eq!(find("t", Who::User("ann")).await, ann, "one node, once");
    assert_eq!(find("t", Who::Session("s9")).await, ann);
    assert_eq!(find("a", Who::User("ann")).await, None, "another tenant");
    assert_eq!(find("a", Who::Session("s9")).await, None);
    for other in ["s", "s1 ann", "s1 ann b", "", "s99"] {
        assert_eq!(find("t", Who::Session(other)).await, None, "{other}");
    }
    case.leave("t", "ann", "s0").await;
    assert_eq!(find("t", Who::Session("s0")).await, None);
    assert_eq!(find("t", Who::User("ann")).await, ann);
    case.leave("t", "ann", "s9").await;
    assert_eq!(
        find("t", Who::User("ann")).await,
        None,
        "nobody is connected in the grace time"
    );
}

async fn pages<S: PresenceStore>(case: Case<S>) {
    for user in ["d", "b", "a", "c", "e"] {
        case.join("t", user, "s").await;
    }
    let mut cursor = None;
    let mut parts = Vec::new();
    loop {
        let page = case.store.page("t", cursor.as_deref(), 2).await.unwrap();
        assert_eq!(page.revision.total, 5);
        parts.push(page.users);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let part = |users: &[&str]| {
        let rows: Vec<String> = users
            .iter()
            .map(|user| row(user, "s").json().to_owned())
            .collect();
        format!("[{}]", rows.join(","))
    };
    assert_eq!(parts, [part(&["a", "b"]), part(&["c", "d"]), part(&["e"])]);
    let exact = case.store.page("t", None, 5).await.unwrap();
    assert_eq!(exact.next_cursor, None, "no empty page at the end");
    let beyond = case.store.page("t", Some("zzz"), 5).await.unwrap();
    assert_eq!((beyond.users.as_str(), beyond.next_cursor), ("[]", None));
}

async fn revisions<S: PresenceStore>(case: Case<S>) {
    let revision = async || case.store.revision("t").await.unwrap();
    let empty = revision().await;
    assert_eq!(empty.total, 0);
    case.join("t", "ann", "s1").await;
    let one = revision().await;
    assert_eq!(
        (one.epoch, one.version, one.total),
        (empty.epoch, empty.version + 1, 1)
    );
    assert_ne!(one.etag(), empty.etag());
    case.join("t", "ann", "s1").await;
    case.join("other", "ann", "s9").await;
    assert_eq!(revision().await, one, "nothing has changed here");
    case.join("t", "ann", "s2").await;
    let shown_otherwise = revision().await;
    assert_eq!(
        (shown_otherwise.version, shown_otherwise.total),
        (one.version + 1, 1)
    );
    let listed = case
        .store
        .with_list("t", |list| list.revision)
        .await
        .unwrap();
    assert_eq!(listed, shown_otherwise);
}

/// A watcher who applies announcements and lists in the order in which they are made is right.
async fn lists_and_announcements_agree<S: PresenceStore>(case: Case<S>) {
    for round in 0..20 {
        let (user, session) = (format!("u{}", round % 5), format!("s{round}"));
        case.join("t", &user, &session).await;
        let told = &case.told;
        let (list, changes) = case
            .store
            .with_list("t", |list| (list.json().to_owned(), told.changes("t")))
            .await
            .unwrap();
        let mut watcher = std::collections::BTreeMap::new();
        for change in changes {
            match change {
                Change::Online { user, row } => watcher.insert(user, row),
                Change::Offline(user) => watcher.remove(&user),
            };
        }
        let rows: Vec<Row> = watcher.into_values().collect();
        assert_eq!(list, list_of(&rows));
    }
}

/// Each change has a version, each announcement says which state it leads to, and lists are of that.
async fn states_have_one_order<S: PresenceStore>(case: Case<S>) {
    let first = case.store.revision("t").await.unwrap();
    let users = ["ann", "bob", "cid", "dan"];
    for user in users {
        case.join("t", user, user).await;
        let beside_told = |revision: Revision| (revision, case.told.states("t").pop());
        let (asked, announced) = case.store.with_revision("t", beside_told).await.unwrap();
        assert_eq!(announced.map(|(_, state)| state), Some(asked));
        let (listed, announced) = case
            .store
            .with_list("t", |list| beside_told(list.revision))
            .await
            .unwrap();
        assert_eq!(announced.map(|(_, state)| state), Some(listed));
    }
    for user in users {
        case.leave("t", user, user).await;
    }
    case.told("t", 2 * users.len()).await;
    let mut before = first;
    for (changes, state) in case.told.states("t") {
        assert_eq!(state.epoch, first.epoch);
        // One that only names a first state may come before all changes.
        let since = state.version.saturating_sub(before.version);
        let changes = u64::try_from(changes).unwrap();
        assert_eq!(since, changes, "{before:?} {state:?}");
        before = state;
    }
    assert_eq!(before.version, first.version + 8);
}
