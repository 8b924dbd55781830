//! Bearer tokens that a simulated vendor has given out.
//!
//! Owns until when each is good, and what it was given for. Who gets one, and what it opens, is each vendor's affair.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// The tokens of one vendor. `G` is what one was given for.
#[derive(Clone)]
pub(crate) struct Tokens<G> {
    given: BTreeMap<String, Given<G>>,
}

#[derive(Clone)]
struct Given<G> {
    grant: G,
    ends: Timestamp,
}

impl<G> Default for Tokens<G> {
    fn default() -> Self {
        Self { given: BTreeMap::new() }
    }
}

/// Says how many there are, and none of them.
impl<G> std::fmt::Debug for Tokens<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("given", &self.given.len()).finish_non_exhaustive()
    }
}

impl<G> Tokens<G> {
    /// Gives out a token that nobody had before.
    pub(crate) fn give(&mut self, grant: G, life: SignedDuration, now: Timestamp) -> String {
        let token = format!("simulated-token-{}", self.given.len() + 1);
        let ends = now.checked_add(life).unwrap_or(now);
        self.given.insert(token.clone(), Given { grant, ends });
        token
    }

    /// What a token was given for; none where it has ended or is nobody's.
    pub(crate) fn grant(&self, token: &str, now: Timestamp) -> Option<&G> {
        self.given.get(token).filter(|given| now < given.ends).map(|given| &given.grant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_token_stands_for_what_it_was_given_for_until_it_ends() {
        let mut tokens = Tokens::default();
        let life = SignedDuration::from_secs(60);
        let (one, other) = (tokens.give("one", life, at(0)), tokens.give("other", life, at(30)));
        assert_eq!(tokens.grant(&one, at(59)), Some(&"one"));
        assert_eq!(tokens.grant(&one, at(60)), None);
        assert_eq!(tokens.grant(&other, at(60)), Some(&"other"));
        assert_eq!(tokens.grant("", at(0)), None);
    }

    #[test]
    fn no_token_is_shown() {
        let mut tokens = Tokens::default();
        let token = tokens.give((), SignedDuration::from_secs(60), at(0));
        assert!(!format!("{tokens:?}").contains(&token));
    }
}
