//! What two needs have in common: the words of each with weights, and how alike two such lists are.
//!
//! Chinese is cut into words by a dictionary; words that say nothing are left out, words that mean one thing here are made one
//! ([`SAME`]). How much a word tells is taken from how rare it is in the language, not in the community: a community has too few
//! needs to tell, and the measure stays the same when it grows. `tests/data/similar-needs` holds what it was tuned and judged on.

mod lists;

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use jieba_rs::Jieba;

use lists::{EMPTY, LITTLE, SAME};

/// Two needs at least so alike (in thousandths) are shown as similar.
pub const THRESHOLD: i64 = 220;
/// A word of the title counts as so many of the body.
const TITLE: u32 = 2;
/// So many of a need's words are kept, the most telling.
const KEPT: usize = 40;
/// So many of a question's words are looked up, the most telling.
const ASKED: usize = 16;

static CUTTER: LazyLock<Jieba> = LazyLock::new(|| {
    let mut cutter = Jieba::new();
    // The dictionary is older than square dancing and charging posts.
    for word in SAME.iter().flat_map(|line| line.iter()) {
        if !cutter.has_word(word) {
            cutter.add_word(word, None, None);
        }
    }
    cutter
});

/// A word with its weight in thousandths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The word, or the one that stands for it.
    pub word: String,
    /// How much it tells.
    pub weight: i64,
}

/// The words of a text, the most telling first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// At most [`KEPT`].
    pub terms: Vec<Term>,
    /// The length of the vector of their weights.
    pub length: i64,
}

static MEANING: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    SAME.iter().flat_map(|line| line.iter().filter_map(|word| line.first().map(|first| (*word, *first)))).collect()
});

/// How much a word tells, in thousandths: the logarithm of how rare it is in the language.
fn telling(word: &str) -> f64 {
    /// The dictionary counts so many words.
    const ALL: f64 = 60_000_000.0;
    let count = u32::try_from(CUTTER.suggest_freq(word)).map_or(ALL, f64::from).max(1.0);
    (ALL / count).ln().clamp(1.0, 12.0)
}

/// The words of a need or a question.
pub fn terms(title: &str, body: &str) -> Terms {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for (text, times) in [(title, TITLE), (body, 1)] {
        for token in CUTTER.cut_for_search(text, true) {
            let word = token.word.trim().to_lowercase();
            let known = MEANING.get(word.as_str());
            let tells = known.is_some()
                || (word.chars().count() > 1
                    && word.chars().all(char::is_alphabetic)
                    && !EMPTY.contains(&word.as_str()));
            if tells {
                *counts.entry(known.map_or(word.clone(), |first| (*first).to_owned())).or_default() += times;
            }
        }
    }
    let weigh = |(word, count): (String, u32)| {
        let share = if LITTLE.contains(&word.as_str()) { 0.5 } else { 1.0 };
        let weight = (1.0 + f64::from(count).ln()) * telling(&word) * share;
        Term { weight: thousandths(weight).max(1), word }
    };
    let mut terms: Vec<_> = counts.into_iter().map(weigh).collect();
    terms.sort_by(|a, b| b.weight.cmp(&a.weight).then_with(|| a.word.cmp(&b.word)));
    terms.truncate(KEPT);
    let squares = terms.iter().map(|term| real(term.weight).powi(2)).sum::<f64>();
    let length = thousandths(squares.sqrt() / 1000.0).max(terms.first().map_or(0, |term| term.weight));
    Terms { terms, length }
}

impl Terms {
    /// The words to look up.
    pub fn asked(&self) -> &[Term] {
        self.terms.get(..ASKED).unwrap_or(&self.terms)
    }
}

/// How alike two texts are, in thousandths: the cosine of the angle between their weights. `shared` holds the weights, here and
/// there, of each word that stands in both.
pub fn likeness(shared: impl IntoIterator<Item = (i64, i64)>, length: i64, other: i64) -> i64 {
    if length <= 0 || other <= 0 {
        return 0;
    }
    let product: f64 = shared.into_iter().map(|(here, there)| real(here) * real(there)).sum();
    thousandths(product / (real(length) * real(other))).clamp(0, 1000)
}

/// [`likeness`] of two texts at hand.
#[cfg(test)]
pub fn likeness_of(one: &Terms, other: &Terms) -> i64 {
    let there: HashMap<&str, i64> = other.terms.iter().map(|term| (term.word.as_str(), term.weight)).collect();
    let shared =
        one.asked().iter().filter_map(|term| there.get(term.word.as_str()).map(|weight| (term.weight, *weight)));
    likeness(shared, one.length, other.length)
}

/// The order in which similar needs are shown: how alike, a little more for the same building or grid, a little less with age.
pub fn rank(likeness: i64, steps_apart: i64, days_old: i64) -> i64 {
    let near = match steps_apart {
        ..=0 => 60,
        1 => 40,
        2 => 20,
        _ => 0,
    };
    likeness + near - (days_old.max(0) / 30).min(12) * 5
}

