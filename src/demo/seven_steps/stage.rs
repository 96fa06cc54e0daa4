//! Where the story plays: one transaction, a clock that stands in the past, and each step by whom it is for.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entities::delivery::{Decision, ReportKind};
use entities::ids::{ContractId, MilestoneId, NeedId, ProgrammeId, ProjectId, TenderId};
use entities::moderation::{ModerationAction, item};
use entities::programmes::Allocation;
use entities::projects::{Part, Recommendation};
use entities::tenders::{award, contract, milestone, tender};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::json;
use uuid::Uuid;

use super::super::needs::{self, Need};
use super::super::organisations::organisation_id;
use super::super::seed::{place_id, user_id};
use crate::delivery::recording::NewService;
use crate::delivery::{self, handing_in::NewReport};
use crate::identity::Actor;
use crate::moderation;
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::http::{Caller, Problem};
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::programmes::{self, Criterion, Phases, Words};
use crate::projects::{self, Design, NewProject, ReviewWords};
use crate::tenders::{self, Bid, Indicator, NewTender, Term, awards, bids, opening, scoring};

/// Officers of the street's programme: one acts, the other confirms.
pub const OFFICER: &str = "street";
pub const SECOND: &str = "district";
/// Of the programme's panel, and of the panel of its tenders.
pub const EXPERTS: [&str; 2] = ["social-worker-1", "social-worker-2"];
/// A social worker who designs, and therefore judges nothing.
pub const DESIGNER: &str = "social-worker-3";
pub const CHUNHUI: &str = "武汉春晖社会工作服务中心";
pub const WANQING: &str = "武汉晚晴枫养老助残服务中心";

pub struct Stage<'a> {
    /// Its clock is the story's own.
    pub state: &'a AppState,
    pub txn: &'a DatabaseTransaction,
    /// The day on which the demo starts.
    pub today: NaiveDate,
}

/// What a project is to do and for how much.
pub struct Plan {
    pub place: &'static str,
    pub title: &'static str,
    pub summary: &'static str,
    pub goals: &'static str,
    pub how: &'static str,
    /// Title, how many.
    pub groups: &'static [(&'static str, i64)],
    /// What for, yuan.
    pub lines: &'static [(&'static str, i64)],
    /// Title, unit, target.
    pub indicator: (&'static str, &'static str, i64),
    /// How the experts score it.
    pub scores: [i64; 2],
}

/// What an organisation offers: how, by whom, and what it is paid for: title, due so many days ago, yuan.
pub struct Offer {
    pub person: &'static str,
    pub organisation: &'static str,
    pub plan: &'static str,
    pub team: &'static str,
    pub parts: &'static [(&'static str, i64, i64)],
    /// By criterion, what each of the panel gives.
    pub points: [i64; 2],
}

