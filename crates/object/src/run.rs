//! Running other programs, with a failure that says what they said.

use std::process::{Command, Stdio};

use crate::Error;

/// Runs a program to its end and returns what it wrote to standard output.
pub(crate) fn output_of(command: &mut Command) -> Result<String, Error> {
    let program = describe(command);
    let fail = |status: String, output: String| Error::Program {
        program: program.clone(),
        status,
        output,
    };
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| fail("could not be started".to_owned(), error.to_string()))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(fail(output.status.to_string(), said))
    }
}

/// The program and its first two words: enough to know which of many it was.
fn describe(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().take(2).map(|word| word.to_string_lossy()));
    words.join(" ")
}
