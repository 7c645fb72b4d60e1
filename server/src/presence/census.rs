//! How many users were online, minute by minute, as a plain ring of the last hour.
//!
//! What must stay true: a minute in which nobody counted has no number, and a count stands for the minutes
//! after it only as long as whoever counted would have noted a change. Times are milliseconds of Unix time.

use std::collections::BTreeMap;

/// The length of a minute in milliseconds.
pub const MINUTE: u64 = 60_000;

/// How many full minutes are looked back on.
const MINUTES: u64 = 60;

/// The counts of one tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// By the number of the minute, none older than the oldest that is looked back on.
    minutes: BTreeMap<u64, Count>,
}

/// What was counted in a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// How many were online when it was last looked.
    pub online: u64,
    /// The most at once.
    pub peak: u64,
}

/// A minute as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When it began.
    pub at: u64,
    /// What was counted in it, if anybody did.
    pub count: Option<Count>,
}

impl Sample {
    /// The same, where it is known that whoever was there would have been counted.
    #[must_use]
    pub fn complete(self) -> Self {
        let nobody = Count { online: 0, peak: 0 };
        Self {
            count: self.count.or(Some(nobody)),
            ..self
        }
    }
}

impl Census {
    /// Somebody begins to count, and finds nobody.
    pub fn begin(now: u64) -> Self {
        let mut census = Self::default();
        census.put(now / MINUTE, Count { online: 0, peak: 0 });
        census
    }

    /// Takes what somebody else has counted in the minute of this number.
    pub fn put(&mut self, minute: u64, count: Count) {
        self.minutes.insert(minute, count);
        let newest = self
            .minutes
            .last_key_value()
            .map_or(0, |(minute, _)| *minute);
        let oldest = newest.saturating_sub(MINUTES);
        // What was counted last before counts for the oldest, too.
        let carried = self.minutes.range(..=oldest).next_back();
        if let Some(carried) = carried.map(|(minute, _)| *minute) {
            self.minutes = self.minutes.split_off(&carried);
        }
    }

    /// There are `online` users now, and there were `before` until now. A clock that is set back counts for the minute
    /// that was reached before.
    pub fn handle_change(&mut self, now: u64, before: u64, online: u64) {
        let newest = self
            .minutes
            .last_key_value()
            .map_or(0, |(minute, _)| *minute);
        let minute = newest.max(now / MINUTE);
        let known = self.minutes.get(&minute).map_or(0, |count| count.peak);
        let peak = known.max(before).max(online);
        self.put(minute, Count { online, peak });
    }

    /// The last minutes, the present one last, in which `online` are there. A count is good for the `believed`
    /// milliseconds after its minute.
    pub fn samples(&self, now: u64, online: u64, believed: u64) -> Vec<Sample> {
        let present = now / MINUTE;
        let past = present.saturating_sub(MINUTES)..present;
        let past = past.map(|minute| (minute, self.count(minute, believed)));
        let known = self.count(present, believed).map_or(0, |count| count.peak);
        let peak = known.max(online);
        past.chain([(present, Some(Count { online, peak }))])
            .map(|(minute, count)| Sample {
                at: minute * MINUTE,
                count,
            })
            .collect()
    }