impl Stage<'_> {
    /// Ten o'clock of the morning so many days ago; a negative number is a day to come.
    pub fn day(&self, ago: i64) -> DateTime<Utc> {
        calendar::midnight(self.today) + TimeDelta::days(-ago) + TimeDelta::hours(10)
    }

    /// That day.
    pub fn date(&self, ago: i64) -> NaiveDate {
        calendar::day(self.day(ago))
    }

    /// Moves the story to that day.
    pub fn go(&self, ago: i64) {
        self.state.clock.advance(self.day(ago) - self.state.clock.now());
    }

    /// Moves it on by some hours.
    pub fn later(&self, hours: i64) {
        self.state.clock.advance(TimeDelta::hours(hours));
    }

    pub async fn actor(&self, name: &str) -> Result<Actor, Problem> {
        Actor::load(self.state, Caller { user_id: user_id(name), family: Uuid::nil() }).await
    }

    pub async fn need(&self, need: &Need) -> Result<NeedId, Problem> {
        let id = ids::ordered(&self.state.clock);
        needs::insert(self.state, self.txn, id, need).await?;
        Ok(id)
    }

    /// What somebody wrote is read and passed: WeChat judges only who was in the mini-program within two hours.
    pub async fn read(&self, moderator: &str, target: Uuid) -> Result<(), Problem> {
        let waiting = item::Entity::find().filter(item::Column::TargetId.eq(target)).one(self.txn).await?;
        let waiting = waiting.ok_or(Code::Internal)?.id;
        let moderator = self.actor(moderator).await?;
        let passed = ModerationAction::Approve;
        moderation::decide(self.state, self.txn, &moderator, waiting, passed, Some("内容真实")).await.map(drop)
    }

    /// A programme of the street whose proposals are taken for 25 days, reviewed for ten more, and carried out until next year.
    pub async fn programme(&self, place: &str, title: &str, yuan: (i64, i64)) -> Result<ProgrammeId, Problem> {
        let officer = self.actor(OFFICER).await?;
        let criterion = |key: &str, title: &str, weight| Criterion {
            key: key.to_owned(),
            title: title.to_owned(),
            weight,
            maximum: 10,
        };
        let from = calendar::midnight(calendar::day(self.state.clock.now()));
        let after = |days| from + TimeDelta::days(days);
        let (budget, cap) = yuan;
        let words = Words {
            place_id: place_id(place),
            parent_id: None,
            title,
            description: "居民提出来的身边小事，一件一件办，办得怎么样由居民说了算。",
            budget_fen: budget * 100,
            cap_fen: cap * 100,
            count_target: 4,
            expert_weight: 100,
            allocation: Allocation::Ranked,
            rubric: &[
                criterion("need", "需求真实", 40),
                criterion("plan", "方案可行", 40),
                criterion("budget", "预算合理", 20),
            ],
            min_reviews: 2,
            objection_days: 7,
            phases: Phases {
                proposals_from: from,
                proposals_until: after(25),
                reviews_until: after(35),
                votes_until: after(37),
                delivery_until: after(365),
            },
        };
        let row = programmes::create(self.state, self.txn, &officer, &words).await?;
        programmes::open(self.state, self.txn, &officer, row.id).await?;
        for expert in EXPERTS {
            programmes::add_expert(self.state, self.txn, &officer, row.id, user_id(expert)).await?;
        }
        Ok(row.id)
    }

    /// A social worker designs a project from needs and hands it in.
    pub async fn design(&self, programme: ProgrammeId, plan: &Plan, needs: &[NeedId]) -> Result<ProjectId, Problem> {
        let designer = self.actor(DESIGNER).await?;
        let fen: i64 = plan.lines.iter().map(|(_, yuan)| yuan * 100).sum();
        let new = NewProject {
            place_id: place_id(plan.place),
            title: plan.title,
            summary: plan.summary,
            budget_fen: fen,
            need_ids: needs,
            designer: None,
            programme: Some(programme),
        };
        let id = projects::create(self.state, self.txn, &designer, &new).await?.id;
        let (name, unit, target) = plan.indicator;
        let words = json!({
            "goals": plan.goals,
            "groups": plan.groups.iter().map(|(title, people)| json!({ "key": title, "title": title, "people": people }))
                .collect::<Vec<_>>(),
            "plan": plan.how,
            "lines": plan.lines.iter().map(|(title, yuan)| json!({ "title": title, "fen": yuan * 100 })).collect::<Vec<_>>(),
            "indicators": [{ "key": name, "title": name, "unit": unit, "target": target }],
            "schedule": [{ "title": "实施", "from": self.date(60).to_string(), "until": self.date(-60).to_string() }],
        });
        let words: Design =
            serde_json::from_value(words).map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
        projects::save_design(self.state, self.txn, &designer, id, &words).await?;
        projects::submit_design(self.state, self.txn, &designer, id, None).await?;
        Ok(id)
    }

    /// Both experts review a design, and it goes on the shortlist.
    pub async fn review(&self, id: ProjectId, plan: &Plan) -> Result<(), Problem> {
        const COMMENTS: [&str; 2] = [
            "需求是居民自己提出来的，方案写清楚了谁来做、做到什么程度。",
            "预算有依据；建议完工后请居民代表一起看一遍。",
        ];
        for ((expert, score), comment) in EXPERTS.into_iter().zip(plan.scores).zip(COMMENTS) {
            let scores: BTreeMap<String, i64> = ["need", "plan", "budget"].map(|key| (key.to_owned(), score)).into();
            let words = ReviewWords { version: 1, scores: &scores, comment, recommendation: Recommendation::Support };
            projects::write_review(self.state, self.txn, &self.actor(expert).await?, id, words).await?;
        }
        projects::shortlist(self.state, self.txn, &self.actor(OFFICER).await?, id).await.map(drop)
    }

    /// One officer proposes what the shortlist gives, another confirms it.
    pub async fn select(&self, programme: ProgrammeId) -> Result<(), Problem> {
        let [officer, second] = [self.actor(OFFICER).await?, self.actor(SECOND).await?];
        let proposed = projects::propose_selection(self.state, self.txn, &officer, programme).await?;
        projects::confirm_selection(self.state, self.txn, &second, (programme, proposed.id)).await.map(drop)
    }

    /// Who follows the work and who judges it are named.
    pub async fn assign(&self, id: ProjectId) -> Result<(), Problem> {
        let officer = self.actor(OFFICER).await?;
        for (part, name) in
            [(Part::Supervisor, "江岸区社区服务督导中心"), (Part::Evaluator, "武汉至诚第三方评估事务所")]
        {
            projects::assign_party(self.state, self.txn, &officer, id, part, organisation_id(name)).await?;
        }
        Ok(())
    }

    pub async fn tender(&self, id: ProjectId, requirements: &str, closes: i64) -> Result<TenderId, Problem> {
        let new = NewTender {
            requirements,
            closes_at: self.day(closes),
            registered_only: true,
            price_weight: 30,
            min_scorers: 2,
            criteria: vec![("服务方案", 40, 10), ("团队经验", 30, 10)],
        };
        Ok(tenders::create(self.state, self.txn, &self.actor(OFFICER).await?, id, new).await?.id)
    }

    /// An organisation hands in its sealed bid.
    pub async fn bid(&self, id: TenderId, offer: &Offer) -> Result<(), Problem> {
        let milestones = offer.parts.iter().zip(1..).map(|((title, due, yuan), seq)| Term {
            seq,
            title: (*title).to_owned(),
            due_at: calendar::day_end(self.date(*due)),
            amount_fen: yuan * 100,
        });
        let bid = Bid {
            organisation_id: organisation_id(offer.organisation),
            price_fen: offer.parts.iter().map(|(.., yuan)| yuan * 100).sum(),
            plan: offer.plan.to_owned(),
            team: offer.team.to_owned(),
            milestones: milestones.collect(),
            indicators: vec![Indicator { title: "居民满意".to_owned(), target: 90, unit: "%".to_owned() }],
        };
        bids::hand_in(self.state, self.txn, &self.actor(offer.person).await?, id, &bid).await.map(drop)
    }

    /// Two officers open a tender together.
    pub async fn open(&self, id: TenderId) -> Result<tender::Model, Problem> {
        opening::ask(self.state, self.txn, &self.actor(OFFICER).await?, id).await?;
        opening::open(self.state, self.txn, &self.actor(SECOND).await?, id).await
    }

    /// The panel scores what was opened.
    pub async fn score(&self, id: TenderId, offers: &[&Offer]) -> Result<(), Problem> {
        let officer = self.actor(OFFICER).await?;
        scoring::name_panel(self.state, self.txn, &officer, id, &EXPERTS.map(user_id)).await?;
        for bid in scoring::valid_bids(self.txn, id).await? {
            let whose = |offer: &&&Offer| bid.organisation_id == Some(organisation_id(offer.organisation));
            let points = offers.iter().find(whose).ok_or(Code::Internal)?.points;
            for expert in EXPERTS {
                let points = [(1, points[0]), (2, points[1])];
                scoring::score(self.state, self.txn, &self.actor(expert).await?, bid.id, &points).await?;
            }
        }
        Ok(())
    }

    /// The bid that stands first is awarded, in public.
    pub async fn award(&self, tender: &tender::Model) -> Result<award::Model, Problem> {
        let first = scoring::ranking(self.txn, tender).await?.bids.into_iter().find(|bid| bid.rank == 1);
        let bid = first.ok_or(Code::Internal)?.bid_id;
        awards::award(self.state, self.txn, &self.actor(OFFICER).await?, tender.id, bid, None).await
    }

    /// Both sides sign, and a supervised project starts.
    pub async fn contract(&self, id: ProjectId, implementer: &str) -> Result<contract::Model, Problem> {
        let implementer = self.actor(implementer).await?;
        let drawn = tenders::draw(self.state, self.txn, &self.actor(OFFICER).await?, id).await?;
        self.later(24);
        let signed = tenders::sign(self.state, self.txn, &implementer, drawn.id).await?;
        self.later(24);
        delivery::closing::start(self.state, self.txn, &implementer, id).await?;
        Ok(signed)
    }

    pub async fn part(&self, contract: ContractId, seq: i64) -> Result<milestone::Model, Problem> {
        let parts = tenders::milestones_of(self.txn, contract).await?;
        parts.into_iter().find(|part| part.seq == seq).ok_or_else(|| Code::Internal.into())
    }

    /// Evidence, the supervisor's statement, the acceptance and the payment, by four people within three days.
    pub async fn paid(
        &self,
        id: MilestoneId,
        implementer: &str,
        (evidence, statement): (&str, &str),
    ) -> Result<(), Problem> {
        use delivery::milestones::{decide, pay, state_opinion, submit};
        let (state, txn) = (self.state, self.txn);
        submit(state, txn, &self.actor(implementer).await?, id, evidence, &[]).await?;
        self.later(24);
        state_opinion(state, txn, &self.actor("supervisor").await?, id, (statement, true)).await?;
        self.later(24);
        decide(state, txn, &self.actor(OFFICER).await?, id, (Decision::Accepted, None)).await?;
        self.later(24);
        pay(state, txn, &self.actor(SECOND).await?, id).await.map(drop)
    }

    /// The implementer records a service, and the supervisor confirms it on the next day.
    pub async fn serve(&self, id: ProjectId, implementer: &str, service: &NewService<'_>) -> Result<(), Problem> {
        use delivery::recording::{decide, record};
        let row = record(self.state, self.txn, &self.actor(implementer).await?, id, service).await?;
        self.later(24);
        let confirmed = entities::delivery::ServiceState::Confirmed;
        decide(self.state, self.txn, &self.actor("supervisor").await?, row.id, confirmed, None).await.map(drop)
    }

    pub async fn report(
        &self,
        id: ProjectId,
        implementer: &str,
        (kind, body): (ReportKind, &str),
        days: (i64, i64),
    ) -> Result<(), Problem> {
        let (from, until) = days;
        let new =
            NewReport { kind, period: (self.date(from), self.date(until)), body, figures: Vec::new(), file_ids: &[] };
        delivery::handing_in::report(self.state, self.txn, &self.actor(implementer).await?, id, new).await.map(drop)
    }
}
