//! Everything that this test process logs, at every level, kept so that a test can search it.

use std::io;
use std::sync::{Mutex, Once, PoisonError};

static KEPT: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static STARTED: Once = Once::new();

/// Begins to keep the log lines of all crates.
pub fn keep() {
    STARTED.call_once(|| {
        let lines =
            tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false).with_writer(|| Keeper);
        // Another subscriber would mean that nothing is kept; `text` then finds nothing and its user fails.
        lines.try_init().ok();
    });
}

/// All lines so far.
#[must_use]
pub fn text() -> String {
    String::from_utf8_lossy(&KEPT.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

struct Keeper;

impl io::Write for Keeper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        KEPT.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
