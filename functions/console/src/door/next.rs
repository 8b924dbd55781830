//! The page that somebody wanted before the door stood in the way, told in addresses and in a cookie. Whoever made that address
//! up leads nobody away from here: only a page of the console is gone to.

use crate::client::with_query;

/// Where somebody lands who is not signed in.
pub(super) const DOOR: &str = "/console/sign-in";

/// The longest that is kept: a cookie has to hold it.
const LONGEST: usize = 1000;

/// `wanted`, where it is a page of the console; the first page otherwise.
pub(super) fn page(wanted: &str) -> &str {
    let rest = wanted.strip_prefix(crate::ROOT).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let plain = |rest: &&str| rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_page = rest.is_some_and(|rest| !rest.starts_with("/sign-") && !rest.starts_with("/link/"));
    if is_page && rest.as_ref().is_some_and(plain) && wanted.len() <= LONGEST { wanted } else { crate::ROOT }
}

/// The door, with `wanted` behind it.
pub(super) fn door_before(wanted: &str) -> String {
    at(DOOR, wanted)
}

/// `path`, with `wanted` behind it.
pub(super) fn at(path: &str, wanted: &str) -> String {
    with_query(path, &[("next", Some(page(wanted)).filter(|page| *page != crate::ROOT))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_console_are_gone_to() {
        for good in ["/console", "/console/runs/run_1", "/console/usage?product=edr&from=2026-11-01", "/console?x=1"] {
            assert_eq!(page(good), good);
        }
        let long = format!("/console/{}", "x".repeat(LONGEST));
        for bad in [
            "",
            "/",
            "//evil.example/console",
            "https://evil.example/console",
            "/consoles",
            "/console.evil.example",
            "/console@evil.example",
            "/console\\evil.example",
            "/console/a\r\nset-cookie: b",
            "/console/\t/evil.example",
            "/console/sign-in",
            "/console/sign-in/begin?next=/console",
            "/console/link/abc",
            "/v1/runs",
            long.as_str(),
        ] {
            assert_eq!(page(bad), "/console", "{bad}");
        }
        assert_eq!(door_before("/console/usage?a=b"), "/console/sign-in?next=%2Fconsole%2Fusage%3Fa%3Db");
        assert_eq!(door_before("https://evil.example"), "/console/sign-in");
    }
}
