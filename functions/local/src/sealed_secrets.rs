//! Secrets on one machine: a sealed file each, under a key that only the owner may read.
//!
//! AES-256-GCM with a fresh nonce, bound to the secret's name, so that one partner's file can't stand in for another's.
//! Files are replaced as a whole or not at all. A key or secret that others may read is refused, not used. This
//! guards backups and other users of the machine; it can't guard against its owner.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest;
use secrecy::SecretString;
use shared::secrets::{ReadSecrets, SecretName, SecretsError, WriteSecrets};

const KEY_FILE: &str = "secrets.key";
const FOLDER: &str = "secrets";

/// Sealed files in the data folder.
#[derive(Clone)]
pub struct SealedSecrets {
    folder: PathBuf,
    key: Arc<RandomizedNonceKey>,
}

impl SealedSecrets {
    /// The secrets of the data folder `data`; the key is made when there is none.
    ///
    /// # Errors
    /// The folder can't be written, or the key is readable by others or is no key.
    pub fn open(data: &Path) -> io::Result<Self> {
        let folder = data.join(FOLDER);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        refuse_open_to_others(&folder, &std::fs::metadata(&folder)?)?;
        let bytes = owner_only_key(&data.join(KEY_FILE))?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes)
            .map_err(|_| io::Error::other("the key of the secrets is damaged"))?;
        Ok(Self { folder, key: Arc::new(key) })
    }

    /// File of a secret. Names may be longer than file names, so a hash stands for them.
    fn file(&self, name: &SecretName) -> PathBuf {
        let hash = digest::digest(&digest::SHA256, name.as_str().as_bytes());
        self.folder.join(format!("{}.sealed", hex::encode(hash)))
    }

    fn read_now(&self, name: &SecretName) -> Result<Option<SecretString>, SecretsError> {
        let damaged =
            || SecretsError::Unreadable(format!("the file of {name} is damaged or was sealed under another key"));
        let Some(mut sealed) = read_owner_only(&self.file(name)).map_err(|error| failed(&error))? else {
            return Ok(None);
        };
        let (nonce, text) = sealed.split_at_mut_checked(NONCE_LEN).ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let opened = self.key.open_in_place(nonce, Aad::from(name.as_str()), text).map_err(|_| damaged())?;
        let secret = std::str::from_utf8(opened).map_err(|_| damaged())?;
        Ok(Some(SecretString::from(secret.to_owned())))
    }

    fn put_now(&self, name: &SecretName, secret: &SecretString) -> Result<(), SecretsError> {
        use secrecy::ExposeSecret as _;
        let mut text = secret.expose_secret().as_bytes().to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(name.as_str()), &mut text)
            .map_err(|_| SecretsError::Unavailable("a secret can't be sealed".to_owned()))?;
        let sealed = [nonce.as_ref().as_slice(), &text].concat();
        replace(&self.file(name), &sealed).map_err(|error| failed(&error))
    }

    fn delete_now(&self, name: &SecretName) -> Result<(), SecretsError> {
        match std::fs::remove_file(self.file(name)) {
            Ok(()) => sync_folder(&self.folder).map_err(|error| failed(&error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }
}

/// File work off the threads that serve requests.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SecretsError> + Send + 'static,
) -> Result<T, SecretsError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(SecretsError::Unavailable("the work was stopped".to_owned())))
}

#[async_trait]
impl ReadSecrets for SealedSecrets {
    async fn read(&self, name: &SecretName) -> Result<Option<SecretString>, SecretsError> {
        let (own, name) = (self.clone(), name.clone());
        off_thread(move || own.read_now(&name)).await
    }
}

#[async_trait]
impl WriteSecrets for SealedSecrets {
    async fn put(&self, name: &SecretName, secret: &SecretString) -> Result<(), SecretsError> {
        let (own, name, secret) = (self.clone(), name.clone(), secret.clone());
        off_thread(move || own.put_now(&name, &secret)).await
    }

    async fn delete(&self, name: &SecretName) -> Result<(), SecretsError> {
        let (own, name) = (self.clone(), name.clone());
        off_thread(move || own.delete_now(&name)).await
    }
}

fn failed(error: &io::Error) -> SecretsError {
    match error.kind() {
        io::ErrorKind::PermissionDenied => SecretsError::Unreadable(error.to_string()),
        _ => SecretsError::Unavailable(error.to_string()),
    }
}

