//! Points for answers, where the community's rule gives any.
//!
//! A named answer earns at once. Who answered an anonymous survey is rewarded by a schedule, all in the order of their ids: an
//! award at the moment of the answer would say in which order people answered.

use async_trait::async_trait;
use entities::ids::{SurveyId, UserId};
use entities::surveys::{audience, survey};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::platform::capability::{Explained, Explanation};
use crate::platform::http::{Problem, transact};
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;
use crate::points::{self, Earn, Quantity, RuleKey};

/// The word for a survey as a source of points.
pub(super) const KIND: &str = "survey";
/// So many answers are looked up at a time.
const BATCH: u64 = 200;

/// What the community's rule gives for an answer.
pub(super) async fn reward(
    state: &AppState,
    txn: &DatabaseTransaction,
    survey: &survey::Model,
    person: UserId,
) -> Result<(), Problem> {
    let earn = Earn {
        rule: RuleKey::SurveyAnswer,
        community_id: survey.community_id,
        person,
        source: (KIND, survey.id.0),
        quantity: Quantity::Once,
        at: state.clock.now(),
        reason: format!("填写问卷：{}", survey.title),
        actor: None,
    };
    points::earn(state, txn, &earn).await.map(drop)
}

/// The schedule. Each award is a transaction of its own, so that many of them keep nobody waiting.
pub(super) async fn reward_anonymous(state: &AppState) -> Result<(), JobError> {
    loop {
        let waiting: Vec<(UserId, SurveyId)> = audience::Entity::find()
            .select_only()
            .columns([audience::Column::UserId, audience::Column::SurveyId])
            // Literals: PostgreSQL finds the partial index by its condition.
            .filter(Expr::cust("answered AND NOT rewarded"))
            .order_by_asc(audience::Column::UserId)
            .order_by_asc(audience::Column::SurveyId)
            .limit(BATCH)
            .into_tuple()
            .all(state.db.read())
            .await?;
        if waiting.is_empty() {
            return Ok(());
        }
        let surveys = survey::Entity::find().filter(survey::Column::Id.is_in(waiting.iter().map(|(_, id)| *id)));
        let surveys = surveys.all(state.db.read()).await?;
        for (person, id) in waiting {
            let Some(survey) = surveys.iter().find(|survey| survey.id == id) else { continue };
            transact(state, async |txn| {
                let first = audience::Entity::update_many()
                    .col_expr(audience::Column::Rewarded, true.into())
                    .filter(audience::Column::SurveyId.eq(id))
                    .filter(audience::Column::UserId.eq(person))
                    .filter(audience::Column::Rewarded.eq(false))
                    .exec(txn)
                    .await?;
                // Another worker may have been here.
                if first.rows_affected == 1 { reward(state, txn, survey, person).await } else { Ok(()) }
            })
            .await?;
        }
    }
}

pub(super) struct Surveys;

#[async_trait(?Send)]
impl Explained for Surveys {
    async fn explain(&self, connection: &DatabaseConnection, id: Uuid) -> Result<Option<Explanation>, Problem> {
        let row = survey::Entity::find_by_id(SurveyId(id)).one(connection).await?;
        Ok(row.map(|row| Explanation {
            what: format!("填写问卷：{}", row.title),
            evidence: Vec::new(),
            minutes: None,
            confirmed: Vec::new(),
        }))
    }
}
