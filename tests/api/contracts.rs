//! Contracts: from a clear award to two signatures, the money, changes, and tranches.

use chrono::TimeDelta;
use entities::delivery::{Decision, submission};
use entities::ids::MilestoneId;
use entities::tenders::{ContractState, MilestoneState, VersionState, contract, contract_version, milestone};
use futures_util::future::join_all;
use linli::platform::http::transact;
use linli::{projects, tenders};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::support::{Person, TestApp, user_id};
use crate::tenders::{CEILING, Round, actor, join_organisation, money, text};

struct Signed {
    round: Round,
    id: String,
}

impl Signed {
    /// An award whose window is over.
    async fn clear(app: &TestApp) -> Round {
        let (mut round, _, _) = Round::awarded(app).await;
        app.advance(TimeDelta::days(9)).await;
        round.refresh(app).await;
        round
    }

    async fn new(app: &TestApp) -> Self {
        let round = Self::clear(app).await;
        let id = text(
            &round.staff.post(&format!("/projects/{}/contract", round.project), json!({})).await.expect(201)["id"],
        );
        round.orgs[1].post(&format!("/contracts/{id}/signature"), json!({})).await.expect(200);
        Self { round, id }
    }

    async fn view(&self) -> Value {
        self.round.panel[0].get(&format!("/projects/{}/contract", self.round.project)).await.expect(200)
    }

    async fn milestones(&self, app: &TestApp) -> Vec<milestone::Model> {
        let rows = milestone::Entity::find().order_by_asc(milestone::Column::Seq);
        rows.filter(milestone::Column::ContractId.eq(self.id.parse::<uuid::Uuid>().unwrap()))
            .all(app.state.db.read())
            .await
            .unwrap()
    }
}

#[actix_web::test]
async fn a_contract_is_drawn_up_when_no_objection_stands_and_takes_effect_when_both_have_signed() {
    TestApp::run(async |app| {
        let (mut round, _, _) = Round::awarded(app).await;
        let path = format!("/projects/{}/contract", round.project);
        round.staff.post(&path, json!({})).await.refused(409, "award_not_clear");
        round.staff.get(&path).await.refused(404, "not_found");
        app.advance(TimeDelta::days(9)).await;
        round.refresh(app).await;
        round.orgs[1].post(&path, json!({})).await.refused(403, "forbidden");
        let tries = join_all((0..6).map(|_| round.staff.post(&path, json!({})))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 201).count(), 1);
        assert_eq!(tries.iter().filter(|answer| answer.body["code"] == "contract_state").count(), 5);
        let drawn = round.panel[0].get(&path).await.expect(200);
        assert_eq!(
            (&drawn["state"], &drawn["price_fen"], &drawn["organisation"]),
            (&json!("drawn"), &json!(1_200_000), &json!("春晖测试中心"))
        );
        assert_eq!(drawn["milestones"].as_array().unwrap().len(), 2);
        assert_eq!((round.project_state().await.as_str(), money(app, round.project.0).await), ("awarding", CEILING));

        let sign = format!("/contracts/{}/signature", text(&drawn["id"]));
        for person in [&round.orgs[0], &round.panel[0]] {
            person.post(&sign, json!({})).await.refused(403, "forbidden");
        }
        let tries = join_all((0..6).map(|_| round.orgs[1].post(&sign, json!({})))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 200).count(), 1);
        assert_eq!(tries.iter().filter(|answer| answer.body["code"] == "contract_state").count(), 5);
        let signed = round.panel[0].get(&path).await.expect(200);
        assert_eq!(
            (&signed["state"], &signed["versions"], &signed["balance_fen"]),
            (&json!("signed"), &json!(1), &json!(1_200_000))
        );
        assert_eq!(round.project_state().await, "contracted");
        let id: uuid::Uuid = text(&signed["id"]).parse().unwrap();
        assert_eq!((money(app, round.project.0).await, money(app, id).await), (0, 1_200_000));
        assert_eq!(money(app, round.programme.0).await, 10_000_000 - 1_200_000, "the rest returned");
        let books = round.panel[0].get(&format!("{path}/books")).await.expect(200);
        assert_eq!(
            (&books["items"][0]["amount_fen"], &books["items"][0]["reason"]),
            (&json!(1_200_000), &json!("签订合同"))
        );
        let project = round.staff.get(&format!("/projects/{}", round.project)).await.expect(200);
        assert_eq!(project["organisation"], "春晖测试中心");
        assert_eq!(round.staff.get(&round.path).await.expect(200)["phase"], "done");
        let notices = round.notices(app, "contract.signed").await;
        assert!(
            notices[0].body.contains("合同金额：12000元") && notices[0].body.contains("1. 完成评估"),
            "{}",
            notices[0].body
        );
        let versions = round.panel[0].get(&format!("/contracts/{id}/versions")).await.expect(200);
        assert_eq!(
            (&versions["items"][0]["version"], &versions["items"][0]["milestones"][1]["amount_fen"]),
            (&json!(1), &json!(900_000))
        );
    })
    .await;
}

