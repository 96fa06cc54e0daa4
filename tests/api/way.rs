//! Whatever can be done to a project, each as a request of the person whom it is for; and ways made of that.

use chrono::TimeDelta;
use entities::ids::OrganisationId;
use entities::organisations::OrganisationState;
use entities::projects::ProjectAction;
use linli::platform::{calendar, ids};
use reqwest::Method;
use serde_json::{Value, json};

use crate::designs::{design, proposal};
use crate::evaluations::{document, evaluation};
use crate::programmes::{made, opened, programme};
use crate::reviews::{review, seat};
use crate::support::cast::Cast;
use crate::support::{Answer, GUANGHUA, TestApp, user_id};
use crate::tenders::{bid, organisation, scores, terms, text};

/// What each project asks for, and what the two bidders ask for.
pub const BUDGET: i64 = 2_000_000;
pub const PRICES: [i64; 2] = [1_200_000, 1_600_000];
/// Who bids.
pub const BIDDERS: [&str; 2] = ["org-b", "volunteer-5"];
const EXPERTS: [&str; 2] = ["social-worker-1", "social-worker-2"];

/// Something that is done. A number says to which of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Design,
    Submit,
    Return,
    Review(usize),
    Shortlist,
    Decline,
    Withdraw,
    Propose,
    Select,
    Tender,
    Bid(usize),
    Open,
    ConfirmOpening,
    Panel,
    /// Expert and bid.
    Score(usize, usize),
    Fail,
    Award,
    Object,
    Uphold,
    Dismiss,
    SetAside,
    Contract,
    Sign,
    Supervisor,
    Evaluator,
    Start,
    Evidence(usize),
    Statement(usize),
    Accept(usize),
    Pay(usize),
    Report,
    Complete,
    Evaluate,
    Rectify,
    Resubmit,
    Finish,
    Cancel,
    Terminate,
}

impl Act {
    /// The line of the table that it takes.
    pub fn step(self) -> Option<ProjectAction> {
        use ProjectAction as A;
        Some(match self {
            Self::Submit => A::Submit,
            Self::Return => A::Return,
            Self::Shortlist => A::Shortlist,
            Self::Decline => A::Decline,
            Self::Withdraw => A::Withdraw,
            Self::Select => A::Select,
            Self::Tender => A::Tender,
            Self::Fail => A::FailTender,
            Self::Award => A::Award,
            Self::SetAside => A::SetAside,
            Self::Sign => A::Contract,
            Self::Start => A::Start,
            Self::Complete => A::Complete,
            Self::Evaluate => A::Evaluate,
            Self::Rectify => A::Rectify,
            Self::Resubmit => A::Resubmit,
            Self::Finish => A::Finish,
            Self::Cancel => A::Cancel,
            Self::Terminate => A::Terminate,
            _ => return None,
        })
    }
}

/// Who does it, and how.
pub struct Request {
    pub who: &'static str,
    pub method: Method,
    pub path: String,
    pub body: Value,
}

/// A programme of 光华社区 with its experts, and two organisations that bid.
pub struct World<'a> {
    pub cast: Cast<'a>,
    /// `/programmes/{id}`
    pub programme: String,
    bidders: [OrganisationId; 2],
}

impl<'a> World<'a> {
    pub async fn new(app: &'a TestApp, budget_fen: i64) -> Self {
        let cast = Cast::new(app);
        let bidders = [
            ids::named("organisation:武汉春晖社会工作服务中心"),
            organisation(app, "随艺测试中心", OrganisationState::Registered, &[BIDDERS[1]]).await,
        ];
        app.state.grants.invalidate_all();
        let staff = cast.get("staff").await;
        let mut body = programme(app, GUANGHUA, budget_fen);
        body["expert_weight"] = json!(100);
        let programme = opened(&staff, body).await;
        seat(&staff, &programme, &EXPERTS).await;
        Self { cast, programme, bidders }
    }

    /// Another project, proposed; gives its path.
    pub async fn project(&self, title: &str) -> String {
        made(&self.cast.get("org-a").await, "/projects", proposal(GUANGHUA, title)).await
    }

    pub async fn state(&self, project: &str) -> String {
        text(&self.cast.get("newcomer-1").await.get(project).await.expect(200)["state"])
    }

