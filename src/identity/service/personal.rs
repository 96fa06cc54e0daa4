//! Names and phone numbers: decrypted for whoever may have them, masked for everybody else.

use std::collections::HashMap;

use entities::identity::residency;
use entities::ids::UserId;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::identity::{Residence, ResidencyState};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// Real name and phone number of a residency, decrypted.
pub(in crate::identity) fn personal(state: &AppState, row: &residency::Model) -> Result<(String, String), Problem> {
    let opened = |context, sealed: &str| {
        state.keys.decrypt(context, sealed).map_err(|error| Problem::from(Code::Internal).caused_by(error))
    };
    Ok((opened("residencies.real_name", &row.real_name_cipher)?, opened("residencies.phone", &row.phone_cipher)?))
}

/// A verified resident's own data, decrypted. Whoever shows it in full to somebody else writes that into the audit log.
pub struct Personal {
    /// 姓名
    pub real_name: String,
    /// In full.
    pub phone: String,
    /// Where they live.
    pub residence: Residence,
}

/// Name and number of a verified resident; nothing of anybody else.
pub async fn personal_of(
    state: &AppState,
    connection: &impl ConnectionTrait,
    person: UserId,
) -> Result<Option<Personal>, Problem> {
    let row = residency::Entity::find()
        .filter(residency::Column::UserId.eq(person))
        .filter(residency::Column::State.eq(ResidencyState::Approved));
    let Some(row) = row.one(connection).await? else { return Ok(None) };
    let (real_name, phone) = personal(state, &row)?;
    Ok(Some(Personal { real_name, phone, residence: row.into() }))
}

/// The phone numbers of verified people; who is not verified is not in it. Whoever shows one unmasked writes that into the
/// audit log.
pub async fn phones(
    state: &AppState,
    connection: &impl ConnectionTrait,
    people: impl IntoIterator<Item = UserId>,
) -> Result<HashMap<UserId, String>, Problem> {
    let rows = residency::Entity::find()
        .filter(residency::Column::UserId.is_in(people))
        .filter(residency::Column::State.eq(ResidencyState::Approved))
        .all(connection)
        .await?;
    rows.iter().map(|row| personal(state, row).map(|(_, phone)| (row.user_id, phone))).collect()
}

/// `王小明` as `王**`: enough to recognise, not enough to look up.
pub fn masked_name(name: &str) -> String {
    let mut letters = name.chars();
    let first: String = letters.by_ref().take(1).collect();
    first + &"*".repeat(letters.count().clamp(1, 2))
}

/// `13800000001` as `138****0001`.
pub fn masked_phone(phone: &str) -> String {
    let letters: Vec<char> = phone.chars().collect();
    let keep = |at: usize| at < 3 || at + 4 >= letters.len();
    letters.iter().enumerate().map(|(at, letter)| if keep(at) { *letter } else { '*' }).collect()
}
