//! The bus on Redis: [`Delivery`] decides, this does.
//!
//! What must stay true: nothing is delivered, and Redis is not waited for, with the decisions locked.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::sync::Notify;
use uuid::Uuid;

use super::delivery::{self, CatchUp, Delivery, Hearing, Recent, RedisTime};
use super::recent::{self, Log};
use super::{Holders, Listeners, Rooms, Said, wire};
use crate::clock::Clock;
use crate::config::Settings;
use crate::config::settings;
use crate::error::StoreError;
use crate::messages::redis::keys;
use crate::messages::{Conversation, Owner};
use crate::node::NodeName;
use crate::presence::{PresenceStore, Who};
use crate::redis::script::Script;
use crate::redis::{Heard, Redis, Subscriber};
use crate::telemetry::{BusEvent, Metrics};

/// What the clocks of two Redis servers of one cluster may differ by.
const CLOCKS_DIFFER: Duration = Duration::from_secs(2);

/// The pause before logs are read again that could not be.
const READ_AGAIN: Duration = Duration::from_millis(200);

/// A node among others.
pub(super) struct Shared {
    node: NodeName,
    redis: Redis,
    clock: Clock,
    alive: Script,
    log: Log,
    options: Options,
    rooms: Arc<dyn Rooms>,
    metrics: Arc<Metrics>,
    subscriber: Subscriber,
    delivery: Mutex<Delivery>,
    /// Whoever waits for something to be heard is woken.
    begun: Notify,
    /// There may be something to catch up with.
    behind: Notify,
}

struct Options {
    redis: settings::Redis,
    max_bytes: usize,
    log_expiry: Duration,
}

impl Shared {
    pub(super) fn new(
        redis: &Redis,
        node: NodeName,
        clock: Clock,
        settings: &Settings,
        rooms: Arc<dyn Rooms>,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let options = Options {
            redis: settings.redis.clone(),
            max_bytes: settings.messages.max_shared_bytes,
            log_expiry: settings.history.recent_expiry,
        };
        let found_lost = options.redis.probe_interval + options.redis.response_timeout;
        let delivery = Delivery::new(found_lost + CLOCKS_DIFFER);
        Arc::new_cyclic(|this: &std::sync::Weak<Self>| {
            let this = this.clone();
            let subscriber = redis.subscriber(move |heard| {
                if let Some(shared) = this.upgrade() {
                    shared.handle_heard(&heard);
                }
            });
            subscriber.add(&keys::node_channel(node.as_str()));
            Self {
                node,
                redis: redis.clone(),
                clock,
                alive: Script::new(include_str!("alive.lua")),
                log: Log::new(),
                options,
                rooms,
                metrics,
                subscriber,
                delivery: Mutex::new(delivery),
                begun: Notify::new(),
                behind: Notify::new(),
            }
        })
    }

    /// Whether a message that was taken in here is still to be told here.
    pub(super) fn is_news(&self, id: Uuid) -> bool {
        self.delivery.lock().handle_own(id)
    }

    pub(super) fn refuse(&self, id: Uuid) {
        self.delivery.lock().handle_refused(id);
    }

    pub(super) fn hearing(&self, tenant: &str) -> Hearing {
        self.delivery.lock().hearing(tenant)
    }

    /// Whether any other node may have listened to the tenant when listeners were counted.
    pub(super) fn others_listened(
        &self,
        tenant: &str,
        before: Hearing,
        listeners: Listeners,
    ) -> bool {
        let after = self.hearing(tenant);
        delivery::others_listened(listeners, before, after)
    }

    pub(super) async fn pass_on<P: PresenceStore>(
        &self,
        presence: &P,
        said: &Said,
        listened: bool,
        holders: &Holders,
    ) {
        if !listened && *holders == Holders::Here {
            return;
        }
        if let Err(error) = self.try_pass_on(presence, said, listened, holders).await {
            tracing::warn!(%error, message = %said.id, "could not pass a message on; trying again");
            self.delivery
                .lock()
                .handle_unsent(&said.conversation.tenant);
            self.behind.notify_one();
        }
    }

    pub(super) async fn listen(&self, tenant: &str) {
        {
            let mut delivery = self.delivery.lock();
            if delivery.handle_watch(tenant) {
                self.subscriber.add(&keys::channel(tenant));
            }
        }
        let heard = self.until(|delivery| delivery.is_listening(tenant));
        if !self.soon(heard).await {
            tracing::warn!(
                tenant,
                "an admin came before it could be heard what is said"
            );
            self.delivery.lock().handle_unheard(tenant);
        }
    }

