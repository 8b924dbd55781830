//! A company's name as it is compared: without legal form, case, punctuation, spaces and diacritics.
//!
//! `ä` is written `ae` by some and `a` by others, so a word has up to two spellings and equals another word where one of
//! them does. Which words count little is `words`' business, what likeness comes to is `likeness`'.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::words;

/// The most words of a name that are looked at.
const MOST_WORDS: usize = 16;
/// The most words that a legal form has.
const LONGEST_LEGAL_FORM: usize = 4;

/// A name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub(super) words: Vec<Word>,
    keys: BTreeSet<String>,
}

/// A word of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Without diacritics: `muller`.
    pub plain: String,
    /// With diacritics written out, where that is another spelling: `mueller`.
    pub written_out: Option<String>,
    pub kind: Kind,
    /// Ended in a full stop: it may be an abbreviation.
    pub cut: bool,
    /// In capitals among words that are not.
    pub capitals: bool,
}

/// What a word is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What tells names apart.
    Telling,
    /// What many names carry.
    Generic,
    /// What says next to nothing.
    Filler,
    /// What tells one place from another.
    Place,
    /// A number.
    Number,
}

impl Word {
    pub fn spellings(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.plain.as_str()).chain(self.written_out.as_deref())
    }

    /// Whether a spelling of it is one of the other's.
    pub fn is(&self, other: &Self) -> bool {
        self.spellings().any(|one| other.spellings().any(|two| one == two))
    }

    /// Two words that others write as one.
    pub fn joined(&self, next: &Self) -> Self {
        let join = |one: &str, two: &str| format!("{one}{two}");
        let long = |word: &Self| word.written_out.clone().unwrap_or_else(|| word.plain.clone());
        let (plain, written_out) = (join(&self.plain, &next.plain), join(&long(self), &long(next)));
        let written_out = Some(written_out).filter(|written_out| *written_out != plain);
        Self { plain, written_out, kind: Kind::Telling, cut: next.cut, capitals: self.capitals && next.capitals }
    }

    fn new(text: &str) -> Option<Self> {
        let (plain, written_out) = folded(text);
        let (plain, written_out) = match words::same(&plain).or_else(|| words::ordinal(&plain)) {
            Some(same) => (same.to_owned(), same.to_owned()),
            None => (plain, written_out),
        };
        if plain.is_empty() {
            return None;
        }
        let is_number = plain.bytes().all(|byte| byte.is_ascii_digit());
        let plain = match is_number {
            true => Some(plain.trim_start_matches('0')).filter(|n| !n.is_empty()).unwrap_or("0").to_owned(),
            false => plain,
        };
        let kind = match () {
            () if is_number => Kind::Number,
            () if words::is_filler(&plain) => Kind::Filler,
            () if words::is_generic(&plain) => Kind::Generic,
            () if words::is_place(&plain) => Kind::Place,
            () => Kind::Telling,
        };
        let written_out = Some(written_out).filter(|written_out| *written_out != plain && !is_number);
        let capitals = text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase);
        Some(Self { plain, written_out, kind, cut: text.ends_with('.'), capitals })
    }
}

impl Name {
    /// The names that a text gives a company: one, or several where it says what it trades as. None where it has no letter
    /// and no figure.
    #[must_use]
    pub fn all(text: &str) -> Vec<Self> {
        let text = text.trim();
        let lower = text.to_lowercase();
        let bare = lower.strip_prefix("www.").unwrap_or(&lower);
        if !bare.contains(char::is_whitespace)
            && let Some(rest) = words::without_domain(bare)
        {
            return Self::of(&[rest.to_owned()]).into_iter().collect();
        }
        let parts = parts(text);
        let mut names = Vec::new();
        for part in parts.split(|word| words::is_trading_as(&word.to_lowercase())) {
            names.extend(Self::of(part));
        }
        names
    }

    fn of(parts: &[String]) -> Option<Self> {
        let mut found: Vec<Word> = Vec::new();
        for part in parts {
            found.extend(pieces(part).iter().filter_map(|piece| Word::new(piece)));
        }
        let mut words = without_legal_form(initials_joined(found));
        // `Werk II` is a second one; a name that begins so is called so.
        for word in words.iter_mut().skip(1) {
            if let Some(number) = words::roman(&word.plain) {
                *word = Word {
                    plain: number.to_owned(),
                    written_out: None,
                    kind: Kind::Number,
                    cut: false,
                    capitals: false,
                };
            }
        }
        words.truncate(MOST_WORDS);
        let owner = words.iter().position(|word| words::is_owned_by(&word.plain)).filter(|at| *at > 0);
        words.iter_mut().skip(owner.unwrap_or(MOST_WORDS)).for_each(|word| word.kind = Kind::Filler);
        if words.iter().all(|word| word.capitals || word.kind == Kind::Number) {
            words.iter_mut().for_each(|word| word.capitals = false);
        }
        let keys =
            [key(&words, |word| &word.plain), key(&words, |word| word.written_out.as_ref().unwrap_or(&word.plain))];
        (!words.is_empty()).then(|| Self { words, keys: keys.into() })
    }

