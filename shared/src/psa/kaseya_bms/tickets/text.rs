//! The texts of tickets and notes: how ours are written, and our references found in what comes back.
//!
//! BMS has no field for a reference of ours, so it is the last line of the details. Whether BMS takes details for plain text
//! or for HTML is not confirmed, nor in which of the two they come back; so what is written reads the same as either, and
//! what is read is looked at as both.

use std::collections::BTreeSet;

use crate::psa::tickets::BEFORE_REFERENCE;

/// Elements that stand within a line. Every other one ends it.
const INLINE: [&str; 20] = [
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "em", "font", "i", "mark", "q", "s", "small", "span",
    "strong", "sub", "sup", "u",
];

/// The longest name of an entity that may stand in a line of ours, its `;` included.
const LONGEST_ENTITY: usize = 10;

/// A text of ours with its reference as its last line.
pub(super) fn with_reference(text: &str, reference: &str) -> String {
    format!("{}\n{BEFORE_REFERENCE} {reference}", harmless(text))
}

/// A text that is no markup where it is taken for HTML, and reads as it was meant where it is not: an escaped bracket would
/// be shown as `&lt;` there. Entities stay, for they stand for characters alone.
pub(super) fn harmless(text: &str) -> String {
    text.replace('<', "\u{2039}").replace('>', "\u{203a}")
}

/// The references that stand on lines of their own, wherever they are: people may have written below ours.
pub(super) fn references(details: &str) -> BTreeSet<String> {
    let as_html = decoded(&without_tags(details));
    let reference = |line: &str| {
        let mut words = line.split_whitespace();
        let before: Vec<_> = words.by_ref().take(2).collect();
        let reference = words.next()?;
        (before.join(" ") == BEFORE_REFERENCE && words.next().is_none()).then(|| reference.to_owned())
    };
    lines(details).chain(lines(&as_html)).filter_map(reference).collect()
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'])
}

/// HTML as the text that it shows: an element that does not stand within a line ends it. What begins no tag stays.
fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, behind)) = rest.split_once('<') {
        text.push_str(before);
        if !behind.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/' || first == '!') {
            text.push('<');
            rest = behind;
            continue;
        }
        let Some((tag, behind)) = behind.split_once('>') else {
            return text;
        };
        let name = tag.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        if !INLINE.iter().any(|inline| inline.eq_ignore_ascii_case(name)) {
            text.push('\n');
        }
        rest = behind;
    }
    text + rest
}

/// A text with its entities as the characters that they stand for.
fn decoded(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        plain.push_str(before);
        let end = behind.bytes().take(LONGEST_ENTITY).position(|byte| byte == b';');
        let entity = end.and_then(|end| Some((character(behind.get(..end)?)?, behind.get(end + 1..)?)));
        let (shown, after) = entity.unwrap_or(('&', behind));
        plain.push(shown);
        rest = after;
    }
    plain + rest
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let number = entity.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => number.parse().ok(),
            };
            char::from_u32(number?)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OURS: &str = "TL-000000000000000000000001";

    fn found(details: &str) -> Vec<String> {
        references(details).into_iter().collect()
    }

    #[test]
    fn a_reference_is_found_in_each_form_in_which_its_text_may_come_back() {
        for details in [
            format!("EDR fell\nTallyline reference {OURS}"),
            format!("EDR fell\r\nTallyline reference {OURS}\r\n"),
            format!("EDR fell\rTallyline  reference\t{OURS} "),
            format!("<div>EDR fell</div><div>Tallyline&nbsp;reference {OURS}</div>"),
            format!("<p>EDR &amp; more<br/>Tallyline&#32;reference&#xA0;{OURS}</p><p>Seen. Ada</p>"),
            format!("<P CLASS=\"x\">EDR fell<BR>\n<span style='a'>Tallyline reference <b>{OURS}</b></span></P>"),
            format!("EDR fell\u{2028}Tallyline reference {OURS}"),
            format!("a <b and no end\nTallyline reference {OURS}"),
            format!("1 < 2 & 3\nTallyline reference {OURS}\na <- b -> c"),
        ] {
            assert_eq!(found(&details), [OURS], "{details}");
        }
    }

    #[test]
    fn only_a_whole_line_is_a_reference() {
        for details in [
            format!("See Tallyline reference {OURS}"),
            format!("Tallyline reference {OURS}: again"),
            format!("Tallyline reference\n{OURS}"),
            format!("tallyline reference {OURS}"),
            OURS.to_owned(),
            "Tallyline reference".to_owned(),
            String::new(),
        ] {
            assert!(found(&details).is_empty(), "{details}");
        }
        assert_eq!(found("Tallyline reference TL-12"), ["TL-12"]);
        assert_eq!(found("Tallyline reference TL-1-2\nTallyline reference TL-1"), ["TL-1", "TL-1-2"]);
    }

    #[test]
    fn what_is_sent_is_no_markup_and_says_the_same_as_plain_text() {
        let sent = with_reference("<img src=x onerror=alert(1)> R&D a -> b &lt;", OURS);
        insta::assert_snapshot!(sent, @r"
        ‹img src=x onerror=alert(1)› R&D a -› b &lt;
        Tallyline reference TL-000000000000000000000001
        ");
    }

    proptest! {
        #[test]
        fn whatever_the_text_its_reference_is_found_as_plain_text_and_as_html(text in "(?s).{0,200}") {
            let sent = with_reference(&text, OURS);
            prop_assert!(!sent.contains(['<', '>']));
            prop_assert!(references(&sent).contains(OURS));
            let escaped = sent.replace('&', "&amp;");
            let html: String = escaped.lines().map(|line| format!("<p>{line}</p>")).collect();
            prop_assert!(references(&html).contains(OURS));
        }

        #[test]
        fn anything_may_come_back(details in "[<>/&;#a-z \n!]{0,300}") {
            prop_assert!(references(&details).is_empty());
        }
    }
}
