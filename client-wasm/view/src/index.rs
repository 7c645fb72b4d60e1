//! Rows and views together.
//!
//! What must stay true: a change is told completely (the rows, then their texts in every column in use) before it is
//! applied; and a column or grouping is complete before a view asks for it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::Slot;
use crate::bits::Bits;
use crate::column::Column;
use crate::find;
use crate::groups::{Counts, Group, Grouping};
use crate::order::{Order, Sort};

/// Ends a text among others.
pub const TEXT_END: u8 = 1;

/// When a scan has left so few rows in this many, the next condition is asked of each of them instead.
const SPARSE: usize = 16;

/// How many orders are kept that no view wants at the moment.
const SPARE: usize = 2;

/// How a row's text must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// The given text occurs in it.
    Contains,
    /// It is the given text.
    Equals,
    /// It begins with the given text.
    StartsWith,
}

/// What a view wants of a row.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The number of the column.
    pub column: usize,
    /// How the text there must be.
    pub test: Test,
    /// What it is compared with.
    pub text: Box<[u8]>,
}

impl Condition {
    fn holds(&self, columns: &[Column], slot: Slot) -> bool {
        let text = columns
            .get(self.column)
            .and_then(|column| column.text(slot));
        text.is_some_and(|text| match self.test {
            Test::Contains => find::contains(text, &self.text),
            Test::Equals => *text == *self.text,
            Test::StartsWith => text.starts_with(&self.text),
        })
    }

    fn narrow(&self, columns: &[Column], rows: &mut Bits, all: usize) {
        let scans =
            self.test == Test::Contains && !self.text.is_empty() && rows.count() > all / SPARSE;
        match columns.get(self.column) {
            Some(column) if scans => rows.intersect(&column.containing(&self.text)),
            Some(_) | None => rows.retain(|slot| self.holds(columns, slot)),
        }
    }
}

/// What one view asked for, and who meets it.
#[derive(Default)]
struct View {
    /// `None`: in order of arrival.
    sort: Option<Sort>,
    conditions: Vec<Condition>,
    rows: Bits,
    /// The number of the grouping that it wants, and how many of its rows are in each group.
    groups: Option<(usize, Counts)>,
}

impl View {
    /// Forgets what a row was.
    fn leave(&mut self, groupings: &[Grouping], slot: Slot) {
        if self.rows.contains(slot) {
            self.rows.set(slot, false);
            if let Some((grouping, counts)) = &mut self.groups {
                counts.leave(group_of(groupings, *grouping, slot));
            }
        }
    }

    /// Takes a row in that meets all conditions.
    fn enter(&mut self, groupings: &[Grouping], slot: Slot) {
        if !self.rows.contains(slot) {
            self.rows.set(slot, true);
            if let Some((grouping, counts)) = &mut self.groups {
                counts.enter(group_of(groupings, *grouping, slot));
            }
        }
    }
}

/// What a view is asked for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// `None`: in order of arrival.
    pub sort: Option<Sort>,
    /// All of them must hold.
    pub conditions: Vec<Condition>,
    /// The number of the grouping to count by.
    pub grouping: Option<usize>,
}

/// Rows, their texts, their orders, and the views of them.
#[derive(Default)]
pub struct Index {
    present: Bits,
    columns: Vec<Column>,
    groupings: Vec<Grouping>,
    orders: Vec<Order>,
    views: Vec<Option<View>>,
    /// Rows that came, changed or went since the last [`Index::apply`].
    changed: Vec<Slot>,
}

impl Index {
    /// A row has come, has changed, or has gone.
    pub fn handle_row(&mut self, slot: Slot, present: bool) {
        self.present.set(slot, present);
        self.changed.push(slot);
    }

    /// The texts of rows in a column, each ended by [`TEXT_END`]. Those of rows that are gone are not looked at.
    pub fn handle_texts(&mut self, column: usize, slots: &[Slot], texts: &[u8]) {
        self.want_column(column);
        let column = &mut self.columns[column];
        let texts = texts.split(|&byte| byte == TEXT_END);
        for (&slot, text) in slots.iter().zip(texts) {
            column.set(slot, self.present.contains(slot).then_some(text));
        }
    }

