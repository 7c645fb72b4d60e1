//! The program as its operator meets it: the ready line, the exit codes, the signals.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};

use crate::support::Page;

/// Two files, as an option takes them.
const PUBLIC_KEYS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/keys/rsa.public.pem,",
    env!("CARGO_MANIFEST_DIR"),
    "/tests/keys/ed25519.public.pem",
);

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

async fn refused(mut command: Command) -> String {
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

struct Running {
    child: Child,
    stderr: ChildStderr,
    url: String,
}

impl Running {
    async fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.next_line().await.unwrap().unwrap();
        let stderr = child.stderr.take().unwrap();
        let url = ready.strip_prefix("listening on ").unwrap().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{ready}");
        assert!(!url.ends_with(":0"), "{ready}");
        Self { child, stderr, url }
    }

    async fn end(mut self, signal: &str) -> (ExitStatus, String) {
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill")
            .args([signal, &id])
            .status()
            .await
            .unwrap();
        assert!(sent.success());
        // First the log, since who cannot write any more does not end.
        let mut log = String::new();
        self.stderr.read_to_string(&mut log).await.unwrap();
        let status = self.child.wait().await.unwrap();
        (status, log)
    }
}

fn file(directory: &Path, text: &str) -> String {
    let path = directory.join("file.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_cannot_be_used_is_one_line_and_exit_code_two() {
    let directory = tempfile::tempdir().unwrap();
    let bad_tenants = file(directory.path(), "[[tenants]]\nid = \"{x}\"");
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let occupied = held.local_addr().unwrap().to_string();
    let table: [(&[&str], &str); 10] = [
        (&["--nonsense"], "--nonsense"),
        (&["venus"], "venus"),
        (&["--offline-grace", "5 apples"], "--offline-grace"),
        (&["--listen", "nowhere"], "nowhere"),
        (&["--listen", "0.0.0.0:0"], "loopback"),
        (&["--tenants", "/no/such/file.toml"], "/no/such/file.toml"),
        (&["--tenants", &bad_tenants], "braces"),
        (&["--redis-url", "localhost"], "--redis-url"),
        (&["api"], "--redis-url"),
        (&["--listen", &occupied], &occupied),
    ];
    for (arguments, expected) in table {
        let line = refused(command(arguments)).await;
        assert!(line.contains(expected), "{arguments:?} gave {line}");
    }
    drop(held);
}

#[tokio::test]
async fn every_option_is_an_environment_variable_too() {
    let mut bad = command(&[]);
    bad.env("OFFLINE_GRACE", "soon");
    assert!(refused(bad).await.contains("--offline-grace"));
    let mut bad = command(&[]);
    bad.env("JWT_PUBLIC_KEY", "/no/such/key.pem");
    assert!(refused(bad).await.contains("/no/such/key.pem"));
    let mut bad = command(&[]);
    bad.env("JWKS_URL", "http://issuer.example/");
    assert!(refused(bad).await.contains("--jwks-url"));
    let mut bad = command(&[]);
    bad.env("TENANTS_FILE", "/no/such/file.toml");
    assert!(refused(bad).await.contains("/no/such/file.toml"));

    let directory = tempfile::tempdir().unwrap();
    let tenants = "[[tenants]]\nid = \"42\"\nadmin_keys = [\"very-secret\"]";
    let mut good = command(&[]);
    good.env("LISTEN", "127.0.0.1:0")
        .env("LEASE", "1m")
        .env("JWT_SECRET", "token-secret")
        .env("JWT_PUBLIC_KEY", PUBLIC_KEYS)
        .env("VISITOR_TOKEN_SECRET", "visitor-secret")
        .env("TENANTS_FILE", file(directory.path(), tenants));
    let running = Running::start(good).await;
    let url = format!("{}/api/chat/online-users?tenantId=42", running.url);
    let request = reqwest::Client::new().get(url).bearer_auth("very-secret");
    assert_eq!(request.send().await.unwrap().status(), 200);
    let (status, log) = running.end("-TERM").await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(
        !log.contains("very-secret")
            && !log.contains("token-secret")
            && !log.contains("visitor-secret"),
        "{log}"
    );
    assert!(!log.contains("demo-admin-key"), "{log}");
}

#[tokio::test]
async fn it_says_when_it_is_ready_and_ends_well_when_asked_to() {
    for signal in ["-TERM", "-INT"] {
        let running = Running::start(command(&["all", "--listen", "127.0.0.1:0"])).await;
        let health = reqwest::get(format!("{}/healthz", running.url))
            .await
            .unwrap();
        assert_eq!(health.status(), 200);
        let (status, log) = running.end(signal).await;
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(
            log.contains("demo-admin-key"),
            "the development key is named: {log}"
        );
    }
}

#[tokio::test]
async fn help_is_no_error() {
    let output = command(&["--help"]).output().await.unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for option in [
        "--listen",
        "--redis-url",
        "--tenants",
        "--jwt-secret",
        "--jwt-public-key",
        "--jwks-url",
        "--jwt-issuer",
        "--jwt-audience",
        "--visitor-token-secret",
        "--offline-grace",
        "--lease",
    ] {
        assert!(text.contains(option), "{option}");
    }
}

#[tokio::test]
async fn a_hangup_makes_it_read_its_tenants_again() {
    let directory = tempfile::tempdir().unwrap();
    let tenants = file(
        directory.path(),
        "[[tenants]]\nid = \"42\"\nadmin_keys = [\"old\"]",
    );
    let running =
        Running::start(command(&["--listen", "127.0.0.1:0", "--tenants", &tenants])).await;
    let id = running.child.id().unwrap().to_string();
    let hang_up = async || {
        let sent = Command::new("kill").args(["-HUP", &id]).status().await;
        assert!(sent.unwrap().success());
    };
    let url = format!("{}/api/chat/online-users?tenantId=42", running.url);
    let client = reqwest::Client::new();
    let status = async |key: &str| {
        let answer = client.get(&url).bearer_auth(key).send().await.unwrap();
        answer.status().as_u16()
    };
    assert_eq!((status("old").await, status("new").await), (200, 401));
    file(
        directory.path(),
        "[[tenants]]\nid = 42\nadmin_keys = [\"new\"]",
    );
    crate::support::soon(async {
        while status("new").await != 200 {
            hang_up().await;
        }
    })
    .await;
    assert_eq!(status("old").await, 401);
    let (status, log) = running.end("-TERM").await;
    assert_eq!(status.code(), Some(0), "{log}");
}

#[tokio::test]
async fn a_configuration_can_be_checked_without_running_it() {
    let directory = tempfile::tempdir().unwrap();
    let tenants = file(
        directory.path(),
        "[[tenants]]\nid = \"42\"\nadmin_keys = [\"very-secret\"]",
    );
    let mut good = command(&[
        "check-config",
        "--tenants",
        &tenants,
        "--listen",
        "0.0.0.0:0",
    ]);
    good.env("JWT_SECRET", "token-secret")
        .env("REDIS_URL", "redis://user:hunter2@localhost:6379")
        .env("LEASE", "1m");
    let output = good.output().await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    for line in [
        "--listen 0.0.0.0:0 # command line",
        "--lease 1m # LEASE",
        "--offline-grace 2s # default",
        "--jwt-secret (hidden) # JWT_SECRET",
        "--redis-url (hidden) # REDIS_URL",
        "# 1 tenants",
        "[messages]",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    for secret in ["very-secret", "token-secret", "hunter2"] {
        assert!(!text.contains(secret), "{text}");
    }

    let mut bad = command(&[
        "check-config",
        "--listen",
        "nowhere",
        "--redis-url",
        "http://hunter2",
        "--config",
        &tenants,
        "--offline-grace",
        "2days",
    ]);
    let output = bad.output().await.unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    let problems: Vec<&str> = text.lines().collect();
    assert_eq!(problems.len(), 4, "{text}");
    for (problem, names) in
        problems
            .iter()
            .zip(["--redis-url", "--offline-grace", &tenants, "--listen"])
    {
        assert!(problem.contains(names), "{problem} names {names}");
        assert!(!problem.contains("hunter2"), "{problem}");
    }
}

#[tokio::test]
async fn the_most_talkative_log_has_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    let tenants = file(
        directory.path(),
        "[[tenants]]\nid = \"42\"\nadmin_keys = [\"very-secret\"]",
    );
    let running = Running::start(command(&[
        "--listen",
        "127.0.0.1:0",
        "--tenants",
        &tenants,
        "--log",
        "trace,tungstenite::protocol=trace",
    ]))
    .await;
    let address: SocketAddr = running.url["http://".len()..].parse().unwrap();
    let mut admin = Page::of("42").admin("very-secret").open(address).await;
    admin.ask("message", &json!({ "text": "between us" })).await;
    let (status, log) = running.end("-TERM").await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains(" TRACE "), "it is the most talkative one");
    for secret in ["very-secret", "between us"] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
        let frame: Vec<_> = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!log.contains(&frame.concat()), "a frame with {secret}");
    }
}

