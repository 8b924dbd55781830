//! What goes wrong on the way to a host that a user named: a code, an explanation and a repair, all in our words.
//!
//! None of these values can hold anything that the host answered, or that the user typed: they are plain enumerations,
//! so neither their `Display` nor their `Debug` can leak. What a status means is said by the connector.

/// What is wrong with a host name that somebody typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HostFault {
    /// Nothing was typed.
    Empty,
    /// Longer than a name of DNS can be: 253 characters in all, 63 between two dots.
    TooLong,
    /// Holds a control character, such as a line break.
    ControlCharacter,
    /// Has a scheme other than `https://`, a port, a user, a path, a query or a fragment.
    MoreThanAName,
    /// Ends in a dot.
    TrailingDot,
    /// Not a host name of DNS: a character that no host name has, or fewer than two labels.
    NotAName,
    /// An IP address, in whatever spelling.
    IpAddress,
    /// A name that means this machine or this network (`localhost`, `.local`, `.internal`).
    LocalName,
    /// A name, but none of the vendor's.
    NotTheVendors,
}

impl HostFault {
    fn words(self) -> [&'static str; 3] {
        const MALFORMED: &str = "host_malformed";
        const NOT_ALLOWED: &str = "host_not_allowed";
        const NAME_ONLY: &str = "Send the host name alone, as in bms.kaseya.com.";
        const THE_VENDORS: &str = "Send the host name at which you log in to the vendor's service. If it is right, ask \
                                   the operator to allow it.";
        match self {
            Self::Empty => [MALFORMED, "The host name is empty.", NAME_ONLY],
            Self::TooLong => [MALFORMED, "The host name is longer than host names can be.", NAME_ONLY],
            Self::ControlCharacter => {
                [MALFORMED, "The host name holds a control character, such as a line break.", NAME_ONLY]
            }
            Self::MoreThanAName => [
                MALFORMED,
                "This is more than a host name: it holds a scheme, a port, a user, a path or a space.",
                NAME_ONLY,
            ],
            Self::TrailingDot => [MALFORMED, "The host name ends in a dot.", "Leave the dot at the end out."],
            Self::NotAName => [MALFORMED, "This is not a complete host name.", NAME_ONLY],
            Self::IpAddress => [NOT_ALLOWED, "This is an IP address. Only host names are called.", THE_VENDORS],
            Self::LocalName => [NOT_ALLOWED, "This name means a host of a private network.", THE_VENDORS],
            Self::NotTheVendors => [NOT_ALLOWED, "This is not a host of the vendor.", THE_VENDORS],
        }
    }
}

/// Why a call to a host that a user named has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}: {}", self.code(), self.explanation())]
pub enum HttpError {
    /// The host name is malformed or not allowed.
    Host(HostFault),
    /// The name leads only to addresses that are not of the public internet.
    AddressNotAllowed,
    /// The name has no address, or no connection could be made within the time for it.
    Unreachable,
    /// The host did not prove who it is, or does not speak TLS.
    TlsFailed,
    /// No whole answer within the time for one.
    TimedOut,
    /// The connection broke off before the whole answer was read.
    ConnectionLost,
    /// The answer is longer than is read.
    AnswerTooLarge,
    /// The request can't be written down: a credential holds a line break, for one.
    RequestMalformed,
    /// This machine can't make secure connections.
    ClientFailed,
}

impl HttpError {
    /// Stable name, `snake_case`: `host_not_allowed`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.words()[0]
    }

    /// What happened, in words for the partner.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        self.words()[1]
    }

    /// What to do about it.
    #[must_use]
    pub fn fix(self) -> &'static str {
        self.words()[2]
    }

    /// Whether the request surely did not leave this machine. Otherwise nobody knows what became of it.
    #[must_use]
    pub fn surely_not_sent(self) -> bool {
        match self {
            Self::Host(_)
            | Self::AddressNotAllowed
            | Self::Unreachable
            | Self::TlsFailed
            | Self::RequestMalformed
            | Self::ClientFailed => true,
            Self::TimedOut | Self::ConnectionLost | Self::AnswerTooLarge => false,
        }
    }

    fn words(self) -> [&'static str; 3] {
        const WAIT: &str = "Nothing: the next run tries again. If it stays, look at the vendor's status page.";
        const CHECK_HOST: &str = "Check the host name. If it is right, ask the vendor.";
        match self {
            Self::Host(fault) => fault.words(),
            Self::AddressNotAllowed => [
                "host_address_not_allowed",
                "The host name leads to a private or reserved address, and those are not called.",
                CHECK_HOST,
            ],
            Self::Unreachable => [
                "host_unreachable",
                "No connection to the host could be made.",
                "Check the host name. If it is right, the next run tries again.",
            ],
            Self::TlsFailed => {
                ["tls_failed", "The host did not prove with a valid certificate that it is the one named.", CHECK_HOST]
            }
            Self::TimedOut => ["timed_out", "The host did not answer in time.", WAIT],
            Self::ConnectionLost => {
                ["connection_lost", "The connection broke off before the whole answer was read.", WAIT]
            }
            Self::AnswerTooLarge => {
                ["answer_too_large", "The host's answer is longer than Tallyline reads.", CHECK_HOST]
            }
            Self::RequestMalformed => [
                "request_malformed",
                "A credential or an id holds a character that can't be sent.",
                "Copy the credentials again, without line breaks, and send them again.",
            ],
            Self::ClientFailed => [
                "http_client_failed",
                "This machine can't make secure connections.",
                "Install the system's root certificates.",
            ],
        }
    }
}

impl From<HostFault> for HttpError {
    fn from(fault: HostFault) -> Self {
        Self::Host(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_its_code_and_its_explanation() {
        assert_eq!(HttpError::TimedOut.to_string(), "timed_out: The host did not answer in time.");
        assert_eq!(
            HttpError::from(HostFault::NotTheVendors).to_string(),
            "host_not_allowed: This is not a host of the vendor."
        );
    }
}
