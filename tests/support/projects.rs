//! A project at a place of its way, with the organisations that have a part in it: rows as the steps before leave them.

use chrono::TimeDelta;
use entities::ids::{OrganisationId, ProgrammeId, ProjectId};
use entities::organisations::{OrganisationState, PersonRole, organisation, person};
use entities::programmes::{Allocation, ProgrammeState, programme};
use entities::projects::{Part, ProjectAction, ProjectState, party, project, project_move};
use linli::platform::http::transact;
use linli::platform::ids;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelBehavior, ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};

use super::{GUANGHUA, Person, TestApp, place_id, user_id};

/// Everybody of a running project.
pub struct Running {
    pub id: ProjectId,
    pub programme: ProgrammeId,
    /// `/projects/{id}`
    pub path: String,
    /// Of the implementer.
    pub implementer: Person,
    pub supervisor: Person,
    pub evaluator: Person,
    /// Officers of the programme.
    pub staff: Person,
    pub staff_2: Person,
}

pub async fn put<A>(app: &TestApp, row: A)
where
    A: ActiveModelTrait + ActiveModelBehavior + Send,
    <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
{
    transact(&app.state, async |txn| {
        let there = OnConflict::new().do_nothing().to_owned();
        <A::Entity as EntityTrait>::insert(row).on_conflict(there).exec_without_returning(txn).await?;
        Ok(())
    })
    .await
    .unwrap();
}

/// An organisation to which these people belong, and to no other of this helper's.
pub async fn organisation(app: &TestApp, name: &str, people: &[&str]) -> OrganisationId {
    let now = app.state.clock.now();
    let id: OrganisationId = ids::named(&format!("organisation:{name}"));
    let row = organisation::ActiveModel {
        id: Set(id),
        name: Set(name.to_owned()),
        state: Set(OrganisationState::Registered),
        place_id: Set(Some(place_id(GUANGHUA))),
        created_at: Set(now),
        ..Default::default()
    };
    put(app, row).await;
    for one in people {
        let row = person::ActiveModel {
            id: Set(ids::unordered()),
            organisation_id: Set(id),
            user_id: Set(user_id(one)),
            role: Set(PersonRole::Member),
            duty: Set("项目".to_owned()),
            since: Set(now),
            added_by: Set(None),
            ended_at: Set(None),
            ended_by: Set(None),
        };
        put(app, row).await;
    }
    id
}

/// A programme of 光华社区.
pub async fn programme(app: &TestApp) -> ProgrammeId {
    let at = |days| app.state.clock.now() + TimeDelta::days(days);
    let id: ProgrammeId = ids::ordered(&app.state.clock);
    let row = programme::ActiveModel {
        id: Set(id),
        parent_id: Set(None),
        place_id: Set(place_id(GUANGHUA)),
        place_path: Set(GUANGHUA.to_owned()),
        title: Set("微公益创投".to_owned()),
        description: Set("支持居民身边的小项目。".to_owned()),
        budget_fen: Set(10_000_000),
        cap_fen: Set(5_000_000),
        count_target: Set(3),
        expert_weight: Set(100),
        allocation: Set(Allocation::Ranked),
        rubric: Set(json!([])),
        min_reviews: Set(1),
        objection_days: Set(7),
        proposals_from: Set(at(-60)),
        proposals_until: Set(at(-40)),
        reviews_until: Set(at(-30)),
        votes_until: Set(at(-20)),
        delivery_until: Set(at(300)),
        state: Set(ProgrammeState::Open),
        created_by: Set(user_id("staff")),
        created_at: Set(at(-70)),
    };
    put(app, row).await;
    id
}

/// A project of 光华社区 whose contract is signed, carried out by `implementer`'s organisation.
pub async fn contracted(app: &TestApp, programme_id: ProgrammeId, implementer: OrganisationId) -> ProjectId {
    use ProjectAction as A;
    use ProjectState as S;
    let now = app.state.clock.now();
    let id: ProjectId = ids::ordered(&app.state.clock);
    let way = [
        (A::Submit, S::Proposed, S::Submitted),
        (A::Shortlist, S::Submitted, S::Shortlisted),
        (A::Select, S::Shortlisted, S::Selected),
        (A::Tender, S::Selected, S::Tendering),
        (A::Award, S::Tendering, S::Awarding),
        (A::Contract, S::Awarding, S::Contracted),
    ];
    let row = project::ActiveModel {
        id: Set(id),
        community_id: Set(place_id(GUANGHUA)),
        place_id: Set(place_id(GUANGHUA)),
        place_path: Set(GUANGHUA.to_owned()),
        organisation_id: Set(Some(implementer)),
        title: Set("随艺手工课二期".to_owned()),
        summary: Set("教花艺、皮具和烘焙。".to_owned()),
        budget_fen: Set(2_000_000),
        state: Set(S::Contracted),
        figures: Set(json!({})),
        created_by: Set(Some(user_id("district"))),
        created_at: Set(now),
        programme_id: Set(Some(programme_id)),
        designer_id: Set(None),
        version: Set(0),
        moves: Set(6),
        state_since: Set(now),
    };
    put(app, row).await;
    walked(app, id, "district", &way).await;
    assign(app, id, Part::Implementer, implementer).await;
    id
}

