//! Random rules about the programs of a universe, and those who run them.

use std::{fs, os::unix::fs::MetadataExt};

use exectrail_model::filter::{Host, NamespaceKind, Rule, Verdict};

use crate::{
    edge_expect::NOBODY,
    rules_universe::{Random, Universe},
    rules_workers::{Cgroup, Worker},
};

/// Names that are given to exec without a directory, which are no paths, or are names of
/// what has no directory.
const BY_ITSELF: [&str; 6] = ["tiny", "a", "100", "link", "missing", "memfd:a"];

/// Rules about a universe and those who live in it.
pub(crate) struct Author<'u> {
    pub(crate) universe: &'u Universe,
    pub(crate) trees: Vec<u32>,
    pub(crate) cgroups: Vec<String>,
    /// By kind.
    pub(crate) namespaces: Vec<(&'static str, u32)>,
    pub(crate) parents: Vec<String>,
}

impl<'u> Author<'u> {
    pub(crate) fn new(universe: &'u Universe, workers: &[Worker], cgroups: &[&Cgroup]) -> Self {
        let mut trees: Vec<_> = workers.iter().flat_map(|worker| worker.line.clone()).collect();
        trees.sort_unstable();
        trees.dedup();
        // The nearest, which tell them apart, and the first process.
        trees.reverse();
        trees.truncate(14);
        trees.push(1);
        let mut namespaces = Vec::new();
        for worker in workers {
            for (key, file) in NAMESPACES {
                namespaces.push((key, worker.namespace(file)));
            }
        }
        namespaces.sort_unstable();
        namespaces.dedup();
        let mut paths: Vec<_> = cgroups.iter().map(|cgroup| cgroup.path.clone()).collect();
        paths.extend(["/", "/exectrail-not-there"].map(str::to_owned));
        paths.extend(cgroups.iter().map(|cgroup| format!("{}/later", cgroup.path)));
        paths.extend(cgroups.iter().map(|cgroup| cgroup.path[..cgroup.path.len() - 1].to_owned()));
        let names =
            ["subject", "alpha", "fourteen-bytes", "fifteen--bytes-", "a-longer-name-of-it"];
        let mut parents: Vec<_> = names.map(str::to_owned).into();
        let more = ["changed", "sh", "100", "al*"].map(str::to_owned);
        parents.extend(more);
        parents.extend(["workers/alpha", "workers/**"].map(|name| universe.place.at(name)));
        Self { universe, trees, cgroups: paths, namespaces, parents }
    }

    /// A rule of one to three selectors.
    pub(crate) fn rule(&self, random: &mut Random, verdict: Verdict) -> Rule {
        loop {
            let count = *random.one_of(&[1, 1, 1, 2, 2, 3]);
            let selectors: Vec<_> = (0..count).map(|_| self.selector(random)).collect();
            let text = selectors.join(",");
            // Two of one kind, most of the time.
            match Rule::parse(verdict, &text, &Names) {
                Ok(rule) => return rule,
                Err(_) if count > 1 => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn selector(&self, random: &mut Random) -> String {
        let universe = self.universe;
        match random.below(20) {
            0..4 => self.path(random),
            4 | 5 => format!("{}/**", random.one_of(&universe.directories)),
            6 => {
                let endings = ["tiny", "bin/tiny", "sub/tiny", "link", "script", "100"];
                format!("**/{}", random.one_of(&endings))
            }
            7 => {
                let globs = ["*/tiny", "**/ti*y", "bin/{tiny,script}", "[a-l]*/*", "*/*/**/tiny"];
                universe.place.at(globs[random.below(globs.len())])
            }
            8 | 9 => {
                let globs = ["ti*", "n?*", "[0-9]*", "*n*"].map(str::to_owned);
                let all = if random.below(4) == 0 { &globs[..] } else { &universe.names };
                format!("name={}", random.one_of(all))
            }
            10 => {
                let words = ["one", "two", "a\\,b", "--flag=x", "--flag*", "word", "?wo"];
                format!("arg={}", random.one_of(&words))
            }
            11 | 12 => {
                let key = random.one_of(&["user", "euser", "group", "egroup"]);
                format!("{key}={}", random.one_of(&["0", "65534", "1234", "1", "nobody", "root"]))
            }
            13 => format!("parent={}", random.one_of(&self.parents)),
            14 | 15 => format!("tree={}", random.one_of(&self.trees)),
            16 => format!("cgroup={}", random.one_of(&self.cgroups)),
            17 if random.below(3) == 0 => {
                format!("{}=host", random.one_of(&NAMESPACES).0)
            }
            17 => {
                let (key, inode) = random.one_of(&self.namespaces);
                format!("{key}={inode}")
            }
            18 => format!("container={}", random.one_of(&["none", "*"])),
            _ => {
                let results = ["ok", "failed", "ENOENT", "EACCES", "ENOEXEC"];
                format!("result={}", random.one_of(&results))
            }
        }
    }

    /// An exact one: as given, as it resolves, or one that is a name right below the root.
    fn path(&self, random: &mut Random) -> String {
        loop {
            let path = if random.below(8) == 0 {
                format!("/{}", random.one_of(&BY_ITSELF))
            } else {
                random.one_of(&self.universe.paths).clone()
            };
            let is_normal = Rule::parse(Verdict::Only, &path, &Names).is_ok();
            if is_normal && path.starts_with('/') {
                return path;
            }
        }
    }
}

pub(crate) const NAMESPACES: [(&str, &str); 8] = [
    ("ns", "pid"),
    ("pidns", "pid"),
    ("mntns", "mnt"),
    ("netns", "net"),
    ("userns", "user"),
    ("utsns", "uts"),
    ("ipcns", "ipc"),
    ("cgroupns", "cgroup"),
];

/// Names for what is called so everywhere.
pub(crate) struct Names;

impl Host for Names {
    fn user(&self, name: &str) -> Option<u32> {
        [("root", 0), ("nobody", NOBODY)].into_iter().find(|known| known.0 == name).map(|it| it.1)
    }

    fn group(&self, name: &str) -> Option<u32> {
        self.user(name)
    }

    fn namespace(&self, kind: NamespaceKind) -> Option<u32> {
        let inode = fs::metadata(format!("/proc/self/ns/{}", kind.name())).unwrap().ino();
        u32::try_from(inode).ok()
    }
}
