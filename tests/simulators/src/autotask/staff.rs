//! The provider's people and the roles in which they work.

use super::cell::Cell;
use super::entity::Entity;
use super::schema::{Field, Kind, Row};
use super::world::World;
use Kind::{Boolean, Long, String as Text};

/// One of the provider's people.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) id: i64,
    pub(crate) first_name: &'static str,
    pub(crate) last_name: &'static str,
    pub(crate) active: bool,
}

/// What people work as.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) id: i64,
    pub(crate) name: &'static str,
    pub(crate) active: bool,
}

impl World {
    /// Gives the tenant the people and roles that every simulated one has.
    pub(super) fn staff(&mut self) {
        for (id, first_name, last_name, active) in [
            (29_682_885, "Ada", "Lovelace", true),
            (29_682_886, "Grace", "Hopper", true),
            (29_682_887, "Left", "Us", false),
        ] {
            self.resources.insert(id, Resource { id, first_name, last_name, active });
        }
        for (id, name, active) in
            [(29_683_355, "Engineer", true), (29_683_356, "Help Desk", true), (29_683_357, "Old", false)]
        {
            self.roles.insert(id, Role { id, name, active });
        }
    }
}

impl Row for Resource {
    const SINGULAR: &'static str = Entity::Resources.singular();
    const FIELDS: &'static [Field<Self>] = &[
        Field::<Self>::new("id", Long, |r| Cell::Int(r.id)).required(),
        Field::<Self>::new("firstName", Text, |r| Cell::Text(r.first_name)).length(50).required(),
        Field::<Self>::new("isActive", Boolean, |r| Cell::Flag(r.active)),
        Field::<Self>::new("lastName", Text, |r| Cell::Text(r.last_name)).length(50).required(),
    ];

    fn id(&self) -> i64 {
        self.id
    }
}

impl Row for Role {
    const SINGULAR: &'static str = Entity::Roles.singular();
    const FIELDS: &'static [Field<Self>] = &[
        Field::<Self>::new("id", Long, |r| Cell::Int(r.id)).required(),
        Field::<Self>::new("isActive", Boolean, |r| Cell::Flag(r.active)).required(),
        Field::<Self>::new("name", Text, |r| Cell::Text(r.name)).length(200).required(),
    ];

    fn id(&self) -> i64 {
        self.id
    }
}
