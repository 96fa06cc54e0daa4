use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::answer::Answers;
use super::question::{Choice, Question, QuestionKind};
use super::suppression;

/// So many texts are shown, shared evenly by the questions that ask for one.
const MAX_TEXTS: usize = 500;

/// The figures of one question.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Figure {
    /// The question's id.
    pub id: String,
    /// The question.
    pub title: String,
    /// Its kind.
    pub kind: QuestionKind,
    /// How many answered it; absent where that would give somebody away.
    pub answered: Option<u32>,
    /// Whether something is hidden because too few people stand behind it.
    pub suppressed: bool,
    /// For `single`, `multiple` and `scale`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<Cell>>,
    /// For `scale` and `number`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// For `scale` and `number`, never of an anonymous survey: it is one person's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Like `min`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// For `text`: a sample (500 in a survey) in an order that says nothing about who wrote them or what else they answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub texts: Option<Vec<String>>,
}

/// How many chose an option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Cell {
    /// The option's id; the number of a step of a scale without options.
    pub id: String,
    /// The option.
    pub title: String,
    /// Absent where it is hidden.
    pub count: Option<u32>,
    /// Whether it is hidden.
    pub suppressed: bool,
}

/// A fold over the responses of a survey, whose size does not depend on how many they are.
#[derive(Debug)]
pub struct Tally<'a> {
    responses: u32,
    columns: Vec<Column<'a>>,
}

/// What is known of one question.
#[derive(Debug)]
struct Column<'a> {
    question: &'a Question,
    choices: Vec<Choice>,
    answered: u32,
    counts: Vec<u32>,
    sum: f64,
    min: f64,
    max: f64,
    /// By a hash of the text, so that the order of one question's texts is not that of another's.
    texts: BTreeMap<([u8; 32], u32), String>,
    max_texts: usize,
}

impl<'a> Tally<'a> {
    /// Of no responses yet.
    pub fn new(questions: &'a [Question]) -> Self {
        let writing = questions.iter().filter(|question| question.kind == QuestionKind::Text).count();
        let max_texts = MAX_TEXTS / writing.max(1);
        Self { responses: 0, columns: questions.iter().map(|question| Column::new(question, max_texts)).collect() }
    }

    /// Counts one response.
    pub fn add(&mut self, answers: &Answers) {
        self.responses = self.responses.saturating_add(1);
        for column in &mut self.columns {
            if let Some(value) = answers.get(&column.question.id) {
                column.add(value);
            }
        }
    }

    /// How many responses were counted.
    pub fn responses(&self) -> u32 {
        self.responses
    }

    /// All figures: with nothing behind which fewer than `minimum` people stand, if one is given.
    pub fn figures(self, minimum: Option<u32>) -> Vec<Figure> {
        let Self { responses, columns } = self;
        columns
            .into_iter()
            .map(|column| match minimum {
                Some(minimum) if minimum > 1 => column.guarded(responses, minimum),
                _ => column.open(),
            })
            .collect()
    }
}

impl<'a> Column<'a> {
    fn new(question: &'a Question, max_texts: usize) -> Self {
        let choices = question.choices();
        Self {
            question,
            answered: 0,
            counts: vec![0; choices.len()],
            choices,
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            texts: BTreeMap::new(),
            max_texts,
        }
    }

    fn add(&mut self, value: &Value) {
        self.answered = self.answered.saturating_add(1);
        match self.question.kind {
            QuestionKind::Single => self.count(value),
            QuestionKind::Multiple => value.as_array().into_iter().flatten().for_each(|id| self.count(id)),
            QuestionKind::Scale => {
                self.measure(value);
                let at =
                    value.as_u64().and_then(|step| usize::try_from(step).ok()).and_then(|step| step.checked_sub(1));
                if let Some(count) = at.and_then(|at| self.counts.get_mut(at)) {
                    *count = count.saturating_add(1);
                }
            }
            QuestionKind::Number => self.measure(value),
            QuestionKind::Text => {
                let text = value.as_str().unwrap_or_default();
                let hash =
                    Sha256::new().chain_update(&self.question.id).chain_update([0]).chain_update(text).finalize();
                self.texts.insert((hash.into(), self.answered), text.to_owned());
                if self.texts.len() > self.max_texts {
                    self.texts.pop_last();
                }
            }
        }
    }

    fn count(&mut self, id: &Value) {
        let at = self.choices.iter().position(|choice| id.as_str() == Some(choice.id.as_str()));
        if let Some(count) = at.and_then(|at| self.counts.get_mut(at)) {
            *count = count.saturating_add(1);
        }
    }

    fn measure(&mut self, value: &Value) {
        let number = value.as_f64().unwrap_or_default();
        self.sum += number;
        self.min = self.min.min(number);
        self.max = self.max.max(number);
    }

    fn mean(&self) -> Option<f64> {
        (self.answered > 0).then(|| self.sum / f64::from(self.answered))
    }