    pub(super) fn unlisten(&self, tenant: &str) {
        let now = self.clock.now();
        self.delivery.lock().handle_unwatch(tenant, now);
    }

    pub(super) async fn ready(&self) {
        if self.soon(self.until(Delivery::is_reachable)).await {
            self.delivery.lock().handle_ready();
        } else {
            tracing::warn!("starting before other nodes can reach this one");
        }
    }

    pub(super) async fn run<P: PresenceStore>(&self, presence: &P) -> Infallible {
        tokio::join!(
            self.show_life(),
            self.catch_up(presence),
            self.note_renewals(presence)
        )
        .0
    }

    /// Waits for something to be heard, but not for long, and not at all while Redis is away.
    async fn soon(&self, heard: impl Future<Output = ()>) -> bool {
        tokio::select! {
            biased;
            () = heard => true,
            () = self.redis.down() => false,
            () = tokio::time::sleep(self.options.redis.response_timeout) => false,
        }
    }

    async fn until(&self, is_so: impl Fn(&Delivery) -> bool) {
        loop {
            let begun = self.begun.notified();
            tokio::pin!(begun);
            begun.as_mut().enable();
            if is_so(&self.delivery.lock()) {
                return;
            }
            begun.await;
        }
    }

    fn handle_heard(&self, heard: &Heard<'_>) {
        match heard {
            Heard::Begin { channel } => {
                match keys::tenant_of(channel) {
                    Some(tenant) => self.delivery.lock().handle_begin_of(tenant),
                    None => self.delivery.lock().handle_begin(),
                }
                self.begun.notify_waiters();
                self.behind.notify_one();
            }
            Heard::Message { payload, .. } => self.handle_payload(payload),
            Heard::Lost { channel } => match keys::tenant_of(channel) {
                Some(tenant) => self.delivery.lock().handle_lost_of(tenant),
                None => self.delivery.lock().handle_lost(),
            },
        }
    }

    fn handle_payload(&self, payload: &[u8]) {
        if payload.len() > self.options.max_bytes {
            tracing::warn!(bytes = payload.len(), "ignored what is too large");
            return self.metrics.bus(BusEvent::Malformed);
        }
        match wire::read(payload) {
            Ok(wire::Heard::Said(said)) => {
                if self.delivery.lock().handle_heard(said.id) {
                    self.metrics.bus(BusEvent::Heard);
                    self.rooms.deliver(&said);
                }
            }
            Ok(wire::Heard::Alive(at)) => self.delivery.lock().handle_alive(at),
            Ok(wire::Heard::Unknown) => self.metrics.bus(BusEvent::Unknown),
            Err(wire::Malformed) => {
                tracing::warn!(bytes = payload.len(), "ignored what no node says");
                self.metrics.bus(BusEvent::Malformed);
            }
        }
    }

    async fn try_pass_on<P: PresenceStore>(
        &self,
        presence: &P,
        said: &Said,
        listened: bool,
        holders: &Holders,
    ) -> Result<(), StoreError> {
        let payload = wire::said(said).map_err(StoreError::new)?;
        let to_listeners = async {
            if listened {
                self.publish(&keys::channel(&said.conversation.tenant), &payload)
                    .await?;
            }
            Ok(())
        };
        let to_holders = async {
            let channels: Vec<String> = match holders {
                Holders::Here => Vec::new(),
                Holders::Nodes(nodes) => self.channels(nodes),
                Holders::Ask => self.channels(&whereabouts(presence, &said.conversation).await?),
            };
            let published = channels
                .iter()
                .map(|channel| self.publish(channel, &payload));
            join_all(published).await.into_iter().collect()
        };
        let (listeners, holders) = tokio::join!(to_listeners, to_holders);
        listeners.and(holders)
    }

    fn channels(&self, nodes: &[NodeName]) -> Vec<String> {
        nodes
            .iter()
            .filter(|node| **node != self.node)
            .map(|node| keys::node_channel(node.as_str()))
            .collect()
    }

    async fn publish(&self, channel: &str, payload: &str) -> Result<(), StoreError> {
        // A node that does not listen catches up when it does, or is gone.
        let _receivers = self
            .redis
            .publish("pass a message on", channel, payload.as_bytes())
            .await?;
        self.metrics.bus(BusEvent::Published);
        Ok(())
    }

