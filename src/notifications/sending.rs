//! The subscribe message itself: a job that keeps trying, gives the quota back to nobody and never loses the inbox entry.

use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::UserId;
use entities::notifications::consent;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Template;
use crate::platform::calendar;
use crate::platform::http::{Problem, transact};
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;
use crate::platform::wechat::{SubscribeMessage, WeChatError};

pub(super) const JOB: &str = "notifications.send";

#[derive(Serialize, Deserialize)]
pub(super) struct Payload {
    pub user_id: UserId,
    pub template: Template,
    pub title: String,
    pub body: String,
    pub at: DateTime<Utc>,
}

/// WeChat's id of a template.
pub(super) fn template_id(state: &AppState, template: Template) -> &str {
    let ids = &state.config.wechat.templates;
    match template {
        Template::Residency => &ids.residency,
        Template::Need => &ids.need,
        Template::Project => &ids.project,
        Template::Survey => &ids.survey,
        Template::Shift => &ids.shift,
        Template::Points => &ids.points,
    }
}

/// Sends one message. Every template has the fields `thing1` (what), `thing2` (more) and `time3` (when).
pub(super) async fn send(state: AppState, payload: Value) -> Result<(), JobError> {
    let payload: Payload = serde_json::from_value(payload)?;
    let Some(person) = user::Entity::find_by_id(payload.user_id).one(state.db.read()).await? else { return Ok(()) };
    let message = SubscribeMessage {
        openid: person.openid,
        template_id: template_id(&state, payload.template).to_owned(),
        page: Some("pages/inbox/index".to_owned()),
        data: vec![
            ("thing1".to_owned(), payload.title),
            ("thing2".to_owned(), payload.body),
            ("time3".to_owned(), wall_time(payload.at)),
        ],
    };
    match state.wechat.send_subscribe_message(&message).await {
        Ok(()) => Ok(()),
        // WeChat knows better what the person still accepts.
        Err(WeChatError::ConsentUsedUp | WeChatError::Banned) => {
            Ok(clear(&state, payload.user_id, payload.template.word()).await?)
        }
        Err(error) if error.is_transient() => Err(JobError::Retry(error.to_string())),
        Err(error) => Err(JobError::Hopeless(error.to_string())),
    }
}

/// `2026年11月24日 09:30` in China's one time zone.
fn wall_time(at: DateTime<Utc>) -> String {
    calendar::text(at, "%Y年%m月%d日 %H:%M")
}

async fn clear(state: &AppState, person: UserId, template: &str) -> Result<(), Problem> {
    transact(state, async |txn| {
        let quota = consent::Entity::update_many()
            .col_expr(consent::Column::Available, 0.into())
            .filter(consent::Column::UserId.eq(person))
            .filter(consent::Column::Template.eq(template));
        quota.exec(txn).await?;
        Ok(())
    })
    .await
}

/// WeChat says that a person switched a template off.
pub async fn consent_withdrawn(state: &AppState, openid: &str, template_id: &str) -> Result<(), Problem> {
    let template = Template::ALL.into_iter().find(|template| self::template_id(state, *template) == template_id);
    let person = user::Entity::find().filter(user::Column::Openid.eq(openid)).one(state.db.read()).await?;
    if let (Some(template), Some(person)) = (template, person) {
        clear(state, person.id, template.word()).await?;
    }
    Ok(())
}

/// WeChat says that it could not deliver what it had accepted; the inbox entry stands.
pub fn message_failed(errcode: i64) {
    metrics::counter!("linli_subscribe_messages_failed_total", "errcode" => errcode.to_string()).increment(1);
}
