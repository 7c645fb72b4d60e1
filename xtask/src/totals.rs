//! How many tests passed and failed, as the runners themselves say.

use std::ops::AddAssign;

/// A number of passed and failed tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
}

impl Totals {
    pub(crate) fn one(passed: bool) -> Self {
        Self {
            passed: u32::from(passed),
            failed: u32::from(!passed),
        }
    }

    /// The totals in a line of a runner's summary: cargo's and wasm-bindgen's (`test result: ok. 3 passed; 0 failed; …`) or
    /// vitest's (`Tests  1 failed | 3 passed (4)`).
    pub(crate) fn in_line(line: &str) -> Option<Self> {
        let line = line.trim();
        let counts = line
            .strip_prefix("test result: ")
            .or_else(|| line.strip_prefix("Tests  "))?;
        let words: Vec<&str> = counts
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        let before = |label: &str| {
            words
                .windows(2)
                .find(|pair| pair.get(1) == Some(&label))
                .and_then(|pair| pair.first()?.parse().ok())
        };
        let (passed, failed) = (before("passed"), before("failed"));
        if passed.is_none() && failed.is_none() {
            return None;
        }
        Some(Self {
            passed: passed.unwrap_or(0),
            failed: failed.unwrap_or(0),
        })
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_all_runners_are_understood() {
        let cases = [
            (
                "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
                Some((12, 0)),
            ),
            (
                "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 filtered out",
                Some((3, 2)),
            ),
            ("      Tests  7 passed (7)\n", Some((7, 0))),
            (
                "      Tests  1 failed | 2 passed | 1 skipped (4)",
                Some((2, 1)),
            ),
            ("      Tests  2 failed (2)", Some((0, 2))),
            (" Test Files  1 passed (1)", None),
            ("      Tests  no tests", None),
            ("test second_tab ... ok", None),
            ("we had 3 passed by", None),
        ];
        for (line, expected) in cases {
            let found = Totals::in_line(line).map(|totals| (totals.passed, totals.failed));
            assert_eq!(found, expected, "{line}");
        }
    }
}
