use std::collections::HashMap;
use std::sync::Arc;

use entities::identity::{grant, residency, user};
use entities::ids::{GrantId, PlaceId, ResidencyId, UserId};
use entities::places::household;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
};
use serde_json::json;

use super::actor::Actor;
use super::domain::{self, Permission};
use super::{ResidencyState, Role, session};
use crate::audit;
use crate::notifications::{self, Message, Template};
use crate::places::{self, PlaceKind};
use crate::platform::code::Code;
use crate::platform::crypto::{Purpose, hex};
use crate::platform::http::{Caller, Problem, transact};
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::platform::wechat::WeChatError;

/// What a sign-in or a refresh gives.
pub(super) struct SignedIn {
    pub caller: Caller,
    pub access_token: String,
    pub refresh_token: String,
}

/// Signs in with a `wx.login` code. Somebody unknown becomes a user.
pub(super) async fn sign_in(state: &AppState, code: &str) -> Result<SignedIn, Problem> {
    let wechat = state.wechat.code_to_session(code).await.map_err(|error| of_wechat(error, Code::WechatCodeInvalid))?;
    let person = transact(state, async |txn| {
        let now = state.clock.now();
        let id: UserId = ids::ordered(&state.clock);
        let row = user::ActiveModel {
            id: Set(id),
            openid: Set(wechat.openid.clone()),
            unionid: Set(wechat.unionid.clone()),
            nickname: Set("微信用户".to_owned()),
            board_opt_out: Set(false),
            last_login_at: Set(now),
            created_at: Set(now),
        };
        let known = OnConflict::column(user::Column::Openid).update_column(user::Column::LastLoginAt).to_owned();
        user::Entity::insert(row).on_conflict(known).exec_without_returning(txn).await?;
        user::Entity::find()
            .filter(user::Column::Openid.eq(&wechat.openid))
            .one(txn)
            .await?
            .ok_or(Code::Internal.into())
    })
    .await?;
    let (family, refresh_token) = session::start(state, person.id).await?;
    signed_in(state, Caller { user_id: person.id, family }, refresh_token)
}

/// Spends a refresh token.
pub(super) async fn refresh(state: &AppState, presented: &str) -> Result<SignedIn, Problem> {
    let (user_id, family, next) = session::refresh(state, presented).await?;
    signed_in(state, Caller { user_id, family }, next)
}

fn signed_in(state: &AppState, caller: Caller, refresh_token: String) -> Result<SignedIn, Problem> {
    Ok(SignedIn { access_token: caller.token(state)?, caller, refresh_token })
}

/// A code that WeChat refuses is the caller's mistake; a WeChat that does not answer is nobody's.
fn of_wechat(error: WeChatError, invalid: Code) -> Problem {
    let code = match &error {
        WeChatError::InvalidCode => invalid,
        WeChatError::HighRiskUser => Code::HighRiskUser,
        _ => Code::WechatUnavailable,
    };
    Problem::from(code).caused_by(error)
}

/// An application for residency.
pub(super) struct Application<'a> {
    pub building_id: PlaceId,
    pub unit: &'a str,
    pub room: &'a str,
    pub real_name: &'a str,
    /// WeChat's phone code; exchanged for the number before the transaction begins.
    pub phone: &'a str,
}

/// The number behind a phone code.
pub(super) async fn phone_number(state: &AppState, code: &str) -> Result<String, Problem> {
    let phone = state.wechat.phone_number(code).await.map_err(|error| of_wechat(error, Code::PhoneCodeInvalid))?;
    Ok(phone.pure_number)
}

