//! Who is online.
//!
//! [`transition`] holds the rules as a pure state machine; a [`PresenceStore`] applies them for all
//! tenants and tells the announcer what changed. `conformance` is the suite that every store passes.
//! [`feed`] makes of what is announced what those are told who know their version, [`census`] counts by the
//! minute, [`profile`] is what there is to see of a session.

pub mod census;
#[cfg(test)]
pub mod conformance;
pub mod feed;
pub mod memory;
pub mod profile;
pub mod redis;
pub mod transition;

use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use chat_protocol::event::ONLINE_USERS_LIST;
use chat_protocol::presence::Cursor;
use chat_socketio::Frame;

use crate::chat::NAMESPACE;
use crate::error::StoreError;
use crate::node::NodeName;
pub use census::Sample;
pub use memory::MemoryPresenceStore;
pub use profile::{Profile, Row};
pub use redis::RedisPresenceStore;
pub use transition::Change;

/// Keeps who is online, for all tenants.
///
/// Duties of an implementation:
/// - The rules are those of [`transition`], over all nodes that share the store.
/// - Every change bumps its tenant's version by one and is announced exactly once on every node that
///   watches the tenant, in the order of the versions and with the state that it leads to. The announcer
///   never waits, so it may be called under a lock.
/// - A state that gets another name is announced, too. Between two announced states of one epoch nothing
///   is left out: whoever was different at any version in between is among the changes.
/// - [`with_list`](Self::with_list) and [`with_revision`](Self::with_revision) take their place among the
///   announcements: whatever is in the list was announced before, and whatever is announced later is not
///   in it yet. A client that applies all it is sent in order is therefore right at every moment.
/// - Joining or leaving twice is joining or leaving once. Leaving ends that session and no other,
///   however late it comes.
/// - An update changes what that session shows and no other, and nothing if the session is over, however late
///   it comes. Nothing is announced unless something else is shown then.
/// - Tenants never see each other.
pub trait PresenceStore: Send + Sync + 'static {
    /// A session of a user is connected.
    fn join(&self, session: Joining) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A session of a user shows something else, or is looked at.
    fn update(&self, session: Updating<'_>) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A session of a user is over.
    fn leave(&self, session: Leaving<'_>) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Hands over the list of everyone online. `deliver` must not wait.
    fn with_list<T: Send>(
        &self,
        tenant: &str,
        deliver: impl FnOnce(&Arc<List>) -> T + Send,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;

    /// A part of the list: at most `limit` users, in the order of their ids, after `cursor`.
    fn page(
        &self,
        tenant: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> impl Future<Output = Result<Page, StoreError>> + Send;

    /// Hands over the state of the list without the list. `deliver` must not wait.
    fn with_revision<T: Send>(
        &self,
        tenant: &str,
        deliver: impl FnOnce(Revision) -> T + Send,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;

    /// The state of the list without the list.
    fn revision(&self, tenant: &str) -> impl Future<Output = Result<Revision, StoreError>> + Send {
        self.with_revision(tenant, |revision| revision)
    }

    /// How many users were online in each of the last minutes, the present one last.
    fn history(&self, tenant: &str)
    -> impl Future<Output = Result<Vec<Sample>, StoreError>> + Send;

    /// Somebody here wants to be told of the tenant's changes: when this returns, all that come are
    /// announced, until [`unwatch`](Self::unwatch) has been called as often as this. It does not wait
    /// for long; if what is online cannot be known yet, announcing begins later.
    fn watch(&self, tenant: &str) -> impl Future<Output = ()> + Send;

    /// Takes one call of [`watch`](Self::watch) back.
    fn unwatch(&self, tenant: &str);

    /// Finds the user of a session and the nodes that hold the user's sessions, this one among them; with
    /// a session's id only the node of that session. `None` if no such session is connected.
    fn locate(
        &self,
        tenant: &str,
        who: Who<'_>,
    ) -> impl Future<Output = Result<Option<Location>, StoreError>> + Send;

    /// Returns when the sessions that this node holds in some tenants have been handed over anew, with
    /// these tenants: for a time before that, others may not have [located](Self::locate) them here.
    fn renewed(&self) -> impl Future<Output = Vec<Arc<str>>> + Send;

    /// Whether any session of this node is connected. Users in their grace time have none.
    fn has_sessions(&self) -> bool;

    /// Ends grace times, and does whatever else takes time. It must run for as long as the store is
    /// used.
    fn run(&self) -> impl Future<Output = Infallible> + Send;

    /// Takes the sessions of this node out of whatever is shared with others. The store still takes
    /// calls, but shares nothing any more.
    fn stop(&self) -> impl Future<Output = ()> + Send;
}

/// A session to be announced.
#[derive(Debug, Clone)]
pub struct Joining {
    /// The user's tenant.
    pub tenant: Arc<str>,
    /// The user.
    pub user: Arc<str>,
    /// The session, unique over all tenants.
    pub session: Arc<str>,
    /// What admins see of the user while this session is the one that is shown.
    pub profile: Profile,
}

/// A session that shows something else.
#[derive(Debug, Clone, Copy)]
pub struct Updating<'a> {
    /// The user's tenant.
    pub tenant: &'a str,
    /// The user.
    pub user: &'a Arc<str>,
    /// The session.
    pub session: &'a str,
    /// What admins see from now on while this session is the one that is shown.
    pub profile: &'a Profile,
    /// Whether the user is looking at it: then it is the one that is shown.
    pub active: bool,
}

/// A session that is over.
#[derive(Debug, Clone, Copy)]
pub struct Leaving<'a> {
    /// The user's tenant.
    pub tenant: &'a str,
    /// The user.
    pub user: &'a str,
    /// The session.
    pub session: &'a str,
}

/// Whose whereabouts are asked for.
#[derive(Debug, Clone, Copy)]
pub enum Who<'a> {
    /// A user's, by id.
    User(&'a str),
    /// A session's, by id.
    Session(&'a str),
}

/// Where a user is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The user.
    pub user: Arc<str>,
    /// The nodes, each once.
    pub nodes: Vec<NodeName>,
}

/// What an announcer is told.
#[derive(Debug)]
pub struct Announcement<'a> {
    /// Whose admins are to be told.
    pub tenant: &'a str,
    /// What happened, in order. Nothing, where the state has only got another name.
    pub changes: &'a [Change],
    /// The state after all of it.
    pub revision: Revision,
}

/// Tells a tenant's admins about changes.
pub type Announcer = Box<dyn Fn(Announcement<'_>) + Send + Sync>;

/// A state of a tenant's list. Two equal ones name equal lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// Changes whenever the counting starts again.
    pub epoch: u32,
    /// The number of changes so far.
    pub version: u64,
    /// How many users are online.
    pub total: usize,
}

/// Everyone online in a tenant, as it is sent.
#[derive(Debug)]
pub struct List {
    /// Which state this is.
    pub revision: Revision,
    /// Behind a pointer to a `String`, because making an `Arc<str>` would copy megabytes.
    body: Arc<String>,
    frame: OnceLock<Frame>,
    versioned: OnceLock<Arc<String>>,
    versioned_frame: OnceLock<Frame>,
}

/// A part of a tenant's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The state that the part is of.
    pub revision: Revision,
    /// The rows of the part as a JSON array.
    pub users: String,
    /// Where the next part begins; `None` at the end.
    pub next_cursor: Option<String>,
}

