//! Ids in the form of UUIDs, the same on every machine.

/// The id of the thing with this number among those of its `kind`.
pub(crate) fn guid(kind: u8, number: i64) -> String {
    format!("00000000-0000-4000-80{kind:02x}-{number:012}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_of_two_kinds_or_numbers_never_share_an_id() {
        assert_eq!(guid(1, 42), "00000000-0000-4000-8001-000000000042");
        assert_ne!(guid(1, 42), guid(2, 42));
        assert_ne!(guid(1, 42), guid(1, 43));
    }
}