    /// Whether both are one name but for legal form, case, spaces, punctuation and diacritics.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        !self.keys.is_disjoint(&other.keys)
    }

    /// What equal names have at least one of in common.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    /// The first letters of its words, where it has several: `hvb` of `Holz Verarbeitung Bernau`.
    #[must_use]
    pub fn initials(&self) -> Option<String> {
        let words: Vec<_> = self.words.iter().filter(|word| word.kind != Kind::Filler).collect();
        (words.len() > 1).then(|| words.iter().filter_map(|word| word.plain.chars().next()).collect())
    }
}

/// Words in one text. Two numbers that follow each other stay two.
fn key<'a>(words: &'a [Word], spelling: impl Fn(&'a Word) -> &'a String) -> String {
    let mut key = String::new();
    let leading = |word: &Word| word.plain == "the";
    for word in words.iter().skip(usize::from(words.len() > 1 && words.first().is_some_and(leading))) {
        let spelling = spelling(word);
        let ends_in_digit = key.ends_with(|c: char| c.is_ascii_digit());
        if ends_in_digit && spelling.starts_with(|c: char| c.is_ascii_digit()) {
            key.push(' ');
        }
        key.push_str(spelling);
    }
    key
}

/// The parts of a name between spaces and marks, without remarks in brackets. Full stops and strokes stay in them.
fn parts(text: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(['(', '[']) {
        let (inside, after) = after.split_once([')', ']']).unwrap_or((after, ""));
        spaced.push_str(before);
        spaced.push(' ');
        let first = inside.split_whitespace().next().map(|word| folded(word).0).unwrap_or_default();
        if !words::is_remark(&first) {
            spaced.push_str(inside);
        }
        spaced.push(' ');
        rest = after;
    }
    spaced.push_str(rest);
    let mut clean = String::with_capacity(spaced.len());
    for c in spaced.chars() {
        match c {
            '\'' | '’' | '‘' | '`' | '´' | '™' | '®' | '©' => {}
            '&' | '+' => clean.push_str(" and "),
            '.' | '/' => clean.push(c),
            c if c.is_alphanumeric() || is_combining_mark(c) => clean.push(c),
            _ => clean.push(' '),
        }
    }
    clean.split_whitespace().map(str::to_owned).collect()
}

/// A part in words: `z.o.o.` and `A/S` are one, `Tiefbau/Hochbau` and `Store12` are two.
fn pieces(part: &str) -> Vec<String> {
    let (single, dotted) = (|piece: &str| piece.chars().count() == 1, part.contains('.'));
    let strokes: Vec<&str> = part.split('/').filter(|piece| !piece.is_empty()).collect();
    let part = match strokes.iter().all(|piece| single(piece)) {
        true => strokes.concat(),
        false => strokes.join(" "),
    };
    let mut pieces = Vec::new();
    for part in part.split(' ') {
        let segments: Vec<&str> = part.split('.').filter(|segment| !segment.is_empty()).collect();
        let letters = segments.len() > 1 && segments.iter().any(|segment| single(segment));
        let short = letters && segments.iter().all(|segment| segment.chars().count() <= 4);
        let stop = if dotted && part.ends_with('.') { "." } else { "" };
        if short {
            pieces.push(segments.concat());
        } else {
            let last = segments.len().saturating_sub(1);
            let with_stop = |(at, segment): (usize, &&str)| format!("{segment}{}", if at < last { "." } else { stop });
            pieces.extend(segments.iter().enumerate().map(with_stop));
        }
    }
    pieces.iter().flat_map(|piece| split_at_figures(piece)).collect()
}

/// Letters and figures apart, but for `1st` and the like.
fn split_at_figures(piece: &str) -> Vec<String> {
    let whole = piece.trim_end_matches('.').to_lowercase();
    if words::ordinal(&whole).is_some() {
        return vec![whole];
    }
    let mut pieces: Vec<String> = Vec::new();
    let mut figures = None;
    for c in piece.chars() {
        let is_figure = c.is_ascii_digit();
        match pieces.last_mut() {
            Some(last) if c == '.' || figures == Some(is_figure) => last.push(c),
            _ => pieces.push(c.to_string()),
        }
        if c != '.' {
            figures = Some(is_figure);
        }
    }
    pieces
}

/// `J P W` is `JPW` spelt with spaces.
fn initials_joined(words: Vec<Word>) -> Vec<Word> {
    let mut joined: Vec<Word> = Vec::new();
    let mut run = false;
    for word in words {
        let single = word.plain.chars().count() == 1 && word.kind != Kind::Number;
        match joined.last_mut() {
            Some(last) if run && single => *last = Word { cut: false, ..last.joined(&word) },
            _ => joined.push(word),
        }
        run = single;
    }
    joined
}

