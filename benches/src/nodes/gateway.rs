//! The same sockets and requests directly and through the gateway.

use std::path::Path;

use anyhow::{Result, ensure};

use super::Load;
use super::fleet::{Crowd, Fleet, Meter, key, of_one_tenant, until, until_online};
use super::table::{Table, Unit};
use crate::measure::micros;
use crate::process::Launched;
use crate::redis::Redis;
use crate::side::TENANT;

/// Users in the list that is requested.
const LISTED: usize = 10;

pub(super) async fn measure(
    server: &Path,
    redis: &Redis,
    load: &Load,
    table: &mut Table,
) -> Result<()> {
    let fleet = Fleet::start(server, redis, &["ws", "api"], 0).await?;
    let [ws, api] = &fleet.nodes[..] else {
        anyhow::bail!("two servers were started");
    };
    let urls = [ws, api].map(|server| format!("http://{}", server.address));
    let settings = [
        ("BACKEND_WS_URL", urls[0].as_str()),
        ("BACKEND_API_URL", urls[1].as_str()),
    ];
    let gateway = fleet.launch(server, redis, "gateway", &settings).await?;
    sockets(redis, load, ws, &gateway, table).await?;
    requests(redis, load, [ws, api], &gateway, table).await
}

async fn sockets(
    redis: &Redis,
    load: &Load,
    ws: &Launched,
    gateway: &Launched,
    table: &mut Table,
) -> Result<()> {
    warm(redis, &gateway.address).await?;
    let meter = Meter::of([ws.process])?;
    let crowd = arrive(redis, &ws.address, "direct", load.proxied).await?;
    let direct = micros(meter.total()?, load.proxied);
    depart(redis, crowd).await?;

    let before = gateway.process.settled().await?;
    let meter = Meter::of([ws.process, gateway.process])?;
    let crowd = arrive(redis, &gateway.address, "proxied", load.proxied).await?;
    let each = meter.each()?;
    let memory = gateway.process.settled().await?.saturating_sub(before);
    depart(redis, crowd).await?;
    let proxied = micros(each.iter().sum(), load.proxied);
    table.bytes("gateway: memory per idle socket", memory, load.proxied);
    table.micros("gateway: CPU per connect", each[1], load.proxied);
    table.add(
        "connect through the gateway over directly",
        Unit::Times,
        proxied / direct,
    );
    Ok(())
}

async fn requests(
    redis: &Redis,
    load: &Load,
    [ws, api]: [&Launched; 2],
    gateway: &Launched,
    table: &mut Table,
) -> Result<()> {
    let crowd = arrive(redis, &ws.address, "listed", LISTED).await?;
    let client = reqwest::Client::new();
    let expected = until_listed(&client, &api.address).await?;
    let mut costs = Vec::new();
    for address in [&api.address, &gateway.address] {
        request(&client, address, KEPT, &expected).await?;
        let meter = Meter::of([api.process, gateway.process])?;
        request(&client, address, load.requests, &expected).await?;
        costs.push(meter.each()?);
    }
    let direct = micros(costs[0][0], load.requests);
    let proxied = micros(costs[1].iter().sum(), load.requests);
    table.add("api: CPU per small list", Unit::Micros, direct);
    table.micros("gateway: CPU per request", costs[1][1], load.requests);
    table.add(
        "request through the gateway over directly",
        Unit::Times,
        proxied / direct,
    );
    crowd.go().await
}

/// Requests before it is measured, so that connections are there.
const KEPT: usize = 20;

/// Asks for the list, with one key after the other, and expects it to be always the same.
async fn request(
    client: &reqwest::Client,
    address: &str,
    count: usize,
    expected: &str,
) -> Result<()> {
    for number in 0..count {
        let list = list(client, address, number).await?;
        ensure!(list == expected, "another list: {list}");
    }
    Ok(())
}

async fn list(client: &reqwest::Client, address: &str, number: usize) -> Result<String> {
    let url = format!("http://{address}/api/chat/online-users?tenantId={TENANT}");
    let response = client.get(url).bearer_auth(key(number)).send().await?;
    ensure!(response.status() == 200, "a list is {}", response.status());
    Ok(response.text().await?)
}

/// The list, once it has everybody.
async fn until_listed(client: &reqwest::Client, address: &str) -> Result<String> {
    let count = |list: &str| list.matches("\"userId\"").count();
    until(async || Ok(count(&list(client, address, 0).await?) >= LISTED)).await?;
    let list = list(client, address, 0).await?;
    ensure!(count(&list) == LISTED, "too many users: {list}");
    Ok(list)
}

async fn arrive(redis: &Redis, address: &str, name: &'static str, count: usize) -> Result<Crowd> {
    let addresses = [address.to_owned()];
    let crowd = Crowd::come(&addresses, count, of_one_tenant(name)).await?;
    until_online(redis, TENANT, count).await?;
    Ok(crowd)
}

async fn depart(redis: &Redis, crowd: Crowd) -> Result<()> {
    crowd.go().await?;
    until(async || Ok(redis.online(TENANT).await? == 0)).await
}

async fn warm(redis: &Redis, address: &str) -> Result<()> {
    let crowd = arrive(redis, address, "warm", 100).await?;
    depart(redis, crowd).await
}
