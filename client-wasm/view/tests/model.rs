//! Random histories: whatever came before, views are what filtering, searching and sorting all rows would give.

use std::collections::{BTreeMap, BTreeSet};

use chat_client_view::Slot;
use chat_client_view::groups::{Group, Size};
use chat_client_view::index::{self, Condition, Index, TEXT_END, Test};
use chat_client_view::order::Sort;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

const COLUMNS: usize = 3;
const VIEWS: usize = 3;

type Texts = [String; COLUMNS];

#[derive(Clone, Debug)]
struct Query {
    sort: Option<(usize, bool)>,
    conditions: Vec<(usize, Test, String)>,
    /// By the texts of which column.
    group: Option<usize>,
}

#[derive(Clone, Debug)]
enum Step {
    /// Rows come or change, or go.
    Tell(BTreeMap<Slot, Option<Texts>>),
    Ask(usize, Query),
    Close(usize),
}

/// The rows as they are, and what each view was last asked for.
#[derive(Default)]
struct Model {
    rows: BTreeMap<Slot, Texts>,
    views: [Option<Query>; VIEWS],
}

impl Model {
    fn handle(&mut self, step: Step) {
        match step {
            Step::Tell(changes) => {
                for (slot, texts) in changes {
                    match texts {
                        Some(texts) => self.rows.insert(slot, texts),
                        None => self.rows.remove(&slot),
                    };
                }
            }
            Step::Ask(view, query) => self.views[view] = Some(query),
            Step::Close(view) => self.views[view] = None,
        }
    }

    /// The texts that views group by, and how many of a view's rows have each.
    fn groups(&self, view: usize) -> BTreeMap<&str, u32> {
        let mut counts = BTreeMap::new();
        if let Some(column) = self.views[view].as_ref().and_then(|query| query.group) {
            for slot in self.shows(view) {
                *counts.entry(self.rows[&slot][column].as_str()).or_default() += 1;
            }
        }
        counts
    }

    fn shows(&self, view: usize) -> Vec<Slot> {
        let Some(Query {
            sort, conditions, ..
        }) = &self.views[view]
        else {
            return Vec::new();
        };
        let meets = |texts: &Texts| {
            conditions.iter().all(|(column, test, text)| match test {
                Test::Contains => texts[*column].contains(text),
                Test::Equals => texts[*column] == *text,
                Test::StartsWith => texts[*column].starts_with(text),
            })
        };
        let mut rows: Vec<_> = self.rows.iter().filter(|(_, texts)| meets(texts)).collect();
        if let Some((column, descending)) = *sort {
            rows.sort_by(|(_, one), (_, two)| {
                let order = one[column].cmp(&two[column]);
                if descending { order.reverse() } else { order }
            });
        }
        rows.into_iter().map(|(slot, _)| *slot).collect()
    }
}

/// What tells the index: its columns are numbered texts, and so are the groups of each. A text that no row has gives its number
/// to the next one.
#[derive(Default)]
struct Teller {
    index: Index,
    rows: BTreeMap<Slot, Texts>,
    numbers: [BTreeMap<String, Group>; COLUMNS],
}

impl Teller {
    fn handle(&mut self, step: Step) {
        if let Step::Tell(changes) = &step {
            for (slot, texts) in changes {
                match texts {
                    Some(texts) => self.rows.insert(*slot, texts.clone()),
                    None => self.rows.remove(slot),
                };
            }
            for column in 0..COLUMNS {
                let pairs = self.renumber(column, changes);
                self.index.handle_groups(column, pairs.into_iter());
            }
        }
        handle(&mut self.index, step);
    }

    fn renumber(
        &mut self,
        column: usize,
        changes: &BTreeMap<Slot, Option<Texts>>,
    ) -> Vec<(Slot, Group)> {
        let (rows, numbers) = (&self.rows, &mut self.numbers[column]);
        numbers.retain(|text, _| rows.values().any(|texts| texts[column] == *text));
        let mut number = |text: &String| {
            let used: BTreeSet<Group> = numbers.values().copied().collect();
            let free = (1..)
                .zip(&used)
                .find_map(|(number, used)| (number != *used).then_some(number));
            let next = used.last().map_or(1, |last| last + 1);
            *numbers.entry(text.clone()).or_insert(free.unwrap_or(next))
        };
        let change = |(slot, texts): (&Slot, &Option<Texts>)| {
            let group = texts.as_ref().map_or(0, |texts| number(&texts[column]));
            (*slot, group)
        };
        changes.iter().map(change).collect()
    }

    fn groups(&self, view: usize, column: usize, sizes: &[Size]) -> BTreeMap<&str, u32> {
        let text = |group| {
            let mut named = self.numbers[column].iter();
            named.find(|(_, number)| **number == group)
        };
        let named = |size: &Size| {
            let (text, _) = text(size.group).unwrap_or_else(|| panic!("{view}: {size:?}"));
            (text.as_str(), size.count)
        };
        sizes.iter().map(named).collect()
    }
}

