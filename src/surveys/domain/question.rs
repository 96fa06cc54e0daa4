use std::collections::HashSet;

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::http::{FieldError, text};

const MAX_QUESTIONS: usize = 100;
const MAX_OPTIONS: usize = 50;

/// What an answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// The id of one option.
    Single,
    /// A list of ids of different options.
    Multiple,
    /// A whole number: 1 to the number of options, which name the steps; 1 to 5 without options.
    Scale,
    /// Up to 2,000 characters.
    Text,
    /// A number between -10¹² and 10¹².
    Number,
}

/// A question of a survey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// 1 to 40 of `a-z 0-9 _ -`, once in a survey.
    #[garde(custom(word))]
    pub id: String,
    /// What an answer looks like.
    #[garde(skip)]
    pub kind: QuestionKind,
    /// What is asked.
    #[garde(custom(text::line(200)))]
    pub title: String,
    /// Whether it must be answered.
    #[garde(skip)]
    #[serde(default)]
    pub required: bool,
    /// 2 to 50 for `single` and `multiple`; none or 2 to 50 for `scale`; none for `text` and `number`.
    #[garde(dive)]
    #[serde(default)]
    pub options: Vec<Choice>,
}

/// Something to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// 1 to 40 of `a-z 0-9 _ -`, once in a question.
    #[garde(custom(word))]
    pub id: String,
    /// What one reads.
    #[garde(custom(text::line(100)))]
    pub title: String,
}

impl Question {
    /// What can be chosen: the options, or the five steps of a scale without any.
    pub fn choices(&self) -> Vec<Choice> {
        if self.kind == QuestionKind::Scale && self.options.is_empty() {
            return (1..=5).map(|step| Choice { id: step.to_string(), title: step.to_string() }).collect();
        }
        self.options.clone()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "garde's signature")]
fn word(text: &str, (): &()) -> garde::Result {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    if (1..=40).contains(&text.len()) && text.chars().all(fits) {
        return Ok(());
    }
    Err(garde::Error::new("1 到 40 个小写字母、数字、_ 或 - / 1 to 40 of a-z 0-9 _ -"))
}

/// What is wrong with the questions of a new survey, beyond single fields.
pub fn check_questions(questions: &[Question]) -> Result<(), Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut refuse = |pointer: String, detail: &str| {
        errors.push(FieldError { pointer, code: "invalid".into(), detail: detail.to_owned() });
    };
    if !(1..=MAX_QUESTIONS).contains(&questions.len()) {
        refuse("/questions".to_owned(), "须有 1 到 100 个问题 / 1 to 100 questions");
    }
    let mut ids = HashSet::new();
    for (at, question) in questions.iter().enumerate().take(MAX_QUESTIONS) {
        if !ids.insert(&question.id) {
            refuse(format!("/questions/{at}/id"), "编号重复 / used by an earlier question");
        }
        let (least, most) = match question.kind {
            QuestionKind::Scale if question.options.is_empty() => (0, 0),
            QuestionKind::Single | QuestionKind::Multiple | QuestionKind::Scale => (2, MAX_OPTIONS),
            QuestionKind::Text | QuestionKind::Number => (0, 0),
        };
        if !(least..=most).contains(&question.options.len()) {
            let detail =
                if most == 0 { "不能有选项 / no options" } else { "须有 2 到 50 个选项 / 2 to 50 options" };
            refuse(format!("/questions/{at}/options"), detail);
        }
        let mut ids = HashSet::new();
        for (option_at, option) in question.options.iter().enumerate().take(MAX_OPTIONS) {
            if !ids.insert(&option.id) {
                refuse(format!("/questions/{at}/options/{option_at}/id"), "编号重复 / used by an earlier option");
            }
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(id: &str, kind: QuestionKind, options: &[&str]) -> Question {
        let options = options.iter().map(|id| Choice { id: (*id).to_owned(), title: (*id).to_owned() }).collect();
        Question { id: id.to_owned(), kind, title: id.to_owned(), required: false, options }
    }

    fn pointers(questions: &[Question]) -> Vec<String> {
        check_questions(questions).err().into_iter().flatten().map(|error| error.pointer).collect()
    }

    #[test]
    fn options_belong_to_choices_and_scales() {
        use QuestionKind::{Multiple, Number, Scale, Single, Text};
        assert!(pointers(&[question("a", Single, &["x", "y"]), question("b", Scale, &[])]).is_empty());
        assert!(pointers(&[question("a", Scale, &["x", "y", "z"])]).is_empty());
        for (kind, options) in
            [(Single, vec!["x"]), (Multiple, vec![]), (Scale, vec!["x"]), (Text, vec!["x"]), (Number, vec!["x", "y"])]
        {
            assert_eq!(pointers(&[question("a", kind, &options)]), ["/questions/0/options"], "{kind:?}");
        }
    }

    #[test]
    fn ids_are_unique_and_questions_counted() {
        use QuestionKind::{Single, Text};
        assert_eq!(pointers(&[]), ["/questions"]);
        assert_eq!(pointers(&[question("a", Text, &[]), question("a", Text, &[])]), ["/questions/1/id"]);
        assert_eq!(pointers(&[question("a", Single, &["x", "x"])]), ["/questions/0/options/1/id"]);
        let many: Vec<_> = (0..101).map(|at| question(&at.to_string(), Text, &[])).collect();
        assert_eq!(pointers(&many), ["/questions"]);
    }

    #[test]
    fn a_word_is_short_and_plain() {
        assert!(word("q-1_a", &()).is_ok() && word(&"q".repeat(40), &()).is_ok());
        for bad in ["", "Q1", "q 1", "问", "a/b", "q\n"] {
            assert!(word(bad, &()).is_err(), "{bad}");
        }
        assert!(word(&"q".repeat(41), &()).is_err());
    }
}
