//! No secret is ever in the log, in the metrics, or in what a refusal says.
//!
//! A program of its own, with one test: whether a line is logged is decided once for all threads, and
//! tests beside this one could decide that it is not.
#![expect(
    clippy::unwrap_used,
    reason = "in a test, helpers included, a panic is the way to fail"
)]
#![expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "the helpers are those of the behaviour tests, and this needs a few of them"
)]

#[path = "behaviour/support/mod.rs"]
mod support;

use std::io;
use std::sync::Arc;

use chat_server::auth::visitor_token::VisitorTokens;
use chat_server::config::tenants_of;
use chat_server::limits::Rate;
use parking_lot::Mutex;
use serde_json::json;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use support::{Page, SECRET, TestServer, token, user};

/// Everything that is logged on this thread. The runtime of a test has no other.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn whatever_is_done_with_it_a_secret_stays_one() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tenants.toml");
    let tenants = "[[tenants]]\nid = \"open\"\nadmin_keys = [\"first-admin-key\"]\n\
        [[tenants]]\nid = \"42\"\nadmin_keys = [\"other-admin-key\"]\nwidget_keys = [\"a-widget-key\"]";
    std::fs::write(&path, tenants).unwrap();
    let server = TestServer::with(|config| {
        config.tenants = tenants_of(&path).unwrap();
        config.tenants_file = Some(path.clone());
        config.visitor_tokens = Some(VisitorTokens::new(
            b"visitor-token-secret",
            config.settings.authentication.visitor_token_lifetime,
        ));
        config.settings.connections.count_loopback = true;
        config.settings.authentication.failures_per_address = Rate {
            per_second: 0.000_001,
            burst: 8,
        };
        tracing::info!(?config, "the whole configuration");
    })
    .await;

    let expired = token(json!({ "sub": "u", "tenantId": "open", "exp": 1_000_000_000 }));
    let mut secrets: Vec<String> = ["first-admin-key", "other-admin-key", "a-widget-key"]
        .into_iter()
        .chain([
            "visitor-token-secret",
            SECRET,
            "ey.wrong.signature-of-it",
            "wrong-key",
        ])
        .map(str::to_owned)
        .collect();
    secrets.extend([user("u"), expired]);
    let mut answers = String::new();

    let mut visitor = Page::of("open")
        .auth("visitorToken", "")
        .open(&server)
        .await;
    let issued = visitor.expect("visitor_token").await;
    secrets.push(issued["token"].as_str().unwrap().to_owned());
    show_everywhere(&server, &secrets, &mut answers).await;
    for bad in [
        "[[tenants]]\nid = \"open\"\nadmin_keys = \"first-admin-key\"",
        "[[tenants]]\nid = \"open\"\nadmin_keys = [\"first-admin-key]",
        "[[tenants]]\nid = \"open\"\nadmin_keys = [\"a-widget-key\"]\nwidget_keys = [\"a-widget-key\"]",
    ] {
        std::fs::write(&path, bad).unwrap();
        server.reload_tenants();
    }
    std::fs::write(&path, tenants.replace("other-admin-key", "wrong-key")).unwrap();
    server.reload_tenants();
    let metrics = server.get("/metrics").send().await.unwrap();
    answers.push_str(&metrics.text().await.unwrap());
    visitor.leave().await;
    server.finish().await;

    let log = String::from_utf8(log.0.lock().clone()).unwrap();
    for told in [
        "refused a connection",
        "the tenants stay as they are",
        "the whole configuration",
    ] {
        assert!(log.contains(told), "the log is not the whole log: {told}");
    }
    assert!(answers.contains("RATE_LIMITED") && answers.contains("INVALID_TOKEN"));
    for secret in &secrets {
        // The signature alone would do harm, too.
        let part = secret.rsplit('.').next().unwrap();
        for secret in [secret.as_str(), part] {
            assert!(!log.contains(secret), "the log holds {secret}");
            assert!(!answers.contains(secret), "an answer holds {secret}");
        }
    }
}

/// Shows each secret in each place, also where it is wrong, and more often than is allowed.
async fn show_everywhere(server: &TestServer, secrets: &[String], answers: &mut String) {
    for secret in secrets {
        for tenant in ["open", "42", "nowhere"] {
            let pages = [
                Page::of(tenant).admin(secret),
                Page::of(tenant).auth("apiKey", secret.as_str()),
                Page::of(tenant).auth("visitorToken", secret.as_str()),
                Page::of(tenant).header("authorization", &format!("Bearer {secret}")),
            ];
            for page in pages {
                match page.try_open(server).await {
                    Ok(client) => client.leave().await,
                    Err(error) => answers.push_str(&error.to_string()),
                }
            }
            let requests = [
                server.get(&format!("/api/chat/online-users?tenantId={tenant}")),
                server.get(&format!("/api/chat/messages?tenantId={tenant}&sessionId=s")),
                server.post(
                    "/webchat/message",
                    &json!({ "tenantId": tenant, "text": "hello" }),
                ),
                server.post("/api/chat/session", &json!({ "tenantId": tenant })),
            ];
            for request in requests {
                let request = request
                    .bearer_auth(secret)
                    .header("x-visitor-token", secret);
                answers.push_str(&request.send().await.unwrap().text().await.unwrap());
            }
        }
    }
}