    /// Publishes signs of life, and ceases to listen where nobody does any more.
    async fn show_life(&self) -> Infallible {
        loop {
            self.redis.up().await;
            let mut call = self.alive.call();
            call.key(keys::node_channel(self.node.as_str()))
                .arg(publish_command(&self.redis));
            // An error is the connection's, which has been logged.
            if let Ok(now) = self.redis.script("show life", &call).await {
                self.delivery.lock().handle_time(RedisTime(now));
                self.behind.notify_one();
            }
            {
                let mut delivery = self.delivery.lock();
                for tenant in delivery.handle_timeout(self.clock.now()) {
                    self.subscriber.remove(&keys::channel(&tenant));
                }
            }
            tokio::time::sleep(self.options.redis.probe_interval).await;
        }
    }

    async fn note_renewals<P: PresenceStore>(&self, presence: &P) -> Infallible {
        loop {
            let tenants = presence.renewed().await;
            self.delivery.lock().handle_renewed(tenants);
            self.behind.notify_one();
        }
    }

    /// Reads the logs of tenants with which the node is behind. One that cannot be read holds up no other.
    async fn catch_up<P: PresenceStore>(&self, presence: &P) -> Infallible {
        let mut retry = Vec::new();
        let mut failed_before = false;
        loop {
            let next = self.delivery.lock().poll_catch_up(|| self.rooms.tenants());
            if let Some(catch_up) = next {
                if let Err(error) = self.read_log(presence, &catch_up).await {
                    // Once in a row of failures, not for each of them.
                    if !std::mem::replace(&mut failed_before, true) {
                        tracing::warn!(%error, tenant = %catch_up.tenant, "could not catch up; trying on");
                    }
                    retry.push(catch_up);
                }
                continue;
            }
            if retry.is_empty() {
                failed_before = false;
                self.behind.notified().await;
                continue;
            }
            tokio::time::sleep(READ_AGAIN.min(self.options.redis.longest_retry)).await;
            self.redis.up().await;
            let mut delivery = self.delivery.lock();
            for catch_up in retry.drain(..) {
                delivery.handle_unread(catch_up);
            }
        }
    }

    async fn read_log<P: PresenceStore>(
        &self,
        presence: &P,
        catch_up: &CatchUp,
    ) -> Result<(), StoreError> {
        let tenant = &catch_up.tenant;
        let mut next = Some(recent::begin(catch_up.from));
        let mut is_first = true;
        while let Some(begin) = next {
            let part = self.log.read(&self.redis, tenant, &begin).await?;
            let expiry = self.options.log_expiry;
            if std::mem::take(&mut is_first) && !part.extent.reaches_back_to(catch_up.from, expiry)
            {
                self.metrics.bus(BusEvent::Gap);
                let sockets = self.rooms.resynchronise(tenant);
                tracing::error!(
                    %tenant,
                    sockets,
                    "what was missed is forgotten; sockets are disconnected to ask anew"
                );
            }
            for said in &part.said {
                self.settle(presence, said).await?;
            }
            next = part.next;
        }
        Ok(())
    }

    /// Does what is left to be done with a message in a log.
    async fn settle<P: PresenceStore>(&self, presence: &P, said: &Said) -> Result<(), StoreError> {
        let recent = self.delivery.lock().handle_recent(said.id);
        match recent {
            Recent::Missed => {
                self.metrics.bus(BusEvent::Replayed);
                self.rooms.deliver(said);
                Ok(())
            }
            Recent::Known => Ok(()),
            Recent::Own => self.try_pass_on(presence, said, true, &Holders::Ask).await,
        }
    }
}

/// The command with which a script publishes.
fn publish_command(redis: &Redis) -> &'static str {
    if redis.has_sharded_channels() {
        "SPUBLISH"
    } else {
        "PUBLISH"
    }
}

async fn whereabouts<P: PresenceStore>(
    presence: &P,
    conversation: &Conversation,
) -> Result<Vec<NodeName>, StoreError> {
    let who = match &conversation.owner {
        Owner::User(user) => Who::User(user),
        Owner::Session(session) => Who::Session(session),
    };
    let location = presence.locate(&conversation.tenant, who).await?;
    Ok(location.map_or_else(Vec::new, |location| location.nodes))
}
