use chrono::{DateTime, TimeDelta, Utc};
use entities::ids::{CaseId, FileId, PlaceId, UserId};
use entities::needs::{ConsentHow, NeedCategory, NeedChannel, NeedState, Urgency, need, need_file};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, PaginatorTrait,
    QueryFilter,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cases::{self, NewCase};
use crate::files::Secrecy;
use crate::identity::{self, Actor, Permission};
use crate::moderation::{self, Submission};
use crate::needs::{domain, moderated};
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
use crate::platform::http::{Problem, lock_person};
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::platform::wechat::Scene;
use crate::{audit, files, places};

/// Needs that one person may submit in a day, and record for others.
const NEEDS_A_DAY: u64 = 50;
const RECORDED_A_DAY: u64 = 200;
const SUBJECT: &str = "needs.subject";

/// A need to be submitted.
pub(in crate::needs) struct NewNeed<'a> {
    pub place_id: PlaceId,
    pub category: NeedCategory,
    pub service: Option<&'a str>,
    pub title: &'a str,
    pub body: &'a str,
    pub file_ids: &'a [FileId],
    pub voice: Option<FileId>,
    pub anonymous: bool,
    pub channel: NeedChannel,
    pub urgency: Urgency,
    pub groups: &'a [String],
    pub count: Option<i64>,
    pub behalf: Option<Behalf<'a>>,
}

/// For whom somebody records a need, and how they agreed.
pub(in crate::needs) struct Behalf<'a> {
    pub subject: Subject<'a>,
    pub how: ConsentHow,
    pub at: DateTime<Utc>,
}

/// Whose need it is.
pub(in crate::needs) enum Subject<'a> {
    /// A verified resident of the community, who sees it as theirs.
    Resident(UserId),
    /// Somebody without an account.
    Person { name: &'a str, contact: Option<&'a str> },
}

/// Somebody without an account, as stored (encrypted).
#[derive(Serialize, Deserialize)]
pub(in crate::needs) struct Stored {
    pub name: String,
    pub contact: Option<String>,
}

/// Stores a need and sends it to content security. Anybody signed in may submit one, at any place of a community; who knows the
/// people of a building or a place may record one for somebody there.
pub(in crate::needs) async fn submit(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    input: NewNeed<'_>,
) -> Result<need::Model, Problem> {
    let now = state.clock.now();
    check(&input, now)?;
    let (place, community_id) = places::named_in_community(txn, input.place_id, "/place_id").await?;
    // The lock makes parallel submissions of one person count one after the other.
    lock_person(txn, actor.user_id).await?;
    let (author_id, subject) = of_whom(state, txn, actor, &input, (&place.path, community_id)).await?;
    let (mine, most) = match input.behalf {
        Some(_) => (need::Column::RecorderId.eq(actor.user_id), RECORDED_A_DAY),
        None => (need::Column::AuthorId.eq(actor.user_id), NEEDS_A_DAY),
    };
    let own = if input.behalf.is_some() {
        Condition::all()
    } else {
        Condition::all().add(need::Column::RecorderId.is_null())
    };
    let today =
        need::Entity::find().filter(mine).filter(own).filter(need::Column::CreatedAt.gt(now - TimeDelta::days(1)));
    if today.count(txn).await? >= most {
        return Err(Problem::new(Code::RateLimited, format!("at most {most} needs a day")));
    }
    files::attach(txn, actor.user_id, input.file_ids, &place.path, "/file_ids").await?;
    if let Some(voice) = input.voice {
        files::attach_voice(txn, actor.user_id, (voice, Secrecy::Open), &place.path, "/voice_id").await?;
    }
    let consent = input.behalf.as_ref();
    let row = need::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        community_id: Set(community_id),
        place_id: Set(place.id),
        place_path: Set(place.path.clone()),
        author_id: Set(author_id),
        category: Set(input.category),
        title: Set(input.title.to_owned()),
        body: Set(input.body.to_owned()),
        anonymous: Set(input.anonymous),
        state: Set(NeedState::InReview),
        hidden: Set(false),
        support_count: Set(0),
        created_at: Set(now),
        published_at: Set(None),
        project_id: Set(None),
        channel: Set(input.channel),
        recorder_id: Set(consent.map(|_| actor.user_id)),
        subject_cipher: Set(subject),
        consent_how: Set(consent.map(|consent| consent.how)),
        consent_at: Set(consent.map(|consent| consent.at)),
        service: Set(input.service.map(str::to_owned)),
        urgency: Set(input.urgency),
        beneficiary_groups: Set(json!(input.groups)),
        beneficiary_count: Set(input.count),
        ..Default::default()
    };
    let row = row.insert(txn).await?;
    let files: Vec<FileId> = input.file_ids.iter().copied().chain(input.voice).collect();
    if !files.is_empty() {
        let rows = files.iter().zip(0..).map(|(file, position)| need_file::ActiveModel {
            need_id: Set(row.id),
            position: Set(position),
            file_id: Set(*file),
            voice: Set(input.voice == Some(*file)),
        });
        need_file::Entity::insert_many(rows).exec_without_returning(txn).await?;
    }
    let submission = Submission {
        community_id,
        place_path: &place.path,
        target_kind: moderated::KIND,
        target_id: row.id.0,
        author: actor.user_id,
        title: input.title,
        text: input.body,
        file_ids: &files,
        scene: Scene::Forum,
    };
    moderation::submit(state, txn, submission).await?;
    if let (Some(subject), Some(_)) = (row.author_id, &row.recorder_id) {
        let message = Message {
            kind: "need.recorded",
            title: "有人代您提交了需求".to_owned(),
            body: format!("“{}”。如非您的意思，可以提出异议", row.title),
            target: Some((moderated::KIND, row.id.0)),
            dedupe_key: format!("need.recorded:{}", row.id),
            template: Template::Need,
        };
        notifications::tell(state, txn, subject, &message).await?;
    }
    Ok(row)
}

