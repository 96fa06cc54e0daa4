//! Tables of `organisations`.

pub mod conflict;
pub mod course;
pub mod course_enrolment;
pub mod field;
pub mod incubation;
pub mod operator_admission;
pub mod operator_round;
pub mod organisation;
pub mod person;
pub mod platform;
pub mod platform_report;
pub mod qualification;
pub mod room;
pub mod site;
pub mod standing;
pub mod talent;
pub mod talent_application;
pub mod talent_round;
pub mod talent_score;

use crate::text_enum;

text_enum! {
    /// How an organisation stands in the register.
    pub enum OrganisationState {
        Registered,
        Incubating,
        Guided,
    }
}

text_enum! {
    /// What somebody is in an organisation.
    pub enum PersonRole {
        Head,
        Member,
    }
}

text_enum! {
    /// What ties a person to an organisation that they do not belong to.
    pub enum ConflictKind {
        Family,
        Employment,
        Money,
        Dispute,
        Other,
    }
}

text_enum! {
    /// The seed's four categories of service.
    pub enum ServiceField {
        Charity,
        CultureEducation,
        Rights,
        Convenience,
    }
}

text_enum! {
    /// Of which level a platform is.
    pub enum PlatformLevel {
        District,
        Street,
        Community,
    }
}

text_enum! {
    /// What a published figure is of.
    pub enum ReportedFigure {
        Incubated,
        Guided,
        InvestedFen,
        AreaM2,
    }
}

text_enum! {
    /// Where an organisation stands in a round of the operators' pool.
    pub enum AdmissionState {
        Applied,
        Admitted,
        Refused,
        Removed,
    }
}

text_enum! {
    /// What a service site offers.
    pub enum SiteKind {
        Canteen,
        AfterSchool,
        Rehabilitation,
        Housekeeping,
        Health,
        Employment,
        StudyAid,
        Parenting,
        Childcare,
    }
}

text_enum! {
    /// What an organisation asks a platform for.
    pub enum IncubationKind {
        RegistrationHelp,
        Tutoring,
        Space,
    }
}

text_enum! {
    /// Where such a wish stands.
    pub enum IncubationState {
        Requested,
        Accepted,
        Declined,
        Done,
        Withdrawn,
    }
}

text_enum! {
    /// Where somebody stands in a course.
    pub enum CourseEnrolmentState {
        Enrolled,
        Cancelled,
        Completed,
    }
}

text_enum! {
    /// What a social worker is qualified as.
    pub enum TalentQualification {
        None,
        Assistant,
        SocialWorker,
        Senior,
    }
}

text_enum! {
    /// Where somebody stands in a selection round.
    pub enum ApplicationState {
        Applied,
        Withdrawn,
        Selected,
        NotSelected,
    }
}
