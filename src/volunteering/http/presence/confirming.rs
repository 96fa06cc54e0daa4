use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{post, web};
use entities::identity::user;
use entities::ids::{ShiftId, SignupId, UserId};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::{Actor, masked_name};
use crate::platform::code::Code;
use crate::platform::http::{Command, Outcome, Problem, command, text};
use crate::platform::state::AppState;
use crate::volunteering::service::credit::{self, Choice, Credit, Particulars, Settled};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(confirm).service(confirm_shift);
}

/// What the ministry's record asks for beside presence; all may be left out.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    /// Whom the service reached.
    #[garde(range(min = 0, max = 1_000_000))]
    people_served: Option<i32>,
    /// What was done; the activity's title without it.
    #[garde(custom(text::optional_line(200)))]
    content: Option<String>,
    /// Quality, 1 to 5.
    #[garde(range(min = 1, max = 5))]
    rating: Option<i32>,
    /// Who was responsible; the shift's leader without it.
    #[garde(custom(text::optional_line(30)))]
    responsible: Option<String>,
}

impl Confirmation {
    fn particulars(&self) -> Particulars<'_> {
        Particulars {
            people_served: self.people_served,
            content: self.content.as_deref(),
            rating: self.rating,
            responsible: self.responsible.as_deref(),
        }
    }
}

/// What a confirmed presence is worth.
#[derive(Serialize, ToSchema)]
struct CreditView {
    /// Whole minutes that presence and shift have in common; sealed.
    minutes: i64,
    points: i64,
}

/// Confirm somebody else's presence: minutes and points arrive, once; later calls answer the same
///
/// A notice tells the community how many minutes were confirmed, without a name.
#[utoipa::path(tag = "volunteering", request_body = Confirmation, responses((status = 200, body = CreditView)))]
#[post("/signups/{id}/confirm")]
async fn confirm(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SignupId>,
    request: Command<Confirmation>,
) -> Result<Outcome, Problem> {
    let particulars = request.input.particulars();
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let Credit { minutes, points } = credit::confirm(&state, txn, &actor, *id, particulars).await?;
        Ok(CreditView { minutes, points })
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShiftConfirmation {
    #[garde(range(min = 0, max = 1_000_000))]
    people_served: Option<i32>,
    /// What was done; the activity's title without it.
    #[garde(custom(text::optional_line(200)))]
    content: Option<String>,
    /// Quality of all that `ratings` does not name, 1 to 5.
    #[garde(range(min = 1, max = 5))]
    rating: Option<i32>,
    /// Who was responsible; the shift's leader without it.
    #[garde(custom(text::optional_line(30)))]
    responsible: Option<String>,
    /// Sign-ups that stay as they are.
    #[garde(length(max = 200))]
    #[serde(default)]
    leave_out: Vec<SignupId>,
    #[garde(length(max = 200), dive)]
    #[serde(default)]
    ratings: Vec<Rating>,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rating {
    #[garde(skip)]
    signup_id: SignupId,
    #[garde(range(min = 1, max = 5))]
    rating: i32,
}

/// What became of one of those who came.
#[derive(Serialize, ToSchema)]
struct SettledView {
    signup_id: SignupId,
    /// Masked.
    name: String,
    /// Absent if it was not confirmed.
    minutes: Option<i64>,
    points: Option<i64>,
    /// Why it was not: `signup_state` (has not checked out, or waits for review), `own_act`.
    code: Option<String>,
}

/// What became of all who came to a shift.
#[derive(Serialize, ToSchema)]
struct ShiftCredit {
    results: Vec<SettledView>,
    /// How many more can be confirmed; one call takes 200.
    remaining: u64,
}

/// Confirm all of a shift who checked out, at most 200 a call, with one notice; the answer says of each what became of it
#[utoipa::path(tag = "volunteering", request_body = ShiftConfirmation, responses((status = 200, body = ShiftCredit)))]
#[post("/shifts/{id}/confirm")]
async fn confirm_shift(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ShiftId>,
    request: Command<ShiftConfirmation>,
) -> Result<Outcome, Problem> {
    let input = &request.input;
    let particulars = Particulars {
        people_served: input.people_served,
        content: input.content.as_deref(),
        rating: input.rating,
        responsible: input.responsible.as_deref(),
    };
    let ratings = input.ratings.iter().map(|one| (one.signup_id, one.rating)).collect();
    let choice = Choice { leave_out: &input.leave_out, ratings };
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let (settled, remaining) = credit::confirm_shift(&state, txn, &actor, *id, particulars, &choice).await?;
        let people = user::Entity::find().filter(user::Column::Id.is_in(settled.iter().map(|one| one.user_id)));
        let names: HashMap<UserId, String> =
            people.all(txn).await?.into_iter().map(|row| (row.id, masked_name(&row.nickname))).collect();
        let results = settled.into_iter().map(|one| view(one, &names)).collect();
        Ok(ShiftCredit { results, remaining })
    })
    .await
}

fn view(one: Settled, names: &HashMap<UserId, String>) -> SettledView {
    SettledView {
        signup_id: one.signup_id,
        name: names.get(&one.user_id).cloned().unwrap_or_default(),
        minutes: one.outcome.ok().map(|credit| credit.minutes),
        points: one.outcome.ok().map(|credit| credit.points),
        code: one.outcome.err().map(Code::word),
    }
}
