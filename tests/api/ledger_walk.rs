//! Random commands against a reference model of the ledger: what every account holds, every lot and every debt are compared
//! after each step.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use entities::ids::{TransactionId, TransferId, UserId};
use entities::ledger::{account, lot, transfer};
use linli::ledger::{self, Party, Reversal, TakenBack, Transaction, TransactionKind, Transfer};
use linli::platform::code::Code;
use linli::platform::http::{Paging, Problem};
use linli::platform::ids;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, TransactionTrait};
use uuid::Uuid;

use crate::support::{GUANGHUA, TestApp, place_id};

const PEOPLE: usize = 3;
const FUNDS: usize = 2;
/// What is given back is good for so many days more.
const GRACE: i64 = 30;

/// Numbers name what there is by then, counted round.
#[derive(Clone, Debug)]
enum Command {
    Award { person: usize, amount: i64, days: Option<i64> },
    Gift { amount: i64, days: Option<i64> },
    RepeatAward { award: usize },
    Spend { person: usize, amount: i64 },
    Hold { person: usize, amount: i64 },
    Post { hold: usize },
    Void { hold: usize },
    ExpireHold { hold: usize },
    Reverse { award: usize },
    ExpireLots { person: usize },
    Receive { fund: usize, amount: i64 },
    Pay { fund: usize, outside: i64, other: i64 },
    ReverseMoney { transaction: usize },
    Pass { hours: i64 },
}

fn command() -> impl Strategy<Value = Command> {
    let person = 0..PEOPLE;
    let days = || prop_oneof![Just(None), (0_i64..70).prop_map(Some)];
    let some = any::<prop::sample::Index>().prop_map(|index| index.index(1000));
    prop_oneof![
        6 => (person.clone(), 1_i64..100, days()).prop_map(|(person, amount, days)| Command::Award { person, amount, days }),
        1 => (1_i64..50, days()).prop_map(|(amount, days)| Command::Gift { amount, days }),
        1 => some.clone().prop_map(|award| Command::RepeatAward { award }),
        2 => (person.clone(), 1_i64..120).prop_map(|(person, amount)| Command::Spend { person, amount }),
        5 => (person.clone(), 1_i64..120).prop_map(|(person, amount)| Command::Hold { person, amount }),
        2 => some.clone().prop_map(|hold| Command::Post { hold }),
        3 => some.clone().prop_map(|hold| Command::Void { hold }),
        2 => some.clone().prop_map(|hold| Command::ExpireHold { hold }),
        3 => some.clone().prop_map(|award| Command::Reverse { award }),
        2 => person.prop_map(|person| Command::ExpireLots { person }),
        1 => (0..FUNDS, 1_i64..1000).prop_map(|(fund, amount)| Command::Receive { fund, amount }),
        1 => (0..FUNDS, 1_i64..500, 1_i64..500).prop_map(|(fund, outside, other)| Command::Pay { fund, outside, other }),
        1 => some.prop_map(|transaction| Command::ReverseMoney { transaction }),
        3 => (1_i64..24 * 20).prop_map(|hours| Command::Pass { hours }),
    ]
}

#[derive(Clone, Debug)]
struct Lot {
    id: TransferId,
    made_by: TransactionId,
    person: usize,
    remaining: i64,
    expired: i64,
    expires_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug)]
struct Hold {
    id: TransactionId,
    person: usize,
    amount: i64,
    /// What it took from which lot.
    took: Vec<(TransferId, i64)>,
    open: bool,
}

#[derive(Clone, Debug)]
struct Award {
    id: TransactionId,
    credits: Vec<(usize, i64)>,
    expires_at: Option<DateTime<Utc>>,
    reversed: bool,
}

#[derive(Clone, Debug)]
struct Money {
    id: TransactionId,
    /// Fund, and what came into it.
    moved: Vec<(usize, i64)>,
    reversed: bool,
}

/// The ledger as one would keep it by hand.
#[derive(Clone, Debug, Default)]
struct Model {
    lots: Vec<Lot>,
    holds: Vec<Hold>,
    awards: Vec<Award>,
    money: Vec<Money>,
    debt: [i64; PEOPLE],
    funds: [i64; FUNDS],
}

impl Model {
    fn available(&self, person: usize) -> i64 {
        self.lots.iter().filter(|lot| lot.person == person).map(|lot| lot.remaining).sum()
    }

    fn reserved(&self, person: usize) -> i64 {
        self.holds.iter().filter(|hold| hold.open && hold.person == person).map(|hold| hold.amount).sum()
    }

