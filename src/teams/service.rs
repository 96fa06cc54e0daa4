use entities::ids::{PlaceId, TeamId, TeamMemberId, UserId};
use entities::teams::{MemberState, member, skill, team};
use sea_orm::sea_query::{Expr, LockType, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
};
use serde_json::json;

use super::{LEADER_CHANGED, LeaderChanged};
use crate::identity::{self, Actor, Permission};
use crate::notices::{self, Notice};
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
use crate::platform::http::{Problem, transact};
use crate::platform::state::AppState;
use crate::platform::{ids, jobs};
use crate::{audit, places};

/// The team's leader, or staff of its place.
pub(super) fn in_charge(actor: &Actor, team: &team::Model) -> bool {
    team.leader_id == actor.user_id || actor.may(Permission::ManageActivities, &team.place_path)
}

/// What staff say of a new team.
pub(super) struct Founding<'a> {
    pub place_id: PlaceId,
    pub name: &'a str,
    pub description: &'a str,
    pub leader_id: UserId,
}

/// Founds a team; its leader is its first member.
pub(super) async fn found(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    new: Founding<'_>,
) -> Result<team::Model, Problem> {
    let (place, community_id) = places::named_in_community(txn, new.place_id, "/place_id").await?;
    actor.require(Permission::ManageActivities, &place.path)?;
    require_resident(txn, new.leader_id, community_id, "/leader_id").await?;
    let now = state.clock.now();
    let row = team::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        community_id: Set(community_id),
        place_id: Set(place.id),
        place_path: Set(place.path),
        name: Set(new.name.trim().to_owned()),
        description: Set(new.description.trim().to_owned()),
        leader_id: Set(new.leader_id),
        created_by: Set(actor.user_id),
        created_at: Set(now),
    };
    let row = row.insert(txn).await?;
    insert_member(state, txn, &row, new.leader_id, actor.user_id, MemberState::Active).await?;
    let detail = json!({ "leader_id": row.leader_id });
    audit::record(state, txn, Some(actor.user_id), "team.create", ("team", row.id.0), Some(row.place_id), detail)
        .await?;
    let body = format!("您被任命为“{}”队长，可在花名册中接收队员、确认技能。", row.name);
    tell(state, txn, row.leader_id, &row, "team.leader", "队长任命", body, row.id.to_string()).await?;
    let notice = Notice {
        community_id,
        kind: "team.created",
        title: format!("志愿队伍成立：{}", row.name),
        body: row.description.clone(),
        subject: Some(("team", row.id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(row)
}

/// Only verified residents of the community join.
async fn require_resident(
    txn: &DatabaseTransaction,
    person: UserId,
    community: PlaceId,
    pointer: &str,
) -> Result<(), Problem> {
    match identity::residence(txn, person).await? {
        Some(residence) if residence.community_id == community => Ok(()),
        _ => Err(Problem::field(pointer, "须为本社区已认证居民 / must be a verified resident of the community")),
    }
}

async fn insert_member(
    state: &AppState,
    txn: &DatabaseTransaction,
    team: &team::Model,
    person: UserId,
    asked_by: UserId,
    first: MemberState,
) -> Result<member::Model, Problem> {
    let id: TeamMemberId = ids::ordered(&state.clock);
    let row = member::ActiveModel {
        id: Set(id),
        team_id: Set(team.id),
        user_id: Set(person),
        state: Set(first),
        asked_by: Set(asked_by),
        asked_at: Set(state.clock.now()),
        answered_by: Set(None),
        answered_at: Set(None),
        ended_by: Set(None),
        ended_at: Set(None),
    };
    // Literals: the index is recognised by its very condition.
    let one_live = OnConflict::columns([member::Column::TeamId, member::Column::UserId])
        .target_and_where(Expr::cust("state IN ('requested', 'invited', 'active')"))
        .do_nothing()
        .to_owned();
    if member::Entity::insert(row).on_conflict(one_live).exec_without_returning(txn).await? == 0 {
        return Err(Code::AlreadyMember.into());
    }
    member::Entity::find_by_id(id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// A team whose roster stands still until the transaction ends, or 404.
async fn lock_team(txn: &DatabaseTransaction, id: TeamId) -> Result<team::Model, Problem> {
    team::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(txn).await?.ok_or_else(|| Code::NotFound.into())
}

/// Asks to join.
pub(super) async fn ask(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TeamId,
) -> Result<member::Model, Problem> {
    let team = lock_team(txn, id).await?;
    if actor.require_verified(txn).await?.community_id != team.community_id {
        return Err(Code::NotResidentHere.into());
    }
    let row = insert_member(state, txn, &team, actor.user_id, actor.user_id, MemberState::Requested).await?;
    let body = format!("有居民申请加入“{}”，请在花名册中处理。", team.name);
    tell(state, txn, team.leader_id, &team, "team.requested", "有人申请入队", body, row.id.to_string()).await?;
    Ok(row)
}

/// Invites somebody.
pub(super) async fn invite(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TeamId,
    person: UserId,
) -> Result<member::Model, Problem> {
    let team = lock_team(txn, id).await?;
    if !in_charge(actor, &team) {
        return Err(Code::Forbidden.into());
    }
    if person == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    require_resident(txn, person, team.community_id, "/user_id").await?;
    let row = insert_member(state, txn, &team, person, actor.user_id, MemberState::Invited).await?;
    record(state, txn, actor, "team.invite", &row, &team).await?;
    let body = format!("“{}”邀请您入队，请在“我的队伍”中接受或谢绝。", team.name);
    tell(state, txn, person, &team, "team.invited", "入队邀请", body, row.id.to_string()).await?;
    Ok(row)
}

/// A membership with its locked team; 404 for whom it is not: the person, the leader, staff.
async fn find(
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TeamMemberId,
) -> Result<(member::Model, team::Model), Problem> {
    let row = member::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    let team = lock_team(txn, row.team_id).await?;
    if row.user_id != actor.user_id && !in_charge(actor, &team) {
        return Err(Code::NotFound.into());
    }
    Ok((row, team))
}

/// Accepts or refuses: an invitation by the person, a request by the leader or staff. Whoever asked does not answer.
pub(super) async fn answer(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TeamMemberId,
    accepted: bool,
) -> Result<member::Model, Problem> {
    let (row, team) = find(txn, actor, id).await?;
    let by_person = row.user_id == actor.user_id;
    match row.state {
        MemberState::Requested if by_person => return Err(Code::OwnAct.into()),
        MemberState::Invited if !by_person => return Err(Code::Forbidden.into()),
        MemberState::Requested | MemberState::Invited => {}
        _ => return Err(Code::MembershipState.into()),
    }
    if accepted && by_person && actor.require_verified(txn).await?.community_id != team.community_id {
        return Err(Code::NotResidentHere.into());
    }
    let to = if accepted { MemberState::Active } else { MemberState::Refused };
    let values = member::ActiveModel {
        state: Set(to),
        answered_by: Set(Some(actor.user_id)),
        answered_at: Set(Some(state.clock.now())),
        ..Default::default()
    };
    let row = advance(txn, &row, values).await?;
    record(state, txn, actor, if accepted { "team.accept" } else { "team.refuse" }, &row, &team).await?;
    let key = row.id.to_string();
    if by_person {
        let (title, body) = if accepted {
            ("新队员", format!("受邀的居民已加入“{}”。", team.name))
        } else {
            ("邀请被谢绝", format!("受邀的居民谢绝加入“{}”。", team.name))
        };
        tell(state, txn, row.asked_by, &team, "team.answered", title, body, key).await?;
    } else {
        let (title, body) = if accepted {
            ("入队申请已通过", format!("欢迎加入“{}”！", team.name))
        } else {
            ("入队申请未通过", format!("“{}”未接受您的申请。", team.name))
        };
        tell(state, txn, row.user_id, &team, "team.answered", title, body, key).await?;
    }
    Ok(row)
}

/// A conditional step: the state in the condition decides between two who act at once.
async fn advance(
    txn: &DatabaseTransaction,
    row: &member::Model,
    values: member::ActiveModel,
) -> Result<member::Model, Problem> {
    let rows = member::Entity::update_many()
        .set(values)
        .filter(member::Column::Id.eq(row.id))
        .filter(member::Column::State.eq(row.state))
        .exec_with_returning(txn)
        .await?;
    rows.into_iter().next().ok_or_else(|| Code::MembershipState.into())
}

/// Ends a membership: by oneself (leaving, or taking a request back), or by the leader or staff. Sign-ups for shifts stay.
pub(super) async fn end(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TeamMemberId,
) -> Result<member::Model, Problem> {
    let (row, team) = find(txn, actor, id).await?;
    match row.state {
        MemberState::Left | MemberState::Removed => return Ok(row),
        MemberState::Refused => return Err(Code::MembershipState.into()),
        MemberState::Requested | MemberState::Invited | MemberState::Active => {}
    }
    if row.user_id == team.leader_id {
        return Err(Code::TeamLeader.into());
    }
    let own = row.user_id == actor.user_id;
    let values = member::ActiveModel {
        state: Set(if own { MemberState::Left } else { MemberState::Removed }),
        ended_by: Set(Some(actor.user_id)),
        ended_at: Set(Some(state.clock.now())),
        ..Default::default()
    };
    let row = advance(txn, &row, values).await?;
    record(state, txn, actor, if own { "team.leave" } else { "team.remove" }, &row, &team).await?;
    let key = row.id.to_string();
    if own {
        let body = format!("一名队员已退出“{}”，其已报名的班次仍保留。", team.name);
        tell(state, txn, team.leader_id, &team, "team.left", "队员退出", body, key).await?;
    } else {
        let body = format!("您已不在“{}”。已报名的班次仍保留，如不参加请取消或请人顶班。", team.name);
        tell(state, txn, row.user_id, &team, "team.removed", "已移出队伍", body, key).await?;
    }
    Ok(row)
}

/// Hands a team on to another member.
pub(super) async fn hand_on(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TeamId,
    person: UserId,
) -> Result<team::Model, Problem> {
    let team = lock_team(txn, id).await?;
    if !in_charge(actor, &team) {
        return Err(Code::Forbidden.into());
    }
    if team.leader_id == person {
        return Ok(team);
    }
    // In the team's lock, so that the member cannot leave meanwhile.
    if !super::is_member(txn, id, person).await? {
        return Err(Problem::field("/user_id", "须为队员 / must be a member"));
    }
    let changed = LeaderChanged { team_id: id, from: team.leader_id, to: person };
    let row = team::ActiveModel { id: Set(id), leader_id: Set(person), ..Default::default() }.update(txn).await?;
    let detail = json!({ "from": changed.from, "to": changed.to });
    audit::record(state, txn, Some(actor.user_id), "team.hand_on", ("team", id.0), Some(team.place_id), detail).await?;
    let key = format!("{id}:{}", state.clock.now().timestamp_micros());
    let body = format!("您已成为“{}”队长。", team.name);
    tell(state, txn, person, &team, "team.leader", "队长任命", body, key.clone()).await?;
    let body = format!("“{}”队长职务已移交。", team.name);
    tell(state, txn, changed.from, &team, "team.leader_before", "队长移交", body, key).await?;
    jobs::enqueue(txn, &state.clock, LEADER_CHANGED, changed).await?;
    Ok(row)
}

/// Writes what a member can do. What the leader or staff write is confirmed; what one writes of oneself is not, and keeps
/// what was confirmed before.
pub(super) async fn set_skills(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TeamMemberId,
    skills: &[String],
) -> Result<Vec<skill::Model>, Problem> {
    let (row, team) = find(txn, actor, id).await?;
    if row.state != MemberState::Active {
        return Err(Code::MembershipState.into());
    }
    let skills: std::collections::BTreeSet<String> = skills.iter().map(|skill| skill.trim().to_owned()).collect();
    skill::Entity::delete_many()
        .filter(skill::Column::MemberId.eq(id))
        .filter(skill::Column::Skill.is_not_in(skills.iter().cloned()))
        .exec(txn)
        .await?;
    let confirmed = (row.user_id != actor.user_id).then_some(actor.user_id);
    let at = confirmed.map(|_| state.clock.now());
    let rows = skills.iter().map(|skill| skill::ActiveModel {
        member_id: Set(id),
        skill: Set(skill.clone()),
        user_id: Set(row.user_id),
        confirmed_by: Set(confirmed),
        confirmed_at: Set(at),
    });
    let mut known = OnConflict::columns([skill::Column::MemberId, skill::Column::Skill]);
    if confirmed.is_some() {
        known.update_columns([skill::Column::ConfirmedBy, skill::Column::ConfirmedAt]);
    } else {
        known.do_nothing();
    }
    if !skills.is_empty() {
        skill::Entity::insert_many(rows).on_conflict(known).exec_without_returning(txn).await?;
    }
    record(state, txn, actor, "team.skills", &row, &team).await?;
    Ok(skill::Entity::find().filter(skill::Column::MemberId.eq(id)).all(txn).await?)
}

/// A membership with the phone number unmasked; every look is in the audit log.
pub(super) async fn reveal(
    state: &AppState,
    actor: &Actor,
    id: TeamMemberId,
) -> Result<(member::Model, Option<String>), Problem> {
    transact(state, async |txn| {
        let (row, team) = find(txn, actor, id).await?;
        record(state, txn, actor, "team.reveal", &row, &team).await?;
        let phone = identity::phones(state, txn, [row.user_id]).await?.remove(&row.user_id);
        Ok((row, phone))
    })
    .await
}

async fn record(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    action: &str,
    row: &member::Model,
    team: &team::Model,
) -> Result<(), Problem> {
    let target = ("team_member", row.id.0);
    audit::record(state, txn, Some(actor.user_id), action, target, Some(team.place_id), json!({})).await
}

#[allow(clippy::too_many_arguments, reason = "a message has that many parts")]
async fn tell(
    state: &AppState,
    txn: &DatabaseTransaction,
    person: UserId,
    team: &team::Model,
    kind: &str,
    title: &str,
    body: String,
    key: String,
) -> Result<(), Problem> {
    let message = Message {
        kind,
        title: title.to_owned(),
        body,
        target: Some(("team", team.id.0)),
        dedupe_key: format!("{kind}:{key}"),
        template: Template::Shift,
    };
    notifications::tell(state, txn, person, &message).await
}
