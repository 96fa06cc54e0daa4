//! What the demo shows of surveys: one that can be pushed, one that is still a draft.

use entities::surveys::{SurveyState, survey};
use sea_orm::{ActiveValue::Set, DatabaseTransaction};
use serde_json::{Value, json};

use super::seed::put;
use super::{place_id, user_id};
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

const GUANGHUA: &str = "/jiangan/chezhan/guanghua/";

/// Puts in what is not there yet; see [`super::seed`].
pub(super) async fn seed(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    let parking = json!([
        { "id": "car", "kind": "single", "title": "您家有几辆车？", "required": true, "options": [
            { "id": "none", "title": "没有车" }, { "id": "one", "title": "一辆" }, { "id": "more", "title": "两辆及以上" },
        ] },
        { "id": "trouble", "kind": "multiple", "title": "停车方面您遇到过哪些麻烦？", "required": false, "options": [
            { "id": "no_space", "title": "找不到车位" }, { "id": "blocked", "title": "通道被堵" },
            { "id": "scratched", "title": "车辆被刮擦" }, { "id": "noise", "title": "夜间噪声" },
        ] },
        { "id": "order", "kind": "scale", "title": "给现在的停车秩序打分（1 最差，5 最好）", "required": true, "options": [] },
        { "id": "fee", "kind": "number", "title": "自治管理每月收多少元合适？", "required": false, "options": [] },
        { "id": "idea", "kind": "text", "title": "您对车辆自治管理还有什么建议？", "required": false, "options": [] },
    ]);
    let gifts = json!([
        { "id": "gift", "kind": "multiple", "title": "志愿者积分最想兑换什么？", "required": true, "options": [
            { "id": "tissues", "title": "纸巾" }, { "id": "car_wash", "title": "洗车券" }, { "id": "tickets", "title": "楚剧演出票" },
        ] },
        { "id": "other", "kind": "text", "title": "还想兑换别的吗？", "required": false, "options": [] },
    ]);
    for (name, title, questions, published) in
        [("parking", "光华社区停车情况调查", parking, true), ("gifts", "志愿者积分兑换意向", gifts, false)]
    {
        put(txn, row(state, name, title, questions, published)).await?;
    }
    Ok(())
}

fn row(state: &AppState, name: &str, title: &str, questions: Value, published: bool) -> survey::ActiveModel {
    let now = state.clock.now();
    survey::ActiveModel {
        id: Set(ids::named(&format!("survey {name}"))),
        community_id: Set(place_id(GUANGHUA)),
        place_id: Set(place_id(GUANGHUA)),
        place_path: Set(GUANGHUA.to_owned()),
        title: Set(title.to_owned()),
        questions: Set(questions),
        anonymous: Set(published),
        state: Set(if published { SurveyState::Published } else { SurveyState::Draft }),
        created_by: Set(user_id("staff")),
        created_at: Set(now),
        published_at: Set(published.then_some(now)),
    }
}
