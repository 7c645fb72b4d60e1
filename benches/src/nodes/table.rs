//! Figures of several rounds to a table for people and JSON for programs.

use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::Load;
use crate::measure::{micros, ratio};
use crate::report::Spread;

/// All that was measured.
#[derive(Serialize)]
pub(super) struct Table {
    load: Load,
    rounds: usize,
    figures: Vec<Figure>,
}

#[derive(Serialize)]
struct Figure {
    name: &'static str,
    unit: Unit,
    values: Vec<f64>,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Unit {
    /// Microseconds of processor time.
    Micros,
    Bytes,
    /// Seconds that pass.
    Seconds,
    /// One cost in terms of another.
    Times,
}

impl Table {
    pub(super) fn new(load: Load, rounds: usize) -> Self {
        Self {
            load,
            rounds,
            figures: Vec::new(),
        }
    }

    /// Adds a round's value. Names are unique.
    pub(super) fn add(&mut self, name: &'static str, unit: Unit, value: f64) {
        if let Some(known) = self.figures.iter_mut().find(|figure| figure.name == name) {
            return known.values.push(value);
        }
        self.figures.push(Figure {
            name,
            unit,
            values: vec![value],
        });
    }

    /// Adds the microseconds of processor time that each of so many cost.
    pub(super) fn micros(&mut self, name: &'static str, time: Duration, count: usize) {
        self.add(name, Unit::Micros, micros(time, count));
    }

    /// Adds the bytes that each of so many takes.
    pub(super) fn bytes(&mut self, name: &'static str, total: u64, count: usize) {
        self.add(name, Unit::Bytes, ratio(total, count));
    }

    /// The table: medians, and in brackets the least and the most.
    pub(super) fn print(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{:?}; {} round(s)", self.load, self.rounds)?;
        for figure in &self.figures {
            let Some(spread) = Spread::of(&figure.values) else {
                continue;
            };
            writeln!(out, "{:62} {}", figure.name, shown(spread, figure.unit))?;
        }
        Ok(())
    }

    pub(super) fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }
}

fn shown(spread: Spread, unit: Unit) -> String {
    let Spread {
        least,
        median,
        most,
    } = spread;
    match unit {
        Unit::Micros => format!("{median:9.1} µs ({least:.1}-{most:.1})"),
        Unit::Bytes => format!("{median:7.0} bytes ({least:.0}-{most:.0})"),
        Unit::Seconds => format!("{median:10.2} s ({least:.2}-{most:.2})"),
        Unit::Times => format!("{median:10.2} x ({least:.2}-{most:.2})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_one_name_are_one_figure() {
        let mut table = Table::new(Load::QUICK, 2);
        table.add("a", Unit::Micros, 1.0);
        table.add("b", Unit::Bytes, 5.0);
        table.add("a", Unit::Micros, 3.0);
        assert_eq!(table.figures.len(), 2);
        assert_eq!(table.figures[0].values, [1.0, 3.0]);
    }

    #[test]
    fn small_costs_are_shown_with_their_fractions() {
        let spread = Spread {
            least: 0.1,
            median: 0.25,
            most: 12.0,
        };
        assert_eq!(shown(spread, Unit::Micros).trim(), "0.2 µs (0.1-12.0)");
        assert_eq!(shown(spread, Unit::Times).trim(), "0.25 x (0.10-12.00)");
    }
}
