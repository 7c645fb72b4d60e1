//! Presence by versions, for those who ask for it; and nothing of it for all others.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Client, Page, Store, TestServer, on_every_store, refusal, soon, success, until,
};

const LIST: &str = "/api/chat/online-users?tenantId=open";

on_every_store!(
    who_asks_is_told_by_deltas,
    who_does_not_ask_sees_nothing_new,
    further_changes_are_collected,
    who_comes_back_goes_on_from_there,
    what_nobody_comes_back_for_is_forgotten,
    requests_go_on_from_a_version,
    it_is_counted,
);

/// An admin as the rules say: what it knows, and what leads on from there.
struct Dashboard {
    client: Client,
    at: Value,
    users: BTreeMap<String, Value>,
}

fn versioned() -> Page {
    Page::of("open").admin("open-admin").auth("presence", 1)
}

fn cursor(payload: &Value) -> Value {
    json!({ "epoch": payload["epoch"], "version": payload["version"] })
}

impl Dashboard {
    async fn open(server: &TestServer) -> Self {
        let mut dashboard = Self {
            client: versioned().open(server).await,
            at: json!({ "epoch": 0, "version": 0 }),
            users: BTreeMap::new(),
        };
        assert_eq!(dashboard.ask().await, "online_users_list");
        dashboard
    }

    /// Asks what has changed, and takes the answer.
    async fn ask(&mut self) -> String {
        let mut payload = self.at.clone();
        payload["tenantId"] = json!("open");
        self.client.emit("get_online_users", &payload).await;
        self.hear().await
    }

    /// Takes the next event, and says which.
    async fn hear(&mut self) -> String {
        let (event, payload) = self.client.next().await;
        match event.as_str() {
            "online_users_list" => {
                self.users.clear();
                self.take(&payload["users"]);
            }
            "presence_delta" => {
                assert!(self.leads_on(&payload), "{payload} from {}", self.at);
                self.take(&payload["online"]);
                for user in payload["offline"].as_array().unwrap() {
                    self.users.remove(user.as_str().unwrap());
                }
            }
            other => panic!("{other}: {payload}"),
        }
        self.at = cursor(&payload);
        event
    }

    fn leads_on(&self, delta: &Value) -> bool {
        let version = |state: &Value| state["version"].as_u64().unwrap();
        let within = delta["epoch"] == self.at["epoch"]
            && delta["since"]["epoch"] == self.at["epoch"]
            && (version(&delta["since"])..=version(delta)).contains(&version(&self.at));
        delta["since"] == self.at || within
    }

    fn take(&mut self, users: &Value) {
        for user in users.as_array().unwrap() {
            let id = user["userId"].as_str().unwrap().to_owned();
            self.users.insert(id, user.clone());
        }
    }

    /// Hears until so many are online.
    async fn sees(&mut self, count: usize) {
        while self.users.len() != count {
            assert_eq!(self.hear().await, "presence_delta");
        }
    }
}

async fn who_asks_is_told_by_deltas(store: Store) {
    let server = store.server().await;
    let mut plain = server.admin().await;
    let mut dashboard = Dashboard::open(&server).await;
    let before = dashboard.at.clone();
    let ann = server.visitor("ann").await;
    let shown = plain.expect("user_online").await;
    let (event, delta) = dashboard.client.next().await;
    let after =
        json!({ "epoch": before["epoch"], "version": before["version"].as_u64().unwrap() + 1 });
    let expected = json!({
        "epoch": after["epoch"],
        "version": after["version"],
        "since": before,
        "online": [shown],
        "offline": [],
    });
    assert_eq!((event.as_str(), &delta), ("presence_delta", &expected));
    ann.leave().await;
    plain.expect("user_offline").await;
    let gone = dashboard.client.expect("presence_delta").await;
    assert_eq!(gone["since"], after);
    assert_eq!(gone["online"], json!([]));
    assert_eq!(gone["offline"], json!(["anonymous-ann"]));
    server.finish().await;
}

