//! What a sign-up may become, as one table.

use crate::volunteering::SignupState;

use Event::{
    Accept, CallOff, Cancel, CheckIn, CheckOut, Credit, Excuse, Forget, HandOver, Lapse, Miss, Offer, Release,
};
use SignupState::{
    Cancelled, CheckedIn, CheckedOut, Confirmed, Credited, Excused, InReview, NoShow, Offered, Waitlisted,
};

/// What happens to a sign-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A seat became free and is held for the person.
    Offer,
    /// The person takes the offered seat.
    Accept,
    /// The person steps back before the shift begins.
    Cancel,
    /// An offer ran out, or the shift began with the person still waiting.
    Lapse,
    /// The person's seat passes to somebody else, who stands in or swaps.
    HandOver,
    /// The shift gets smaller: the person goes back to the head of the waiting list.
    Release,
    /// The shift does not take place.
    CallOff,
    /// The person came.
    CheckIn,
    /// The person left.
    CheckOut,
    /// Somebody else confirmed the minutes.
    Credit,
    /// The person came and never checked out: somebody must say until when they were there.
    Forget,
    /// The person never came.
    Miss,
    /// The person never came, and had a reason.
    Excuse,
}

/// All that can happen: state, event, next state. Everything else is refused.
pub const TRANSITIONS: &[(SignupState, Event, SignupState)] = &[
    (Waitlisted, Offer, Offered),
    (Waitlisted, Cancel, Cancelled),
    (Waitlisted, Lapse, Cancelled),
    (Waitlisted, CallOff, Cancelled),
    (Offered, Accept, Confirmed),
    (Offered, Cancel, Cancelled),
    (Offered, Lapse, Cancelled),
    (Offered, Release, Waitlisted),
    (Offered, CallOff, Cancelled),
    (Confirmed, Cancel, Cancelled),
    (Confirmed, HandOver, Cancelled),
    (Confirmed, Release, Waitlisted),
    (Confirmed, CallOff, Cancelled),
    (Confirmed, CheckIn, CheckedIn),
    (Confirmed, Miss, NoShow),
    (CheckedIn, CheckOut, CheckedOut),
    (CheckedIn, Forget, InReview),
    (InReview, CheckOut, CheckedOut),
    (CheckedOut, Credit, Credited),
    (NoShow, Excuse, Excused),
];

/// The states that take up a seat of the shift.
pub const SEATED: [SignupState; 8] = [Offered, Confirmed, CheckedIn, InReview, CheckedOut, Credited, NoShow, Excused];

/// The states that take up the person's time, so that no other of their sign-ups may overlap.
pub const LIVE: [SignupState; 7] = [Waitlisted, Offered, Confirmed, CheckedIn, InReview, CheckedOut, Credited];

/// What a state becomes by an event, if that may happen to it.
pub fn next(state: SignupState, event: Event) -> Option<SignupState> {
    TRANSITIONS.iter().find(|(from, by, _)| (*from, *by) == (state, event)).map(|(_, _, to)| *to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::Iterable;
    use std::collections::HashSet;
    use std::fmt::Write;

    /// Where a sign-up begins: with a seat or without.
    const BEGINNINGS: [SignupState; 2] = [Confirmed, Waitlisted];

    #[test]
    fn the_table_is_a_function_and_every_state_can_be_reached() {
        let pairs: HashSet<_> = TRANSITIONS.iter().map(|(from, by, _)| (from, by)).collect();
        assert_eq!(pairs.len(), TRANSITIONS.len());
        let mut reached: HashSet<SignupState> = BEGINNINGS.into();
        for _ in TRANSITIONS {
            let more: Vec<_> =
                TRANSITIONS.iter().filter(|(from, ..)| reached.contains(from)).map(|(.., to)| *to).collect();
            reached.extend(more);
        }
        assert_eq!(reached, SignupState::iter().collect());
    }

    #[test]
    fn what_is_over_stays_so_and_a_seat_is_never_taken_by_the_way() {
        for (from, event, to) in TRANSITIONS {
            assert!(!matches!(from, Cancelled | Excused | Credited));
            // Only an offer takes a seat and only these give one up: the service counts on it.
            let (had, has) = (SEATED.contains(from), SEATED.contains(to));
            assert_eq!(!had && has, *event == Offer);
            assert_eq!(had && !has, matches!(event, Cancel | Lapse | HandOver | Release | CallOff) && had);
        }
    }

    /// The docs' picture of [`TRANSITIONS`].
    fn diagram() -> String {
        let mut text = String::from("stateDiagram-v2\n");
        for state in BEGINNINGS {
            writeln!(text, "    [*] --> {state}").unwrap();
        }
        for (from, event, to) in TRANSITIONS {
            writeln!(text, "    {from} --> {to}: {event:?}").unwrap();
        }
        text
    }

    #[test]
    fn the_docs_show_this_table() {
        let page = include_str!("../../../docs/capabilities/volunteering.md");
        assert!(page.contains(&diagram()), "put this into the page:\n{}", diagram());
    }
}
