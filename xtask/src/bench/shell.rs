//! A shell inside a tracer that traces only its children: it runs what is traced.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout},
};

use anyhow::{Context as _, Result, bail};

/// A shell that is told line by line. It ends when this goes, and its tracer with it.
pub(super) struct Shell {
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    pid: u32,
}

impl Shell {
    /// The shell that reads this child's input. Waits until it answers.
    pub(super) fn of(child: &mut Child) -> Result<Self> {
        let commands = child.stdin.take().context("no pipe to the shell")?;
        let answers = BufReader::new(child.stdout.take().context("no pipe from the shell")?);
        let mut shell = Self { commands, answers, pid: 0 };
        let pid = shell.tell("echo $$")?;
        shell.pid = pid.trim().parse().with_context(|| format!("the shell answered `{pid}`"))?;
        Ok(shell)
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// What a program printed that the shell ran.
    pub(super) fn run(&mut self, program: &Path, words: &[&str]) -> Result<String> {
        let program = program.to_string_lossy();
        let words = [&*program].into_iter().chain(words.iter().copied());
        self.tell(&words.map(quoted).collect::<Vec<_>>().join(" "))
    }

    fn tell(&mut self, command: &str) -> Result<String> {
        writeln!(self.commands, "{command}; echo \"end $?\"")
            .context("the shell does not listen")?;
        let mut said = String::new();
        loop {
            let mut line = String::new();
            if self.answers.read_line(&mut line).context("the shell does not answer")? == 0 {
                bail!("the shell ended, with its tracer");
            }
            match line.strip_prefix("end ") {
                Some("0\n") => return Ok(said),
                Some(status) => bail!("the workload ended with {}: {command}", status.trim()),
                None => said += &line,
            }
        }
    }
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::{
        path::Path,
        process::{Command, Stdio},
    };

    use super::Shell;

    #[test]
    fn words_reach_the_program_as_they_are() {
        let mut child =
            Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut shell = Shell::of(&mut child).unwrap();
        assert_eq!(shell.pid(), child.id());
        let said = shell.run(Path::new("echo"), &["a  b", "it's", "$HOME"]).unwrap();
        assert_eq!(said, "a  b it's $HOME\n");
        assert!(shell.run(Path::new("false"), &[]).is_err());
        drop(shell);
        assert!(child.wait().unwrap().success());
    }
}
