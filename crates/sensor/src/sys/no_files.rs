//! A thread that cannot open files.
#![expect(unsafe_code, reason = "raw system calls; each block says why it holds")]

use std::io;

use super::checked;

/// Where the number of the system call is in what a filter looks at (`struct seccomp_data`,
/// include/uapi/linux/seccomp.h).
const NUMBER: u32 = 0;

/// The calls that open a file by its name.
#[cfg(target_arch = "x86_64")]
const OPENS: [libc::c_long; 2] = [libc::SYS_openat, libc::SYS_open];
#[cfg(not(target_arch = "x86_64"))]
const OPENS: [libc::c_long; 1] = [libc::SYS_openat];

/// From now on, files are not there for this thread, and those that it starts; the others'
/// calls stay as they are. There is no way back but the thread's end.
///
/// No protection: there are more ways to open a file than it knows of.
///
/// # Errors
///
/// Without `CONFIG_SECCOMP_FILTER`, and where it is forbidden.
pub(crate) fn open_no_files() -> io::Result<()> {
    let filter = filter()?;
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).map_err(io::Error::other)?,
        filter: filter.as_ptr().cast_mut(),
    };
    // Without `CAP_SYS_ADMIN`, a filter is only for who will never have more rights.
    // SAFETY: numbers only.
    checked(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }.into())?;
    // SAFETY: the program and its instructions live through the call, and are only read.
    checked(
        unsafe {
            libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program, 0, 0)
        }
        .into(),
    )
    .map(drop)
}

/// `ENOENT` for what opens, all else as ever.
fn filter() -> io::Result<Vec<libc::sock_filter>> {
    const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    const IF_EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    const RETURN: u32 = libc::BPF_RET | libc::BPF_K;
    let step = |code: u32, k: u32, over: u8| -> io::Result<libc::sock_filter> {
        let code = u16::try_from(code).map_err(io::Error::other)?;
        Ok(libc::sock_filter { code, jt: 0, jf: over, k })
    };
    let absent = libc::SECCOMP_RET_ERRNO | libc::ENOENT.cast_unsigned();
    let mut filter = vec![step(LOAD, NUMBER, 0)?];
    for open in OPENS {
        let number = u32::try_from(open).map_err(io::Error::other)?;
        filter.push(step(IF_EQUAL, number, 1)?);
        filter.push(step(RETURN, absent, 0)?);
    }
    filter.push(step(RETURN, libc::SECCOMP_RET_ALLOW, 0)?);
    Ok(filter)
}

#[cfg(test)]
mod tests {
    use std::{fs::File, thread};

    use super::open_no_files;

    #[test]
    fn only_that_thread_opens_none() {
        let blind = thread::spawn(|| {
            assert!(File::open("/proc/self/stat").is_ok());
            open_no_files().unwrap();
            File::open("/proc/self/stat").map_err(|error| error.raw_os_error())
        });
        assert_eq!(blind.join().unwrap().unwrap_err(), Some(libc::ENOENT));
        assert!(File::open("/proc/self/stat").is_ok());
    }
}