/// How many levels one must go up and down from one place to come to another.
pub fn steps_apart(one: &str, other: &str) -> i64 {
    let parts = |path: &str| path.trim_matches('/').split('/').map(str::to_owned).collect::<Vec<_>>();
    let (one, other) = (parts(one), parts(other));
    let shared = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    i64::try_from(one.len() + other.len() - 2 * shared).unwrap_or(i64::MAX)
}

fn real(thousandths: i64) -> f64 {
    i32::try_from(thousandths).map_or(f64::MAX, f64::from)
}

fn thousandths(value: f64) -> i64 {
    format!("{:.0}", (value * 1000.0).clamp(0.0, 1e12)).parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_word_has_one_meaning() {
        let words: Vec<_> = SAME.iter().flat_map(|line| line.iter()).collect();
        let distinct: std::collections::HashSet<_> = words.iter().collect();
        assert_eq!(words.len(), distinct.len());
    }

    #[test]
    fn other_words_for_one_thing_are_alike_and_other_things_are_not() {
        let of = |title: &str| terms(title, "");
        assert!(likeness_of(&of("老年人助餐"), &of("高龄食堂")) > 990);
        assert_eq!(likeness_of(&of("希望社区解决一下"), &of("希望社区解决一下")), 0, "nothing is said");
        let (one, other) = (of("楼道灯坏了"), of("楼梯间的感应灯不亮，要修"));
        assert!(likeness_of(&one, &other) > THRESHOLD, "{} of {one:?} and {other:?}", likeness_of(&one, &other));
        assert!(likeness_of(&of("楼道灯坏了"), &of("办一个书法班")) < THRESHOLD);
    }

    #[test]
    fn nearer_and_newer_stand_first() {
        assert!(rank(500, 0, 0) > rank(500, 2, 0) && rank(500, 0, 0) > rank(500, 0, 90));
        assert_eq!(steps_apart("/a/b/c/d/", "/a/b/c/e/"), 2);
        assert_eq!(steps_apart("/a/b/", "/a/b/"), 0);
        assert_eq!(steps_apart("/a/b/", "/a/b/c/"), 1);
    }

    /// How alike each labelled pair of one half is, with whether it says the same.
    fn judged(half: &str) -> Vec<(i64, bool, String)> {
        let data = include_str!("../../../../tests/data/similar-needs.tsv");
        let rows: Vec<Vec<&str>> =
            data.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect()).collect();
        let needs: HashMap<&str, Terms> =
            rows.iter().filter(|row| row[0] == "need").map(|row| (row[1], terms(row[2], row[3]))).collect();
        let pairs = rows.iter().filter(|row| row[0] == "pair" && row[1] == half);
        let judge = |row: &Vec<&str>| {
            (likeness_of(&needs[row[3]], &needs[row[4]]), row[2] == "similar", format!("{} {}", row[3], row[4]))
        };
        pairs.map(judge).collect()
    }

    /// Precision and recall in per cent.
    fn measured(pairs: &[(i64, bool, String)], threshold: i64) -> (usize, usize) {
        let shown = pairs.iter().filter(|(alike, ..)| *alike >= threshold).count();
        let right = pairs.iter().filter(|(alike, same, _)| *alike >= threshold && *same).count();
        let same = pairs.iter().filter(|(_, same, _)| *same).count();
        (right * 100 / shown.max(1), right * 100 / same.max(1))
    }

    // Guards: the word lists and the threshold. Set on the half `tune` alone; the floors stand a little below what was measured.
    #[test]
    fn similar_needs_are_found_and_others_are_not() {
        let (tune, report) = (judged("tune"), judged("report"));
        assert!(tune.len() + report.len() >= 200);
        for (name, pairs) in [("tune", &tune), ("report", &report)] {
            for threshold in (80..=400).step_by(20).chain([THRESHOLD]) {
                let (precision, recall) = measured(pairs, threshold);
                println!("{name} {threshold}: precision {precision} %, recall {recall} %");
            }
        }
        let (precision, recall) = measured(&report, THRESHOLD);
        assert!(precision >= 72 && recall >= 84, "{precision} % right, {recall} % found");
    }

    proptest! {
        #[test]
        fn likeness_is_between_nothing_and_the_same(one in "[停车老人食堂电梯灯坏漏水]{2,12}", other in "[停车老人食堂电梯灯坏漏水]{2,12}") {
            let (one, other) = (terms(&one, ""), terms(&other, ""));
            let alike = likeness_of(&one, &other);
            prop_assert!((0..=1000).contains(&alike));
            prop_assert!((alike - likeness_of(&other, &one)).abs() <= 1);
            if one.length > 0 {
                prop_assert!(likeness_of(&one, &one) >= 998);
            }
        }
    }
}
