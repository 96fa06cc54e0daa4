//! What figures are asked about: a place with all below it, and perhaps a programme; and the SQL for that.

use std::collections::BTreeMap;

use entities::ids::{PlaceId, ProgrammeId};
use entities::places::{PlaceKind, place};
use entities::programmes::{ProgrammeState, programme};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, QuerySelect, Statement, Value,
};

use crate::identity::{Actor, Permission};
use crate::places::{self, Place};
use crate::platform::calendar;
use crate::platform::http::Problem;

/// The largest real place (a community's buildings) has some hundreds of children.
const CHILDREN: u64 = 1000;

/// A place, and perhaps one programme with its parts.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub place: Place,
    pub programme: Option<ProgrammeId>,
}

impl Scope {
    /// What a query string names; a wrong one is named by its parameter.
    pub(super) async fn named(
        connection: &impl ConnectionTrait,
        actor: &Actor,
        place: PlaceId,
        programme: Option<ProgrammeId>,
    ) -> Result<Self, Problem> {
        let place = places::named(connection, place, "?place_id").await?;
        if let Some(id) = programme {
            let row = programme::Entity::find_by_id(id).one(connection).await?;
            // A draft is nobody's business but its staff's.
            row.filter(|row| {
                row.state != ProgrammeState::Draft || actor.may(Permission::ManageProjects, &row.place_path)
            })
            .ok_or_else(|| Problem::field("?programme_id", "没有这个资助计划 / no such programme"))?;
        }
        Ok(Self { place, programme })
    }

    /// The place's children by the codes that their paths go on with, in this order.
    pub(super) async fn children(&self, connection: &impl ConnectionTrait) -> Result<BTreeMap<String, Child>, DbErr> {
        let below = place::Entity::find().filter(place::Column::ParentId.eq(self.place.id));
        let rows = below.order_by_asc(place::Column::Code).limit(CHILDREN).all(connection).await?;
        let child = |row: place::Model| (row.code, Child { place_id: row.id, name: row.name, kind: row.kind });
        Ok(rows.into_iter().map(child).collect())
    }

    /// A path's step below the place; nothing for what lies directly at it.
    pub(super) fn child_of<'a>(&self, path: &'a str) -> &'a str {
        let rest = path.strip_prefix(self.place.path.as_str()).unwrap_or_default();
        rest.split_once('/').map_or("", |(code, _)| code)
    }
}

/// A place below the one that was asked about.
#[derive(Clone, Debug)]
pub(super) struct Child {
    pub place_id: PlaceId,
    pub name: String,
    pub kind: PlaceKind,
}

/// A statement while it is written: its values are bound, in their order, wherever they are named.
pub(super) struct Sql {
    postgres: bool,
    values: Vec<Value>,
}

impl Sql {
    pub(super) fn new(connection: &DatabaseConnection) -> Self {
        Self { postgres: connection.get_database_backend() == DbBackend::Postgres, values: Vec::new() }
    }

    /// The name of a value.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// The names of several, with commas between.
    pub(super) fn bind_all(&mut self, values: impl IntoIterator<Item = impl Into<Value>>) -> String {
        values.into_iter().map(|value| self.bind(value)).collect::<Vec<_>>().join(", ")
    }

    /// A condition: the path lies at or below a place.
    pub(super) fn within(&mut self, column: &str, path: &str) -> String {
        let [from, above] = places::range(path).map(|bound| self.bind(bound));
        format!("{column} >= {from} AND {column} < {above}")
    }

    /// A condition on `projects p`: they lie in the scope, and the programme or its part pays for them.
    pub(super) fn projects(&mut self, scope: &Scope) -> String {
        let mut condition = self.within("p.place_path", &scope.place.path);
        if let Some(programme) = scope.programme {
            let one = self.bind(programme);
            condition = format!(
                "{condition} AND p.programme_id IN (SELECT id FROM programmes WHERE id = {one} OR parent_id = {one})"
            );
        }
        condition
    }

    /// A condition on `needs n`: they lie in the scope, nobody has hidden them, and a project of the programme has taken them up.
    pub(super) fn needs(&mut self, scope: &Scope) -> String {
        let mut condition = format!("{} AND NOT n.hidden", self.within("n.place_path", &scope.place.path));
        if let Some(programme) = scope.programme {
            let one = self.bind(programme);
            condition = format!(
                "{condition} AND n.project_id IN (SELECT j.id FROM projects j JOIN programmes g ON g.id = j.programme_id \
                 WHERE g.id = {one} OR g.parent_id = {one})"
            );
        }
        condition
    }

    /// The step of a path below a place, as [`Scope::child_of`] says.
    pub(super) fn child(&self, column: &str, scope: &Scope) -> String {
        let rest = format!("substr({column}, {})", scope.place.path.chars().count() + 1);
        if self.postgres {
            format!("split_part({rest}, '/', 1)")
        } else {
            // What ends at the place itself has no further slash but the one that is added here: its step is empty.
            format!("substr({rest}, 1, instr({rest} || '/', '/') - 1)")
        }
    }

    /// China's day of a time, as text.
    pub(super) fn day(&self, column: &str) -> String {
        calendar::day_sql(self.postgres, column)
    }

    /// How many days of the calendar lie between two days that are texts.
    pub(super) fn days_between(&self, from: &str, until: &str) -> String {
        if self.postgres {
            format!("CAST(CAST({until} AS date) - CAST({from} AS date) AS bigint)")
        } else {
            format!("CAST(julianday({until}) - julianday({from}) AS bigint)")
        }
    }

    /// The last moment of a day that is a text, in China.
    pub(super) fn day_end(&self, day: &str) -> String {
        // Midnight in China is 16:00 in Greenwich, every day of the year.
        if self.postgres {
            format!("CAST({day} || 'T15:59:59.999999Z' AS timestamptz)")
        } else {
            format!("({day} || 'T15:59:59.999999+00:00')")
        }
    }

    /// The statement.
    pub(super) fn read<T: FromQueryResult>(self, text: String) -> sea_orm::SelectorRaw<sea_orm::SelectModel<T>> {
        let backend = if self.postgres { DbBackend::Postgres } else { DbBackend::Sqlite };
        T::find_by_statement(Statement::from_sql_and_values(backend, text, self.values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_goes_on_with_one_step() {
        let place = place::Model {
            id: PlaceId(uuid::Uuid::nil()),
            parent_id: None,
            kind: PlaceKind::Street,
            code: "chezhan".to_owned(),
            name: "车站街道".to_owned(),
            path: "/jiangan/chezhan/".to_owned(),
            community_id: None,
            settings: serde_json::json!({}),
            created_at: chrono::DateTime::UNIX_EPOCH,
        };
        let scope = Scope { place, programme: None };
        assert_eq!(scope.child_of("/jiangan/chezhan/guanghua/wg1/"), "guanghua");
        assert_eq!(scope.child_of("/jiangan/chezhan/guanghua/"), "guanghua");
        assert_eq!(scope.child_of("/jiangan/chezhan/"), "");
    }
}
