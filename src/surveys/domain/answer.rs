use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::question::{Question, QuestionKind};
use crate::platform::http::{FieldError, text};

/// Values by question id. What was left open is not in it.
pub type Answers = BTreeMap<String, Value>;

const MAX_TEXT: usize = 2000;
const MAX_NUMBER: f64 = 1e12;
/// So many mistakes are named at most.
const MAX_ERRORS: usize = 20;

/// The answers as they are kept, or what is wrong with them. Options of a `multiple` are kept in the order of the question: in
/// which order somebody ticked them is nobody's business.
pub fn check_answers(questions: &[Question], given: &Map<String, Value>) -> Result<Answers, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut kept = Answers::new();
    for question in questions {
        match given.get(&question.id).map_or(Ok(None), |value| read(question, value)) {
            Ok(Some(value)) => {
                kept.insert(question.id.clone(), value);
            }
            Ok(None) if question.required => errors.push(error(&question.id, "missing", "必填 / must be answered")),
            Ok(None) => {}
            Err((code, detail)) => errors.push(error(&question.id, code, detail)),
        }
    }
    let unknown = given.keys().filter(|id| questions.iter().all(|question| question.id != **id));
    errors.extend(unknown.take(MAX_ERRORS).map(|id| error(id, "unknown", "没有这个问题 / no such question")));
    errors.truncate(MAX_ERRORS);
    if errors.is_empty() { Ok(kept) } else { Err(errors) }
}

fn error(id: &str, code: &'static str, detail: &str) -> FieldError {
    let id: String = id.chars().take(40).collect();
    let pointer = format!("/answers/{}", id.replace('~', "~0").replace('/', "~1"));
    FieldError { pointer, code: code.into(), detail: detail.to_owned() }
}

type Mistake = (&'static str, &'static str);

/// An answer as it is kept; nothing for one left open.
fn read(question: &Question, value: &Value) -> Result<Option<Value>, Mistake> {
    if value.is_null() {
        return Ok(None);
    }
    match question.kind {
        QuestionKind::Single => single(question, value).map(Some),
        QuestionKind::Multiple => multiple(question, value),
        QuestionKind::Scale => {
            let step = value.as_i64().ok_or(("type", "须为整数 / a whole number"))?;
            let steps = i64::try_from(question.choices().len()).unwrap_or_default();
            let fits = (1..=steps).contains(&step);
            if fits { Ok(Some(step.into())) } else { Err(("invalid", "超出范围 / not on the scale")) }
        }
        QuestionKind::Text => {
            let text = value.as_str().ok_or(("type", "须为文字 / a text"))?;
            if text.trim().is_empty() {
                return Ok(None);
            }
            match text::paragraph(MAX_TEXT)(text, &()) {
                Ok(()) => Ok(Some(text.into())),
                Err(_) => {
                    Err(("invalid", "不超过 2000 字，无控制字符 / at most 2000 characters, no control characters"))
                }
            }
        }
        QuestionKind::Number => {
            let number = value.as_f64().ok_or(("type", "须为数字 / a number"))?;
            let fits = number.abs() <= MAX_NUMBER;
            if fits { Ok(Some(value.clone())) } else { Err(("invalid", "数字过大 / between -10¹² and 10¹²")) }
        }
    }
}

const NO_SUCH_OPTION: Mistake = ("invalid", "没有这个选项 / no such option");

fn single(question: &Question, value: &Value) -> Result<Value, Mistake> {
    let id = value.as_str().ok_or(("type", "须为选项编号 / an option's id"))?;
    let known = question.options.iter().any(|option| option.id == id);
    if known { Ok(id.into()) } else { Err(NO_SUCH_OPTION) }
}

fn multiple(question: &Question, value: &Value) -> Result<Option<Value>, Mistake> {
    let ids = value.as_array().ok_or(("type", "须为选项编号的列表 / a list of options' ids"))?;
    if ids.len() > question.options.len() {
        return Err(("invalid", "选项重复 / an option stands twice"));
    }
    let mut chosen = vec![false; question.options.len()];
    for id in ids {
        let id = id.as_str().ok_or(("type", "须为选项编号的列表 / a list of options' ids"))?;
        let at = question.options.iter().position(|option| option.id == id).ok_or(NO_SUCH_OPTION)?;
        let seat = chosen.get_mut(at).ok_or(NO_SUCH_OPTION)?;
        if std::mem::replace(seat, true) {
            return Err(("invalid", "选项重复 / an option stands twice"));
        }
    }
    let kept: Vec<Value> = question
        .options
        .iter()
        .zip(chosen)
        .filter(|(_, chosen)| *chosen)
        .map(|(option, _)| option.id.as_str().into())
        .collect();
    Ok((!kept.is_empty()).then_some(Value::Array(kept)))
}

