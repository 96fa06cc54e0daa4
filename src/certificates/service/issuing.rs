use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use entities::certificates::{CertificateState, certificate};
use entities::ids::{CertificateId, PlaceId, UserId};
use sea_orm::sea_query::{Expr, LockType, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use serde_json::json;

use super::{open, profile, seal};
use crate::audit;
use crate::certificates::domain::{self, Content, Entry, masked_document};
use crate::identity::{self, Actor, Permission};
use crate::notices::{self, Notice};
use crate::notifications::{self, Message, Template};
use crate::places;
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::volunteering::{self, ServiceRecord};

const CONTEXT: &str = "certificates.content";

/// A certificate lists at most so many services; who has more asks for a time.
const MOST_ENTRIES: usize = 500;

/// What is to be certified: the services of a person in a community, of all time or of some days.
#[derive(Clone, Copy)]
pub struct Scope {
    /// Whose.
    pub person: UserId,
    /// Where they served.
    pub community_id: PlaceId,
    /// The first day.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub to: Option<NaiveDate>,
}

/// Asks for a certificate; whoever has asked already gets the same wish.
pub(in crate::certificates) async fn ask(
    state: &AppState,
    txn: &DatabaseTransaction,
    scope: Scope,
) -> Result<certificate::Model, Problem> {
    if scope.from.zip(scope.to).is_some_and(|(from, to)| to < from) {
        return Err(Problem::field("/to", "须不早于开始日期 / must not be before from"));
    }
    let community = places::named(txn, scope.community_id, "/community_id").await?;
    if community.community_id != Some(community.id) {
        return Err(Problem::field("/community_id", "须为社区 / must be a community"));
    }
    let row = certificate::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        community_id: Set(community.id),
        place_path: Set(community.path),
        user_id: Set(scope.person),
        state: Set(CertificateState::Requested),
        from_day: Set(scope.from.map(|day| day.to_string())),
        to_day: Set(scope.to.map(|day| day.to_string())),
        requested_at: Set(state.clock.now()),
        ..Default::default()
    };
    // A literal: PostgreSQL finds the partial index by its condition only where that holds no parameter.
    let one = OnConflict::columns([certificate::Column::UserId, certificate::Column::CommunityId])
        .target_and_where(Expr::cust("state = 'requested'"))
        .do_nothing()
        .to_owned();
    certificate::Entity::insert(row).on_conflict(one).exec_without_returning(txn).await?;
    let open = certificate::Entity::find()
        .filter(certificate::Column::UserId.eq(scope.person))
        .filter(certificate::Column::CommunityId.eq(scope.community_id))
        .filter(certificate::Column::State.eq(CertificateState::Requested));
    open.one(txn).await?.ok_or_else(|| Code::Unavailable.into())
}

/// What the issuer says of itself.
pub struct Issuer<'a> {
    /// Without it the street's and the community's name with 居民委员会.
    pub name: Option<&'a str>,
    /// 负责人
    pub responsible: &'a str,
    /// Who handles it; whoever issues, if nobody is named.
    pub handler: Option<&'a str>,
    /// 联系方式
    pub contact: &'a str,
}

/// A certificate that the actor may decide on, locked: staff of the place, never the volunteer. Others do not learn that it exists.
async fn lock(txn: &DatabaseTransaction, actor: &Actor, id: CertificateId) -> Result<certificate::Model, Problem> {
    let row = certificate::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(txn).await?.ok_or(Code::NotFound)?;
    if row.user_id == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    if actor.may(Permission::ManageActivities, &row.place_path) { Ok(row) } else { Err(Code::NotFound.into()) }
}

/// Staff issue a certificate for a person who did not ask for it.
pub async fn issue_for(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    scope: Scope,
    issuer: &Issuer<'_>,
) -> Result<certificate::Model, Problem> {
    let community = places::named(txn, scope.community_id, "/community_id").await?;
    actor.require(Permission::ManageActivities, &community.path)?;
    if scope.person == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    if identity::residence(txn, scope.person).await?.is_none() {
        return Err(Problem::field("/user_id", "须为已认证的居民 / must be a verified resident"));
    }
    let wish = ask(state, txn, scope).await?;
    issue(state, txn, actor, wish.id, issuer).await
}

