//! What a person is told: always an inbox entry, and a WeChat subscribe message where they accepted one.
//!
//! [`tell`] writes the entry, takes one from the person's quota and promises the sending, all in the transaction of the
//! change itself (outbox). The dedupe key makes a repeated delivery one entry.

mod http;
mod sending;

use chrono::{DateTime, Utc};
use entities::ids::UserId;
use entities::notifications::{consent, inbox_entry};
use futures_util::FutureExt;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::platform::capability::Capability;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::platform::{ids, jobs};

pub use sending::{consent_withdrawn, message_failed};

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "notifications",
        routes: Some(http::routes),
        jobs: vec![(sending::JOB, |state, payload| sending::send(state, payload).boxed_local())],
        ..Capability::default()
    }
}

/// The kinds of subscribe message that Linli sends; `[wechat.templates]` maps each to WeChat's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// An application for residency was decided.
    Residency,
    /// Something happened to one's need.
    Need,
    /// A project, its tender, contract or result moved on.
    Project,
    /// A survey or a poll waits for an answer.
    Survey,
    /// Something happened to one's shift.
    Shift,
    /// Points arrived, or a redemption changed.
    Points,
}

impl Template {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Residency, Self::Need, Self::Project, Self::Survey, Self::Shift, Self::Points];

    /// What residents call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Residency => "居住认证结果",
            Self::Need => "需求进展",
            Self::Project => "项目进展",
            Self::Survey => "问卷与表决",
            Self::Shift => "志愿班次",
            Self::Points => "积分与兑换",
        }
    }

    /// The word in the API, the settings and the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Residency => "residency",
            Self::Need => "need",
            Self::Project => "project",
            Self::Survey => "survey",
            Self::Shift => "shift",
            Self::Points => "points",
        }
    }
}

/// Something to tell somebody.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// What happened, as `capability.event`.
    pub kind: &'a str,
    /// One line, Chinese.
    pub title: String,
    /// The rest, Chinese.
    pub body: String,
    /// What it is about.
    pub target: Option<(&'a str, Uuid)>,
    /// Repeated deliveries of one event carry one key.
    pub dedupe_key: String,
    /// Which quota a WeChat message would be taken from.
    pub template: Template,
}

/// Tells one person, in the caller's transaction.
pub async fn tell(
    state: &AppState,
    txn: &impl ConnectionTrait,
    person: UserId,
    message: &Message<'_>,
) -> Result<(), Problem> {
    tell_all(state, txn, &[person], message).await
}

/// Tells many, in the caller's transaction; a few statements, however many they are.
pub async fn tell_all(
    state: &AppState,
    txn: &impl ConnectionTrait,
    people: &[UserId],
    message: &Message<'_>,
) -> Result<(), Problem> {
    let now = state.clock.now();
    // Each row has ten columns, and a statement of SQLite at most 32,766 values.
    for people in people.chunks(1000) {
        let before: Vec<inbox_entry::ActiveModel> =
            people.iter().map(|person| entry(state, *person, message, now)).collect();
        let nothing =
            OnConflict::columns([inbox_entry::Column::UserId, inbox_entry::Column::DedupeKey]).do_nothing().to_owned();
        let told = inbox_entry::Entity::insert_many(before).on_conflict(nothing).exec_without_returning(txn).await?;
        if told == 0 {
            continue;
        }
        let quotas = consent::Entity::update_many()
            .col_expr(consent::Column::Available, Expr::col(consent::Column::Available).sub(1))
            .filter(consent::Column::UserId.is_in(people.iter().copied()))
            .filter(consent::Column::Template.eq(message.template.word()))
            .filter(consent::Column::Available.gt(0))
            .exec_with_returning(txn)
            .await?;
        for quota in quotas {
            let payload = sending::Payload {
                user_id: quota.user_id,
                template: message.template,
                title: message.title.clone(),
                body: message.body.clone(),
                at: now,
            };
            jobs::enqueue(txn, &state.clock, sending::JOB, payload).await?;
        }
    }
    Ok(())
}

fn entry(state: &AppState, person: UserId, message: &Message<'_>, now: DateTime<Utc>) -> inbox_entry::ActiveModel {
    inbox_entry::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        user_id: Set(person),
        dedupe_key: Set(message.dedupe_key.clone()),
        kind: Set(message.kind.to_owned()),
        title: Set(message.title.clone()),
        body: Set(message.body.clone()),
        target_kind: Set(message.target.map(|(kind, _)| kind.to_owned())),
        target_id: Set(message.target.map(|(_, id)| id)),
        created_at: Set(now),
        read_at: Set(None),
    }
}

/// How many entries a person has not read.
pub async fn unread(connection: &impl ConnectionTrait, person: UserId) -> Result<u64, Problem> {
    let unread = inbox_entry::Entity::find()
        .filter(inbox_entry::Column::UserId.eq(person))
        .filter(inbox_entry::Column::ReadAt.is_null());
    Ok(unread.count(connection).await?)
}

/// How many messages of a template somebody still accepts.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quota {
    /// Which.
    pub template: Template,
    /// WeChat's id of it, for `wx.requestSubscribeMessage`.
    pub template_id: String,
    /// How many.
    pub available: i32,
}

/// A person's quotas of every template.
pub async fn quotas(
    state: &AppState,
    connection: &impl ConnectionTrait,
    person: UserId,
) -> Result<Vec<Quota>, Problem> {
    let rows = consent::Entity::find().filter(consent::Column::UserId.eq(person)).all(connection).await?;
    let available =
        |template: Template| rows.iter().find(|row| row.template == template.word()).map_or(0, |row| row.available);
    Ok(Template::ALL
        .into_iter()
        .map(|template| Quota {
            template,
            template_id: sending::template_id(state, template).to_owned(),
            available: available(template),
        })
        .collect())
}
