//! SIGHUP: the tenants file is read again while the server runs.

use std::path::{Path, PathBuf};

use chat_server::config::tenants_of;
use serde_json::json;

use crate::support::{Client, Page, TestServer, refusal, success};

struct File {
    directory: tempfile::TempDir,
}

impl File {
    fn new(text: &str) -> Self {
        let file = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        file.write(text);
        file
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("tenants.toml")
    }

    fn write(&self, text: &str) {
        std::fs::write(self.path(), text).unwrap();
    }

    async fn server(&self) -> TestServer {
        let path: &Path = &self.path();
        TestServer::with(|config| {
            config.tenants = tenants_of(path).unwrap();
            config.tenants_file = Some(path.to_owned());
        })
        .await
    }
}

fn list(server: &TestServer, tenant: &str, key: &str) -> reqwest::RequestBuilder {
    server
        .get(&format!("/api/chat/online-users?tenantId={tenant}"))
        .bearer_auth(key)
}

#[tokio::test]
async fn what_the_file_says_counts_from_then_on() {
    let file = File::new("[[tenants]]\nid = \"a\"\nadmin_keys = [\"old\"]");
    let server = file.server().await;
    success(list(&server, "a", "old")).await;
    assert_eq!(refusal(list(&server, "b", "b")).await.1, "UNKNOWN_TENANT");
    file.write(
        "[[tenants]]\nid = \"a\"\nadmin_keys = [\"new\"]\n[[tenants]]\nid = \"b\"\nadmin_keys = [\"b\"]",
    );
    server.reload_tenants();
    assert_eq!(
        refusal(list(&server, "a", "old")).await.1,
        "INVALID_API_KEY"
    );
    success(list(&server, "a", "new")).await;
    success(list(&server, "b", "b")).await;
    server.finish().await;
}

#[tokio::test]
async fn a_bad_file_changes_nothing() {
    let file = File::new("[[tenants]]\nid = \"a\"\nadmin_keys = [\"old\"]");
    let server = file.server().await;
    let visitor = Page::of("a").open(&server).await;
    for bad in [
        "",
        "nonsense",
        "[[tenants]]\nid = \"a\"\n[[tenants]]\nid = \"a\"",
    ] {
        file.write(bad);
        server.reload_tenants();
        assert_eq!(
            success(list(&server, "a", "old")).await["users"][0]["sessionId"],
            visitor.id()
        );
    }
    std::fs::remove_file(file.path()).unwrap();
    server.reload_tenants();
    success(list(&server, "a", "old")).await;
    drop(visitor);
    server.finish().await;
}

#[tokio::test]
async fn whole_addresses_are_shown_for_as_long_as_they_are_asked_for() {
    let tenant = "[[tenants]]\nid = \"a\"\nadmin_keys = [\"k\"]\n";
    let file = File::new(&[tenant, "full_urls = true"].concat());
    let server = file.server().await;
    let mut admin = Page::of("a").admin("k").open(&server).await;
    let page = Page::of("a").auth("visit", json!({ "url": "https://a.example/?q" }));
    let mut visitor = page.visitor("v").open(&server).await;
    let url = async |admin: &mut Client| admin.expect("user_online").await["url"].clone();
    assert_eq!(url(&mut admin).await, "https://a.example/?q");
    file.write(tenant);
    server.reload_tenants();
    let update = json!({ "url": "https://a.example/b?q" });
    assert_eq!(visitor.ask("update_presence", &update).await, json!({}));
    assert_eq!(url(&mut admin).await, "https://a.example/b");
    drop((admin, visitor));
    server.finish().await;
}

#[tokio::test]
async fn who_came_by_a_key_that_is_gone_is_disconnected_and_nobody_else() {
    let file = File::new(
        "[[tenants]]\nid = \"a\"\nadmin_keys = [\"leaked\", \"kept\"]\n[[tenants]]\nid = \"b\"\nadmin_keys = [\"b\"]",
    );
    let server = file.server().await;
    let mut leaked = Page::of("a").admin("leaked").open(&server).await;
    let mut kept = Page::of("a").admin("kept").open(&server).await;
    let mut visitor = Page::of("a").visitor("v").open(&server).await;
    let of_b = Page::of("b").visitor("v").open(&server).await;
    leaked.expect("user_online").await;
    kept.expect("user_online").await;
    file.write("[[tenants]]\nid = \"a\"\nadmin_keys = [\"kept\"]");
    server.reload_tenants();
    leaked.closed().await;
    of_b.closed().await;
    assert_eq!(kept.list("a").await.len(), 1);
    visitor.emit("message", &json!({ "text": "hello" })).await;
    visitor.expect("meta_message_created").await;
    let again = Page::of("a").admin("leaked");
    assert_eq!(again.refused(&server).await, "INVALID_API_KEY");
    server.finish().await;
}
