//! What staff do with a poll: draft, open, close.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entities::identity::residency;
use entities::ids::{PlaceId, PollId, PollOptionId, ProjectId, UserId};
use entities::polls::{PollKind, PollState, ballot, elector, option, poll};
use entities::projects::project;
use futures_util::TryStreamExt;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait,
    ExprTrait, QueryFilter, QueryOrder, QuerySelect, StreamTrait,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::calendar::Invitation;
use super::count::{Count, Counter, Explanation};
use super::domain::{self, Rules, YES_NO};
use crate::identity::{Actor, Permission, ResidencyState};
use crate::notices::{self, Notice};
use crate::platform::capability::PollResult;
use crate::platform::code::Code;
use crate::platform::http::{Problem, transact};
use crate::platform::mistake::Mistake;
use crate::platform::state::AppState;
use crate::platform::{ids, jobs};
use crate::{audit, places};

/// A poll that somebody wants to hold.
#[allow(missing_docs, reason = "the fields of the request")]
pub struct NewPoll<'a> {
    pub place_id: PlaceId,
    pub title: &'a str,
    pub kind: PollKind,
    pub max_choices: Option<usize>,
    pub options: Vec<(&'a str, Option<ProjectId>)>,
    pub secret: bool,
    pub opens_at: Option<DateTime<Utc>>,
    pub closes_at: Option<DateTime<Utc>>,
    pub subject: Option<(&'a str, Uuid)>,
}

/// Which of the projects belong to a community. Projects stand after polls: what a poll is about is only an id to it.
async fn projects_of(
    txn: &DatabaseTransaction,
    community_id: PlaceId,
    projects: impl IntoIterator<Item = ProjectId>,
) -> Result<HashSet<ProjectId>, Problem> {
    let mut wanted = projects.into_iter().peekable();
    if wanted.peek().is_none() {
        return Ok(HashSet::new());
    }
    let found = project::Entity::find()
        .select_only()
        .column(project::Column::Id)
        .filter(project::Column::Id.is_in(wanted))
        .filter(project::Column::CommunityId.eq(community_id));
    Ok(found.into_tuple().all(txn).await?.into_iter().collect())
}

/// Drafts a poll.
pub async fn create(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    new: NewPoll<'_>,
) -> Result<poll::Model, Problem> {
    let (place, community_id) = places::named_in_community(txn, new.place_id, "/place_id").await?;
    actor.require(Permission::ManagePolls, &place.path)?;
    let now = state.clock.now();
    let mut options = new.options;
    if new.kind == PollKind::YesNo && options.is_empty() {
        options = YES_NO.map(|title| (title, None)).to_vec();
    }
    let rules = Rules::of_new(new.kind, options.len(), new.max_choices)?;
    domain::check_calendar(new.opens_at, new.closes_at, now)?;
    let known = projects_of(txn, community_id, options.iter().filter_map(|(_, project)| *project)).await?;
    for (at, (title, project)) in options.iter().enumerate() {
        if options.iter().take(at).any(|(earlier, _)| earlier.trim() == title.trim()) {
            return Err(Problem::field(
                &format!("/options/{at}/title"),
                "与前面的选项重复 / same as an earlier option",
            ));
        }
        if project.is_some_and(|project| !known.contains(&project)) {
            let detail = "本社区没有这个项目 / no such project in this community";
            return Err(Problem::field(&format!("/options/{at}/project_id"), detail));
        }
    }

    let id: PollId = ids::ordered(&state.clock);
    let row = poll::ActiveModel {
        id: Set(id),
        community_id: Set(community_id),
        place_id: Set(place.id),
        place_path: Set(place.path),
        title: Set(new.title.trim().to_owned()),
        kind: Set(rules.kind),
        max_choices: Set(i32::try_from(rules.max_choices).unwrap_or(i32::MAX)),
        secret: Set(new.secret),
        state: Set(PollState::Draft),
        opens_at: Set(new.opens_at),
        closes_at: Set(new.closes_at),
        opened_at: Set(None),
        closed_at: Set(None),
        electorate: Set(None),
        subject_kind: Set(new.subject.map(|(kind, _)| kind.to_owned())),
        subject_id: Set(new.subject.map(|(_, id)| id)),
        ballots: Set(None),
        result: Set(None),
        created_by: Set(actor.user_id),
        created_at: Set(now),
    };
    let row = row.insert(txn).await?;
    let options = options.into_iter().zip(0..).map(|((title, project), position)| option::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        poll_id: Set(id),
        position: Set(position),
        title: Set(title.trim().to_owned()),
        project_id: Set(project),
    });
    option::Entity::insert_many(options).exec_without_returning(txn).await?;
    record(state, txn, Some(actor.user_id), "poll.create", &row, json!({ "kind": row.kind, "secret": row.secret }))
        .await?;
    Ok(row)
}

