use chrono::{DateTime, Utc};
use entities::ids::{PlaceId, ProgrammeId};
use entities::places::PlaceKind;
use entities::programmes::{Allocation, ProgrammeState, programme};
use entities::projects::{ProjectState, project};
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter, QuerySelect,
};
use serde_json::{Value, json};

use super::domain::{Criterion, Phases, Plan};
use super::money::{self, KIND};
use crate::identity::{Actor, Permission};
use crate::notices::{self, Notice};
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::money::yuan;
use crate::platform::state::AppState;
use crate::{audit, places};

/// What staff say of a programme.
#[allow(missing_docs, reason = "the fields of the request")]
pub struct Words<'a> {
    pub place_id: PlaceId,
    pub parent_id: Option<ProgrammeId>,
    pub title: &'a str,
    pub description: &'a str,
    pub budget_fen: i64,
    pub cap_fen: i64,
    pub count_target: i64,
    pub expert_weight: i64,
    pub allocation: Allocation,
    pub rubric: &'a [Criterion],
    pub min_reviews: i64,
    pub objection_days: i64,
    pub phases: Phases,
}

impl Words<'_> {
    fn check(&self) -> Result<(), Problem> {
        let Self { budget_fen, cap_fen, rubric, phases, .. } = self;
        let plan = Plan { budget_fen: *budget_fen, cap_fen: *cap_fen, rubric, phases };
        Problem::of_mistakes("", plan.mistakes())
    }

    fn fill(&self, row: &mut programme::ActiveModel) -> Result<(), Problem> {
        row.title = Set(self.title.trim().to_owned());
        row.description = Set(self.description.trim().to_owned());
        row.budget_fen = Set(self.budget_fen);
        row.cap_fen = Set(self.cap_fen);
        row.count_target = Set(self.count_target);
        row.expert_weight = Set(self.expert_weight);
        row.allocation = Set(self.allocation);
        row.rubric =
            Set(serde_json::to_value(self.rubric).map_err(|error| Problem::from(Code::Internal).caused_by(error))?);
        row.min_reviews = Set(self.min_reviews);
        row.objection_days = Set(self.objection_days);
        let Phases { proposals_from, proposals_until, reviews_until, votes_until, delivery_until } = self.phases;
        row.proposals_from = Set(proposals_from);
        row.proposals_until = Set(proposals_until);
        row.reviews_until = Set(reviews_until);
        row.votes_until = Set(votes_until);
        row.delivery_until = Set(delivery_until);
        Ok(())
    }
}

/// The calendar of a programme.
pub fn phases(row: &programme::Model) -> Phases {
    let programme::Model { proposals_from, proposals_until, reviews_until, votes_until, delivery_until, .. } = *row;
    Phases { proposals_from, proposals_until, reviews_until, votes_until, delivery_until }
}

/// What experts of a programme score.
pub fn rubric(row: &programme::Model) -> Result<Vec<Criterion>, Problem> {
    serde_json::from_value(row.rubric.clone()).map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

/// A programme as its reader may see it: a draft is seen by its staff only.
pub async fn find(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    id: ProgrammeId,
) -> Result<programme::Model, Problem> {
    let row = programme::Entity::find_by_id(id).one(connection).await?.ok_or(Code::NotFound)?;
    let shown = row.state != ProgrammeState::Draft || actor.may(Permission::ManageProjects, &row.place_path);
    if shown { Ok(row) } else { Err(Code::NotFound.into()) }
}

/// A programme that somebody is about to act in: it stays open, and its panel and rules stay, until the transaction ends. 409
/// `programme_not_open` unless it is open. Comes before the lock of a project.
pub async fn share(txn: &DatabaseTransaction, id: ProgrammeId) -> Result<programme::Model, Problem> {
    let row = programme::Entity::find_by_id(id).lock(LockType::Share).one(txn).await?.ok_or(Code::NotFound)?;
    if row.state == ProgrammeState::Open { Ok(row) } else { Err(Code::ProgrammeNotOpen.into()) }
}

/// A programme for its staff alone, whatever its state: of any who come at once, one finds it as it was.
pub async fn lock(txn: &DatabaseTransaction, actor: &Actor, id: ProgrammeId) -> Result<programme::Model, Problem> {
    let row = programme::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(txn).await?.ok_or(Code::NotFound)?;
    allowed(actor, row)
}

/// A programme for its staff, without a lock.
pub(super) async fn managed(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    id: ProgrammeId,
) -> Result<programme::Model, Problem> {
    allowed(actor, programme::Entity::find_by_id(id).one(connection).await?.ok_or(Code::NotFound)?)
}

fn allowed(actor: &Actor, row: programme::Model) -> Result<programme::Model, Problem> {
    if actor.may(Permission::ManageProjects, &row.place_path) {
        return Ok(row);
    }
    Err(if row.state == ProgrammeState::Draft { Code::NotFound } else { Code::Forbidden }.into())
}

async fn record(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    action: &str,
    row: &programme::Model,
    detail: Value,
) -> Result<(), Problem> {
    audit::record(state, txn, Some(actor.user_id), action, (KIND, row.id.0), Some(row.place_id), detail).await
}

/// Drafts a programme.
pub async fn create(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    words: &Words<'_>,
) -> Result<programme::Model, Problem> {
    let place = places::named(txn, words.place_id, "/place_id").await?;
    if !matches!(place.kind, PlaceKind::District | PlaceKind::Street | PlaceKind::Community) {
        return Err(Problem::field("/place_id", "须为区、街道或社区 / must be a district, street or community"));
    }
    actor.require(Permission::ManageProjects, &place.path)?;
    if let Some(parent) = words.parent_id {
        let parent = programme::Entity::find_by_id(parent).one(txn).await?;
        if parent.is_none_or(|parent| parent.place_id != place.id || parent.parent_id.is_some()) {
            let why =
                "须为同一地点的、本身不是子计划的计划 / must be a programme of the same place that is no part itself";
            return Err(Problem::field("/parent_id", why));
        }
    }
    words.check()?;
    let mut row = programme::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        parent_id: Set(words.parent_id),
        place_id: Set(place.id),
        place_path: Set(place.path),
        state: Set(ProgrammeState::Draft),
        created_by: Set(actor.user_id),
        created_at: Set(state.clock.now()),
        ..Default::default()
    };
    words.fill(&mut row)?;
    let row = row.insert(txn).await?;
    record(state, txn, actor, "programme.create", &row, json!({ "budget_fen": row.budget_fen })).await?;
    Ok(row)
}