/// Applies for a door. One application or residency a person: a unique index.
pub(super) async fn apply(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    application: Application<'_>,
) -> Result<residency::Model, Problem> {
    let building = places::named(txn, application.building_id, "/building_id").await?;
    let (PlaceKind::Building, Some(community_id)) = (building.kind, building.community_id) else {
        return Err(Problem::field("/building_id", "须为门栋 / must be a building"));
    };
    let (unit, room) = (application.unit.trim(), application.room.trim());
    let door = household::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        building_id: Set(building.id),
        unit: Set(unit.to_owned()),
        room: Set(room.to_owned()),
        created_at: Set(state.clock.now()),
    };
    let same_door =
        OnConflict::columns([household::Column::BuildingId, household::Column::Unit, household::Column::Room]);
    household::Entity::insert(door)
        .on_conflict(same_door.clone().do_nothing().to_owned())
        .exec_without_returning(txn)
        .await?;
    let door = household::Entity::find()
        .filter(household::Column::BuildingId.eq(building.id))
        .filter(household::Column::Unit.eq(unit))
        .filter(household::Column::Room.eq(room));
    let household_id = door.one(txn).await?.ok_or(Code::Internal)?.id;
    let sealed = |context, text: &str| {
        state.keys.encrypt(context, text).map_err(|error| Problem::from(Code::Internal).caused_by(error))
    };
    let id: ResidencyId = ids::ordered(&state.clock);
    let row = residency::ActiveModel {
        id: Set(id),
        user_id: Set(actor.user_id),
        household_id: Set(household_id),
        building_id: Set(building.id),
        community_id: Set(community_id),
        place_path: Set(building.path),
        state: Set(ResidencyState::Pending),
        real_name_cipher: Set(sealed("residencies.real_name", application.real_name.trim())?),
        phone_cipher: Set(sealed("residencies.phone", application.phone)?),
        phone_hash: Set(hex(&state.keys.sign(Purpose::PhoneHash, application.phone.as_bytes()))),
        applied_at: Set(state.clock.now()),
        decided_by: Set(None),
        decided_at: Set(None),
        reject_reason: Set(None),
    };
    // Literals: PostgreSQL finds the partial index by its condition only where that holds no parameters.
    let one_live = OnConflict::column(residency::Column::UserId)
        .target_and_where(Expr::cust("state IN ('pending', 'approved')"))
        .do_nothing()
        .to_owned();
    if residency::Entity::insert(row).on_conflict(one_live).exec_without_returning(txn).await? == 0 {
        return Err(Code::ResidencyExists.into());
    }
    let row = residency::Entity::find_by_id(id).one(txn).await?.ok_or(Code::Internal)?;
    audit::record(
        state,
        txn,
        Some(actor.user_id),
        "residency.apply",
        ("residency", row.id.0),
        Some(row.building_id),
        json!({}),
    )
    .await?;
    Ok(row)
}

/// Confirms or refuses an application. Whoever decides first has decided: the state is part of the statement.
pub(super) async fn decide(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ResidencyId,
    refusal: Option<&str>,
) -> Result<residency::Model, Problem> {
    let row = residency::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    if !actor.may(Permission::VerifyResidents, &row.place_path) {
        // Who may not decide does not learn that it exists.
        return Err(if row.user_id == actor.user_id { Code::Forbidden.into() } else { Code::NotFound.into() });
    }
    if row.user_id == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let (decision, word) =
        if refusal.is_some() { (ResidencyState::Rejected, "reject") } else { (ResidencyState::Approved, "approve") };
    let decided = residency::Entity::update_many()
        .col_expr(residency::Column::State, decision.into())
        .col_expr(residency::Column::DecidedBy, actor.user_id.into())
        .col_expr(residency::Column::DecidedAt, state.clock.now().into())
        .col_expr(residency::Column::RejectReason, Expr::value(refusal.map(str::to_owned)))
        .filter(residency::Column::Id.eq(id))
        .filter(residency::Column::State.eq(ResidencyState::Pending))
        .exec_with_returning(txn)
        .await?;
    let Some(row) = decided.into_iter().next() else { return Err(Code::AlreadyDecided.into()) };
    audit::record(
        state,
        txn,
        Some(actor.user_id),
        &format!("residency.{word}"),
        ("residency", id.0),
        Some(row.building_id),
        json!({}),
    )
    .await?;
    let (title, body) = match refusal {
        None => ("居住认证已通过", "您现在可以投票、报名班次并获得积分。".to_owned()),
        Some(reason) => ("居住认证未通过", format!("原因：{reason}")),
    };
    let message = Message {
        kind: "residency.decided",
        title: title.to_owned(),
        body,
        target: Some(("residency", id.0)),
        dedupe_key: format!("residency:{id}"),
        template: Template::Residency,
    };
    notifications::tell(state, txn, row.user_id, &message).await?;
    Ok(row)
}