async fn who_does_not_ask_sees_nothing_new(store: Store) {
    let server = store.server().await;
    let _dashboard = Dashboard::open(&server).await;
    let others = [json!("1"), json!(2), json!(true), json!([1]), json!(null)];
    let mut admins = vec![server.admin().await];
    for other in others {
        let page = Page::of("open").admin("open-admin");
        admins.push(page.auth("presence", other).open(&server).await);
    }
    let _ann = server.visitor("ann").await;
    for admin in &mut admins {
        let shown = admin.expect("user_online").await;
        let payload = json!({ "tenantId": "open", "epoch": 1, "version": {} });
        admin.emit("get_online_users", &payload).await;
        let list = admin.expect("online_users_list").await;
        assert_eq!(list, json!({ "users": [shown] }));
    }
    let list = success(server.get(LIST).bearer_auth("open-admin")).await;
    assert_eq!(list.as_object().unwrap().len(), 1, "{list}");
    // A visitor may ask, and is one nevertheless.
    let mut visitor = Page::of("open").auth("presence", 1).open(&server).await;
    let payload = json!({ "tenantId": "open", "epoch": 0, "version": 0 });
    let refused = visitor.ask("get_online_users", &payload).await;
    assert_eq!(refused["code"], "ADMIN_REQUIRED");
    server.finish().await;
}

async fn further_changes_are_collected(store: Store) {
    let server = store
        .server_with(|config| {
            // Longer than any test.
            config.settings.online_users.delta_interval = Duration::from_hours(1);
        })
        .await;
    let mut plain = server.admin().await;
    let mut dashboard = Dashboard::open(&server).await;
    let mut visitors = Vec::new();
    for id in ["ann", "bob", "cid", "bob"] {
        visitors.push(server.visitor(id).await);
        plain.expect("user_online").await;
    }
    assert_eq!(dashboard.hear().await, "presence_delta");
    let first: Vec<_> = dashboard.users.keys().collect();
    assert_eq!(first, ["anonymous-ann"], "the first is told at once");
    assert_eq!(dashboard.ask().await, "presence_delta");
    let shown = &dashboard.users["anonymous-bob"]["sessionId"];
    assert_eq!(shown, visitors[3].id(), "the last word");
    assert_eq!(dashboard.users.len(), 3);
    let listed = Dashboard::open(&server).await;
    assert_eq!((listed.at, listed.users), (dashboard.at, dashboard.users));
    server.finish().await;
}

async fn who_comes_back_goes_on_from_there(store: Store) {
    let server = store.server().await;
    let mut plain = server.admin().await;
    let _visitors = [server.visitor("ann").await, server.visitor("bob").await];
    for _ in 0..2 {
        plain.expect("user_online").await;
    }
    let mut dashboard = Dashboard::open(&server).await;
    let first = dashboard.at.clone();
    dashboard.client.drop_transport().await;
    let _cid = server.visitor("cid").await;
    plain.expect("user_online").await;
    dashboard.client = versioned().open(&server).await;
    assert_eq!(dashboard.ask().await, "presence_delta");
    assert_eq!(dashboard.users.len(), 3);
    assert_eq!(
        dashboard.ask().await,
        "presence_delta",
        "nothing new is one"
    );
    let unknown = [
        json!({ "epoch": 0, "version": 0 }),
        json!({ "epoch": first["epoch"], "version": 0 }),
        json!({ "epoch": first["epoch"], "version": 1000 }),
        json!({ "epoch": 4_000_000_000_u32, "version": 1 }),
        json!({ "epoch": "x", "version": 1 }),
        json!({}),
    ];
    for unknown in unknown {
        dashboard.at = unknown;
        assert_eq!(dashboard.ask().await, "online_users_list");
        assert_eq!(dashboard.users.len(), 3);
    }
    server.finish().await;
}

async fn what_nobody_comes_back_for_is_forgotten(store: Store) {
    let server = store
        .server_with(|config| config.settings.online_users.resume = Duration::from_millis(10))
        .await;
    let mut plain = server.admin().await;
    let mut dashboard = Dashboard::open(&server).await;
    let _visitors = [server.visitor("ann").await, server.visitor("bob").await];
    for _ in 0..2 {
        plain.expect("user_online").await;
    }
    let known = dashboard.at.clone();
    assert_eq!(dashboard.ask().await, "presence_delta");
    dashboard.client.leave().await;
    Box::pin(until(async || {
        let mut client = versioned().open(&server).await;
        let mut payload = known.clone();
        payload["tenantId"] = json!("open");
        client.emit("get_online_users", &payload).await;
        let (event, _) = client.next().await;
        client.leave().await;
        event == "online_users_list"
    }))
    .await;
    server.finish().await;
}

