//! What people do: each scenario makes its requests, and twice the same request of two people to be recorded.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use entities::ids::{ShiftId, SignupId, UserId};
use entities::ledger::lot;
use entities::volunteering::signup;
use linli::demo::user_id;
use linli::ledger::{self, Party};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::load::{Amount, Client, Load, request};
use crate::stage::Stage;
use crate::{Failure, boards, needs, people, simulator};

/// How much is done.
#[derive(Clone, Copy)]
pub struct Size {
    /// Rounds; the median counts.
    pub rounds: u32,
    /// People who act once in each round of a scenario that writes.
    pub people: u32,
    /// How long each round of a scenario that reads lasts.
    pub time: Duration,
    /// How many clients call at once.
    pub clients: usize,
    /// People on the large board.
    pub board: u32,
    /// Open needs of the large district.
    pub needs: u32,
}

/// People besides those who act: two a scenario whose requests are recorded.
const PROBES: u32 = 2;
/// Staff who award points: nobody may award more than 5,000 a day.
pub const STAFF: u32 = 16;
/// People who read.
const READERS: u32 = 100;
/// People on the leaderboard.
const BOARD: u32 = 2000;

impl Size {
    /// Verified residents.
    pub fn residents(self) -> u32 {
        self.people * self.rounds + PROBES
    }

    fn probes(self) -> [u32; 2] {
        [self.people * self.rounds, self.people * self.rounds + 1]
    }
}

/// One thing that people do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "`name` says it")]
pub enum Scenario {
    Me,
    Leaderboard,
    PollRead,
    NeedList,
    Ballot,
    SecretBallot,
    ShiftSignup,
    CheckIn,
    Redemption,
    Login,
    LargeNeedList,
    SimilarNeeds,
    LargeBoard,
}

/// All of them, in the order of the run: those that read come first, while tables are small and quiet, and those that make
/// them large are the last.
pub const ALL: [Scenario; 13] = [
    Scenario::Me,
    Scenario::Leaderboard,
    Scenario::PollRead,
    Scenario::NeedList,
    Scenario::Ballot,
    Scenario::SecretBallot,
    Scenario::ShiftSignup,
    Scenario::CheckIn,
    Scenario::Redemption,
    Scenario::Login,
    Scenario::LargeNeedList,
    Scenario::SimilarNeeds,
    Scenario::LargeBoard,
];

impl Scenario {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Me => "own profile read",
            Self::Leaderboard => "leaderboard read",
            Self::PollRead => "poll read",
            Self::NeedList => "need list read",
            Self::Ballot => "ballot write",
            Self::SecretBallot => "secret ballot write",
            Self::ShiftSignup => "shift sign-up",
            Self::CheckIn => "check-in",
            Self::Redemption => "redemption",
            Self::Login => "login",
            Self::LargeNeedList => "large need list read",
            Self::SimilarNeeds => "similar needs read",
            Self::LargeBoard => "large board read",
        }
    }

    /// The route.
    pub fn route(self) -> &'static str {
        match self {
            Self::Me => "GET /me",
            Self::Leaderboard | Self::LargeBoard => "GET /leaderboards",
            Self::PollRead => "GET /polls/{id}",
            Self::NeedList | Self::LargeNeedList => "GET /needs",
            Self::SimilarNeeds => "GET /needs/similar",
            Self::Ballot | Self::SecretBallot => "PUT /polls/{id}/ballot",
            Self::ShiftSignup => "PUT /shifts/{id}/signup",
            Self::CheckIn => "POST /signups/{id}/check-in",
            Self::Redemption => "POST /redemptions",
            Self::Login => "POST /auth/wechat",
        }
    }

    /// Whether each person does it once.
    pub fn writes(self) -> bool {
        !matches!(
            self,
            Self::Me
                | Self::Leaderboard
                | Self::PollRead
                | Self::NeedList
                | Self::LargeNeedList
                | Self::SimilarNeeds
                | Self::LargeBoard
        )
    }

    /// Keeps the ids that pgbench makes for one scenario apart from another's.
    pub fn salt(self) -> u32 {
        u32::from(ALL.iter().position(|each| *each == self).and_then(|at| u8::try_from(at).ok()).unwrap_or_default())
    }
}

