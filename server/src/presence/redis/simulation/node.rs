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
use super::line::{Line, Task};
use crate::clock::Clock;
use crate::presence::redis::{Options, RedisPresenceStore};
use crate::presence::{Announcement, Announcer, Change, PresenceStore as _};

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
#[derive(Debug, Default)]
pub(super) struct View {
    /// By user; none before the first list.
    pub(super) rows: Option<BTreeMap<String, String>>,
    /// What could not be right, whatever has happened.
    pub(super) wrong: Vec<String>,
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
        clock: Clock,
        chance: &Chance,
        options: Options,
        tenants: &[&'static str],
        on_told: OnTold,
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
            .map(|tenant| (*tenant, Arc::<Mutex<View>>::default()))
            .collect();
        let told = views.clone();
        let announce: Announcer = Box::new(move |announcement| {
            if let Some(view) = told.get(announcement.tenant) {
                view.lock().apply(id, &announcement, &on_told);
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
async fn admin(store: Arc<RedisPresenceStore<Line>>, tenant: &'static str, view: Arc<Mutex<View>>) {
    store.watch(tenant).await;
    loop {
        let listed = store
            .with_list(tenant, |list| view.lock().rows = Some(read(list.json())))
            .await;
        if listed.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Who is in a list, by user.
pub(super) fn read(json: &str) -> BTreeMap<String, String> {
    let list: serde_json::Value = serde_json::from_str(json).expect("a list is JSON");
    let users = list["users"].as_array().expect("it has users");
    let named = |row: &serde_json::Value| {
        let user = row["userId"].as_str().expect("a user has an id");
        (user.to_owned(), row.to_string())
    };
    users.iter().map(named).collect()
}

impl View {
    fn apply(&mut self, node: NodeId, announcement: &Announcement<'_>, on_told: &OnTold) {
        let Some(rows) = self.rows.as_mut() else {
            return;
        };
        match announcement.change {
            Change::Online(row) => {
                let row: serde_json::Value =
                    serde_json::from_str(row.json()).expect("a row is JSON");
                let user = row["userId"].as_str().expect("a user has an id").to_owned();
                let row = row.to_string();
                if rows.get(&user) == Some(&row) {
                    self.wrong.push(format!("node{node}: {user} came twice"));
                }
                on_told(node, announcement.tenant, &user, Said::Here);
                rows.insert(user, row);
            }
            Change::Offline(user) => {
                if rows.remove(&**user).is_none() {
                    self.wrong.push(format!("node{node}: {user} went twice"));
                }
                on_told(node, announcement.tenant, user, Said::Gone);
            }
        }
    }
}