    fn due(&self, person: usize, now: DateTime<Utc>) -> i64 {
        let due = |lot: &&Lot| lot.person == person && lot.expires_at.is_some_and(|at| at <= now);
        self.lots.iter().filter(due).map(|lot| lot.remaining).sum()
    }

    fn expire(&mut self, person: usize, now: DateTime<Utc>) {
        for lot in &mut self.lots {
            if lot.person == person && lot.expires_at.is_some_and(|at| at <= now) {
                lot.expired += lot.remaining;
                lot.remaining = 0;
            }
        }
    }

    fn take(&mut self, person: usize, mut amount: i64, first: Option<TransactionId>) -> Vec<(TransferId, i64)> {
        let mut lots: Vec<&mut Lot> = self.lots.iter_mut().filter(|lot| lot.person == person).collect();
        lots.sort_by_key(|lot| (Some(lot.made_by) != first, lot.expires_at.is_none(), lot.expires_at, lot.id));
        let mut took = Vec::new();
        for lot in lots {
            let part = amount.min(lot.remaining);
            if part > 0 {
                lot.remaining -= part;
                amount -= part;
                took.push((lot.id, part));
            }
        }
        assert_eq!(amount, 0, "the model checks before it takes");
        took
    }

    fn recover(&mut self, person: usize, now: DateTime<Utc>) {
        if self.debt[person] > 0 {
            self.expire(person, now);
            let paid = self.debt[person].min(self.available(person));
            self.take(person, paid, None);
            self.debt[person] -= paid;
        }
    }

    fn give_back(&mut self, at: usize, now: DateTime<Utc>) {
        let Hold { person, took, .. } = self.holds[at].clone();
        self.holds[at].open = false;
        self.expire(person, now);
        let until = now + Duration::days(GRACE);
        for (id, amount) in took {
            let lot = self.lots.iter_mut().find(|lot| lot.id == id).unwrap();
            lot.remaining += amount;
            lot.expires_at = lot.expires_at.map(|at| at.max(until));
        }
        self.recover(person, now);
    }

    fn reverse(&mut self, at: usize, now: DateTime<Utc>) -> TakenBack {
        let Award { id, credits, .. } = self.awards[at].clone();
        self.awards[at].reversed = true;
        let mut back = TakenBack::default();
        for (person, amount) in credits {
            self.expire(person, now);
            let own = self.lots.iter().filter(|lot| lot.made_by == id && lot.person == person);
            let expired = own.map(|lot| lot.expired).sum::<i64>();
            let taken = (amount - expired).min(self.available(person));
            self.take(person, taken, Some(id));
            let owed = amount - expired - taken;
            self.debt[person] += owed;
            back = TakenBack { taken: back.taken + taken, expired: back.expired + expired, owed: back.owed + owed };
        }
        back
    }
}

/// One sequence of commands with people and funds of its own.
struct Walk<'a> {
    app: &'a TestApp,
    txn: &'a DatabaseTransaction,
    people: [UserId; PEOPLE],
    funds: [Uuid; FUNDS],
    model: Model,
}

/// What a command did to the real ledger.
type Done<T> = Result<Result<T, Code>, String>;

