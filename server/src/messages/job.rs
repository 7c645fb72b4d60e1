//! What the workers read: a message as an entry of the stream `meta:webhook_jobs`.
//!
//! What must stay true: names, order and values of the fields are the existing system's, so that its
//! workers need not be touched. Nothing else is ever written to that stream.

use std::borrow::Cow;

use chat_protocol::message::Message;
use serde::{Serialize, Serializer};

use super::Job;

/// The stream of jobs, of all tenants.
pub const STREAM: &str = "meta:webhook_jobs";

const HEADERS: &str = r#"{"content-type":"application/json","x-webhook-source":"webchat-service"}"#;

/// The largest integer that JavaScript reads as it is written, 2^53 - 1.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// The fields of an entry and their values, in the entry's order.
///
/// # Errors
/// If the message has no JSON form, which none is without.
pub fn entry<'a>(
    message: &'a Message,
    job: &Job<'_>,
) -> Result<[(&'static str, Cow<'a, str>); 6], serde_json::Error> {
    let payload = Payload {
        message_id: &message.id,
        session_id: &message.session_id,
        user_id: &message.user_id,
        tenant_id: Id(&message.tenant_id),
        site_id: job.site_id.filter(|id| !id.is_empty()).map(Id),
        domain: job.domain.unwrap_or_default(),
        text: &message.text,
        sender_type: "user",
        timestamp: &message.timestamp,
    };
    Ok([
        ("job_type", "webchat_webhook".into()),
        ("source", "webhook".into()),
        ("webhook_type", "message".into()),
        ("payload", serde_json::to_string(&payload)?.into()),
        ("headers", HEADERS.into()),
        ("timestamp", message.timestamp.as_str().into()),
    ])
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    message_id: &'a str,
    session_id: &'a str,
    user_id: &'a str,
    tenant_id: Id<'a>,
    site_id: Option<Id<'a>>,
    domain: &'a str,
    text: &'a str,
    sender_type: &'static str,
    timestamp: &'a str,
}

/// An id that is written as a number where it is one.
///
/// A number that another reader would change is not one: leading zeros would be lost, and digits
/// beyond what JavaScript holds exactly would be rounded to another tenant's id.
struct Id<'a>(&'a str);

impl Id<'_> {
    fn number(&self) -> Option<u64> {
        let digits = self.0.bytes().all(|byte| byte.is_ascii_digit());
        let leading_zero = self.0.len() > 1 && self.0.starts_with('0');
        if !digits || leading_zero {
            return None;
        }
        let number = self.0.parse().ok()?;
        (number <= MAX_SAFE_INTEGER).then_some(number)
    }
}

impl Serialize for Id<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.number() {
            Some(number) => serializer.serialize_u64(number),
            None => serializer.serialize_str(self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use chat_protocol::message::Sender;

    use super::*;

    fn message(tenant: &str, text: &str) -> Message {
        Message {
            id: "m-1".to_owned(),
            text: text.to_owned(),
            sender: Sender::User,
            timestamp: "2024-01-15T10:30:00.000Z".to_owned(),
            session_id: "s-1".to_owned(),
            user_id: "u-1".to_owned(),
            tenant_id: tenant.to_owned(),
            client_id: Some("3q2-7w_A".to_owned()),
        }
    }

    #[test]
    fn an_entry_is_the_existing_systems_to_the_letter() {
        let job = Job {
            site_id: Some("7"),
            domain: Some("shop.example"),
        };
        let message = message("42", "a \"b\"\n\u{1}/<ü😀");
        let entry = entry(&message, &job).unwrap();
        let expected = [
            ("job_type", "webchat_webhook"),
            ("source", "webhook"),
            ("webhook_type", "message"),
            (
                "payload",
                concat!(
                    r#"{"messageId":"m-1","sessionId":"s-1","userId":"u-1","tenantId":42,"siteId":7,"#,
                    r#""domain":"shop.example","text":"a \"b\"\n\u0001/<ü😀","senderType":"user","#,
                    r#""timestamp":"2024-01-15T10:30:00.000Z"}"#
                ),
            ),
            (
                "headers",
                r#"{"content-type":"application/json","x-webhook-source":"webchat-service"}"#,
            ),
            ("timestamp", "2024-01-15T10:30:00.000Z"),
        ];
        assert_eq!(entry, expected.map(|(name, value)| (name, value.into())));
    }

    #[test]
    fn what_is_absent_is_null_or_empty_as_it_always_was() {
        for site_id in [None, Some("")] {
            let job = Job {
                site_id,
                domain: None,
            };
            let message = message("demo", "x");
            let [.., (_, payload), _, _] = entry(&message, &job).unwrap();
            assert!(
                payload.contains(r#""tenantId":"demo","siteId":null,"domain":"","text":"x""#),
                "{payload}"
            );
        }
    }

    #[test]
    fn an_id_is_a_number_only_if_every_reader_reads_the_same_one() {
        let table = [
            ("0", "0"),
            ("42", "42"),
            ("9007199254740991", "9007199254740991"),
            ("9007199254740992", r#""9007199254740992""#),
            ("99999999999999999999", r#""99999999999999999999""#),
            ("007", r#""007""#),
            ("00", r#""00""#),
            ("-5", r#""-5""#),
            ("+5", r#""+5""#),
            ("5.0", r#""5.0""#),
            ("1e3", r#""1e3""#),
            ("٣", r#""٣""#),
            ("demo", r#""demo""#),
        ];
        for (id, json) in table {
            assert_eq!(serde_json::to_string(&Id(id)).unwrap(), json);
        }
    }
}
