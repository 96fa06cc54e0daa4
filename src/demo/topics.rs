//! What the demo shows of topics: the “四点半” school, talked over last week; it waits for a decision.

use chrono::TimeDelta;
use entities::ids::{DeliberationId, NeedId, TopicId};
use entities::needs::need;
use entities::topics::{SignedBy, TopicState, attendance, deliberation, topic, topic_need};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};

use super::seed::{place_id, put, user_id};
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

const GUANGHUA: &str = "/jiangan/chezhan/guanghua/";

/// Puts in what is not there yet; the needs must be.
pub(super) async fn seed(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    let id: TopicId = ids::named("topic:homework");
    if topic::Entity::find_by_id(id).one(txn).await?.is_some() {
        return Ok(());
    }
    let homework = need::Entity::find()
        .filter(need::Column::CommunityId.eq(place_id(GUANGHUA)))
        .filter(need::Column::AuthorId.eq(user_id("resident-18")))
        .one(txn)
        .await?;
    let Some(homework) = homework else { return Ok(()) };
    let (now, need_id): (_, NeedId) = (state.clock.now(), homework.id);
    let row = topic::ActiveModel {
        id: Set(id),
        community_id: Set(place_id(GUANGHUA)),
        place_id: Set(place_id(GUANGHUA)),
        place_path: Set(GUANGHUA.to_owned()),
        title: Set("活动室下午能不能办“四点半”学校".to_owned()),
        summary: Set("孩子放学早，活动室下午空着。谁来陪、谁出钱、怎么保证安全，请大家一起商量。".to_owned()),
        state: Set(TopicState::Open),
        created_by: Set(user_id("staff")),
        created_at: Set(now - TimeDelta::days(8)),
        ..Default::default()
    };
    put(txn, row).await?;
    let row = topic_need::ActiveModel {
        topic_id: Set(id),
        need_id: Set(need_id),
        added_by: Set(user_id("staff")),
        added_at: Set(now - TimeDelta::days(8)),
        removed_at: Set(None),
    };
    put(txn, row).await?;
    let meeting: DeliberationId = ids::named("deliberation:homework");
    let starts_at = now - TimeDelta::days(3);
    let row = deliberation::ActiveModel {
        id: Set(meeting),
        topic_id: Set(id),
        community_id: Set(place_id(GUANGHUA)),
        place_path: Set(GUANGHUA.to_owned()),
        venue: Set("光华社区活动室".to_owned()),
        agenda: Set("一、哪些家庭需要；二、退休老师和大学生能来几天；三、安全和费用。".to_owned()),
        starts_at: Set(starts_at),
        ends_at: Set(starts_at + TimeDelta::minutes(90)),
        leader_id: Set(user_id("representative")),
        created_by: Set(user_id("staff")),
        created_at: Set(now - TimeDelta::days(7)),
        minutes: Set(Some("到会居民都赞成先试一个月，每周一至周四下午，由三位退休老师轮流值班，不收费。".to_owned())),
        minutes_by: Set(Some(user_id("staff"))),
        minutes_at: Set(Some(starts_at + TimeDelta::hours(3))),
        ..Default::default()
    };
    put(txn, row).await?;
    for name in ["resident-18", "volunteer-2", "volunteer-3"] {
        let row = attendance::ActiveModel {
            deliberation_id: Set(meeting),
            user_id: Set(user_id(name)),
            method: Set(SignedBy::Code),
            marked_by: Set(None),
            at: Set(starts_at),
            confirmed_by: Set(None),
            confirmed_at: Set(None),
        };
        put(txn, row).await?;
    }
    Ok(())
}