/// A scenario that is ready to run.
pub struct Script {
    /// The load of each round.
    pub rounds: Vec<Load>,
    /// The same request of two people; what it writes is what pgbench writes too.
    pub probes: [(UserId, Vec<u8>); 2],
    /// The request's body, for bare actix.
    pub body: Option<Value>,
    /// For a login, what WeChat is asked, once more for each round.
    pub simulator: Vec<Load>,
    /// What a good answer has.
    pub status: u16,
    /// Rows of the first of the two people by id, and the SQL that finds those of person `n`.
    pub rows: Vec<(Uuid, String)>,
}

/// A phone in the hand of somebody who prepares a scenario.
struct Phone<'a> {
    stage: &'a Stage,
    client: Client,
}

impl Phone<'_> {
    async fn call(
        &mut self,
        who: UserId,
        method: &str,
        path: &str,
        body: Option<&Value>,
        status: u16,
    ) -> Result<Value, Failure> {
        let token = people::token(&self.stage.state, who)?;
        self.client.json(&request(method, &format!("/api/v1{path}"), Some(&token), body), status).await
    }

    async fn post(&mut self, path: &str, body: &Value, status: u16) -> Result<Value, Failure> {
        self.call(user_id("district"), "POST", path, Some(body), status).await
    }
}

fn text(value: &Value, name: &str) -> Result<String, Failure> {
    value.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| format!("no {name} in {value}").into())
}

/// Prepares a scenario.
pub async fn prepare(stage: &Stage, scenario: Scenario, size: Size) -> Result<Script, Failure> {
    let mut phone = Phone { stage, client: Client::connect(stage.server).await? };
    let place = people::community();
    match scenario {
        Scenario::Me => reads(stage, size, "/me"),
        Scenario::Leaderboard => {
            award(stage, size).await?;
            reads(stage, size, &format!("/leaderboards?place_id={place}&period=month"))
        }
        Scenario::PollRead => {
            let (poll, _) = open_poll(&mut phone, false).await?;
            reads(stage, size, &format!("/polls/{poll}"))
        }
        Scenario::NeedList => {
            submit_needs(&mut phone).await?;
            reads(stage, size, &format!("/needs?place_id={place}"))
        }
        Scenario::Ballot | Scenario::SecretBallot => {
            let secret = scenario == Scenario::SecretBallot;
            let (poll, option) = open_poll(&mut phone, secret).await?;
            let (other, other_option) = open_poll(&mut phone, secret).await?;
            let path = |poll: &str| format!("/polls/{poll}/ballot");
            let body = |option: &str| json!({ "choices": [option] });
            let own = (path(&poll), body(&option));
            writes(stage, size, "\"voted_by_me\":true", &own, &(path(&other), body(&other_option)))
        }
        Scenario::ShiftSignup => {
            let [own, other] = two_shifts(&mut phone, TimeDelta::days(1)).await?;
            let path = |shift: &str| (format!("/shifts/{shift}/signup"), json!({}));
            writes(stage, size, "\"confirmed\"", &path(&own), &path(&other))
        }
        Scenario::CheckIn => check_ins(stage, &mut phone, size).await,
        Scenario::Redemption => redemptions(stage, &mut phone, size).await,
        Scenario::Login => logins(stage, size).await,
        Scenario::LargeNeedList | Scenario::SimilarNeeds => {
            needs::fill(stage, size.needs).await?;
            let path = if scenario == Scenario::SimilarNeeds { needs::question() } else { needs::list() };
            reads(stage, size, &path)
        }
        Scenario::LargeBoard => {
            reads(stage, size, &format!("/leaderboards?place_id={}&period=month", boards::community()))
        }
    }
}

fn load(stage: &Stage, size: Size, requests: Vec<Vec<u8>>, contains: &'static str, amount: Amount) -> Load {
    Load { address: stage.server, requests: Arc::from(requests), clients: size.clients, status: 200, contains, amount }
}