// Guard: `own_act` in `contracts::sign`, and behind it the check `contracts_two_signatories`, which is tried directly.
#[actix_web::test]
async fn one_person_does_not_sign_for_both_sides() {
    TestApp::run(async |app| {
        let round = Signed::clear(app).await;
        let drawn = round.staff.post(&format!("/projects/{}/contract", round.project), json!({})).await.expect(201);
        join_organisation(app, round.ids[1], "staff").await;
        round
            .staff
            .post(&format!("/contracts/{}/signature", text(&drawn["id"])), json!({}))
            .await
            .refused(403, "own_act");
        let both =
            contract::Entity::update_many().col_expr(contract::Column::OrganisationSignedBy, user_id("staff").into());
        let both = transact(&app.state, async |txn| Ok(both.exec(txn).await?)).await;
        assert_eq!(both.unwrap_err().code().word(), "own_act", "the database refuses too");
    })
    .await;
}

// Guards: the supervisor's part in `awards::apart`, the constraint `project_parties_apart` at the signing.
#[actix_web::test]
async fn who_supervises_a_project_does_not_get_its_contract() {
    TestApp::run(async |app| {
        let (round, bids) = Round::scored(app).await;
        let path = format!("/projects/{}/parties/supervisor", round.project);
        round.staff.put(&path, json!({ "organisation_id": round.ids[1] })).await.expect(200);
        round
            .staff
            .post(&round.to("/awards"), json!({ "bid_id": bids[0]["id"] }))
            .await
            .refused(409, "parties_not_apart");
        round.staff.put(&path, json!({ "organisation_id": round.ids[0] })).await.expect(200);
        round.staff.post(&round.to("/awards"), json!({ "bid_id": bids[0]["id"] })).await.expect(201);
    })
    .await;
}

fn change(view: &Value, side: &str, amounts: [i64; 3]) -> Value {
    let first = &view["milestones"][0];
    let due = &view["milestones"][1]["due_at"];
    let milestone =
        |seq: usize, title: &str| json!({ "seq": seq, "title": title, "due_at": due, "amount_fen": amounts[seq - 1] });
    let first = json!({ "seq": 1, "title": first["title"], "due_at": first["due_at"], "amount_fen": amounts[0] });
    json!({
        "side": side, "price_fen": amounts.iter().sum::<i64>(), "reason": "增加回访",
        "milestones": [first, milestone(2, "完成安装"), milestone(3, "回访")]
    })
}

