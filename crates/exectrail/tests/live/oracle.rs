//! An account of the same execs that owes nothing to BPF: the kernel's process
//! connector (`drivers/connector/cn_proc.c`). It tells of every fork, exec and exit
//! by netlink, in the order in which they happen to a process.
#![expect(unsafe_code, reason = "a netlink socket without a library for it")]

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read, Write},
    mem,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use crate::{
    edge_expect::Place,
    support::{Trace, real_kernel, subject},
};

/// Execs of the storm; `EXECTRAIL_STORM` gives another number.
const STORM: usize = 20_000;

#[test]
fn a_mixed_storm_equals_the_proc_connector() {
    if !real_kernel("a_mixed_storm_equals_the_proc_connector") {
        return;
    }
    let storm = std::env::var("EXECTRAIL_STORM").map_or(STORM, |text| text.parse().unwrap());
    let workers = thread::available_parallelism().unwrap().get();
    let place = Place::new();
    let target = place.tiny("target");
    let script = place.executable("script", &format!("#!{target}\n"));
    let trace = Trace::start(&["--only", &target, "--only", &script]);
    let oracle = Oracle::listen();
    let mut command = std::process::Command::new(subject());
    command.args(["storm-mixed", &target, &script, &storm.to_string(), &workers.to_string()]);
    let root = crate::support::run(&mut command);
    let told = oracle.stop().below(root);
    let outcome = trace.stop();
    let summary = outcome.summary();
    assert_eq!((&summary["dropped"], &summary["missed"]), (&0.into(), &0.into()), "{summary}");

    let pid = |event: &serde_json::Value| u32::try_from(event["pid"].as_u64().unwrap()).unwrap();
    let mut shown: Vec<_> = outcome.execs_of(&target).into_iter().map(pid).collect();
    let (mut execs, mut exits) = (told.execs, told.exits);
    for pids in [&mut shown, &mut execs, &mut exits] {
        pids.sort_unstable();
    }
    assert_eq!(execs.len(), storm / workers * workers, "the storm is as large as it should be");
    assert_eq!(exits.len(), execs.len() + workers, "each process ends once");
    // The same processes, each as often.
    assert!(shown == execs, "shown {}, told by the kernel {}", shown.len(), execs.len());
    let scripts = outcome.of_kind("exec").filter(|event| event["filename"] == script).count();
    assert_eq!(scripts, (0..storm / workers).filter(|turn| turn % 3 == 2).count() * workers);
}

/// One message of the connector, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Happened {
    Fork {
        parent: u32,
        child: u32,
    },
    Exec {
        pid: u32,
    },
    /// A process's first thread has ended, which is not always its end.
    Exit {
        pid: u32,
    },
}

/// Everything that happened on the host.
struct Record(Vec<Happened>);

/// What happened to the descendants of a process: their ids, once for each time.
struct Descendants {
    execs: Vec<u32>,
    exits: Vec<u32>,
}

impl Record {
    /// Follows forks, so that an id that is used again is another process.
    fn below(self, root: u32) -> Descendants {
        let mut family = BTreeSet::from([root]);
        let mut ended = BTreeSet::new();
        let mut found = Descendants { execs: Vec::new(), exits: Vec::new() };
        for happened in self.0 {
            match happened {
                Happened::Fork { parent, child } => {
                    if ended.remove(&child) {
                        found.exits.push(child);
                    }
                    if family.contains(&parent) {
                        family.insert(child);
                    } else if child != root {
                        family.remove(&child);
                    }
                }
                Happened::Exec { pid } if pid != root && family.contains(&pid) => {
                    found.execs.push(pid);
                    // If the first thread had ended, its id lives again.
                    ended.remove(&pid);
                }
                Happened::Exit { pid } if pid != root && family.contains(&pid) => {
                    ended.insert(pid);
                }
                Happened::Exec { .. } | Happened::Exit { .. } => {}
            }
        }
        found.exits.extend(ended);
        found
    }
}

/// A listener that has begun to listen.
pub(crate) struct Oracle {
    ends: Arc<AtomicBool>,
    listener: JoinHandle<Record>,
}

/// `include/uapi/linux/connector.h` and `cn_proc.h`.
const CN_IDX_PROC: u32 = 1;
const CN_VAL_PROC: u32 = 1;
const PROC_CN_MCAST_LISTEN: u32 = 1;
const PROC_EVENT_FORK: u32 = 0x1;
const PROC_EVENT_EXEC: u32 = 0x2;
const PROC_EVENT_EXIT: u32 = 0x8000_0000;
/// `struct nlmsghdr` and `struct cn_msg`, which stand before the event.
const HEADERS: usize = 16 + 20;
/// More than the largest storm needs if the listener sleeps for a while.
const BUFFER: libc::c_int = 256 << 20;

