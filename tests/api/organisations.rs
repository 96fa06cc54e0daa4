//! Organisations: who belongs to them, who is tied to them, the register.

use entities::audit::log;
use entities::ids::{OrganisationId, ProjectId};
use entities::organisations::{OrganisationState, organisation};
use entities::projects::{Part, party};
use futures_util::future::join;
use linli::demo::organisation_id;
use linli::organisations;
use linli::platform::code::Code;
use linli::platform::http::{Problem, transact};
use linli::platform::ids;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::{ANJING, GUANGHUA, Person, TestApp, place_id, user_id};

const WANQINGFENG: &str = "武汉晚晴枫养老助残服务中心";
const EVALUATORS: &str = "武汉至诚第三方评估事务所";

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

fn someone(person: &str, role: &str) -> Value {
    json!({ "user_id": user_id(person), "role": role, "duty": "社工" })
}

fn people(organisation: OrganisationId) -> String {
    format!("/organisations/{organisation}/people")
}

async fn organisation(app: &TestApp, name: &str) -> OrganisationId {
    let row = organisation::ActiveModel {
        id: Set(ids::ordered(&app.state.clock)),
        name: Set(name.to_owned()),
        state: Set(OrganisationState::Guided),
        place_id: Set(Some(place_id(GUANGHUA))),
        created_at: Set(app.state.clock.now()),
        ..Default::default()
    };
    transact(&app.state, async |txn| Ok(row.insert(txn).await?.id)).await.unwrap()
}

/// Gives an organisation a part in a project, as those who assign one do.
async fn assign(
    app: &TestApp,
    project: ProjectId,
    part: Part,
    organisation: OrganisationId,
    others: &[OrganisationId],
) -> Result<(), Problem> {
    let row = party::ActiveModel {
        project_id: Set(project),
        part: Set(part),
        organisation_id: Set(organisation),
        assigned_by: Set(Some(user_id("staff"))),
        assigned_at: Set(app.state.clock.now()),
    };
    transact(&app.state, async |txn| {
        organisations::lock(txn, others.iter().copied().chain([organisation])).await?;
        row.insert(txn).await?;
        Ok(())
    })
    .await
}

async fn project(staff: &Person) -> ProjectId {
    let body = json!({ "place_id": place_id(GUANGHUA), "title": "老楼加装扶手", "summary": "给楼道装扶手。", "budget_fen": 1 });
    id(&staff.post("/projects", body).await.expect(201)).parse().unwrap()
}

