//! What each role may do. A grant at a place covers the places below it and nothing beside it.

use chrono::{DateTime, Utc};

use super::Role;

/// Something that needs a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Confirm or refuse who lives behind a door, and see their name and phone number.
    VerifyResidents,
    /// Give and take roles.
    GiveGrants,
    /// Decide on what stands in the moderation queue.
    Moderate,
    /// Read complaints.
    ReadComplaints,
    /// Create projects.
    ManageProjects,
    /// Create, open and close polls.
    ManagePolls,
    /// Create and publish surveys, and read their figures.
    ManageSurveys,
    /// Push a survey to doors, and read the response rate there.
    PushSurveys,
    /// Create activities and shifts, and mark and confirm anybody's presence.
    ManageActivities,
    /// Set what a place can set for itself: its rules, what earns points, its gift budget.
    ManageSettings,
    /// Award points by hand, approve and take back what was awarded.
    AwardPoints,
    /// Create rewards.
    ManageRewards,
    /// Hand out a reward against its code.
    SettleRedemptions,
    /// Use what the residents' representative is for.
    Represent,
    /// Use what social workers are for.
    SocialWork,
    /// Say who handles a case, without reading it.
    SuperviseCases,
    /// Act for a social organisation.
    ActForOrganisation,
    /// Supervise projects.
    Supervise,
    /// Evaluate projects.
    Evaluate,
    /// Stand on the volunteers' roster.
    Volunteer,
}

use Permission::{
    ActForOrganisation, AwardPoints, Evaluate, GiveGrants, ManageActivities, ManagePolls, ManageProjects,
    ManageRewards, ManageSettings, ManageSurveys, Moderate, PushSurveys, ReadComplaints, Represent, SettleRedemptions,
    SocialWork, Supervise, SuperviseCases, VerifyResidents, Volunteer,
};

/// What staff may do; the last is the district's alone.
const DISTRICT: &[Permission] = &[
    VerifyResidents,
    GiveGrants,
    Moderate,
    ReadComplaints,
    ManageProjects,
    ManagePolls,
    ManageSurveys,
    PushSurveys,
    ManageActivities,
    ManageSettings,
    AwardPoints,
    ManageRewards,
    SettleRedemptions,
    Represent,
    SocialWork,
    ActForOrganisation,
    Supervise,
    Evaluate,
    Volunteer,
    SuperviseCases,
];

/// What staff of streets and communities may do.
const STAFF: &[Permission] = match DISTRICT.split_last() {
    Some((_, rest)) => rest,
    None => &[],
};

/// What a role may do at its place. Staff of all three levels may do nearly the same, each in all of their place: the district
/// alone says who handles a case, since whoever stands near to somebody's trouble should not learn of it.
pub const fn permissions(role: Role) -> &'static [Permission] {
    match role {
        Role::DistrictStaff => DISTRICT,
        Role::StreetStaff | Role::CommunityStaff => STAFF,
        Role::BuildingLeader => &[VerifyResidents, PushSurveys],
        Role::Volunteer => &[Volunteer],
        Role::Representative => &[Represent],
        Role::SocialWorker => &[SocialWork],
        Role::Organisation => &[ActForOrganisation],
        Role::Supervisor => &[Supervise],
        Role::Evaluator => &[Evaluate],
        Role::Merchant => &[SettleRedemptions],
    }
}

/// A grant as far as rules need it.
#[derive(Clone, Debug)]
pub struct Held<'a> {
    /// What.
    pub role: Role,
    /// Where.
    pub path: &'a str,
    /// Until when; without end if absent.
    pub until: Option<DateTime<Utc>>,
}

impl Held<'_> {
    /// Whether this grant gives a permission at a place at a time.
    pub fn gives(&self, permission: Permission, path: &str, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
            && path.starts_with(self.path)
            && permissions(self.role).contains(&permission)
    }
}

/// Nobody gives more than they hold: whoever gives `role` at `path` may give grants there, holds every permission of the
/// role there, and holds them at least as long as the new grant lasts.
pub fn may_give(held: &[Held<'_>], role: Role, path: &str, until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    // Levels of staff hold nearly the same permissions; the place of the grant tells them apart.
    let rank = |role| match role {
        Role::DistrictStaff => 3,
        Role::StreetStaff => 2,
        Role::CommunityStaff => 1,
        _ => 0,
    };
    let lasting: Vec<_> = held
        .iter()
        .filter(|grant| match (grant.until, until) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(new)) => new <= own,
        })
        .collect();
    let holds = |permission| lasting.iter().any(|grant| grant.gives(permission, path, now));
    let outranks = lasting.iter().any(|grant| rank(grant.role) >= rank(role) && grant.gives(GiveGrants, path, now));
    outranks && permissions(role).iter().all(|permission| holds(*permission))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;
    use proptest::prelude::*;
    use sea_orm::Iterable;

    fn roles() -> impl Strategy<Value = Role> {
        proptest::sample::select(Role::iter().collect::<Vec<_>>())
    }

    proptest! {
        #[test]
        fn a_given_grant_never_gives_what_the_giver_lacks(
            own in roles(), new in roles(), depth in 0_usize..4, new_depth in 0_usize..4, lasts in 1_i64..9, new_lasts in 1_i64..9
        ) {
            let path = |depth: usize| "/a/b/c/d/".chars().take(3 + 2 * depth).collect::<String>();
            let now = DateTime::UNIX_EPOCH;
            let until = |hours| Some(now + Duration::hours(hours));
            let (own_path, new_path) = (path(depth), path(new_depth));
            let held = [Held { role: own, path: &own_path, until: until(lasts) }];
            if may_give(&held, new, &new_path, until(new_lasts), now) {
                for permission in permissions(new) {
                    for hour in 0..new_lasts {
                        prop_assert!(held[0].gives(*permission, &new_path, now + Duration::hours(hour)));
                    }
                }
                prop_assert!(held[0].gives(GiveGrants, &new_path, now));
            }
        }
    }

    #[test]
    fn a_grant_covers_what_is_below_and_nothing_beside() {
        let held = Held { role: Role::CommunityStaff, path: "/a/b/", until: None };
        let now = DateTime::UNIX_EPOCH;
        assert!(held.gives(Moderate, "/a/b/", now) && held.gives(Moderate, "/a/b/c/", now));
        assert!(!held.gives(Moderate, "/a/", now) && !held.gives(Moderate, "/a/bc/", now));
    }

    #[test]
    fn the_district_alone_says_who_handles_a_case() {
        for role in Role::iter() {
            assert_eq!(permissions(role).contains(&SuperviseCases), role == Role::DistrictStaff, "{role}");
        }
        assert_eq!(STAFF.len() + 1, DISTRICT.len());
    }

    #[test]
    fn a_leader_gives_nothing_and_staff_no_higher_staff() {
        let now = DateTime::UNIX_EPOCH;
        let held = |role| [Held { role, path: "/a/", until: None }];
        assert!(!may_give(&held(Role::BuildingLeader), Role::BuildingLeader, "/a/", None, now));
        assert!(may_give(&held(Role::CommunityStaff), Role::BuildingLeader, "/a/b/", None, now));
        assert!(!may_give(&held(Role::CommunityStaff), Role::StreetStaff, "/a/b/", None, now));
        assert!(may_give(&held(Role::DistrictStaff), Role::StreetStaff, "/a/b/", None, now));
    }
}
