//! Small files that are written whole, and names that come and go at once.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::RenameFlags;

use super::transaction_error::TransactionError;

/// The text of a file; `None` when there is no such file.
pub(super) fn read_text(path: &Path) -> Result<Option<String>, TransactionError> {
    match fs::read(path) {
        Ok(bytes) => {
            String::from_utf8(bytes).map(Some).map_err(|_| TransactionError::NotText { path: path.to_owned() })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(TransactionError::io("read", path)(error)),
    }
}

/// Writes a file that is not there yet and forces it to the disk.
pub(super) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<File, TransactionError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).read(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        // What the mask of this process takes away belongs to the file.
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()?;
        Ok(file)
    };
    write().map_err(TransactionError::io("write", path))
}

/// Renames unless the new name is taken.
pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(rustix::fs::CWD, from, rustix::fs::CWD, to, RenameFlags::NOREPLACE) {
        // A file system that cannot do it so can do it with a second name.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        result => Ok(result?),
    }
}

/// Removes a file that may be gone already.
pub(super) fn remove(path: &Path) -> Result<(), TransactionError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(TransactionError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// A time of the system; `None` before 1970.
pub(super) fn system_time(seconds: i64, nanoseconds: i64) -> Option<SystemTime> {
    let (seconds, nanoseconds) = (u64::try_from(seconds).ok()?, u32::try_from(nanoseconds).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(std::time::Duration::new(seconds, nanoseconds))
}