#[actix_web::test]
async fn staff_and_heads_add_and_end_an_organisations_people() {
    TestApp::run(async |app| {
        let [head, worker, staff, elsewhere] =
            app.sign_in_all(["org-a", "resident-1", "staff-other", "staff"]).await.try_into().ok().unwrap();
        let path = people(organisation_id(WANQINGFENG));
        let new = head.post(&path, someone("resident-1", "member")).await.expect(201);
        assert_eq!((&new["role"], &new["duty"]), (&json!("member"), &json!("社工")));
        assert!(new["name"].as_str().unwrap().ends_with('*'), "{new}");
        assert_eq!(worker.get("/inbox").await.expect(200)["items"][0]["kind"], "organisation.joined");
        assert_eq!(worker.get("/me/organisations").await.expect(200)[0]["name"], WANQINGFENG);

        head.post(&path, someone("resident-1", "member")).await.refused(409, "already_in_organisation");
        head.post(&path, someone("resident-2", "head")).await.refused(403, "forbidden");
        head.post(&path, someone("org-a", "member")).await.refused(403, "own_act");
        for stranger in [&worker, &elsewhere] {
            stranger.post(&path, someone("resident-2", "member")).await.refused(403, "forbidden");
        }
        staff.post(&path, someone("staff-other", "member")).await.refused(403, "own_act");
        staff
            .post(&path, json!({ "user_id": place_id(ANJING), "role": "member", "duty": "x" }))
            .await
            .names("/user_id");
        staff.post(&path, json!({ "user_id": user_id("leader"), "role": "boss", "duty": "x" })).await.names("/role");
        staff.post(&path, json!({ "user_id": user_id("leader"), "role": "head", "duty": "" })).await.names("/duty");
        let second = id(&staff.post(&path, someone("resident-2", "head")).await.expect(201));

        elsewhere.get(&path).await.refused(403, "forbidden");
        let list = worker.get(&path).await.expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 3);
        head.delete(&format!("{path}/{second}")).await.refused(403, "forbidden");
        worker.delete(&format!("{path}/{second}")).await.refused(403, "forbidden");
        staff.delete(&format!("{path}/{second}")).await.expect(204);
        staff.delete(&format!("{path}/{second}")).await.expect(204);
        worker.delete(&format!("{path}/{}", id(&new))).await.expect(204);
        worker.get(&path).await.refused(403, "forbidden");
        assert_eq!(worker.get("/me/organisations").await.expect(200), json!([]));
        let left = staff.get(&path).await.expect(200);
        assert_eq!(left["items"].as_array().unwrap().iter().filter(|row| row["ended_at"].is_null()).count(), 1);
        head.post(&path, someone("resident-1", "member")).await.expect(201);
        let audited = log::Entity::find()
            .filter(log::Column::Action.is_in(["organisation.add_person", "organisation.end_person"]));
        assert_eq!(audited.count(app.state.db.read()).await.unwrap(), 5);
        let nowhere = format!("{}/{second}", people(organisation_id(EVALUATORS)));
        app.sign_in("district").await.delete(&nowhere).await.refused(404, "not_found");
    })
    .await;
}

// Guards: `project_parties_no_shared_people`, and `organisations::lock` on both sides. Without the lock both go through on
// PostgreSQL, since neither sees what the other has not committed; without the trigger, everywhere.
#[actix_web::test]
async fn a_party_and_a_shared_person_at_once_are_one_of_the_two() {
    TestApp::run(async |app| {
        let [staff, shared] = app.sign_in_all(["staff", "resident-1"]).await.try_into().ok().unwrap();
        for round in 0..12 {
            let (one, two) =
                (organisation(app, &format!("甲{round}")).await, organisation(app, &format!("乙{round}")).await);
            let project = project(&staff).await;
            let someone = json!({ "user_id": shared.id, "role": "member", "duty": "社工" });
            staff.post(&people(one), someone.clone()).await.expect(201);
            assign(app, project, Part::Implementer, one, &[]).await.unwrap();
            let (assigned, added) =
                join(assign(app, project, Part::Evaluator, two, &[one]), staff.post(&people(two), someone)).await;
            match (&assigned, added.status) {
                (Ok(()), 409) => drop(added.refused(409, "parties_not_apart")),
                (Err(problem), 201) => assert_eq!(problem.code(), Code::PartiesNotApart),
                (assigned, status) => panic!("{assigned:?}, {status}"),
            }
        }
    })
    .await;
}

// Guard: `project_parties_apart`.
#[actix_web::test]
async fn one_organisation_has_one_part_in_a_project() {
    TestApp::run(async |app| {
        let staff = app.sign_in("staff").await;
        let (project, one) = (project(&staff).await, organisation(app, "甲").await);
        assign(app, project, Part::Implementer, one, &[]).await.unwrap();
        let again = assign(app, project, Part::Evaluator, one, &[]).await.unwrap_err();
        // SQLite does not say which constraint it was.
        assert!(!app.state.db.is_postgres() || again.code() == Code::PartiesNotApart, "{again}");
    })
    .await;
}