/// Many people read one thing.
fn reads(stage: &Stage, size: Size, path: &str) -> Result<Script, Failure> {
    let path = format!("/api/v1{path}");
    let get = |person: u32| -> Result<Vec<u8>, Failure> {
        Ok(request("GET", &path, Some(&people::token(&stage.state, people::id(person))?), None))
    };
    let requests = (0..READERS.min(size.people)).map(get).collect::<Result<Vec<_>, _>>()?;
    let round = load(stage, size, requests, "", Amount::For(size.time));
    let [one, other] = size.probes();
    Ok(Script {
        rounds: (0..size.rounds).map(|_| round.clone()).collect(),
        probes: [(people::id(one), get(one)?), (people::id(other), get(other)?)],
        body: None,
        simulator: Vec::new(),
        status: 200,
        rows: Vec::new(),
    })
}

/// Each person does `own` once; the two that are recorded do `other`.
fn writes(
    stage: &Stage,
    size: Size,
    contains: &'static str,
    own: &(String, Value),
    other: &(String, Value),
) -> Result<Script, Failure> {
    let put = |person: u32, (path, body): &(String, Value)| -> Result<Vec<u8>, Failure> {
        let token = people::token(&stage.state, people::id(person))?;
        Ok(request("PUT", &format!("/api/v1{path}"), Some(&token), Some(body)))
    };
    once_each(stage, size, (contains, 200), own.1.clone(), |person, probe| put(person, if probe { other } else { own }))
}