// Guards: the other side in `changes::decide`, the partial index `contract_versions_one_open`, the trigger
// `contract_versions_sum` (tried directly), `milestones_paid_for_good` (tried directly).
#[actix_web::test]
async fn a_change_is_proposed_by_one_side_and_accepted_by_the_other() {
    TestApp::run(async |app| {
        let signed = Signed::new(app).await;
        let (round, path) = (&signed.round, format!("/contracts/{}/changes", signed.id));
        let view = signed.view().await;
        round.orgs[0]
            .post(&path, change(&view, "organisation", [300_000, 600_000, 300_000]))
            .await
            .refused(403, "forbidden");
        round.orgs[1].post(&path, change(&view, "staff", [300_000, 600_000, 300_000])).await.refused(403, "forbidden");
        round.orgs[1].post(&path, change(&view, "organisation", [300_000, 600_000, 300_001])).await.names("/price_fen");
        let mut wrong = change(&view, "organisation", [300_000, 600_000, 300_000]);
        wrong["price_fen"] = json!(1_100_000);
        round.orgs[1].post(&path, wrong).await.names("/milestones");
        let proposal = change(&view, "organisation", [300_000, 600_000, 200_000]);
        let tries = join_all((0..4).map(|_| round.orgs[1].post(&path, proposal.clone()))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 201).count(), 1, "one at a time");
        let proposed = tries.iter().find(|answer| answer.status == 201).unwrap().body["id"].clone();
        let decide = format!("/contract-versions/{}/decision", text(&proposed));
        round.orgs[1].post(&decide, json!({ "accept": true })).await.refused(403, "forbidden");
        assert_eq!(signed.view().await["price_fen"], 1_200_000, "nothing changed yet");
        let tries = join_all((0..4).map(|_| round.staff.post(&decide, json!({ "accept": true })))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 200).count(), 1);
        let view = signed.view().await;
        assert_eq!(
            (&view["price_fen"], &view["committed_fen"], &view["versions"]),
            (&json!(1_100_000), &json!(1_200_000), &json!(2))
        );
        assert_eq!(view["milestones"][2]["title"], "回访");
        assert_eq!(round.notices(app, "contract.changed").await.len(), 1);

        let id = accepted(app, &signed, 0).await;
        pay(app, &round.staff, id).await.unwrap();
        // What is paid stays; the price may rise again to what is committed.
        round.staff.post(&path, change(&view, "staff", [200_000, 700_000, 300_000])).await.names("/milestones");
        let proposed = round.staff.post(&path, change(&view, "staff", [300_000, 600_000, 300_000])).await.expect(201);
        let decide = format!("/contract-versions/{}/decision", text(&proposed["id"]));
        assert_eq!(round.orgs[1].post(&decide, json!({ "accept": false })).await.expect(200)["state"], "refused");
        round.orgs[1].post(&decide, json!({ "accept": true })).await.refused(409, "already_decided");
        let paid = milestone::Entity::update_many()
            .col_expr(milestone::Column::AmountFen, Expr::value(1))
            .filter(milestone::Column::Id.eq(id));
        assert!(transact(&app.state, async |txn| Ok(paid.exec(txn).await?)).await.is_err(), "the database refuses");
        let unequal = contract_version::ActiveModel {
            id: Set(linli::platform::ids::ordered(&app.state.clock)),
            contract_id: Set(signed.id.parse::<uuid::Uuid>().unwrap().into()),
            version: Set(Some(9)),
            side: Set(entities::tenders::ContractSide::Staff),
            price_fen: Set(1_000_000),
            milestones: Set(json!([])),
            reason: Set("x".to_owned()),
            state: Set(VersionState::Accepted),
            proposed_by: Set(user_id("staff")),
            proposed_at: Set(app.state.clock.now()),
            decided_by: Set(Some(user_id("org-b"))),
            decided_at: Set(Some(app.state.clock.now())),
        };
        let unequal = transact(&app.state, async |txn| {
            Ok(contract_version::Entity::insert(unequal).exec_without_returning(txn).await?)
        });
        assert!(unequal.await.is_err(), "milestones make the price");
    })
    .await;
}

