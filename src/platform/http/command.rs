//! One command is one transaction, and with an `Idempotency-Key` one effect however often it is sent.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, Responder};
use entities::identity::user;
use entities::ids::UserId;
use entities::jobs::idempotency_key as stored;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait, TransactionTrait};
use serde::Serialize;
use serde_json::Value;

use super::input::Key;
use super::problem::Problem;
use crate::platform::code::Code;
use crate::platform::state::AppState;

/// The answer to a command, fresh or as it was given the first time.
#[derive(Debug)]
pub struct Outcome {
    status: u16,
    /// What the client reads. A handler may add what must not be stored, such as a pickup code.
    pub body: Value,
    /// Whether this is an earlier answer.
    pub replayed: bool,
}

impl Outcome {
    fn fresh(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_value(body).map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
        Ok(Self { status: status.as_u16(), body, replayed: false })
    }

    /// Whether the command was carried out.
    pub fn is_success(&self) -> bool {
        self.status < 400
    }

    /// Whether it was refused for this reason.
    pub fn is_refusal(&self, code: Code) -> bool {
        !self.is_success() && self.body.get("code").is_some_and(|word| *word == code.word())
    }
}

impl Responder for Outcome {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        if !self.is_success() {
            response.insert_header(("content-type", "application/problem+json; charset=utf-8"));
        }
        if self.replayed {
            response.insert_header(("idempotency-replayed", "true"));
        }
        response.json(self.body)
    }
}

/// Runs `act` in one transaction and commits it if it succeeds. Jobs that it promised start at once.
pub async fn transact<T>(
    state: &AppState,
    act: impl AsyncFnOnce(&DatabaseTransaction) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let txn = state.db.begin().await?;
    let value = act(&txn).await?;
    txn.commit().await?;
    state.work.notify_one();
    Ok(value)
}

/// [`transact`] for a POST: the key, the effect and the answer are stored together. The same key with the same request gets
/// the same answer, refusals too; with another request it gets 409 `idempotency_key_reused`.
pub async fn command<T: Serialize>(
    state: &AppState,
    actor: UserId,
    key: &Key,
    status: StatusCode,
    act: impl AsyncFnOnce(&DatabaseTransaction) -> Result<T, Problem>,
) -> Result<Outcome, Problem> {
    let Some(word) = &key.key else {
        return Outcome::fresh(status, &transact(state, act).await?);
    };
    let txn = state.db.begin().await?;
    // Whoever inserts first goes on; others wait here for that transaction to end.
    let row = stored::ActiveModel {
        actor_id: Set(actor),
        key: Set(word.clone()),
        fingerprint: Set(key.fingerprint.clone()),
        status: Set(0),
        body: Set(Value::Null),
        created_at: Set(state.clock.now()),
    };
    let nothing = OnConflict::columns([stored::Column::ActorId, stored::Column::Key]).do_nothing().to_owned();
    if stored::Entity::insert(row.clone()).on_conflict(nothing).exec_without_returning(&txn).await? == 0 {
        let earlier = stored::Entity::find_by_id((actor, word.clone())).one(&txn).await?.ok_or(Code::Unavailable)?;
        return of_earlier(earlier, key);
    }
    // A savepoint: a refusal undoes what was done and still leaves its answer behind.
    let effect = txn.begin().await?;
    let outcome = match act(&effect).await {
        Ok(value) => {
            effect.commit().await?;
            Outcome::fresh(status, &value)?
        }
        Err(problem) if problem.is_refusal() => {
            effect.rollback().await?;
            Outcome::fresh(problem.status(), &problem.document())?
        }
        Err(problem) => return Err(problem),
    };
    let answer = stored::ActiveModel { status: Set(outcome.status.into()), body: Set(outcome.body.clone()), ..row };
    stored::Entity::update(answer).exec(&txn).await?;
    txn.commit().await?;
    state.work.notify_one();
    Ok(outcome)
}

/// The answer that a key got earlier, if any: for commands that must ask somebody else before their transaction.
pub async fn replay(state: &AppState, actor: UserId, key: &Key) -> Result<Option<Outcome>, Problem> {
    let Some(word) = &key.key else { return Ok(None) };
    let Some(earlier) = stored::Entity::find_by_id((actor, word.clone())).one(state.db.read()).await? else {
        return Ok(None);
    };
    of_earlier(earlier, key).map(Some)
}

fn of_earlier(earlier: stored::Model, key: &Key) -> Result<Outcome, Problem> {
    if earlier.fingerprint != key.fingerprint {
        return Err(Code::IdempotencyKeyReused.into());
    }
    Ok(Outcome { status: u16::try_from(earlier.status).unwrap_or(500), body: earlier.body, replayed: true })
}

/// Locks a person's row: what one person does at once is done one after the other. Others may still refer to the person (tell
/// them something, credit them) meanwhile: the lock leaves foreign keys alone.
pub async fn lock_person(txn: &DatabaseTransaction, person: UserId) -> Result<user::Model, Problem> {
    use sea_orm::QuerySelect;
    use sea_orm::sea_query::LockType;
    user::Entity::find_by_id(person)
        .lock(LockType::NoKeyUpdate)
        .one(txn)
        .await?
        .ok_or_else(|| Code::Unauthenticated.into())
}
