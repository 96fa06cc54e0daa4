//! Linli's tables as SeaORM models, a module a capability; no logic.

pub mod audit;
pub mod cases;
pub mod certificates;
pub mod figures;
pub mod files;
pub mod funds;
pub mod identity;
pub mod ids;
pub mod jobs;
pub mod ledger;
pub mod moderation;
pub mod needs;
pub mod notices;
pub mod notifications;
pub mod organisations;
pub mod places;
pub mod points;
pub mod polls;
pub mod programmes;
pub mod projects;
pub mod rewards;
pub mod surveys;
pub mod teams;
pub mod volunteering;

/// An enum that is one `snake_case` word in the database, in JSON and in the OpenAPI document.
#[macro_export]
macro_rules! text_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord,
            ::sea_orm::EnumIter, ::sea_orm::DeriveActiveEnum, ::serde::Serialize, ::serde::Deserialize, ::utoipa::ToSchema,
        )]
        #[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "the words are the vocabulary of the product")]
        pub enum $name { $($variant),+ }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&::sea_orm::ActiveEnum::to_value(self))
            }
        }
    };
}
