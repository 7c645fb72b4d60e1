//! A gateway as its operator meets it: readiness, the signals, certificates, and an end in good order.

use std::path::Path;
use std::process::Stdio;

use futures_util::StreamExt as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::before::TestGateway;
use crate::support::{Page, TENANTS, TestServer, refusal, soon, until};

/// A running `chat-server gateway`.
struct Running {
    child: Child,
    url: String,
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
    command
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Running {
    async fn before(server: &TestServer, more: &[&str]) -> Self {
        let backend = server.url("");
        let mut arguments = vec!["gateway", "--listen", "127.0.0.1:0"];
        arguments.extend(["--log", "chat_server=debug", "--log-format", "json"]);
        arguments.extend(["--api-url", &backend]);
        arguments.extend(more);
        let mut command = command(&arguments);
        command.env("BACKEND_WS_URL", &backend);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = soon(lines.next_line()).await.unwrap().unwrap();
        let url = ready.strip_prefix("listening on ").unwrap().to_owned();
        Self { child, url }
    }

    async fn signal(&self, signal: &str) {
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().await;
        assert!(sent.unwrap().success());
    }

    /// Asks it to end, which must succeed, and says what it logged.
    async fn end(mut self) -> String {
        self.signal("-TERM").await;
        let status = soon(self.child.wait()).await.unwrap();
        let mut log = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut log).await.unwrap();
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }
}

fn write(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn without_its_backends_it_says_so_and_ends() {
    for (arguments, names) in [
        (&["gateway"][..], "--api-url"),
        (&["gateway", "--api-url", "http://127.0.0.1:1"], "--ws-url"),
        (&["gateway", "--ws-url", "http://127.0.0.1:1"], "--api-url"),
        (
            &["gateway", "--api-url", "nonsense", "--ws-url", "http://a"],
            "--api-url",
        ),
        (&["gateway", "--tls-cert", "a"], "--tls-key"),
    ] {
        let output = command(arguments).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains(names), "{text}");
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test]
async fn signals_have_it_read_its_tenants_again_and_end() {
    let server = TestServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let tenants = write(directory.path(), "tenants.toml", TENANTS);
    let running = Running::before(&server, &["--tenants", &tenants]).await;
    let address: std::net::SocketAddr = running
        .url
        .strip_prefix("http://")
        .unwrap()
        .parse()
        .unwrap();
    let visitor = Page::of("open").open(address).await;
    let refused = Page::of("42").admin("very-secret").refused(address).await;
    assert_eq!(refused, "INVALID_API_KEY");
    let client = reqwest::Client::new();
    let list = || {
        let url = format!("{}/api/chat/online-users?tenantId=open", running.url);
        client
            .get(url)
            .bearer_auth("open-admin")
            .header("x-request-id", "name-1")
    };
    assert_eq!(soon(list().send()).await.unwrap().status(), 200);
    write(directory.path(), "tenants.toml", "[[tenants]]\nid = \"42\"");
    until(async || {
        running.signal("-HUP").await;
        soon(list().send()).await.unwrap().status() == 404
    })
    .await;
    // A socket that is open ends with the gateway.
    let closed = tokio::spawn(visitor.closed());
    let log = running.end().await;
    for secret in ["open-admin", "very-secret", "tenantId"] {
        assert!(!log.contains(secret), "{log}");
    }
    let named = log
        .lines()
        .filter(|line| line.contains("\"request_id\":\"name-1\""));
    assert!(named.count() > 1, "{log}");
    soon(closed).await.unwrap();
    server.finish().await;
}

#[tokio::test]
async fn it_is_served_over_tls_with_a_certificate_that_can_be_renewed() {
    let server = TestServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let certify = || {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = made.cert.pem();
        let paths = (
            write(directory.path(), "cert.pem", &certificate),
            write(
                directory.path(),
                "key.pem",
                &made.signing_key.serialize_pem(),
            ),
        );
        (paths, certificate)
    };
    let ((cert, key), first) = certify();
    let tenants = write(directory.path(), "tenants.toml", TENANTS);
    let options = [
        "--tls-cert",
        &cert,
        "--tls-key",
        &key,
        "--tenants",
        &tenants,
    ];
    let running = Running::before(&server, &options).await;
    let port = running
        .url
        .strip_prefix("https://127.0.0.1:")
        .unwrap()
        .to_owned();
    let works_with = async |certificate: &str| {
        let fetched = Command::new("openssl")
            .args([
                "s_client",
                "-connect",
                &format!("127.0.0.1:{port}"),
                "-verify_return_error",
            ])
            .args([
                "-CAfile",
                &write(directory.path(), "trusted.pem", certificate),
            ])
            .args(["-verify_hostname", "localhost"])
            .stdin(Stdio::null())
            .output();
        soon(fetched).await.unwrap().status.success()
    };
    assert!(works_with(&first).await);
    let (_, second) = certify();
    assert!(!works_with(&second).await, "not before it is told");
    until(async || {
        running.signal("-HUP").await;
        works_with(&second).await
    })
    .await;
    // What cannot be used does not take its place.
    write(directory.path(), "cert.pem", "nonsense");
    running.signal("-HUP").await;
    assert!(works_with(&second).await);
    running.end().await;
    server.finish().await;
}

#[tokio::test]
async fn it_is_ready_while_somebody_behind_it_is() {
    let server = TestServer::start().await;
    let gateway = TestGateway::before(&[server.address()]).await;
    let ready = async || {
        soon(gateway.get("/readyz").send())
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(ready().await, 200);
    assert_eq!(
        soon(gateway.get("/healthz").send()).await.unwrap().status(),
        200
    );
    server.finish().await;
    until(async || ready().await == 503).await;
    assert_eq!(refusal(gateway.get("/readyz")).await.1, "UNAVAILABLE");
    assert_eq!(
        soon(gateway.get("/healthz").send()).await.unwrap().status(),
        200
    );
    gateway.finish().await;
}

#[tokio::test]
async fn it_ends_in_good_order_with_sockets_and_polls_open() {
    let server = TestServer::start().await;
    let gateway = TestGateway::with(&[server.address()], &[server.address()], |config| {
        config.settings.shutdown.spread = std::time::Duration::from_millis(300);
    })
    .await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(Page::of("open").open(&gateway).await);
    }
    let polling = gateway.url("/socket.io/?EIO=4&transport=polling&tenantId=open");
    let open = soon(gateway.http.get(&polling).send()).await.unwrap();
    let open: serde_json::Value = serde_json::from_str(&open.text().await.unwrap()[1..]).unwrap();
    let session = format!("{polling}&sid={}", open["sid"].as_str().unwrap());
    let poll = tokio::spawn(gateway.http.get(&session).send());
    // A client that shows nothing.
    let url = session
        .replace("http", "ws")
        .replace("polling", "websocket");
    let url = url.split("&sid").next().unwrap().to_owned();
    let (mut silent, _) = soon(tokio_tungstenite::connect_async(url)).await.unwrap();
    assert!(soon(silent.next()).await.unwrap().is_ok());
    let stopping = gateway.stopping();
    for socket in sockets {
        soon(socket.closed()).await;
    }
    assert!(soon(silent.next()).await.is_none_or(|end| end.is_err()));
    let poll = soon(poll).await.unwrap().unwrap();
    assert_eq!(poll.text().await.unwrap(), "6");
    assert_eq!(soon(stopping).await.unwrap(), 0);
    server.finish().await;
}
