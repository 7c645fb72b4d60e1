//! The scripts, typed. `common.lua` stands before each of them and says which keys there are.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use redis::{FromRedisValue, from_redis_value};

use super::remote::Remote;
use super::{Random, epoch_of};
use crate::clock::millis;
use crate::error::StoreError;
use crate::presence::census::{Census, Count};
use crate::presence::{Profile, Sample};
use crate::redis::script::{Call, Script};

/// How much a script does at a time, so that it never holds Redis up for long.
pub(super) const BATCH: usize = 200;

/// The scripts, and the times that they all need.
pub(super) struct Scripts<R> {
    remote: Arc<R>,
    random: Random,
    join: Script,
    update: Script,
    leave: Script,
    tick: Script,
    depart: Script,
    drain: Script,
    sync: Script,
    history: Script,
    pub(super) times: Times,
}

/// How long things last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// The time that the scripts take for now; zero for Redis's own.
    pub(super) now: Duration,
    /// From a user's last session to the user's end.
    pub(super) grace: Duration,
    /// The same, where the session's node has told it to go elsewhere.
    pub(super) parting: Duration,
    /// How long a node is believed to live after a sign of life.
    pub(super) node_lease: Duration,
    /// How long anything is kept after the last sign of any node.
    pub(super) keep: Duration,
}

/// A state of a tenant in Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) epoch: u32,
    pub(super) version: u64,
}

/// What every answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    /// The state that was answered from.
    pub(super) mark: Mark,
    /// The time there, in milliseconds of Unix time.
    pub(super) time: u64,
}

/// Who asks, and until when the answer is waited for, in the time of Redis; 0 if that is not known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) tenant: &'a str,
    pub(super) incarnation: &'a str,
    pub(super) deadline: u64,
}

/// A session that has ended, and Redis does not know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Departed {
    pub(super) user: Arc<str>,
    pub(super) session: Arc<str>,
    /// How long its user still stays, if it was the last one.
    pub(super) stays: Duration,
}

/// A session as it is handed over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entering<'a> {
    pub(super) user: &'a str,
    pub(super) session: &'a str,
    /// Its place among the user's sessions.
    pub(super) place: Place,
    /// What the hash shows.
    pub(super) value: &'a str,
    /// What is shown besides; nothing if it does not report its visit.
    pub(super) details: Option<&'a str>,
}

/// The place of a session among those of its user, the last of which is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The last, unless Redis knows of one that it has.
    New,
    /// Where Redis has put it.
    At(u64),
    /// The last, whatever Redis knows: the user has looked at it, and Redis may not have been told.
    Last,
}

/// What a tick found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticked {
    /// When the next grace time ends.
    pub(super) next_grace: Option<Duration>,
    /// Whether the same should be done again at once.
    pub(super) more: bool,
}

/// Everyone online: user and value.
pub(super) type Everyone = Vec<(Vec<u8>, Vec<u8>)>;

/// What is published when something changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Published<'a> {
    pub(super) mark: Mark,
    pub(super) user: &'a str,
    /// What is shown now, with what stands in the hash first; `None` if the user is gone.
    pub(super) value: Option<&'a str>,
}

/// The channel on which changes of a tenant are published.
pub(super) fn channel(tenant: &str) -> String {
    ["{online_users:", tenant, "}:events"].concat()
}

/// The tenant of a channel.
pub(super) fn tenant_of(channel: &str) -> Option<&str> {
    channel
        .strip_prefix("{online_users:")?
        .strip_suffix("}:events")
}

impl<'a> Published<'a> {
    /// Reads what `common.lua` publishes.
    pub(super) fn read(payload: &'a [u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(payload).ok()?.splitn(4, '\n');
        let mark = Mark {
            epoch: parts.next()?.parse().ok()?,
            version: parts.next()?.parse().ok()?,
        };
        let value = Some(parts.next()?).filter(|value| !value.is_empty());
        let user = parts.next()?;
        Some(Self { mark, user, value })
    }
}

