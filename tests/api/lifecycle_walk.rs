//! Projects driven through the table of steps over HTTP: by the right people with everybody else refused at every line, and at
//! random, by whoever comes, against a model of the money.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use entities::projects::ProjectAction;
use linli::projects::lifecycle::{STEPS, line};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::support::TestApp;
use crate::support::cast::ROLES;
use crate::way::{Act, BIDDERS, BUDGET, PRICES, World};

/// Something done, or days that pass.
enum Then {
    Do(Act),
    Days(i64),
}

use Then::{Days, Do};

const SELECTED: &[Then] = &[
    Do(Act::Design),
    Do(Act::Submit),
    Do(Act::Review(0)),
    Do(Act::Review(1)),
    Do(Act::Shortlist),
    Days(28),
    Do(Act::Propose),
    Do(Act::Select),
    Days(8),
];
const OPENED: &[Then] =
    &[Do(Act::Tender), Do(Act::Bid(0)), Do(Act::Bid(1)), Days(11), Do(Act::Open), Do(Act::ConfirmOpening)];
const AWARDED: &[Then] = &[
    Do(Act::Panel),
    Do(Act::Score(0, 0)),
    Do(Act::Score(1, 0)),
    Do(Act::Score(0, 1)),
    Do(Act::Score(1, 1)),
    Do(Act::Award),
];
const RUNNING: &[Then] =
    &[Days(9), Do(Act::Contract), Do(Act::Sign), Do(Act::Supervisor), Do(Act::Evaluator), Do(Act::Start)];
const PAID: &[Then] = &[
    Do(Act::Evidence(0)),
    Do(Act::Statement(0)),
    Do(Act::Accept(0)),
    Do(Act::Pay(0)),
    Do(Act::Evidence(1)),
    Do(Act::Statement(1)),
    Do(Act::Accept(1)),
    Do(Act::Pay(1)),
];

/// Ways that together take every line of the table.
const WAYS: &[&[&[Then]]] = &[
    &[&[Do(Act::Design), Do(Act::Submit), Do(Act::Return), Do(Act::Submit), Do(Act::Withdraw)]],
    &[&[Do(Act::Design), Do(Act::Submit), Do(Act::Decline)]],
    &[SELECTED, &[Do(Act::Tender), Days(11), Do(Act::Open), Do(Act::ConfirmOpening), Do(Act::Fail), Do(Act::Cancel)]],
    &[
        SELECTED,
        OPENED,
        AWARDED,
        &[Do(Act::Object), Do(Act::Uphold), Do(Act::SetAside), Do(Act::Award)],
        RUNNING,
        &[Do(Act::Terminate)],
    ],
    &[
        SELECTED,
        OPENED,
        AWARDED,
        RUNNING,
        PAID,
        &[Do(Act::Report), Do(Act::Complete), Days(16), Days(1), Do(Act::Rectify), Do(Act::Resubmit)],
        &[Do(Act::Evaluate), Do(Act::Finish)],
    ],
];

/// Of these there are two who may.
fn is_one_of_two(act: Act) -> bool {
    matches!(act, Act::Review(_) | Act::Score(..) | Act::Object | Act::Bid(_))
}

// Guard: `who` of every line, and the same for what is done between the lines.
#[actix_web::test]
async fn every_line_of_the_table_is_taken_by_whom_it_names_and_refused_to_everybody_else() {
    TestApp::run(async |app| {
        let mut taken = BTreeSet::new();
        for way in WAYS {
            let world = World::new(app, 5_000_000).await;
            let project = world.project("老楼加装扶手").await;
            for then in way.iter().copied().flatten() {
                let act = match then {
                    Do(act) => *act,
                    Days(days) => {
                        world.cast.later(TimeDelta::days(*days)).await;
                        continue;
                    }
                };
                let request = world.request(&project, act).await.unwrap_or_else(|| panic!("nothing to do {act:?} to"));
                let before = world.state(&project).await;
                if !is_one_of_two(act) {
                    world.cast.refused_to_others(request.who, &request.method, &request.path, &request.body).await;
                    assert_eq!(world.state(&project).await, before, "{act:?}");
                }
                let who = request.who;
                let answer = world.attempt(request, who).await;
                assert!([200, 201].contains(&answer.status), "{act:?} in {before}: {} {}", answer.status, answer.body);
                let after = world.state(&project).await;
                match act.step().and_then(line) {
                    Some(line) => {
                        assert!(line.from.iter().any(|from| from.to_string() == before), "{act:?} in {before}");
                        assert_eq!(after, line.to.to_string(), "{act:?}");
                        taken.insert(line.action);
                    }
                    None => assert_eq!(after, before, "{act:?}"),
                }
            }
        }
        assert_eq!(taken, STEPS.iter().map(|line| line.action).collect());
    })
    .await;
}