/// Drafts a yes-or-no question about something; whatever registered the word takes the result when the poll closes.
pub async fn ask(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (place_id, title): (PlaceId, &str),
    subject: (&str, Uuid),
    closes_at: Option<DateTime<Utc>>,
) -> Result<PollId, Problem> {
    let new = NewPoll {
        place_id,
        title,
        kind: PollKind::YesNo,
        max_choices: None,
        options: Vec::new(),
        secret: false,
        opens_at: None,
        closes_at,
        subject: Some(subject),
    };
    Ok(create(state, txn, actor, new).await?.id)
}

/// Hands a result to what the poll is about, if that waits for it.
async fn hand_over(
    state: &AppState,
    txn: &DatabaseTransaction,
    poll: &poll::Model,
    options: &[option::Model],
    count: &Count,
) -> Result<(), Problem> {
    let (Some(kind), Some(subject)) = (&poll.subject_kind, poll.subject_id) else { return Ok(()) };
    let mut polled = state.capabilities.iter().flat_map(|capability| &capability.polled);
    let Some((_, polled)) = polled.find(|(known, _)| known == kind) else { return Ok(()) };
    let adopted = match &count.explanation {
        Explanation::YesNo { adopted, .. } => Some(*adopted),
        _ => None,
    };
    let won = options.iter().filter(|option| count.winners.contains(&option.id));
    let result = PollResult {
        poll_id: poll.id.0,
        adopted,
        winners: won.map(|option| option.title.clone()).collect(),
        ballots: count.ballots,
        electorate: poll.electorate.unwrap_or_default(),
    };
    polled.closed(state, txn, subject, &result).await
}

async fn record(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: Option<UserId>,
    action: &str,
    poll: &poll::Model,
    detail: Value,
) -> Result<(), Problem> {
    audit::record(state, txn, actor, action, ("poll", poll.id.0), Some(poll.place_id), detail).await
}

/// The poll for somebody who is about to open or close it; nobody (the calendar) may. The row is locked: of any who come at
/// once, one finds it as it was.
async fn locked(txn: &DatabaseTransaction, actor: Option<&Actor>, id: PollId) -> Result<poll::Model, Problem> {
    let poll = poll::Entity::find_by_id(id).lock_exclusive().one(txn).await?.ok_or(Code::NotFound)?;
    match actor {
        Some(actor) if !actor.may(Permission::ManagePolls, &poll.place_path) => {
            Err(if poll.state == PollState::Draft { Code::NotFound } else { Code::Forbidden }.into())
        }
        _ => Ok(poll),
    }
}

/// Opens a draft: freezes its electorate and promises to tell everybody on the roll.
pub(super) async fn open(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: Option<&Actor>,
    id: PollId,
) -> Result<poll::Model, Problem> {
    let draft = locked(txn, actor, id).await?;
    match draft.state {
        PollState::Draft => {}
        PollState::Open => return Err(Code::PollAlreadyOpen.into()),
        PollState::Closed => return Err(Code::PollClosed.into()),
    }
    let now = state.clock.now();
    if domain::is_over(draft.closes_at, now) {
        return Err(Problem::new(Code::PollClosed, "closes_at has passed"));
    }
    let opened = freeze(txn, &draft, now).await?;
    let detail = json!({ "electorate": opened.electorate });
    record(state, txn, actor.map(|actor| actor.user_id), "poll.open", &opened, detail).await?;
    jobs::enqueue(txn, &state.clock, super::calendar::INVITE, Invitation { poll_id: id, after: None }).await?;
    Ok(opened)
}

