//! The board's demo: a notice that people may object to, and its correction.

use chrono::TimeDelta;
use entities::notices::notice;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::seed::place_id;
use crate::notices::{self, Notice};
use crate::platform::calendar;
use crate::platform::http::{Problem, transact};
use crate::platform::state::AppState;

const GUANGHUA: &str = "/jiangan/chezhan/guanghua/";

/// Publishes what is not there yet.
pub(super) async fn act(state: &AppState) -> Result<(), Problem> {
    const KIND: &str = "parking.rules";
    let place = place_id(GUANGHUA);
    transact(state, async |txn| {
        let there = notice::Entity::find()
            .filter(notice::Column::CommunityId.eq(place))
            .filter(notice::Column::Kind.eq(KIND))
            .filter(notice::Column::SubjectId.eq(place.0));
        if there.count(txn).await? > 0 {
            return Ok(());
        }
        let notice = Notice {
            community_id: place,
            kind: KIND,
            title: "停车自治收费与补贴办法公示".to_owned(),
            body: "光华社区“红色引擎”车辆自治之家拟定收费与补贴办法，现征求居民意见。\n\
                   一、停车费每车每月60元，按月缴纳。\n\
                   二、值守补贴每班次20元，由理事会按月公布。\n\
                   三、收支账目每月在公示栏公布。"
                .to_owned(),
            subject: Some(("place", place.0)),
            window: Some(calendar::day_end(calendar::day(state.clock.now()) + TimeDelta::days(7))),
            ..Notice::default()
        };
        let id = notices::publish(state, txn, notice).await?;
        let body = "第二条“由理事会按月公布”更正为“由理事会审核、监事会复核后按月公布”。".to_owned();
        notices::correct(state, txn, id, body).await?;
        Ok(())
    })
    .await
}