/// Numbers name what there is by then, counted round.
#[derive(Clone, Debug)]
enum Command {
    /// Something that brings the project on, by whom it is for.
    On {
        project: usize,
        which: usize,
    },
    /// Something that sends it back or ends it.
    Off {
        project: usize,
        which: usize,
    },
    /// Anything, by anybody.
    Wild {
        project: usize,
        which: usize,
        who: usize,
    },
    Pass {
        days: i64,
    },
}

fn command() -> impl Strategy<Value = Command> {
    let some = || any::<prop::sample::Index>().prop_map(|index| index.index(1000));
    prop_oneof![
        60 => (some(), some()).prop_map(|(project, which)| Command::On { project, which }),
        1 => (some(), some()).prop_map(|(project, which)| Command::Off { project, which }),
        8 => (some(), some(), some()).prop_map(|(project, which, who)| Command::Wild { project, which, who }),
        7 => (1_i64..9).prop_map(|days| Command::Pass { days }),
    ]
}

/// What brings a project on from a state. Some of it is too early or comes to nothing.
#[rustfmt::skip]
fn on(state: &str) -> &'static [Act] {
    use Act::*;
    match state {
        "proposed" | "returned" => &[Design, Submit],
        "submitted" => &[Review(0), Review(1), Shortlist],
        "shortlisted" => &[Propose, Select],
        "selected" => &[Tender],
        "tendering" => &[Bid(0), Bid(1), Open, ConfirmOpening, Panel, Score(0, 0), Score(1, 0), Score(0, 1), Score(1, 1), Award],
        "awarding" => &[Contract, Sign, Object, Dismiss],
        "contracted" => &[Supervisor, Evaluator, Start],
        "running" => &[Evidence(0), Statement(0), Accept(0), Pay(0), Evidence(1), Statement(1), Accept(1), Pay(1), Report, Complete],
        "completed" => &[Evaluator, Pay(0), Pay(1), Evaluate, Rectify],
        "rectifying" => &[Resubmit, Pay(1)],
        "evaluated" => &[Finish, Pay(0), Pay(1)],
        _ => &[],
    }
}

/// What sends it back or ends it.
#[rustfmt::skip]
fn off(state: &str) -> &'static [Act] {
    use Act::*;
    match state {
        "proposed" | "returned" => &[Withdraw],
        "submitted" => &[Return, Return, Withdraw, Decline],
        "shortlisted" => &[Decline],
        "selected" => &[Cancel],
        "tendering" => &[Fail, Fail, Cancel],
        "awarding" => &[Object, Uphold, SetAside, Cancel],
        "contracted" | "running" | "completed" | "rectifying" => &[Terminate],
        _ => &[],
    }
}

#[rustfmt::skip]
const ANYTHING: &[Act] = &[
    Act::Design, Act::Submit, Act::Return, Act::Review(0), Act::Shortlist, Act::Decline, Act::Withdraw, Act::Propose, Act::Select, Act::Tender,
    Act::Bid(0), Act::Bid(1), Act::Open, Act::ConfirmOpening, Act::Panel, Act::Score(0, 0), Act::Score(1, 1), Act::Fail, Act::Award, Act::Object,
    Act::Uphold, Act::Dismiss, Act::SetAside, Act::Contract, Act::Sign, Act::Supervisor, Act::Evaluator, Act::Start, Act::Evidence(0),
    Act::Statement(0), Act::Accept(0), Act::Pay(0), Act::Pay(1), Act::Report, Act::Complete, Act::Evaluate, Act::Rectify, Act::Resubmit,
    Act::Finish, Act::Cancel, Act::Terminate,
];

