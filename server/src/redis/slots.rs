//! Which server of a cluster has what.
//!
//! A cluster cuts all keys into slots by a checksum, and gives ranges of slots to its primaries. What
//! must stay true: everything here is a function of what it is given.

use redis::{Arg, Cmd, FromRedisValue as _, RedisError, ServerErrorKind, Value};

use super::url::Address;

/// How many slots there are.
const SLOTS: u16 = 16384;

/// Commands that name no key, or none that decides where they are to be done.
const KEYLESS: [&[u8]; 15] = [
    b"CLUSTER",
    b"COMMAND",
    b"CONFIG",
    b"DBSIZE",
    b"ECHO",
    b"FLUSHALL",
    b"FLUSHDB",
    b"INFO",
    b"KEYS",
    b"PING",
    b"PUBLISH",
    b"ROLE",
    b"SCAN",
    b"SCRIPT",
    b"TIME",
];

/// Commands whose key stands behind a subcommand.
const WITH_SUBCOMMAND: [&[u8]; 3] = [b"OBJECT", b"XGROUP", b"XINFO"];

/// Commands that say how many keys follow.
const WITH_COUNT: [&[u8]; 4] = [b"EVAL", b"EVALSHA", b"FCALL", b"EVAL_RO"];

/// Commands whose keys stand behind the word `STREAMS`.
const WITH_STREAMS: [&[u8]; 2] = [b"XREAD", b"XREADGROUP"];

/// Who has which slots.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Layout {
    /// Servers that slots belong to.
    pub(super) primaries: Vec<Address>,
    /// In order, without overlap.
    ranges: Vec<Range>,
    /// Their replicas.
    pub(super) replicas: Vec<Address>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    first: u16,
    last: u16,
    /// Its place among the primaries.
    primary: usize,
}

/// A range of slots, and who has it: the primary first.
struct Row {
    first: u16,
    last: u16,
    servers: Vec<Address>,
}

/// What a server of a cluster says instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Redirect {
    /// The slot is there now.
    Moved(Address),
    /// The slot is on its way there, and so is this key.
    Ask(Address),
    /// The slot is on its way, and the keys are on both sides.
    Again,
}

/// The slot of a key or a sharded channel.
pub(super) fn slot_of(key: &[u8]) -> u16 {
    checksum(tag(key)) % SLOTS
}

/// The slot that decides where a command is to be done.
pub(super) fn slot_of_command(command: &Cmd) -> Option<u16> {
    key_of(command).map(slot_of)
}

fn key_of(command: &Cmd) -> Option<&[u8]> {
    let mut words = command.args_iter().map(|word| match word {
        Arg::Simple(word) => word,
        Arg::Cursor => b"0",
        // A later version of the library may know more.
        _ => b"",
    });
    let name = words.next()?.to_ascii_uppercase();
    let is_in = |names: &[&[u8]]| names.contains(&&*name);
    if is_in(&KEYLESS) {
        None
    } else if is_in(&WITH_SUBCOMMAND) {
        words.nth(1)
    } else if is_in(&WITH_COUNT) {
        words.nth(1).filter(|count| *count != b"0")?;
        words.next()
    } else if is_in(&WITH_STREAMS) {
        words.find(|word| word.eq_ignore_ascii_case(b"STREAMS"))?;
        words.next()
    } else {
        words.next()
    }
}

/// What stands in the first braces, if anything does, and else all of it.
fn tag(key: &[u8]) -> &[u8] {
    let position = |of: u8, text: &[u8]| text.iter().position(|byte| *byte == of);
    let Some(open) = position(b'{', key) else {
        return key;
    };
    let rest = &key[open + 1..];
    match position(b'}', rest) {
        Some(0) | None => key,
        Some(close) => &rest[..close],
    }
}

/// CRC-16 as XMODEM has it.
fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum: u16, byte| {
        (0..8).fold(sum ^ (u16::from(*byte) << 8), |sum, _| {
            let shifted = sum << 1;
            if sum & 0x8000 == 0 {
                shifted
            } else {
                shifted ^ 0x1021
            }
        })
    })
}

