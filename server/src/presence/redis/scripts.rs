//! The scripts, typed. `common.lua` stands before each of them and says which keys there are.

use std::sync::Arc;
use std::time::Duration;

use redis::{FromRedisValue, from_redis_value};

use super::remote::Remote;
use super::{Random, epoch_of};
use crate::error::StoreError;
use crate::redis::script::{Call, Script};

/// How much a script does at a time, so that it never holds Redis up for long.
pub(super) const BATCH: usize = 200;

/// The scripts, and the times that they all need.
pub(super) struct Scripts<R> {
    remote: Arc<R>,
    random: Random,
    join: Script,
    leave: Script,
    tick: Script,
    depart: Script,
    drain: Script,
    sync: Script,
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
    /// Its place among the user's sessions; zero if it has none yet.
    pub(super) order: u64,
    /// What the hash shows.
    pub(super) value: &'a str,
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
    /// What the hash shows now; `None` if the user is gone.
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
            leave: script(include_str!("leave.lua")),
            tick: script(include_str!("tick.lua")),
            depart: script(include_str!("depart.lua")),
            drain: script(include_str!("drain.lua")),
            sync: script(include_str!("sync.lua")),
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
            match entering.order {
                0 => call.arg(""),
                order => call.arg(format!("{order:016}")),
            };
            call.arg(entering.value);
        }
        let answer: Vec<String> = self.run("join presence", &call).await?;
        let Some((said, orders)) = said_in(&answer)? else {
            return Ok(None);
        };
        let orders: Result<_, StoreError> = orders.iter().map(|order| number(order)).collect();
        orders.map(|orders| Some((said, orders)))
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

    /// Everyone online; `None` if the lease is over.
    pub(super) async fn sync(
        &self,
        asking: Asking<'_>,
        may_begin: bool,
    ) -> Result<Option<(Said, Everyone)>, StoreError> {
        let mut call = self.call(&self.sync, asking);
        call.arg(millis(self.times.node_lease))
            .arg(u8::from(may_begin));
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
        let flat = answer.next().unwrap_or_default();
        let mut flat = flat.into_iter();
        let mut pairs = Vec::with_capacity(flat.len() / 2);
        while let (Some(user), Some(value)) = (flat.next(), flat.next()) {
            pairs.push((user, value));
        }
        Ok(Some((said, pairs)))
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
    for own in ["meta", "sessions", "queue", "held", "leases", "grace"] {
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

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
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
    fn a_channel_names_its_tenant() {
        assert_eq!(tenant_of(&channel("a b")), Some("a b"));
        assert_eq!(tenant_of("elsewhere"), None);
    }
}