/// A milestone as the steps before leave it when it is accepted.
async fn accepted(app: &TestApp, signed: &Signed, at: usize) -> MilestoneId {
    let id = signed.milestones(app).await[at].id;
    let now = app.state.clock.now();
    let evidence = submission::ActiveModel {
        id: Set(linli::platform::ids::ordered(&app.state.clock)),
        milestone_id: Set(id),
        project_id: Set(signed.round.project),
        round: Set(1),
        body: Set("评估表".to_owned()),
        submitted_by: Set(user_id("org-b")),
        submitted_at: Set(now),
        statement: Set(Some("属实".to_owned())),
        supports: Set(Some(true)),
        stated_by: Set(Some(user_id("supervisor"))),
        stated_at: Set(Some(now)),
        decision: Set(Some(Decision::Accepted)),
        reason: Set(None),
        decided_by: Set(Some(user_id("staff-2"))),
        decided_at: Set(Some(now)),
    };
    transact(&app.state, async |txn| Ok(submission::Entity::insert(evidence).exec_without_returning(txn).await?))
        .await
        .unwrap();
    let update = milestone::Entity::update_many()
        .col_expr(milestone::Column::State, MilestoneState::Accepted.into())
        .col_expr(milestone::Column::AcceptedBy, user_id("staff-2").into())
        .col_expr(milestone::Column::AcceptedAt, app.state.clock.now().into())
        .filter(milestone::Column::Id.eq(id));
    transact(&app.state, async |txn| Ok(update.exec(txn).await?)).await.unwrap();
    id
}

async fn pay(
    app: &TestApp,
    person: &Person,
    id: MilestoneId,
) -> Result<milestone::Model, linli::platform::http::Problem> {
    let actor = actor(app, person).await;
    transact(&app.state, async |txn| tenders::pay(&app.state, txn, &actor, id).await).await
}

// Guards: `paid_at IS NULL` in the statement of `money::pay`; behind it the ledger's transaction id, made of the milestone's.
#[actix_web::test]
async fn a_tranche_is_paid_once_and_only_when_its_milestone_is_accepted() {
    TestApp::run(async |app| {
        let signed = Signed::new(app).await;
        let staff = &signed.round.staff;
        let first = signed.milestones(app).await[0].id;
        assert_eq!(pay(app, staff, first).await.unwrap_err().code().word(), "milestone_state");
        let id = accepted(app, &signed, 0).await;
        assert_eq!(pay(app, &signed.round.orgs[1], id).await.unwrap_err().code().word(), "forbidden");
        let payers = [staff, &signed.round.second];
        let tries = join_all((0..8).map(|at| pay(app, payers[at % 2], id))).await;
        assert_eq!(tries.iter().filter(|paid| paid.is_ok()).count(), 1);
        let view = signed.view().await;
        assert_eq!((&view["paid_fen"], &view["balance_fen"]), (&json!(300_000), &json!(900_000)));
        let books = staff.get(&format!("/projects/{}/contract/books", signed.round.project)).await.expect(200);
        assert_eq!(
            (&books["items"][0]["amount_fen"], &books["items"][0]["milestone_id"]),
            (&json!(-300_000), &json!(id))
        );
        let whole = signed.milestones(app).await;
        assert_eq!(whole.iter().filter(|row| row.paid_at.is_some()).count(), 1);

        // The rest goes back when the project ends.
        let actor = actor(app, staff).await;
        let returned = transact(&app.state, async |txn| {
            let project = projects::lock(txn, signed.round.project).await?;
            tenders::settle(&app.state, txn, &actor, &project).await
        });
        assert_eq!(returned.await.unwrap(), 900_000);
        assert_eq!(money(app, signed.round.programme.0).await, 10_000_000 - 300_000);
        let row = contract::Entity::find().one(app.state.db.read()).await.unwrap().unwrap();
        assert_eq!(row.state, ContractState::Closed);
    })
    .await;
}