/// Replaces a draft.
pub(super) async fn edit(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProgrammeId,
    words: &Words<'_>,
) -> Result<programme::Model, Problem> {
    let row = lock(txn, actor, id).await?;
    if row.state != ProgrammeState::Draft {
        return Err(Code::ProgrammeFrozen.into());
    }
    for (pointer, same) in
        [("/place_id", words.place_id == row.place_id), ("/parent_id", words.parent_id == row.parent_id)]
    {
        if !same {
            return Err(Problem::field(pointer, "不能更改，请另建计划 / cannot be changed; draft another"));
        }
    }
    words.check()?;
    let mut row = row.into_active_model();
    words.fill(&mut row)?;
    let row = row.update(txn).await?;
    record(state, txn, actor, "programme.edit", &row, json!({ "budget_fen": row.budget_fen })).await?;
    Ok(row)
}

/// [`lock`] after what it is a part of, which stays open until the transaction ends.
async fn lock_below(txn: &DatabaseTransaction, actor: &Actor, id: ProgrammeId) -> Result<programme::Model, Problem> {
    if let Some(parent) = managed(txn, actor, id).await?.parent_id {
        share(txn, parent).await?;
    }
    lock(txn, actor, id).await
}

/// Opens a draft: enters its budget in the books and puts it on the board.
pub async fn open(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProgrammeId,
) -> Result<programme::Model, Problem> {
    let row = lock_below(txn, actor, id).await?;
    if row.state != ProgrammeState::Draft {
        return Err(Code::ProgrammeFrozen.into());
    }
    if row.proposals_until <= state.clock.now() {
        return Err(Problem::new(Code::PhaseOver, "proposals_until has passed"));
    }
    let opened = moved(txn, &row, ProgrammeState::Open).await?;
    let reason = format!("资助计划经费：{}", opened.title);
    money::receive(state, txn, actor, &opened, (opened.budget_fen, &reason), Some(format!("programme.open:{id}")))
        .await?;
    record(state, txn, actor, "programme.open", &opened, json!({ "budget_fen": opened.budget_fen })).await?;
    let day = moment;
    let notice = Notice {
        community_id: opened.place_id,
        kind: "programme.opened",
        title: format!("资助计划开放：{}", opened.title),
        body: format!(
            "{}\n经费 {} 元，单个项目不超过 {} 元，计划支持 {} 个项目。\n征集：{} 至 {}；评审至 {}；居民投票至 {}；实施至 {}。\n专家评分占 {}%，居民投票占 {}%。",
            opened.description,
            yuan(opened.budget_fen),
            yuan(opened.cap_fen),
            opened.count_target,
            day(opened.proposals_from),
            day(opened.proposals_until),
            day(opened.reviews_until),
            day(opened.votes_until),
            day(opened.delivery_until),
            opened.expert_weight,
            100 - opened.expert_weight,
        ),
        subject: Some((KIND, id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(opened)
}

async fn moved(
    txn: &DatabaseTransaction,
    row: &programme::Model,
    to: ProgrammeState,
) -> Result<programme::Model, Problem> {
    let moved = programme::Entity::update_many()
        .col_expr(programme::Column::State, to.into())
        .filter(programme::Column::Id.eq(row.id))
        .filter(programme::Column::State.eq(row.state))
        .exec_with_returning(txn)
        .await?;
    moved.into_iter().next().ok_or_else(|| Code::ProgrammeFrozen.into())
}

/// Raises the budget of an open programme, and says why in public.
pub(super) async fn raise(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProgrammeId,
    (amount, reason): (i64, &str),
) -> Result<programme::Model, Problem> {
    let row = lock_below(txn, actor, id).await?;
    if row.state != ProgrammeState::Open {
        return Err(Code::ProgrammeNotOpen.into());
    }
    let raised = programme::Entity::update_many()
        .col_expr(programme::Column::BudgetFen, Expr::col(programme::Column::BudgetFen).add(amount))
        .filter(programme::Column::Id.eq(id))
        .exec_with_returning(txn)
        .await?;
    let raised = raised.into_iter().next().ok_or(Code::NotFound)?;
    let transaction =
        money::receive(state, txn, actor, &raised, (amount, &format!("追加经费：{reason}")), None).await?;
    record(state, txn, actor, "programme.raise", &raised, json!({ "amount_fen": amount, "reason": reason })).await?;
    let notice = Notice {
        community_id: raised.place_id,
        kind: "programme.raised",
        title: format!("资助计划追加经费：{}", raised.title),
        body: format!("追加 {} 元，总经费 {} 元。原因：{reason}", yuan(amount), yuan(raised.budget_fen)),
        subject: Some(("transaction", transaction.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(raised)
}

/// Moves dates of an open programme to later days, and says why in public: a correction of the notice that opened it. Whoever acts in the
/// programme shares its row, and finds the old dates or the new ones.
pub(super) async fn postpone(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProgrammeId,
    (later, reason): (Phases, &str),
) -> Result<programme::Model, Problem> {
    let row = lock(txn, actor, id).await?;
    if row.state != ProgrammeState::Open {
        return Err(Code::ProgrammeNotOpen.into());
    }
    let before = phases(&row);
    Problem::of_mistakes("", before.moving(&later, state.clock.now()))?;
    let moved: Vec<String> = [
        ("征集开始", before.proposals_from, later.proposals_from),
        ("征集截止", before.proposals_until, later.proposals_until),
        ("评审截止", before.reviews_until, later.reviews_until),
        ("居民投票截止", before.votes_until, later.votes_until),
        ("实施截止", before.delivery_until, later.delivery_until),
    ]
    .into_iter()
    .filter(|(_, old, new)| old != new)
    .map(|(what, old, new)| format!("{what}由 {} 推迟至 {}", moment(old), moment(new)))
    .collect();
    if moved.is_empty() {
        return Err(Problem::field("/phases", "没有改动 / nothing is moved"));
    }
    let mut changed = row.into_active_model();
    changed.proposals_from = Set(later.proposals_from);
    changed.proposals_until = Set(later.proposals_until);
    changed.reviews_until = Set(later.reviews_until);
    changed.votes_until = Set(later.votes_until);
    changed.delivery_until = Set(later.delivery_until);
    let row = changed.update(txn).await?;
    record(state, txn, actor, "programme.postpone", &row, json!({ "from": before, "to": later, "reason": reason }))
        .await?;
    let body = format!("{}。\n原因：{reason}", moved.join("；"));
    match notices::of_subject(txn, "programme.opened", (KIND, id.0)).await? {
        Some(opened) => notices::correct(state, txn, opened, body).await?,
        None => return Err(Code::Internal.into()),
    };
    Ok(row)
}

fn moment(at: DateTime<Utc>) -> String {
    calendar::text(at, "%Y年%-m月%-d日 %H:%M")
}

/// States of a project in which somebody still waits for the programme's word.
const UNDECIDED: [ProjectState; 3] = [ProjectState::Submitted, ProjectState::Returned, ProjectState::Shortlisted];

/// Closes an open programme: no part of it is open, nobody waits for its word, and what it has not given away goes back.
pub(super) async fn close(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProgrammeId,
) -> Result<programme::Model, Problem> {
    let row = lock_below(txn, actor, id).await?;
    if row.state != ProgrammeState::Open {
        return Err(Code::ProgrammeNotOpen.into());
    }
    let open_parts = programme::Entity::find()
        .filter(programme::Column::ParentId.eq(id))
        .filter(programme::Column::State.eq(ProgrammeState::Open));
    let waiting = project::Entity::find()
        .filter(project::Column::ProgrammeId.eq(id))
        .filter(project::Column::State.is_in(UNDECIDED));
    if open_parts.count(txn).await? + waiting.count(txn).await? > 0 {
        return Err(Code::ProgrammeBusy.into());
    }
    let closed = moved(txn, &row, ProgrammeState::Closed).await?;
    let left = money::clear(state, txn, Some(actor), &closed).await?.map_or(0, |(_, left)| left);
    record(state, txn, actor, "programme.close", &closed, json!({ "returned_fen": left })).await?;
    let notice = Notice {
        community_id: closed.place_id,
        kind: "programme.closed",
        title: format!("资助计划结束：{}", closed.title),
        body: format!("总经费 {} 元，未划定的 {} 元已退回。", yuan(closed.budget_fen), yuan(left)),
        subject: Some((KIND, id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(closed)
}
