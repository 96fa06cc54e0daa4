//! What people do: each scenario makes its requests, and twice the same request of two people to be recorded.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use entities::ids::UserId;
use linli::demo::user_id;
use serde_json::{Value, json};

use crate::load::{Amount, Client, Load, request};
use crate::stage::Stage;
use crate::{Failure, boards, people, simulator};

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
    Login,
    LargeBoard,
}

/// All of them, in the order of the run: those that read come first, while tables are small and quiet, and the one that makes
/// them large is the last.
pub const ALL: [Scenario; 9] = [
    Scenario::Me,
    Scenario::Leaderboard,
    Scenario::PollRead,
    Scenario::NeedList,
    Scenario::Ballot,
    Scenario::SecretBallot,
    Scenario::ShiftSignup,
    Scenario::Login,
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
            Self::Login => "login",
            Self::LargeBoard => "large board read",
        }
    }

    /// The route.
    pub fn route(self) -> &'static str {
        match self {
            Self::Me => "GET /me",
            Self::Leaderboard | Self::LargeBoard => "GET /leaderboards",
            Self::PollRead => "GET /polls/{id}",
            Self::NeedList => "GET /needs",
            Self::Ballot | Self::SecretBallot => "PUT /polls/{id}/ballot",
            Self::ShiftSignup => "PUT /shifts/{id}/signup",
            Self::Login => "POST /auth/wechat",
        }
    }

    /// Whether each person does it once.
    pub fn writes(self) -> bool {
        matches!(self, Self::Ballot | Self::SecretBallot | Self::ShiftSignup | Self::Login)
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
            let activity = json!({ "place_id": place, "title": "楼栋清洁", "description": "一起打扫公共楼道。" });
            let activity = text(&phone.post("/activities", &activity, 201).await?, "id")?;
            let mut paths = Vec::new();
            for day in 1..=2 {
                let starts_at = stage.state.clock.now() + TimeDelta::days(day);
                let shift = json!({
                    "starts_at": starts_at, "ends_at": starts_at + TimeDelta::hours(2), "capacity": 10_000,
                });
                let shift = phone.post(&format!("/activities/{activity}/shifts"), &shift, 201).await?;
                paths.push((format!("/shifts/{}/signup", text(&shift, "id")?), json!({})));
            }
            let [own, other] = paths.try_into().map_err(|_more| "two shifts")?;
            writes(stage, size, "\"confirmed\"", &own, &other)
        }
        Scenario::Login => logins(stage, size).await,
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
    let mut rounds = Vec::new();
    for round in 0..size.rounds {
        let round = (round * size.people..(round + 1) * size.people).map(|person| put(person, own));
        rounds.push(load(stage, size, round.collect::<Result<Vec<_>, _>>()?, contains, Amount::Each));
    }
    let [one, two] = size.probes();
    Ok(Script {
        rounds,
        probes: [(people::id(one), put(one, other)?), (people::id(two), put(two, other)?)],
        body: Some(own.1.clone()),
        simulator: Vec::new(),
    })
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
    let members = BOARD.min(size.people * size.rounds);
    let tokens = (0..STAFF).map(|staff| people::token(&stage.state, people::id(size.residents() + staff)));
    let tokens = tokens.collect::<Result<Vec<_>, _>>()?;
    let awards = (0..members).zip(tokens.iter().cycle()).map(|(person, token)| {
        let award = json!({ "user_id": people::id(person), "amount": 1 + person * 7919 % 60, "reason": "义务巡逻" });
        request("POST", "/api/v1/points/awards", Some(token), Some(&award))
    });
    let load = Load { status: 201, ..load(stage, size, awards.collect(), "", Amount::Each) };
    let outcome = load.run().await?;
    outcome.error.map_or(Ok(()), |error| Err(format!("an award was refused: {error}").into()))
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
    Ok(Script { rounds, probes, body: Some(json!({ "code": "x".repeat(32) })), simulator: asked })
}
