//! What is shown of what a page says of itself, as plain functions: sizes, addresses, lengths of time.
//!
//! What must stay true: nothing longer than its limit is kept, no clock of a browser is believed, nothing that is
//! shown can pass for something else than text or be run where it is clicked, and what stands in an address
//! behind `?` or `#`, or before `@`, is shown only to tenants who ask for it: it may be a secret of the page's user.

use std::borrow::Cow;
use std::time::Duration;

use chat_protocol::presence::OnlineUser;
use chat_protocol::visit::Visit;

use crate::clock::WallTime;
use crate::config::settings::Visits;

/// Two moments at which a visit has begun, or since when a visitor has been idle, are the same one if they are no
/// further apart: they are reckoned back from when the news came.
const SAME_MOMENT: Duration = Duration::from_secs(5);

/// What a click runs instead of going there. A staff's list may make links of whatever it is shown.
const RUN_BY_A_CLICK: [&str; 3] = ["javascript:", "data:", "vbscript:"];

/// How pages are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) limits: &'a Visits,
    /// Whether addresses are shown whole.
    pub(super) full_urls: bool,
}

impl Rules<'_> {
    /// An address as it is shown; nothing if there is none.
    pub(super) fn address(self, text: &str) -> Option<String> {
        let shown = if self.full_urls {
            Cow::Borrowed(text)
        } else {
            without_secrets(text)
        };
        shortened(&shown, self.limits.max_url_bytes).filter(|address| !is_run_by_a_click(address))
    }

    /// Puts into a row what a page tells of its visit at first.
    pub(super) fn begin(self, user: &mut OnlineUser, visit: &Visit, now: WallTime) {
        let url = user.url.take();
        self.update(user, visit, now);
        user.url = user.url.take().or(url);
    }

    /// Puts into a row what a page tells later. What is empty is there no more.
    pub(super) fn update(self, user: &mut OnlineUser, update: &Visit, now: WallTime) {
        for (shown, address) in [
            (&mut user.url, &update.url),
            (&mut user.referrer, &update.referrer),
            (&mut user.first_page, &update.first_page),
        ] {
            if let Some(address) = address {
                *shown = self.address(address);
            }
        }
        if let Some(title) = &update.title {
            user.title = self.title(title);
        }
        if let Some(visits) = update.visits {
            user.visits = (visits > 0).then(|| u32::try_from(visits).unwrap_or(u32::MAX));
        }
        if update.elapsed.is_some() {
            user.started_at = self.since(user.started_at.take(), update.elapsed, now);
        }
        user.idle_since = self.since(user.idle_since.take(), update.idle, now);
    }

    /// The moment so many milliseconds ago, or the one that is known if it is the same.
    fn since(self, known: Option<String>, millis: Option<u64>, now: WallTime) -> Option<String> {
        let told = self.ago(now, millis?);
        let is_known =
            |known: &String| WallTime::from_iso(known).is_some_and(|known| is_same(told, known));
        known.filter(is_known).or_else(|| Some(told.to_iso()))
    }

    fn title(self, text: &str) -> Option<String> {
        shortened(text, self.limits.max_title_bytes)
    }

    fn ago(self, now: WallTime, millis: u64) -> WallTime {
        now.before(Duration::from_millis(millis).min(self.limits.max_duration))
    }
}

/// A text without what cannot be seen, cut between characters; nothing if it is empty.
fn shortened(text: &str, bytes: usize) -> Option<String> {
    let mut shown = String::new();
    for letter in text.chars().filter(|letter| !is_unseen(*letter)) {
        if shown.len() + letter.len_utf8() > bytes {
            break;
        }
        shown.push(letter);
    }
    (!shown.is_empty()).then_some(shown)
}

/// Control characters, and those that turn around the direction of what comes after them, beyond their text.
fn is_unseen(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// As browsers read it, which ignore what stands before an address, and the case of its scheme.
fn is_run_by_a_click(address: &str) -> bool {
    let address = address.trim_start().as_bytes();
    RUN_BY_A_CLICK.iter().any(|scheme| {
        let start = address.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
    })
}

fn without_secrets(address: &str) -> Cow<'_, str> {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    let address = address.get(..end).unwrap_or_default();
    let Some((scheme, rest)) = address.split_once("://") else {
        return Cow::Borrowed(address);
    };
    let host = rest.split('/').next().unwrap_or_default();
    match host.rfind('@').and_then(|at| rest.get(at + 1..)) {
        Some(rest) => Cow::Owned(format!("{scheme}://{rest}")),
        None => Cow::Borrowed(address),
    }
}