#[actix_web::test]
async fn a_tie_to_an_organisation_counts_for_twelve_months_after_its_end() {
    TestApp::run(async |app| {
        let [head, person, staff] =
            app.sign_in_all(["org-a", "resident-1", "staff-other"]).await.try_into().ok().unwrap();
        let organisation = organisation_id(WANQINGFENG);
        let tied = async |name: &str| {
            let db = app.state.db.read();
            organisations::conflicts(&app.state, db, user_id(name), [organisation, organisation_id(EVALUATORS)])
                .await
                .unwrap()
        };
        assert!(tied("org-a").await && tied("evaluator").await && !tied("org-b").await && !tied("resident-1").await);

        let declared = json!({ "organisation_id": organisation, "kind": "family" });
        let conflict = id(&person.post("/me/conflicts", declared.clone()).await.expect(201));
        person.post("/me/conflicts", declared).await.refused(409, "conflict_declared");
        person
            .post("/me/conflicts", json!({ "organisation_id": place_id(ANJING), "kind": "money" }))
            .await
            .names("/organisation_id");
        head.delete(&format!("/me/conflicts/{conflict}")).await.refused(404, "not_found");
        assert!(tied("resident-1").await);
        let belonging = id(&head.post(&people(organisation), someone("resident-2", "member")).await.expect(201));
        staff.delete(&format!("{}/{belonging}", people(organisation))).await.expect(204);
        person.delete(&format!("/me/conflicts/{conflict}")).await.expect(204);
        assert_eq!(person.get("/me/conflicts").await.expect(200)["items"].as_array().unwrap().len(), 1);
        app.advance(chrono::Duration::days(360)).await;
        assert!(tied("resident-1").await && tied("resident-2").await, "within twelve months");
        app.advance(chrono::Duration::days(10)).await;
        assert!(!tied("resident-1").await && !tied("resident-2").await);
    })
    .await;
}

fn entry(name: &str) -> Value {
    json!({
        "place_id": place_id(GUANGHUA), "name": name, "state": "incubating", "purpose": "邻里互助。", "phone": "13800007777",
        "fields": ["convenience", "charity", "charity"],
    })
}

#[actix_web::test]
async fn the_register_says_how_an_organisation_stands_and_stood() {
    TestApp::run(async |app| {
        let [staff, elsewhere, reader] =
            app.sign_in_all(["staff", "staff-other", "newcomer-1"]).await.try_into().ok().unwrap();
        elsewhere.post("/organisations", entry("邻里帮")).await.refused(403, "forbidden");
        let one = staff.post("/organisations", entry("邻里帮")).await.expect(201);
        assert_eq!((&one["phone"], &one["fields"]), (&json!("138****7777"), &json!(["charity", "convenience"])));
        let path = format!("/organisations/{}", id(&one));
        staff.post("/organisations", entry("邻里帮")).await.refused(409, "organisation_known");

        let registered = json!({ "state": "registered", "reason": "民政局准予登记" });
        staff.post(&format!("{path}/standings"), registered.clone()).await.names("/credit_code");
        let with = |code: &str| {
            let mut body = registered.clone();
            body["credit_code"] = json!(code);
            body
        };
        staff.post(&format!("{path}/standings"), with("52420102DEM000005X")).await.names("/credit_code");
        let taken = with("52420102DEM000001F");
        staff.post(&format!("{path}/standings"), taken).await.refused(409, "organisation_known");
        elsewhere.post(&format!("{path}/standings"), with("52420102DEM000005U")).await.refused(403, "forbidden");
        staff.post(&format!("{path}/standings"), with("52420102DEM000005U")).await.expect(201);
        let page = reader.get(&path).await.expect(200);
        let standings: Vec<_> =
            page["standings"].as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap()).collect();
        assert_eq!((&page["credit_code"], standings), (&json!("52420102DEM000005U"), vec!["registered", "incubating"]));

        reader.get(&format!("{path}/contact")).await.refused(403, "forbidden");
        assert_eq!(staff.get(&format!("{path}/contact")).await.expect(200)["phone"], "13800007777");
        let row = organisation::Entity::find_by_id(id(&one).parse::<OrganisationId>().unwrap());
        let row = row.one(app.state.db.read()).await.unwrap().unwrap();
        assert!(!format!("{row:?}").contains("13800007777"));
        let looks = log::Entity::find().filter(log::Column::Action.eq("organisation.reveal"));
        assert_eq!(looks.count(app.state.db.read()).await.unwrap(), 1);

        let edited = json!({ "purpose": "邻里互助与调解。", "fields": ["rights"] });
        reader.put(&path, edited.clone()).await.refused(403, "forbidden");
        let now = staff.put(&path, edited).await.expect(200);
        assert_eq!((&now["fields"], &now["phone"]), (&json!(["rights"]), &Value::Null));
        for (query, expected) in [
            ("field=rights", 1),
            ("state=guided", 2),
            ("state=incubating&field=culture_education", 1),
            ("limit=100", 8),
        ] {
            let list = reader.get(&format!("/organisations?{query}")).await.expect(200);
            assert_eq!(list["items"].as_array().unwrap().len(), expected, "{query}");
        }
        let seeds = reader.get(&format!("/organisations/{}", organisation_id(WANQINGFENG))).await.expect(200);
        assert_eq!(seeds["track_record"], json!({ "projects": 1, "running": 1, "finished": 0, "terminated": 0 }));
        for (field, value) in [
            ("credit_code", json!("91350100M000100Y44")),
            ("phone", json!("abc")),
            ("name", json!("")),
            ("incubator_id", json!(place_id(ANJING))),
            ("place_id", json!(user_id("staff"))),
        ] {
            let mut body = entry("又一家");
            body[field] = value;
            staff.post("/organisations", body).await.names(&format!("/{field}"));
        }
    })
    .await;
}

