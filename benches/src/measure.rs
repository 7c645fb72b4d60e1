//! The measurements: what one side does under one load, every answer checked.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures_util::future::try_join_all;
use serde::Serialize;
use serde_json::json;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::dashboard::{Http, check_list};
use crate::redis::Redis;
use crate::side::{Programs, Running, Side, TENANT};

/// Nothing here takes this long; it ends a run that hangs.
pub(crate) const GUARD: Duration = Duration::from_mins(2);

/// Clients that connect at the same time.
pub(crate) const CONNECTING: usize = 50;

/// How much is done.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Load {
    /// Visitors online at a time, and so the length of the list.
    pub(crate) visitors: usize,
    /// Visitors who talk at a time, each waiting for its answers before it goes on.
    pub(crate) talkers: usize,
    /// Messages of each. Below the server's default burst, so that no limit has to be lifted.
    pub(crate) messages: usize,
    /// Requests for a list that is as it was, over HTTP and over a socket, where they stay below the default burst: of our server, and of Node, for which each takes so much longer.
    pub(crate) lists: [usize; 2],
    /// Requests for a list to which a visitor came since the last one, likewise.
    pub(crate) changed_lists: [usize; 2],
}

impl Load {
    pub(crate) const FULL: Self = Self {
        visitors: 10_000,
        talkers: 250,
        messages: 80,
        lists: [180, 20],
        changed_lists: [100, 15],
    };
    pub(crate) const QUICK: Self = Self {
        visitors: 2_000,
        talkers: 50,
        messages: 40,
        lists: [180, 10],
        changed_lists: [50, 10],
    };
}

impl Side {
    fn pick(self, [ours, node]: [usize; 2]) -> usize {
        match self {
            Self::Ours => ours,
            Self::Node => node,
        }
    }
}

/// What it costs to have visitors online, and to list them.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Online {
    /// Resident bytes for each visitor who is connected, listed and idle.
    pub(crate) bytes_per_visitor: f64,
    /// Processor time of connecting one, in microseconds.
    pub(crate) connect_micros: f64,
    /// Of one list over HTTP, nothing having changed.
    pub(crate) http_list_micros: f64,
    /// Of one list over HTTP, a visitor having come since, whose coming is included.
    pub(crate) http_changed_list_micros: f64,
    /// Of one list over a socket.
    pub(crate) socket_list_micros: f64,
}

/// What a message costs.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Messages {
    /// Processor time of one message with acknowledgement, job and event, in microseconds.
    pub(crate) round_trip_micros: f64,
}

/// Fills a fresh process with visitors and asks it who is there.
pub(crate) async fn online(
    programs: &Programs,
    side: Side,
    redis: &Redis,
    load: &Load,
) -> Result<Online> {
    let running = side.start(programs, redis).await?;
    let guard = tokio::time::timeout(GUARD, measure_online(&running, side, redis, load));
    guard.await.context("it takes too long")?
}

