//! The events that reach this function, told apart by their fields. Each has a sample in `events/`.

use serde::Deserialize;
use shared::domain::ids::{ConnectionId, PartnerId};
use shared::events::RunRef;
use shared::queue::batch::Batch;
use shared::store::runs::Mode;

/// What the function is invoked with.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Invoked {
    /// Messages of the planning queue: each a [`Request`].
    Messages(Batch),
    /// One request, by the schedule or by hand.
    Request(Request),
}

/// What is asked of the fan-out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Wire")]
pub enum Request {
    /// The schedule's tick: `{"tick": true}`.
    Tick,
    /// A `SyncRequested` event of the bus.
    Sync(RunRef),
    /// A direct invocation.
    Invoke(Invocation),
}

/// `{"partner_id": …, "connection_id": …, "mode": "preview"}`: sync one connection now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invocation {
    /// The tenant. Rows are found by it, so a connection's id alone does not do.
    pub partner_id: PartnerId,
    /// The connection.
    pub connection_id: ConnectionId,
    /// Whether to write.
    pub mode: Mode,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Wire {
    Tick {
        tick: bool,
    },
    Bus {
        #[serde(rename = "detail-type")]
        kind: String,
        detail: RunRef,
    },
    Invoke(Invocation),
}

impl TryFrom<Wire> for Request {
    type Error = String;
    fn try_from(wire: Wire) -> Result<Self, String> {
        match wire {
            Wire::Tick { tick: true } => Ok(Self::Tick),
            Wire::Tick { tick: false } => Err("a tick must say true".into()),
            Wire::Bus { kind, detail } if kind == "SyncRequested" => Ok(Self::Sync(detail)),
            Wire::Bus { kind, .. } => Err(format!("the fan-out does not take {kind} events")),
            Wire::Invoke(invocation) => Ok(Self::Invoke(invocation)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_events_are_understood() {
        let parse = |text: &str| serde_json::from_str::<Request>(text).unwrap();
        assert_eq!(parse(include_str!("../../../events/fan-out/tick.json")), Request::Tick);
        assert!(matches!(parse(include_str!("../../../events/fan-out/sync-requested.json")), Request::Sync(_)));
        let Request::Invoke(invocation) = parse(include_str!("../../../events/fan-out/invoke.json")) else {
            panic!("not an invocation")
        };
        assert_eq!(invocation.mode, Mode::Preview);
    }

    #[test]
    fn other_events_are_refused() {
        for bad in [
            r#"{"tick": false}"#,
            r#"{}"#,
            r#"{"detail-type":"RunFailed","detail":{"partner":"p","connection":"c","run":"r"}}"#,
            r#"{"partner_id":"p","connection_id":"c","mode":"dry"}"#,
            r#"{"partner_id":"p#q","connection_id":"c","mode":"apply"}"#,
        ] {
            assert!(serde_json::from_str::<Request>(bad).is_err(), "{bad}");
        }
    }
}
