//! Which call a method and path stand for.
//!
//! Owns the URL space, read without regard to case, and the framework's refusals: 404 for a path that does not exist, 405 for
//! a verb it does not take. What a call does is `calls`'.

use super::entity::Entity;
use super::errors::Refusal;
use super::record::Kind;

/// A call of the REST API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Version,
    Zone,
    Threshold,
    Query(Entity),
    NextPage(Entity),
    Count(Entity),
    Get(Entity, i64),
    /// The rows of an entity that belong to a contract, or one of them.
    Children(Entity, i64, Option<i64>),
    Info(Entity),
    Fields(Entity),
    UserFields(Entity),
    /// A service adjustment, with the contract's id if it is in the path.
    Adjust(Option<i64>),
    CreateLine(i64),
    PatchLine(i64),
    PatchContract,
    CreateCharge(i64),
    PatchCharge(i64),
    /// A contract's charge, to be deleted.
    DeleteCharge(i64, i64),
    CreateService,
    PatchService,
    CreateTicket,
    PatchTicket,
    /// A note on a ticket.
    CreateTicketNote(i64),
}

/// What a request turned out to be, whether it can be answered or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) call: Result<Call, Refusal>,
    /// The path with ids replaced.
    pub(crate) template: String,
    pub(crate) entity: Option<Entity>,
}

impl Call {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Version | Self::Zone | Self::Threshold => Kind::Information,
            Self::Query(_) => Kind::Query,
            Self::NextPage(_) => Kind::NextPage,
            Self::Count(_) => Kind::Count,
            Self::Get(..) => Kind::Get,
            Self::Children(..) => Kind::Children,
            Self::Info(_) | Self::Fields(_) | Self::UserFields(_) => Kind::Metadata,
            Self::Adjust(_)
            | Self::CreateLine(_)
            | Self::CreateCharge(_)
            | Self::CreateService
            | Self::CreateTicket
            | Self::CreateTicketNote(_) => Kind::Create,
            Self::PatchLine(_)
            | Self::PatchContract
            | Self::PatchCharge(_)
            | Self::PatchService
            | Self::PatchTicket => Kind::Update,
            Self::DeleteCharge(..) => Kind::Delete,
        }
    }

    /// Zone and version information need no credentials and count against no limit.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Version | Self::Zone)
    }
}

impl Route {
    /// Reads a method and path.
    pub(crate) fn read(method: &str, path: &str) -> Self {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let missing =
            || Self { call: Err(Refusal::NoSuchResource(path.to_owned())), template: path.to_owned(), entity: None };
        let Some((root, rest)) = segments.split_first() else {
            return missing();
        };
        if !root.eq_ignore_ascii_case("atservicesrest") {
            return missing();
        }
        match rest {
            [only] if only.eq_ignore_ascii_case("versioninformation") => Self {
                call: get(method, Call::Version),
                template: "/versionInformation".to_owned(),
                entity: Some(Entity::VersionInformation),
            },
            [version, rest @ ..] if version.eq_ignore_ascii_case("v1.0") => under_version(method, path, rest),
            _ => missing(),
        }
    }
}

