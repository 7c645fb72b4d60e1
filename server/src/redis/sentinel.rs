//! Those who know which server is the master.
//!
//! What must stay true: no sentinel is believed without the server's own word, because one that is cut
//! off goes on naming the former master; none is shown a password that it has not asked for.

use std::collections::HashMap;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue};

use super::Shared;
use super::server::{Trouble, in_time, must_be_master, open};
use super::url::Address;

/// Sentinels, and the name of the master that they are asked for.
#[derive(Debug, Clone)]
pub(super) struct Sentinels {
    pub(super) places: Vec<Address>,
    pub(super) name: String,
}

impl Sentinels {
    /// Asks all of them for the master, and connects to the first server that says that it is.
    pub(super) async fn establish(
        &self,
        shared: &Shared,
    ) -> Result<(Address, MultiplexedConnection), Trouble> {
        let mut answers: FuturesUnordered<_> = self
            .places
            .iter()
            .map(|place| self.ask(shared, place))
            .collect();
        let mut tried = Vec::new();
        let mut trouble = Trouble::NoMaster;
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(address) if tried.contains(&address) => {}
                Ok(address) => {
                    match open_master(shared, &address).await {
                        Ok(connection) => return Ok((address, connection)),
                        Err(error) => trouble = error,
                    }
                    tried.push(address);
                }
                // What is wrong with a server that was named says more.
                Err(error) if tried.is_empty() => trouble = error,
                Err(_) => {}
            }
        }
        Err(trouble)
    }

    async fn ask(&self, shared: &Shared, place: &Address) -> Result<Address, Trouble> {
        let mut command = redis::cmd("SENTINEL");
        command.arg("get-master-addr-by-name").arg(&self.name);
        let answer: Option<(String, u16)> = ask(shared, place, &command).await?;
        let (host, port) = answer.ok_or(Trouble::NoMaster)?;
        Ok(Address::new(&host, port, place))
    }
}

async fn open_master(shared: &Shared, address: &Address) -> Result<MultiplexedConnection, Trouble> {
    let mut connection = open(shared, &shared.login, address).await?;
    must_be_master(&mut connection).await?;
    Ok(connection)
}

/// The name of the only master that a sentinel looks after.
pub(super) async fn only_master(shared: &Shared, place: &Address) -> Result<String, Trouble> {
    let mut command = redis::cmd("SENTINEL");
    command.arg("MASTERS");
    let masters: Vec<HashMap<String, String>> = ask(shared, place, &command).await?;
    match &*masters {
        [master] => master.get("name").cloned().ok_or(Trouble::WhichMaster),
        _ => Err(Trouble::WhichMaster),
    }
}

async fn ask<T: FromRedisValue>(
    shared: &Shared,
    place: &Address,
    command: &Cmd,
) -> Result<T, Trouble> {
    let once = async |login| {
        let mut connection = open(shared, login, place).await?;
        let limit = shared.settings.response_timeout;
        in_time(limit, command.query_async(&mut connection)).await
    };
    match once(&shared.login.unnamed()).await {
        Err(Trouble::Failed(error)) if !error.is_io_error() && shared.login.shows_password() => {
            once(&shared.login.without_database()).await
        }
        outcome => outcome,
    }
}