/// A residency with its personal data; every look is in the audit log.
pub(super) async fn reveal(
    state: &AppState,
    actor: &Actor,
    id: ResidencyId,
) -> Result<(residency::Model, household::Model, String, String), Problem> {
    transact(state, async |txn| {
        let row = residency::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
        if row.user_id != actor.user_id && !actor.may(Permission::VerifyResidents, &row.place_path) {
            return Err(Code::NotFound.into());
        }
        let door = household::Entity::find_by_id(row.household_id).one(txn).await?.ok_or(Code::Internal)?;
        audit::record(
            state,
            txn,
            Some(actor.user_id),
            "residency.reveal",
            ("residency", id.0),
            Some(row.building_id),
            json!({}),
        )
        .await?;
        let (name, phone) = personal(state, &row)?;
        Ok((row, door, name, phone))
    })
    .await
}

/// Real name and phone number of a residency, decrypted.
pub(super) fn personal(state: &AppState, row: &residency::Model) -> Result<(String, String), Problem> {
    let opened = |context, sealed: &str| {
        state.keys.decrypt(context, sealed).map_err(|error| Problem::from(Code::Internal).caused_by(error))
    };
    Ok((opened("residencies.real_name", &row.real_name_cipher)?, opened("residencies.phone", &row.phone_cipher)?))
}

/// A verified resident's own data, decrypted. Whoever shows it in full to somebody else writes that into the audit log.
pub struct Personal {
    /// 姓名
    pub real_name: String,
    /// In full.
    pub phone: String,
    /// Where they live.
    pub residence: super::Residence,
}

/// Name and number of a verified resident; nothing of anybody else.
pub async fn personal_of(
    state: &AppState,
    connection: &impl ConnectionTrait,
    person: UserId,
) -> Result<Option<Personal>, Problem> {
    let row = residency::Entity::find()
        .filter(residency::Column::UserId.eq(person))
        .filter(residency::Column::State.eq(ResidencyState::Approved));
    let Some(row) = row.one(connection).await? else { return Ok(None) };
    let (real_name, phone) = personal(state, &row)?;
    let residence = super::Residence {
        community_id: row.community_id,
        building_id: row.building_id,
        household_id: row.household_id,
        place_path: row.place_path,
    };
    Ok(Some(Personal { real_name, phone, residence }))
}

/// The phone numbers of verified people; who is not verified is not in it. Whoever shows one unmasked writes that into the
/// audit log.
pub async fn phones(
    state: &AppState,
    connection: &impl ConnectionTrait,
    people: impl IntoIterator<Item = UserId>,
) -> Result<HashMap<UserId, String>, Problem> {
    let rows = residency::Entity::find()
        .filter(residency::Column::UserId.is_in(people))
        .filter(residency::Column::State.eq(ResidencyState::Approved))
        .all(connection)
        .await?;
    rows.iter().map(|row| personal(state, row).map(|(_, phone)| (row.user_id, phone))).collect()
}

/// `王小明` as `王**`: enough to recognise, not enough to look up.
pub fn masked_name(name: &str) -> String {
    let mut letters = name.chars();
    let first: String = letters.by_ref().take(1).collect();
    first + &"*".repeat(letters.count().clamp(1, 2))
}

/// `13800000001` as `138****0001`.
pub fn masked_phone(phone: &str) -> String {
    let letters: Vec<char> = phone.chars().collect();
    let keep = |at: usize| at < 3 || at + 4 >= letters.len();
    letters.iter().enumerate().map(|(at, letter)| if keep(at) { *letter } else { '*' }).collect()
}

