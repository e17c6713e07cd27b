//! Rules and programs at random, the same ones in every run.

use exectrail_abi::record::{Creds, Namespaces, Process};

use crate::{
    args::Args,
    event::{Failure, NO_PROCESS, Parent, Program},
    filter::Subject,
};

/// A generator of the xorshift family: small, and good enough here.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % bound
    }

    pub(super) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// A rule in one line, with small alphabets, so that much matches.
    pub(super) fn rule(&mut self) -> String {
        if self.chance(50) {
            return self.path();
        }
        let mut keys = Vec::new();
        let mut selectors = Vec::new();
        for _ in 0..=self.below(3) {
            let (key, selector) = self.selector();
            if key == "arg" || !keys.contains(&key) {
                keys.push(key);
                selectors.push(selector);
            }
        }
        selectors.join(",")
    }

    fn selector(&mut self) -> (&'static str, String) {
        let key = self.one(&[
            "path",
            "name",
            "arg",
            "user",
            "euser",
            "group",
            "egroup",
            "parent",
            "tree",
            "cgroup",
            "container",
            "pidns",
            "netns",
            "result",
        ]);
        let value = match key {
            "path" => return (key, self.path_pattern()),
            "name" => {
                self.one(&["a", "b*", "[ab]", "{a,c}", "c=d", "\\,e", "f\\\\\\\\"]).to_owned()
            }
            "arg" => self.one(&["x", "y*", "?", "a\\,b", "[,]", "{p,q\\,}", "\\*"]).to_owned(),
            "user" | "euser" => self.one(&["root", "ada", "5"]).to_owned(),
            "group" | "egroup" => self.one(&["wheel", "0", "5"]).to_owned(),
            "parent" if self.chance(50) => self.path_pattern(),
            "parent" => self.one(&["a", "b", "*"]).to_owned(),
            "tree" => self.one(&["1", "2", "3"]).to_owned(),
            "cgroup" => {
                self.one(&["/", "/a", "/a{b", "/a/b", "cpu:/a", "name=systemd:/"]).to_owned()
            }
            "container" => self.one(&["*", "none", "a", "a\\\\x2db", "a}"]).to_owned(),
            "result" => self.one(&["ok", "failed", "ENOENT", "13", "4000"]).to_owned(),
            _ => self.one(&["host", "1", "2"]).to_owned(),
        };
        (key, format!("{key}={value}"))
    }

    /// An absolute path of up to four short components.
    pub(super) fn path(&mut self) -> String {
        (0..=self.below(3)).map(|_| self.one(&["/a", "/b", "/c"])).collect()
    }

    fn path_pattern(&mut self) -> String {
        let path = self.path();
        match self.below(7) {
            0 => format!("{path}/**"),
            1 => format!("**{path}"),
            2 => format!("{path}/*"),
            3 => format!("**{path}/*"),
            4 => format!("{path}/{{a,b\\,}}"),
            5 => format!("{path}/\\,=\\\\"),
            _ => path,
        }
    }
}

/// What a program consists of.
pub(super) struct Sample {
    filename: Option<String>,
    exe: Option<String>,
    args: &'static [u8],
    parent: String,
    cgroup: Option<&'static str>,
    ids: [u32; 4],
    inode: u32,
    told: u64,
    failure: Option<Failure>,
}

impl Sample {
    pub(super) fn new(random: &mut Random) -> Self {
        let mut id = || random.one(&[0, 5, 10, 1000]);
        let ids = [id(), id(), id(), id()];
        Self {
            filename: random.chance(90).then(|| random.path()),
            exe: random.chance(90).then(|| random.path()),
            args: random.one(&[b"x\0", b"x\0x\0", b"x\0yy\0a,b\0", b"x\0q\0,\0"]),
            parent: random.path(),
            cgroup: random.one(&[None, Some("/"), Some("/a"), Some("/a/b"), Some("/lxc/a")]),
            ids,
            inode: random.one(&[0, 1, 2, 101, 103]),
            told: random.below(256) as u64,
            failure: random.chance(40).then(|| Failure { errno: random.one(&[2, 13, 4000]) }),
        }
    }

    pub(super) fn with<T>(&self, judge: impl Fn(&Subject<'_>) -> T) -> T {
        let [user, group, effective_user, effective_group] = self.ids;
        let inode = self.inode;
        let creds = Creds {
            uid: user,
            gid: group,
            suid: 0,
            sgid: 0,
            euid: effective_user,
            egid: effective_group,
            fsuid: 0,
            fsgid: 0,
        };
        let namespaces =
            Namespaces { mnt: inode, uts: inode, ipc: inode, net: inode, cgroup: 0, user: 0 };
        let program = Program {
            process: Process { pid_ns: inode, ..NO_PROCESS },
            parent: Some(Parent {
                process: NO_PROCESS,
                id: None,
                image: 0,
                comm: b"a",
                exe: Some(self.parent.as_bytes()),
            }),
            creds: Some(creds),
            cgroup: self.cgroup.map(str::as_bytes),
            namespaces: Some(namespaces),
            filename: self.filename.as_deref().map(str::as_bytes),
            exe: self.exe.as_deref().map(str::as_bytes),
            args: Some(Args::whole(self.args)),
            told: Some(self.told),
            ..Program::UNKNOWN
        };
        judge(&Subject { program: &program, failure: self.failure })
    }
}