impl Oracle {
    /// Listens from here on.
    pub(crate) fn listen() -> Self {
        let mut socket = fs_of(connect());
        socket.write_all(&subscription()).unwrap();
        let ends = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ends);
        Self { ends, listener: thread::spawn(move || listen(socket, &end)) }
    }

    /// What has happened up to now.
    fn stop(self) -> Record {
        self.ends.store(true, Ordering::Relaxed);
        self.listener.join().expect("the oracle has heard everything")
    }
}

/// A socket, read and written like a file.
fn fs_of(socket: OwnedFd) -> std::fs::File {
    socket.into()
}

fn connect() -> OwnedFd {
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
    // SAFETY: three numbers.
    let socket = unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_CONNECTOR) };
    assert!(socket >= 0, "socket: {}", io::Error::last_os_error());
    // SAFETY: a descriptor that nobody else has.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // A wait of 50 ms, then a look at whether to end.
    let patience = libc::timeval { tv_sec: 0, tv_usec: 50_000 };
    set_option(&socket, libc::SO_RCVBUFFORCE, &BUFFER);
    set_option(&socket, libc::SO_RCVTIMEO, &patience);
    // SAFETY: all zeroes is a value of it.
    let mut address: libc::sockaddr_nl = unsafe { mem::zeroed() };
    address.nl_family = libc::AF_NETLINK.try_into().unwrap();
    address.nl_groups = CN_IDX_PROC;
    let length = size_of::<libc::sockaddr_nl>().try_into().unwrap();
    // SAFETY: an address on our stack, as long as said.
    let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    assert_eq!(bound, 0, "bind: {}", io::Error::last_os_error());
    socket
}

fn set_option<T>(socket: &OwnedFd, name: libc::c_int, value: &T) {
    let length = size_of::<T>().try_into().unwrap();
    let value = (&raw const *value).cast();
    // SAFETY: a value on the caller's stack, as long as said.
    let set =
        unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, name, value, length) };
    assert_eq!(set, 0, "setsockopt: {}", io::Error::last_os_error());
}

/// Asks the connector to talk.
fn subscription() -> Vec<u8> {
    let length = u32::try_from(HEADERS).unwrap() + 4;
    let mut message = Vec::new();
    // nlmsghdr: length, type and flags, sequence number, sender.
    message.extend([length, libc::NLMSG_DONE.unsigned_abs(), 0, 0].map(u32::to_ne_bytes).concat());
    // cn_msg: id, sequence number, acknowledgement, length, flags.
    message.extend([CN_IDX_PROC, CN_VAL_PROC, 0, 0].map(u32::to_ne_bytes).concat());
    message.extend([4u16, 0].map(u16::to_ne_bytes).concat());
    message.extend(PROC_CN_MCAST_LISTEN.to_ne_bytes());
    message
}

fn listen(mut socket: std::fs::File, ends: &AtomicBool) -> Record {
    let mut record = Vec::new();
    let mut numbers = BTreeMap::new();
    let mut message = [0; 4096];
    loop {
        // Read before the wait: what comes after the end need not be heard, what
        // came before it is.
        let last = ends.load(Ordering::Relaxed);
        match socket.read(&mut message) {
            Ok(length) => record.extend(understand(&message[..length], &mut numbers)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && last => break,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => panic!("the oracle was overrun: {error}"),
        }
    }
    Record(record)
}

/// `numbers` holds the next sequence number of each CPU: a second way, besides
/// ENOBUFS, in which a message that is missing shows.
fn understand(message: &[u8], numbers: &mut BTreeMap<u32, u32>) -> Option<Happened> {
    let word = |at: usize| u32::from_ne_bytes(message[at..at + 4].try_into().unwrap());
    let what = word(HEADERS);
    if what == 0 {
        // The answer to the subscription.
        return None;
    }
    let (number, cpu) = (word(16 + 8), word(HEADERS + 4));
    let next = numbers.insert(cpu, number.wrapping_add(1));
    assert!(next.is_none_or(|next| next == number), "the oracle missed messages of CPU {cpu}");
    // Behind kind and CPU stands the time, eight bytes; then what it is about.
    let about = |index: usize| word(HEADERS + 16 + index * 4);
    match what {
        // Parent's thread and process, child's thread and process.
        PROC_EVENT_FORK if about(2) == about(3) => {
            Some(Happened::Fork { parent: about(1), child: about(3) })
        }
        PROC_EVENT_EXEC => Some(Happened::Exec { pid: about(1) }),
        PROC_EVENT_EXIT if about(0) == about(1) => Some(Happened::Exit { pid: about(1) }),
        _ => None,
    }
}
