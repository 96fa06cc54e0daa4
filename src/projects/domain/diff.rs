//! How two documents differ, field by field.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What became of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It was not there before.
    Added,
    /// It is not there any more.
    Removed,
    /// It says something else.
    Changed,
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Change {
    /// Where, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What became of it.
    pub kind: Kind,
    /// What it said; nothing where it was not there.
    pub before: Option<Value>,
    /// What it says; nothing where it is no more.
    pub after: Option<Value>,
}

/// The changes that make `after` of `before`, in an order in which they can be carried out one by one, as `apply` of the tests does. Lists are
/// compared place by place; their ends are removed from behind.
pub fn diff(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(String::new(), before, after, &mut changes);
    changes
}

fn compare(pointer: String, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    let below = |key: &str| format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, old) in before {
                match after.get(key) {
                    Some(new) => compare(below(key), old, new, changes),
                    None => changes.push(removed(below(key), old)),
                }
            }
            for (key, new) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
                changes.push(added(below(key), new));
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for (at, (old, new)) in before.iter().zip(after).enumerate() {
                compare(below(&at.to_string()), old, new, changes);
            }
            for (at, old) in before.iter().enumerate().skip(after.len()).rev() {
                changes.push(removed(below(&at.to_string()), old));
            }
            for (at, new) in after.iter().enumerate().skip(before.len()) {
                changes.push(added(below(&at.to_string()), new));
            }
        }
        (before, after) if before == after => {}
        (before, after) => {
            let (before, after) = (Some(before.clone()), Some(after.clone()));
            changes.push(Change { pointer, kind: Kind::Changed, before, after });
        }
    }
}

fn added(pointer: String, new: &Value) -> Change {
    Change { pointer, kind: Kind::Added, before: None, after: Some(new.clone()) }
}

fn removed(pointer: String, old: &Value) -> Change {
    Change { pointer, kind: Kind::Removed, before: Some(old.clone()), after: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, json};

    /// Carries changes out, one by one; nothing if one does not fit what is there.
    fn apply(document: &Value, changes: &[Change]) -> Option<Value> {
        let mut document = document.clone();
        for change in changes {
            if change.kind == Kind::Changed {
                let there = document.pointer_mut(&change.pointer)?;
                if Some(&*there) != change.before.as_ref() {
                    return None;
                }
                *there = change.after.clone()?;
                continue;
            }
            let (parent, key) = change.pointer.rsplit_once('/')?;
            let key = key.replace("~1", "/").replace("~0", "~");
            match document.pointer_mut(parent)? {
                Value::Object(map) => put(map, key, change)?,
                Value::Array(list) => {
                    let at: usize = key.parse().ok()?;
                    match change.kind {
                        Kind::Added if at == list.len() => list.push(change.after.clone()?),
                        Kind::Removed if at + 1 == list.len() && list.last() == change.before.as_ref() => {
                            drop(list.pop());
                        }
                        _ => return None,
                    }
                }
                _ => return None,
            }
        }
        Some(document)
    }

    fn put(map: &mut Map<String, Value>, key: String, change: &Change) -> Option<()> {
        let old = match &change.after {
            Some(new) => map.insert(key, new.clone()),
            None => map.remove(&key),
        };
        (old == change.before).then_some(())
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0_i64..4).prop_map(Value::from),
            "[a/~]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::btree_map("[a-c/~]{0,2}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_diff_carried_out_gives_the_other_document(before in documents(), after in documents()) {
            let changes = diff(&before, &after);
            prop_assert_eq!(apply(&before, &changes), Some(after.clone()));
            prop_assert_eq!(changes.is_empty(), before == after);
        }

        #[test]
        fn every_change_says_what_is_there(before in documents(), after in documents()) {
            for change in diff(&before, &after) {
                match change.kind {
                    Kind::Added => prop_assert!(change.before.is_none() && after.pointer(&change.pointer) == change.after.as_ref()),
                    Kind::Removed => prop_assert!(change.after.is_none() && before.pointer(&change.pointer) == change.before.as_ref()),
                    Kind::Changed => {
                        prop_assert_eq!(before.pointer(&change.pointer), change.before.as_ref());
                        prop_assert_eq!(after.pointer(&change.pointer), change.after.as_ref());
                        prop_assert!(change.before != change.after);
                    }
                }
            }
        }
    }

    #[test]
    fn fields_are_named_by_pointers() {
        let before = json!({ "goals": "a", "lines": [{ "fen": 1 }, { "fen": 2 }] });
        let after = json!({ "goals": "b", "lines": [{ "fen": 3 }], "plan": "c" });
        let said: Vec<_> = diff(&before, &after).into_iter().map(|change| (change.pointer, change.kind)).collect();
        let expected = [
            ("/goals", Kind::Changed),
            ("/lines/0/fen", Kind::Changed),
            ("/lines/1", Kind::Removed),
            ("/plan", Kind::Added),
        ];
        assert_eq!(said, expected.map(|(pointer, kind)| (pointer.to_owned(), kind)));
    }
}