/// Gives a role at a place.
pub(super) async fn give(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    person: UserId,
    role: Role,
    place_id: PlaceId,
    until: Option<chrono::DateTime<chrono::Utc>>,
) -> Result<grant::Model, Problem> {
    let place = places::named(txn, place_id, "/place_id").await?;
    let now = state.clock.now();
    let held: Vec<_> = actor.held().collect();
    if !held.iter().any(|grant| grant.gives(Permission::GiveGrants, &place.path, now)) {
        return Err(Code::Forbidden.into());
    }
    if !domain::may_give(&held, role, &place.path, until, now) {
        return Err(Code::GrantExceedsOwn.into());
    }
    if until.is_some_and(|until| until <= now) {
        return Err(Problem::field("/until", "须晚于现在 / must lie in the future"));
    }
    if person == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    if user::Entity::find_by_id(person).one(txn).await?.is_none() {
        return Err(Problem::field("/user_id", "没有这个用户 / no such person"));
    }
    // A grant that has run out makes room for a new one.
    grant::Entity::update_many()
        .col_expr(grant::Column::RevokedAt, now.into())
        .filter(grant::Column::UserId.eq(person))
        .filter(grant::Column::Role.eq(role))
        .filter(grant::Column::PlaceId.eq(place_id))
        .filter(grant::Column::RevokedAt.is_null())
        .filter(grant::Column::Until.lte(now))
        .exec(txn)
        .await?;
    let id: GrantId = ids::ordered(&state.clock);
    let row = grant::ActiveModel {
        id: Set(id),
        user_id: Set(person),
        role: Set(role),
        place_id: Set(place_id),
        place_path: Set(place.path),
        given_by: Set(Some(actor.user_id)),
        given_at: Set(now),
        until: Set(until),
        revoked_by: Set(None),
        revoked_at: Set(None),
    };
    let one_live = OnConflict::columns([grant::Column::UserId, grant::Column::Role, grant::Column::PlaceId])
        .target_and_where(grant::Column::RevokedAt.is_null())
        .do_nothing()
        .to_owned();
    if grant::Entity::insert(row).on_conflict(one_live).exec_without_returning(txn).await? == 0 {
        return Err(Code::GrantExists.into());
    }
    audit::record(
        state,
        txn,
        Some(actor.user_id),
        "grant.give",
        ("grant", id.0),
        Some(place_id),
        json!({ "role": role, "user_id": person }),
    )
    .await?;
    grant::Entity::find_by_id(id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// Takes a role back; gives whose it was. Whoever could give it can take it.
pub(super) async fn take_back(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: GrantId,
) -> Result<UserId, Problem> {
    let row = grant::Entity::find_by_id(id).lock_exclusive().one(txn).await?.ok_or(Code::NotFound)?;
    let now = state.clock.now();
    let held: Vec<_> = actor.held().collect();
    let own = row.user_id == actor.user_id;
    if !own && !domain::may_give(&held, row.role, &row.place_path, row.until.map(|until| until.min(now)), now) {
        return Err(Code::NotFound.into());
    }
    if row.revoked_at.is_some() {
        return Ok(row.user_id);
    }
    grant::Entity::update_many()
        .col_expr(grant::Column::RevokedAt, now.into())
        .col_expr(grant::Column::RevokedBy, actor.user_id.into())
        .filter(grant::Column::Id.eq(id))
        .exec(txn)
        .await?;
    audit::record(
        state,
        txn,
        Some(actor.user_id),
        "grant.take_back",
        ("grant", id.0),
        Some(row.place_id),
        json!({ "role": row.role, "user_id": row.user_id }),
    )
    .await?;
    Ok(row.user_id)
}

/// The newest application of a person, whatever its state.
pub(super) async fn latest_residency(
    connection: &impl ConnectionTrait,
    person: UserId,
) -> Result<Option<residency::Model>, Problem> {
    use sea_orm::QueryOrder;
    let rows =
        residency::Entity::find().filter(residency::Column::UserId.eq(person)).order_by_desc(residency::Column::Id);
    Ok(rows.one(connection).await?)
}

/// For answers that follow a change of grants at once.
pub(super) async fn fresh_grants(state: &AppState, person: UserId) -> Result<Arc<[grant::Model]>, Problem> {
    Ok(super::actor::grants_of(state.db.read(), person).await?.into())
}
