//! What a visitor's page tells of the visit, and how many visitors there were. Opt-in: a page that says nothing of
//! it is shown as in the old system. The wire is described in `VISITS.md`.
//!
//! Whatever a page says has any form it likes: fields of other types count as absent, here as in JavaScript. What is
//! absurd or too long is the server's to judge.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::message::text_or_nothing;

/// Client to server: `auth.visit` in CONNECT, which makes a session one that reports; and later `update_presence`, where
/// what is left out stays as it was, but for `idle`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Visit {
    /// The address of the page now.
    #[serde(
        default,
        deserialize_with = "text_or_nothing",
        skip_serializing_if = "Option::is_none"
    )]
    pub url: Option<String>,
    /// Its title.
    #[serde(
        default,
        deserialize_with = "text_or_nothing",
        skip_serializing_if = "Option::is_none"
    )]
    pub title: Option<String>,
    /// Where the visit came from.
    #[serde(
        default,
        deserialize_with = "text_or_nothing",
        skip_serializing_if = "Option::is_none"
    )]
    pub referrer: Option<String>,
    /// The page with which it began.
    #[serde(
        default,
        deserialize_with = "text_or_nothing",
        skip_serializing_if = "Option::is_none"
    )]
    pub first_page: Option<String>,
    /// For how long it has gone on, in milliseconds.
    #[serde(
        default,
        deserialize_with = "count_or_nothing",
        skip_serializing_if = "Option::is_none"
    )]
    pub elapsed: Option<u64>,
    /// How often this browser has visited, this time included.
    #[serde(
        default,
        deserialize_with = "count_or_nothing",
        skip_serializing_if = "Option::is_none"
    )]
    pub visits: Option<u64>,
    /// For how long the visitor has done nothing, in milliseconds; absent: they are active.
    #[serde(
        default,
        deserialize_with = "count_or_nothing",
        skip_serializing_if = "Option::is_none"
    )]
    pub idle: Option<u64>,
}

/// The HTTP answer of `/api/chat/online-users/history`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnlineHistory {
    /// The length of each sample in milliseconds.
    pub interval: u64,
    /// One for each minute, oldest first; the last is the present one.
    pub samples: Vec<OnlineSample>,
}

/// How many were online in a minute. Where nobody counted there is no number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnlineSample {
    /// The begin of the minute, ISO-8601 UTC with milliseconds.
    pub at: String,
    /// How many at its end; of the present minute, now.
    pub online: Option<u64>,
    /// The most at once in it.
    pub peak: Option<u64>,
}

/// Reads a number that is not negative, without what is behind its point, since clocks of browsers count in fractions;
/// whatever else stands there counts as absent.
///
/// # Errors
/// None but those of malformed input.
pub fn count_or_nothing<'de, D: serde::Deserializer<'de>>(
    input: D,
) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Lenient {
        Whole(u64),
        Fraction(f64),
        Other(serde::de::IgnoredAny),
    }
    Ok(match Lenient::deserialize(input)? {
        Lenient::Whole(number) => Some(number),
        Lenient::Fraction(number) if number >= 0.0 => Some(whole(number)),
        Lenient::Fraction(_) | Lenient::Other(_) => None,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is not negative, and the conversion saturates"
)]
fn whole(number: f64) -> u64 {
    number as u64
}