/// Issues a certificate: number, code, what it says, and a notice. Repeated, it answers the same.
pub(in crate::certificates) async fn issue(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: CertificateId,
    issuer: &Issuer<'_>,
) -> Result<certificate::Model, Problem> {
    let wish = lock(txn, actor, id).await?;
    match wish.state {
        CertificateState::Requested => {}
        CertificateState::Issued => return Ok(wish),
        CertificateState::Declined | CertificateState::Revoked => return Err(Code::CertificateState.into()),
    }
    let now = state.clock.now();
    let content = compose(state, txn, actor, &wish, issuer).await?;
    let (minutes, year) = (content.minutes, content.issued_on.year());
    let seq = profile::next(txn, wish.community_id, "certificate", year).await?;
    let serial = domain::serial(&wish.place_path, year, seq);
    let content = Content { serial: serial.clone(), ..content };
    let values = certificate::ActiveModel {
        state: Set(CertificateState::Issued),
        year: Set(Some(year)),
        seq: Set(Some(seq)),
        serial: Set(Some(serial.clone())),
        code: Set(Some(content.code.clone())),
        masked_name: Set(Some(identity::masked_name(&content.name))),
        minutes: Set(Some(minutes)),
        issuer: Set(Some(content.issuer.clone())),
        content_cipher: Set(Some(seal(state, CONTEXT, &content)?)),
        decided_by: Set(Some(actor.user_id)),
        decided_at: Set(Some(now)),
        ..Default::default()
    };
    let row = advance(txn, &wish, values).await?;
    let detail = json!({ "serial": serial, "minutes": minutes });
    let place = Some(row.community_id);
    audit::record(state, txn, Some(actor.user_id), "certificate.issue", ("certificate", id.0), place, detail).await?;
    let body = format!("编号{serial}，可在“我的证明”中下载。");
    tell(state, txn, &row, "certificate.issued", "志愿服务证明已出具", body).await?;
    let notice = Notice {
        community_id: row.community_id,
        kind: "certificate.issued",
        title: "出具志愿服务记录证明".to_owned(),
        body: format!("编号{serial}，服务时长{}，可凭核验码查验。", domain::duration_text(minutes)),
        subject: Some(("certificate", id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(row)
}

/// One step out of a state: the state in the condition decides.
async fn advance(
    txn: &DatabaseTransaction,
    row: &certificate::Model,
    values: certificate::ActiveModel,
) -> Result<certificate::Model, Problem> {
    let changed = certificate::Entity::update_many()
        .set(values)
        .filter(certificate::Column::Id.eq(row.id))
        .filter(certificate::Column::State.eq(row.state))
        .exec_with_returning(txn)
        .await?;
    changed.into_iter().next().ok_or_else(|| Code::CertificateState.into())
}

/// What the certificate says, but for its number.
async fn compose(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    wish: &certificate::Model,
    issuer: &Issuer<'_>,
) -> Result<Content, Problem> {
    let personal = identity::personal_of(state, txn, wish.user_id).await?.ok_or(Code::NotVerified)?;
    let kept = profile::of(state, txn, wish.user_id).await?.ok_or(Code::ProfileMissing)?;
    let span = (beginning(wish.from_day.as_deref(), 0), beginning(wish.to_day.as_deref(), 1));
    let limit = u64::try_from(MOST_ENTRIES + 1).unwrap_or(u64::MAX);
    let records = volunteering::credited(txn, wish.user_id, wish.community_id, span, limit).await?;
    if records.len() > MOST_ENTRIES {
        let why =
            format!("超过{MOST_ENTRIES}次服务，请分时间段申请 / more than {MOST_ENTRIES} services: ask for a time");
        return Err(Problem::field("/from", why));
    }
    // A service of which nothing counted, or nothing any more, is nothing to certify.
    let entries: Vec<Entry> = records.into_iter().map(entry).filter(|entry| entry.minutes > 0).collect();
    let minutes: i64 = entries.iter().map(|entry| entry.minutes).sum();
    if minutes == 0 {
        return Err(Code::NoServiceMinutes.into());
    }
    let community = places::find(txn, wish.community_id).await?;
    let issuer_name = if let Some(name) = issuer.name {
        name.trim().to_owned()
    } else {
        let street = match community.parent_id {
            Some(street) => places::find(txn, street).await?.name,
            None => String::new(),
        };
        format!("{street}{}居民委员会", community.name)
    };
    let handler = match issuer.handler {
        Some(name) => name.trim().to_owned(),
        None => nickname(txn, actor.user_id).await?,
    };
    let code = domain::check_code(ids::random_bytes());
    Ok(Content {
        serial: String::new(),
        check_url: format!("{}/api/v1/certificates/verify/{code}", state.config.public_url),
        code,
        issued_on: calendar::day(state.clock.now()),
        name: personal.real_name,
        sex: kept.profile.sex.text().to_owned(),
        birth: kept.profile.birth,
        document_type: kept.profile.document_type.text().to_owned(),
        document_number: masked_document(&kept.profile.document_number),
        volunteer_number: kept.number,
        skills: kept.profile.skills,
        phone: identity::masked_phone(&personal.phone),
        community: community.name,
        minutes,
        entries,
        issuer: issuer_name,
        responsible: issuer.responsible.trim().to_owned(),
        handler,
        contact: issuer.contact.trim().to_owned(),
    })
}

async fn nickname(txn: &DatabaseTransaction, person: UserId) -> Result<String, Problem> {
    use entities::identity::user;
    Ok(user::Entity::find_by_id(person).one(txn).await?.ok_or(Code::Internal)?.nickname)
}

/// When a day begins in China, so many days later.
fn beginning(day: Option<&str>, later: u64) -> Option<DateTime<Utc>> {
    let day: NaiveDate = day?.parse().ok()?;
    day.checked_add_days(Days::new(later)).map(calendar::midnight)
}

fn entry(record: ServiceRecord) -> Entry {
    Entry {
        activity: record.activity,
        date: calendar::day(record.starts_at),
        place: record.place,
        people_served: record.people_served,
        content: record.content.unwrap_or_default(),
        minutes: record.minutes.unwrap_or_default(),
        corrected: !record.corrections.is_empty(),
        rating: record.rating,
        responsible: record.responsible.unwrap_or_default(),
        recorded_by: record.recorded_by.unwrap_or_default(),
    }
}

async fn tell(
    state: &AppState,
    txn: &DatabaseTransaction,
    row: &certificate::Model,
    kind: &str,
    title: &str,
    body: String,
) -> Result<(), Problem> {
    let message = Message {
        kind,
        title: title.to_owned(),
        body,
        target: Some(("certificate", row.id.0)),
        dedupe_key: format!("{kind}:{}", row.id),
        template: Template::Shift,
    };
    notifications::tell(state, txn, row.user_id, &message).await
}

/// Staff issue no certificate, and say why.
pub(in crate::certificates) async fn decline(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: CertificateId,
    reason: &str,
) -> Result<certificate::Model, Problem> {
    let wish = lock(txn, actor, id).await?;
    if wish.state != CertificateState::Requested {
        return Err(Code::CertificateState.into());
    }
    let values = certificate::ActiveModel {
        state: Set(CertificateState::Declined),
        decided_by: Set(Some(actor.user_id)),
        decided_at: Set(Some(state.clock.now())),
        decline_reason: Set(Some(reason.trim().to_owned())),
        ..Default::default()
    };
    let row = advance(txn, &wish, values).await?;
    let place = Some(row.community_id);
    audit::record(state, txn, Some(actor.user_id), "certificate.decline", ("certificate", id.0), place, json!({}))
        .await?;
    let body = format!("原因：{}", reason.trim());
    tell(state, txn, &row, "certificate.declined", "志愿服务证明未出具", body).await?;
    Ok(row)
}

/// Staff take a certificate back: whoever checks it is told so, and why.
pub(in crate::certificates) async fn revoke(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: CertificateId,
    reason: &str,
) -> Result<certificate::Model, Problem> {
    let row = lock(txn, actor, id).await?;
    match row.state {
        CertificateState::Issued => {}
        CertificateState::Revoked => return Ok(row),
        CertificateState::Requested | CertificateState::Declined => return Err(Code::CertificateState.into()),
    }
    let values = certificate::ActiveModel {
        state: Set(CertificateState::Revoked),
        revoked_by: Set(Some(actor.user_id)),
        revoked_at: Set(Some(state.clock.now())),
        revoke_reason: Set(Some(reason.trim().to_owned())),
        ..Default::default()
    };
    let row = advance(txn, &row, values).await?;
    let place = Some(row.community_id);
    audit::record(state, txn, Some(actor.user_id), "certificate.revoke", ("certificate", id.0), place, json!({}))
        .await?;
    let serial = row.serial.clone().unwrap_or_default();
    let body = format!("编号{serial}。原因：{}", reason.trim());
    tell(state, txn, &row, "certificate.revoked", "志愿服务证明已撤销", body).await?;
    let notice = Notice {
        community_id: row.community_id,
        kind: "certificate.revoked",
        title: "撤销志愿服务记录证明".to_owned(),
        body: format!("编号{serial}的证明已撤销，原因可凭核验码查询。"),
        subject: Some(("certificate", id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(row)
}

/// What an issued certificate says.
pub(in crate::certificates) fn said(state: &AppState, row: &certificate::Model) -> Result<Content, Problem> {
    let sealed = row.content_cipher.as_deref().ok_or(Code::CertificateState)?;
    open(state, CONTEXT, sealed)
}

/// A certificate to be printed, for its owner or for staff of the place, whose look is in the audit log.
pub(in crate::certificates) async fn take_out(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: CertificateId,
) -> Result<Content, Problem> {
    let row = certificate::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    let own = row.user_id == actor.user_id;
    if !own && !actor.may(Permission::ManageActivities, &row.place_path) {
        return Err(Code::NotFound.into());
    }
    if row.state != CertificateState::Issued {
        return Err(Code::CertificateState.into());
    }
    if !own {
        let place = Some(row.community_id);
        audit::record(state, txn, Some(actor.user_id), "certificate.read", ("certificate", id.0), place, json!({}))
            .await?;
    }
    said(state, &row)
}