fn handle(index: &mut Index, step: Step) {
    match step {
        Step::Tell(changes) => {
            for (slot, texts) in &changes {
                index.handle_row(*slot, texts.is_some());
            }
            let slots: Vec<Slot> = changes.keys().copied().collect();
            for column in 0..COLUMNS {
                let mut told = Vec::new();
                for texts in changes.values() {
                    let text = texts.as_ref().map_or("", |texts| &texts[column]);
                    told.extend_from_slice(text.as_bytes());
                    told.push(TEXT_END);
                }
                index.handle_texts(column, &slots, &told);
            }
        }
        Step::Ask(view, query) => {
            let condition = |(column, test, text): (usize, Test, String)| Condition {
                column,
                test,
                text: text.into_bytes().into(),
            };
            let sort = |(column, descending)| Sort { column, descending };
            index.ask(
                view,
                index::Query {
                    sort: query.sort.map(sort),
                    conditions: query.conditions.into_iter().map(condition).collect(),
                    grouping: query.group,
                },
            );
        }
        Step::Close(view) => index.close(view),
    }
}

/// Few different texts, so that many are equal or begin alike; some longer than what is compared at a time.
fn text(number: u16) -> String {
    let letters = |count: u16| {
        let letter = |at| char::from(b'a' + u8::from(number >> at & 1 == 1));
        (0..count).map(letter).collect::<String>()
    };
    match number % 4 {
        0 => letters(number % 3),
        1 => format!(
            "{}{}",
            "abababab".repeat(usize::from(number % 3)),
            letters(5)
        ),
        2 => format!("https://shop{}.example/{}", number % 2, letters(4)),
        // The end of a text comes before anything that could follow, even before nothing visible.
        _ => format!(
            "ä{}{}",
            "\0".repeat(usize::from(number % 5)),
            letters(number % 3)
        ),
    }
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[abä]{0,3}",
        "https://shop1",
        "[a-c]{0,9}",
        "shop2.example/b"
    ]
}

fn query() -> impl Strategy<Value = Query> {
    let test = prop_oneof![
        4 => Just(Test::Contains),
        1 => Just(Test::Equals),
        1 => Just(Test::StartsWith),
    ];
    let sort = option::of((0..COLUMNS, any::<bool>()));
    let conditions = vec((0..COLUMNS, test, word()), 0..3);
    (sort, conditions, option::of(0..COLUMNS)).prop_map(|(sort, conditions, group)| Query {
        sort,
        conditions,
        group,
    })
}

fn step(slots: Slot) -> impl Strategy<Value = Step> {
    let texts = any::<[u16; COLUMNS]>().prop_map(|numbers| numbers.map(text));
    let change = (0..slots, option::weighted(0.7, texts));
    prop_oneof![
        4 => vec(change, 1..40).prop_map(|changes| Step::Tell(changes.into_iter().collect())),
        2 => (0..VIEWS, query()).prop_map(|(view, query)| Step::Ask(view, query)),
        1 => (0..VIEWS).prop_map(Step::Close),
    ]
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    prop_oneof![vec(step(20), 1..40), vec(step(300), 1..40)]
}

fn check_groups(teller: &Teller, model: &Model, view: usize) {
    let Some(column) = model.views[view].as_ref().and_then(|query| query.group) else {
        assert!(teller.index.groups(view).is_none());
        return;
    };
    let wanted = model.groups(view);
    let counts = teller.index.groups(view).expect("a grouping");
    let sizes: Vec<Size> = counts.largest(usize::MAX).collect();
    assert_eq!(counts.total(), wanted.len());
    assert!(sizes.is_sorted_by_key(|size| (u32::MAX - size.count, size.group)));
    assert_eq!(teller.groups(view, column, &sizes), wanted);
    let first: Vec<Size> = counts.largest(2).collect();
    assert_eq!(first, sizes[..sizes.len().min(2)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_view_is_a_stable_sort_of_the_rows_that_meet_its_conditions(
        history in history(),
        offset in 0..30_usize,
        limit in 0..30_usize,
    ) {
        let (mut teller, mut model) = (Teller::default(), Model::default());
        let mut window = Vec::new();
        for step in history {
            teller.handle(step.clone());
            teller.index.apply();
            model.handle(step);
            for view in 0..VIEWS {
                let wanted = model.shows(view);
                prop_assert_eq!(teller.index.total(view), wanted.len());
                teller.index.window(view, 0, usize::MAX, &mut window);
                prop_assert_eq!(&window, &wanted);
                teller.index.window(view, offset, limit, &mut window);
                let shown: Vec<Slot> = wanted.into_iter().skip(offset).take(limit).collect();
                prop_assert_eq!(&window, &shown);
                check_groups(&teller, &model, view);
            }
        }
    }

    #[test]
    fn several_changes_may_be_told_before_they_are_applied(history in history()) {
        let (mut teller, mut model) = (Teller::default(), Model::default());
        for step in history {
            teller.handle(step.clone());
            model.handle(step);
        }
        teller.index.apply();
        let mut window = Vec::new();
        for view in 0..VIEWS {
            teller.index.window(view, 0, usize::MAX, &mut window);
            prop_assert_eq!(&window, &model.shows(view));
            check_groups(&teller, &model, view);
        }
    }
}