impl<R: Remote> Scripts<R> {
    pub(super) fn new(remote: Arc<R>, random: Random, times: Times) -> Self {
        Self {
            remote,
            random,
            join: script(include_str!("join.lua")),
            update: script(include_str!("update.lua")),
            leave: script(include_str!("leave.lua")),
            tick: script(include_str!("tick.lua")),
            depart: script(include_str!("depart.lua")),
            drain: script(include_str!("drain.lua")),
            sync: script(include_str!("sync.lua")),
            history: Script::new(include_str!("history.lua")),
            times,
        }
    }

    /// Adds sessions; `None` if the lease is over. Also gives the place of each.
    pub(super) async fn join(
        &self,
        asking: Asking<'_>,
        may_begin: bool,
        sessions: &[Entering<'_>],
    ) -> Result<Option<(Said, Vec<u64>)>, StoreError> {
        let mut call = self.call(&self.join, asking);
        call.arg(millis(self.times.node_lease))
            .arg(u8::from(may_begin));
        for entering in sessions {
            call.arg(entering.user).arg(entering.session);
            match entering.place {
                Place::New => call.arg(""),
                Place::At(order) => call.arg(format!("{order:016}")),
                Place::Last => call.arg("+"),
            };
            call.arg(entering.value)
                .arg(entering.details.unwrap_or_default());
        }
        let answer: Vec<String> = self.run("join presence", &call).await?;
        let Some((said, orders)) = said_in(&answer)? else {
            return Ok(None);
        };
        let orders: Result<_, StoreError> = orders.iter().map(|order| number(order)).collect();
        orders.map(|orders| Some((said, orders)))
    }

    /// Lets a session show something else; `None` if the lease is over. Gives its place, if this incarnation holds it.
    pub(super) async fn update(
        &self,
        asking: Asking<'_>,
        (user, session): (&str, &str),
        (value, profile): (&str, &Profile),
        active: bool,
    ) -> Result<Option<(Said, Option<u64>)>, StoreError> {
        let mut call = self.call(&self.update, asking);
        call.arg(session)
            .arg(user)
            .arg(value)
            .arg(profile.details().unwrap_or_default())
            .arg(u8::from(active));
        let answer: Vec<String> = self.run("update presence", &call).await?;
        let said = said_in(&answer)?;
        Ok(said.map(|(said, rest)| (said, rest.first().and_then(|order| order.parse().ok()))))
    }

    /// Ends a session; `None` if the lease is over. Also says whether the user stays for a while.
    pub(super) async fn leave(
        &self,
        asking: Asking<'_>,
        session: &str,
        user: &str,
    ) -> Result<Option<(Said, bool)>, StoreError> {
        let mut call = self.call(&self.leave, asking);
        call.arg(session).arg(user).arg(millis(self.times.grace));
        let answer: Vec<String> = self.run("leave presence", &call).await?;
        let said = said_in(&answer)?;
        Ok(said.map(|(said, rest)| (said, rest.first().is_some_and(|stays| stays == "1"))))
    }

    /// Shows that a node lives, and does what is due; `None` if the lease is over.
    pub(super) async fn tick(
        &self,
        asking: Asking<'_>,
        may_reap: bool,
    ) -> Result<Option<(Said, Ticked)>, StoreError> {
        let mut call = self.call(&self.tick, asking);
        call.arg(millis(self.times.node_lease))
            .arg(u8::from(may_reap))
            .arg(BATCH);
        let answer: Vec<String> = self.run("renew presence", &call).await?;
        let Some((said, rest)) = said_in(&answer)? else {
            return Ok(None);
        };
        let [wait, more] = rest else {
            return Err(StoreError::new("a tick has another answer"));
        };
        let ticked = Ticked {
            next_grace: wait.parse().ok().map(Duration::from_millis),
            more: more == "1",
        };
        Ok(Some((said, ticked)))
    }

    /// Ends sessions that have ended before, and were held by one of these incarnations. Says when the next
    /// grace time ends.
    pub(super) async fn depart(
        &self,
        asking: Asking<'_>,
        been: &[Arc<str>],
        departed: &[Departed],
    ) -> Result<Option<Duration>, StoreError> {
        let mut call = self.call(&self.depart, asking);
        call.arg(been.len());
        for incarnation in been {
            call.arg(&**incarnation);
        }
        for departed in departed {
            call.arg(&*departed.user)
                .arg(&*departed.session)
                .arg(millis(departed.stays));
        }
        let wait: i64 = self.run("depart presence", &call).await?;
        Ok(wait.try_into().ok().map(Duration::from_millis))
    }

    /// Ends all sessions of an incarnation and its lease. Its users stay for a while. Says when the next
    /// grace time ends.
    pub(super) async fn drain(
        &self,
        asking: Asking<'_>,
        stay: Duration,
    ) -> Result<Option<Duration>, StoreError> {
        let mut call = self.call(&self.drain, asking);
        call.arg(millis(stay)).arg(BATCH);
        loop {
            let (more, wait): (u8, i64) = self.run("drain presence", &call).await?;
            if more == 0 {
                return Ok(wait.try_into().ok().map(Duration::from_millis));
            }
        }
    }

    /// Everyone online, or nobody yet if the same should be done again at once; `None` if the lease is over.
    pub(super) async fn sync(
        &self,
        asking: Asking<'_>,
        may_begin: bool,
    ) -> Result<Option<(Said, Option<Everyone>)>, StoreError> {
        let mut call = self.call(&self.sync, asking);
        call.arg(millis(self.times.node_lease))
            .arg(u8::from(may_begin))
            .arg(BATCH);
        let answer: Vec<Vec<Vec<u8>>> = self.run("read presence", &call).await?;
        let mut answer = answer.into_iter();
        let Some(head) = answer.next() else {
            return Ok(None);
        };
        let head: Vec<String> = head
            .into_iter()
            .map(|number| String::from_utf8(number).map_err(StoreError::new))
            .collect::<Result<_, _>>()?;
        let (said, _) = said_in(&head)?.ok_or_else(|| StoreError::new("a snapshot has no mark"))?;
        let Some(everyone) = answer.next() else {
            return Ok(Some((said, None)));
        };
        let mut everyone = pairs(everyone);
        let details: HashMap<_, _> = pairs(answer.next().unwrap_or_default())
            .into_iter()
            .collect();
        for (user, value) in &mut everyone {
            if let Some(details) = details.get(user) {
                append(value, details);
            }
        }
        Ok(Some((said, Some(everyone))))
    }

    /// How many were online in each of the last minutes. It needs no lease, and begins none.
    pub(super) async fn history(&self, tenant: &str) -> Result<Vec<Sample>, StoreError> {
        let mut call = self.history.call();
        call.key(["online_users:", tenant].concat())
            .key(["{online_users:", tenant, "}:counts"].concat())
            .arg(millis(self.times.now));
        let answer: Vec<String> = self.run("read counts of presence", &call).await?;
        let [now, online, ring @ ..] = answer.as_slice() else {
            return Err(StoreError::new("an answer is too short"));
        };
        let mut census = Census::default();
        for (minute, count) in ring.iter().filter_map(|entry| counted(entry)) {
            census.put(minute, count);
        }
        // Whoever lives counts in each minute, or within a fifth of the lease if that is longer.
        let believed = millis(self.times.keep);
        Ok(census.samples(number(now)?, number(online)?, believed))
    }

    fn call(&self, script: &Script, asking: Asking<'_>) -> Call {
        let epoch = epoch_of(&self.random);
        let publish = self.remote.publish_command();
        call(script, asking, self.times, epoch, publish)
    }

    async fn run<T: FromRedisValue>(
        &self,
        what: &'static str,
        call: &Call,
    ) -> Result<T, StoreError> {
        let answer = self.remote.run(what, call).await?;
        from_redis_value(answer).map_err(StoreError::new)
    }
}

/// A script with what stands before each of them.
pub(super) fn script(text: &str) -> Script {
    Script::new(&[include_str!("common.lua"), text].concat())
}

/// A call with what all of them take.
pub(super) fn call(
    script: &Script,
    asking: Asking<'_>,
    times: Times,
    epoch: u32,
    publish: &str,
) -> Call {
    let tenant = asking.tenant;
    let mut call = script.call();
    call.key(["online_users:", tenant].concat());
    for own in [
        "meta", "sessions", "queue", "held", "leases", "grace", "details", "counts",
    ] {
        call.key(["{online_users:", tenant, "}:", own].concat());
    }
    call.arg(millis(times.now))
        .arg(millis(times.keep))
        .arg(epoch)
        .arg(publish)
        .arg(asking.incarnation)
        .arg(asking.deadline);
    call
}

/// Puts the fields of one JSON object behind those of another. Both have some.
fn append(value: &mut Vec<u8>, details: &[u8]) {
    if let [b'{', fields @ ..] = details
        && value.pop_if(|last| *last == b'}').is_some()
    {
        value.push(b',');
        value.extend_from_slice(fields);
    }
}

/// Reads what the ring says of a minute, and which.
fn counted(entry: &str) -> Option<(u64, Count)> {
    let mut numbers = entry.split(' ').map(|number| number.parse().ok());
    let minute = numbers.next()??;
    let count = Count {
        online: numbers.next()??,
        peak: numbers.next()??,
    };
    Some((minute, count))
}

fn pairs(flat: Vec<Vec<u8>>) -> Everyone {
    let mut pairs = Vec::with_capacity(flat.len() / 2);
    let mut flat = flat.into_iter();
    while let (Some(user), Some(value)) = (flat.next(), flat.next()) {
        pairs.push((user, value));
    }
    pairs
}

fn said_in(answer: &[String]) -> Result<Option<(Said, &[String])>, StoreError> {
    match answer {
        [] => Ok(None),
        [epoch, version, time, rest @ ..] => {
            let mark = Mark {
                epoch: epoch.parse().map_err(StoreError::new)?,
                version: number(version)?,
            };
            let time = number(time)?;
            Ok(Some((Said { mark, time }, rest)))
        }
        [_] | [_, _] => Err(StoreError::new("an answer is too short")),
    }
}

fn number(text: &str) -> Result<u64, StoreError> {
    text.parse().map_err(StoreError::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_read_whatever_the_user_is_called() {
        let mark = Mark {
            epoch: 7,
            version: 12,
        };
        assert_eq!(
            Published::read(b"7\n12\n{\"sessionId\":\"s\"}\nan\nn"),
            Some(Published {
                mark,
                user: "an\nn",
                value: Some("{\"sessionId\":\"s\"}")
            })
        );
        let gone = Published::read(b"7\n12\n\nann").unwrap();
        assert_eq!((gone.user, gone.value), ("ann", None));
        assert_eq!(Published::read(b"7\n12"), None);
        assert_eq!(Published::read(b"x\n12\n\nann"), None);
    }

    #[test]
    fn what_is_shown_besides_stands_behind_the_value() {
        let mut value = br#"{"sessionId":"s"}"#.to_vec();
        append(&mut value, br#"{"tabs":2}"#);
        assert_eq!(value, br#"{"sessionId":"s","tabs":2}"#);
    }

    #[test]
    fn the_ring_is_read_as_far_as_it_is_ours() {
        let count = Count { online: 3, peak: 5 };
        assert_eq!(counted("28400000 3 5"), Some((28_400_000, count)));
        for foreign in ["", "1 2", "a b c", "-1 0 0"] {
            assert_eq!(counted(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_channel_names_its_tenant() {
        assert_eq!(tenant_of(&channel("a b")), Some("a b"));
        assert_eq!(tenant_of("elsewhere"), None);
    }
}