impl Layout {
    /// Reads the answer to `CLUSTER SLOTS` of the server there.
    pub(super) fn read(answer: Value, said_by: &Address) -> Option<Self> {
        let Value::Array(rows) = answer else {
            return None;
        };
        let rows = rows.into_iter().map(|row| read_row(row, said_by));
        let mut rows = rows.collect::<Option<Vec<Row>>>()?;
        // Each server has an order of its own; what they say must compare.
        rows.sort_by_key(|row| row.first);
        let mut layout = Self::default();
        for row in rows {
            layout.add(row);
        }
        layout.replicas.sort();
        layout.replicas.dedup();
        Some(layout)
    }

    fn add(&mut self, row: Row) {
        let Row {
            first,
            last,
            servers,
        } = row;
        let mut servers = servers.into_iter();
        // A range whose primary nobody can name is one that nobody has.
        let Some(primary) = servers.next() else {
            return;
        };
        let known = self.primaries.iter().position(|known| *known == primary);
        let primary = known.unwrap_or_else(|| {
            self.primaries.push(primary);
            self.primaries.len() - 1
        });
        self.ranges.push(Range {
            first,
            last,
            primary,
        });
        self.replicas.extend(servers);
    }

    /// The place among the primaries of the one that has a slot.
    pub(super) fn owner(&self, slot: u16) -> Option<usize> {
        let after = self.ranges.partition_point(|range| range.first <= slot);
        let range = self.ranges.get(after.checked_sub(1)?)?;
        (slot <= range.last).then_some(range.primary)
    }

    /// Whether the same servers have slots as in another layout.
    pub(super) fn has_primaries_of(&self, other: &Self) -> bool {
        let is_known = |address| self.primaries.contains(address);
        self.primaries.len() == other.primaries.len() && other.primaries.iter().all(is_known)
    }

    /// Whether each slot belongs to somebody.
    pub(super) fn is_whole(&self) -> bool {
        let mut next = 0;
        for range in &self.ranges {
            if range.first > next {
                return false;
            }
            next = next.max(range.last + 1);
        }
        next == SLOTS
    }
}

fn read_row(row: Value, said_by: &Address) -> Option<Row> {
    let Value::Array(row) = row else { return None };
    let mut row = row.into_iter();
    let mut slot = || u16::from_redis_value(row.next()?).ok();
    let (first, last) = (slot()?, slot()?);
    let servers = row.map_while(|server| read_server(server, said_by));
    Some(Row {
        first,
        last: last.min(SLOTS - 1),
        servers: servers.collect(),
    })
}

fn read_server(server: Value, said_by: &Address) -> Option<Address> {
    let Value::Array(server) = server else {
        return None;
    };
    let mut server = server.into_iter();
    let host: Option<String> = Option::from_redis_value(server.next()?).ok()?;
    let port = u16::from_redis_value(server.next()?).ok()?;
    // A question mark is a server that has not said where it is.
    let host = host.unwrap_or_default();
    (host != "?").then(|| Address::new(&host, port, said_by))
}

