//! A project has answered its needs: they are resolved, and whoever said or supported them is told.

use entities::ids::{NeedId, ProjectId, UserId};
use entities::needs::{NeedState, need, support};
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::notifications::{self, Message, Template};
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// Supporters that are read and told at once.
const AT_ONCE: u64 = 1000;

/// Resolves every need that a project took up; gives how many. A second time there is none left.
pub async fn resolve(
    state: &AppState,
    txn: &DatabaseTransaction,
    (project, title): (ProjectId, &str),
) -> Result<u64, Problem> {
    // In the order of their ids, as whoever else locks several needs.
    need::Entity::find()
        .filter(need::Column::ProjectId.eq(project))
        .order_by_asc(need::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(txn)
        .await?;
    let resolved = need::Entity::update_many()
        .col_expr(need::Column::State, NeedState::Resolved.into())
        .filter(need::Column::ProjectId.eq(project))
        .filter(need::Column::State.eq(NeedState::InProject))
        .exec_with_returning(txn)
        .await?;
    for row in &resolved {
        let message = Message {
            kind: "need.resolved",
            title: "您关心的需求已办结".to_owned(),
            body: format!("“{}”由项目“{title}”办结，结果见公示", row.title),
            target: Some(("project", project.0)),
            dedupe_key: format!("need.resolved:{}", row.id),
            template: Template::Need,
        };
        notifications::tell(state, txn, row.author_id, &message).await?;
        tell_supporters(state, txn, row.id, &message).await?;
    }
    Ok(u64::try_from(resolved.len()).unwrap_or(u64::MAX))
}

async fn tell_supporters(
    state: &AppState,
    txn: &DatabaseTransaction,
    need: NeedId,
    message: &Message<'_>,
) -> Result<(), Problem> {
    let mut after: Option<UserId> = None;
    loop {
        let mut some = support::Entity::find()
            .select_only()
            .column(support::Column::UserId)
            .filter(support::Column::NeedId.eq(need));
        if let Some(after) = after {
            some = some.filter(support::Column::UserId.gt(after));
        }
        let people: Vec<UserId> =
            some.order_by_asc(support::Column::UserId).limit(AT_ONCE).into_tuple().all(txn).await?;
        let Some(last) = people.last() else { return Ok(()) };
        after = Some(*last);
        notifications::tell_all(state, txn, &people, message).await?;
    }
}
