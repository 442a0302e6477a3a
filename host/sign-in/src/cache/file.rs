//! Files that appear whole or not at all, readable by their owner only.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::CacheError;
use crate::limits::MAX_CACHE_BYTES;

/// Reads a file; none if there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, CacheError> {
    let failed = |error: std::io::Error| CacheError::Read { path: path.to_owned(), why: error.to_string() };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MAX_CACHE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_CACHE_BYTES {
        let why = format!("it is larger than {MAX_CACHE_BYTES} bytes");
        return Err(CacheError::Read { path: path.to_owned(), why });
    }
    Ok(Some(bytes))
}

/// Puts `bytes` in place of what was there. On disk before it takes the old one's place, so whenever the machine stops, one of the
/// two is there whole.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), CacheError> {
    let failed = |error: std::io::Error| CacheError::Write { path: path.to_owned(), why: error.to_string() };
    let folder = path.parent().unwrap_or(Path::new("."));
    // Made for the owner only (0600).
    let mut file = tempfile::Builder::new().prefix(".valet-").tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    // The rename itself; a file system that cannot do that has nothing to lose by it.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Whether a file could be put where `path` is. Nothing is left of the try.
pub(crate) fn try_folder(path: &Path) -> Result<(), CacheError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let tried = tempfile::Builder::new().prefix(".valet-").tempfile_in(folder);
    tried.map(drop).map_err(|error| CacheError::Write { path: path.to_owned(), why: error.to_string() })
}

/// Removes a file, if there is one.
pub(crate) fn remove(path: &Path) -> Result<(), CacheError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(CacheError::Write { path: path.to_owned(), why: error.to_string() })
        }
        _ => Ok(()),
    }
}

/// Moves a file that is none of ours, or damaged, to where nothing overwrites it.
pub(crate) fn set_aside(path: &Path) -> Result<PathBuf, CacheError> {
    let aside = (0..).map(|n: u32| path.with_extension(format!("damaged-{n}"))).find(|path| !path.exists());
    let aside = aside.unwrap_or_else(|| path.with_extension("damaged"));
    fs::rename(path, &aside)
        .map_err(|error| CacheError::Write { path: aside.clone(), why: error.to_string() })?;
    Ok(aside)
}

/// Makes a folder for its owner only, unless it is there.
pub(crate) fn make_folder(path: &Path) -> Result<(), CacheError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| CacheError::Write { path: path.to_owned(), why: error.to_string() })
}
