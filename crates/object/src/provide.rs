//! Which object is embedded: given, committed, or built here.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{Error, Record, Tools, Tree, digest, recipe};

/// What the build script knows.
#[derive(Debug)]
pub struct Request {
    /// The checkout.
    pub tree: Tree,
    /// A folder to build in.
    pub scratch: PathBuf,
    /// An object that the environment names.
    pub given: Option<PathBuf>,
    /// Only documentation is wanted, on a host that has no tools and no use for
    /// the object.
    pub documentation: bool,
}

/// Where an object came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The environment named it.
    Given,
    /// It is the committed one.
    Committed,
    /// It was built here, because of this difference to the committed one.
    Rebuilt(String),
}

/// What is to be done, before anything is.
#[derive(Debug, PartialEq, Eq)]
enum Choice {
    Given(PathBuf),
    Committed,
    Rebuild(String),
    Empty,
    Nothing,
}

/// Puts the object to embed at `destination`, and says where it came from.
///
/// # Errors
///
/// When there is no object to be had; the message says how to mend that.
pub fn provide(request: &Request, destination: &Path) -> Result<Origin, Error> {
    let tree = &request.tree;
    let (object, origin) = match choose(request)? {
        Choice::Given(path) => (read_given(&path)?, Origin::Given),
        Choice::Committed => (read_committed(tree)?, Origin::Committed),
        Choice::Rebuild(reason) => {
            let tools = Tools::find(tree).map_err(|error| error.while_rebuilding(&reason))?;
            let path = recipe::build(tree, &tools, &request.scratch)?;
            (fs::read(&path).map_err(Error::file("read", &path))?, Origin::Rebuilt(reason))
        }
        Choice::Empty => (Vec::new(), Origin::Committed),
        Choice::Nothing => {
            return Err(Error::Nothing { path: tree.prebuilt_object() });
        }
    };
    fs::write(destination, object).map_err(Error::file("write", destination))?;
    Ok(origin)
}

fn choose(request: &Request) -> Result<Choice, Error> {
    let tree = &request.tree;
    if let Some(path) = &request.given {
        return Ok(Choice::Given(path.clone()));
    }
    let committed = tree.prebuilt_object().is_file();
    if request.documentation {
        return Ok(if committed { Choice::Committed } else { Choice::Empty });
    }
    if !tree.has_kernel_sources() {
        return Ok(if committed { Choice::Committed } else { Choice::Nothing });
    }
    let Some(record) = Record::read_if_any(&tree.prebuilt_record())?.filter(|_| committed) else {
        return Ok(Choice::Rebuild("there is no committed object".to_owned()));
    };
    if digest::of_sources(&tree.sources()?) == record.sources {
        Ok(Choice::Committed)
    } else {
        Ok(Choice::Rebuild("its sources have changed".to_owned()))
    }
}

fn read_given(path: &Path) -> Result<Vec<u8>, Error> {
    let object =
        fs::read(path).map_err(|source| Error::GivenObject { path: path.to_owned(), source })?;
    if object.starts_with(b"\x7fELF") {
        Ok(object)
    } else {
        Err(Error::NotAnObject { path: path.to_owned() })
    }
}

/// The committed object, which has to be the one its record speaks of: a merge
/// can bring one without the other.
fn read_committed(tree: &Tree) -> Result<Vec<u8>, Error> {
    let path = tree.prebuilt_object();
    let object = fs::read(&path).map_err(Error::file("read", &path))?;
    let found = digest::of_bytes(&object);
    match Record::read_if_any(&tree.prebuilt_record())? {
        Some(record) if record.object != found => {
            Err(Error::ForeignObject { path, found, recorded: record.object })
        }
        _ => Ok(object),
    }
}
