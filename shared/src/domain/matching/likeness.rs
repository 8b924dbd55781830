//! How alike two names are that are not one: by the words that they share, each worth as much as it is rare.
//!
//! A word that only one of the two has speaks against it; where both have one that the other lacks ("Weber Bau" and "Weber
//! Dach") it speaks against it twice, and numbers that differ settle it. All in whole numbers, a thousand for alike.

use std::collections::HashMap;

use super::name::{Kind, Name, Word};

/// What two words that are one are alike.
const ALIKE: u32 = 1_000;
/// Two ways to write one sound, a plural.
const SPELT_OTHERWISE: u32 = 950;
/// One slip of the keys in a long word.
const MISTYPED: u32 = 900;
/// An abbreviation with its full stop, and the word that begins so.
const CUT: u32 = 900;
/// A single letter, and a word that begins with it.
const INITIAL: u32 = 800;

/// The shortest word in which a letter left out or turned round is taken for a slip, and one in which another letter is.
const SLIP: usize = 8;
const OTHER_LETTER: usize = 9;

/// The most that names are alike that are not one.
pub(super) const MOST: u32 = 940;
/// The most that names are alike whose numbers differ.
const OTHER_NUMBERS: u32 = 300;
/// What a name and its initials are alike: many names have the same ones.
const INITIALS: u32 = 500;
/// Letters of an abbreviation that is made of initials.
const ABBREVIATION: std::ops::RangeInclusive<usize> = 2..=5;

/// How many names carry a word, of how many.
#[derive(Debug, Default)]
pub(super) struct Rarity {
    names: u32,
    carried_by: HashMap<String, u32>,
}

/// What two names were found to have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Likeness {
    /// 0 to [`MOST`].
    pub score: u32,
    /// The words of both, as the one and the other spell them.
    pub shared: Vec<(String, String)>,
    /// Telling words of the one alone.
    pub only_one: Vec<String>,
    /// Telling words of the other alone.
    pub only_other: Vec<String>,
    /// Whether both have numbers, and others.
    pub other_numbers: bool,
    /// Whether the one is the other's initials.
    pub initials: bool,
}

impl Rarity {
    /// Of the words of `names`.
    pub fn among<'a>(names: impl IntoIterator<Item = &'a Name>) -> Self {
        let mut rarity = Self::default();
        for name in names {
            rarity.names = rarity.names.saturating_add(1);
            let mut words: Vec<&str> = name.words.iter().map(|word| word.plain.as_str()).collect();
            words.sort_unstable();
            words.dedup();
            for word in words {
                match rarity.carried_by.get_mut(word) {
                    Some(count) => *count = count.saturating_add(1),
                    None => drop(rarity.carried_by.insert(word.to_owned(), 1)),
                }
            }
        }
        rarity
    }

    /// What a word is worth: 1 for a filler, about 40 for one that nobody else carries.
    fn weight(&self, word: &Word) -> u32 {
        let carried_by = self.carried_by.get(&word.plain).copied().unwrap_or(0).max(1);
        // A small PSA's names say little of how common a word is.
        let rare = quarters(self.names.saturating_add(100)).saturating_sub(quarters(carried_by.saturating_add(1)));
        match word.kind {
            Kind::Telling => 8 + rare,
            Kind::Place => 2 * (8 + rare),
            Kind::Generic => (8 + rare) / 4,
            Kind::Filler => 1,
            // Years and customer numbers tell less than the number of a branch, which differs where it matters.
            Kind::Number if word.plain.len() > 3 => 4,
            Kind::Number => 12,
        }
    }
}

/// Four times the binary logarithm.
fn quarters(count: u32) -> u32 {
    u128::from(count).pow(4).checked_ilog2().unwrap_or(0)
}

