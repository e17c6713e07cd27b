//! The child before it is the command: it takes on the identity, waits, and execs.

use std::{
    env,
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
    time::Duration,
};

use nix::unistd::close;
use rustix::time::{ClockId, clock_gettime};

use super::{Identity, Message};
use crate::exit::{NOT_EXECUTABLE, NOT_FOUND};

/// The name that this program has when it is to become a command.
pub(super) const NAME: &str = "exectrail-held";

/// What it waits for.
pub(super) const GO: u8 = b'g';

/// Becomes the command, if it is for that that we were started; comes back if it is not,
/// or with the exit code if the command cannot be executed. Who started us has that in
/// words.
pub(crate) fn become_command() -> Option<ExitCode> {
    let mut args = env::args_os();
    if args.next()? != NAME {
        return None;
    }
    Some(ExitCode::from(held(args).unwrap_or(NOT_EXECUTABLE)))
}

fn held(mut args: impl Iterator<Item = OsString>) -> Option<u8> {
    let mut number = || args.next()?.to_str()?.parse::<i32>().ok();
    let (wait, say) = (number()?, number()?);
    let identity = Identity::read(args.next()?.to_str()?)?;
    let program = args.next()?;
    // Before we are somebody else, who might not be allowed to.
    let mut go = ours(wait, OpenOptions::new().read(true)).ok()?;
    let mut said = ours(say, OpenOptions::new().write(true)).ok()?;
    let mut tell = |message: Message| said.write_all(&message.write()).ok();
    if let Err(error) = identity.take_on() {
        tell(Message::NoIdentity(error))?;
        return None;
    }
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    tell(Message::Ready { cpu: Duration::try_from(cpu).unwrap_or_default() })?;
    let mut word = [0];
    // If nobody says it, the trace has not begun, or has ended.
    go.read_exact(&mut word).ok().filter(|()| word == [GO])?;
    let error = Command::new(program).args(args).exec();
    let code = code(&error);
    tell(Message::NotExecuted(error))?;
    Some(code)
}

/// A pipe that was left open for us, as one that the command will not have: opened anew,
/// since there is no safe way to own a descriptor by its number.
fn ours(fd: i32, how: &OpenOptions) -> io::Result<File> {
    let file = how.open(format!("/proc/self/fd/{fd}"))?;
    close(fd)?;
    Ok(file)
}

/// The exit code for an exec that fails, as shells have it.
pub(super) fn code(error: &io::Error) -> u8 {
    if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE }
}