    /// Rows are in other groups of a grouping, those that are gone in none.
    pub fn handle_groups(&mut self, grouping: usize, slots: impl Iterator<Item = (Slot, Group)>) {
        self.want_grouping(grouping);
        for (slot, group) in slots {
            self.groupings[grouping].handle(slot, group);
        }
    }

    /// Brings orders and views up to date with what has been told.
    pub fn apply(&mut self) {
        let columns = (0..).zip(&mut self.columns);
        let touched: Vec<(usize, Bits)> = columns
            .map(|(at, column)| (at, column.take_changed().into_iter().collect()))
            .collect();
        for order in &mut self.orders {
            if let Some((_, touched)) = touched.get(order.sort().column) {
                order.touch(touched);
            }
        }
        self.settle_orders();
        // All first leave what they were counted in, which is not known any more once groups are others.
        for &slot in &self.changed {
            for view in self.views.iter_mut().flatten() {
                view.leave(&self.groupings, slot);
            }
        }
        for grouping in &mut self.groupings {
            grouping.apply();
        }
        for slot in self.changed.drain(..) {
            for view in self.views.iter_mut().flatten() {
                let mut conditions = view.conditions.iter();
                let meets = self.present.contains(slot)
                    && conditions.all(|condition| condition.holds(&self.columns, slot));
                if meets {
                    view.enter(&self.groupings, slot);
                }
            }
        }
    }

    /// Opens a view or gives it another query. The columns and the grouping in it must be complete.
    pub fn ask(&mut self, view: usize, query: Query) {
        self.apply();
        let Query {
            sort,
            conditions,
            grouping,
        } = query;
        let sorted_by = sort.map(|sort| sort.column);
        for column in conditions
            .iter()
            .map(|condition| condition.column)
            .chain(sorted_by)
        {
            self.want_column(column);
        }
        if let Some(grouping) = grouping {
            self.want_grouping(grouping);
        }
        if view >= self.views.len() {
            self.views.resize_with(view + 1, || None);
        }
        let mut rows = self.present.clone();
        let all = rows.count();
        for condition in &conditions {
            condition.narrow(&self.columns, &mut rows, all);
        }
        let groups = grouping.map(|at| (at, Counts::new(&self.groupings[at], &rows)));
        self.views[view] = Some(View {
            sort,
            conditions,
            rows,
            groups,
        });
        self.keep_orders();
    }

    /// Forgets a view.
    pub fn close(&mut self, view: usize) {
        if let Some(view) = self.views.get_mut(view) {
            *view = None;
        }
        self.keep_orders();
    }

    /// How many rows meet a view's conditions.
    pub fn total(&self, view: usize) -> usize {
        self.view(view).map_or(0, |view| view.rows.count())
    }

    /// How a view's rows are grouped; `None` without a grouping.
    pub fn groups(&self, view: usize) -> Option<&Counts> {
        let (_, counts) = self.view(view)?.groups.as_ref()?;
        Some(counts)
    }

    /// Puts up to `limit` of a view's rows into `window`, from the `offset`th on.
    pub fn window(&self, view: usize, offset: usize, limit: usize, window: &mut Vec<Slot>) {
        window.clear();
        let Some(View { sort, rows, .. }) = self.view(view) else {
            return;
        };
        let order = sort.and_then(|sort| self.order(sort));
        match order.map(Order::slots) {
            None => window.extend(rows.iter_from(offset).take(limit)),
            Some(slots) if slots.len() == rows.count() => {
                window.extend(slots.iter().skip(offset).take(limit));
            }
            Some(slots) => {
                let meeting = slots.iter().filter(|&&slot| rows.contains(slot));
                window.extend(meeting.skip(offset).take(limit));
            }
        }
    }

