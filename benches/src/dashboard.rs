//! The list of online users as a dashboard asks for it, and what must be true of it.

use std::collections::HashSet;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::side::{ADMIN_KEY, Running, TENANT};

/// The HTTP interface as an admin's dashboard uses it.
pub(crate) struct Http {
    client: reqwest::Client,
    url: String,
}

#[derive(Deserialize)]
struct List {
    users: Vec<User>,
}

#[derive(Deserialize)]
struct User {
    #[serde(rename = "userId")]
    id: String,
    #[serde(rename = "sessionId")]
    session: String,
    #[serde(rename = "connectedAt")]
    since: String,
    url: Option<String>,
}

impl Http {
    pub(crate) fn of(running: &Running) -> Self {
        Self {
            client: reqwest::Client::new(),
            url: format!(
                "http://{}/api/chat/online-users?tenantId={TENANT}",
                running.address
            ),
        }
    }

    /// The list's text.
    pub(crate) async fn get(&self) -> Result<String> {
        let response = self
            .client
            .get(&self.url)
            .bearer_auth(ADMIN_KEY)
            .send()
            .await?;
        ensure!(
            response.status() == 200,
            "the list is {}",
            response.status()
        );
        Ok(response.text().await?)
    }

    /// How many users are in the list.
    pub(crate) async fn count(&self) -> Result<usize> {
        Ok(serde_json::from_str::<List>(&self.get().await?)?
            .users
            .len())
    }

    /// A list with exactly these users in it.
    pub(crate) async fn list(&self, expected: Option<&HashSet<String>>) -> Result<String> {
        let text = self.get().await?;
        if let Some(expected) = expected {
            check_list(&text, expected)?;
        }
        Ok(text)
    }
}

/// Fails unless exactly these users are in the list, each once and complete.
pub(crate) fn check_list(text: &str, expected: &HashSet<String>) -> Result<()> {
    let list: List = serde_json::from_str(text).context("the list is no list")?;
    ensure!(
        list.users.len() == expected.len(),
        "{} users, not {}",
        list.users.len(),
        expected.len()
    );
    let mut seen = HashSet::new();
    for user in &list.users {
        let id = user.id.as_str();
        ensure!(expected.contains(id), "{id} should not be there");
        ensure!(seen.insert(id), "{id} is there twice");
        let visitor = id.starts_with("anonymous-");
        let complete = user.session.len() == 20
            && user.since.len() == 24
            && (!visitor
                || user
                    .url
                    .as_deref()
                    .is_some_and(|url| url.ends_with("blue-shoes")));
        ensure!(complete, "{id} is incomplete");
    }
    Ok(())
}
