//! `project_beneficiaries`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::BeneficiaryId;
use crate::ids::ProjectId;
use crate::ids::UserId;

/// Somebody whom a project served.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project_beneficiaries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BeneficiaryId,
    pub project_id: ProjectId,
    pub who: String,
    pub phone_hash: Option<String>,
    pub user_id: Option<UserId>,
    pub name_cipher: String,
    pub added_by: UserId,
    pub added_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