    /// Everything.
    fn open(self) -> Figure {
        let measured = self.answered > 0 && matches!(self.question.kind, QuestionKind::Scale | QuestionKind::Number);
        Figure {
            answered: Some(self.answered),
            mean: self.mean().filter(|_| measured),
            min: measured.then_some(self.min),
            max: measured.then_some(self.max),
            ..self.frame(None, true)
        }
    }

    /// What may be shown of an anonymous survey.
    fn guarded(self, responses: u32, minimum: u32) -> Figure {
        if responses < minimum {
            let hidden = vec![true; self.choices.len()];
            return Figure { suppressed: true, ..self.frame(Some(&hidden), false) };
        }
        // Who left a question open stands in a cell too.
        let skipped = (!self.question.required).then(|| responses.saturating_sub(self.answered));
        let large = |cell: u32| cell >= minimum;
        let counted = large(self.answered) && skipped.is_none_or(large);
        match self.question.kind {
            QuestionKind::Single | QuestionKind::Scale => {
                let cells: Vec<u32> = self.counts.iter().copied().chain(skipped).collect();
                let hidden = suppression::of_partition(&cells, minimum);
                let nothing_hidden = !hidden.contains(&true);
                let answered = hidden.get(self.counts.len()).is_none_or(|hidden| !hidden).then_some(self.answered);
                // With a cell hidden, a mean would be an equation for it.
                let mean = self.mean().filter(|_| nothing_hidden && self.question.kind == QuestionKind::Scale);
                Figure { answered, mean, suppressed: !nothing_hidden, ..self.frame(Some(&hidden), false) }
            }
            QuestionKind::Multiple => {
                let hidden = suppression::of_subsets(&self.counts, self.answered, minimum);
                let suppressed = !counted || hidden.contains(&true);
                let answered = counted.then_some(self.answered);
                Figure { answered, suppressed, ..self.frame(Some(&hidden), false) }
            }
            QuestionKind::Number => {
                let mean = self.mean().filter(|_| large(self.answered));
                let answered = counted.then_some(self.answered);
                Figure { answered, mean, suppressed: !counted, ..self.frame(None, false) }
            }
            QuestionKind::Text => {
                let shown = large(self.answered);
                let answered = shown.then_some(self.answered);
                Figure { answered, suppressed: !shown, ..self.frame(None, shown) }
            }
        }
    }