async fn measure_online(
    running: &Running,
    side: Side,
    redis: &Redis,
    load: &Load,
) -> Result<Online> {
    let address = &running.address;
    let http = Http::of(running);
    // Once through everything, so that code and pools are there before anything is measured.
    let warm = connect(address, "warm", CONNECTING * 2).await?;
    http.list(None).await?;
    try_join_all(warm.into_iter().map(Client::leave)).await?;
    while http.count().await? > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let memory_before = running.process.settled().await?;
    let time_before = running.process.processor_time()?;
    let visitors = connect(address, "v", load.visitors).await?;
    while http.count().await? < load.visitors {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let connecting = running.process.used_since(time_before)?;
    let mut idle = JoinSet::new();
    for visitor in visitors {
        idle.spawn(visitor.idle());
    }
    let memory = running
        .process
        .settled()
        .await?
        .saturating_sub(memory_before);
    if running.in_redis {
        let online = redis.online(TENANT).await?;
        ensure!(online == load.visitors, "Redis has {online} users");
    }

    let mut expected: HashSet<String> = names("v", load.visitors);
    let lists = side.pick(load.lists);
    let first = http.list(Some(&expected)).await?;
    let before = running.process.processor_time()?;
    for _ in 0..lists {
        // The same bytes as an answer that was checked are right, too.
        if http.get().await? != first {
            http.list(Some(&expected)).await?;
        }
    }
    let http_list = running.process.used_since(before)?;

    let mut admin = Client::admin(address).await?;
    // On the reference, admins are users as well.
    let admin_name = (side == Side::Node).then(|| format!("admin-{}", admin.id));
    expected.extend(admin_name);
    let ask = json!({ "tenantId": TENANT });
    let mut checked = String::new();
    let before = running.process.processor_time()?;
    for _ in 0..lists {
        admin.emit("get_online_users", &ask).await?;
        let list = admin.event("online_users_list").await?;
        if list != checked {
            check_list(&list, &expected)?;
            checked = list;
        }
    }
    let socket_list = running.process.used_since(before)?;
    admin.leave().await?;
    while http.count().await? > load.visitors {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let mut expected = names("v", load.visitors);
    let before = running.process.processor_time()?;
    let mut changed_lists = 0;
    for number in 0..side.pick(load.changed_lists) {
        let name = format!("late{number}");
        let late = Client::visitor(address, &name).await?;
        expected.insert(format!("anonymous-{name}"));
        // A socket is told of its place before others see it there.
        let mut listed = 0;
        while listed <= load.visitors + number {
            listed = http.count().await?;
            changed_lists += 1;
        }
        idle.spawn(late.idle());
    }
    let changed = running.process.used_since(before)?;
    http.list(Some(&expected)).await?;
    ensure!(!idle.is_empty(), "nobody is idle");
    if let Some(ended) = idle.try_join_next() {
        ended??;
        bail!("a visitor was disconnected");
    }

    Ok(Online {
        bytes_per_visitor: ratio(memory, load.visitors),
        connect_micros: micros(connecting, load.visitors),
        http_list_micros: micros(http_list, lists),
        http_changed_list_micros: micros(changed, changed_lists),
        socket_list_micros: micros(socket_list, lists),
    })
}

/// Lets visitors talk, each waiting for the answers to what it said.
pub(crate) async fn messages(
    programs: &Programs,
    side: Side,
    redis: &Redis,
    load: &Load,
) -> Result<Messages> {
    let running = side.start(programs, redis).await?;
    let talk = async {
        let warm = connect(&running.address, "warm", load.talkers).await?;
        let (jobs_before, warm) = talk(warm, 10).await?;
        try_join_all(warm.into_iter().map(Client::leave)).await?;
        let talkers = connect(&running.address, "talker", load.talkers).await?;
        let before = running.process.processor_time()?;
        let (said, talkers) = talk(talkers, load.messages).await?;
        try_join_all(talkers.into_iter().map(Client::leave)).await?;
        let took = running.process.used_since(before)?;
        if running.in_redis {
            let jobs = redis.jobs().await? - jobs_before;
            ensure!(jobs == said, "{said} messages made {jobs} jobs");
        }
        Ok(Messages {
            round_trip_micros: micros(took, said),
        })
    };
    tokio::time::timeout(GUARD, talk)
        .await
        .context("it takes too long")?
}

/// Lets each say so much. Returns how much was said by all, and them.
pub(crate) async fn talk(talkers: Vec<Client>, messages: usize) -> Result<(usize, Vec<Client>)> {
    let said = talkers.len() * messages;
    let mut tasks = JoinSet::new();
    for (who, mut talker) in talkers.into_iter().enumerate() {
        tasks.spawn(async move {
            for number in 0..messages {
                let text = format!("Message {number} of {who}: do these shoes come in \"blue\"?");
                talker.say(number, &text).await?;
            }
            anyhow::Ok(talker)
        });
    }
    let mut done = Vec::new();
    while let Some(talker) = tasks.join_next().await {
        done.push(talker??);
    }
    Ok((said, done))
}

/// Connects visitors to one server, a few at a time.
pub(crate) async fn connect(address: &str, name: &str, count: usize) -> Result<Vec<Client>> {
    let name = name.to_owned();
    let who = move |number| (TENANT.to_owned(), format!("{name}{number}"));
    connect_in_turn(&[address.to_owned()], count, who).await
}

/// Connects visitors to servers in turn, a few at a time. `who` says of which tenant each is, and what it is called.
pub(crate) async fn connect_in_turn(
    addresses: &[String],
    count: usize,
    who: impl Fn(usize) -> (String, String) + Send + Sync + 'static,
) -> Result<Vec<Client>> {
    let (next, who) = (Arc::new(AtomicUsize::new(0)), Arc::new(who));
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTING {
        let (addresses, next, who) = (addresses.to_vec(), Arc::clone(&next), Arc::clone(&who));
        tasks.spawn(async move {
            let mut clients = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return anyhow::Ok(clients);
                }
                let (tenant, name) = who(number);
                let address = &addresses[number % addresses.len()];
                clients.push(Client::visitor_of(address, &tenant, &name).await?);
            }
        });
    }
    let mut all = Vec::with_capacity(count);
    while let Some(clients) = tasks.join_next().await {
        all.extend(clients??);
    }
    Ok(all)
}

pub(crate) fn names(name: &str, count: usize) -> HashSet<String> {
    (0..count)
        .map(|number| format!("anonymous-{name}{number}"))
        .collect()
}

pub(crate) fn micros(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / divisor(count)
}

pub(crate) fn ratio(total: u64, count: usize) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "bytes of memory are far below 2^52"
    )]
    let total = total as f64;
    total / divisor(count)
}

#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
fn divisor(count: usize) -> f64 {
    count as f64
}
