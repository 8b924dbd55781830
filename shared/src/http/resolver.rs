//! The look-up within the connection: what it lets through is all that is ever connected to.
//!
//! A check before the call would look the name up a second time, and the second answer may be another (DNS rebinding).
//! So the filter stands where the connection gets its addresses from. All answers are filtered; where none is left, no
//! connection is made. An address instead of a name would not come by here: `host` refuses those.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Looks names up.
#[async_trait]
pub(super) trait Lookup: Send + Sync + 'static {
    /// All addresses of `name`.
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's own look-up.
pub(super) struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        // The dot keeps the system from trying the name below its search domains, such as a private network's. A name of
        // one label (a simulator at `localhost`) is looked up as it is.
        let rooted = if name.contains('.') { format!("{name}.") } else { name.to_owned() };
        Ok(tokio::net::lookup_host((rooted.as_str(), 0)).await?.map(|address| address.ip()).collect())
    }
}

/// The name leads only to addresses that are not permitted.
#[derive(Debug, thiserror::Error)]
#[error("no address of the host is permitted")]
pub(super) struct NonePermitted;

/// A look-up and its filter.
pub(super) struct Filtered {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) permits: fn(IpAddr) -> bool,
}

impl Resolve for Filtered {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, permits) = (Arc::clone(&self.lookup), self.permits);
        Box::pin(async move {
            let found = lookup.addresses(name.as_str()).await?;
            if found.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            let permitted: Vec<_> = found.into_iter().filter(|address| permits(*address)).collect();
            if permitted.is_empty() {
                return Err(NonePermitted.into());
            }
            // Port 0 stands for the port of the address that is called.
            Ok(Box::new(permitted.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}
