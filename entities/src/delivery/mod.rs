//! Tables of `delivery`.

pub mod beneficiary;
pub mod file_use;
pub mod finding;
pub mod group;
pub mod indicator;
pub mod rectification;
pub mod report;
pub mod service;
pub mod service_correction;
pub mod service_count;
pub mod service_person;
pub mod service_person_group;
pub mod submission;
pub mod visit;

use crate::text_enum;

text_enum! {
    /// Whether more reports follow.
    pub enum ReportKind {
        Progress,
        Final,
    }
}

text_enum! {
    /// What a file shows.
    pub enum FileOwner {
        Report,
        Evidence,
        Visit,
        Rectification,
    }
}

text_enum! {
    /// What was done for people.
    pub enum ServiceKind {
        Visit,
        Course,
        Training,
        Event,
        Performance,
        CaseWork,
        Refit,
        Other,
    }
}

text_enum! {
    /// Where a service record stands.
    pub enum ServiceState {
        Recorded,
        Confirmed,
        Refused,
    }
}

text_enum! {
    /// What a count of a service is of.
    pub enum CountOf {
        Heads,
        Indicator,
    }
}

text_enum! {
    /// Which figure of a sealed service another stands beside.
    pub enum Corrected {
        Heads,
        GroupHeads,
        Reached,
        Indicator,
        Absent,
    }
}

text_enum! {
    /// How grave a finding is.
    pub enum Severity {
        Minor,
        Major,
        Critical,
    }
}

text_enum! {
    /// Where a finding stands.
    pub enum FindingState {
        Open,
        Rectified,
        Closed,
    }
}

text_enum! {
    /// What the supervisor says of a rectification.
    pub enum Verdict {
        Closed,
        Again,
    }
}

text_enum! {
    /// What staff decide on a milestone's evidence.
    pub enum Decision {
        Accepted,
        Returned,
    }
}