impl Likeness {
    /// Of two names.
    pub fn between(one: &Name, other: &Name, rarity: &Rarity) -> Self {
        let (words, others) = (joined_like(&one.words, &other.words), joined_like(&other.words, &one.words));
        let pairs = paired(&words, &others);
        let weigh = |words: &[Word]| -> Vec<u32> {
            words.iter().map(|word| if is_initials_of_rest(word, words) { 1 } else { rarity.weight(word) }).collect()
        };
        let (weights, other_weights) = (weigh(&words), weigh(&others));
        let mut free = weights.clone();
        let mut other_free = other_weights.clone();
        let mut both = 0;
        let mut shared = Vec::new();
        for (at, other_at, alike) in pairs {
            let (Some(weight), Some(other)) = (free.get_mut(at), other_free.get_mut(other_at)) else { continue };
            both += (*weight + *other) * alike / ALIKE;
            (*weight, *other) = (0, 0);
            let (Some(word), Some(other)) = (words.get(at), others.get(other_at)) else { continue };
            if word.kind != Kind::Filler {
                shared.push((word.plain.clone(), other.plain.clone()));
            }
        }
        let (left, other_left): (u32, u32) = (free.iter().sum(), other_free.iter().sum());
        let all = weights.iter().chain(&other_weights).sum::<u32>().max(1);
        let against = 2 * left.min(other_left);
        let numbers = |words: &[Word], free: &[u32]| {
            words.iter().zip(free).any(|(word, free)| word.kind == Kind::Number && *free > 0)
        };
        let other_numbers = numbers(&words, &free) && numbers(&others, &other_free);
        let initials = is_initials(one, other) || is_initials(other, one);
        let mut score = both.saturating_sub(against) * MOST / all;
        if initials {
            score = score.max(INITIALS);
        }
        if other_numbers {
            score = score.min(OTHER_NUMBERS);
        }
        let alone = |words: &[Word], free: &[u32]| {
            let telling = words.iter().zip(free).filter(|(word, free)| **free > 0 && word.kind != Kind::Filler);
            telling.map(|(word, _)| word.plain.clone()).collect()
        };
        let (only_one, only_other) = (alone(&words, &free), alone(&others, &other_free));
        Self { score, shared, only_one, only_other, other_numbers, initials }
    }
}

/// `words` with those next to each other joined that `others` write as one.
fn joined_like(words: &[Word], others: &[Word]) -> Vec<Word> {
    let mut joined: Vec<Word> = Vec::with_capacity(words.len());
    for word in words {
        let both = joined.last().map(|last| last.joined(word));
        let one = both.filter(|both| others.iter().any(|other| other.is(both)));
        match (joined.last_mut(), one) {
            (Some(last), Some(one)) => *last = one,
            _ => joined.push(word.clone()),
        }
    }
    joined
}

/// Which words of the one are which of the other: the best pairs first, each word once.
fn paired(words: &[Word], others: &[Word]) -> Vec<(usize, usize, u32)> {
    let mut pairs = Vec::new();
    for (at, word) in words.iter().enumerate() {
        for (other_at, other) in others.iter().enumerate() {
            let alike = alike(word, other);
            if alike > 0 {
                pairs.push((at, other_at, alike));
            }
        }
    }
    pairs.sort_by_key(|(at, other_at, alike)| (std::cmp::Reverse(*alike), at.abs_diff(*other_at), *at));
    let mut taken: Vec<(usize, usize, u32)> = Vec::new();
    for pair in pairs {
        if !taken.iter().any(|(at, other_at, _)| *at == pair.0 || *other_at == pair.1) {
            taken.push(pair);
        }
    }
    taken
}

fn alike(one: &Word, other: &Word) -> u32 {
    if one.is(other) {
        return ALIKE;
    }
    if one.kind == Kind::Number || other.kind == Kind::Number {
        return 0;
    }
    let spelt_otherwise = folded(&one.plain) == folded(&other.plain) || is_plural(&one.plain, &other.plain);
    match () {
        () if spelt_otherwise => SPELT_OTHERWISE,
        () if one.spellings().any(|one| other.spellings().any(|other| is_mistyped(one, other))) => MISTYPED,
        () if begins(one, other) || begins(other, one) => CUT,
        () if is_initial(one, other) || is_initial(other, one) => INITIAL,
        () => 0,
    }
}

/// `ae` and `a`, `oe` and `o` and so on as one, as they are in names that somebody wrote out who should not have.
fn folded(word: &str) -> String {
    word.replace("ae", "a").replace("oe", "o")
}

fn is_plural(one: &str, other: &str) -> bool {
    let plural = |one: &str, other: &str| one.len() > 3 && other.strip_suffix('s') == Some(one) && !one.ends_with('s');
    plural(one, other) || plural(other, one)
}

