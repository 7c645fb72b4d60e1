//! What there is to see of a session, as JSON text that is written once and then only copied.
//!
//! What must stay true: a profile's row has exactly the fields of the old system, so that the hash which other
//! programs read never gets others; whatever else is shown stands behind it, in the order of [`OnlineUser`].

use std::fmt;
use std::sync::Arc;

use chat_protocol::presence::OnlineUser;

/// What admins see of a user while a session is the one that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    row: Row,
    /// Present where the page reports its visit.
    details: Option<Details>,
}

/// An online user as JSON text.
#[derive(Clone, PartialEq, Eq)]
pub struct Row(pub(super) Arc<str>);

/// The fields of a row that the old system does not have, as a JSON object without the number of tabs.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Details(Arc<str>);

impl Profile {
    /// What a session shows whose page does not report its visit: what the old system shows.
    ///
    /// # Errors
    /// Never in practice: the type has no value without a JSON form.
    pub fn plain(user: &OnlineUser) -> Result<Self, serde_json::Error> {
        let json = serde_json::to_string(&as_of_old(user))?;
        Ok(Self::from(Row(json.into())))
    }

    /// What a session shows whose page does. The number of tabs is the store's to say.
    ///
    /// # Errors
    /// Never in practice: the type has no value without a JSON form.
    pub fn reporting(user: &OnlineUser) -> Result<Self, serde_json::Error> {
        let plain = Self::plain(user)?;
        let all = OnlineUser {
            tabs: None,
            ..user.clone()
        };
        let all = serde_json::to_string(&all)?;
        let head = plain.row.0.strip_suffix('}').unwrap_or_default();
        let rest = all.strip_prefix(head).unwrap_or_default();
        let rest = rest.strip_prefix(',').unwrap_or(rest);
        Ok(Self {
            details: Some(Details(["{", rest].concat().into())),
            ..plain
        })
    }

    /// The row of a user who is shown with this session, and has so many.
    pub fn shown(&self, tabs: usize) -> Row {
        let Some(details) = &self.details else {
            return self.row.clone();
        };
        let mut json = self.row.0.strip_suffix('}').unwrap_or_default().to_owned();
        if let Some(fields) = details.fields() {
            json.push(',');
            json.push_str(fields);
        }
        if tabs > 1 {
            json.extend([r#","tabs":"#, &tabs.to_string()]);
        }
        json.push('}');
        Row(json.into())
    }

    /// What it was made of, if the page reports its visit.
    pub fn reported(&self) -> Option<OnlineUser> {
        self.details.as_ref()?;
        serde_json::from_str(self.shown(1).json()).ok()
    }

    /// Whether a session that comes with this stands behind the one that is shown: that one is looked at, and this one
    /// is not.
    pub(super) fn yields_to(&self, shown: &Self) -> bool {
        let is_idle = |profile: &Self| profile.details.as_ref().map(Details::are_idle);
        is_idle(self) == Some(true) && is_idle(shown) == Some(false)
    }

    /// The row as the old system has it.
    pub(super) fn row(&self) -> &Row {
        &self.row
    }

    /// What else there is to see, if the page reports its visit.
    pub(super) fn details(&self) -> Option<&str> {
        self.details.as_ref().map(|details| &*details.0)
    }
}

impl From<Row> for Profile {
    fn from(row: Row) -> Self {
        Self { row, details: None }
    }
}

impl Row {
    /// The JSON text.
    pub fn json(&self) -> &str {
        &self.0
    }

    /// Whether it is of this user and shows them with this session.
    pub(super) fn is_of(&self, user: &str, session: &str) -> bool {
        let text = |text: &str| serde_json::to_string(text).unwrap_or_default();
        let head = format!(r#"{{"userId":{},"sessionId":{}"#, text(user), text(session));
        self.0
            .strip_prefix(&head)
            .is_some_and(|rest| rest.starts_with([',', '}']))
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Details {
    /// Whether nobody does anything in the page. Within a text each quote has a backslash before it, so this is the field.
    fn are_idle(&self) -> bool {
        self.0.contains(r#""idleSince":"#)
    }

    /// What stands between the braces, if anything does.
    fn fields(&self) -> Option<&str> {
        let fields = self.0.strip_prefix('{')?.strip_suffix('}')?;
        Some(fields).filter(|fields| !fields.is_empty())
    }
}

impl fmt::Debug for Details {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn as_of_old(user: &OnlineUser) -> OnlineUser {
    OnlineUser {
        title: None,
        referrer: None,
        first_page: None,
        started_at: None,
        visits: None,
        idle_since: None,
        tabs: None,
        ..user.clone()
    }
}

#[cfg(test)]
impl Profile {
    /// One of a row and of details as they are written.
    pub(super) fn written(row: &str, details: Option<&str>) -> Self {
        Self {
            row: Row(row.into()),
            details: details.map(|details| Details(details.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> OnlineUser {
        OnlineUser {
            user_id: "ann".into(),
            session_id: Some("s1".into()),
            connected_at: "2024-01-15T10:30:00.000Z".into(),
            domain: None,
            origin: None,
            url: Some("https://a.example/".into()),
            title: Some("A \"b\"".into()),
            referrer: None,
            first_page: None,
            started_at: None,
            visits: Some(2),
            idle_since: None,
            tabs: None,
        }
    }

    #[test]
    fn a_session_that_reports_shows_what_it_would_without_and_then_the_rest() {
        let (plain, reporting) = (
            Profile::plain(&user()).unwrap(),
            Profile::reporting(&user()).unwrap(),
        );
        assert_eq!(plain.row(), reporting.row());
        assert_eq!(plain.shown(3), *plain.row(), "tabs are news of theirs");
        assert_eq!(
            reporting.details(),
            Some(r#"{"title":"A \"b\"","visits":2}"#)
        );
        let all = |tabs| OnlineUser { tabs, ..user() };
        for (tabs, written) in [(0, None), (1, None), (2, Some(2))] {
            let expected = serde_json::to_string(&all(written)).unwrap();
            assert_eq!(reporting.shown(tabs).json(), expected);
        }
    }

    #[test]
    fn a_session_that_reports_may_have_nothing_to_say() {
        let profile = Profile::reporting(&as_of_old(&user())).unwrap();
        assert_eq!(profile.details(), Some("{}"));
        assert_eq!(profile.shown(1), *profile.row());
        assert!(
            profile
                .shown(2)
                .json()
                .ends_with(r#""url":"https://a.example/","tabs":2}"#)
        );
    }

    #[test]
    fn a_row_is_of_one_session() {
        let row = Profile::reporting(&user()).unwrap().shown(2);
        assert!(row.is_of("ann", "s1"));
        assert!(Row(r#"{"userId":"ann","sessionId":"s1"}"#.into()).is_of("ann", "s1"));
        for (user, session) in [("ann", "s"), ("ann", "s12"), ("an", "s1")] {
            assert!(!row.is_of(user, session), "{user} {session}");
        }
    }
}
