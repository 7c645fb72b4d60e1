//! What clients send, read into types: JSON as JavaScript writes it.
//!
//! What must stay true: only an object is read as one, where a list would pass for one with its fields in order; and
//! a text that a page has cut through the middle of a character is a text, as it is to JavaScript, with U+FFFD
//! for the half.

use chat_socketio::Event;
use serde::de::DeserializeOwned;

/// Reads an event's first argument, if it is such an object.
pub(crate) fn of_event<T: DeserializeOwned>(event: &Event<'_>) -> Option<T> {
    read_object(event.args.first()?.get())
}

/// Reads a request's body, if it is such an object.
pub(crate) fn of_body<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    read_object(std::str::from_utf8(body).ok()?)
}

/// Reads an object, if it is such a one.
pub(crate) fn read_object<T: DeserializeOwned>(json: &str) -> Option<T> {
    if !json.trim_start().starts_with('{') {
        return None;
    }
    serde_json::from_str(json)
        .ok()
        .or_else(|| serde_json::from_str(&with_whole_characters(json)?).ok())
}

/// The same JSON with U+FFFD for each half of a character; nothing if it has none.
fn with_whole_characters(json: &str) -> Option<String> {
    let mut whole = String::with_capacity(json.len());
    let mut rest = json;
    let mut has_half = false;
    while let Some((before, escape)) = rest.split_once('\\') {
        whole.push_str(before);
        let (kept, length) = match unit(escape) {
            Some(0xd800..=0xdbff) if is_second_half(escape.get(5..)) => (true, 11),
            Some(0xd800..=0xdfff) => (false, 5),
            Some(_) => (true, 5),
            // Of what is escaped by one character, that one may be a backslash.
            None => (true, escape.chars().next().map_or(0, char::len_utf8)),
        };
        let (escape, after) = escape.split_at(length);
        if kept {
            whole.push('\\');
            whole.push_str(escape);
        } else {
            whole.push(char::REPLACEMENT_CHARACTER);
            has_half = true;
        }
        rest = after;
    }
    whole.push_str(rest);
    has_half.then_some(whole)
}

/// The UTF-16 unit of an escape that begins with `u`, behind its backslash.
fn unit(escape: &str) -> Option<u16> {
    let digits = escape.strip_prefix('u')?.get(..4)?;
    let are_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    are_digits.then(|| u16::from_str_radix(digits, 16).ok())?
}

fn is_second_half(rest: Option<&str>) -> bool {
    let escape = rest.and_then(|rest| rest.strip_prefix('\\'));
    matches!(escape.and_then(unit), Some(0xdc00..=0xdfff))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    struct Payload {
        text: String,
    }

    fn text(json: &str) -> Option<String> {
        read_object(json).map(|Payload { text }| text)
    }

    #[test]
    fn only_an_object_is_read_as_one() {
        assert_eq!(text(r#" {"text":"a","more":[]}"#).as_deref(), Some("a"));
        for other in [r#"["a"]"#, "[]", r#""a""#, "null", "", "{", r#"{"text":5}"#] {
            assert_eq!(text(other), None, "{other}");
        }
    }

    #[test]
    fn half_a_character_is_replaced_and_whole_ones_stay() {
        for (written, read) in [
            (r"\ud83d", "\u{fffd}"),
            (r"\uDE00", "\u{fffd}"),
            (r"a\ud83db", "a\u{fffd}b"),
            (r"\ud83d\ud83d\ude00", "\u{fffd}\u{1f600}"),
            (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
            (r"\ud83d\n\u00e9", "\u{fffd}\n\u{e9}"),
            (r"\\ud83d \ud83d", "\\ud83d \u{fffd}"),
            (r"\ud83d\\ude00", "\u{fffd}\\ude00"),
            (r"\ud83d\ude00", "\u{1f600}"),
        ] {
            let json = format!("{{\"text\":\"{written}\"}}");
            assert_eq!(text(&json).as_deref(), Some(read), "{written}");
        }
    }

    #[test]
    fn what_is_no_json_is_not_made_to_be_some() {
        for written in [
            r"\ud83",
            r"\u",
            r"\",
            r"\x\ud83d",
            r"\u+83d\ud83d",
            "\u{1}\\ud83d",
            "\\\u{1f600}\\ud83d",
        ] {
            let json = format!("{{\"text\":\"{written}\"}}");
            assert_eq!(text(&json), None, "{written}");
            assert_eq!(text(json.trim_end_matches(['"', '}'])), None, "{written}");
        }
    }
}