/// Whether somebody may do what is for another.
fn stands_in(act: Act, who: &str, other: &str) -> bool {
    let both = |people: &[&str]| people.contains(&who) && people.contains(&other);
    both(&["staff", "staff-2"])
        || (matches!(act, Act::Review(_) | Act::Score(..)) && both(&["social-worker-1", "social-worker-2"]))
        // Residents of the community and people of organisations.
        || (act == Act::Object && !["newcomer-1", "staff-other", "staff", "staff-2", "merchant"].contains(&other))
}

/// A project as one would keep its books by hand.
struct Kept {
    path: String,
    state: String,
    moves: usize,
    /// What has been done since it came to its state.
    done: Vec<Act>,
    committed: i64,
    contract: i64,
    paid: i64,
}

struct Walk<'a> {
    world: World<'a>,
    budget: i64,
    projects: Vec<Kept>,
    taken: BTreeSet<ProjectAction>,
}

impl Walk<'_> {
    async fn step(&mut self, command: &Command) -> Result<(), String> {
        let (at, act, person) = match *command {
            Command::Pass { days } => {
                self.world.cast.later(TimeDelta::days(days)).await;
                return self.books().await;
            }
            Command::On { project, which } | Command::Off { project, which } => {
                let open: Vec<_> =
                    (0..self.projects.len()).filter(|at| !on(&self.projects[*at].state).is_empty()).collect();
                let Some(at) = project.checked_rem(open.len()).map(|at| open[at]) else { return Ok(()) };
                let kept = &self.projects[at];
                let acts = if matches!(command, Command::On { .. }) { on(&kept.state) } else { off(&kept.state) };
                let acts: Vec<_> = acts.iter().filter(|act| !kept.done.contains(act)).collect();
                // Two of three times what is next in order, so that walks come far; else any of it.
                let which = if which % 3 == 0 { which / 3 } else { 0 };
                let Some(act) = which.checked_rem(acts.len()).map(|which| *acts[which]) else { return Ok(()) };
                (at, act, None)
            }
            Command::Wild { project, which, who } => {
                let people: Vec<_> = ROLES.into_iter().chain(["staff", "staff-2", BIDDERS[1], "resident-1"]).collect();
                (project % self.projects.len(), ANYTHING[which % ANYTHING.len()], Some(people[who % people.len()]))
            }
        };
        let path = self.projects[at].path.clone();
        let Some(request) = self.world.request(&path, act).await else { return Ok(()) };
        let (meant, person) = (request.who, person.unwrap_or(request.who));
        let offered = self.world.cast.get(person).await.get(&path).await.expect(200)["allowed_actions"].clone();
        // What the act will have moved, if it succeeds.
        let tranche = match act {
            Act::Pay(number) => self.world.milestone(&path, number).await.and_then(|row| row["amount_fen"].as_i64()),
            _ => None,
        };
        let answer = self.world.attempt(request, person).await;
        let told = format!("{act:?} by {person} in {}: {} {}", self.projects[at].state, answer.status, answer.body);
        if answer.status >= 500 {
            return Err(told);
        }
        let succeeded = answer.status < 300;
        if succeeded && person != meant && !stands_in(act, meant, person) {
            return Err(format!("not theirs: {told}"));
        }
        let after = self.world.state(&path).await;
        let kept = &mut self.projects[at];
        let expected = match act.step().and_then(line).filter(|_| succeeded) {
            // An award of another than the first is proposed only; every other success of a step takes it.
            Some(line) => {
                if !line.from.iter().any(|from| from.to_string() == kept.state) {
                    return Err(format!("a forbidden step: {told}"));
                }
                if !["award", "contract", "evaluate", "rectify"].contains(&line.action.to_string().as_str())
                    && !offered.as_array().unwrap().contains(&Value::from(line.action.to_string()))
                {
                    return Err(format!("not among {offered}: {told}"));
                }
                self.taken.insert(line.action);
                kept.moves += 1;
                kept.done.clear();
                line.to.to_string()
            }
            None => kept.state.clone(),
        };
        if after != expected {
            return Err(format!("leads to {after}, not {expected}: {told}"));
        }
        kept.state = after;
        if succeeded {
            kept.done.push(act);
            self.money(at, act, tranche).await;
            self.compare(at).await.map_err(|error| format!("{error} after {told}"))?;
        }
        self.books().await.map_err(|error| format!("{error} after {told}"))
    }

    /// What a success moves.
    async fn money(&mut self, at: usize, act: Act, tranche: Option<i64>) {
        let kept = &mut self.projects[at];
        match act {
            Act::Select => kept.committed = BUDGET,
            Act::Cancel => kept.committed = 0,
            Act::Sign => {
                kept.committed = 0;
                let contract = self.world.cast.get("newcomer-1").await;
                let contract = contract.get(&format!("{}/contract", kept.path)).await.expect(200);
                kept.contract = contract["price_fen"].as_i64().unwrap();
                assert!(PRICES.contains(&kept.contract), "one of the prices that were handed in");
            }
            Act::Pay(_) => {
                kept.contract -= tranche.unwrap();
                kept.paid += tranche.unwrap();
            }
            Act::Finish | Act::Terminate => kept.contract = 0,
            _ => (),
        }
    }

    /// A project's steps and accounts.
    async fn compare(&self, at: usize) -> Result<(), String> {
        let kept = &self.projects[at];
        let moves = self.world.cast.get("newcomer-1").await.get(&format!("{}/moves", kept.path)).await.expect(200);
        expect("steps", moves.as_array().unwrap().len(), kept.moves)?;
        let elsewhere = self.projects.iter().map(|kept| kept.committed + kept.contract + kept.paid).sum::<i64>();
        expect("what the programme says", self.world.available().await, self.budget - elsewhere)?;
        expect("the project's account", self.world.money(&kept.path).await, kept.committed)?;
        let contract = match self.world.contract(&kept.path).await {
            Some(contract) => self.world.money(&contract).await,
            None => 0,
        };
        expect("the contract's account", contract, kept.contract)
    }

    /// Whatever is not elsewhere is still the programme's.
    async fn books(&self) -> Result<(), String> {
        let elsewhere = self.projects.iter().map(|kept| kept.committed + kept.contract + kept.paid).sum::<i64>();
        expect("the programme's account", self.world.money(&self.world.programme).await, self.budget - elsewhere)
    }
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, real: T, model: T) -> Result<(), String> {
    if real == model { Ok(()) } else { Err(format!("{what}: {real:?}, and by the model {model:?}")) }
}

