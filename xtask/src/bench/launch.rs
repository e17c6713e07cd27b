//! How a tracer is started: as it is, with a tracefs, or around a shell.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// What stands for the file of the output in a tracer's flags.
pub(super) const OUTPUT: &str = "{output}";

/// How a tracer shows that it has begun.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ready {
    /// With a line on stderr that has this in it.
    Says(&'static str),
    /// Not at all; but then it sleeps in its event loop.
    Waits,
    /// Not at all, and it has no event loop; but then it sleeps for long.
    Sleeps,
    /// The shell that it runs answers.
    Answers,
}

/// Where a tracer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Like any other program.
    Host,
    /// Where tracefs is mounted. If the host has none, in a mount namespace of its
    /// own, so that the host has none afterwards.
    Tracefs,
    /// Around a shell that runs what is traced, because it traces only its children.
    AroundShell,
}

/// A program and its flags.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    pub(super) program: PathBuf,
    pub(super) flags: Vec<OsString>,
    pub(super) ready: Ready,
    pub(super) place: Place,
}

/// Mounts, then becomes the program, whose process id is thus that of the child.
const WITH_TRACEFS: &str = "mount -t tracefs tracefs /sys/kernel/tracing && \
    { mount -t debugfs debugfs /sys/kernel/debug || :; } && exec \"$0\" \"$@\"";

impl Variant {
    /// The command that starts it. C programs write whole blocks to what is no terminal;
    /// `by_line` has them write each line.
    pub(super) fn command(&self, output: &Path, by_line: bool) -> Command {
        let words = by_line.then_some(["stdbuf", "-oL"]).into_iter().flatten().map(OsString::from);
        let words = words.chain([self.program.clone().into_os_string()]);
        let mut words: Vec<OsString> = words.collect();
        words.extend(self.flags.iter().map(|flag| match flag.to_str() {
            Some(OUTPUT) => output.as_os_str().to_owned(),
            _ => flag.clone(),
        }));
        if self.place == Place::AroundShell {
            words.push("sh".into());
        }
        if self.place == Place::Tracefs && !has_tracefs() {
            let first = ["unshare", "-m", "sh", "-c", WITH_TRACEFS].map(OsString::from);
            words.splice(0..0, first);
        }
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }
}

/// Whether this host has mounted it.
fn has_tracefs() -> bool {
    Path::new("/sys/kernel/tracing/events").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_stands_in_its_place() {
        let flags = ["-o", OUTPUT].map(OsString::from).to_vec();
        let place = Place::AroundShell;
        let variant = Variant { program: "strace".into(), flags, ready: Ready::Answers, place };
        let command = variant.command(Path::new("/x/output"), true);
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        assert_eq!(command.get_program(), "stdbuf");
        assert_eq!(words, ["-oL", "strace", "-o", "/x/output", "sh"]);
    }
}
