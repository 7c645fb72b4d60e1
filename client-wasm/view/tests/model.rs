//! Random histories: whatever came before, views are what filtering, searching and sorting all rows would give.

use std::collections::BTreeMap;

use chat_client_view::Slot;
use chat_client_view::index::{Condition, Index, TEXT_END, Test};
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

    fn shows(&self, view: usize) -> Vec<Slot> {
        let Some(Query { sort, conditions }) = &self.views[view] else {
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
        Step::Ask(view, Query { sort, conditions }) => index.ask(
            view,
            sort.map(|(column, descending)| Sort { column, descending }),
            conditions
                .into_iter()
                .map(|(column, test, text)| Condition {
                    column,
                    test,
                    text: text.into_bytes().into(),
                })
                .collect(),
        ),
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
    (sort, conditions).prop_map(|(sort, conditions)| Query { sort, conditions })
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_view_is_a_stable_sort_of_the_rows_that_meet_its_conditions(
        history in history(),
        offset in 0..30_usize,
        limit in 0..30_usize,
    ) {
        let (mut index, mut model) = (Index::default(), Model::default());
        let mut window = Vec::new();
        for step in history {
            handle(&mut index, step.clone());
            index.apply();
            model.handle(step);
            for view in 0..VIEWS {
                let wanted = model.shows(view);
                prop_assert_eq!(index.total(view), wanted.len());
                index.window(view, 0, usize::MAX, &mut window);
                prop_assert_eq!(&window, &wanted);
                index.window(view, offset, limit, &mut window);
                let shown: Vec<Slot> = wanted.into_iter().skip(offset).take(limit).collect();
                prop_assert_eq!(&window, &shown);
            }
        }
    }

    #[test]
    fn several_changes_may_be_told_before_they_are_applied(history in history()) {
        let (mut index, mut model) = (Index::default(), Model::default());
        for step in history {
            handle(&mut index, step.clone());
            model.handle(step);
        }
        index.apply();
        let mut window = Vec::new();
        for view in 0..VIEWS {
            index.window(view, 0, usize::MAX, &mut window);
            prop_assert_eq!(&window, &model.shows(view));
        }
    }
}
