//! A simulated issuer of tokens (OpenID Connect): discovery, code flow with PKCE, keys, signing out.
//!
//! Nobody types a password here: whoever comes is the [`Account`] that is set at the moment, and is sent back at once. It is as
//! strict as an issuer may be about the client, the callback, the code and its verifier, and gives out tokens that are wrong in
//! one way ([`Wrong`]) when it is told to.

mod keys;
mod routes;
mod state;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use url::Url;

use crate::clock::Clock;
use crate::server::Server;
pub use keys::Kind;
use state::State;

/// As what a client is registered where a test says nothing else.
pub const SAMPLE_CLIENT_ID: &str = "console";
/// For whom access tokens are where a test says nothing else.
pub const SAMPLE_AUDIENCE: &str = "tallyline-api";

/// Somebody who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// `sub` of the tokens.
    pub subject: String,
    /// `partner_id` of the access token; none where it says nothing.
    pub partner: Option<String>,
    /// `scope` of the access token.
    pub scope: String,
}

/// One of the two tokens that a code is exchanged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// Says who signed in.
    Id,
    /// Opens the API.
    Access,
}

/// What is wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It has the nonce of another sign-in.
    Nonce,
    /// It is for somebody else.
    Audience,
    /// It was given to somebody else.
    AuthorizedParty,
    /// It names another issuer.
    Issuer,
    /// Its time is over since two minutes.
    Expired,
    /// Its time comes in two minutes.
    Early,
    /// Its key is in no key set.
    UnknownKey,
    /// Its signature is of another key than it names.
    Forged,
    /// Its claims were changed after it was signed.
    Tampered,
    /// The public key signed it, as if it were a secret (HS256).
    SignedWithPublicKey,
    /// Nothing signed it (`alg` none).
    Unsigned,
    /// It is no JWT at all.
    Opaque,
}

impl Wrong {
    /// Every one.
    pub const ALL: [Self; 12] = [
        Self::Nonce,
        Self::Audience,
        Self::AuthorizedParty,
        Self::Issuer,
        Self::Expired,
        Self::Early,
        Self::UnknownKey,
        Self::Forged,
        Self::Tampered,
        Self::SignedWithPublicKey,
        Self::Unsigned,
        Self::Opaque,
    ];
}

/// An issuer that was not started yet.
#[derive(Debug, Clone)]
pub struct Setup {
    clock: Clock,
    kind: Kind,
    client: String,
    secret: Option<String>,
    listen: SocketAddr,
}

impl Setup {
    /// Tells the time by another clock than the machine's.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Signs with keys of another kind than RSA.
    #[must_use]
    pub fn keys(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// Asks the client for a secret; without one it is a public client.
    #[must_use]
    pub fn secret(self, secret: &str) -> Self {
        Self { secret: Some(secret.to_owned()), ..self }
    }

    /// Listens on an address instead of a free loopback port.
    #[must_use]
    pub fn listen(self, listen: SocketAddr) -> Self {
        Self { listen, ..self }
    }

    /// Starts it on the current tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound, or no key be made.
    pub async fn start(self) -> io::Result<Issuer> {
        let state = State::new(self.kind, self.client, self.secret, self.clock).map_err(io::Error::other)?;
        let state = Arc::new(Mutex::new(state));
        let server = Server::start(self.listen, routes::router(Arc::clone(&state))).await?;
        let issuer = Issuer { server, state };
        issuer.lock().base = issuer.base().as_str().trim_end_matches('/').to_owned();
        Ok(issuer)
    }
}

/// A running issuer.
#[derive(Debug)]
pub struct Issuer {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl Issuer {
    /// One to be started: RSA keys, a public client.
    #[must_use]
    pub fn setup() -> Setup {
        Setup {
            clock: Clock::system(),
            kind: Kind::Rsa,
            client: SAMPLE_CLIENT_ID.to_owned(),
            secret: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        }
    }

    /// Where it listens.
    ///
    /// # Panics
    /// Never: an address and a port are a URL.
    #[must_use]
    #[allow(clippy::expect_used, reason = "an address and a port are a URL")]
    pub fn base(&self) -> Url {
        format!("http://{}", self.server.address()).parse().expect("a URL")
    }

    /// As its tokens name it.
    #[must_use]
    pub fn name(&self) -> String {
        self.lock().base.clone()
    }

    /// Sends browsers back to `address` from now on, and to no other one.
    pub fn register(&self, address: &str) {
        self.lock().address = address.trim_end_matches('/').to_owned();
    }

    /// Whoever signs in from now on is this one.
    pub fn account(&self, subject: &str, partner: Option<&str>, scope: &str) {
        let (subject, partner, scope) = (subject.to_owned(), partner.map(str::to_owned), scope.to_owned());
        self.lock().account = Account { subject, partner, scope };
    }

    /// Lets nobody in from now on, or everybody again.
    pub fn deny(&self, denies: bool) {
        self.lock().denies = denies;
    }

    /// Gives out tokens with this fault from now on, or sound ones again.
    pub fn give_wrong(&self, wrong: Option<(Token, Wrong)>) {
        self.lock().wrong = wrong;
    }

    /// Gives out access tokens that name their client and no audience from now on, as Cognito's do.
    pub fn name_client_in_place_of_audience(&self, client: &str) {
        self.lock().access_client = Some(client.to_owned());
    }

    /// Signs with a new key from now on; the old one is in the key set no more.
    ///
    /// # Errors
    /// No key can be made.
    pub fn change_key(&self) -> io::Result<()> {
        self.lock().change_key().map_err(io::Error::other)
    }

    /// Takes no connections from now on, or takes them again.
    pub async fn refuse(&self, refused: bool) {
        self.server.refuse(refused).await;
    }

    /// The paths that were asked for, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.lock().asked.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