fn begins(cut: &Word, word: &Word) -> bool {
    cut.cut && cut.plain.len() > 1 && word.plain.len() > cut.plain.len() && word.plain.starts_with(&cut.plain)
}

fn is_initial(letter: &Word, word: &Word) -> bool {
    let mut letters = letter.plain.chars();
    let (first, more) = (letters.next(), letters.next());
    more.is_none() && word.kind == Kind::Telling && word.plain.chars().next() == first
}

/// Whether two long words differ by one letter that was left out or turned round with the next, or in longer words by one
/// that is another. In short ones that is another word: `Maier` and `Meier`.
pub(super) fn is_mistyped(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    if long.len() < SLIP || long.len() - short.len() > 1 {
        return false;
    }
    let same = short.iter().zip(&long).take_while(|(one, other)| one == other).count();
    let rest = |word: &[char], from: usize| word.get(from..).map(<[char]>::to_vec).unwrap_or_default();
    if short.len() < long.len() {
        return rest(&short, same) == rest(&long, same + 1);
    }
    let turned = short.get(same) == long.get(same + 1) && short.get(same + 1) == long.get(same);
    (turned && rest(&short, same + 2) == rest(&long, same + 2))
        || (long.len() >= OTHER_LETTER && same > 0 && rest(&short, same + 1) == rest(&long, same + 1))
}

/// Whether `one` is a single word made of the first letters of `other`.
fn is_initials(one: &Name, other: &Name) -> bool {
    let [word] = one.words.as_slice() else { return false };
    ABBREVIATION.contains(&word.plain.chars().count())
        && other.initials().is_some_and(|initials| initials == word.plain)
}

/// Whether a short word stands for the words beside it: `WHT` in `WHT Wolfsburger Haustechnik`.
fn is_initials_of_rest(word: &Word, words: &[Word]) -> bool {
    if !word.capitals || !ABBREVIATION.contains(&word.plain.chars().count()) {
        return false;
    }
    let rest: Vec<&Word> =
        words.iter().filter(|other| other.plain != word.plain && other.kind != Kind::Filler).collect();
    let Some(first) = rest.first() else { return false };
    let mut letters = rest.iter().flat_map(|rest| rest.plain.chars());
    let in_order = word.plain.chars().all(|wanted| letters.any(|letter| letter == wanted));
    in_order && word.plain.chars().next() == first.plain.chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(one: &str, other: &str) -> u32 {
        let names = [Name::all(one), Name::all(other)].concat();
        let [one, other] = names.as_slice() else { panic!("{names:?}") };
        Likeness::between(one, other, &Rarity::default()).score
    }

    #[test]
    fn one_slip_in_a_long_word_is_a_slip_and_in_a_short_one_another_word() {
        for (one, other) in [("consulting", "consluting"), ("logistics", "logistcs"), ("lindqvist", "lindquist")] {
            assert!(is_mistyped(one, other) && is_mistyped(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("maier", "meier"),
            ("schmidt", "schmitt"),
            ("barker", "baker"),
            ("consulting", "consultant"),
            ("hillside", "hilltop"),
            ("petersen", "pedersen"),
        ] {
            assert!(!is_mistyped(one, other), "{one} {other}");
        }
    }

    #[test]
    fn words_that_both_lack_speak_against_it_more_than_words_that_one_lacks() {
        let subset = score("Weber Bau", "Weber");
        let twins = score("Weber Bau", "Weber Dach");
        assert!(twins < 100, "each word that differs speaks against one that agrees: {twins}");
        assert!(twins < subset && subset < score("Weber Bau Services", "Bau Weber"), "{twins} {subset}");
        assert!(score("Burger Barn Store 12", "Burger Barn Store 14") <= OTHER_NUMBERS);
    }

    #[test]
    fn initials_are_seen_and_prove_little() {
        assert_eq!(score("BTS", "Bergmann Technik Service GmbH"), INITIALS);
        assert!(score("WHT Wolfsburger Haustechnik", "Wolfsburger Haustechnik Betrieb") > 0);
        let names = Name::all("WHT Wolfsburger Haustechnik");
        let words = &names[0].words;
        assert!(is_initials_of_rest(&words[0], words) && !is_initials_of_rest(&words[1], words));
    }
}
