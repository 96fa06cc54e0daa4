//! The register of those whom a project serves: one person is one row, whoever records them and however often.

use std::collections::HashMap;

use entities::delivery::beneficiary;
use entities::identity::{ResidencyState, residency, user};
use entities::ids::{BeneficiaryId, ProjectId, UserId};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, Statement,
};

use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::crypto::{Purpose, hex};
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

const CONTEXT: &str = "project_beneficiaries.name";

/// How somebody is told apart from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// By their number: the same hash as in a residency, so that an account is recognised.
    Phone(String),
    /// By name and door; both as they were written, without spaces.
    Door(String),
    /// By their account.
    Account(UserId),
}

/// Somebody who was served.
#[derive(Clone, Debug)]
pub struct Someone {
    /// Who they are among others.
    pub identity: Identity,
    /// What they are called.
    pub name: String,
    /// The project's groups that they count in.
    pub groups: Vec<String>,
}

/// Without the spaces that one clerk writes and another does not.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).collect()
}

fn phone_hash(state: &AppState, phone: &str) -> String {
    hex(&state.keys.sign(Purpose::PhoneHash, phone.as_bytes()))
}

/// What is known of accounts: the hash of the phone of a verified resident, else nothing.
async fn phones_of(connection: &impl ConnectionTrait, people: &[UserId]) -> Result<HashMap<UserId, String>, Problem> {
    if people.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = residency::Entity::find()
        .filter(residency::Column::UserId.is_in(people.iter().copied()))
        .filter(residency::Column::State.eq(ResidencyState::Approved));
    Ok(rows.all(connection).await?.into_iter().map(|row| (row.user_id, row.phone_hash)).collect())
}

/// Puts people into the register unless they stand in it; gives their rows in the order of `people`.
pub(super) async fn enter(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    project: ProjectId,
    people: &[Someone],
) -> Result<Vec<BeneficiaryId>, Problem> {
    let accounts: Vec<UserId> = people
        .iter()
        .filter_map(|one| match one.identity {
            Identity::Account(person) => Some(person),
            _ => None,
        })
        .collect();
    let phones = phones_of(txn, &accounts).await?;
    let mut keys = Vec::with_capacity(people.len());
    let mut rows: HashMap<String, beneficiary::ActiveModel> = HashMap::with_capacity(people.len());
    for one in people {
        let (who, phone, account) = match &one.identity {
            Identity::Phone(phone) => {
                let hash = phone_hash(state, phone);
                (hash.clone(), Some(hash), None)
            }
            Identity::Door(door) => {
                let message = format!("{project}\n{}\n{}", plain(&one.name), plain(door));
                (format!("door:{}", hex(&state.keys.sign(Purpose::Beneficiary, message.as_bytes()))), None, None)
            }
            Identity::Account(person) => match phones.get(person) {
                Some(hash) => (hash.clone(), Some(hash.clone()), Some(*person)),
                None => (format!("account:{person}"), None, Some(*person)),
            },
        };
        let sealed = state.keys.encrypt(CONTEXT, one.name.trim());
        let row = beneficiary::ActiveModel {
            id: Set(ids::ordered(&state.clock)),
            project_id: Set(project),
            who: Set(who.clone()),
            phone_hash: Set(phone),
            user_id: Set(account),
            name_cipher: Set(sealed.map_err(|error| Problem::from(Code::Internal).caused_by(error))?),
            added_by: Set(actor.user_id),
            added_at: Set(state.clock.now()),
        };
        rows.entry(who.clone()).or_insert(row);
        keys.push(who);
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let once = OnConflict::columns([beneficiary::Column::ProjectId, beneficiary::Column::Who]).do_nothing().to_owned();
    beneficiary::Entity::insert_many(rows.into_values()).on_conflict(once).exec_without_returning(txn).await?;
    let there = beneficiary::Entity::find()
        .filter(beneficiary::Column::ProjectId.eq(project))
        .filter(beneficiary::Column::Who.is_in(keys.iter().cloned()));
    let there: HashMap<String, BeneficiaryId> =
        there.all(txn).await?.into_iter().map(|row| (row.who, row.id)).collect();
    keys.iter().map(|who| there.get(who).copied().ok_or_else(|| Code::Internal.into())).collect()
}

/// What somebody of the register is called.
pub(crate) fn name_of(state: &AppState, row: &beneficiary::Model) -> Result<String, Problem> {
    state.keys.decrypt(CONTEXT, &row.name_cipher).map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

/// Whether somebody with an account was served by a project, in a service that is confirmed: by account or by verified number.
pub async fn was_served(
    connection: &impl ConnectionTrait,
    project: ProjectId,
    person: UserId,
) -> Result<bool, Problem> {
    let phone = phones_of(connection, &[person]).await?.remove(&person).unwrap_or_default();
    let sql = "SELECT 1 AS served FROM project_beneficiaries b \
        JOIN project_service_people p ON p.beneficiary_id = b.id \
        JOIN project_services s ON s.id = p.service_id AND s.state = 'confirmed' \
        WHERE b.project_id = $1 AND (b.user_id = $2 OR b.phone_hash = $3) AND NOT EXISTS \
        (SELECT 1 FROM project_service_corrections c WHERE c.service_id = p.service_id AND c.beneficiary_id = p.beneficiary_id) LIMIT 1";
    let values = [project.into(), person.into(), phone.into()];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    Ok(connection.query_one_raw(statement).await?.is_some())
}

/// The nicknames of accounts, for the register.
pub(super) async fn nicknames(
    connection: &impl ConnectionTrait,
    people: &[UserId],
) -> Result<HashMap<UserId, String>, Problem> {
    if people.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = user::Entity::find().filter(user::Column::Id.is_in(people.iter().copied())).all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.nickname)).collect())
}
