//! What the check lets through: one spelling a host, the host of the API beside it, and what an operator adds.

use super::{AllowList, KASEYA_BMS};

#[test]
fn a_name_has_one_spelling_however_it_was_typed() {
    let allowed = AllowList::new(KASEYA_BMS).unwrap();
    for typed in [
        "bms.kaseya.com",
        "  BMS.Kaseya.COM ",
        "https://bms.kaseya.com/",
        "HTTPS://bms.kaseya.com",
        "\u{ff42}\u{ff4d}\u{ff53}.kaseya.com",
        "bms\u{3002}kaseya\u{3002}com",
        "bms\u{200b}.kaseya.com",
    ] {
        assert_eq!(allowed.check(typed).unwrap().as_str(), "bms.kaseya.com", "{typed:?}");
    }
    for own in ["kaseya.com", "api.psa.pulseway.com", "api.vorexlogin.com", "xn--bcher-kva.kaseya.com"] {
        assert_eq!(allowed.check(own).unwrap().as_str(), own);
    }
    assert_eq!(allowed.check("b\u{fc}cher.kaseya.com").unwrap().as_str(), "xn--bcher-kva.kaseya.com");
}

#[test]
fn the_host_of_the_api_is_named_once() {
    let allowed = AllowList::new(KASEYA_BMS).unwrap();
    let below = |typed: &str| allowed.check(typed).unwrap().below("api").map(|host| host.to_string());
    assert_eq!(below("bmsemea.kaseya.com").unwrap(), "api.bmsemea.kaseya.com");
    assert_eq!(below("api.bmsemea.kaseya.com").unwrap(), "api.bmsemea.kaseya.com");
    assert_eq!(below("apis.kaseya.com").unwrap(), "api.apis.kaseya.com");
    let longest = format!("{}bcd.kaseya.com", "a.".repeat(119));
    assert_eq!(below(&longest).unwrap_err().code(), "host_malformed");
}

#[test]
fn an_operator_adds_public_domains_and_no_others() {
    let allowed = AllowList::new(KASEYA_BMS).unwrap();
    let more = allowed.and(" psa.msp-one.net, ,ITGLUE.com").unwrap();
    assert_eq!(more.check("bms.psa.msp-one.net").unwrap().as_str(), "bms.psa.msp-one.net");
    assert!(more.check("itglue.com").is_ok() && more.check("bms.kaseya.com").is_ok());
    assert!(more.check("msp-one.net").is_err() && allowed.check("itglue.com").is_err());
    for bad in ["com", "10.0.0.1", "corp.internal", "localhost", "*.kaseya.com", ".kaseya.com", "a.com;b.com"] {
        assert!(allowed.and(bad).is_err(), "{bad}");
    }
    assert_eq!(AllowList::new([]).unwrap().check("bms.kaseya.com").unwrap_err().code(), "host_not_allowed");
}