impl Revision {
    /// What a client shows who has this state.
    pub fn cursor(&self) -> Cursor {
        Cursor {
            epoch: self.epoch,
            version: self.version,
        }
    }

    /// The entity tag of answers made from this state. Weak: equal in meaning, not to the byte.
    pub fn etag(&self) -> String {
        format!("W/\"{:x}-{}\"", self.epoch, self.version)
    }
}

impl List {
    /// Concatenates rows to a list.
    pub fn of<'a>(revision: Revision, rows: impl Iterator<Item = &'a Row> + Clone) -> Self {
        let mut body = String::from(r#"{"users":"#);
        write_rows(&mut body, rows);
        body.push('}');
        Self {
            revision,
            body: Arc::new(body),
            frame: OnceLock::new(),
            versioned: OnceLock::new(),
            versioned_frame: OnceLock::new(),
        }
    }

    /// The list as an `online_users_list` event, encoded once for all who ask for this state.
    pub fn frame(&self) -> &Frame {
        self.frame
            .get_or_init(|| Frame::from_raw_event(NAMESPACE, ONLINE_USERS_LIST, &self.body))
    }

    /// `{ "users": [...] }`, the payload of `online_users_list` and of the HTTP answer.
    pub fn json(&self) -> &str {
        &self.body
    }

    /// The same text, shared, as the body of an answer.
    pub fn bytes(&self) -> Bytes {
        shared(&self.body)
    }

    /// The list as an `online_users_list` event for those who asked for versions, encoded once, too.
    pub fn versioned_frame(&self) -> &Frame {
        self.versioned_frame
            .get_or_init(|| Frame::from_raw_event(NAMESPACE, ONLINE_USERS_LIST, self.versioned()))
    }

    /// `{ "users": [...], "epoch", "version" }`, shared, as the body of an answer.
    pub fn versioned_bytes(&self) -> Bytes {
        shared(self.versioned())
    }

    fn versioned(&self) -> &Arc<String> {
        self.versioned.get_or_init(|| {
            let Revision { epoch, version, .. } = self.revision;
            let open = self.body.strip_suffix('}').unwrap_or_default();
            Arc::new(format!(r#"{open},"epoch":{epoch},"version":{version}}}"#))
        })
    }
}

fn shared(text: &Arc<String>) -> Bytes {
    struct Shared(Arc<String>);
    impl AsRef<[u8]> for Shared {
        fn as_ref(&self) -> &[u8] {
            self.0.as_bytes()
        }
    }
    Bytes::from_owner(Shared(Arc::clone(text)))
}

/// Writes rows as a JSON array.
pub(crate) fn write_rows<'a>(out: &mut String, rows: impl Iterator<Item = &'a Row> + Clone) {
    out.reserve(rows.clone().map(|row| row.json().len() + 1).sum::<usize>() + 2);
    out.push('[');
    for (index, row) in rows.enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(row.json());
    }
    out.push(']');
}
