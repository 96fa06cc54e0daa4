use chrono::TimeDelta;
use entities::ids::{ComplaintId, ModerationItemId, NeedId, PlaceId, ReportId};
use entities::moderation::{
    ModerationAction, ModerationReason, ModerationState, SecurityState, complaint, item, item_file, report,
};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, QueryFilter,
    QuerySelect,
};
use serde_json::json;
use uuid::Uuid;

use super::Submission;
use super::domain::{self, Step};
use super::security;
use crate::audit;
use crate::identity::{Actor, Permission};
use crate::notifications::{self, Message, Template};
use crate::platform::capability::{Moderated, Preview};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::platform::{ids, jobs};

/// Opens an item for something new and promises its check, in the transaction that stores it.
pub async fn submit(
    state: &AppState,
    txn: &DatabaseTransaction,
    submission: Submission<'_>,
) -> Result<ModerationItemId, Problem> {
    let id: ModerationItemId = ids::ordered(&state.clock);
    let row = item::ActiveModel {
        id: Set(id),
        community_id: Set(submission.community_id),
        place_path: Set(submission.place_path.to_owned()),
        target_kind: Set(submission.target_kind.to_owned()),
        target_id: Set(submission.target_id),
        author_id: Set(submission.author),
        reason: Set(ModerationReason::New),
        security: Set(Some(SecurityState::Text)),
        excerpt: Set(domain::excerpt(submission.title, submission.text)),
        report_count: Set(0),
        state: Set(ModerationState::Open),
        action: Set(None),
        decision_reason: Set(None),
        decided_by: Set(None),
        decided_at: Set(None),
        created_at: Set(state.clock.now()),
    };
    row.insert(txn).await?;
    if !submission.file_ids.is_empty() {
        let pictures =
            submission.file_ids.iter().map(|file| item_file::ActiveModel { item_id: Set(id), file_id: Set(*file) });
        item_file::Entity::insert_many(pictures).exec_without_returning(txn).await?;
    }
    let payload = security::TextPayload {
        item_id: id,
        title: submission.title.to_owned(),
        text: submission.text.to_owned(),
        scene: submission.scene,
    };
    jobs::enqueue(txn, &state.clock, security::TEXT_JOB, payload).await?;
    Ok(id)
}

/// What a capability registered under a word.
pub(super) fn moderated(state: &AppState, kind: &str) -> Result<&'static dyn Moderated, Problem> {
    state
        .capabilities
        .iter()
        .flat_map(|capability| &capability.moderated)
        .find(|(known, _)| *known == kind)
        .map(|(_, moderated)| *moderated)
        .ok_or_else(|| Problem::field("/target_kind", "没有这类内容 / there is no such kind of thing"))
}

/// An item that somebody may decide on; others do not learn that it exists.
pub(super) async fn find(
    connection: &impl sea_orm::ConnectionTrait,
    actor: &Actor,
    id: ModerationItemId,
) -> Result<item::Model, Problem> {
    let row = item::Entity::find_by_id(id).one(connection).await?;
    row.filter(|row| actor.may(Permission::Moderate, &row.place_path)).ok_or_else(|| Code::NotFound.into())
}

/// Decides on an item. Whoever decides first has decided: the state is part of the statement.
pub(crate) async fn decide(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ModerationItemId,
    action: ModerationAction,
    reason: Option<&str>,
) -> Result<item::Model, Problem> {
    let row = find(txn, actor, id).await?;
    if row.author_id == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let from = match domain::step(row.state, row.action, action) {
        Step::Close => item::Column::State.eq(ModerationState::Open),
        Step::Reopen => item::Column::Action.eq(ModerationAction::Hide),
        Step::Decided => return Err(Code::AlreadyDecided.into()),
        Step::NothingToRestore => return Err(Problem::field("/action", "内容未被隐藏 / nothing is hidden")),
    };
    if action == ModerationAction::Hide && reason.is_none() {
        return Err(Problem::field("/reason", "作者会看到理由 / the author is told why"));
    }
    let decided = item::Entity::update_many()
        .col_expr(item::Column::State, ModerationState::Closed.into())
        .col_expr(item::Column::Action, action.into())
        .col_expr(item::Column::DecisionReason, Expr::value(reason.map(str::to_owned)))
        .col_expr(item::Column::DecidedBy, actor.user_id.into())
        .col_expr(item::Column::DecidedAt, state.clock.now().into())
        .filter(item::Column::Id.eq(id))
        .filter(from)
        .exec_with_returning(txn)
        .await?;
    let Some(row) = decided.into_iter().next() else { return Err(Code::AlreadyDecided.into()) };
    moderated(state, &row.target_kind)?.apply(state, txn, row.target_id, action).await?;
    let detail = json!({ "item_id": id, "reason": row.reason });
    let word = format!("moderation.{action}");
    let place = Some(row.community_id);
    audit::record(state, txn, Some(actor.user_id), &word, (&row.target_kind, row.target_id), place, detail).await?;
    tell_author(state, txn, &row, action).await?;
    Ok(row)
}