#[actix_web::test]
async fn a_qualification_that_runs_out_is_told_once_and_shown_as_expired() {
    TestApp::run(async |app| {
        let [head, stranger] = app.sign_in_all(["org-a", "resident-1"]).await.try_into().ok().unwrap();
        let path = format!("/organisations/{}/qualifications", organisation_id(WANQINGFENG));
        let until = linli::platform::calendar::day(app.state.clock.now()) + chrono::Days::new(40);
        let new = json!({ "name": "AAAA级社会组织", "issuer": "民政局", "number": "A-1", "expires_on": until });
        stranger.post(&path, new.clone()).await.refused(403, "forbidden");
        let one = head.post(&path, new).await.expect(201);
        let other = json!({ "name": "慈善组织认定", "issuer": "民政局", "number": "B-2" });
        let lasting = id(&head.post(&path, other).await.expect(201));
        stranger.delete(&format!("{path}/{lasting}")).await.refused(403, "forbidden");
        assert_eq!(one["expired"], false);
        let told = async || {
            let head = app.sign_in("org-a").await;
            let inbox = head.get("/inbox").await.expect(200);
            let items = inbox["items"].as_array().unwrap();
            items.iter().filter(|item| item["kind"] == "organisation.qualification").count()
        };
        app.advance(chrono::Duration::days(9)).await;
        assert_eq!(told().await, 0);
        app.advance(chrono::Duration::days(2)).await;
        app.advance(chrono::Duration::hours(2)).await;
        assert_eq!(told().await, 1);
        app.advance(chrono::Duration::days(31)).await;
        let head = app.sign_in("org-a").await;
        let page = head.get(&format!("/organisations/{}", organisation_id(WANQINGFENG))).await.expect(200);
        let expired: Vec<_> = page["qualifications"].as_array().unwrap().iter().map(|row| &row["expired"]).collect();
        assert_eq!(expired, [false, true]);
        head.delete(&format!("{path}/{lasting}")).await.expect(204);
        let page = head.get(&format!("/organisations/{}", organisation_id(WANQINGFENG))).await.expect(200);
        assert_eq!((page["qualifications"].as_array().unwrap().len(), told().await), (1, 1));
    })
    .await;
}