async fn requests_go_on_from_a_version(store: Store) {
    let server = store.server().await;
    let mut plain = server.admin().await;
    let get = |at: &Value| {
        let path = format!("{LIST}&epoch={}&version={}", at["epoch"], at["version"]);
        server.get(&path).bearer_auth("open-admin")
    };
    let ann = server.visitor("ann").await;
    let shown = plain.expect("user_online").await;
    let list = success(get(&json!({ "epoch": 0, "version": 0 }))).await;
    let expected = json!({ "users": [shown], "epoch": list["epoch"], "version": list["version"] });
    assert_eq!(list, expected);
    let first = cursor(&list);
    let _others = [server.visitor("bob").await, server.visitor("cid").await];
    plain.expect("user_online").await;
    plain.expect("user_online").await;
    ann.leave().await;
    plain.expect("user_offline").await;
    let answer = success(get(&first)).await;
    assert_eq!(
        answer["users"].as_array().map(Vec::len),
        Some(2),
        "three changes are more than two users"
    );
    let second = cursor(&answer);
    let response = soon(get(&second).send()).await.unwrap();
    let tag = response.headers()["etag"].clone();
    let nothing: Value = response.json().await.unwrap();
    let mut expected = second.clone();
    expected["since"] = second.clone();
    expected["online"] = json!([]);
    expected["offline"] = json!([]);
    assert_eq!(nothing, expected);
    let unchanged = get(&first).header("If-None-Match", tag).send().await;
    assert_eq!(unchanged.unwrap().status(), 304);
    let _dan = server.visitor("dan").await;
    let dan = plain.expect("user_online").await;
    let delta = success(get(&second)).await;
    assert_eq!(delta["since"], second);
    assert_eq!(delta["online"], json!([dan]));
    assert_eq!(delta["offline"], json!([]));
    for more in ["limit=5", "cursor=x", "count=only"] {
        let path = format!("{LIST}&epoch=1&version=1&{more}");
        let refused = refusal(server.get(&path).bearer_auth("open-admin")).await;
        assert_eq!(refused, (400, "INVALID_PAYLOAD".to_owned()), "{more}");
    }
    server.finish().await;
}

async fn it_is_counted(store: Store) {
    let server = store.server().await;
    let mut dashboards = [
        Dashboard::open(&server).await,
        Dashboard::open(&server).await,
    ];
    let _ann = server.visitor("ann").await;
    for dashboard in &mut dashboards {
        dashboard.sees(1).await;
    }
    assert_eq!(dashboards[0].ask().await, "presence_delta");
    let metrics = soon(server.get("/metrics").send()).await.unwrap();
    let text = metrics.text().await.unwrap();
    for line in [
        "chat_presence_deltas_total 1",
        "chat_presence_answers_total{answer=\"listed\"} 2",
        "chat_presence_answers_total{answer=\"resumed\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    server.finish().await;
}

#[tokio::test]
async fn another_node_goes_on_where_one_has_ended() {
    let store = Store::redis().await;
    let (here, there) = (store.server().await, store.server().await);
    let mut dashboard = Dashboard::open(&here).await;
    let mut other = Dashboard::open(&there).await;
    let _visitors = [
        there.visitor("ann").await,
        there.visitor("bob").await,
        here.visitor("cid").await,
    ];
    dashboard.sees(3).await;
    other.sees(3).await;
    assert_eq!(other.at, dashboard.at, "one state has one version");
    assert_eq!(other.users, dashboard.users);
    here.finish().await;
    let _dan = there.visitor("dan").await;
    // Those of the node that has ended are still there for a while.
    other.sees(4).await;
    dashboard.client = versioned().open(&there).await;
    assert_eq!(dashboard.ask().await, "presence_delta");
    assert_eq!(dashboard.users, other.users);
    there.finish().await;
}