/// The steps that brought a project where it stands.
pub async fn walked(app: &TestApp, project: ProjectId, by: &str, way: &[(ProjectAction, ProjectState, ProjectState)]) {
    for ((action, from, to), seq) in way.iter().zip(1..) {
        let row = project_move::ActiveModel {
            project_id: Set(project),
            seq: Set(seq),
            action: Set(*action),
            from_state: Set(*from),
            to_state: Set(*to),
            actor_id: Set(Some(user_id(by))),
            reason: Set(None),
            at: Set(app.state.clock.now()),
        };
        put(app, row).await;
    }
}

pub async fn assign(app: &TestApp, project: ProjectId, part: Part, organisation: OrganisationId) {
    let row = party::ActiveModel {
        project_id: Set(project),
        part: Set(part),
        organisation_id: Set(organisation),
        assigned_by: Set(Some(user_id("staff"))),
        assigned_at: Set(app.state.clock.now()),
    };
    put(app, row).await;
}

/// The organisations of the implementer, the supervisor and the evaluator.
pub async fn three(app: &TestApp) -> [OrganisationId; 3] {
    [
        organisation(app, "随艺测试中心", &["org-a"]).await,
        organisation(app, "督导测试中心", &["supervisor"]).await,
        organisation(app, "评估测试中心", &["evaluator"]).await,
    ]
}

/// A project that was started: counted by 青年女性 and 全职妈妈, with an indicator 改造家庭.
pub async fn running(app: &TestApp) -> Running {
    let [implementer, supervisor, evaluator] = three(app).await;
    let programme = programme(app).await;
    let id = contracted(app, programme, implementer).await;
    assign(app, id, Part::Supervisor, supervisor).await;
    assign(app, id, Part::Evaluator, evaluator).await;
    let people = app.sign_in_all(["org-a", "supervisor", "evaluator", "staff", "staff-2"]).await;
    let [implementer, supervisor, evaluator, staff, staff_2] = people.try_into().ok().unwrap();
    let path = format!("/projects/{id}");
    let running = Running { id, programme, path, implementer, supervisor, evaluator, staff, staff_2 };
    running.implementer.post(&running.at("start"), json!({})).await.expect(200);
    let by = json!({
        "groups": ["青年女性", "全职妈妈"], "indicators": [{ "name": "改造家庭", "unit": "户", "target": 500 }]
    });
    running.implementer.post(&running.at("count-by"), by).await.expect(200);
    running
}

impl Running {
    /// A path below the project's.
    pub fn at(&self, rest: &str) -> String {
        format!("{}/{rest}", self.path)
    }

    /// A final report, after which nothing hinders the completion.
    pub async fn report(&self, app: &TestApp, kind: &str) -> Value {
        let today = linli::platform::calendar::day(app.state.clock.now());
        let body = json!({
            "kind": kind, "period_from": today, "period_until": today, "body": "按计划完成。",
            "figures": [{ "indicator": "改造家庭", "amount": 1 }], "file_ids": []
        });
        self.implementer.post(&self.at("reports"), body).await.expect(201)
    }

    /// Records a service and has it confirmed; gives its id.
    pub async fn service(&self, app: &TestApp, change: Value) -> String {
        let id = self.recorded(app, change).await;
        self.supervisor.post(&format!("/services/{id}/confirm"), json!({})).await.expect(200);
        id
    }

    /// Records a service; gives its id.
    pub async fn recorded(&self, app: &TestApp, change: Value) -> String {
        let answer = self.implementer.post(&self.at("services"), self.record(app, change)).await.expect(201);
        answer["id"].as_str().unwrap().to_owned()
    }

    /// A service record with some fields of its own.
    pub fn record(&self, app: &TestApp, change: Value) -> Value {
        let today = linli::platform::calendar::day(app.state.clock.now());
        let mut body = json!({ "kind": "course", "held_on": today, "place": "党群服务中心", "content": format!("花艺课（{}）", self.id), "people": [] });
        for (field, value) in change.as_object().into_iter().flatten() {
            body[field] = value.clone();
        }
        body
    }

    /// The project completed, rated by nobody else than those named, its rating published.
    pub async fn rated(&self, app: &TestApp, ratings: &[(&Person, i64)]) {
        self.report(app, "final").await;
        self.implementer.post(&self.at("complete"), json!({})).await.expect(200);
        for (person, score) in ratings {
            person.post(&self.at("ratings"), json!({ "score": score })).await.expect(201);
        }
    }

    pub async fn state(&self) -> Value {
        self.staff.get(&self.path).await.expect(200)["state"].clone()
    }
}
