//! What the connection shows to be let in, for how long that is good, and what has been refused.

use alloc::string::String;
use core::mem;

use crate::Millis;
use chat_protocol::code::Code;

/// The credentials of the attempt under way or of the live connection.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    auth: String,
    expires: Millis,
    /// Why these were refused.
    refused: Option<Code>,
    /// Whether any were refused since some were last accepted.
    failing: bool,
}

impl Credentials {
    /// What to join with.
    pub(super) fn auth(&self) -> &str {
        &self.auth
    }

    /// Takes what the shell has fetched; `Err` if it is what was refused.
    pub(super) fn take(&mut self, auth: &str, expires: Millis) -> Result<(), Code> {
        if self.auth != auth {
            self.auth = auth.into();
            self.refused = None;
        }
        self.expires = expires;
        self.refused.map_or(Ok(()), Err)
    }

    /// They were refused. Returns whether it is worth asking for others at once: not if others have just been refused.
    pub(super) fn refuse(&mut self, code: Code) -> bool {
        self.refused = Some(code);
        !mem::replace(&mut self.failing, true)
    }

    /// They were accepted.
    pub(super) fn accept(&mut self) {
        self.refused = None;
        self.failing = false;
    }

    /// When to ask for later ones: after 80 to 90 % of the time that is left. `None` if there is none.
    pub(super) fn renewal(&self, now: Millis, random: u64) -> Option<Millis> {
        /// However little is left, asking goes on at this pace at most.
        const LEAST: Millis = 1_000;
        let left = self.expires.checked_sub(now).filter(|left| *left > 0)?;
        let tenth = left / 10;
        Some(now + (tenth * 8 + random % (tenth + 1)).max(LEAST))
    }
}

#[cfg(test)]
mod tests {
    use super::Credentials;
    use chat_protocol::code::Code;

    #[test]
    fn renewal_is_due_between_80_and_90_percent_of_what_is_left() {
        let mut credentials = Credentials::default();
        assert_eq!(credentials.take("a", 3_601_000), Ok(()));
        for random in [0, 1, 77, u64::MAX] {
            let due = credentials.renewal(1_000, random).unwrap_or_default();
            assert!((2_881_000..=3_241_000).contains(&due), "{due}");
        }
        assert_eq!(credentials.renewal(3_600_990, 0), Some(3_601_990));
        assert_eq!(credentials.renewal(3_601_000, 0), None, "too late");
    }

    #[test]
    fn only_what_was_refused_is_refused_again() {
        let mut credentials = Credentials::default();
        assert_eq!(credentials.take("a", 0), Ok(()));
        assert!(credentials.refuse(Code::TokenExpired));
        assert_eq!(credentials.take("a", 0), Err(Code::TokenExpired));
        assert_eq!(credentials.take("b", 0), Ok(()));
        assert_eq!(credentials.take("b", 0), Ok(()), "not shown yet");
        assert!(
            !credentials.refuse(Code::InvalidToken),
            "the second in a row"
        );
        assert_eq!(credentials.take("b", 0), Err(Code::InvalidToken));
        credentials.accept();
        assert_eq!(credentials.take("b", 0), Ok(()));
        assert!(credentials.refuse(Code::TokenExpired));
    }
}
