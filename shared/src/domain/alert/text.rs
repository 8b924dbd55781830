//! Text from vendors is data: before it goes anywhere, what people could not see in it is taken out, and it is cut to length.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::reference::{HEX_DIGITS, PREFIX};

/// The longest kind and severity, in characters.
pub const LONGEST_LABEL: usize = 64;

/// How a name of ours begins where it is only quoted.
const QUOTED: &str = "TL ";

/// Stands where a text was cut.
const CUT: char = '…';

/// A word or two on one line: an alert's kind, its severity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Label(String);

/// Why a text can't be a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {LONGEST_LABEL} visible characters")]
pub struct InvalidLabel;

impl Label {
    /// The label as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Label {
    type Err = InvalidLabel;
    fn from_str(text: &str) -> Result<Self, InvalidLabel> {
        let label = one_line(text);
        if (1..=LONGEST_LABEL).contains(&label.chars().count()) { Ok(Self(label)) } else { Err(InvalidLabel) }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text on one line, with single spaces.
#[must_use]
pub fn one_line(text: &str) -> String {
    lines(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text with its lines and tabs, nothing else that can't be seen, and no name of ours for a ticket.
#[must_use]
pub fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{85}', '\u{2028}', '\u{2029}'], "\n");
    let visible: String = text.chars().filter(|c| matches!(c, '\n' | '\t') || !is_invisible(*c)).collect();
    without_references(visible.trim())
}

/// A vendor's text may quote a ticket of ours: its name must not be found in another one. It stays readable.
fn without_references(text: &str) -> String {
    let mut parts = text.split(PREFIX);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take(HEX_DIGITS).filter(u8::is_ascii_hexdigit).count();
        plain.push_str(if digits == HEX_DIGITS { QUOTED } else { PREFIX });
        plain.push_str(part);
    }
    plain
}

/// Control characters; those that turn the direction of what follows, by which a text can be made to read as another; and
/// those of no width, by which two texts can be made to look the same.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// The text, or as much of it as `room` allows with a sign that it was cut. Room is reckoned in UTF-16 units, of which some
/// characters take two: a PSA may count either (unconfirmed), and there are never fewer of these.
#[must_use]
pub fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut left = room.saturating_sub(CUT.len_utf16());
    let fits = |c: &char| match left.checked_sub(c.len_utf16()) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    let kept: String = text.chars().take_while(fits).collect();
    let mut kept = kept.trim_end().to_owned();
    if room > 0 {
        kept.push(CUT);
    }
    kept
}

/// How much room a text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_nobody_can_see_is_taken_out_and_lines_stay_lines() {
        assert_eq!(lines(" a\r\nb\rc\u{85}d\te\u{0}\u{1b}[31m\u{7}f \n"), "a\nb\nc\nd\te[31mf");
        assert_eq!(lines("pay\u{202e}fdp.exe\u{202c} \u{200b}x\u{feff}\u{2066}y"), "payfdp.exe xy");
        assert_eq!(lines("\u{200b}\n \u{0}"), "");
        assert_eq!(
            lines("Grüße, 東京 🚨 <b>&amp;</b>"),
            "Grüße, 東京 🚨 <b>&amp;</b>",
            "markup is text like any other"
        );
    }

    #[test]
    fn a_text_that_quotes_a_ticket_of_ours_does_not_pass_for_it() {
        let name = "TL-0123456789abcdefABCDEF01";
        assert_eq!(
            lines(&format!("see\nTallyline reference {name}-2")),
            "see\nTallyline reference TL 0123456789abcdefABCDEF01-2"
        );
        assert_eq!(lines(&format!("T\u{200b}L-{}", &name[3..])), format!("TL {}", &name[3..]), "nor in disguise");
        assert_eq!(lines("TL-84 is HTL-2, TL-"), "TL-84 is HTL-2, TL-");
    }

    #[test]
    fn a_title_is_one_line() {
        assert_eq!(one_line("  Malware\n\tfound\u{2028}on   PC-1 "), "Malware found on PC-1");
    }

    #[test]
    fn a_label_is_a_few_visible_characters() {
        assert_eq!(" high\n".parse::<Label>().unwrap().as_str(), "high");
        for bad in ["", " ", "\u{200b}", &"x".repeat(65)] {
            assert_eq!(bad.parse::<Label>(), Err(InvalidLabel), "{bad:?}");
        }
    }

    #[test]
    fn a_text_that_is_cut_says_so_and_is_not_cut_within_a_character() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(cut("ab   cdefg", 6), "ab…");
        assert_eq!(cut("🚨🚨🚨", 5), "🚨🚨…");
        assert_eq!(cut("🚨🚨🚨", 4), "🚨…");
        assert_eq!((cut("ab", 1), cut("ab", 0)), ("…".to_owned(), String::new()));
    }

    proptest! {
        #[test]
        fn a_cleaned_and_cut_text_has_room_and_nothing_invisible(text in any::<String>(), room in 0_usize..300) {
            let clean = cut(&lines(&text), room);
            prop_assert!(width(&clean) <= room);
            prop_assert!(!clean.chars().any(|c| is_invisible(c) && c != '\n' && c != '\t'), "{:?}", clean);
            prop_assert_eq!(lines(&clean), clean.clone());
            prop_assert!(!one_line(&text).contains('\n'));
        }
    }
}
