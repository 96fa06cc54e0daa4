//! What makes a poll, and a ballot in it, valid.

use chrono::{DateTime, TimeDelta, Utc};
use entities::ids::PollOptionId;
use entities::polls::PollKind;

use crate::platform::mistake::Mistake;

/// A poll has at most so many options.
pub const MAX_OPTIONS: usize = 50;
/// What a poll of kind `yes_no` asks when it is not told: for, against, abstention, in this order.
pub const YES_NO: [&str; 3] = ["赞成", "反对", "弃权"];

/// How a ballot of a poll is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The kind.
    pub kind: PollKind,
    /// At most so many options on one ballot.
    pub max_choices: usize,
}

impl Rules {
    /// The rules of a new poll with so many options.
    pub fn of_new(kind: PollKind, options: usize, max_choices: Option<usize>) -> Result<Self, Mistake> {
        let (least, most) = if kind == PollKind::YesNo { (2, YES_NO.len()) } else { (2, MAX_OPTIONS) };
        if !(least..=most).contains(&options) {
            return Err(Mistake::at(
                "/options",
                match kind {
                    PollKind::YesNo => {
                        "依次为赞成、反对、弃权，可不填 / for, against, abstention in this order, or none"
                    }
                    PollKind::Single | PollKind::Approval => "须为 2 至 50 项 / 2 to 50 options",
                },
            ));
        }
        let max_choices = match (kind, max_choices) {
            (PollKind::Approval, chosen) => chosen.unwrap_or(options),
            (PollKind::Single | PollKind::YesNo, chosen) => chosen.unwrap_or(1),
        };
        let most = if kind == PollKind::Approval { options } else { 1 };
        if !(1..=most).contains(&max_choices) {
            return Err(Mistake::at(
                "/max_choices",
                "须在 1 与选项数之间；单选和是非表决为 1 / 1 to the number of options; 1 unless the kind is approval",
            ));
        }
        Ok(Self { kind, max_choices })
    }

    /// The ballot in canonical form: the options' places, ascending. The order of ticking is not kept: it would be a fingerprint.
    pub fn check(&self, options: &[PollOptionId], choices: &[PollOptionId]) -> Result<Vec<usize>, Mistake> {
        if choices.is_empty() || choices.len() > self.max_choices {
            return Err(Mistake::at(
                "/choices",
                if self.max_choices == 1 {
                    "须选 1 项 / choose exactly one"
                } else {
                    "选项过少或过多 / too few or too many"
                },
            ));
        }
        let mut places = Vec::with_capacity(choices.len());
        for (at, choice) in choices.iter().enumerate() {
            let pointer = || format!("/choices/{at}");
            let place = options
                .iter()
                .position(|option| option == choice)
                .ok_or_else(|| Mistake::at(pointer(), "不是本次表决的选项 / not an option of this poll"))?;
            if places.contains(&place) {
                return Err(Mistake::at(pointer(), "重复选择 / chosen twice"));
            }
            places.push(place);
        }
        places.sort_unstable();
        Ok(places)
    }
}

/// Whether a new poll's calendar makes sense: it closes in the future, after it opens, and within some years.
pub fn check_calendar(
    opens_at: Option<DateTime<Utc>>,
    closes_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), Mistake> {
    let horizon = now + TimeDelta::days(5 * 366);
    if opens_at.is_some_and(|opens| opens > horizon) {
        return Err(Mistake::at("/opens_at", "须在五年之内 / within five years"));
    }
    if closes_at.is_some_and(|closes| closes <= now.max(opens_at.unwrap_or(now)) || closes > horizon) {
        return Err(Mistake::at(
            "/closes_at",
            "须晚于现在和开始时间，且在五年之内 / later than now and than opens_at, within five years",
        ));
    }
    Ok(())
}

/// Whether the time for voting is over, whether or not somebody has counted yet.
pub fn is_over(closes_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    closes_at.is_some_and(|closes| closes <= now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn options(count: u128) -> Vec<PollOptionId> {
        (0..count).map(|at| Uuid::from_u128(at).into()).collect()
    }

    fn pointer<T: std::fmt::Debug>(result: Result<T, Mistake>) -> String {
        result.unwrap_err().pointer
    }

    #[test]
    fn a_poll_has_a_sensible_number_of_options_and_choices() {
        let rules = |kind, options, max| Rules::of_new(kind, options, max);
        assert_eq!(rules(PollKind::Approval, 5, None).unwrap().max_choices, 5);
        assert_eq!(rules(PollKind::Approval, 5, Some(2)).unwrap().max_choices, 2);
        assert_eq!(rules(PollKind::Single, 50, None).unwrap().max_choices, 1);
        assert_eq!(rules(PollKind::YesNo, 3, Some(1)).unwrap().max_choices, 1);
        for (kind, options) in [(PollKind::Single, 1), (PollKind::Approval, 51), (PollKind::YesNo, 4)] {
            assert_eq!(pointer(rules(kind, options, None)), "/options");
        }
        for (kind, max) in
            [(PollKind::Single, 2), (PollKind::Approval, 0), (PollKind::Approval, 4), (PollKind::YesNo, 2)]
        {
            assert_eq!(pointer(rules(kind, 3, Some(max))), "/max_choices");
        }
    }

    #[test]
    fn a_ballot_names_its_mistakes_and_forgets_its_order() {
        let rules = Rules { kind: PollKind::Approval, max_choices: 2 };
        let known = options(3);
        let (a, b, c) = (known[0], known[1], known[2]);
        assert_eq!(rules.check(&known, &[c, a]), Ok(vec![0, 2]));
        assert_eq!(pointer(rules.check(&known, &[])), "/choices");
        assert_eq!(pointer(rules.check(&known, &[a, b, c])), "/choices");
        assert_eq!(pointer(rules.check(&known, &[a, a])), "/choices/1");
        assert_eq!(pointer(rules.check(&known, &[options(9)[8], a])), "/choices/0");
        let single = Rules { kind: PollKind::Single, max_choices: 1 };
        assert_eq!(pointer(single.check(&known, &[a, b])), "/choices");
    }

    #[test]
    fn a_poll_closes_after_it_opens() {
        let now = DateTime::UNIX_EPOCH;
        let at = |hours| Some(now + TimeDelta::hours(hours));
        assert_eq!(check_calendar(at(-1), at(1), now), Ok(()));
        assert_eq!(check_calendar(None, None, now), Ok(()));
        assert_eq!(pointer(check_calendar(None, at(0), now)), "/closes_at");
        assert_eq!(pointer(check_calendar(at(2), at(2), now)), "/closes_at");
        assert_eq!(pointer(check_calendar(at(24 * 366 * 6), None, now)), "/opens_at");
        assert!(is_over(at(0), now) && !is_over(at(1), now) && !is_over(None, now));
    }
}