/// Makes a draft an open poll whose electors are the residents of its place that are verified now. Tells nobody.
pub async fn freeze(
    txn: &DatabaseTransaction,
    draft: &poll::Model,
    now: DateTime<Utc>,
) -> Result<poll::Model, Problem> {
    let residents = Query::select()
        .expr(Expr::value(draft.id))
        .column(residency::Column::UserId)
        .from(residency::Entity)
        .and_where(residency::Column::State.eq(ResidencyState::Approved))
        .cond_where(places::within(residency::Column::PlacePath, &draft.place_path))
        .to_owned();
    let mut roll = Query::insert();
    roll.into_table(elector::Entity).columns([elector::Column::PollId, elector::Column::UserId]);
    roll.select_from(residents).map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
    let electorate = txn.execute(&roll).await?.rows_affected();
    let opened = poll::Entity::update_many()
        .col_expr(poll::Column::State, PollState::Open.into())
        .col_expr(poll::Column::OpenedAt, now.into())
        .col_expr(poll::Column::Electorate, i64::try_from(electorate).unwrap_or(i64::MAX).into())
        .filter(poll::Column::Id.eq(draft.id))
        .filter(poll::Column::State.eq(PollState::Draft))
        .exec_with_returning(txn)
        .await?;
    opened.into_iter().next().ok_or_else(|| Code::PollAlreadyOpen.into())
}

/// Ends the voting in an open poll, in a transaction of its own before [`close`].
///
/// Ballots share the poll's row and closing needs it alone; a stream of ballots would keep the closing waiting on PostgreSQL,
/// where who shares a row does not queue behind who wants it alone. Who comes after this no longer touches the row. If the
/// closing then never comes, the calendar does it.
pub(super) async fn end_voting(state: &AppState, actor: &Actor, id: PollId) -> Result<(), Problem> {
    transact(state, async |txn| {
        let Some(poll) = poll::Entity::find_by_id(id).one(txn).await? else { return Ok(()) };
        if !actor.may(Permission::ManagePolls, &poll.place_path) {
            return Ok(());
        }
        let now = state.clock.now();
        let ended = poll::Entity::update_many()
            .col_expr(poll::Column::ClosesAt, now.into())
            .filter(poll::Column::Id.eq(id))
            .filter(poll::Column::State.eq(PollState::Open))
            .filter(poll::Column::ClosesAt.is_null().or(poll::Column::ClosesAt.gt(now)))
            .exec(txn)
            .await?;
        if ended.rows_affected == 1 {
            record(state, txn, Some(actor.user_id), "poll.end_voting", &poll, json!({})).await?;
        }
        Ok(())
    })
    .await
}