    /// The question with its cells, those that are not hidden, and its texts, if they are shown.
    fn frame(self, hidden: Option<&[bool]>, texts: bool) -> Figure {
        let Question { id, title, kind, .. } = self.question;
        let cells = self.choices.into_iter().zip(self.counts).enumerate().map(|(at, (choice, count))| {
            let suppressed = hidden.is_some_and(|hidden| hidden.get(at).copied().unwrap_or(true));
            Cell { id: choice.id, title: choice.title, count: (!suppressed).then_some(count), suppressed }
        });
        let chosen = matches!(kind, QuestionKind::Single | QuestionKind::Multiple | QuestionKind::Scale);
        Figure {
            id: id.clone(),
            title: title.clone(),
            kind: *kind,
            answered: None,
            suppressed: false,
            options: chosen.then(|| cells.collect()),
            mean: None,
            min: None,
            max: None,
            texts: (texts && *kind == QuestionKind::Text).then(|| self.texts.into_values().collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const KINDS: [QuestionKind; 5] =
        [QuestionKind::Single, QuestionKind::Multiple, QuestionKind::Scale, QuestionKind::Text, QuestionKind::Number];

    fn questions(required: bool) -> Vec<Question> {
        let option = |id: &str| Choice { id: id.to_owned(), title: id.to_owned() };
        KINDS
            .iter()
            .enumerate()
            .map(|(at, kind)| Question {
                id: format!("q{at}"),
                kind: *kind,
                title: format!("{kind:?}"),
                required,
                options: if at < 2 { vec![option("a"), option("b"), option("c")] } else { vec![] },
            })
            .collect()
    }

    fn tally<'a>(questions: &'a [Question], responses: &[Answers]) -> Tally<'a> {
        let mut tally = Tally::new(questions);
        for answers in responses {
            tally.add(answers);
        }
        tally
    }

    fn answers() -> impl Strategy<Value = Answers> {
        let single = proptest::option::of(0..3_usize);
        let multiple = proptest::collection::btree_set(0..3_usize, 0..=3);
        let values = (
            single,
            multiple,
            proptest::option::of(1..=5_i64),
            proptest::option::of("[好坏]{1,3}"),
            proptest::option::of(-9..9_i64),
        );
        values.prop_map(|(single, multiple, scale, text, number)| {
            let option = |at: usize| ["a", "b", "c"][at];
            let mut answers = Answers::new();
            if let Some(at) = single {
                answers.insert("q0".into(), json!(option(at)));
            }
            if !multiple.is_empty() {
                answers.insert("q1".into(), json!(multiple.into_iter().map(option).collect::<Vec<_>>()));
            }
            if let Some(step) = scale {
                answers.insert("q2".into(), json!(step));
            }
            if let Some(text) = text {
                answers.insert("q3".into(), json!(text));
            }
            if let Some(number) = number {
                answers.insert("q4".into(), json!(number));
            }
            answers
        })
    }

    proptest! {
        #[test]
        fn the_fold_equals_counting_by_hand(responses in proptest::collection::vec(answers(), 0..40)) {
            let questions = questions(false);
            let figures = tally(&questions, &responses).figures(None);
            for figure in figures {
                let given: Vec<&Value> = responses.iter().filter_map(|answers| answers.get(&figure.id)).collect();
                prop_assert_eq!(figure.answered, Some(u32::try_from(given.len()).unwrap()));
                for cell in figure.options.iter().flatten() {
                    let chose = |value: &&&Value| match value {
                        Value::String(id) => *id == cell.id,
                        Value::Array(ids) => ids.contains(&json!(cell.id)),
                        other => other.to_string() == cell.id,
                    };
                    prop_assert_eq!(cell.count, Some(u32::try_from(given.iter().filter(chose).count()).unwrap()));
                }
                if matches!(figure.kind, QuestionKind::Scale | QuestionKind::Number) {
                    let numbers: Vec<f64> = given.iter().filter_map(|value| value.as_f64()).collect();
                    let count = f64::from(u32::try_from(numbers.len()).unwrap());
                    prop_assert_eq!(figure.mean.is_some(), !numbers.is_empty());
                    if let Some(mean) = figure.mean {
                        prop_assert!((mean - numbers.iter().sum::<f64>() / count).abs() < 1e-9);
                        prop_assert_eq!(figure.min, numbers.iter().copied().reduce(f64::min));
                        prop_assert_eq!(figure.max, numbers.iter().copied().reduce(f64::max));
                    }
                }
                if let Some(mut texts) = figure.texts {
                    texts.sort();
                    let mut expected: Vec<_> = given.iter().filter_map(|value| value.as_str()).collect();
                    expected.sort_unstable();
                    prop_assert_eq!(texts, expected);
                }
            }
        }

        #[test]
        fn what_an_anonymous_survey_shows_is_never_small(
            responses in proptest::collection::vec(answers(), 0..40), minimum in 2_u32..7
        ) {
            let questions = questions(false);
            let open = tally(&questions, &responses).figures(None);
            let guarded = tally(&questions, &responses).figures(Some(minimum));
            let total = u32::try_from(responses.len()).unwrap();
            for (open, guarded) in open.iter().zip(&guarded) {
                prop_assert!(guarded.answered.is_none_or(|answered| answered >= minimum && Some(answered) == open.answered));
                prop_assert!(guarded.min.is_none() && guarded.max.is_none());
                prop_assert!(guarded.mean.is_none() || open.answered >= Some(minimum));
                prop_assert!(guarded.texts.is_none() || open.answered >= Some(minimum));
                let shown: Vec<u32> = guarded.options.iter().flatten().filter_map(|cell| cell.count).collect();
                prop_assert!(shown.iter().all(|count| *count >= minimum));
                if total < minimum {
                    prop_assert!(guarded.suppressed && shown.is_empty() && guarded.mean.is_none() && guarded.texts.is_none());
                }
                if matches!(guarded.kind, QuestionKind::Single | QuestionKind::Scale) {
                    let rest = total - shown.iter().sum::<u32>() - guarded.answered.map_or(0, |answered| total - answered);
                    let hidden = guarded.options.iter().flatten().any(|cell| cell.suppressed);
                    prop_assert!(!hidden || guarded.answered.is_none() || rest >= minimum || total < minimum);
                    prop_assert!(guarded.mean.is_none() || !hidden);
                }
            }
        }

        #[test]
        fn the_order_of_responses_shows_nowhere(
            (responses, shuffled) in proptest::collection::vec(answers(), 0..30)
                .prop_flat_map(|responses| (Just(responses.clone()), Just(responses).prop_shuffle()))
        ) {
            let questions = questions(true);
            let figures = |responses: &[Answers]| {
                let mut figures = tally(&questions, responses).figures(Some(2));
                for figure in &mut figures {
                    figure.mean = figure.mean.map(|mean| (mean * 1e6).round());
                }
                figures
            };
            prop_assert_eq!(figures(&responses), figures(&shuffled));
        }
    }

    #[test]
    fn texts_are_a_bounded_sample() {
        let questions = questions(false);
        let responses: Vec<Answers> =
            (0..1000).map(|at| Answers::from([("q3".to_owned(), json!(format!("意见 {at}")))])).collect();
        let figures = tally(&questions, &responses).figures(None);
        assert_eq!(figures[3].answered, Some(1000));
        assert_eq!(figures[3].texts.as_ref().map(Vec::len), Some(MAX_TEXTS));
    }
}