fn under_version(method: &str, path: &str, segments: &[&str]) -> Route {
    let entity = segments.first().and_then(|segment| Entity::from_path(segment));
    let template = segments.iter().fold(String::new(), |mut template, segment| {
        template.push('/');
        match (segment.parse::<i64>(), Entity::from_path(segment)) {
            (Ok(_), _) => template.push_str("{id}"),
            (_, Some(entity)) => template.push_str(entity.path()),
            _ => template.push_str(
                KNOWN.iter().find(|known| known.eq_ignore_ascii_case(segment)).map_or(*segment, |known| known),
            ),
        }
        template
    });
    let lower: Vec<String> = segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let missing = Refusal::NoSuchResource(path.to_owned());
    let Some(entity) = entity else {
        return Route { call: Err(missing), template, entity: None };
    };
    if let (Entity::Contracts, [_, id, child, rest @ ..]) = (entity, lower.as_slice())
        && let Ok(contract) = id.parse()
        && let Some(child_entity) = child_entity(child)
    {
        let call = child_call(method, child_entity, contract, rest).unwrap_or(Err(missing));
        return Route { call, template, entity: Some(child_entity) };
    }
    if let (Entity::Tickets, [_, id, "notes"]) = (entity, lower.as_slice())
        && let Ok(ticket) = id.parse()
    {
        let call = match method {
            "POST" => Ok(Call::CreateTicketNote(ticket)),
            "PUT" | "PATCH" | "GET" => Err(Refusal::NotSimulated("this call of a ticket's notes")),
            _ => Err(Refusal::MethodNotAllowed(method.to_owned())),
        };
        return Route { call, template, entity: Some(Entity::TicketNotes) };
    }
    let call = root_call(method, entity, lower.get(1..).unwrap_or_default()).unwrap_or(Err(missing));
    Route { call, template, entity: Some(entity) }
}

const KNOWN: [&str; 10] = [
    "Charges",
    "Notes",
    "ServiceUnits",
    "ServiceAdjustments",
    "query",
    "next",
    "count",
    "entityInformation",
    "fields",
    "userDefinedFields",
];

fn child_entity(segment: &str) -> Option<Entity> {
    match segment {
        "charges" => Some(Entity::ContractCharges),
        "services" => Some(Entity::ContractServices),
        "serviceunits" => Some(Entity::ContractServiceUnits),
        "serviceadjustments" => Some(Entity::ContractServiceAdjustments),
        _ => None,
    }
}

type Found = Option<Result<Call, Refusal>>;

fn root_call(method: &str, entity: Entity, rest: &[&str]) -> Found {
    use Entity as E;
    let refused = || Err(Refusal::MethodNotAllowed(method.to_owned()));
    match rest {
        [] => match (entity, method) {
            (E::ThresholdInformation, _) => Some(get(method, Call::Threshold)),
            (E::ZoneInformation, _) => Some(get(method, Call::Zone)),
            (E::VersionInformation, _) => Some(get(method, Call::Version)),
            (E::ContractServiceAdjustments, "POST") => Some(Ok(Call::Adjust(None))),
            (E::Contracts, "PATCH") => Some(Ok(Call::PatchContract)),
            (E::Services, "POST") => Some(Ok(Call::CreateService)),
            (E::Services, "PATCH") => Some(Ok(Call::PatchService)),
            (E::Tickets, "POST") => Some(Ok(Call::CreateTicket)),
            (E::Tickets, "PATCH") => Some(Ok(Call::PatchTicket)),
            (E::Tickets, "PUT") => Some(Err(Refusal::NotSimulated("PUT"))),
            (E::Companies | E::Contracts | E::Services, "POST" | "PUT" | "PATCH") => {
                Some(Err(Refusal::NotSimulated("writing this entity")))
            }
            (E::BillingItems, "PUT" | "PATCH") => Some(Err(Refusal::NotSimulated("writing this entity"))),
            (E::ContractCharges | E::ContractServices | E::ContractServiceUnits | E::BillingCodes, _)
                if method != "GET" =>
            {
                None
            }
            _ => Some(refused()),
        },
        ["entityinformation"] => metadata(method, entity, Call::Info(entity)),
        ["entityinformation", "fields"] => metadata(method, entity, Call::Fields(entity)),
        ["entityinformation", "userdefinedfields"] => metadata(method, entity, Call::UserFields(entity)),
        _ if !entity.has_rows() => None,
        ["query"] => Some(get_or_post(method, Call::Query(entity))),
        ["query", "next"] => Some(get_or_post(method, Call::NextPage(entity))),
        ["query", "count"] => Some(get_or_post(method, Call::Count(entity))),
        [id] => id.parse().ok().map(|id| get(method, Call::Get(entity, id))),
        _ => None,
    }
}

