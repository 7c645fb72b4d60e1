//! The list of online users as a dashboard asks for it, and what must be true of it.

use std::collections::HashSet;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::client::{PAGE, QUERY};
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
            && (!visitor || user.url.as_deref().is_some_and(is_page));
        ensure!(complete, "{id} is incomplete");
    }
    Ok(())
}

/// Whether it is where the visitors are. The reference shows the query; our server does not, unless the tenant allows it.
fn is_page(url: &str) -> bool {
    url.strip_prefix(PAGE)
        .is_some_and(|rest| rest.is_empty() || rest == QUERY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_right(url: Option<&str>) -> bool {
        let list = serde_json::json!({ "users": [{
            "userId": "anonymous-v0",
            "sessionId": "0123456789abcdefghij",
            "connectedAt": "2024-01-15T10:30:00.000Z",
            "url": url,
        }] });
        let expected = HashSet::from(["anonymous-v0".to_owned()]);
        check_list(&list.to_string(), &expected).is_ok()
    }

    #[test]
    fn both_sides_may_show_the_page_in_their_way_and_must_show_it() {
        assert!(is_right(Some(
            "https://shop.example/products/blue-shoes?size=42"
        )));
        assert!(is_right(Some("https://shop.example/products/blue-shoes")));
        assert!(!is_right(Some("https://shop.example/products/red-shoes")));
        assert!(!is_right(None));
    }
}
