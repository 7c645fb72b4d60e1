//! A node: the real store on a simulated line, with an admin in each tenant who sees what admins see.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::chance::Chance;
use super::cloud::{Cloud, NodeId};
use super::dashboard::{Dashboard, Names, Rows};
use super::line::{Line, Task};
use crate::clock::Clock;
use crate::presence::redis::{Options, RedisPresenceStore};
use crate::presence::{Announcement, Announcer, Change, List, PresenceStore as _, Row};

/// A node that runs.
pub(super) struct Node {
    pub(super) id: NodeId,
    pub(super) store: Arc<RedisPresenceStore<Line>>,
    pub(super) views: BTreeMap<&'static str, Arc<Mutex<View>>>,
    tasks: mpsc::UnboundedSender<Task>,
    stall: Arc<Stall>,
    _running: AbortOnDropHandle<()>,
}

/// What an admin sees who applies all that comes in order, as the simplest client does.
#[derive(Debug)]
pub(super) struct View {
    /// By user; none before the first list.
    pub(super) rows: Option<Rows>,
    /// What could not be right, whatever has happened.
    pub(super) wrong: Vec<String>,
    /// An admin beside who is told by versions.
    pub(super) dashboard: Dashboard,
}

/// What all views share.
#[derive(Clone)]
pub(super) struct Watch {
    pub(super) clock: Clock,
    pub(super) names: Arc<Mutex<Names>>,
    pub(super) on_told: OnTold,
}

/// Is told when a user of a tenant is announced at a node as here or gone.
pub(super) type OnTold = Arc<dyn Fn(NodeId, &str, &str, Said) + Send + Sync>;

/// What is announced of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Here,
    Gone,
}

/// Stops a node in its tracks, as a signal does.
#[derive(Default)]
struct Stall {
    stalled: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

struct Stallable<F> {
    inner: Pin<Box<F>>,
    stall: Arc<Stall>,
}

impl<F: Future> Future for Stallable<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        *self.stall.waker.lock() = Some(context.waker().clone());
        if self.stall.stalled.load(Ordering::SeqCst) {
            return Poll::Pending;
        }
        self.inner.as_mut().poll(context)
    }
}

impl Node {
    /// Starts one, with an admin in each of these tenants.
    pub(super) fn start(
        id: NodeId,
        cloud: &Arc<Cloud>,
        watch: Watch,
        chance: &Chance,
        options: Options,
        tenants: &[&'static str],
    ) -> Self {
        let (tasks, queue) = mpsc::unbounded_channel();
        let line = Line {
            cloud: Arc::clone(cloud),
            node: id,
            chance: chance.split(),
            connection: cloud.enter(id),
            tasks: tasks.clone(),
        };
        let views: BTreeMap<_, _> = tenants
            .iter()
            .map(|tenant| (*tenant, Arc::new(Mutex::new(View::new()))))
            .collect();
        let (told, clock, names) = (views.clone(), watch.clock, Arc::clone(&watch.names));
        let announce: Announcer = Box::new(move |announcement| {
            if let Some(view) = told.get(announcement.tenant) {
                view.lock().apply(id, &announcement, &watch);
            }
        });
        let name = format!("node{id}");
        let store = RedisPresenceStore::new(line, clock, chance.random(), &name, options, announce);
        let stall = Arc::<Stall>::default();
        let running = Stallable {
            inner: Box::pin(run(Arc::clone(&store), queue)),
            stall: Arc::clone(&stall),
        };
        let node = Self {
            id,
            store,
            views,
            tasks,
            stall,
            _running: AbortOnDropHandle::new(tokio::spawn(running)),
        };
        for tenant in tenants {
            node.spawn(admin(
                Arc::clone(&node.store),
                tenant,
                Arc::clone(&node.views[tenant]),
                Arc::clone(&names),
            ));
        }
        node
    }

    /// Lets the node do something.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // It takes tasks for as long as it runs.
        let _ = self.tasks.send(Box::pin(task));
    }

    pub(super) fn stall(&self) {
        self.stall.stalled.store(true, Ordering::SeqCst);
    }

    pub(super) fn resume(&self) {
        self.stall.stalled.store(false, Ordering::SeqCst);
        if let Some(waker) = self.stall.waker.lock().take() {
            waker.wake();
        }
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.stall.stalled.load(Ordering::SeqCst)
    }
}

async fn run(store: Arc<RedisPresenceStore<Line>>, mut queue: mpsc::UnboundedReceiver<Task>) {
    let mut under_way = FuturesUnordered::new();
    let mut tending = Box::pin(store.run());
    loop {
        tokio::select! {
            biased;
            Some(task) = queue.recv() => under_way.push(task),
            Some(()) = under_way.next(), if !under_way.is_empty() => {}
            never = &mut tending => match never {},
        }
    }
}

/// Connects, and asks for the list as often as it takes.
async fn admin(
    store: Arc<RedisPresenceStore<Line>>,
    tenant: &'static str,
    view: Arc<Mutex<View>>,
    names: Arc<Mutex<Names>>,
) {
    store.watch(tenant).await;
    loop {
        let listed = store
            .with_list(tenant, |list| view.lock().list(tenant, list, &names))
            .await;
        if listed.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Who is in a list, by user.
pub(super) fn read(json: &str) -> Rows {
    let list: serde_json::Value = serde_json::from_str(json).expect("a list is JSON");
    let users = list["users"].as_array().expect("it has users");
    let named = |row: &serde_json::Value| {
        let user = row["userId"].as_str().expect("a user has an id");
        (user.to_owned(), row.to_string())
    };
    users.iter().map(named).collect()
}

/// A row, with its fields in the order in which all are compared.
pub(super) fn row_of(row: &Row) -> String {
    let row: serde_json::Value = serde_json::from_str(row.json()).expect("a row is JSON");
    row.to_string()
}

impl View {
    fn new() -> Self {
        Self {
            rows: None,
            wrong: Vec::new(),
            dashboard: Dashboard::new(),
        }
    }

    fn list(&mut self, tenant: &str, list: &List, names: &Mutex<Names>) {
        let rows = read(list.json());
        let seen = names.lock().see(tenant, list.revision.cursor(), &rows);
        self.wrong.extend(seen);
        self.wrong.extend(self.dashboard.list(list.revision, &rows));
        self.rows = Some(rows);
    }

    fn apply(&mut self, node: NodeId, announcement: &Announcement<'_>, watch: &Watch) {
        if self.rows.is_some() {
            for change in announcement.changes {
                self.change(node, announcement.tenant, change, watch);
            }
        }
        let mut names = watch.names.lock();
        if let Some(rows) = &self.rows {
            let at = announcement.revision.cursor();
            self.wrong.extend(names.see(announcement.tenant, at, rows));
        }
        let now = watch.clock.now();
        let wrong = self
            .dashboard
            .handle_announcement(now, announcement, &names);
        self.wrong.extend(wrong);
    }

    fn change(&mut self, node: NodeId, tenant: &str, change: &Change, watch: &Watch) {
        let Some(rows) = self.rows.as_mut() else {
            return;
        };
        match change {
            Change::Online { user, row } => {
                let row = row_of(row);
                if rows.get(&**user) == Some(&row) {
                    self.wrong.push(format!("node{node}: {user} came twice"));
                }
                (watch.on_told)(node, tenant, user, Said::Here);
                rows.insert(user.to_string(), row);
            }
            Change::Offline(user) => {
                if rows.remove(&**user).is_none() {
                    self.wrong.push(format!("node{node}: {user} went twice"));
                }
                (watch.on_told)(node, tenant, user, Said::Gone);
            }
        }
    }
}
