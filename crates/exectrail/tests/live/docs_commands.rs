//! What the documents tell people to type, does what they say.
//!
//! Each command is run by a shell as it stands there, one after the other in one
//! directory, with real processes beside those that wait for some. The host of the
//! documents has a user named ada and a small C project; here it has them in a mount
//! namespace of the test's own.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::{
    docs::{Shown, blocks, commands, root},
    hostile::EXECTRAIL,
    picture::Picture,
    support::{Spawned, Trace, is_emulated, program_at, real_kernel, scratch, subject},
    terminal::{LINES, Terminal},
};

const MARKER: &str = "docs-marker";

/// What a person might do meanwhile: something for each rule in the documents.
const MEANWHILE: &str = "
    python3-docs exit docs-marker
    sshd -c 'env true docs-marker; :'
    setpriv --reuid=1815 --regid=1815 --clear-groups env true docs-marker
    env no-such-program docs-marker
";

/// The project that `make` builds in the documents; the last step is to fail.
const PROJECT: [(&str, &str); 2] = [
    ("hello.c", "#include <stdio.h>\nint main(void) { return puts(\"hello\") < 0; }\n"),
    (
        "Makefile",
        "test: hello\n\t./hello\n\tgrep -q main missing.c\n\nhello: hello.c\n\tcc -O2 -o hello hello.c\n",
    ),
];

/// The directory that the commands are typed in.
struct Desk {
    directory: TempDir,
    /// What `exectrail filter` speaks to.
    asked: Option<Trace>,
}

/// What came of a command.
struct Came {
    code: Option<i32>,
    /// What it said on stdout, on stderr and into a file of JSON.
    said: String,
}

