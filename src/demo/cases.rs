//! What the demo shows of case files: one that the social workers of the district handle, and that nobody else finds.

use entities::cases::case_file;
use entities::needs::NeedCategory;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::seed::{place_id, user_id};
use crate::cases::{self, NewCase};
use crate::platform::http::{Problem, transact};
use crate::platform::state::AppState;

const HOME: &str = "/jiangan/chezhan/guanghua/wg1/b1/";
const REPORTER: &str = "resident-12";

/// Opens it once.
pub(super) async fn seed(state: &AppState) -> Result<(), Problem> {
    let has = case_file::Entity::find().filter(case_file::Column::OpenedBy.eq(user_id(REPORTER)));
    if has.count(state.db.read()).await? > 0 {
        return Ok(());
    }
    transact(state, async |txn| {
        let new = NewCase {
            place_id: place_id(HOME),
            category: NeedCategory::Charity,
            subject: "本人",
            summary: "失业以后交不起药费\n家里两位老人常年吃药，上个月起我没有收入，不想让邻居知道。",
            voice: None,
        };
        cases::open(state, txn, user_id(REPORTER), &new).await.map(drop)
    })
    .await
}
