//! Figures to a table for people and JSON for programs.

use std::io::{self, Write as _};

use anyhow::Result;
use serde::Serialize;

use crate::measure::{Load, Messages, Online};
use crate::side::Side;

/// All that was measured.
#[derive(Serialize)]
pub(crate) struct Report {
    load: Load,
    rounds: usize,
    /// Where our side keeps its state.
    store: &'static str,
    figures: Vec<Figure>,
}

/// One thing that was measured, on both sides.
#[derive(Serialize)]
struct Figure {
    name: &'static str,
    unit: &'static str,
    /// What our side should stay below: an absolute value, or a share of Node's. With fewer visitors than a whole
    /// comparison has there is none.
    target: Option<Target>,
    ours: Vec<f64>,
    node: Vec<f64>,
}

#[derive(Clone, Copy, Serialize)]
enum Target {
    AtMost(f64),
    ShareOfNode(f64),
}

impl Report {
    pub(crate) fn new(load: Load, rounds: usize, embedded: bool) -> Self {
        let figure = |name, unit, target: Option<Target>| Figure {
            name,
            unit,
            target: target.filter(|_| load.visitors >= Load::FULL.visitors),
            ours: Vec::new(),
            node: Vec::new(),
        };
        let thirtieth = Some(Target::ShareOfNode(1.0 / 30.0));
        Self {
            load,
            rounds,
            store: if embedded { "embedded" } else { "redis" },
            figures: vec![
                figure(
                    "memory per idle visitor",
                    "bytes",
                    Some(Target::AtMost(4096.0)),
                ),
                figure("CPU per connect", "µs", None),
                figure(
                    "CPU per message round trip",
                    "µs",
                    Some(Target::ShareOfNode(0.5)),
                ),
                figure("CPU per list over HTTP", "µs", thirtieth),
                figure("same, after one more visitor", "µs", thirtieth),
                figure("CPU per list over a socket", "µs", thirtieth),
            ],
        }
    }

    pub(crate) fn add(&mut self, side: Side, online: Online, messages: Messages) {
        let values = [
            online.bytes_per_visitor,
            online.connect_micros,
            messages.round_trip_micros,
            online.http_list_micros,
            online.http_changed_list_micros,
            online.socket_list_micros,
        ];
        for (figure, value) in self.figures.iter_mut().zip(values) {
            match side {
                Side::Ours => figure.ours.push(value),
                Side::Node => figure.node.push(value),
            }
        }
    }

    /// The table: medians, and in brackets the least and the most.
    pub(crate) fn print(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let Load {
            visitors,
            talkers,
            messages,
            ..
        } = self.load;
        writeln!(
            out,
            "{visitors} visitors online; {talkers} talk, {messages} messages each; {} round(s); our state: {}; the server's process alone",
            self.rounds, self.store
        )?;
        writeln!(
            out,
            "{:30} {:>26} {:>28} {:>7}  target",
            "", "chat-server", "node", "ratio"
        )?;
        for figure in &self.figures {
            let (ours, node) = (Spread::of(&figure.ours), Spread::of(&figure.node));
            let ratio = ours.zip(node).map(|(ours, node)| node.median / ours.median);
            let target = figure.target.map_or_else(String::new, |target| {
                let met = match target {
                    Target::AtMost(most) => ours.map(|ours| ours.median <= most),
                    Target::ShareOfNode(share) => ratio.map(|ratio| ratio >= 1.0 / share),
                };
                let wanted = match target {
                    Target::AtMost(most) => format!("<= {most:.0} {}", figure.unit),
                    Target::ShareOfNode(share) => format!(">= {:.0}x", 1.0 / share),
                };
                let verdict = met.map_or("-", |met| if met { "ok" } else { "MISSED" });
                format!("{wanted} {verdict}")
            });
            writeln!(
                out,
                "{:30} {:>26} {:>28} {:>7}  {target}",
                figure.name,
                shown(ours, figure.unit),
                shown(node, figure.unit),
                ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.1}x"))
            )?;
        }
        Ok(())
    }

    pub(crate) fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Spread {
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) {
            f64::midpoint(*sorted.get(middle.checked_sub(1)?)?, *sorted.get(middle)?)
        } else {
            *sorted.get(middle)?
        };
        Some(Self {
            least: *sorted.first()?,
            median,
            most: *sorted.last()?,
        })
    }
}

fn shown(spread: Option<Spread>, unit: &str) -> String {
    spread.map_or_else(
        || "-".to_owned(),
        |Spread {
             least,
             median,
             most,
         }| format!("{median:.0} {unit} ({least:.0}-{most:.0})"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_few_values_is_their_median() {
        let spread = |least, median, most| {
            Some(Spread {
                least,
                median,
                most,
            })
        };
        assert_eq!(Spread::of(&[3.0, 1.0, 2.0]), spread(1.0, 2.0, 3.0));
        assert_eq!(Spread::of(&[4.0, 1.0]), spread(1.0, 2.5, 4.0));
        assert_eq!(Spread::of(&[]), None);
    }
}