/// What no other row decides: that the service belongs to the category, the groups are known, and that whoever speaks for
/// themself does so through the mini-program.
fn check(input: &NewNeed<'_>, now: DateTime<Utc>) -> Result<(), Problem> {
    if input.body.is_empty() && input.voice.is_none() {
        return Err(Problem::field("/body", "请写明或录音说明 / write it or say it"));
    }
    if input.service.is_some_and(|word| domain::services::find(input.category, word).is_none()) {
        return Err(Problem::field("/service", "该类别没有这项服务 / no such service in the category"));
    }
    if let Some(at) = input.groups.iter().position(|word| !domain::services::is_group(word)) {
        return Err(Problem::field(&format!("/beneficiary_groups/{at}"), "没有这个人群 / no such group"));
    }
    if (input.channel == NeedChannel::MiniProgram) == input.behalf.is_some() {
        let why = "代人记录时须写明渠道，本人提交为 mini_program / a channel but the mini-program, if and only if it is recorded for somebody";
        return Err(Problem::field("/channel", why));
    }
    if input.behalf.as_ref().is_some_and(|behalf| behalf.at > now) {
        return Err(Problem::field("/on_behalf_of/consent_at", "不能晚于现在 / not in the future"));
    }
    Ok(())
}

/// The author, or somebody without an account, encrypted.
async fn of_whom(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    input: &NewNeed<'_>,
    (path, community): (&str, PlaceId),
) -> Result<(Option<UserId>, Option<String>), Problem> {
    let Some(behalf) = &input.behalf else { return Ok((Some(actor.user_id), None)) };
    if !actor.may(Permission::VerifyResidents, path) {
        actor.require(Permission::SocialWork, path)?;
    }
    match behalf.subject {
        Subject::Resident(person) if person == actor.user_id => {
            Err(Problem::field("/on_behalf_of/user_id", "不能代自己记录 / not oneself"))
        }
        Subject::Resident(person) => {
            let home = identity::residence(txn, person).await?;
            if home.is_none_or(|home| home.community_id != community) {
                let why = "须为本社区已认证居民 / must be a verified resident of the community";
                return Err(Problem::field("/on_behalf_of/user_id", why));
            }
            Ok((Some(person), None))
        }
        Subject::Person { name, contact } => {
            let stored = Stored { name: name.to_owned(), contact: contact.map(str::to_owned) };
            let internal =
                |error: Box<dyn std::error::Error + Send + Sync>| Problem::from(Code::Internal).caused_by(error);
            let text = serde_json::to_string(&stored).map_err(|error| internal(error.into()))?;
            let sealed = state.keys.encrypt(SUBJECT, &text).map_err(|error| internal(error.into()))?;
            Ok((None, Some(sealed)))
        }
    }
}

/// Who a need without an author is of.
pub(in crate::needs) fn subject_of(state: &AppState, row: &need::Model) -> Result<Option<Stored>, Problem> {
    let Some(sealed) = &row.subject_cipher else { return Ok(None) };
    let text = state.keys.decrypt(SUBJECT, sealed).map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
    serde_json::from_str(&text).map(Some).map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

/// [`subject_of`] in full, for whoever recorded it and staff; that they read it is in the audit log.
pub(in crate::needs) async fn reveal(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    row: &need::Model,
) -> Result<Stored, Problem> {
    if row.recorder_id != Some(actor.user_id) {
        actor.require(Permission::Moderate, &row.place_path)?;
    }
    let stored = subject_of(state, row)?.ok_or(Code::NotFound)?;
    let target = (moderated::KIND, row.id.0);
    audit::record(state, txn, Some(actor.user_id), "need.subject", target, Some(row.place_id), json!({})).await?;
    Ok(stored)
}

/// Opens a case file instead of a need: nothing of it goes to content security, a queue, a list or an index.
pub(in crate::needs) async fn confide(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    input: &NewNeed<'_>,
) -> Result<CaseId, Problem> {
    if !input.file_ids.is_empty() {
        let why = "保密诉求不收图片，可在社工联系时出示 / no pictures: WeChat would look at them";
        return Err(Problem::field("/file_ids", why));
    }
    check(input, state.clock.now())?;
    let place = places::named_in_community(txn, input.place_id, "/place_id").await?;
    lock_person(txn, actor.user_id).await?;
    of_whom(state, txn, actor, input, (&place.0.path, place.1)).await?;
    if let Some(voice) = input.voice {
        files::attach_voice(txn, actor.user_id, (voice, Secrecy::Confidential), &place.0.path, "/voice_id").await?;
    }
    let subject = match &input.behalf {
        None => "本人".to_owned(),
        Some(Behalf { subject: Subject::Person { name, contact }, .. }) => {
            format!("{name} {}", contact.unwrap_or_default()).trim().to_owned()
        }
        Some(Behalf { subject: Subject::Resident(person), .. }) => {
            let known = identity::personal_of(state, txn, *person).await?;
            known.map(|known| format!("{} {}", known.real_name, known.phone)).unwrap_or_default()
        }
    };
    let service = input.service.and_then(|word| domain::services::find(input.category, word));
    let service = service.map(|service| format!("（{}）", service.zh)).unwrap_or_default();
    let summary = format!("{}{service}\n{}", input.title, input.body);
    let new = NewCase {
        place_id: input.place_id,
        category: input.category,
        subject: &subject,
        summary: summary.trim(),
        voice: input.voice,
    };
    cases::open(state, txn, actor.user_id, &new).await
}
