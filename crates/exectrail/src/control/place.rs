//! Where the sockets are: a directory that only its owner may enter.

use std::{
    env,
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    process,
};

use rustix::process::geteuid;

/// Rights of group and others.
const OTHERS: u32 = 0o077;

/// What a socket's name ends with; before it is the process id.
const ENDING: &str = ".sock";

/// A socket that is removed when it is dropped.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Makes one in the first directory where that is possible.
    pub(super) fn make() -> io::Result<Self> {
        let mut failure = io::Error::new(
            io::ErrorKind::NotFound,
            "there is no run-time directory: XDG_RUNTIME_DIR is not set",
        );
        for directory in directories() {
            match Self::make_in(&directory) {
                Ok(socket) => return Ok(socket),
                Err(error) => {
                    failure =
                        io::Error::new(error.kind(), format!("{}: {error}", directory.display()));
                }
            }
        }
        Err(failure)
    }

    fn make_in(directory: &Path) -> io::Result<Self> {
        match DirBuilder::new().mode(0o700).create(directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => check_that_it_is_ours(directory)?,
        }
        for socket in sockets_in(directory)? {
            remove_if_dead(&socket.path);
        }
        let path = directory.join(format!("{}{ENDING}", process::id()));
        let listener = UnixListener::bind(&path)?;
        let socket = Self { listener, path };
        fs::set_permissions(&socket.path, Permissions::from_mode(0o600))?;
        socket.listener.set_nonblocking(true)?;
        Ok(socket)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            log::info!("{}: {error}", self.path.display());
        }
    }
}

/// Whoever else could write to it could put a socket of theirs there.
fn check_that_it_is_ours(directory: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(directory)?;
    let is_closed = found.mode() & OTHERS == 0;
    let is_ours = found.is_dir() && found.uid() == geteuid().as_raw() && is_closed;
    let not_ours = || io::Error::other("it is not a directory of ours alone, of mode 0700");
    is_ours.then_some(()).ok_or_else(not_ours)
}

/// Nobody listens there any more: its process was killed. Process ids alone would not
/// tell, since those of a container are others.
fn remove_if_dead(path: &Path) {
    let is_dead = UnixStream::connect(path)
        .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    if is_dead && let Err(error) = fs::remove_file(path) {
        log::info!("{}: {error}", path.display());
    }
}

/// Directories in which sockets can be.
pub(crate) fn directories() -> Vec<PathBuf> {
    let own = env::var_os("XDG_RUNTIME_DIR").filter(|value| !value.is_empty());
    let own = own.map(|directory| Path::new(&directory).join("exectrail"));
    let of_root = geteuid().is_root().then(|| PathBuf::from("/run/exectrail"));
    own.into_iter().chain(of_root).collect()
}

/// A socket's file.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) pid: u32,
    pub(crate) path: PathBuf,
}

/// Every socket's file in the usual places, by process id. Some may be dead.
pub(crate) fn sockets() -> Vec<Found> {
    let in_directory = |directory: PathBuf| sockets_in(&directory).unwrap_or_default();
    let mut found: Vec<_> = directories().into_iter().flat_map(in_directory).collect();
    found.sort_by_key(|found| found.pid);
    found
}

fn sockets_in(directory: &Path) -> io::Result<Vec<Found>> {
    let entries = fs::read_dir(directory)?;
    let found = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        let pid = entry.file_name().to_str()?.strip_suffix(ENDING)?.parse().ok()?;
        Some(Found { pid, path: entry.path() })
    });
    Ok(found.collect())
}