/// Takes legal forms off: at the end whatever is one there, elsewhere what can be nothing else; and the connectors between
/// words. A name that is nothing else stays as it is.
fn without_legal_form(all: Vec<Word>) -> Vec<Word> {
    let text = |words: &[Word]| words.iter().map(|word| word.plain.as_str()).collect::<Vec<_>>().join(" ");
    let mut words = all;
    let mut ended = false;
    while !ended {
        ended = true;
        for length in (1..=LONGEST_LEGAL_FORM).rev() {
            let Some(rest) = words.len().checked_sub(length).filter(|rest| *rest > 0) else { continue };
            let tail = words.get(rest..).map(text).unwrap_or_default();
            let dangling = length == 1 && words::is_connector(&tail) && tail.len() > 1;
            if words::is_legal_at_end(&tail) || dangling {
                words.truncate(rest);
                ended = false;
                break;
            }
        }
    }
    let of_itself = |word: &Word| !words::is_legal(&word.plain);
    if words.iter().any(|word| of_itself(word) && word.kind != Kind::Filler) {
        words.retain(of_itself);
    }
    let last = words.len().saturating_sub(1);
    let mut at = 0;
    words.retain(|word| {
        let between = at > 0 && at < last;
        at += 1;
        !(between && words::is_connector(&word.plain))
    });
    words
}

/// A word in lower case without diacritics, and with those that have one written out.
fn folded(text: &str) -> (String, String) {
    let (mut plain, mut written_out) = (String::new(), String::new());
    let mut both = |short: &str, long: &str| {
        plain.push_str(short);
        written_out.push_str(long);
    };
    let lower: String = text.nfkc().collect::<String>().to_lowercase();
    for c in lower.nfc() {
        match c {
            'ä' | 'æ' => both("a", "ae"),
            'ö' | 'ø' | 'œ' => both("o", "oe"),
            'ü' => both("u", "ue"),
            'å' => both("a", "aa"),
            'ß' => both("ss", "ss"),
            'þ' => both("th", "th"),
            'ð' | 'đ' => both("d", "d"),
            'ł' => both("l", "l"),
            'ı' => both("i", "i"),
            c => {
                let base: String = c.nfkd().filter(|c| c.is_alphanumeric()).collect();
                both(&base, &base);
            }
        }
    }
    (plain, written_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(text: &str) -> String {
        Name::all(text).first().and_then(|name| name.keys().next()).unwrap_or_default().to_owned()
    }

    fn same(one: &str, two: &str) -> bool {
        Name::all(one).iter().any(|one| Name::all(two).iter().any(|two| one.is(two)))
    }

    #[test]
    fn legal_form_case_punctuation_spaces_and_diacritics_do_not_count() {
        for (one, two) in [
            ("Müller Bau GmbH & Co. KG", "MUELLER BAU"),
            ("Müller Bau", "Muller-Bau Gesellschaft mit beschränkter Haftung"),
            ("Bäckerei Groß e.K.", "baeckerei gross"),
            ("Verein der Freunde e. V.", "Verein der Freunde"),
            ("The Acme Company", "ACME Co."),
            ("Smith & Sons, P.C.", "Smith and Sons PC"),
            ("O’Hara's Pub", "OHaras Pub"),
            ("Jansen B.V.", "jansen bv"),
            ("Ærø Færger A/S", "Aeroe Faerger"),
            ("Łódź Meble Sp. z o.o.", "Lodz Meble"),
            ("Dvořák spol. s r.o.", "Dvorak"),
            ("Café Noël S.A.S.", "cafe noel"),
            ("SARL Dupont", "Dupont"),
            ("Bondi Surf P/L", "Bondi Surf Pty. Ltd."),
            ("acme-dental.co.uk", "Acme Dental Ltd"),
            ("Weser Tec", "WeserTec"),
            ("Cafe\u{301} Noe\u{308}l", "Café Noël"),
            ("Blue Door Ltd t/a The Red Shed", "Red Shed"),
            ("Castle Tools (formerly Mere)", "Castle Tools"),
            ("1st Choice", "First Choice"),
            ("Werk II", "Werk 2"),
            ("ACME-042", "Acme 42"),
        ] {
            assert!(same(one, two), "{one} / {two}: {:?} {:?}", Name::all(one), Name::all(two));
        }
    }

    #[test]
    fn what_tells_names_apart_stays() {
        for (one, two) in [
            ("Bauer", "Baur"),
            ("Mueller", "Muller"),
            ("Store 12", "Store 14"),
            ("Store 1 2", "Store 12"),
            ("Nord AG", "Süd AG"),
            ("Werk II", "Werk III"),
            ("Weber Bau GmbH", "Weber Dach GmbH"),
            ("Casa", "Casa Nova"),
        ] {
            assert!(!same(one, two), "{one} / {two}");
        }
    }

    #[test]
    fn a_name_that_is_only_a_legal_form_or_a_number_is_still_a_name() {
        assert_eq!((key_of("Limited"), key_of("AG"), key_of("007")), ("limited".into(), "ag".into(), "7".into()));
        for nothing in ["", "  ", "---", "'", "()", "..."] {
            assert!(Name::all(nothing).is_empty(), "{nothing:?}");
        }
        assert_eq!(key_of("株式会社東京"), "株式会社東京");
    }
}
