//! `exectrail completions`: from the one definition of the command line.

use std::io::{self, Write as _};

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use crate::args::Cli;

/// Prints the shell's script.
pub(crate) fn run(shell: Shell) -> anyhow::Result<()> {
    // Whole, before any of it goes out: the generator takes a failed write for a bug.
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "exectrail", &mut script);
    Ok(io::stdout().lock().write_all(&script)?)
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, process::Command};

    use super::*;

    /// What the shell itself makes of the words so far.
    fn completed(words: &[&str]) -> String {
        let mut script = tempfile::NamedTempFile::new().unwrap();
        let mut bytes = Vec::new();
        generate(Shell::Bash, &mut Cli::command(), "exectrail", &mut bytes);
        script.write_all(&bytes).unwrap();
        let ask = r#"source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); last=${!#}
            _exectrail exectrail "$last" "${COMP_WORDS[COMP_CWORD-1]}"; echo "${COMPREPLY[*]}""#;
        let output = Command::new("bash")
            .args(["--norc", "-c", ask])
            .arg(script.path())
            .args(words)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn bash_completes_options_and_commands() {
        assert_eq!(completed(&["exectrail", "--excl"]), "--exclude");
        assert_eq!(completed(&["exectrail", "comp"]), "completions");
        assert_eq!(completed(&["exectrail", "replay", "--so"]), "--sort");
        assert_eq!(completed(&["exectrail", "filter", "rep"]), "replace");
        assert_eq!(completed(&["exectrail", "filter", "add", "--onl"]), "--only");
        assert_eq!(completed(&["exectrail", "--color", "alw"]), "always");
    }

    #[test]
    fn the_other_shells_have_scripts_that_name_the_options() {
        for shell in [Shell::Zsh, Shell::Fish] {
            let mut script = Vec::new();
            generate(shell, &mut Cli::command(), "exectrail", &mut script);
            let script = String::from_utf8(script).unwrap();
            assert!(script.contains("exclude") && script.contains("completions"), "{shell}");
        }
    }
}
