//! The unified cgroup hierarchy: which id a path has.
//!
//! The id of a cgroup is the inode number of its directory (kernfs, since 5.5).

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use exectrail_abi::rules::V1Key;
use exectrail_model::filter::{Rule, Rules, Selector};

use crate::error::SensorError;

/// The initial cgroup namespace (`PROC_CGROUP_INIT_INO`, `include/uapi/linux/nsfs.h`).
const INITIAL_NAMESPACE: &str = "cgroup:[4026531835]";

/// Where the hierarchy is mounted, and the highest id in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hierarchy {
    root: Option<PathBuf>,
    newest: u64,
}

impl Hierarchy {
    /// That of this host, all of which is looked at, if any rule asks for a cgroup.
    pub(crate) fn needed_by(rules: &Rules) -> Self {
        let mut selectors = rules.iter().flat_map(Rule::selectors);
        if selectors.any(|selector| matches!(selector, Selector::Cgroup(_))) {
            Self::of_host()
        } else {
            Self::default()
        }
    }

    /// Without one that is mounted, no path has an id.
    fn of_host() -> Self {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let root = mounted(&mounts).filter(|_| is_in_initial_namespace());
        let newest = root.as_deref().map_or(0, |root| newest(root).unwrap_or(u64::MAX));
        Self { root, newest }
    }

    /// Ids only grow (fs/kernfs/dir.c, `__kernfs_new_node`): what has a higher one was
    /// made later. [`u64::MAX`] if not all could be looked at, which is as if nothing
    /// could be newer; then nothing is found either.
    pub(crate) fn newest(&self) -> u64 {
        self.newest
    }

    /// Id and depth of the cgroup with this path, from the root of the hierarchy.
    pub(crate) fn find(&self, path: &str) -> Option<(u64, u32)> {
        // Of the root there is nothing to ask: all are below it, known or not.
        let root = self.root.as_ref().filter(|_| self.newest != u64::MAX && !path.is_empty())?;
        let depth = u32::try_from(path.split('/').filter(|name| !name.is_empty()).count()).ok()?;
        let relative = path.strip_prefix('/').unwrap_or(path);
        let id = fs::metadata(root.join(relative)).ok().filter(fs::Metadata::is_dir)?.ino();
        (depth < exectrail_abi::rules::CGROUP_DEPTHS).then_some((id, depth))
    }
}

/// In another cgroup namespace, paths do not begin where those of records do.
pub(crate) fn is_in_initial_namespace() -> bool {
    let namespace = fs::read_link("/proc/self/ns/cgroup");
    namespace.is_ok_and(|link| link == Path::new(INITIAL_NAMESPACE))
}

/// The first mount of the whole hierarchy.
fn mounted(mounts: &str) -> Option<PathBuf> {
    let mut fields = mounts.lines().map(|line| line.split(' '));
    let place = fields.find_map(|mut line| {
        let place = line.nth(1)?;
        (line.next() == Some("cgroup2")).then_some(place)
    })?;
    // A space in a path is written as an octal escape; nobody mounts it there.
    Some(PathBuf::from(place))
}

fn newest(directory: &Path) -> io::Result<u64> {
    let mut newest = fs::metadata(directory)?.ino();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            match self::newest(&entry.path()) {
                Ok(below) => newest = newest.max(below),
                // It went away meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(newest)
}

/// A cgroup of a hierarchy of version 1, by its controller.
///
/// # Errors
///
/// When there is no such hierarchy or no such cgroup; with what to do about it.
pub(crate) fn of_version_1(controller: &str, path: &str) -> Result<V1Key, SensorError> {
    let none = |what: String| SensorError::Rule {
        what: format!("cgroup={controller}:{path}: {what}"),
        cure: "name a controller that /proc/self/cgroup has with a number, and a cgroup that is \
               there; for the unified hierarchy write cgroup=/path"
            .to_owned(),
    };
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let hierarchy = hierarchy(&own, controller)
        .ok_or_else(|| none("no hierarchy of version 1 has this controller".to_owned()))?;
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let root = mounted_v1(&mounts, controller)
        .ok_or_else(|| none("its hierarchy is not mounted".to_owned()))?;
    let directory = root.join(path.strip_prefix('/').unwrap_or(path));
    let id = fs::metadata(&directory)
        .map_err(|error| none(format!("{}: {error}", directory.display())))?
        .ino();
    Ok(V1Key { hierarchy, id })
}

/// From lines such as `4:cpu,cpuacct:/path`. Hierarchies that have only a name have no
/// controller by which the kernel side could find them.
fn hierarchy(own: &str, controller: &str) -> Option<u64> {
    own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (number, controllers) = (fields.next()?, fields.next()?);
        let has = controllers.split(',').any(|one| one == controller);
        let is_named = controller.starts_with("name=");
        (has && !is_named).then(|| number.parse().ok()).flatten().filter(|&number| number != 0)
    })
}

fn mounted_v1(mounts: &str, controller: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (place, kind, options) = (fields.next()?, fields.next()?, fields.next()?);
        let has = kind == "cgroup" && options.split(',').any(|one| one == controller);
        has.then(|| PathBuf::from(place))
    })
}

#[cfg(test)]
mod tests {
    use super::{hierarchy, mounted, mounted_v1};

    #[test]
    fn a_controller_has_a_hierarchy_and_a_place() {
        let own = "12:name=systemd:/\n4:cpu,cpuacct:/a:b\n0::/x\n";
        assert_eq!((hierarchy(own, "cpuacct"), hierarchy(own, "pids")), (Some(4), None));
        assert_eq!((hierarchy(own, "name=systemd"), hierarchy(own, "")), (None, None));
        let mounts = "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu,cpuacct 0 0\n";
        assert_eq!(mounted_v1(mounts, "cpu").unwrap().to_str(), Some("/sys/fs/cgroup/cpu"));
        assert_eq!(mounted_v1(mounts, "pids"), None);
    }

    #[test]
    fn the_unified_hierarchy_is_found_beside_others() {
        let mounts = "proc /proc proc rw 0 0\n\
            cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n\
            none /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        assert_eq!(mounted(mounts).unwrap().to_str(), Some("/sys/fs/cgroup/unified"));
        assert_eq!(mounted("proc /proc proc rw 0 0\n"), None);
    }
}