impl Walk<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.app.state.clock.now()
    }

    /// A command as its own transaction would be: what was refused leaves nothing.
    async fn attempt<T>(&self, act: impl AsyncFnOnce(&DatabaseTransaction) -> Result<T, Problem>) -> Done<T> {
        let inner = self.txn.begin().await.map_err(|error| error.to_string())?;
        match act(&inner).await {
            Ok(value) => inner.commit().await.map(|()| Ok(value)).map_err(|error| error.to_string()),
            Err(problem) => {
                inner.rollback().await.map_err(|error| error.to_string())?;
                if problem.is_refusal() { Ok(Err(problem.code())) } else { Err(format!("{problem:?}")) }
            }
        }
    }

    fn transaction(&self, kind: TransactionKind, transfers: Vec<Transfer>) -> Transaction<'static> {
        Transaction {
            id: ids::ordered(&self.app.state.clock),
            community_id: place_id(GUANGHUA),
            kind,
            transfers,
            dedupe_key: None,
            reason: "随机",
            actor: None,
            source: ("walk", Uuid::nil()),
            at: self.now(),
        }
    }

    /// By kinds that no other capability audits.
    fn award(&self, credits: &[(usize, i64)], expires_at: Option<DateTime<Utc>>) -> Transaction<'static> {
        let transfer = |&(person, amount): &(usize, i64)| Transfer {
            from: Party::Issuance,
            to: Party::Person(self.people[person]),
            amount,
            expires_at,
        };
        self.transaction(TransactionKind::Budget, credits.iter().map(transfer).collect())
    }

    async fn credit(&mut self, credits: Vec<(usize, i64)>, days: Option<i64>) -> Result<(), String> {
        let now = self.now();
        let expires_at = days.map(|days| now + Duration::days(days));
        let what = self.award(&credits, expires_at);
        let done = self.attempt(async |txn| ledger::record(&self.app.state, txn, &what).await).await?;
        expect(&done, &Ok(true))?;
        let transfers = transfer::Entity::find()
            .filter(transfer::Column::TransactionId.eq(what.id))
            .order_by_asc(transfer::Column::Id)
            .all(self.txn)
            .await
            .map_err(|error| error.to_string())?;
        for (&(person, amount), row) in credits.iter().zip(&transfers) {
            expect(&row.amount, &amount)?;
            let lot = Lot { id: row.id, made_by: what.id, person, remaining: amount, expired: 0, expires_at };
            self.model.lots.push(lot);
        }
        for person in credits.iter().map(|(person, _)| *person) {
            self.model.recover(person, now);
        }
        self.model.awards.push(Award { id: what.id, credits, expires_at, reversed: false });
        Ok(())
    }

    async fn take(&mut self, person: usize, amount: i64, hold: bool) -> Result<(), String> {
        let now = self.now();
        let to_spent =
            Transfer { from: Party::Person(self.people[person]), to: Party::Spent, amount, expires_at: None };
        let what = self.transaction(TransactionKind::Payment, vec![to_spent]);
        let done = self
            .attempt(async |txn| {
                if hold {
                    ledger::hold(&self.app.state, txn, &what).await
                } else {
                    ledger::record(&self.app.state, txn, &what).await
                }
            })
            .await?;
        if self.model.available(person) - self.model.due(person, now) < amount {
            return expect(&done, &Err(Code::InsufficientPoints));
        }
        expect(&done, &Ok(true))?;
        self.model.expire(person, now);
        let took = self.model.take(person, amount, None);
        if hold {
            self.model.holds.push(Hold { id: what.id, person, amount, took, open: true });
        }
        Ok(())
    }

    #[allow(clippy::too_many_lines, reason = "one arm a command")]
    async fn step(&mut self, command: &Command) -> Result<(), String> {
        let (state, now) = (&self.app.state, self.now());
        match *command {
            Command::Award { person, amount, days } => self.credit(vec![(person, amount)], days).await?,
            Command::Gift { amount, days } => self.credit(vec![(0, amount), (1, amount + 1)], days).await?,
            Command::RepeatAward { award } => {
                let Some(at) = within(award, self.model.awards.len()) else { return Ok(()) };
                let first = self.model.awards[at].clone();
                let again = Transaction { id: first.id, ..self.award(&first.credits, first.expires_at) };
                let done = self.attempt(async |txn| ledger::record(state, txn, &again).await).await?;
                expect(&done, &Ok(false))?;
                let mut other = again;
                other.transfers[0].amount += 1;
                let refused = self.attempt(async |txn| ledger::record(state, txn, &other).await).await;
                if refused.is_ok() {
                    return Err("an id that stood for something else was accepted".to_owned());
                }
            }
            Command::Spend { person, amount } => self.take(person, amount, false).await?,
            Command::Hold { person, amount } => self.take(person, amount, true).await?,
            Command::Post { hold } => {
                let Some(at) = within(hold, self.model.holds.len()) else { return Ok(()) };
                let Hold { id, open, .. } = self.model.holds[at];
                let done = self.attempt(async |txn| ledger::post(state, txn, id, None).await).await?;
                expect(&done, &Ok(open))?;
                self.model.holds[at].open = false;
            }
            Command::Void { hold } | Command::ExpireHold { hold } => {
                let Some(at) = within(hold, self.model.holds.len()) else { return Ok(()) };
                let (Hold { id, open, .. }, grace) = (self.model.holds[at].clone(), Duration::days(GRACE));
                let voids = matches!(command, Command::Void { .. });
                let done = self
                    .attempt(async |txn| {
                        if voids {
                            ledger::void(state, txn, id, None, grace).await
                        } else {
                            ledger::expire_hold(state, txn, id, grace).await
                        }
                    })
                    .await?;
                expect(&done, &Ok(open))?;
                if open {
                    self.model.give_back(at, now);
                }
            }
            Command::Reverse { award } => {
                let Some(at) = within(award, self.model.awards.len()) else { return Ok(()) };
                let Award { id: of, reversed, credits, .. } = self.model.awards[at].clone();
                let reversal = Reversal { id: ids::ordered(&state.clock), of, reason: "撤销", actor: None };
                let done = self.attempt(async |txn| ledger::reverse(state, txn, &reversal).await).await?;
                if reversed {
                    expect(&done, &Ok(None))?;
                    for (person, _) in &credits {
                        self.model.expire(*person, now);
                    }
                } else {
                    expect(&done, &Ok(Some(self.model.reverse(at, now))))?;
                }
            }
            Command::ExpireLots { person } => {
                let wallet = ledger::account_id(place_id(GUANGHUA), Party::Person(self.people[person]));
                let done = self.attempt(async |txn| ledger::expire_due(state, txn, wallet).await).await?;
                expect(&done, &Ok(self.model.due(person, now)))?;
                self.model.expire(person, now);
            }
            Command::Receive { fund, amount } => {
                let receipt =
                    Transfer { from: Party::Outside, to: Party::Fund(self.funds[fund]), amount, expires_at: None };
                self.money(TransactionKind::Receipt, vec![receipt], vec![(fund, amount)]).await?;
            }
            Command::Pay { fund, outside, other } => {
                let (from, next) = (Party::Fund(self.funds[fund]), (fund + 1) % FUNDS);
                let transfers = vec![
                    Transfer { from, to: Party::Outside, amount: outside, expires_at: None },
                    Transfer { from, to: Party::Fund(self.funds[next]), amount: other, expires_at: None },
                ];
                self.money(TransactionKind::Payment, transfers, vec![(fund, -outside - other), (next, other)]).await?;
            }
            Command::ReverseMoney { transaction } => {
                let Some(at) = within(transaction, self.model.money.len()) else { return Ok(()) };
                let Money { id: of, moved, reversed } = self.model.money[at].clone();
                let reversal = Reversal { id: ids::ordered(&state.clock), of, reason: "冲正", actor: None };
                let done = self.attempt(async |txn| ledger::reverse(state, txn, &reversal).await).await?;
                if reversed {
                    return expect(&done, &Ok(None));
                }
                if moved.iter().any(|(fund, amount)| self.model.funds[*fund] < *amount) {
                    return expect(&done, &Err(Code::InsufficientFunds));
                }
                expect(&done, &Ok(Some(TakenBack::default())))?;
                for (fund, amount) in &moved {
                    self.model.funds[*fund] -= amount;
                }
                self.model.money[at].reversed = true;
            }
            Command::Pass { hours } => {
                self.app.simulator.control().advance(Duration::hours(hours).to_std().unwrap());
            }
        }
        Ok(())
    }

    async fn money(
        &mut self,
        kind: TransactionKind,
        transfers: Vec<Transfer>,
        moved: Vec<(usize, i64)>,
    ) -> Result<(), String> {
        let what = self.transaction(kind, transfers);
        let done = self.attempt(async |txn| ledger::record(&self.app.state, txn, &what).await).await?;
        if moved.iter().any(|(fund, amount)| self.model.funds[*fund] + amount < 0) {
            return expect(&done, &Err(Code::InsufficientFunds));
        }
        expect(&done, &Ok(true))?;
        for (fund, amount) in &moved {
            self.model.funds[*fund] += amount;
        }
        self.model.money.push(Money { id: what.id, moved, reversed: false });
        Ok(())
    }

    /// Everything that the ledger says against everything that the model says.
    async fn compare(&mut self) -> Result<(), String> {
        let (community, now, failed) = (place_id(GUANGHUA), self.now(), |error: sea_orm::DbErr| error.to_string());
        let parties: Vec<Party> = (self.people.iter().map(|person| Party::Person(*person)))
            .chain(self.people.iter().map(|person| Party::Debt(*person)))
            .chain(self.funds.iter().map(|fund| Party::Fund(*fund)))
            .collect();
        let ids: Vec<_> = parties.into_iter().map(|party| ledger::account_id(community, party)).collect();
        let query = account::Entity::find().filter(account::Column::Id.is_in(ids.clone()));
        let rows = query.all(self.txn).await.map_err(failed)?;
        let says =
            |at: usize| rows.iter().find(|row| row.id == ids[at]).map_or((0, 0), |row| (row.posted, row.reserved));
        let lots = lot::Entity::find().filter(lot::Column::WalletId.is_in(ids.clone())).all(self.txn).await;
        let lots: BTreeMap<TransferId, lot::Model> =
            lots.map_err(failed)?.into_iter().map(|row| (row.id, row)).collect();
        expect(&lots.len(), &self.model.lots.len())?;
        for lot in &mut self.model.lots {
            let row = lots.get(&lot.id).ok_or("a lot is missing")?;
            expect(&row.remaining, &lot.remaining)?;
            let apart = row.expires_at.zip(lot.expires_at).map_or(0, |(real, own)| (real - own).num_seconds().abs());
            if apart > 60 || row.expires_at.is_some() != lot.expires_at.is_some() {
                return Err(format!("lot {} expires at {:?}, not {:?}", lot.id, row.expires_at, lot.expires_at));
            }
            // When exactly a command took place only the ledger knows.
            lot.expires_at = row.expires_at;
        }
        for person in 0..PEOPLE {
            let (available, reserved) = (self.model.available(person), self.model.reserved(person));
            expect(&says(person), &(available + reserved, reserved))?;
            expect(&says(PEOPLE + person), &(-self.model.debt[person], 0))?;
            let balance = ledger::balance(self.txn, community, self.people[person], now).await;
            let due = ledger::Balance {
                available: available - self.model.due(person, now),
                reserved,
                debt: self.model.debt[person],
            };
            expect(&balance.map_err(|problem| format!("{problem:?}"))?, &due)?;
        }
        for fund in 0..FUNDS {
            expect(&says(2 * PEOPLE + fund), &(self.model.funds[fund], 0))?;
        }
        Ok(())
    }

    /// What a person is shown adds up to what the person has.
    async fn entries(&self) -> Result<(), String> {
        let community = place_id(GUANGHUA);
        for (at, person) in self.people.into_iter().enumerate() {
            let (mut sum, mut cursor) = ((0, 0), None);
            loop {
                let paging = Paging::new(&self.app.state.keys, cursor.as_deref(), Some(7)).unwrap();
                let rows = ledger::entries(self.txn, community, person, &paging).await;
                let rows = rows.map_err(|problem| format!("{problem:?}"))?;
                let page = paging.page(&self.app.state.keys, rows, |row| row.transaction.id.0, |row| row);
                let effects = page.items.iter().map(|entry| entry.effect);
                sum = effects.fold(sum, |sum, effect| (sum.0 + effect.amount, sum.1 + effect.owed));
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            expect(&sum, &(self.model.available(at), self.model.debt[at]))?;
        }
        Ok(())
    }
}

