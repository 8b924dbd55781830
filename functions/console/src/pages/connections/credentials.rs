//! The fields of each PSA's credentials: what each is, and where in the PSA it stands. What was typed into one is sent on and
//! never shown again, but for names.

use maud::{Markup, html};
use serde_json::{Map, Value};
use shared::psa::Psa;

use crate::door::Fields;
use crate::view::field::{Ask, Form};

/// A field of credentials.
struct Field {
    name: &'static str,
    pointer: &'static str,
    label: &'static str,
    hint: &'static str,
    is_secret: bool,
}

const AUTOTASK: [Field; 3] = [
    Field {
        name: "username",
        pointer: "/credentials/username",
        label: "User name",
        hint: "Of an API user: Admin > Resources (Users) > New > New API User. Autotask generates it (Generate Key); it looks like \
               a mail address.",
        is_secret: false,
    },
    Field {
        name: "secret",
        pointer: "/credentials/secret",
        label: "Secret",
        hint: "The password that Autotask generates for that user (Generate Secret). Copy it before you save the user.",
        is_secret: true,
    },
    Field {
        name: "integration_code",
        pointer: "/credentials/integration_code",
        label: "Tracking identifier",
        hint: "On the same page, under API Tracking Identifier: choose Custom (Internal Integration), and it is shown. The API \
               calls it the integration code.",
        is_secret: true,
    },
];

const KASEYA_BMS: [Field; 5] = [
    Field {
        name: "hostname",
        pointer: "/credentials/hostname",
        label: "Host name",
        hint: "Where you log in, without https:// and path: bms.kaseya.com, bmsemea.kaseya.com, bmsapac.kaseya.com, \
               vorexlogin.com, psa.pulseway.com. BMS shows it as Gateway URL in My Settings. Take that of your own region.",
        is_secret: false,
    },
    Field {
        name: "username",
        pointer: "/credentials/username",
        label: "User name",
        hint: "Best of a user of the type API Employee: HR > Employees > New, User Type = API Employee. Its role needs Admin > \
               Special Features > Has API Access.",
        is_secret: false,
    },
    Field {
        name: "password",
        pointer: "/credentials/password",
        label: "Password",
        hint: "By default BMS wants a new one every 180 days: replace it here on the same day.",
        is_secret: true,
    },
    Field {
        name: "company_name",
        pointer: "/credentials/company_name",
        label: "Company name",
        hint: "Of your tenant, exactly as My Settings and the welcome mail show it. It may contain spaces.",
        is_secret: false,
    },
    Field {
        name: "totp_secret",
        pointer: "/credentials/totp_secret",
        label: "Secret of the authenticator app",
        hint: "For an ordinary Employee alone, in base32. Leave it empty for an API Employee.",
        is_secret: true,
    },
];

fn fields_of(psa: Psa) -> &'static [Field] {
    match psa {
        Psa::Autotask => &AUTOTASK,
        Psa::KaseyaBms => &KASEYA_BMS,
    }
}

/// The part of a form that asks for them.
pub(super) fn asked(psa: Psa, form: &Form<'_>) -> Markup {
    html! {
        fieldset {
            legend { "Credentials" }
            @for field in fields_of(psa) {
                @let ask = Ask { name: field.name, label: field.label, hint: field.hint, pointer: field.pointer };
                @if field.is_secret { (form.secret(ask)) } @else { (form.text(ask)) }
            }
        }
    }
}

/// What was typed, as the API takes it: a field that is empty was left out. What a person has thought of is taken to the letter;
/// what was copied from the PSA, without a blank that came along.
pub(super) fn given(psa: Psa, fields: &Fields) -> Value {
    let text = |name| if name == "password" { fields.to_the_letter(name) } else { fields.some(name) };
    let typed = |field: &Field| Some((field.name.to_owned(), text(field.name)?.into()));
    fields_of(psa).iter().filter_map(typed).collect::<Map<_, _>>().into()
}

/// What happens with them before anything is stored.
pub(super) fn tried(psa: Psa) -> Markup {
    let (reads, asked) = match psa {
        Psa::Autotask => (
            "companies, contracts, services, the services of contracts, and their units",
            "Whether the user may change units is asked of Autotask; nothing is written to find out. The security level API \
             User (system) may do all of it. Avoid the one that can't read costs.",
        ),
        Psa::KaseyaBms => (
            "the user itself, accounts, contracts, services, and which contracts carry a service",
            "Whether the user may change contracts shows with the first change: BMS can't be asked. The role needs Finance: View \
             All and Modify All; CRM: View All; Admin: View All.",
        ),
    };
    html! {
        h2 { "What will be tried" }
        p { "Tallyline logs in and reads one of each: " (reads) ". " strong { "Nothing is written in the PSA" }
            ", and where the log-in or a right is missing nothing is stored here: you are told what is missing." }
        p { (asked) }
        p { "The credentials are kept sealed, and are sent to the PSA alone. No page shows them again." }
    }
}
