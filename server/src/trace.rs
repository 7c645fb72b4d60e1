//! The names under which a request is followed through all that it passes: its id, and a W3C trace context.
//!
//! What must stay true: what a client sent is taken over only if it is of the expected form and length, so
//! that nobody writes into others' logs; the rest is made here, from randomness that is an argument.

use uuid::Uuid;

const LONGEST_ID: usize = 128;

/// Whether a request id may be taken over: printable, without spaces, and not long.
pub fn is_sane_id(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:+/=~".contains(&byte))
}

/// The request id to go on with: the client's if it is sane, else a new one.
pub fn request_id(shown: Option<&str>, fresh: Uuid) -> String {
    match shown {
        Some(id) if is_sane_id(id) => id.to_owned(),
        Some(_) | None => fresh.simple().to_string(),
    }
}

/// The `traceparent` to send on: the same trace and flags with a new parent if the client's is valid, else
/// a new trace that nobody has asked to record.
pub fn traceparent(shown: Option<&str>, fresh_trace: Uuid, fresh_parent: Uuid) -> String {
    let (high, _) = fresh_parent.as_u64_pair();
    // Zero is no id.
    let parent = high.max(1);
    match shown.and_then(continued) {
        Some((trace, flags)) => format!("00-{trace}-{parent:016x}-{flags}"),
        None => format!("00-{}-{parent:016x}-00", fresh_trace.simple()),
    }
}

/// Trace and flags of a valid `traceparent`. A later version than ours may have more fields behind them.
fn continued(text: &str) -> Option<(&str, &str)> {
    let mut fields = text.split('-');
    let (version, trace) = (fields.next()?, fields.next()?);
    let (parent, flags) = (fields.next()?, fields.next()?);
    let exact = version != "00" || fields.next().is_none();
    let valid = hex(version, 2)
        && version != "ff"
        && hex(trace, 32)
        && hex(parent, 16)
        && hex(flags, 2)
        && [trace, parent]
            .iter()
            .all(|id| id.bytes().any(|digit| digit != b'0'));
    (exact && valid).then_some((trace, flags))
}

fn hex(text: &str, digits: usize) -> bool {
    text.len() == digits
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[test]
    fn a_sane_id_stays_and_any_other_is_replaced() {
        let fresh = Uuid::from_u128(7);
        let made = fresh.simple().to_string();
        assert_eq!(request_id(Some("abc-1"), fresh), "abc-1");
        for bad in ["", "a b", "a\nb", "ü", &"x".repeat(129)] {
            assert_eq!(request_id(Some(bad), fresh), made, "{bad:?}");
        }
        assert_eq!(request_id(None, fresh), made);
    }

    #[test]
    fn a_valid_trace_is_continued_under_a_new_parent() {
        let (trace, parent) = (Uuid::from_u128(1), Uuid::from_u128(5 << 64));
        let shown = format!("00-{TRACE}-b7ad6b7169203331-01");
        let expected = format!("00-{TRACE}-0000000000000005-01");
        assert_eq!(traceparent(Some(&shown), trace, parent), expected);
        let later = format!("42-{TRACE}-b7ad6b7169203331-01-more");
        assert_eq!(traceparent(Some(&later), trace, parent), expected);
        assert_ne!(traceparent(Some(&shown), trace, Uuid::nil()), shown);
    }

    #[test]
    fn an_invalid_one_begins_a_trace() {
        let (trace, parent) = (Uuid::from_u128(1), Uuid::from_u128(5 << 64));
        let made = format!("00-{}-0000000000000005-00", trace.simple());
        let zeros = "0".repeat(32);
        for bad in [
            String::new(),
            format!("00-{TRACE}-b7ad6b7169203331"),
            format!("00-{TRACE}-b7ad6b7169203331-01-more"),
            format!("ff-{TRACE}-b7ad6b7169203331-01"),
            format!("00-{zeros}-b7ad6b7169203331-01"),
            format!("00-{}-b7ad6b7169203331-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-0000000000000000-01"),
        ] {
            assert_eq!(traceparent(Some(&bad), trace, parent), made, "{bad}");
        }
        assert_eq!(traceparent(None, trace, parent), made);
    }
}
