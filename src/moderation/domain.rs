//! Which decision an item takes, and what the verdicts on pictures come to.

use entities::files::FileState;
use entities::moderation::{ModerationAction, ModerationState, SecurityState};

/// How an item takes a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is open, and this closes it.
    Close,
    /// It is closed and hid its target, and this takes that back.
    Reopen,
    /// Somebody has decided otherwise.
    Decided,
    /// Nothing is hidden yet.
    NothingToRestore,
}

/// An open item is approved or hidden; a closed one can only take back that it hid.
pub(super) fn step(state: ModerationState, last: Option<ModerationAction>, action: ModerationAction) -> Step {
    use ModerationAction::{Approve, Hide, Restore};
    match (state, action) {
        (ModerationState::Open, Approve | Hide) => Step::Close,
        (ModerationState::Open, Restore) => Step::NothingToRestore,
        (ModerationState::Closed, Restore) if last == Some(Hide) => Step::Reopen,
        (ModerationState::Closed, _) => Step::Decided,
    }
}

/// What the pictures' verdicts come to, the text having passed: one that did not pass counts before one that is not known.
pub(super) fn pictures(states: &[FileState]) -> SecurityState {
    if states.iter().any(|state| matches!(state, FileState::Review | FileState::Blocked)) {
        SecurityState::Risky
    } else if states.contains(&FileState::Pending) {
        SecurityState::Pictures
    } else {
        SecurityState::Passed
    }
}

/// The beginning of what somebody wrote, for the queue.
pub(super) fn excerpt(title: &str, text: &str) -> String {
    const LENGTH: usize = 80;
    let whole = if title.is_empty() { text.to_owned() } else { format!("{title}：{text}") };
    let mut letters = whole.chars().map(|letter| if letter.is_whitespace() { ' ' } else { letter });
    let mut excerpt: String = letters.by_ref().take(LENGTH).collect();
    if letters.next().is_some() {
        excerpt.push('…');
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sea_orm::Iterable;

    proptest! {
        #[test]
        fn only_pictures_that_all_passed_pass(states in proptest::collection::vec(
            proptest::sample::select(FileState::iter().collect::<Vec<_>>()), 0..6)) {
            let outcome = pictures(&states);
            prop_assert_eq!(outcome == SecurityState::Passed, states.iter().all(|state| *state == FileState::Passed));
            prop_assert!(outcome != SecurityState::Pictures || states.contains(&FileState::Pending));
        }
    }

    #[test]
    fn the_first_decision_stands_and_only_hiding_can_be_taken_back() {
        use ModerationAction::{Approve, Hide, Restore};
        let (open, closed) = (ModerationState::Open, ModerationState::Closed);
        assert_eq!(step(open, None, Approve), Step::Close);
        assert_eq!(step(open, None, Hide), Step::Close);
        assert_eq!(step(open, None, Restore), Step::NothingToRestore);
        for last in [Approve, Hide, Restore] {
            for action in [Approve, Hide, Restore] {
                let expected = if (last, action) == (Hide, Restore) { Step::Reopen } else { Step::Decided };
                assert_eq!(step(closed, Some(last), action), expected, "{last}, then {action}");
            }
        }
    }

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt("停车", "楼下\n停满了"), "停车：楼下 停满了");
        assert_eq!(excerpt("", &"里".repeat(200)).chars().count(), 81);
    }
}