fn child_call(method: &str, entity: Entity, contract: i64, rest: &[&str]) -> Found {
    let adjustments = entity == Entity::ContractServiceAdjustments;
    match rest {
        [] => Some(match (entity, method) {
            (Entity::ContractServiceAdjustments, "POST") => Ok(Call::Adjust(Some(contract))),
            (Entity::ContractServices, "POST") => Ok(Call::CreateLine(contract)),
            (Entity::ContractServices, "PATCH") => Ok(Call::PatchLine(contract)),
            (Entity::ContractCharges, "POST") => Ok(Call::CreateCharge(contract)),
            (Entity::ContractCharges, "PATCH") => Ok(Call::PatchCharge(contract)),
            (Entity::ContractCharges | Entity::ContractServices, "PUT") => Err(Refusal::NotSimulated("PUT")),
            _ if adjustments => Err(Refusal::MethodNotAllowed(method.to_owned())),
            _ => get(method, Call::Children(entity, contract, None)),
        }),
        ["entityinformation"] => metadata(method, entity, Call::Info(entity)),
        ["entityinformation", "fields"] => metadata(method, entity, Call::Fields(entity)),
        [child] if entity == Entity::ContractCharges && method == "DELETE" => {
            child.parse().ok().map(|child| Ok(Call::DeleteCharge(contract, child)))
        }
        [child] if !adjustments => {
            child.parse().ok().map(|child| get(method, Call::Children(entity, contract, Some(child))))
        }
        _ => None,
    }
}

fn metadata(method: &str, entity: Entity, call: Call) -> Found {
    (entity.has_rows() || entity == Entity::ContractServiceAdjustments).then(|| get(method, call))
}

fn get(method: &str, call: Call) -> Result<Call, Refusal> {
    if method == "GET" { Ok(call) } else { Err(Refusal::MethodNotAllowed(method.to_owned())) }
}

fn get_or_post(method: &str, call: Call) -> Result<Call, Refusal> {
    if method == "POST" { Ok(call) } else { get(method, call) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str, path: &str) -> Result<Call, Refusal> {
        Route::read(method, path).call
    }

    #[test]
    fn paths_are_read_in_any_case_and_ids_leave_the_template() {
        let route = Route::read("POST", "/ATServicesRest/V1.0/contracts/42/SERVICEADJUSTMENTS");
        assert_eq!(route.call, Ok(Call::Adjust(Some(42))));
        assert_eq!(route.entity, Some(Entity::ContractServiceAdjustments));
        assert_eq!(route.template, "/Contracts/{id}/ServiceAdjustments");
        assert_eq!(call("GET", "/atservicesrest/versioninformation"), Ok(Call::Version));
        assert_eq!(call("GET", "/atservicesrest/v1.0/ZoneInformation"), Ok(Call::Zone));
    }

    #[test]
    fn nothing_deletes_a_line_and_updates_go_to_the_collection() {
        let refused = |verb: &str| Err(Refusal::MethodNotAllowed(verb.to_owned()));
        assert_eq!(call("DELETE", "/atservicesrest/v1.0/ContractServices/7"), refused("DELETE"));
        assert_eq!(call("DELETE", "/atservicesrest/v1.0/Contracts/1/Services/7"), refused("DELETE"));
        assert_eq!(call("PATCH", "/atservicesrest/v1.0/Contracts/1"), refused("PATCH"));
        assert_eq!(call("GET", "/atservicesrest/v1.0/ContractServiceAdjustments"), refused("GET"));
    }

    #[test]
    fn what_does_not_exist_is_missing() {
        for path in [
            "/",
            "/atservicesrest/v2.0/zoneInformation",
            "/atservicesrest/v1.0/Widgets/query",
            "/atservicesrest/v1.0/ContractServiceAdjustments/query",
            "/atservicesrest/v1.0/Contracts/1/Services/query",
            "/atservicesrest/v1.0/Contracts/1/Widgets",
        ] {
            assert!(matches!(call("POST", path), Err(Refusal::NoSuchResource(_))), "{path}");
        }
    }
}