#[cfg(test)]
mod tests {
    use super::super::question::Choice;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn ask(kind: QuestionKind, required: bool, options: &[&str]) -> Question {
        let options = options.iter().map(|id| Choice { id: (*id).to_owned(), title: (*id).to_owned() }).collect();
        Question { id: "q".to_owned(), kind, title: "?".to_owned(), required, options }
    }

    fn answer(question: &Question, value: &Value) -> Result<Option<Value>, String> {
        let given = json!({ "q": value });
        match check_answers(std::slice::from_ref(question), given.as_object().unwrap()) {
            Ok(mut kept) => Ok(kept.remove("q")),
            Err(errors) => {
                assert_eq!(errors[0].pointer, "/answers/q");
                Err(errors[0].code.to_string())
            }
        }
    }

    #[test]
    fn each_kind_takes_its_own_values() {
        use QuestionKind::{Multiple, Number, Scale, Single, Text};
        let single = ask(Single, false, &["a", "b"]);
        assert_eq!(answer(&single, &json!("b")), Ok(Some(json!("b"))));
        assert_eq!(answer(&single, &json!("c")), Err("invalid".into()));
        assert_eq!(answer(&single, &json!(["a"])), Err("type".into()));
        let multiple = ask(Multiple, false, &["a", "b", "c"]);
        assert_eq!(answer(&multiple, &json!(["c", "a"])), Ok(Some(json!(["a", "c"]))));
        assert_eq!(answer(&multiple, &json!([])), Ok(None));
        assert_eq!(answer(&multiple, &json!(["a", "a"])), Err("invalid".into()));
        assert_eq!(answer(&multiple, &json!(["a", 1])), Err("type".into()));
        assert_eq!(answer(&multiple, &json!("a")), Err("type".into()));
        let scale = ask(Scale, false, &[]);
        assert_eq!(answer(&scale, &json!(5)), Ok(Some(json!(5))));
        for (value, code) in [(json!(0), "invalid"), (json!(6), "invalid"), (json!(2.5), "type"), (json!("3"), "type")]
        {
            assert_eq!(answer(&scale, &value), Err(code.into()));
        }
        assert_eq!(answer(&ask(Scale, false, &["x", "y"]), &json!(3)), Err("invalid".into()));
        let number = ask(Number, false, &[]);
        assert_eq!(answer(&number, &json!(-2.5)), Ok(Some(json!(-2.5))));
        assert_eq!(answer(&number, &json!(1e300)), Err("invalid".into()));
        assert_eq!(answer(&number, &json!("1")), Err("type".into()));
        let text = ask(Text, false, &[]);
        assert_eq!(answer(&text, &json!("一\n二")), Ok(Some(json!("一\n二"))));
        assert_eq!(answer(&text, &json!("  ")), Ok(None));
        assert_eq!(answer(&text, &json!("字".repeat(2001))), Err("invalid".into()));
        assert_eq!(answer(&text, &json!("a\u{0}")), Err("invalid".into()));
        assert_eq!(answer(&text, &json!(1)), Err("type".into()));
    }

    #[test]
    fn what_is_required_must_be_there() {
        for (kind, empty) in [(QuestionKind::Text, json!(" ")), (QuestionKind::Multiple, json!([]))] {
            assert_eq!(answer(&ask(kind, true, &["a", "b"]), &empty), Err("missing".into()));
        }
        assert_eq!(answer(&ask(QuestionKind::Number, true, &[]), &Value::Null), Err("missing".into()));
        assert!(check_answers(&[ask(QuestionKind::Text, false, &[])], &Map::new()).unwrap().is_empty());
    }

    #[test]
    fn unknown_questions_are_named_and_not_without_end() {
        let given: Map<_, _> = (0..1000).map(|at| (format!("a/{at}"), json!(1))).collect();
        let errors = check_answers(&[], &given).unwrap_err();
        assert_eq!(errors.len(), MAX_ERRORS);
        assert_eq!((errors[0].pointer.as_str(), errors[0].code.as_ref()), ("/answers/a~10", "unknown"));
    }

    proptest! {
        #[test]
        fn what_is_kept_is_kept_again(kind in 0..5_usize, value in "[a-d0-9\\[\\],\"\\-.]{0,12}") {
            use QuestionKind::{Multiple, Number, Scale, Single, Text};
            let kind = [Single, Multiple, Scale, Text, Number][kind];
            let options: &[&str] = if matches!(kind, Single | Multiple) { &["a", "b", "c"] } else { &[] };
            let question = ask(kind, false, options);
            let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
            if let Ok(Some(kept)) = answer(&question, &value) {
                prop_assert_eq!(answer(&question, &kept), Ok(Some(kept.clone())));
            }
        }
    }
}