    fn want_column(&mut self, column: usize) {
        if column >= self.columns.len() {
            self.columns.resize_with(column + 1, Column::default);
        }
    }

    fn want_grouping(&mut self, grouping: usize) {
        if grouping >= self.groupings.len() {
            self.groupings.resize_with(grouping + 1, Grouping::default);
        }
    }

    fn view(&self, view: usize) -> Option<&View> {
        self.views.get(view)?.as_ref()
    }

    fn order(&self, sort: Sort) -> Option<&Order> {
        self.orders.iter().find(|order| order.sort() == sort)
    }

    /// Makes the orders that views want, and drops those that none wants any more, but for the last [`SPARE`]: who sorts
    /// in another way often comes back. Without views nobody does.
    fn keep_orders(&mut self) {
        if self.views.iter().all(Option::is_none) {
            self.orders.clear();
        }
        let wanted: Vec<Sort> = self.wanted().collect();
        for &sort in &wanted {
            match self.orders.iter().position(|order| order.sort() == sort) {
                // What was wanted last is the last.
                Some(at) => self.orders[at..].rotate_left(1),
                None => self
                    .orders
                    .push(Order::new(sort, &self.columns[sort.column])),
            }
        }
        let is_spare = |order: &Order| !wanted.contains(&order.sort());
        let mut spares = self.orders.iter().filter(|order| is_spare(order)).count();
        self.orders.retain(|order| {
            let drops = spares > SPARE && is_spare(order);
            spares -= usize::from(drops);
            !drops
        });
        self.settle_orders();
    }

    /// Brings the orders up to date that views want; the others wait until one does.
    fn settle_orders(&mut self) {
        let wanted: Vec<Sort> = self.wanted().collect();
        for order in &mut self.orders {
            if wanted.contains(&order.sort()) {
                order.settle(&self.columns[order.sort().column]);
            }
        }
    }

    /// What views are sorted by.
    fn wanted(&self) -> impl Iterator<Item = Sort> {
        self.views.iter().flatten().filter_map(|view| view.sort)
    }
}

fn group_of(groupings: &[Grouping], at: usize, slot: Slot) -> Group {
    groupings.get(at).map_or(0, |grouping| grouping.of(slot))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(column: usize) -> Query {
        Query {
            sort: Some(Sort {
                column,
                descending: false,
            }),
            ..Query::default()
        }
    }

    fn sorts(index: &Index) -> Vec<usize> {
        let sorts = index.orders.iter().map(|order| order.sort().column);
        sorts.collect()
    }

    #[test]
    fn the_orders_wanted_last_are_kept_until_there_are_no_views() {
        let mut index = Index::default();
        for column in [0, 1, 2, 3] {
            index.ask(0, by(column));
            index.ask(1, by(column));
        }
        assert_eq!(sorts(&index), [1, 2, 3]);
        index.ask(0, by(1));
        index.ask(1, Query::default());
        index.ask(0, by(0));
        assert_eq!(sorts(&index), [3, 1, 0]);
        index.close(0);
        assert_eq!(sorts(&index), [1, 0], "another view is there");
        index.close(1);
        assert_eq!(sorts(&index), []);
    }

    #[test]
    fn an_order_that_waited_for_a_view_knows_what_has_happened_since() {
        let mut index = Index::default();
        let tell = |index: &mut Index, slot: Slot, text: &[u8]| {
            index.handle_row(slot, true);
            index.handle_texts(0, &[slot], text);
            index.apply();
        };
        tell(&mut index, 0, b"a\x01");
        tell(&mut index, 1, b"b\x01");
        index.ask(0, by(0));
        index.ask(0, Query::default());
        tell(&mut index, 2, b"aa\x01");
        tell(&mut index, 0, b"c\x01");
        let mut window = Vec::new();
        index.ask(0, by(0));
        index.window(0, 0, 9, &mut window);
        assert_eq!(window, [2, 1, 0]);
    }
}