// What the walk went through is printed when it fails. It does not get shorter by itself: each takes seconds.
async fn walk(app: &TestApp, runner: &mut TestRunner) -> (BTreeSet<ProjectAction>, i64) {
    let commands = prop::collection::vec(command(), 330..340).new_tree(runner).unwrap().current();
    // For two of four projects, and a half.
    let budget = 2 * BUDGET + BUDGET / 2;
    let world = World::new(app, budget).await;
    let mut walk = Walk { budget, projects: Vec::new(), taken: BTreeSet::new(), world };
    for title in ["扶手", "路灯", "花园", "食堂"] {
        let path = walk.world.project(title).await;
        let state = "proposed".to_owned();
        walk.projects.push(Kept { path, state, moves: 0, done: Vec::new(), committed: 0, contract: 0, paid: 0 });
    }
    for (at, command) in commands.iter().enumerate() {
        if let Err(error) = walk.step(command).await {
            panic!("command {at}, {command:?}: {error}\nof {:#?}", &commands[..=at]);
        }
        // Of what has ended nothing but the accounts is left to look at, which the audit does.
        if walk.projects.iter().all(|kept| on(&kept.state).is_empty()) {
            break;
        }
    }
    (walk.taken, walk.projects.iter().map(|kept| kept.paid).sum())
}

// Four walks: two that are always the same and get far, two that nobody has gone before. The audit at the end of the test goes
// over what all of them left.
#[actix_web::test]
async fn whatever_is_done_to_projects_no_step_is_forbidden_and_no_money_is_lost() {
    TestApp::run(async |app| {
        let mut known = TestRunner::deterministic();
        let (mut taken, mut paid) = (BTreeSet::new(), 0);
        for _ in 0..2 {
            let (steps, money) = walk(app, &mut known).await;
            taken.extend(steps);
            paid += money;
        }
        assert!(taken.contains(&ProjectAction::Complete) && paid > 0, "the walks took {taken:?} only, and paid {paid}");
        let mut unknown = TestRunner::default();
        for _ in 0..2 {
            walk(app, &mut unknown).await;
        }
    })
    .await;
}
