//! A small world of programs: small, so that random rules match random execs often.

use std::{fs, os::unix::fs::symlink, path::Path};

use serde_json::{Value, json};

use crate::{
    edge_expect::{NOBODY, Place, padded},
    support::{run_subject, tiny_at},
};

/// xorshift64*.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from((self.next() >> 16) % end as u64).unwrap()
    }

    pub(crate) fn one_of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }
}

/// Names from one to as many bytes as there can be, around the limits of the kernel's
/// short name (15) and of a key (64). A number is what the kernel calls an exec by
/// descriptor.
const LENGTHS: [usize; 8] = [13, 14, 15, 16, 63, 64, 65, 255];
/// Arguments that execs have and rules ask for.
const WORDS: [&str; 5] = ["one", "two", "a,b", "", "--flag=x"];
/// Directories above a program; the kernel side turns 32 components round.
const DEPTHS: [usize; 4] = [20, 31, 33, 40];

/// What there is to exec and to ask for.
pub(crate) struct Universe {
    pub(crate) place: Place,
    /// Everything that can be given to exec, from the root.
    pub(crate) paths: Vec<String>,
    /// Directories, and names in them.
    inside: Vec<(String, String)>,
    /// That can be opened.
    files: Vec<String>,
    pub(crate) names: Vec<String>,
    pub(crate) directories: Vec<String>,
}

impl Universe {
    pub(crate) fn new() -> Self {
        let place = Place::new();
        let mut names: Vec<_> = ["tiny", "100", "a"].map(str::to_owned).into();
        names.extend(LENGTHS.map(|length| "n".repeat(length)));
        let mut files = Vec::new();
        for name in &names {
            files.push(place.tiny(&format!("bin/{name}")));
        }
        files.push(place.tiny("lib/sub/tiny"));
        for bytes in [63, 64, 65, 128, 255, 256, 257, 400] {
            files.push(tiny_at(&padded(place.path(), bytes)).to_owned());
        }
        for depth in DEPTHS {
            files.push(place.tiny(&format!("{}tiny", "d/".repeat(depth))));
        }
        let mut paths = files.clone();
        paths.extend(Self::scripts(&place));
        paths.extend(Self::failures(&place));
        paths.extend(Self::links(&place));
        let inside = [
            ("bin", "tiny"),
            ("bin", "./tiny"),
            ("bin", "a"),
            ("bin", "100"),
            ("bin", "../lib/sub/tiny"),
            ("lib/sub", "tiny"),
            ("lib", "sub/tiny"),
            ("bin", "missing"),
            ("bin", "unmappable"),
            ("", "link"),
        ];
        let inside = inside.map(|(directory, name)| (place.at(directory), name.to_owned()));
        names.extend(["script", "link", "missing", "memfd:a"].map(str::to_owned));
        let directories = Self::directories(&place);
        Self { paths, inside: inside.into(), files, names, directories, place }
    }

    fn scripts(place: &Place) -> Vec<String> {
        let tiny = place.at("bin/tiny");
        vec![
            place.executable("script", &format!("#!{tiny}\n")),
            place.executable("bin/script", &format!("#!{} word\n", place.at("link"))),
            place.executable("of-script", &format!("#!{}\n", place.at("script"))),
            place.executable("no-interpreter", "#!/nonexistent/interpreter\n"),
        ]
    }

    fn failures(place: &Place) -> Vec<String> {
        let unmappable = place.at("bin/unmappable");
        run_subject(&["unmappable", &unmappable]);
        let plain = place.executable("bin/plain", "");
        place.set_mode(&plain, 0o644);
        let of_root = place.executable("bin/of-root", "");
        place.set_mode(&of_root, 0o700);
        vec![
            unmappable,
            plain,
            of_root,
            place.executable("bin/garbage", "\x01\x02\x03\x04"),
            place.at("bin/missing"),
            place.at("bin/tiny/"),
            place.at("bin/tiny/below"),
            place.at("bin"),
            place.at("bin/"),
            "/tiny".to_owned(),
            String::new(),
            "/".to_owned(),
        ]
    }

    fn links(place: &Place) -> Vec<String> {
        let links = [
            ("link", "bin/tiny"),
            ("nnnnnnnnnnnnnnnnnn", "bin/a"),
            ("script-link", "script"),
            ("links", "lib"),
            ("dead", "nowhere"),
        ];
        for (link, target) in links {
            symlink(target, place.path().join(link)).unwrap();
        }
        fs::hard_link(place.at("bin/tiny"), place.at("bin/hard")).unwrap();
        let given = ["link", "nnnnnnnnnnnnnnnnnn", "script-link", "links/sub/tiny", "dead"];
        let odd = ["bin/hard", "bin/../bin/tiny", "bin//tiny", "./bin/a", "links/sub/../sub/tiny"];
        given.into_iter().chain(odd).map(|name| place.at(name)).collect()
    }

    fn directories(place: &Place) -> Vec<String> {
        let mut all: Vec<_> =
            ["", "/bin", "/lib", "/lib/sub", "/links", "/links/sub", "/elsewhere", "/bin/tiny"]
                .map(|name| format!("{}{name}", place.path().display()))
                .into();
        for depth in [1, 2, 19, 20, 30, 31, 33, 40] {
            all.push(place.at("d/".repeat(depth).trim_end_matches('/')));
        }
        for bytes in [256, 257, 400] {
            let path = padded(place.path(), bytes);
            all.push(path.parent().unwrap().to_str().unwrap().to_owned());
        }
        let parent = place.path().parent().map(Path::to_path_buf);
        all.push(parent.unwrap().to_str().unwrap().to_owned());
        all.push(String::new());
        all
    }

    /// An order for a worker; `marker` is the last argument.
    pub(crate) fn order(&self, random: &mut Random, may_change_ids: bool, marker: &str) -> Value {
        let mut args = vec!["argv0".to_owned()];
        for _ in 0..random.below(3) {
            args.push((*random.one_of(&WORDS)).to_owned());
        }
        args.push(marker.to_owned());
        let mut order = match random.below(16) {
            0..8 => json!({ "how": "path", "path": random.one_of(&self.paths) }),
            8..11 => {
                let (directory, name) = random.one_of(&self.inside);
                json!({ "how": "path", "path": name, "cwd": directory })
            }
            11 => {
                let (directory, name) = random.one_of(&self.inside);
                json!({ "how": "at", "path": name, "dir": directory })
            }
            12 => json!({ "how": "nothing" }),
            13 => {
                let name = *random.one_of(&["tiny", "memory", "a"]);
                json!({ "how": "memory", "path": name, "source": self.files[0] })
            }
            _ => json!({ "how": "descriptor", "path": random.one_of(&self.files) }),
        };
        order["args"] = json!(args);
        if may_change_ids && random.below(2) == 0 {
            const IDS: [u32; 4] = [0, NOBODY, 1234, 1];
            order["ids"] = json!([0; 4].map(|_: u32| *random.one_of(&IDS)));
        }
        order
    }
}
