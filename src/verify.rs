//! `linli verify`: every capability audits its own rules in the live database.

use sea_orm::DbErr;

use crate::platform::state::AppState;

/// Each finding as `capability: sentence`; none means that every rule holds.
pub async fn run(state: &AppState) -> Result<Vec<String>, DbErr> {
    let mut findings = Vec::new();
    for capability in &state.capabilities {
        if let Some(verify) = capability.verify {
            findings.extend(verify(state).await?.into_iter().map(|finding| format!("{}: {finding}", capability.name)));
        }
    }
    Ok(findings)
}
