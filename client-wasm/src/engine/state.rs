//! Where a connection stands. Data lives in the variant that it belongs to.

use core::time::Duration;

/// The one state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Made and not started.
    Idle,
    /// The transport is being opened.
    Opening,
    /// The transport is open; the server's handshake is due.
    Handshaking,
    /// The shell is fetching the credentials.
    Authorising { heartbeat: Heartbeat },
    /// The namespace has been asked for.
    Joining { heartbeat: Heartbeat },
    /// The namespace was refused; the shell is reading why.
    Refused,
    /// The namespace is joined.
    Live {
        heartbeat: Heartbeat,
        since: Duration,
    },
    /// No transport; the next attempt has its time.
    Waiting,
    /// Over for good.
    Closed,
}

impl State {
    pub(super) fn heartbeat(&self) -> Option<Heartbeat> {
        match *self {
            Self::Authorising { heartbeat }
            | Self::Joining { heartbeat }
            | Self::Live { heartbeat, .. } => Some(heartbeat),
            Self::Idle
            | Self::Opening
            | Self::Handshaking
            | Self::Refused
            | Self::Waiting
            | Self::Closed => None,
        }
    }
}

/// The server's heartbeat, in milliseconds, as its handshake says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heartbeat {
    interval: u32,
    timeout: u32,
}

impl Heartbeat {
    /// Reads `pingInterval` and `pingTimeout` from the handshake's JSON. Both are plain integers at the top level of a
    /// small object without free text before them, so no parser is needed; a server that leaves them out gets the
    /// defaults of Engine.IO.
    pub(super) fn read(json: &str) -> Self {
        Self {
            interval: integer(json, "\"pingInterval\"").unwrap_or(25_000),
            timeout: integer(json, "\"pingTimeout\"").unwrap_or(20_000),
        }
    }

    /// For how long the server may be silent.
    pub(super) fn patience(self) -> Duration {
        Duration::from_millis(u64::from(self.interval) + u64::from(self.timeout))
    }
}

fn integer(json: &str, key: &str) -> Option<u32> {
    let (_, rest) = json.split_once(key)?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start();
    let mut value: Option<u32> = None;
    for digit in rest.bytes().take_while(u8::is_ascii_digit) {
        let so_far = value.unwrap_or(0);
        value = Some(
            so_far
                .checked_mul(10)?
                .checked_add(u32::from(digit - b'0'))?,
        );
    }
    value.filter(|value| *value > 0)
}

#[cfg(test)]
mod tests {
    use super::Heartbeat;

    #[test]
    fn the_heartbeat_is_read_from_the_handshake() {
        let json = r#"{"sid":"x","upgrades":[],"pingInterval":300,"pingTimeout": 200,"maxPayload":1000000}"#;
        assert_eq!(
            Heartbeat::read(json),
            Heartbeat {
                interval: 300,
                timeout: 200
            }
        );
    }

    #[test]
    fn a_handshake_without_a_usable_heartbeat_gets_the_defaults() {
        let defaults = Heartbeat {
            interval: 25_000,
            timeout: 20_000,
        };
        for json in [
            "{}",
            "",
            r#"{"pingInterval":"soon","pingTimeout":0}"#,
            r#"{"pingInterval":99999999999}"#,
        ] {
            assert_eq!(Heartbeat::read(json), defaults, "{json}");
        }
    }
}