impl Desk {
    fn new() -> Self {
        let directory = scratch();
        let at = |name: &str| directory.path().join(name);
        // Where a user without rights is to type, too.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        program_at(&at("bin/python3-docs"));
        for (from, to) in [(EXECTRAIL, "bin/exectrail"), ("/bin/sh", "bin/sshd")] {
            assert!(
                Command::new("cp")
                    .arg("-L")
                    .args([from.as_ref(), at(to).as_path()])
                    .status()
                    .unwrap()
                    .success()
            );
        }
        for name in ["run", "asked"] {
            fs::create_dir(at(name)).unwrap();
            fs::set_permissions(at(name), fs::Permissions::from_mode(0o700)).unwrap();
        }
        let users = fs::read_to_string("/etc/passwd").unwrap();
        fs::write(at("passwd"), users + "ada:x:1815:1815::/tmp:/bin/sh\n").unwrap();
        for (name, text) in PROJECT {
            fs::write(at(name), text).unwrap();
        }
        let readme = fs::read_to_string(root().join("README.md")).unwrap();
        let rules = blocks(&readme).into_iter().find(|block| block.language == "toml").unwrap();
        fs::write(at("rules.toml"), rules.lines.join("\n")).unwrap();
        Self { directory, asked: None }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// A shell that runs this script here. Those that other tests run have their sockets
    /// below /run, where `exectrail filter` would find them.
    fn shell(&self, script: &str, control: &str) -> Command {
        let desk = self.path().display();
        let script = format!(
            "cd {desk} && mount --bind passwd /etc/passwd && \
             mount -t tmpfs none /run && mount -t tmpfs none /usr/local/share && mkdir -p /usr/local/share/man/man1 && \
             PATH={desk}/bin:$PATH || exit 99\n{script}"
        );
        let mut shell = Command::new("unshare");
        shell.args(["--mount", "--propagation", "private", "bash", "-c", &script]);
        shell.env("XDG_CONFIG_HOME", "/nonexistent").env("XDG_RUNTIME_DIR", self.at(control));
        for name in ["RUST_LOG", "SUDO_UID", "SUDO_GID", "SUDO_USER"] {
            shell.env_remove(name);
        }
        shell.stdin(Stdio::null());
        shell
    }

    fn output(&self, script: &str, control: &str) -> Came {
        let output = self.shell(script, control).output().unwrap();
        let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.push_str(&String::from_utf8_lossy(&output.stderr));
        Came { code: output.status.code(), said }
    }

    /// A command that ends by itself.
    fn ends(&self, line: &str, control: &str) -> Came {
        self.output(&format!("set -o pipefail\n{line}\n"), control)
    }

    /// A command that shows what happens until Ctrl-C, or writes it down.
    fn until_interrupted(&self, line: &str) -> Came {
        let shows = if line.starts_with("exectrail record") { "true" } else { "shown" };
        let script = format!(
            "shown() {{ grep -qs {MARKER} out execs.jsonl; }}
            rm -f execs.jsonl
            {line} > out 2> err &
            tracer=$!
            for turn in {{1..1000}}; do
                grep -q tracing err || [ -s out ] && break
                kill -0 $tracer || break
                sleep 0.1
            done
            for turn in {{1..100}}; do
                {MEANWHILE}
                sleep 0.2
                {shows} && break
            done > /dev/null 2>&1
            kill -INT $tracer
            wait $tracer
            code=$?
            cat out err execs.jsonl 2> /dev/null
            exit $code"
        );
        self.output(&script, "run")
    }

    /// A command that is looked at on a terminal, until a key ends it.
    fn at_terminal(&self, line: &str) -> Came {
        const COLUMNS: u16 = 100;
        let shell = self.shell(&format!("exec {line}"), "run");
        let mut command = Command::new(subject());
        command.arg("at-terminal").arg(shell.get_program()).args(shell.get_args());
        for (name, value) in shell.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let terminal = Terminal::new(COLUMNS);
        command.env("TERM", "xterm");
        command.stdin(terminal.open()).stdout(terminal.open()).stderr(terminal.open());
        let mut child = Spawned(command.spawn().unwrap());
        let picture = |text: &str| Picture::of(text, COLUMNS.into(), LINES.into());
        let text = terminal.wait(|text| picture(text).has("? help") || picture(text).has("ENDED"));
        let mut said = picture(&text).lines().join("\n") + "\n";
        terminal.types(b"q");
        let code = child.wait().unwrap().code();
        let text = terminal.wait(|text| picture(text).behind.contains(" shown"));
        said.push_str(&picture(&text).behind);
        Came { code, said }
    }

    /// A command that counts for a while.
    fn beside_work(&self, line: &str) -> Came {
        let script = format!(
            "while :; do {MEANWHILE}\ndone > /dev/null 2>&1 &
            {line}
            code=$?
            kill $!
            exit $code"
        );
        let came = self.output(&script, "run");
        assert!(!came.said.contains("exectrail: 0 counted"), "{}", came.said);
        came
    }

    /// A question to an exectrail that runs, which is there from the first question on.
    fn asks(&mut self, line: &str) -> Came {
        if self.asked.is_none() {
            let mut shell = self.shell("exec exectrail --json --only /no/such/program", "asked");
            self.asked = Some(Trace::start_command(&mut shell));
        }
        self.ends(line, "asked")
    }

    /// What comes of a command, by what it is.
    fn run(&mut self, shown: &Shown) -> Came {
        let line = shown.line.strip_prefix("sudo ").unwrap_or(&shown.line);
        if shown.is_session && line == shown.line {
            let user = "setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all";
            return self.ends(&format!("{user} {line}"), "run");
        }
        let command =
            line.strip_prefix("exectrail").map(|rest| rest.split(' ').nth(1).unwrap_or(""));
        match command {
            None if line.starts_with("make ") => {
                self.ends(&format!("cd {} && {line} --dry-run", root().display()), "run")
            }
            None if line.starts_with("source <(exectrail completions ") => {
                self.ends(&format!("{line}\ncomplete -p exectrail"), "run")
            }
            Some("" | "record" | "trace") => self.until_interrupted(line),
            Some(flag) if flag.starts_with("--") => self.until_interrupted(line),
            Some("tui") => self.at_terminal(line),
            Some("replay") if line.contains(" --tui") => self.at_terminal(line),
            Some("replay") if line.contains(" --tail") => self.until_interrupted(line),
            Some("replay" | "fields" | "doctor" | "run" | "man" | "completions") => {
                self.ends(line, "run")
            }
            Some("filter") => self.asks(line),
            Some("top") => self.beside_work(line),
            _ => panic!("how is this to be tested? {}", shown.line),
        }
    }
}

/// What it ends with: what is shown says so.
fn code(shown: &Shown) -> i32 {
    let end =
        |line: &String| line.strip_prefix("exectrail: exit ")?.split(' ').next()?.parse().ok();
    let is_refused = shown.output.iter().any(|line| line.starts_with("fail "));
    shown.output.iter().find_map(end).unwrap_or(if is_refused { 77 } else { 0 })
}

/// Whether a line is the same each time: heads of tables are, and words without numbers.
fn is_always_the_same(line: &str) -> bool {
    !line.contains(|c: char| c.is_ascii_digit()) && line != "..." && line != "^C"
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// Lines of a table have as many cells as there are titles, at least.
fn check_shape(shown: &Shown, came: &Came) {
    for line in shown.output.iter().filter(|line| is_always_the_same(line)) {
        let is_there = came.said.lines().any(|said| words(said) == words(line));
        assert!(is_there, "`{}` does not say\n{line}\nbut\n{}", shown.line, came.said);
    }
}

#[test]
fn docs_commands() {
    if !real_kernel("docs_commands") {
        return;
    }
    if is_emulated() {
        eprintln!("NOT RUN: docs_commands needs a host with the documents, bash and a compiler");
        return;
    }
    let mut seen = 0;
    for (path, all) in commands() {
        let mut desk = Desk::new();
        for shown in &all {
            let came = desk.run(shown);
            let place = format!("{}: `{}`", path.display(), shown.line);
            assert_eq!(came.code, Some(code(shown)), "{place}: {}", came.said);
            assert!(!came.said.contains("panicked"), "{place}: {}", came.said);
            let is_trace = came.said.contains("exectrail: tracing; Ctrl-C ends");
            // What only counts names nobody's arguments.
            let shows = came.said.contains(MARKER) || came.said.contains(" counted, ");
            assert!(!is_trace || shows, "{place} shows nothing: {}", came.said);
            check_shape(shown, &came);
            seen += 1;
        }
        if let Some(asked) = desk.asked.take() {
            assert!(asked.stop().status.success());
        }
    }
    assert!(seen >= 30, "{seen} commands");
}
