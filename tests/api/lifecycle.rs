//! The table of steps and what the database makes of it.

use entities::ids::{OrganisationId, ProjectId, UserId};
use entities::organisations::{PersonRole, person};
use entities::projects::{Part, ProjectState, party, project, step};
use linli::platform::ids;
use linli::projects::lifecycle::STEPS;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, QueryFilter};
use serde_json::json;

use crate::support::{GUANGHUA, TestApp, place_id, user_id};

#[actix_web::test]
async fn the_database_allows_the_steps_of_the_table_and_no_other() {
    TestApp::run(async |app| {
        let mut known: Vec<_> = step::Entity::find()
            .all(app.state.db.read())
            .await
            .unwrap()
            .into_iter()
            .map(|row| (row.action, row.from_state, row.to_state))
            .collect();
        let mut table: Vec<_> =
            STEPS.iter().flat_map(|step| step.from.iter().map(|from| (step.action, *from, step.to))).collect();
        known.sort();
        table.sort();
        assert_eq!(known, table);
        let told = app.sign_in("newcomer-1").await.get("/project-lifecycle").await.expect(200);
        assert_eq!(told.as_array().unwrap().len(), STEPS.len());
    })
    .await;
}

// Guard: the trigger `projects_lifecycle`, whatever the code does.
#[actix_web::test]
async fn a_state_that_no_step_leads_to_is_refused_by_the_database() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let body = json!({ "place_id": place_id(GUANGHUA), "title": "老楼加装扶手", "summary": "给三栋老楼的楼道装扶手。", "budget_fen": 1 });
        let created = staff.post("/projects", body).await.expect(201);
        assert_eq!(created["allowed_actions"], json!(["submit", "withdraw"]));
        let id: ProjectId = created["id"].as_str().unwrap().parse().unwrap();
        let txn = app.state.db.begin().await.unwrap();
        let leap = project::Entity::update_many()
            .col_expr(project::Column::State, ProjectState::Finished.into())
            .col_expr(project::Column::Moves, Expr::col(project::Column::Moves).add(1))
            .filter(project::Column::Id.eq(id));
        let refused = leap.exec(&txn).await.unwrap_err().to_string();
        assert!(refused.contains("projects_lifecycle") || refused.contains("no such step"), "{refused}");
        txn.rollback().await.unwrap();
        assert_eq!(staff.get(&format!("/projects/{id}/moves")).await.expect(200), json!([]));
    })
    .await;
}

/// An organisation that does nothing yet.
async fn organisation(app: &TestApp, name: &str) -> OrganisationId {
    let id = ids::named(&format!("organisation:{name}"));
    let row = entities::organisations::organisation::ActiveModel {
        id: Set(id),
        name: Set(name.to_owned()),
        state: Set(entities::organisations::OrganisationState::Registered),
        place_id: Set(None),
        created_at: Set(app.state.clock.now()),
        ..Default::default()
    };
    let txn = app.state.db.begin().await.unwrap();
    row.insert(&txn).await.unwrap();
    txn.commit().await.unwrap();
    id
}

async fn join(app: &TestApp, organisation: OrganisationId, user: UserId) -> Result<(), sea_orm::DbErr> {
    let row = person::ActiveModel {
        id: Set(ids::ordered(&app.state.clock)),
        organisation_id: Set(organisation),
        user_id: Set(user),
        role: Set(PersonRole::Member),
        duty: Set("社工".to_owned()),
        since: Set(app.state.clock.now()),
        added_by: Set(None),
        ended_at: Set(None),
        ended_by: Set(None),
    };
    let txn = app.state.db.begin().await.unwrap();
    row.insert(&txn).await?;
    txn.commit().await
}

// Guards: the unique key `project_parties_apart` and the triggers `project_parties_no_shared_people`,
// `organisation_people_no_shared_people`.
#[actix_web::test]
async fn one_organisation_has_one_part_and_two_parties_share_nobody() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let body = json!({ "place_id": place_id(GUANGHUA), "title": "老楼加装扶手", "summary": "给三栋老楼的楼道装扶手。", "budget_fen": 1 });
        let id = staff.post("/projects", body).await.expect(201)["id"].as_str().unwrap().to_owned();
        let [first, second] = [organisation(app, "甲").await, organisation(app, "乙").await];
        let shared: UserId = user_id("resident-5");
        let assign = async |part: &str, organisation: OrganisationId| {
            staff.put(&format!("/projects/{id}/parties/{part}"), json!({ "organisation_id": organisation })).await
        };
        assign("supervisor", first).await.expect(200);
        assign("evaluator", first).await.refused(409, "parties_not_apart");
        assign("implementer", second).await.names("/part");
        join(app, first, shared).await.unwrap();
        join(app, second, shared).await.unwrap();
        assign("evaluator", second).await.refused(409, "parties_not_apart");
        let third = organisation(app, "丙").await;
        let parties = assign("evaluator", third).await.expect(200);
        assert_eq!(parties.as_array().unwrap().len(), 2);
        let refused = join(app, third, shared).await.unwrap_err().to_string();
        assert!(refused.contains("no_shared_people") || refused.contains("share a person"), "{refused}");
        app.sign_in("resident-1")
            .await
            .put(&format!("/projects/{id}/parties/evaluator"), json!({ "organisation_id": third }))
            .await
            .refused(403, "forbidden");
        let rows = party::Entity::find().filter(party::Column::Part.eq(Part::Evaluator)).all(app.state.db.read()).await;
        assert_eq!(rows.unwrap().len(), 1);
    })
    .await;
}