    /// What anybody reads at a path; nothing where there is nothing.
    async fn seen(&self, who: &str, path: &str) -> Value {
        let answer = self.cast.get(who).await.get(path).await;
        if answer.status == 200 { answer.body } else { Value::Null }
    }

    async fn tender(&self, project: &str) -> Option<String> {
        let tenders = self.seen("staff", &format!("{project}/tenders")).await;
        Some(format!("/tenders/{}", tenders["items"][0]["id"].as_str()?))
    }

    /// The last award.
    async fn award(&self, project: &str) -> Option<Value> {
        let tender = self.tender(project).await?;
        let awards = self.seen("staff", &format!("{tender}/awards")).await;
        Some(awards["items"].get(0)?.clone())
    }

    /// The id of its contract.
    pub async fn contract(&self, project: &str) -> Option<String> {
        Some(self.seen("staff", &format!("{project}/contract")).await["id"].as_str()?.to_owned())
    }

    /// Who carries it out, or would: whose bid the last award is for.
    async fn implementer(&self, project: &str) -> Option<&'static str> {
        let award = self.award(project).await?;
        let bids = self.seen("staff", &format!("{}/bids", self.tender(project).await?)).await;
        let bid = bids.as_array()?.iter().find(|bid| bid["id"] == award["bid_id"])?.clone();
        let at = self.bidders.iter().position(|id| bid["organisation_id"] == json!(id))?;
        Some(BIDDERS[at])
    }

    async fn objection(&self, project: &str) -> Option<String> {
        let award = self.award(project).await?;
        let path = format!("/notices/{}/objections", award["notice_id"].as_str()?);
        let objections = self.seen("staff", &path).await;
        Some(format!("/objections/{}/reply", objections["items"][0]["id"].as_str()?))
    }

    pub async fn milestone(&self, project: &str, at: usize) -> Option<Value> {
        Some(self.seen("staff", &format!("{project}/milestones")).await["items"].get(at)?.clone())
    }

    async fn own(&self, who: &str) -> Value {
        json!({ "organisation_id": self.cast.get(who).await.get("/me/organisations").await.expect(200)[0]["id"] })
    }

    /// The request of an act; nothing where that which it is about is not there (no tender yet, no contract).
    pub async fn request(&self, project: &str, act: Act) -> Option<Request> {
        let post = |who, path: String, body| Some(Request { who, method: Method::POST, path, body });
        let put = |who, path: String, body| Some(Request { who, method: Method::PUT, path, body });
        let at = |rest: &str| format!("{project}/{rest}");
        let because = || json!({ "reason": "情况有变" });
        let programme = self.programme.rsplit('/').next()?;
        let app = self.cast.app;
        match act {
            Act::Design => put("org-a", at("design"), design(BUDGET)),
            Act::Submit => post("org-a", at("submit"), json!({ "programme_id": programme })),
            Act::Withdraw => post("org-a", at("withdraw"), json!({})),
            Act::Return => post("staff", at("return"), because()),
            Act::Review(expert) => {
                let version = self.seen("staff", project).await["version"].as_i64()?;
                post(EXPERTS[expert % 2], at("reviews"), review(version, 9, 3))
            }
            Act::Shortlist => post("staff", at("shortlist"), json!({})),
            Act::Decline => post("staff", at("decline"), because()),
            Act::Propose => post("staff", format!("{}/selection", self.programme), json!({})),
            Act::Select => post("staff-2", at("select"), json!({})),
            Act::Cancel => post("staff", at("cancel"), because()),
            Act::Tender => post("staff", at("tenders"), terms(app)),
            Act::Bid(bidder) => {
                let offer = bid(app, self.bidders[bidder % 2], PRICES[bidder % 2]);
                put(BIDDERS[bidder % 2], format!("{}/bid", self.tender(project).await?), offer)
            }
            Act::Open => post("staff", format!("{}/opening", self.tender(project).await?), json!({})),
            Act::ConfirmOpening => {
                post("staff-2", format!("{}/opening/confirmation", self.tender(project).await?), json!({}))
            }
            Act::Panel => {
                let people = json!({ "user_ids": EXPERTS.map(user_id) });
                post("staff", format!("{}/panel", self.tender(project).await?), people)
            }
            Act::Score(expert, bid) => {
                let bids = self.seen("staff", &format!("{}/bids", self.tender(project).await?)).await;
                let path = format!("/bids/{}/scores", bids.get(bid)?["id"].as_str()?);
                post(EXPERTS[expert % 2], path, scores([8, 80]))
            }
            Act::Fail => post("staff", format!("{}/failure", self.tender(project).await?), because()),
            Act::Award => {
                let tender = self.tender(project).await?;
                let ranking = self.seen("staff", &format!("{tender}/ranking")).await;
                let first = ranking["bids"].get(0)?["bid_id"].clone();
                post("staff", format!("{tender}/awards"), json!({ "bid_id": first }))
            }
            Act::Object => {
                let path = format!("/notices/{}/objections", self.award(project).await?["notice_id"].as_str()?);
                post("resident-1", path, json!({ "text": "业绩材料不实" }))
            }
            Act::Uphold | Act::Dismiss => {
                let outcome = if act == Act::Uphold { "upheld" } else { "dismissed" };
                let path = self.objection(project).await?;
                post("staff-2", path, json!({ "outcome": outcome, "reply": "已核实。" }))
            }
            Act::SetAside => {
                let path = format!("/tender-awards/{}/setting-aside", self.award(project).await?["id"].as_str()?);
                post("staff", path, because())
            }
            Act::Contract => post("staff", at("contract"), json!({})),
            Act::Sign => {
                let path = format!("/contracts/{}/signature", self.contract(project).await?);
                post(self.implementer(project).await?, path, json!({}))
            }
            Act::Supervisor => put("staff", at("parties/supervisor"), self.own("supervisor").await),
            Act::Evaluator => put("staff", at("parties/evaluator"), self.own("evaluator").await),
            Act::Start => post(self.implementer(project).await?, at("start"), json!({})),
            Act::Evidence(_) | Act::Statement(_) | Act::Accept(_) | Act::Pay(_) => {
                self.of_milestone(project, act).await
            }
            Act::Report => {
                let today = calendar::day(app.state.clock.now());
                let body = json!({ "kind": "final", "period_from": today, "period_until": today, "body": "完成" });
                post(self.implementer(project).await?, at("reports"), body)
            }
            Act::Complete => post(self.implementer(project).await?, at("complete"), json!({})),
            Act::Evaluate | Act::Rectify => {
                let file = document(&self.cast.get("evaluator").await).await;
                let by = calendar::day(app.state.clock.now() + TimeDelta::days(10));
                let judged = if act == Act::Evaluate {
                    evaluation(&file, "pass", json!({}))
                } else {
                    evaluation(&file, "rectify", json!({ "rectify_by": by, "advice": "补两次课" }))
                };
                post("evaluator", at("evaluations"), judged)
            }
            Act::Resubmit => post(self.implementer(project).await?, at("resubmit"), json!({ "body": "已补" })),
            Act::Finish => post("staff", at("finish"), json!({})),
            Act::Terminate => post("staff", at("terminate"), because()),
        }
    }

    async fn of_milestone(&self, project: &str, act: Act) -> Option<Request> {
        let (who, number, rest, body) = match act {
            Act::Evidence(number) => {
                (self.implementer(project).await?, number, "evidence", json!({ "body": "评估表 80 份" }))
            }
            Act::Statement(number) => {
                ("supervisor", number, "statement", json!({ "statement": "属实", "supports": true }))
            }
            Act::Accept(number) => ("staff", number, "decision", json!({ "decision": "accepted" })),
            Act::Pay(number) => ("staff-2", number, "payment", json!({})),
            _ => return None,
        };
        let milestone = self.milestone(project, number).await?;
        let path = format!("/milestones/{}/{rest}", milestone["id"].as_str()?);
        Some(Request { who, method: Method::POST, path, body })
    }

    /// Somebody does it. What somebody objects is looked at by content security, before others read it.
    pub async fn attempt(&self, request: Request, who: &str) -> Answer {
        let answer = self.cast.send(who, &request.method, &request.path, request.body).await;
        if request.path.ends_with("/objections") {
            self.cast.app.work().await;
        }
        answer
    }

    /// What an account of the programme's books holds.
    pub async fn money(&self, owner: &str) -> i64 {
        crate::tenders::money(self.cast.app, owner.rsplit('/').next().unwrap().parse().unwrap()).await
    }

    /// What anybody reads that the programme has left.
    pub async fn available(&self) -> i64 {
        let seen = self.cast.get("newcomer-1").await.get(&self.programme).await.expect(200);
        seen["available_fen"].as_i64().unwrap()
    }
}
