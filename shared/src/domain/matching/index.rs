//! Finds, for a name, the few accounts that can be like it, so that not every company is compared with every account.
//!
//! An account is found by its whole name, by each of its words, by two of them written as one, by a word with one letter
//! left out, and by its initials. Words that very many accounts carry find none where another word does.

use std::collections::{BTreeMap, HashMap};

use super::likeness::is_mistyped;
use super::name::{Kind, Name, Word};

/// The most accounts that a name is compared with.
const MOST: usize = 48;
/// A word finds accounts only where so many or fewer carry it, unless nothing else finds any.
const COMMON: usize = 150;
/// The shortest word that is looked up with letters left out.
const SLIP: usize = 7;

/// Accounts by what finds them. An account is its place in the list.
#[derive(Debug, Default)]
pub(super) struct Index {
    keys: HashMap<String, Vec<usize>>,
    words: HashMap<String, Vec<usize>>,
    /// Words by what is left of them without one letter.
    slips: HashMap<String, Vec<String>>,
    initials: HashMap<String, Vec<usize>>,
}

impl Index {
    /// Of accounts' names.
    pub fn of<'a>(accounts: impl IntoIterator<Item = (usize, &'a Name)>) -> Self {
        let mut index = Self::default();
        for (account, name) in accounts {
            for key in name.keys() {
                add(&mut index.keys, key, account);
            }
            for spelling in spellings(name) {
                if !index.words.contains_key(&spelling) {
                    for rest in with_one_letter_less(&spelling) {
                        index.slips.entry(rest).or_default().push(spelling.clone());
                    }
                }
                add(&mut index.words, &spelling, account);
            }
            if let Some(initials) = name.initials() {
                add(&mut index.initials, &initials, account);
            }
        }
        index
    }

    /// The accounts to compare a name with, the most promising first.
    pub fn near(&self, name: &Name) -> Vec<usize> {
        let mut found: BTreeMap<usize, usize> = BTreeMap::new();
        let mut note = |accounts: &[usize], worth: usize| {
            for account in accounts {
                let noted = found.entry(*account).or_default();
                *noted = noted.saturating_add(worth);
            }
        };
        for key in name.keys() {
            note(list(&self.keys, key), 1_000_000);
        }
        let mut common: Vec<&[usize]> = Vec::new();
        let mut rare = false;
        for spelling in spellings(name) {
            for word in self.like(&spelling) {
                let accounts = list(&self.words, word);
                if accounts.len() > COMMON {
                    common.push(accounts);
                } else {
                    rare = true;
                    note(accounts, 100_000 / (accounts.len() + 10));
                }
            }
        }
        if !rare {
            common.iter().for_each(|accounts| note(accounts, 100_000 / (accounts.len() + 10)));
        }
        if let [Word { plain, .. }] = name.words.as_slice() {
            note(list(&self.initials, plain), 1_000);
        }
        if let Some(initials) = name.initials() {
            note(list(&self.words, &initials), 1_000);
        }
        let mut found: Vec<(usize, usize)> = found.into_iter().map(|(account, worth)| (worth, account)).collect();
        found.sort_by_key(|(worth, account)| (std::cmp::Reverse(*worth), *account));
        found.into_iter().take(MOST).map(|(_, account)| account).collect()
    }

    /// The accounts' words that a word may be: itself, its plural, and what it is with one slip.
    fn like<'a>(&'a self, word: &'a str) -> Vec<&'a str> {
        let mut like = vec![word];
        let mut add = |other: &'a str| {
            let is_plural = other.strip_suffix('s') == Some(word) || word.strip_suffix('s') == Some(other);
            if other != word && (is_plural || is_mistyped(word, other)) {
                like.push(other);
            }
        };
        for rest in with_one_letter_less(word).iter().map(String::as_str).chain([word]) {
            self.slips.get(rest).into_iter().flatten().for_each(|other| add(other));
        }
        if let Some(singular) = word.strip_suffix('s').filter(|singular| self.words.contains_key(*singular)) {
            add(singular);
        }
        like.sort_unstable();
        like.dedup();
        like
    }
}

fn list<'a>(lists: &'a HashMap<String, Vec<usize>>, key: &str) -> &'a [usize] {
    lists.get(key).map(Vec::as_slice).unwrap_or_default()
}

fn add(lists: &mut HashMap<String, Vec<usize>>, key: &str, account: usize) {
    let accounts = lists.entry(key.to_owned()).or_default();
    if accounts.last() != Some(&account) {
        accounts.push(account);
    }
}

/// Every spelling of its words, and of each two next to each other as one. Fillers find nothing.
fn spellings(name: &Name) -> Vec<String> {
    let single = name.words.iter().filter(|word| word.kind != Kind::Filler).cloned();
    let pairs = name.words.windows(2).filter_map(|pair| match pair {
        [one, two] => Some(one.joined(two)),
        _ => None,
    });
    let words: Vec<Word> = single.chain(pairs).collect();
    let mut spellings: Vec<String> = words.iter().flat_map(Word::spellings).map(str::to_owned).collect();
    spellings.sort_unstable();
    spellings.dedup();
    spellings
}

/// A long word without each of its letters in turn, and a word without its plural.
fn with_one_letter_less(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    if letters.len() < SLIP {
        return word.strip_suffix('s').filter(|_| letters.len() > 4).map(str::to_owned).into_iter().collect();
    }
    let without = |left_out: usize| -> String {
        letters.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, letter)| *letter).collect()
    };
    let mut rests: Vec<String> = (0..letters.len()).map(without).collect();
    rests.dedup();
    rests
}