fn within(number: usize, length: usize) -> Option<usize> {
    number.checked_rem(length)
}

fn expect<T: PartialEq + std::fmt::Debug>(real: &T, model: &T) -> Result<(), String> {
    if real == model { Ok(()) } else { Err(format!("the ledger says {real:?}, the model {model:?}")) }
}

/// Runs a sequence; says after which command the ledger and the model differ.
async fn walk(app: &TestApp, commands: &[Command]) -> Result<(), String> {
    let txn = app.state.db.begin().await.unwrap();
    let mut walk = Walk {
        app,
        txn: &txn,
        people: std::array::from_fn(|_| ids::unordered()),
        funds: std::array::from_fn(|_| ids::unordered()),
        model: Model::default(),
    };
    for (at, command) in commands.iter().enumerate() {
        let told = |error| format!("step {at}, {command:?}: {error}");
        walk.step(command).await.map_err(told)?;
        walk.compare().await.map_err(told)?;
    }
    walk.entries().await?;
    txn.commit().await.map_err(|error| error.to_string())
}

// 30 sequences of up to 120 commands; what fails is made as short as it gets before it is shown. The audit at the end of the
// test goes over what all of them left.
#[actix_web::test]
async fn whatever_is_done_the_ledger_agrees_with_a_model_of_it() {
    TestApp::run(async |app| {
        let mut runner = TestRunner::default();
        let mut steps = 0;
        for _ in 0..30 {
            let mut tree = prop::collection::vec(command(), 60..120).new_tree(&mut runner).unwrap();
            let commands = tree.current();
            steps += commands.len();
            let Err(error) = walk(app, &commands).await else { continue };
            let mut shortest = (commands, error);
            for _ in 0..300 {
                if !tree.simplify() {
                    break;
                }
                while let Ok(()) = walk(app, &tree.current()).await
                    && tree.complicate()
                {}
                if let Err(error) = walk(app, &tree.current()).await {
                    shortest = (tree.current(), error);
                }
            }
            panic!("{}\nof {:#?}", shortest.1, shortest.0);
        }
        assert!(steps > 2000);
    })
    .await;
}