impl Redirect {
    /// Reads the error of the server there, if it means that none of so many commands was done.
    pub(super) fn read(error: &RedisError, commands: usize, said_by: &Address) -> Option<Self> {
        let errors = error.clone().into_server_errors()?;
        let (_, first) = errors.first()?;
        let kind = first.kind()?;
        if errors.len() < commands || errors.iter().any(|(_, error)| error.kind() != Some(kind)) {
            return None;
        }
        let there = || {
            let (_slot, address) = first.details()?.split_once(' ')?;
            Address::read(address, said_by)
        };
        if kind == ServerErrorKind::Moved {
            there().map(Self::Moved)
        } else if kind == ServerErrorKind::Ask {
            there().map(Self::Ask)
        } else {
            (kind == ServerErrorKind::TryAgain).then_some(Self::Again)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        let nowhere = Address {
            host: "nowhere".into(),
            port: 0,
        };
        Address::read(text, &nowhere).unwrap()
    }

    #[test]
    fn a_key_has_the_slot_that_redis_gives_it() {
        // As `CLUSTER KEYSLOT` says.
        let table: [(&[u8], u16); 7] = [
            (b"123456789", 12739),
            (b"foo", 12182),
            (b"", 0),
            (b"{foo}bar", 12182),
            (b"a{foo}{bar}", 12182),
            (b"{}foo", slot_of(b"{}foo")),
            (b"foo{", slot_of(b"foo{")),
        ];
        for (key, slot) in table {
            assert_eq!(slot_of(key), slot, "{key:?}");
        }
        assert_ne!(slot_of(b"{}foo"), slot_of(b""));
        assert_eq!(
            slot_of(b"{online_users:42}:meta"),
            slot_of(b"online_users:42")
        );
    }

    #[test]
    fn a_command_goes_where_its_key_is() {
        let table = [
            ("GET foo", Some("foo")),
            ("xadd foo * a b", Some("foo")),
            ("EVALSHA hash 1 foo bar", Some("foo")),
            ("EVAL text 0 foo", None),
            ("SPUBLISH foo x", Some("foo")),
            ("PUBLISH foo x", None),
            ("XREADGROUP GROUP g c STREAMS foo >", Some("foo")),
            ("XGROUP CREATE foo g $", Some("foo")),
            ("SCRIPT FLUSH", None),
        ];
        for (text, key) in table {
            let mut command = Cmd::new();
            for word in text.split(' ') {
                command.arg(word);
            }
            assert_eq!(key_of(&command), key.map(str::as_bytes), "{text}");
        }
    }

    fn server(host: &str, port: i64) -> Value {
        Value::Array(vec![
            Value::BulkString(host.into()),
            Value::Int(port),
            Value::BulkString("id".into()),
        ])
    }

    fn row(first: i64, last: i64, servers: Vec<Value>) -> Value {
        let mut row = vec![Value::Int(first), Value::Int(last)];
        row.extend(servers);
        Value::Array(row)
    }

    #[test]
    fn a_layout_says_who_has_a_slot() {
        let answer = Value::Array(vec![
            row(8000, 16383, vec![server("", 2), server("c", 3)]),
            row(0, 4999, vec![server("a", 1)]),
            row(5000, 7998, vec![server("", 2)]),
        ]);
        let layout = Layout::read(answer, &address("b:9")).unwrap();
        let owner = |slot| layout.owner(slot).map(|owner| &layout.primaries[owner]);
        assert_eq!(owner(0), Some(&address("a:1")));
        assert_eq!(owner(4999), Some(&address("a:1")));
        assert_eq!(owner(5000), Some(&address("b:2")));
        assert_eq!(owner(7999), None);
        assert_eq!(owner(16383), Some(&address("b:2")));
        assert_eq!(layout.replicas, [address("c:3")]);
        assert!(!layout.is_whole());
    }

    #[test]
    fn a_layout_is_whole_when_each_slot_has_somebody() {
        let halves = |first_host: &str| {
            let rows = vec![
                row(0, 7999, vec![server(first_host, 1)]),
                row(8000, 16383, vec![server("b", 1)]),
            ];
            Layout::read(Value::Array(rows), &address("b:1")).unwrap()
        };
        assert!(halves("a").is_whole());
        assert!(!halves("?").is_whole(), "nobody knows where it is");
        assert_eq!(halves("?").owner(0), None);
        assert!(!Layout::default().is_whole());
        assert_eq!(Layout::read(Value::Okay, &address("b:1")), None);
    }

    #[test]
    fn an_error_may_say_where_to_go() {
        let error = |line: &[u8]| {
            let value = redis::parse_redis_value(line).unwrap();
            value.extract_error().unwrap_err()
        };
        let read = |line: &[u8]| Redirect::read(&error(line), 1, &address("own:1"));
        assert_eq!(
            read(b"-MOVED 7 a:2\r\n"),
            Some(Redirect::Moved(address("a:2")))
        );
        assert_eq!(
            read(b"-MOVED 7 :2\r\n"),
            Some(Redirect::Moved(address("own:2")))
        );
        assert_eq!(read(b"-ASK 7 a:2\r\n"), Some(Redirect::Ask(address("a:2"))));
        assert_eq!(read(b"-TRYAGAIN later\r\n"), Some(Redirect::Again));
        assert_eq!(read(b"-CLUSTERDOWN no\r\n"), None);
        assert_eq!(read(b"-ERR no\r\n"), None);
        let of_two = Redirect::read(&error(b"-MOVED 7 a:2\r\n"), 2, &address("own:1"));
        assert_eq!(of_two, None, "one of them has been done");
    }
}
