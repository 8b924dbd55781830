//! What stands when a story begins: a connection with its policy, products and companies mapped, all as rows of the store.

use std::collections::BTreeMap;

use shared::domain::ids::{ConnectionId, PartnerId};
use shared::psa::{Endpoint, Psa};
use shared::store::Condition;
use shared::store::connections::{Connection, Connections, NewConnection};
use shared::store::journal::By;
use shared::store::mappings::{CompanyMapping, Mapping, ProductMapping};

use super::story::{COMPANIES, Story};
use super::world::{ACCOUNTS, CONTRACTS, SERVICES, World};

/// Makes the rows that a connection and its mappings consist of.
pub async fn connect(world: &World, partner: &PartnerId, number: i64, story: &Story) -> Connection {
    let now = world.clock.time();
    let id: ConnectionId = format!("conn-{number}").parse().unwrap();
    let new = NewConnection {
        id: id.clone(),
        partner: partner.clone(),
        psa: Psa::Autotask,
        endpoint: Endpoint {
            tenant: "123456".parse().unwrap(),
            base_url: format!("{}/ATServicesRest", world.psa.base()),
        },
        name: "Nordwind".into(),
        time_zone: "UTC".into(),
    };
    let mut connection = Connection::new(new, now);
    let plot = &story.plot;
    connection.policy.effective_date.rises = plot.date;
    connection.policy.effective_date.falls = plot.date;
    connection.policy.drift = plot.drift;
    connection.policy.approval = plot.approval;
    Connections::new(world.table.clone())
        .create(&connection, &By::system(connection.created_at))
        .await
        .expect("the connection is stored");
    for (service, product) in &SERVICES[..plot.lines] {
        let mapping = ProductMapping {
            product: product.parse().unwrap(),
            service_id: service.to_string().parse().ok(),
            rule: Default::default(),
            price: None,
            provision: None,
            version: 1,
            updated_at: now,
            updated_by: "the model".into(),
            newer: Default::default(),
        };
        let key = ProductMapping::key(partner, &id, &mapping.product);
        world.table.put(&key, &mapping, &Condition::absent()).await.expect("the product is mapped");
    }
    for company in &COMPANIES[..plot.companies] {
        let mapping = CompanyMapping {
            company: company.parse().unwrap(),
            account_id: (ACCOUNTS + number).to_string().parse().unwrap(),
            contract_id: (CONTRACTS + number).to_string().parse().unwrap(),
            overrides: BTreeMap::new(),
            openings: BTreeMap::new(),
            when_absent: plot.when_absent,
            version: 1,
            updated_at: now,
            updated_by: "the model".into(),
            newer: Default::default(),
        };
        let key = CompanyMapping::key(partner, &id, &mapping.company);
        world.table.put(&key, &mapping, &Condition::absent()).await.expect("the company is mapped");
    }
    connection
}