/// The 32 bytes in `path`; fresh ones where there is no such file. The file is the owner's alone.
///
/// # Errors
/// It is readable by others, or is not 32 bytes long, or can't be written.
pub(crate) fn owner_only_key(path: &Path) -> io::Result<[u8; 32]> {
    if read_owner_only(path)?.is_none() {
        let mut fresh = [0; 32];
        aws_lc_rs::rand::fill(&mut fresh).map_err(|_| io::Error::other("there is no randomness"))?;
        // Whoever links first wins: two processes that start together must not end with two keys.
        let own = temporary(path);
        write(&own, &fresh)?;
        let linked = std::fs::hard_link(&own, path);
        std::fs::remove_file(&own)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => sync_folder(path.parent().unwrap_or(Path::new(".")))?,
        }
    }
    let bytes = read_owner_only(path)?.unwrap_or_default();
    bytes.try_into().map_err(|_| io::Error::other(format!("{} is not a key", path.display())))
}

fn read_owner_only(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    refuse_open_to_others(path, &file.metadata()?)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

fn refuse_open_to_others(path: &Path, metadata: &std::fs::Metadata) -> io::Result<()> {
    if metadata.mode() & 0o077 == 0 {
        return Ok(());
    }
    let message =
        format!("{} is open to others than its owner; restrict it (chmod go-rwx) and start again", path.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

/// Writes a file as a whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = temporary(path);
    write(&fresh, bytes)?;
    std::fs::rename(&fresh, path)?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

fn temporary(path: &Path) -> PathBuf {
    path.with_extension(format!("{}.new", uuid::Uuid::now_v7().simple()))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A renamed or removed file is only so for good once its folder is on the disk.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use secrecy::ExposeSecret as _;

    use super::*;

    const CANARY: &str = "canary-4711";

    fn name(partner: &str) -> SecretName {
        SecretName::of(&partner.parse().unwrap(), &"c".parse().unwrap())
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[tokio::test]
    async fn a_secret_is_read_back_replaced_and_gone() {
        let data = tempfile::tempdir().unwrap();
        let secrets = SealedSecrets::open(data.path()).unwrap();
        assert!(secrets.read(&name("p")).await.unwrap().is_none());
        for text in [CANARY, "another"] {
            secrets.put(&name("p"), &text.to_owned().into()).await.unwrap();
            // A second opening stands for a restart.
            let again = SealedSecrets::open(data.path()).unwrap();
            assert_eq!(again.read(&name("p")).await.unwrap().unwrap().expose_secret(), text);
        }
        assert_eq!(files(&data.path().join(FOLDER)).len(), 1);
        secrets.delete(&name("p")).await.unwrap();
        secrets.delete(&name("p")).await.unwrap();
        assert!(secrets.read(&name("p")).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn files_are_the_owners_alone_and_hold_nothing_readable() {
        let data = tempfile::tempdir().unwrap();
        let secrets = SealedSecrets::open(data.path()).unwrap();
        secrets.put(&name("p"), &CANARY.to_owned().into()).await.unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&data.path().join(FOLDER)), 0o700);
        assert_eq!(mode(&data.path().join(KEY_FILE)), 0o600);
        for file in files(&data.path().join(FOLDER)) {
            assert_eq!(mode(&file), 0o600);
            assert!(!String::from_utf8_lossy(&std::fs::read(&file).unwrap()).contains(CANARY));
        }
    }

    #[tokio::test]
    async fn a_file_that_others_may_read_is_refused() {
        let data = tempfile::tempdir().unwrap();
        let secrets = SealedSecrets::open(data.path()).unwrap();
        secrets.put(&name("p"), &CANARY.to_owned().into()).await.unwrap();
        let file = secrets.file(&name("p"));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(secrets.read(&name("p")).await, Err(SecretsError::Unreadable(_))));
        let key = data.path().join(KEY_FILE);
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o604)).unwrap();
        assert!(SealedSecrets::open(data.path()).is_err());
    }

    #[tokio::test]
    async fn a_sealed_file_opens_under_its_own_name_and_unchanged_only() {
        let data = tempfile::tempdir().unwrap();
        let secrets = SealedSecrets::open(data.path()).unwrap();
        secrets.put(&name("p"), &CANARY.to_owned().into()).await.unwrap();
        let (own, other) = (secrets.file(&name("p")), secrets.file(&name("q")));
        replace(&other, &std::fs::read(&own).unwrap()).unwrap();
        assert!(matches!(secrets.read(&name("q")).await, Err(SecretsError::Unreadable(_))));
        let mut bytes = std::fs::read(&own).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        replace(&own, &bytes).unwrap();
        assert!(matches!(secrets.read(&name("p")).await, Err(SecretsError::Unreadable(_))));
        replace(&own, b"short").unwrap();
        assert!(matches!(secrets.read(&name("p")).await, Err(SecretsError::Unreadable(_))));
    }
}
