//! Receipts as numbers: the scores of a sorted set, so that the oldest go first.
//!
//! A receipt is written with the history, when nobody knows yet whether the stream will have the message. Until that
//! is so it is provisional: whoever finds such a one goes on as if there had been no attempt, but for the
//! history. It is a number that a float holds exactly.

use std::time::Duration;

use crate::clock::{WallTime, millis};

/// When a message was taken in, and whether that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) at: WallTime,
    pub(super) provisional: bool,
}

impl Receipt {
    pub(super) fn score(self) -> u64 {
        2 * self.at.unix_millis() + u64::from(self.provisional)
    }

    pub(super) fn from_score(score: u64) -> Self {
        Self {
            at: WallTime::from_unix_millis(score / 2),
            provisional: score % 2 == 1,
        }
    }

    /// The lowest score that still counts.
    pub(super) fn oldest(now: WallTime, expiry: Duration) -> u64 {
        2 * now.unix_millis().saturating_sub(millis(expiry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_read_as_it_was_written_and_the_older_is_the_lower() {
        let now = WallTime::from_unix_millis(1_705_314_600_250);
        let later = WallTime::from_unix_millis(1_705_314_600_251);
        let scores =
            [(now, false), (now, true), (later, false), (later, true)].map(|(at, provisional)| {
                let receipt = Receipt { at, provisional };
                assert_eq!(Receipt::from_score(receipt.score()), receipt);
                receipt.score()
            });
        assert!(scores.is_sorted());
        assert!(scores[3] < 1 << 53);
        let millisecond = Duration::from_millis(1);
        assert_eq!(Receipt::oldest(later, millisecond), scores[0]);
        assert_eq!(Receipt::oldest(now, Duration::MAX), 0);
    }
}
