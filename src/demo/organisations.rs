//! What the demo shows of organisations: who belongs to whom.

use entities::ids::OrganisationId;
use entities::organisations::{PersonRole, person};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};

use super::seed::{put, user_id};
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// Organisation, person, duty. Social workers 1 to 3 belong to nobody, so that they can judge everybody.
const HEADS: &[(&str, &str, &str)] = &[
    ("武汉晚晴枫养老助残服务中心", "org-a", "负责人"),
    ("武汉春晖社会工作服务中心", "org-b", "负责人"),
    ("江岸区社区服务督导中心", "supervisor", "督导主任"),
    ("武汉至诚第三方评估事务所", "evaluator", "评估负责人"),
];

/// The id of a demo organisation by its name.
pub fn organisation_id(name: &str) -> OrganisationId {
    ids::named(&format!("organisation:{name}"))
}

/// Puts in what is not there yet; see [`super::seed`].
pub(super) async fn seed(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    for (organisation, name, duty) in HEADS {
        let id = ids::named(&format!("organisation-person:{organisation}:{name}"));
        // Who has left since stays away after a restart.
        if person::Entity::find_by_id(id).one(txn).await?.is_some() {
            continue;
        }
        let row = person::ActiveModel {
            id: Set(id),
            organisation_id: Set(organisation_id(organisation)),
            user_id: Set(user_id(name)),
            role: Set(PersonRole::Head),
            duty: Set((*duty).to_owned()),
            since: Set(state.clock.now()),
            added_by: Set(Some(user_id("district"))),
            ended_at: Set(None),
            ended_by: Set(None),
        };
        put(txn, row).await?;
    }
    Ok(())
}
