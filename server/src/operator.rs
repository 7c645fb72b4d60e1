//! `chat-server presence list|purge|reconcile --tenant T`: an operator looks at who is online, or mends it.
//!
//! What was done is logged with who did it: that line is the audit.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::clock::Clock;
use crate::config::Config;
use crate::config::cli::PresenceAction;
use crate::error::StoreError;
use crate::presence::redis::Random;
use crate::presence::redis::operator::{Inventory, Listed, Operator};
use crate::redis::Redis;

/// A command that could not be carried out.
#[derive(Debug)]
pub enum CommandError {
    /// There is no Redis to look into. Name one.
    NoRedis,
    /// The tenants file has no such tenant. Name one that it has.
    UnknownTenant,
    /// Redis did not answer in time. Try again when it does.
    Away,
    /// Redis failed.
    Store(StoreError),
    /// What was found could not be printed.
    Output(io::Error),
}

/// Carries a command out, and prints what it found to `out`.
///
/// # Errors
/// Nothing was done, but for [`CommandError::Store`] and [`CommandError::Output`].
pub async fn run(
    config: &Config,
    action: PresenceAction,
    tenant: &str,
    out: &mut impl Write,
) -> Result<(), CommandError> {
    let url = config.redis_url.as_ref().ok_or(CommandError::NoRedis)?;
    if config.tenants_file.is_some() && config.tenants.get(tenant).is_none() {
        return Err(CommandError::UnknownTenant);
    }
    let settings = &config.settings.redis;
    let redis = Redis::connect(url, settings, Clock::start(), Box::new(|_| {}));
    let patience = settings.connect_timeout + settings.response_timeout;
    tokio::time::timeout(patience, redis.up())
        .await
        .map_err(|_| CommandError::Away)?;
    let random: Random = Arc::new(|| Uuid::new_v4().as_u128());
    let operator = Operator::new(redis, random, config.lease);
    let by = operator_name();
    match action {
        PresenceAction::List => {
            let inventory = operator.list(tenant).await?;
            tracing::info!(
                audit = "presence list",
                tenant,
                by,
                users = inventory.users.len()
            );
            print(&inventory, out)?;
        }
        PresenceAction::Purge => {
            let users = operator.purge(tenant).await?;
            tracing::warn!(audit = "presence purge", tenant, by, users);
            writeln!(out, r#"{{"purged":{users}}}"#)?;
        }
        PresenceAction::Reconcile => {
            let mended = operator.reconcile(tenant).await?;
            tracing::warn!(audit = "presence reconcile", tenant, by, ?mended);
            writeln!(
                out,
                r#"{{"sessionsEnded":{},"entriesRemoved":{},"usersShown":{},"usersGone":{}}}"#,
                mended.sessions_ended,
                mended.entries_removed,
                mended.users_shown,
                mended.users_gone
            )?;
        }
    }
    Ok(())
}

/// Whoever runs this, as far as the system says.
fn operator_name() -> String {
    let names = ["SUDO_USER", "USER", "LOGNAME"];
    let name = names.iter().find_map(|name| std::env::var(name).ok());
    name.unwrap_or_else(|| "unknown".to_owned())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeLine<'a> {
    node: &'a str,
    lease_ms: i64,
    sessions: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserLine<'a> {
    user_id: &'a str,
    shown: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a RawValue>,
    sessions: Vec<SessionLine<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grace_ms: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionLine<'a> {
    session_id: &'a str,
    node: &'a str,
}

/// Nodes first, then users, each a JSON object on a line.
fn print(inventory: &Inventory, out: &mut impl Write) -> Result<(), CommandError> {
    for holder in &inventory.nodes {
        let line = NodeLine {
            node: &holder.incarnation,
            lease_ms: holder.lease_ms,
            sessions: holder.sessions,
        };
        print_line(&line, out)?;
    }
    for listed in &inventory.users {
        print_line(&line_of(listed)?, out)?;
    }
    Ok(())
}

fn line_of(listed: &Listed) -> Result<UserLine<'_>, CommandError> {
    let json =
        |text| serde_json::from_str(text).map_err(|error| CommandError::Output(error.into()));
    Ok(UserLine {
        user_id: &listed.user,
        shown: json(&listed.shown)?,
        details: listed.details.as_deref().map(json).transpose()?,
        sessions: listed
            .sessions
            .iter()
            .map(|(session_id, node)| SessionLine { session_id, node })
            .collect(),
        grace_ms: listed.grace_ms,
    })
}

fn print_line(line: &impl Serialize, out: &mut impl Write) -> Result<(), CommandError> {
    let text = serde_json::to_string(line).map_err(|error| CommandError::Output(error.into()))?;
    writeln!(out, "{text}")?;
    Ok(())
}

impl CommandError {
    /// Whether what was asked for can be mended by asking otherwise.
    pub fn is_of_the_caller(&self) -> bool {
        match self {
            Self::NoRedis | Self::UnknownTenant => true,
            Self::Away | Self::Store(_) | Self::Output(_) => false,
        }
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRedis => formatter.write_str(
                "presence needs --redis-url: without Redis it is in the server's memory alone",
            ),
            Self::UnknownTenant => {
                formatter.write_str("--tenant: the tenants file has no such tenant")
            }
            Self::Away => formatter.write_str("Redis does not answer; nothing was done"),
            Self::Store(error) => write!(formatter, "Redis failed: {error}"),
            Self::Output(error) => write!(formatter, "cannot print what was found: {error}"),
        }
    }
}

impl std::error::Error for CommandError {}
