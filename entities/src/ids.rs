//! One type an id, so that a need's id cannot be passed for a poll's.

use std::fmt;
use std::str::FromStr;

use sea_orm::sea_query::{ArrayType, ColumnType, Nullable, ValueType, ValueTypeErr};
use sea_orm::{ColIdx, DbErr, QueryResult, TryFromU64, TryGetError, TryGetable, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Uuid {
                id.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Value {
            fn from(id: $name) -> Value {
                id.0.into()
            }
        }

        impl TryGetable for $name {
            fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
                Uuid::try_get_by(row, index).map(Self)
            }
        }

        impl ValueType for $name {
            fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
                <Uuid as ValueType>::try_from(value).map(Self)
            }
            fn type_name() -> String {
                stringify!($name).to_owned()
            }
            fn array_type() -> ArrayType {
                <Uuid as ValueType>::array_type()
            }
            fn column_type() -> ColumnType {
                <Uuid as ValueType>::column_type()
            }
        }

        impl Nullable for $name {
            fn null() -> Value {
                Uuid::null()
            }
        }

        impl TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                Err(DbErr::ConvertFromU64(stringify!($name)))
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type};
                ObjectBuilder::new()
                    .schema_type(SchemaType::Type(Type::String))
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
                    .build()
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    )+};
}

ids! {
    /// One act that somebody may ask about later.
    AuditId,
    /// Work promised by a transaction and done after it.
    JobId,
    /// A node of the tree district.
    PlaceId,
    /// A door of a building.
    HouseholdId,
    /// A person.
    UserId,
    /// Somebody's claim to live behind a door.
    ResidencyId,
    /// A role at one place.
    GrantId,
    /// A picture that somebody uploaded.
    FileId,
    /// One thing in the moderators' queue.
    ModerationItemId,
    /// A person's report of something others wrote.
    ReportId,
    /// A complaint about the service or about somebody's conduct.
    ComplaintId,
    /// Something a person is told.
    InboxEntryId,
    /// A public act on a community's board.
    NoticeId,
    /// What somebody has against a notice.
    ObjectionId,
    /// A balance of one unit in one community.
    AccountId,
    /// Amounts that moved together.
    TransactionId,
    /// An amount moved from one account to another.
    TransferId,
    /// What a rule gave somebody.
    EarningId,
    /// Points given by hand.
    AwardId,
    /// A question to an electorate that is frozen at opening.
    PollId,
    /// One thing that can be voted for.
    PollOptionId,
    /// One cast ballot.
    BallotId,
    /// A questionnaire.
    SurveyId,
    /// A survey sent to the doors of some buildings.
    SurveyPushId,
    /// One set of answers.
    SurveyResponseId,
    /// What somebody says the neighbourhood needs.
    NeedId,
    /// Something that happened to a need.
    NeedEventId,
    /// One need gone into another.
    NeedMergeId,
    /// One person's trouble, for the social workers in charge.
    CaseId,
    /// Somebody's right to read a case.
    CaseHandlerId,
    /// What a handler of a case wrote down.
    CaseNoteId,
    /// A social organisation.
    OrganisationId,
    /// Somebody's belonging to an organisation.
    OrganisationPersonId,
    /// What ties somebody to an organisation.
    ConflictId,
    /// Money for a purpose, with its rules and calendar.
    ProgrammeId,
    /// Work for a place.
    ProjectId,
    /// An expert's scores for a design.
    ReviewId,
    /// A proposal of which projects a programme pays for.
    SelectionId,
    /// Volunteers who serve together.
    TeamId,
    /// One person's membership of one team.
    TeamMemberId,
    /// Something that happens in a place.
    ActivityId,
    /// A plan of which shifts are made.
    ShiftTemplateId,
    /// A time with a number of seats.
    ShiftId,
    /// One person's place in a shift.
    SignupId,
    /// A change of a sealed figure that stands beside it.
    CorrectionId,
    /// A volunteer's wish for such a change.
    CorrectionRequestId,
    /// A time of an activity that people enrol in.
    SessionId,
    /// One person's place in a session.
    EnrolmentId,
    /// Somebody who came to a session.
    AttendanceId,
    /// A certificate of volunteer service, from the wish for one on.
    CertificateId,
    /// A request that somebody else takes a seat.
    StandInId,
    /// An offer to exchange two seats.
    SwapId,
    /// Somebody's word that a person did not come.
    NoShowId,
    /// A time in which a person takes no shifts.
    SuspensionId,
    /// A gift or service that points buy.
    RewardId,
    /// Points and one piece of stock held for a person until the code is settled.
    RedemptionId,
    /// A shop or an association that hands out rewards.
    MerchantId,
    /// Pieces that came to a stock or left it.
    StockChangeId,
    /// A code that somebody else honours.
    VoucherId,
    /// What a merchant handed out in a month.
    StatementId,
    /// What a community published about a month.
    SummaryId,
}