#[tokio::test]
async fn log_lines_can_be_json_and_fewer() {
    let running = Running::start(command(&[
        "--listen",
        "127.0.0.1:0",
        "--log-format",
        "json",
    ]))
    .await;
    let (_, log) = running.end("-TERM").await;
    assert!(log.lines().count() > 1, "{log}");
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        for field in ["timestamp", "level", "message"] {
            assert!(line[field].is_string(), "{line} has no {field}");
        }
    }
    let mut verbose = command(&["--listen", "127.0.0.1:0", "--log", "chat_server=debug"]);
    verbose.env("LOG_FORMAT", "json");
    let running = Running::start(verbose).await;
    let url = format!("{}/api/chat/online-users?tenantId=demo", running.url);
    let request = reqwest::Client::new().get(url).bearer_auth("a-wrong-key");
    assert_eq!(request.send().await.unwrap().status(), 401);
    let (_, log) = running.end("-TERM").await;
    assert!(!log.contains("a-wrong-key"), "{log}");
    let answered = log
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .find(|line| line["message"] == "answered")
        .unwrap();
    assert_eq!(answered["code"], "INVALID_API_KEY", "{answered}");
    assert_eq!(answered["status"], 401, "{answered}");
    assert_eq!(
        answered["span"]["route"], "/api/chat/online-users",
        "{answered}"
    );
    assert_eq!(answered["span"]["connection"], 1, "{answered}");

    let running = Running::start(command(&["--listen", "127.0.0.1:0", "--log", "error"])).await;
    let (_, log) = running.end("-TERM").await;
    assert_eq!(log, "");
    let refusal = refused(command(&["--log", "a=b=c"])).await;
    assert!(refusal.contains("--log"), "{refusal}");
}