/// Closes an open poll: counts, stores the result and puts it on the board.
pub(super) async fn close(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: Option<&Actor>,
    id: PollId,
) -> Result<poll::Model, Problem> {
    // The lock waits for the ballots under way, and those that come later wait for it and find the poll closed.
    let poll = locked(txn, actor, id).await?;
    match poll.state {
        PollState::Open => {}
        PollState::Draft => return Err(Code::PollNotOpen.into()),
        PollState::Closed => return Err(Code::PollClosed.into()),
    }
    let options = options_of(txn, [id]).await?;
    let count = recount(txn, &poll, &options).await?.map_err(|mistake| {
        Problem::from(Code::Internal).caused_by(format!("a stored ballot is invalid: {mistake:?}"))
    })?;
    let result = serde_json::to_value(&count).map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
    let closed = poll::Entity::update_many()
        .col_expr(poll::Column::State, PollState::Closed.into())
        .col_expr(poll::Column::ClosedAt, state.clock.now().into())
        .col_expr(poll::Column::Ballots, count.ballots.into())
        .col_expr(poll::Column::Result, result.into())
        .filter(poll::Column::Id.eq(id))
        .filter(poll::Column::State.eq(PollState::Open))
        .exec_with_returning(txn)
        .await?;
    let closed = closed.into_iter().next().ok_or(Code::PollClosed)?;
    let detail = json!({ "electorate": closed.electorate, "ballots": count.ballots });
    record(state, txn, actor.map(|actor| actor.user_id), "poll.close", &closed, detail).await?;
    hand_over(state, txn, &closed, &options, &count).await?;
    let notice = Notice {
        community_id: closed.community_id,
        kind: RESULT_NOTICE,
        title: format!("表决结果：{}", closed.title),
        body: announcement(&closed, &options, &count),
        subject: Some(("poll", id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(closed)
}

/// The kind of the notice of a result.
pub(super) const RESULT_NOTICE: &str = "poll.result";

fn announcement(poll: &poll::Model, options: &[option::Model], count: &Count) -> String {
    let electorate = poll.electorate.unwrap_or_default();
    let turnout = turnout_percent(count.ballots, electorate);
    let head = format!("名册 {electorate} 人，投票 {} 人，参与率 {turnout:.2}%。", count.ballots);
    let votes = options.iter().zip(&count.votes).map(|(option, votes)| format!("{}：{votes} 票", option.title));
    let winners: Vec<_> = options
        .iter()
        .filter(|option| count.winners.contains(&option.id))
        .map(|option| format!("“{}”", option.title))
        .collect();
    let outcome = match &count.explanation {
        Explanation::YesNo { adopted: true, .. } => "结果：通过。".to_owned(),
        Explanation::YesNo { adopted: false, .. } => "结果：未通过。".to_owned(),
        _ if winners.is_empty() => "结果：无人投票。".to_owned(),
        _ if winners.len() > 1 => format!("结果：得票最多且相同的是{}。", winners.join("、")),
        _ => format!("结果：得票最多的是{}。", winners.concat()),
    };
    std::iter::once(head).chain(votes).chain([outcome]).collect::<Vec<_>>().join("\n")
}

/// Turnout in per cent with two decimals, rounded down.
pub(super) fn turnout_percent(ballots: i64, electorate: i64) -> f64 {
    let hundredths = ballots.saturating_mul(10_000).checked_div(electorate).unwrap_or_default();
    i32::try_from(hundredths).map_or(0.0, f64::from) / 100.0
}

/// The options of some polls, each poll's in their order.
pub(super) async fn options_of(
    connection: &impl ConnectionTrait,
    polls: impl IntoIterator<Item = PollId>,
) -> Result<Vec<option::Model>, DbErr> {
    option::Entity::find()
        .filter(option::Column::PollId.is_in(polls))
        .order_by_asc(option::Column::PollId)
        .order_by_asc(option::Column::Position)
        .all(connection)
        .await
}

/// Counts a poll's ballots as they are stored. The database groups equal ones, and no more than one group is held at a time.
pub(super) async fn recount<C: ConnectionTrait + StreamTrait>(
    connection: &C,
    poll: &poll::Model,
    options: &[option::Model],
) -> Result<Result<Count, Mistake>, DbErr> {
    let options: Vec<_> = options.iter().map(|option| option.id).collect();
    let rules = Rules { kind: poll.kind, max_choices: usize::try_from(poll.max_choices).unwrap_or_default() };
    let mut counter = Counter::new(rules, &options);
    let groups = ballot::Entity::find()
        .select_only()
        .column(ballot::Column::Choices)
        .column_as(ballot::Column::Id.count(), "times")
        .filter(ballot::Column::PollId.eq(poll.id))
        .group_by(ballot::Column::Choices)
        .into_tuple::<(Value, i64)>();
    let mut groups = groups.stream(connection).await?;
    while let Some((choices, times)) = groups.try_next().await? {
        let choices: Vec<PollOptionId> =
            serde_json::from_value(choices).map_err(|error| DbErr::Json(format!("choices of a ballot: {error}")))?;
        if let Err(mistake) = counter.add(&choices, times) {
            return Ok(Err(mistake));
        }
    }
    drop(groups);
    Ok(Ok(counter.finish()))
}
