//! Tables of `projects`.

pub mod conflict;
pub mod design;
pub mod draft;
pub mod party;
pub mod project;
pub mod project_move;
pub mod review;
pub mod selected;
pub mod step;

use crate::text_enum;

text_enum! {
    /// Where a project stands.
    pub enum ProjectState {
        Proposed,
        Submitted,
        Returned,
        Shortlisted,
        Declined,
        Withdrawn,
        Selected,
        Tendering,
        Awarding,
        Contracted,
        Running,
        Completed,
        Rectifying,
        Evaluated,
        Finished,
        Cancelled,
        Terminated,
    }
}

text_enum! {
    /// What moves a project on.
    pub enum ProjectAction {
        Submit,
        Return,
        Shortlist,
        Decline,
        Withdraw,
        Select,
        Tender,
        FailTender,
        Award,
        SetAside,
        Contract,
        Start,
        Complete,
        Evaluate,
        Rectify,
        Resubmit,
        Finish,
        Cancel,
        Terminate,
    }
}

text_enum! {
    /// What an organisation does in a project.
    pub enum Part {
        Implementer,
        Supervisor,
        Evaluator,
    }
}

text_enum! {
    /// What an expert makes of a design.
    pub enum Recommendation {
        Support,
        Revise,
        Oppose,
    }
}