async fn tell_author(
    state: &AppState,
    txn: &DatabaseTransaction,
    row: &item::Model,
    action: ModerationAction,
) -> Result<(), Problem> {
    let because = row.decision_reason.as_deref().map(|reason| format!("原因：{reason}"));
    let (title, body) = match action {
        // That something is published is told by what it is.
        ModerationAction::Approve => return Ok(()),
        ModerationAction::Hide => ("您发布的内容未予展示", because.unwrap_or_default()),
        ModerationAction::Restore => ("您发布的内容已恢复展示", row.excerpt.clone()),
    };
    let message = Message {
        kind: "moderation.decided",
        title: title.to_owned(),
        body,
        target: Some((&row.target_kind, row.target_id)),
        dedupe_key: format!("moderation:{}:{action}", row.id),
        template: Template::Need,
    };
    notifications::tell(state, txn, row.author_id, &message).await
}

/// Reports something that is public: one report a person and target, one open item a target, both by unique index.
pub(super) async fn report(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (kind, target): (&str, Uuid),
    preview: &Preview,
    reason: &str,
) -> Result<ReportId, Problem> {
    let now = state.clock.now();
    let row = item::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        community_id: Set(preview.community_id),
        place_path: Set(preview.place_path.clone()),
        target_kind: Set(kind.to_owned()),
        target_id: Set(target),
        author_id: Set(preview.author_id),
        reason: Set(ModerationReason::Reported),
        security: Set(None),
        excerpt: Set(preview.excerpt.clone()),
        report_count: Set(1),
        state: Set(ModerationState::Open),
        action: Set(None),
        decision_reason: Set(None),
        decided_by: Set(None),
        decided_at: Set(None),
        created_at: Set(now),
    };
    // Literals: PostgreSQL finds the partial index by its condition only where that holds no parameters.
    let upgrade = OnConflict::columns([item::Column::TargetKind, item::Column::TargetId])
        .target_and_where(Expr::cust("state = 'open'"))
        .update_column(item::Column::Reason)
        .value(item::Column::ReportCount, Expr::col((item::Entity, item::Column::ReportCount)).add(1))
        .to_owned();
    let item = item::Entity::insert(row).on_conflict(upgrade).exec_with_returning(txn).await?;
    let id: ReportId = ids::ordered(&state.clock);
    let row = report::ActiveModel {
        id: Set(id),
        reporter_id: Set(actor.user_id),
        target_kind: Set(kind.to_owned()),
        target_id: Set(target),
        item_id: Set(item.id),
        reason: Set(reason.to_owned()),
        created_at: Set(now),
    };
    let once = OnConflict::columns([report::Column::ReporterId, report::Column::TargetKind, report::Column::TargetId])
        .do_nothing()
        .to_owned();
    // The refusal takes the item's change back as well.
    if report::Entity::insert(row).on_conflict(once).exec_without_returning(txn).await? == 0 {
        return Err(Code::AlreadyReported.into());
    }
    Ok(id)
}

/// What people wrote when they reported; the newest first.
pub(super) async fn reports(state: &AppState, id: ModerationItemId) -> Result<Vec<report::Model>, Problem> {
    use sea_orm::QueryOrder;
    let rows = report::Entity::find().filter(report::Column::ItemId.eq(id)).order_by_desc(report::Column::Id).limit(50);
    Ok(rows.all(state.db.read()).await?)
}

/// Complaints of people without a residence stand at this path; the district reads them.
pub(super) const NOWHERE: &str = "/";

/// Where a complaint of somebody goes.
pub(super) async fn complaint_place(
    txn: &DatabaseTransaction,
    actor: &Actor,
) -> Result<(Option<PlaceId>, String), Problem> {
    let residence = crate::identity::residence(txn, actor.user_id).await?;
    Ok(residence.map_or((None, NOWHERE.to_owned()), |home| (Some(home.community_id), home.place_path)))
}

/// Takes a complaint about how a need is dealt with: staff of the need's place and above read it.
pub async fn complain_of_need(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    need_id: NeedId,
    (community_id, place_path): (PlaceId, &str),
    body: &str,
) -> Result<ComplaintId, Problem> {
    let row = complaint::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        user_id: Set(actor.user_id),
        community_id: Set(Some(community_id)),
        place_path: Set(place_path.to_owned()),
        about: Set(Some("需求办理".to_owned())),
        body: Set(body.to_owned()),
        created_at: Set(state.clock.now()),
        need_id: Set(Some(need_id)),
    };
    Ok(row.insert(txn).await?.id)
}

const RULES: &[(&str, &str)] = &[(
    "item {} counts its reports wrong",
    "SELECT i.id FROM moderation_items i \
     WHERE i.report_count <> (SELECT COUNT(*) FROM reports r WHERE r.item_id = i.id)",
)];

/// Reports are counted right, and no check is forgotten.
pub(super) async fn verify(state: &AppState) -> Result<Vec<String>, DbErr> {
    let mut findings = state.db.audit(RULES).await?;
    let forgotten = item::Entity::find()
        .filter(item::Column::State.eq(ModerationState::Open))
        .filter(item::Column::Security.is_in([SecurityState::Text, SecurityState::Pictures]))
        .filter(item::Column::CreatedAt.lt(state.clock.now() - TimeDelta::days(1)))
        .limit(100)
        .all(state.db.read())
        .await?;
    findings.extend(forgotten.iter().map(|row| format!("item {} has waited a day for content security", row.id)));
    Ok(findings)
}
