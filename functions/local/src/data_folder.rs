//! The data folder: everything that one machine keeps, for one process at a time.
//!
//! Owns the folder's lock and who may look into it; the files in it are `embedded`'s, `sealed_secrets`' and `tokens`'. The
//! lock is the operating system's, so it ends with the process however that ends. Because of it a lease that another
//! instance left in the store is surely that of a dead one.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// File that is locked; it tells the process id of whoever holds it.
const LOCK: &str = "tallyline.lock";
/// The owner's alone.
const MODE: u32 = 0o700;

/// A data folder that this process has for itself until the value is dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
    _temporary: Option<TempDir>,
}

/// Why a folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// Another process has it.
    #[error("{folder} is in use by another tallyline process{}; stop that one first, or choose another folder with --data", of(.process))]
    InUse {
        /// The folder.
        folder: String,
        /// The process, where it said who it is.
        process: Option<String>,
    },
    /// It is somebody's folder, and not one of ours that we may close to others.
    #[error(
        "{0} holds other files and is open to others than its owner; choose an empty folder, or close it (chmod 700)"
    )]
    NotOurs(String),
    /// There is no such folder.
    #[error("{0} is no data folder; name the one that `tallyline serve --data` was given")]
    Missing(String),
    /// The file system refuses.
    #[error("{folder} can't be used as data folder: {error}")]
    Io {
        /// The folder.
        folder: String,
        /// What it said.
        error: io::Error,
    },
}

fn of(process: &Option<String>) -> String {
    process.as_ref().map(|id| format!(" (process {id})")).unwrap_or_default()
}

impl DataFolder {
    /// Takes `path`, which is made where there is none, and closes it to others.
    ///
    /// # Errors
    /// Another process has it, it is not ours to close, or the file system refuses.
    pub fn open(path: &Path) -> Result<Self, DataFolderError> {
        let failed = |error| DataFolderError::Io { folder: path.display().to_string(), error };
        DirBuilder::new().recursive(true).mode(MODE).create(path).map_err(failed)?;
        if std::fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0 {
            // Never on a folder such as a home or /tmp that was named by mistake.
            if !ours(path).map_err(failed)? {
                return Err(DataFolderError::NotOurs(path.display().to_string()));
            }
            std::fs::set_permissions(path, Permissions::from_mode(MODE)).map_err(failed)?;
        }
        let lock = lock(path)?;
        Ok(Self { path: path.to_owned(), _lock: lock, _temporary: None })
    }

    /// A fresh folder that is gone when the value is dropped.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn temporary() -> Result<Self, DataFolderError> {
        let failed = |error| DataFolderError::Io { folder: std::env::temp_dir().display().to_string(), error };
        let folder = tempfile::Builder::new().prefix("tallyline-").permissions(Permissions::from_mode(MODE)).tempdir();
        let folder = folder.map_err(failed)?;
        Ok(Self { _temporary: None, ..Self::open(folder.path())? }.kept_by(folder))
    }

    fn kept_by(self, folder: TempDir) -> Self {
        Self { _temporary: Some(folder), ..self }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A folder that is or was a data folder, to look into even while another process has it.
///
/// # Errors
/// There is no such folder.
pub fn existing(path: &Path) -> Result<&Path, DataFolderError> {
    if path.join(LOCK).is_file() { Ok(path) } else { Err(DataFolderError::Missing(path.display().to_string())) }
}

/// Whether the folder is empty or was a data folder before.
fn ours(path: &Path) -> io::Result<bool> {
    Ok(path.join(LOCK).exists() || std::fs::read_dir(path)?.next().is_none())
}

fn lock(path: &Path) -> Result<File, DataFolderError> {
    let failed = |error| DataFolderError::Io { folder: path.display().to_string(), error };
    let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).clone();
    let mut file = options.open(path.join(LOCK)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).map_err(failed)?;
            write!(file, "{}", std::process::id()).map_err(failed)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            // Only for the message: a lock that was just taken may not say yet by whom.
            let read = file.read_to_string(&mut process);
            let process = Some(process).filter(|id| read.is_ok() && !id.is_empty());
            Err(DataFolderError::InUse { folder: path.display().to_string(), process })
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_folder_is_had_by_one_at_a_time_and_closed_to_others() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a").join("b");
        let first = DataFolder::open(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        let refused = DataFolder::open(&path).unwrap_err().to_string();
        assert!(
            refused.contains(&format!("in use by another tallyline process (process {})", std::process::id())),
            "{refused}"
        );
        drop(first);
        DataFolder::open(&path).unwrap();
    }

    #[test]
    fn a_folder_of_somebody_else_is_not_closed_but_refused() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::set_permissions(parent.path(), Permissions::from_mode(0o755)).unwrap();
        std::fs::write(parent.path().join("letter.txt"), "x").unwrap();
        assert!(matches!(DataFolder::open(parent.path()), Err(DataFolderError::NotOurs(_))));
        assert_eq!(mode(parent.path()), 0o755);
        std::fs::remove_file(parent.path().join("letter.txt")).unwrap();
        DataFolder::open(parent.path()).unwrap();
        assert_eq!(mode(parent.path()), 0o700);
    }

    #[test]
    fn a_temporary_folder_goes_with_its_value() {
        let folder = DataFolder::temporary().unwrap();
        let path = folder.path().to_owned();
        assert_eq!(mode(&path), 0o700);
        drop(folder);
        assert!(!path.exists());
    }
}