fn is_same(one: WallTime, other: WallTime) -> bool {
    let apart = one.unix_millis().abs_diff(other.unix_millis());
    Duration::from_millis(apart) <= SAME_MOMENT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    fn now() -> WallTime {
        WallTime::from_unix_seconds(1_705_314_600)
    }

    fn limits() -> Visits {
        Settings::with_overrides("").unwrap().visits
    }

    fn rules(limits: &Visits) -> Rules<'_> {
        Rules {
            limits,
            full_urls: false,
        }
    }

    fn user() -> OnlineUser {
        OnlineUser {
            user_id: "ann".into(),
            session_id: Some("s1".into()),
            connected_at: now().to_iso(),
            url: Some("https://a.example/".into()),
            ..OnlineUser::default()
        }
    }

    #[test]
    fn an_address_is_shown_without_what_may_be_secret() {
        let limits = limits();
        for (written, shown) in [
            ("https://a.example/p?q=1#top", Some("https://a.example/p")),
            ("https://a.example/p#/route?x", Some("https://a.example/p")),
            ("https://a.example?q", Some("https://a.example")),
            (
                "https://ann:pw@a.example/p@q",
                Some("https://a.example/p@q"),
            ),
            ("https://a.example/@ann", Some("https://a.example/@ann")),
            ("http://[::1]:8080/\u{fc}", Some("http://[::1]:8080/\u{fc}")),
            (
                "file:///home/ann/page.html",
                Some("file:///home/ann/page.html"),
            ),
            ("about:blank", Some("about:blank")),
            ("page 7", Some("page 7")),
            ("?q=1", None),
            ("", None),
        ] {
            assert_eq!(
                rules(&limits).address(written).as_deref(),
                shown,
                "{written}"
            );
            let whole = Rules {
                full_urls: true,
                ..rules(&limits)
            };
            let whole = whole.address(written);
            assert_eq!(
                whole.as_deref(),
                Some(written).filter(|text| !text.is_empty())
            );
        }
    }

    #[test]
    fn what_a_click_would_run_is_no_address() {
        let limits = limits();
        for full_urls in [false, true] {
            let rules = Rules {
                full_urls,
                ..rules(&limits)
            };
            for run in [
                "javascript:alert(1)",
                " JavaScript://a.example/%0aalert(1)",
                "\u{1}java\nscript:alert(1)",
                "data:text/html,<script>",
                "vbscript:x",
            ] {
                assert_eq!(rules.address(run), None, "{run:?}");
            }
            for other in ["https://a.example/javascript:x", "javascript", "database:x"] {
                assert_eq!(rules.address(other).as_deref(), Some(other));
            }
        }
    }

    #[test]
    fn nothing_that_is_shown_passes_for_something_else() {
        let limits = limits();
        let rules = rules(&limits);
        for (written, shown) in [
            ("a\u{0}\r\n\u{7f}\u{85}b", Some("ab")),
            ("\u{202e}nimda\u{202c}", Some("nimda")),
            ("\u{2066}a\u{2069}", Some("a")),
            ("\u{1b}\n", None),
            // A writing from right to left says so by its letters.
            (
                "\u{5e9}\u{5dc}\u{5d5}\u{5dd} 1",
                Some("\u{5e9}\u{5dc}\u{5d5}\u{5dd} 1"),
            ),
        ] {
            assert_eq!(rules.title(written).as_deref(), shown, "{written:?}");
            assert_eq!(rules.address(written).as_deref(), shown, "{written:?}");
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(shortened("a\u{fc}b", 2).as_deref(), Some("a"));
        assert_eq!(shortened("a\u{fc}b", 3).as_deref(), Some("a\u{fc}"));
        assert_eq!(shortened("\u{fc}", 1), None);
        let limits = limits();
        let mut shown = user();
        let visit = Visit {
            url: Some(format!("https://a.example/{}", "x".repeat(5000))),
            title: Some("\u{fc}".repeat(1000)),
            referrer: Some("y".repeat(5000)),
            first_page: Some("z".repeat(5000)),
            ..Visit::default()
        };
        rules(&limits).begin(&mut shown, &visit, now());
        let lengths = [shown.url, shown.title, shown.referrer, shown.first_page];
        let lengths = lengths.map(|text| text.map(|text| text.len()));
        assert_eq!(lengths, [2048, 256, 2048, 2048].map(Some));
    }

    #[test]
    fn a_visit_that_says_nothing_leaves_what_the_handshake_said() {
        let limits = limits();
        for url in [None, Some(String::new())] {
            let mut shown = user();
            let visit = Visit {
                url,
                visits: Some(0),
                ..Visit::default()
            };
            rules(&limits).begin(&mut shown, &visit, now());
            assert_eq!(shown, user());
        }
    }

    #[test]
    fn times_are_reckoned_by_our_clock_and_bounded() {
        let limits = limits();
        let mut shown = user();
        let visit = Visit {
            elapsed: Some(90_000),
            idle: Some(u64::MAX),
            visits: Some(u64::MAX),
            ..Visit::default()
        };
        rules(&limits).begin(&mut shown, &visit, now());
        assert_eq!(
            shown.started_at.as_deref(),
            Some("2024-01-15T10:28:30.000Z")
        );
        let longest = now().before(limits.max_duration);
        assert_eq!(shown.idle_since, Some(longest.to_iso()));
        assert_eq!(shown.visits, Some(u32::MAX));
    }

    #[test]
    fn an_update_leaves_what_it_does_not_name_but_for_idleness() {
        let limits = limits();
        let mut shown = user();
        let update = |shown: &mut OnlineUser, update: Visit| {
            rules(&limits).update(shown, &update, now());
        };
        let title = |title: &str| Visit {
            title: Some(title.into()),
            ..Visit::default()
        };
        update(&mut shown, title("A"));
        update(
            &mut shown,
            Visit {
                url: Some("https://a.example/b?c".into()),
                idle: Some(60_000),
                ..Visit::default()
            },
        );
        let expected = OnlineUser {
            url: Some("https://a.example/b".into()),
            title: Some("A".into()),
            idle_since: Some("2024-01-15T10:29:00.000Z".into()),
            ..user()
        };
        assert_eq!(shown, expected);
        update(&mut shown, title(""));
        let expected = OnlineUser {
            title: None,
            idle_since: None,
            ..expected
        };
        assert_eq!(shown, expected, "active again, on a page without a title");
    }

    #[test]
    fn another_visit_may_begin_in_an_open_page() {
        let limits = limits();
        let mut shown = user();
        let visit = Visit {
            referrer: Some("https://search.example/".into()),
            first_page: Some("https://a.example/".into()),
            elapsed: Some(7_200_000),
            visits: Some(1),
            ..Visit::default()
        };
        rules(&limits).begin(&mut shown, &visit, now());
        let first = shown.clone();
        let later = Visit {
            elapsed: Some(7_199_000),
            ..Visit::default()
        };
        rules(&limits).update(&mut shown, &later, now());
        assert_eq!(shown, first, "the same visit");
        let next = Visit {
            referrer: Some(String::new()),
            first_page: Some("https://a.example/b?c".into()),
            elapsed: Some(1_000),
            visits: Some(2),
            ..Visit::default()
        };
        rules(&limits).update(&mut shown, &next, now());
        let expected = OnlineUser {
            referrer: None,
            first_page: Some("https://a.example/b".into()),
            started_at: Some("2024-01-15T10:29:59.000Z".into()),
            visits: Some(2),
            ..first
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn who_is_idle_still_has_been_so_since_the_same_moment() {
        let limits = limits();
        let mut shown = user();
        let idle = |idle| Visit {
            idle: Some(idle),
            ..Visit::default()
        };
        rules(&limits).update(&mut shown, &idle(60_000), now());
        let since = shown.idle_since.clone();
        rules(&limits).update(&mut shown, &idle(57_500), now());
        assert_eq!(shown.idle_since, since);
        rules(&limits).update(&mut shown, &idle(30_000), now());
        assert_ne!(shown.idle_since, since, "idle again");
    }
}
