//! What the demo shows of needs: some of 光华社区 in different states, with supporters, and one that waits for a moderator.

use chrono::{DateTime, TimeDelta, Utc};
use entities::ids::NeedId;
use entities::moderation::{ModerationReason, ModerationState, SecurityState, item};
use entities::needs::{NeedCategory, NeedChannel, NeedState, Urgency, need, support};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};
use serde_json::json;

use super::seed::{community_of, place_id, put, user_id};
use crate::needs;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

const GUANGHUA: &str = "/jiangan/chezhan/guanghua/";
const SECOND: &str = "/jiangan/chezhan/guanghua/wg1/b2/";

pub(super) struct Need {
    pub key: &'static str,
    pub place: &'static str,
    pub author: &'static str,
    pub anonymous: bool,
    pub category: NeedCategory,
    pub state: NeedState,
    pub days_ago: i64,
    pub title: &'static str,
    pub body: &'static str,
    pub supporters: &'static [&'static str],
}

const NEEDS: &[Need] = &[
    Need {
        key: "parking",
        place: GUANGHUA,
        author: "resident-20",
        anonymous: false,
        category: NeedCategory::Convenience,
        state: NeedState::InProject,
        days_ago: 40,
        title: "小区没有停车场，车停得到处都是",
        body: "小区是老房子，没有物业，也没有划停车位。晚上回来要转好几圈，消防通道也常被占。希望大家一起商量怎么停、谁来管。",
        supporters: &["representative", "volunteer-1", "volunteer-2", "volunteer-3", "volunteer-4", "leader"],
    },
    Need {
        key: "handrails",
        place: SECOND,
        author: "resident-19",
        anonymous: false,
        category: NeedCategory::Charity,
        state: NeedState::Published,
        days_ago: 12,
        title: "2栋楼梯加装扶手",
        body: "二单元住着好几位腿脚不便的老人，楼梯只有一边有扶手，下雨天很滑。能不能在另一边也装上，转角处加一盏感应灯。",
        supporters: &["representative", "volunteer-1", "volunteer-5"],
    },
    Need {
        key: "homework",
        place: GUANGHUA,
        author: "resident-18",
        anonymous: false,
        category: NeedCategory::CultureEducation,
        state: NeedState::InTopic,
        days_ago: 9,
        title: "办一个“四点半”学校",
        body: "双职工家庭的孩子放学早，没人照看。社区活动室下午空着，可以请退休老师和大学生志愿者来陪孩子写作业。",
        supporters: &["volunteer-2", "volunteer-3"],
    },
    Need {
        key: "noise",
        place: GUANGHUA,
        author: "resident-17",
        anonymous: true,
        category: NeedCategory::Rights,
        state: NeedState::Published,
        days_ago: 4,
        title: "晚上装修噪音，请社区帮忙调解",
        body: "楼上装修常到晚上九点以后，上门说过两次没有用。希望社区出面，和邻居约定一个装修时间。",
        supporters: &["volunteer-4"],
    },
    Need {
        key: "haircut",
        place: GUANGHUA,
        author: "resident-16",
        anonymous: false,
        category: NeedCategory::Convenience,
        state: NeedState::Resolved,
        days_ago: 60,
        title: "给行动不便的老人上门理发",
        body: "几位老人半年没有下楼理发了。志愿者里有会理发的，能不能每个月上门一次。",
        supporters: &["representative", "leader", "volunteer-5"],
    },
    Need {
        key: "advert",
        place: GUANGHUA,
        author: "resident-15",
        anonymous: false,
        category: NeedCategory::Convenience,
        state: NeedState::InReview,
        days_ago: 1,
        title: "疑似广告：低价疏通管道",
        body: "专业疏通管道，电话联系，随叫随到。",
        supporters: &[],
    },
];

/// Puts in what is not there yet; see [`super::seed`].
pub(super) async fn seed(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    for item in NEEDS {
        let id: NeedId = ids::named_at(&format!("need:{}", item.key), id_time(item));
        // All of a need or nothing: a supporter who has stepped out since must not come back with a restart.
        if need::Entity::find_by_id(id).one(txn).await?.is_none() {
            insert(state, txn, id, item).await?;
        }
    }
    Ok(())
}

/// Lists are in the order of ids, and an id must be the same at every start: these stand before all real ones.
fn id_time(item: &Need) -> DateTime<Utc> {
    DateTime::from_timestamp(1_504_224_000, 0).unwrap_or_default() - TimeDelta::days(item.days_ago)
}

/// A need with its supporters, as it stands after content security.
pub(super) async fn insert(
    state: &AppState,
    txn: &DatabaseTransaction,
    id: NeedId,
    item: &Need,
) -> Result<(), Problem> {
    let community = community_of(item.place);
    let created_at = state.clock.now() - TimeDelta::days(item.days_ago);
    let author = user_id(item.author);
    let row = need::ActiveModel {
        id: Set(id),
        community_id: Set(community),
        place_id: Set(place_id(item.place)),
        place_path: Set(item.place.to_owned()),
        author_id: Set(Some(author)),
        category: Set(item.category),
        title: Set(item.title.to_owned()),
        body: Set(item.body.to_owned()),
        anonymous: Set(item.anonymous),
        state: Set(item.state),
        hidden: Set(false),
        support_count: Set(i64::try_from(item.supporters.len()).unwrap_or_default()),
        created_at: Set(created_at),
        published_at: Set((item.state != NeedState::InReview).then_some(created_at)),
        channel: Set(NeedChannel::MiniProgram),
        urgency: Set(Urgency::Normal),
        beneficiary_groups: Set(json!([])),
        ..Default::default()
    };
    put(txn, row).await?;
    for name in item.supporters {
        put(
            txn,
            support::ActiveModel {
                need_id: Set(id),
                user_id: Set(user_id(name)),
                created_at: Set(created_at),
                merge_id: Set(None),
            },
        )
        .await?;
    }
    // At once, so that the first question finds it.
    let row = need::Entity::find_by_id(id).one(txn).await?.ok_or(Code::Internal)?;
    needs::index(state, txn, &row).await?;
    if item.state == NeedState::InReview {
        let row = item::ActiveModel {
            id: Set(ids::named_at(&format!("moderation:need:{}", item.key), id_time(item))),
            community_id: Set(community),
            place_path: Set(item.place.to_owned()),
            target_kind: Set("need".to_owned()),
            target_id: Set(id.0),
            author_id: Set(author),
            reason: Set(ModerationReason::Risky),
            security: Set(Some(SecurityState::Risky)),
            excerpt: Set(format!("{}：{}", item.title, item.body)),
            report_count: Set(0),
            state: Set(ModerationState::Open),
            action: Set(None),
            decision_reason: Set(None),
            decided_by: Set(None),
            decided_at: Set(None),
            created_at: Set(created_at),
        };
        put(txn, row).await?;
    }
    Ok(())
}
