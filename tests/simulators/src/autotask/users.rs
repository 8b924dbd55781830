//! The API users of the simulated tenant, and what each may see and do.
//!
//! Owns credentials and rights. Secrets stay in `SecretString` and appear in no log, record or `Debug`.
//! Rights follow Autotask's security levels: a whole entity refused, costs hidden, or rows that vanish without a word.

use std::collections::BTreeSet;

use secrecy::{ExposeSecret as _, SecretString};

use super::entity::Entity;

/// The user name of [`ApiUser::full`].
pub const SAMPLE_USERNAME: &str = "tallyline-api@nordwind.example";
/// The secret of [`ApiUser::full`]. It opens nothing but a simulator.
pub const SAMPLE_SECRET: &str = "simulated-secret-1";
/// The integration code of [`ApiUser::full`].
pub const SAMPLE_INTEGRATION_CODE: &str = "SIMULATEDTRACKINGID00000001";

/// What a user may be refused on an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Right {
    /// Reading rows.
    Query,
    /// Adding rows; for contract service adjustments this is the writing of units.
    Create,
    /// Changing rows.
    Update,
    /// Removing rows.
    Delete,
}

/// One API user with its three credentials.
#[derive(Clone, Debug)]
pub struct ApiUser {
    username: String,
    secret: SecretString,
    integration_code: SecretString,
    pub(crate) active: bool,
    pub(crate) reads_costs: bool,
    pub(crate) refused: BTreeSet<(Entity, Right)>,
    pub(crate) hidden_companies: BTreeSet<i64>,
    pub(crate) hidden_entities: BTreeSet<Entity>,
}

impl ApiUser {
    /// A user who may do everything, with credentials of your choice.
    #[must_use]
    pub fn new(username: impl Into<String>, secret: impl Into<String>, integration_code: impl Into<String>) -> Self {
        Self {
            username: username.into(),
            secret: secret.into().into(),
            integration_code: integration_code.into().into(),
            active: true,
            reads_costs: true,
            refused: BTreeSet::new(),
            hidden_companies: BTreeSet::new(),
            hidden_entities: BTreeSet::new(),
        }
    }

    /// A user who may do everything, with the sample credentials.
    #[must_use]
    pub fn full() -> Self {
        Self::new(SAMPLE_USERNAME, SAMPLE_SECRET, SAMPLE_INTEGRATION_CODE)
    }

    /// The same user under another name (and secret), sharing the integration code and so its thread limit.
    #[must_use]
    pub fn named(mut self, username: impl Into<String>, secret: impl Into<String>) -> Self {
        self.username = username.into();
        self.secret = secret.into().into();
        self
    }

    /// "Can't Read Costs": costs read as null, and a cost that is written is ignored in silence.
    #[must_use]
    pub fn cost_blind(mut self) -> Self {
        self.reads_costs = false;
        self
    }

    /// Refuses one right on one entity.
    #[must_use]
    pub fn without(mut self, entity: Entity, right: Right) -> Self {
        self.refused.insert((entity, right));
        self
    }

    /// Rows of these companies vanish without an error.
    #[must_use]
    pub fn blind_to_companies(mut self, ids: impl IntoIterator<Item = i64>) -> Self {
        self.hidden_companies.extend(ids);
        self
    }

    /// All rows of an entity vanish without an error, as billing items do under a line-of-business restriction.
    #[must_use]
    pub fn blind_to(mut self, entity: Entity) -> Self {
        self.hidden_entities.insert(entity);
        self
    }

    /// A user who has been switched off.
    #[must_use]
    pub fn inactive(mut self) -> Self {
        self.active = false;
        self
    }

    /// The user name.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The secret.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.secret.expose_secret()
    }

    /// The integration code (tracking identifier).
    #[must_use]
    pub fn integration_code(&self) -> &str {
        self.integration_code.expose_secret()
    }

    pub(crate) fn may(&self, entity: Entity, right: Right) -> bool {
        !self.refused.contains(&(entity, right))
    }

    /// 0 none, 1 all, 2 restricted, as `entityInformation` prints it.
    pub(crate) fn access(&self, entity: Entity, right: Right) -> i64 {
        if !self.may(entity, right) {
            0
        } else if self.hidden_entities.contains(&entity) || !self.hidden_companies.is_empty() {
            2
        } else {
            1
        }
    }
}