/// Each person makes a request once, and two more are recorded: `made` is told whether it is one of these.
fn once_each(
    stage: &Stage,
    size: Size,
    (contains, status): (&'static str, u16),
    body: Value,
    made: impl Fn(u32, bool) -> Result<Vec<u8>, Failure>,
) -> Result<Script, Failure> {
    let mut rounds = Vec::new();
    for round in 0..size.rounds {
        let round = (round * size.people..(round + 1) * size.people).map(|person| made(person, false));
        let round = load(stage, size, round.collect::<Result<Vec<_>, _>>()?, contains, Amount::Each);
        rounds.push(Load { status, ..round });
    }
    let [one, two] = size.probes();
    let probes = [(people::id(one), made(one, true)?), (people::id(two), made(two, true)?)];
    Ok(Script { rounds, probes, body: Some(body), simulator: Vec::new(), status, rows: Vec::new() })
}

/// Two shifts with seats for everybody, one after the other.
async fn two_shifts(phone: &mut Phone<'_>, first: TimeDelta) -> Result<[String; 2], Failure> {
    let place = people::community();
    let activity = json!({ "place_id": place, "title": "楼栋清洁", "description": "一起打扫公共楼道。" });
    let activity = text(&phone.post("/activities", &activity, 201).await?, "id")?;
    let mut shifts = Vec::new();
    for day in 0..2 {
        let starts_at = phone.stage.state.clock.now() + first + TimeDelta::hours(3 * day);
        let shift = json!({ "starts_at": starts_at, "ends_at": starts_at + TimeDelta::hours(2), "capacity": 10_000 });
        shifts.push(text(&phone.post(&format!("/activities/{activity}/shifts"), &shift, 201).await?, "id")?);
    }
    shifts.try_into().map_err(|_more| "two shifts".into())
}

/// Staff mark that people came: each sign-up of one shift, while the recorded ones, and pgbench's, are of another.
async fn check_ins(stage: &Stage, phone: &mut Phone<'_>, size: Size) -> Result<Script, Failure> {
    let shifts = two_shifts(phone, TimeDelta::minutes(30)).await?;
    let mut signups = Vec::new();
    for shift in &shifts {
        let path = format!("/api/v1/shifts/{shift}/signup");
        let requests = (0..size.residents()).map(|person| -> Result<Vec<u8>, Failure> {
            let token = people::token(&stage.state, people::id(person))?;
            Ok(request("PUT", &path, Some(&token), Some(&json!({}))))
        });
        let load = load(stage, size, requests.collect::<Result<Vec<_>, _>>()?, "\"confirmed\"", Amount::Each);
        done(load.run().await?.error, "a sign-up")?;
        let id: ShiftId = shift.parse()?;
        let rows = signup::Entity::find()
            .select_only()
            .columns([signup::Column::UserId, signup::Column::Id])
            .filter(signup::Column::ShiftId.eq(id));
        let rows: Vec<(UserId, SignupId)> = rows.into_tuple().all(stage.state.db.read()).await?;
        signups.push(rows.into_iter().collect::<HashMap<_, _>>());
    }
    // Both shifts are open for check-in: `check_in_early_minutes` of the settings.
    let staff = people::token(&stage.state, user_id("district"))?;
    let [own, other] = signups.try_into().map_err(|_more| "two shifts")?;
    let mut script = once_each(stage, size, ("\"checked_in\"", 200), json!({}), |person, probe| {
        let signup = if probe { &other } else { &own }.get(&people::id(person)).ok_or("nobody's sign-up")?;
        Ok(request("POST", &format!("/api/v1/signups/{signup}/check-in"), Some(&staff), Some(&json!({}))))
    })?;
    let [one, _] = size.probes();
    let mark = other.get(&people::id(one)).ok_or("nobody's sign-up")?.0;
    let [_, shift] = shifts;
    let sql =
        format!("(SELECT id::text FROM signups WHERE shift_id = '{shift}' AND user_id = {}::uuid)", people::SQL_ID);
    script.rows.push((mark, sql));
    // The recorded requests come from one member of staff: the grants must be in the cache before the first of them. The sign-ups
    // took longer than the server keeps a connection that nobody uses.
    phone.client = Client::connect(stage.server).await?;
    phone.call(user_id("district"), "GET", "/me", None, 200).await?;
    Ok(script)
}

/// Everybody has a few points and redeems one reward; the recorded ones, and pgbench's, are of another.
async fn redemptions(stage: &Stage, phone: &mut Phone<'_>, size: Size) -> Result<Script, Failure> {
    let mut rewards = Vec::new();
    for title in ["纸巾", "毛巾"] {
        let reward = json!({ "place_id": people::community(), "title": title, "cost": 1, "stock": 100_000 });
        rewards.push(json!({ "reward_id": text(&phone.post("/rewards", &reward, 201).await?, "id")? }));
    }
    let [own, other]: [Value; 2] = rewards.try_into().map_err(|_more| "two rewards")?;
    give(stage, size, size.residents(), |_| 5).await?;
    let mut script = once_each(stage, size, ("\"reserved\"", 201), own.clone(), |person, probe| {
        let token = people::token(&stage.state, people::id(person))?;
        Ok(request("POST", "/api/v1/redemptions", Some(&token), Some(if probe { &other } else { &own })))
    })?;
    let [one, _] = size.probes();
    let wallet = ledger::account_id(people::community(), Party::Person(people::id(one)));
    let account = |kind: &str| {
        let owner = format!("owner_id = {}::uuid", people::SQL_ID);
        format!("SELECT id FROM ledger_accounts WHERE {owner} AND kind = '{kind}' AND unit = 'points'")
    };
    let lots = lot::Entity::find().select_only().column(lot::Column::Id).filter(lot::Column::WalletId.eq(wallet));
    let lots: Vec<Uuid> = lots.into_tuple().all(stage.state.db.read()).await?;
    let first = format!(
        "(SELECT id::text FROM ledger_lots WHERE wallet_id = ({}) ORDER BY expires_at, id LIMIT 1)",
        account("wallet")
    );
    script.rows = lots.into_iter().map(|lot| (lot, first.clone())).collect();
    script.rows.push((wallet.0, format!("({})::text", account("wallet"))));
    Ok(script)
}

fn done(error: Option<String>, what: &str) -> Result<(), Failure> {
    error.map_or(Ok(()), |error| Err(format!("{what} was refused: {error}").into()))
}

/// A poll that everybody may vote in, and one of its options.
async fn open_poll(phone: &mut Phone<'_>, secret: bool) -> Result<(String, String), Failure> {
    let options = ["增设电动车充电棚", "修缮儿童活动区", "楼道照明改造", "加装快递柜", "老年食堂", "屋顶防水"];
    let options = options.map(|title| json!({ "title": title }));
    let place = people::community();
    let draft =
        json!({ "place_id": place, "title": "今年先做哪一件", "kind": "single", "secret": secret, "options": options });
    let poll = phone.post("/polls", &draft, 201).await?;
    let id = text(&poll, "id")?;
    let option = poll.get("options").and_then(|options| options.get(0)).ok_or("a poll without options")?;
    let option = text(option, "id")?;
    phone.post(&format!("/polls/{id}/open"), &json!({}), 200).await?;
    Ok((id, option))
}

/// Puts people on the leaderboard, each with other points.
async fn award(stage: &Stage, size: Size) -> Result<(), Failure> {
    give(stage, size, BOARD.min(size.people * size.rounds), |person| 1 + person * 7919 % 50).await
}

/// Staff award points by hand, to each of the first people once.
async fn give(stage: &Stage, size: Size, members: u32, points: impl Fn(u32) -> u32) -> Result<(), Failure> {
    let tokens = (0..STAFF).map(|staff| people::token(&stage.state, people::id(size.residents() + staff)));
    let tokens = tokens.collect::<Result<Vec<_>, _>>()?;
    let awards = (0..members).zip(tokens.iter().cycle()).map(|(person, token)| {
        let award = json!({ "user_id": people::id(person), "amount": points(person), "reason": "义务巡逻" });
        request("POST", "/api/v1/points/awards", Some(token), Some(&award))
    });
    let load = Load { status: 201, ..load(stage, size, awards.collect(), "", Amount::Each) };
    done(load.run().await?.error, "an award")
}

/// Fills two pages of needs and waits until content security has passed them.
async fn submit_needs(phone: &mut Phone<'_>) -> Result<(), Failure> {
    let place = people::community();
    for person in 0..40 {
        let need = json!({
            "place_id": place, "category": "convenience", "title": format!("{person}号楼门前路灯不亮"),
            "body": "晚上回家看不清台阶，老人孩子容易摔跤，希望尽快检修，最好换成感应灯。",
        });
        phone.call(people::id(person), "POST", "/needs", Some(&need), 201).await?;
    }
    let start = Instant::now();
    loop {
        let list = phone.call(people::id(0), "GET", &format!("/needs?place_id={place}&limit=40"), None, 200).await?;
        if list.get("items").and_then(Value::as_array).map(Vec::len) == Some(40) {
            return Ok(());
        }
        if start.elapsed() > Duration::from_secs(30) {
            return Err(format!("needs were not published: {list}").into());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// People with phones sign in, each time with a new code.
async fn logins(stage: &Stage, size: Size) -> Result<Script, Failure> {
    let mut wechat = Client::connect(stage.simulator).await?;
    let mut code = async |person: u32| -> Result<String, Failure> {
        let path = format!("/sim/login-code?persona={}", simulator::persona(person % simulator::PHONES));
        text(&wechat.json(&request("GET", &path, None, None), 200).await?, "code")
    };
    let settings = &stage.state.config.wechat;
    let secret = wechat_simulator::Settings::default().secret;
    let sign_in = |code: &str| request("POST", "/api/v1/auth/wechat", None, Some(&json!({ "code": code })));
    let (mut rounds, mut asked) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        let (mut requests, mut questions) = (Vec::new(), Vec::new());
        for person in 0..size.people {
            requests.push(sign_in(&code(person).await?));
            let (appid, code) = (&settings.appid, code(person).await?);
            let question = format!("appid={appid}&secret={secret}&js_code={code}&grant_type=authorization_code");
            questions.push(request("GET", &format!("/sns/jscode2session?{question}"), None, None));
        }
        rounds.push(load(stage, size, requests, "\"access_token\"", Amount::Each));
        asked.push(Load { address: stage.simulator, ..load(stage, size, questions, "\"openid\"", Amount::Each) });
    }
    let probes = [(people::id(0), sign_in(&code(0).await?)), (people::id(1), sign_in(&code(1).await?))];
    let body = Some(json!({ "code": "x".repeat(32) }));
    Ok(Script { rounds, probes, body, simulator: asked, status: 200, rows: Vec::new() })
}