    fn count(&self, minute: u64, believed: u64) -> Option<Count> {
        let (counted, count) = self.minutes.range(..=minute).next_back()?;
        if *counted == minute {
            return Some(*count);
        }
        let since = (minute - counted).saturating_mul(MINUTE);
        // As many were there all the time.
        (since <= believed).then_some(Count {
            online: count.online,
            peak: count.online,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALWAYS: u64 = u64::MAX;

    /// The counts of the last minutes, the present one last.
    fn last<const N: usize>(samples: &[Sample]) -> [Option<(u64, u64)>; N] {
        let counts = samples[samples.len() - N..].iter();
        let counts: Vec<_> = counts
            .map(|sample| sample.count.map(|count| (count.online, count.peak)))
            .collect();
        counts.try_into().unwrap()
    }

    fn at(minute: u64, second: u64) -> u64 {
        minute * MINUTE + second * 1000
    }

    #[test]
    fn a_minute_has_what_is_so_at_its_end_and_the_most_at_once() {
        let mut census = Census::begin(at(100, 0));
        census.handle_change(at(100, 10), 0, 1);
        census.handle_change(at(100, 20), 1, 2);
        census.handle_change(at(100, 30), 2, 1);
        census.handle_change(at(101, 5), 1, 0);
        let samples = census.samples(at(102, 0), 0, ALWAYS);
        let expected = [None, Some((1, 2)), Some((0, 1)), Some((0, 0))];
        assert_eq!(
            last(&samples),
            expected,
            "who was there when it began counts"
        );
        assert_eq!(samples.len(), 61);
        assert_eq!(samples.last().unwrap().at, at(102, 0));
    }

    #[test]
    fn minutes_in_which_nothing_happens_are_as_the_one_before_ended() {
        let mut census = Census::begin(at(100, 0));
        census.handle_change(at(100, 10), 0, 3);
        census.handle_change(at(100, 20), 3, 2);
        let samples = census.samples(at(103, 59), 2, ALWAYS);
        let expected = [Some((2, 3)), Some((2, 2)), Some((2, 2)), Some((2, 2))];
        assert_eq!(last(&samples), expected);
    }

    #[test]
    fn when_nobody_counts_there_is_no_number_rather_than_the_last() {
        let mut census = Census::default();
        for minute in [100, 101, 105] {
            census.put(minute, Count { online: 4, peak: 5 });
        }
        let counted = Some((4, 5));
        let samples = census.samples(at(107, 0), 4, 0);
        let now = Some((4, 4));
        let expected = [None, counted, counted, None, None, None, counted, None, now];
        assert_eq!(last(&samples), expected);
        let samples = census.samples(at(107, 0), 4, MINUTE);
        let carried = Some((4, 4));
        let expected = [
            counted, counted, carried, None, None, counted, carried, carried,
        ];
        assert_eq!(last(&samples), expected, "for a while it is believed");
    }

    #[test]
    fn the_present_minute_has_the_number_now() {
        let census = Census::default();
        assert_eq!(last(&census.samples(at(9, 0), 3, 0)), [Some((3, 3))]);
        assert_eq!(census.samples(at(9, 0), 3, 0).len(), 10, "since 1970");
        let mut census = Census::begin(at(100, 0));
        census.handle_change(at(100, 10), 0, 7);
        census.handle_change(at(100, 11), 7, 6);
        assert_eq!(last(&census.samples(at(100, 12), 6, 0)), [Some((6, 7))]);
    }

    #[test]
    fn a_clock_that_is_set_back_spoils_nothing() {
        let mut census = Census::begin(at(100, 0));
        census.handle_change(at(100, 10), 0, 1);
        census.handle_change(at(98, 0), 1, 2);
        let samples = census.samples(at(101, 0), 2, ALWAYS);
        assert_eq!(last(&samples), [None, None, Some((2, 2)), Some((2, 2))]);
    }

    proptest! {
        /// Whoever looks at every millisecond step by step finds the same.
        #[test]
        fn any_history_is_what_was_seen(steps in prop::collection::vec((0..200_000_u64, 0..9_u64), 1..150)) {
            let mut now = at(1000, 0);
            let mut census = Census::begin(now);
            let (mut online, mut seen) = (0, BTreeMap::from([(1000, (0, 0))]));
            for (pause, next) in steps {
                let before = now / MINUTE;
                now += pause;
                for minute in before + 1..=now / MINUTE {
                    seen.insert(minute, (online, online));
                }
                census.handle_change(now, online, next);
                online = next;
                let present = seen.entry(now / MINUTE).or_insert((online, 0));
                *present = (online, present.1.max(online));
                prop_assert!(census.minutes.len() <= 62);
                for sample in census.samples(now, online, ALWAYS) {
                    let count = sample.count.map(|count| (count.online, count.peak));
                    prop_assert_eq!(count, seen.get(&(sample.at / MINUTE)).copied());
                }
            }
        }
    }
}
