//! What the fields of a ticket may be set to.

use simulators::kaseya_bms::{Fault, Route, When};

use crate::{Stage, one_line};

#[tokio::test]
async fn the_choices_of_each_field_are_read() {
    let stage = Stage::of(one_line()).await;
    let connector = stage.open();
    let locations = connector.locations(&"2001".parse().unwrap()).await.unwrap();
    assert_eq!((locations.len(), locations[0].name.as_str(), locations[0].is_main), (1, "Main", true));
    let priorities = connector.priorities().await.unwrap();
    assert_eq!(priorities.iter().find(|choice| choice.is_default).unwrap().name, "Medium");
    assert_eq!(connector.statuses().await.unwrap()[0].name, "New");
    assert_eq!(connector.queues().await.unwrap()[1].name, "Billing");
    assert_eq!(connector.issue_types().await.unwrap().len(), 3);
    let sources = connector.sources().await.unwrap();
    assert_eq!((sources.named_by_bms, sources.choices[5].name.as_str()), (true, "Monitoring System"));
    assert!(connector.locations(&"2999".parse().unwrap()).await.is_err());
}

#[tokio::test]
async fn where_bms_names_no_sources_those_of_its_first_api_are_offered() {
    for fault in [
        Fault::answer(404, ""),
        Fault::answer(400, r#"{"success":false}"#),
        Fault::answer(200, r#"{"success":true,"result":[]}"#),
        Fault::answer(200, r#"{"success":true,"result":null}"#),
    ] {
        let stage = Stage::of(one_line()).await;
        for route in [Route::LookupTable, Route::TenantLookupTable] {
            stage.simulator.plan_fault(When::EveryRequest(route), fault.clone());
        }
        let sources = stage.open().sources().await.unwrap();
        assert_eq!((sources.named_by_bms, sources.choices.len()), (false, 10), "{fault:?}");
    }
    let stage = Stage::of(one_line()).await;
    stage.simulator.plan_fault(When::EveryRequest(Route::LookupTable), Fault::answer(503, ""));
    assert_eq!(stage.open().sources().await.unwrap_err().code, "psa_unavailable");
}
