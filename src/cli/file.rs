//! Files that appear whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes a file through a temporary one beside it, so that a reader never sees half a report.
/// What is no regular file (`/dev/null`, a FIFO) is written to directly.
pub(super) fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let Some(place) = Place::of(path)? else {
        let mut out = BufWriter::new(OpenOptions::new().write(true).open(path)?);
        write(&mut out)?;
        return out.flush();
    };
    let written = place.create().and_then(|file| {
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.flush()?;
        out.get_ref().sync_all()?;
        if let Ok(known) = fs::metadata(&place.target) {
            fs::set_permissions(&place.temporary, known.permissions())?;
        }
        fs::rename(&place.temporary, &place.target)
    });
    if written.is_err() {
        let _ = fs::remove_file(&place.temporary);
    }
    written
}

/// Whether [`write_atomically`] can be expected to work. Leaves nothing behind.
pub(super) fn check_writable(path: &Path) -> io::Result<()> {
    match Place::of(path)? {
        Some(place) => {
            drop(place.create()?);
            fs::remove_file(&place.temporary)
        }
        // A FIFO without a reader would block: its permissions must do.
        None if fs::metadata(path)?.permissions().readonly() => {
            Err(io::ErrorKind::PermissionDenied.into())
        }
        None => Ok(()),
    }
}

struct Place {
    target: PathBuf,
    temporary: PathBuf,
}

impl Place {
    /// Where to write; none for what is no regular file.
    fn of(path: &Path) -> io::Result<Option<Self>> {
        let target = match fs::metadata(path) {
            Ok(known) if known.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(known) if !known.is_file() => return Ok(None),
            Ok(known) if known.permissions().readonly() => {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            // Through a symbolic link: the link stays.
            Ok(_) => fs::canonicalize(path)?,
            Err(_) => path.to_owned(),
        };
        let Some(name) = target.file_name() else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.tmp", std::process::id()));
        let temporary = target.with_file_name(hidden);
        Ok(Some(Self { target, temporary }))
    }

    fn create(&self) -> io::Result<File> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&self.temporary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_file_appears_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        write_atomically(&path, |out| out.write_all(b"one")).unwrap();
        write_atomically(&path, |out| out.write_all(b"two")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(folder.path()), ["report.json"]);
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        fs::write(&path, "old").unwrap();
        let failed = write_atomically(&path, |out| {
            out.write_all(b"ha")?;
            Err(io::Error::other("lf"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["report.json"]);
    }

    #[test]
    fn checking_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        check_writable(&folder.path().join("report.json")).unwrap();
        assert!(names(folder.path()).is_empty());
        assert!(check_writable(&folder.path().join("none/report.json")).is_err());
        assert!(check_writable(folder.path()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_device_stays_a_device_and_a_link_a_link() {
        write_atomically(Path::new("/dev/null"), |out| out.write_all(b"x")).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_atomically(&link, |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
