//! An account of the same execs that owes nothing to BPF: the kernel's process
//! connector (`drivers/connector/cn_proc.c`). It tells of every fork, exec and exit
//! by netlink, in the order in which they happen to a process.
#![expect(unsafe_code, reason = "a netlink socket without a library for it")]

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    mem,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

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

/// Everything that happened on the host, and when: on the monotonic clock.
pub(crate) struct Record(Vec<(u64, Happened)>);

/// What happened to a process.
#[derive(Debug, Default)]
pub(crate) struct Life {
    pub(crate) pid: u32,
    /// When it was born; `None` if it is older than the record.
    pub(crate) born: Option<u64>,
    /// Index of its parent among all lives.
    parent: Option<usize>,
    pub(crate) execs: Vec<u64>,
    pub(crate) ended: bool,
}

/// Every process of which something was heard.
pub(crate) struct Lives {
    all: Vec<Life>,
    /// Those that have, or had, an id, in the order of their births.
    by_pid: BTreeMap<u32, Vec<usize>>,
}

impl Record {
    /// Follows forks, so that an id that is used again is another process.
    pub(crate) fn lives(self) -> Lives {
        let mut lives = Lives { all: Vec::new(), by_pid: BTreeMap::new() };
        for (time, happened) in self.0 {
            match happened {
                Happened::Fork { parent, child } => {
                    let parent = Some(lives.latest(parent));
                    let born = Some(time);
                    lives.add(Life { pid: child, born, parent, ..Life::default() });
                }
                Happened::Exec { pid } => {
                    let at = lives.latest(pid);
                    let life = &mut lives.all[at];
                    life.execs.push(time);
                    // If the first thread had ended, its id lives again.
                    life.ended = false;
                }
                Happened::Exit { pid } => {
                    let at = lives.latest(pid);
                    lives.all[at].ended = true;
                }
            }
        }
        lives
    }
}

impl Lives {
    fn add(&mut self, life: Life) -> usize {
        let at = self.all.len();
        self.by_pid.entry(life.pid).or_default().push(at);
        self.all.push(life);
        at
    }

    /// The one that has this id now.
    fn latest(&mut self, pid: u32) -> usize {
        let known = self.by_pid.get(&pid).and_then(|lives| lives.last().copied());
        known.unwrap_or_else(|| self.add(Life { pid, ..Life::default() }))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Life> {
        self.all.iter()
    }

    pub(crate) fn get(&self, at: usize) -> &Life {
        &self.all[at]
    }

    /// Index of the one that had this id at this time.
    pub(crate) fn at(&self, pid: u32, time: u64) -> Option<usize> {
        let same_id = self.by_pid.get(&pid)?;
        let born = |&at: &usize| self.all[at].born.is_none_or(|born| born <= time);
        same_id.iter().copied().rev().find(born)
    }

    /// For each whether it descends from the first process with this id.
    pub(crate) fn descend_from(&self, root: u32) -> Vec<bool> {
        let root = self.by_pid[&root][0];
        let mut descend: Vec<bool> = Vec::with_capacity(self.all.len());
        for life in &self.all {
            // A parent stands before its children.
            descend.push(life.parent.is_some_and(|parent| parent == root || descend[parent]));
        }
        descend
    }

    /// The descendants of the first process with this id.
    pub(crate) fn below(&self, root: u32) -> impl Iterator<Item = &Life> {
        let descend = self.descend_from(root);
        self.all.iter().zip(descend).filter_map(|(life, descends)| descends.then_some(life))
    }
}

/// The boot clock, which events tell the time by, less the monotonic one, which the
/// connector does: the time that this host has been suspended.
///
/// Whoever is interrupted between the two questions gets too much, never too little:
/// by the slice of whoever runs meanwhile, which is longer than a life of a storm. So
/// the least of many answers counts.
pub(crate) fn boot_less_monotonic() -> u64 {
    let least = (0..100)
        .map(|_| {
            let monotonic = read_clock(libc::CLOCK_MONOTONIC);
            read_clock(libc::CLOCK_BOOTTIME) - monotonic
        })
        .min()
        .unwrap();
    // What is left of the time between the questions.
    if least < 1_000_000 { 0 } else { least }
}

fn read_clock(clock: libc::clockid_t) -> u64 {
    // SAFETY: all zeroes is a value of it.
    let mut time: libc::timespec = unsafe { mem::zeroed() };
    // SAFETY: a value on our stack.
    assert_eq!(unsafe { libc::clock_gettime(clock, &raw mut time) }, 0);
    u64::try_from(time.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap()
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
    pub(crate) fn stop(self) -> Record {
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
fn understand(message: &[u8], numbers: &mut BTreeMap<u32, u32>) -> Option<(u64, Happened)> {
    let word = |at: usize| u32::from_ne_bytes(message[at..at + 4].try_into().unwrap());
    let (number, cpu) = (word(16 + 8), word(HEADERS + 4));
    let next = numbers.insert(cpu, number.wrapping_add(1));
    assert!(next.is_none_or(|next| next == number), "the oracle missed messages of CPU {cpu}");
    // Behind kind and CPU stands the time; then what it is about.
    let time = u64::from_ne_bytes(message[HEADERS + 8..HEADERS + 16].try_into().unwrap());
    let about = |index: usize| word(HEADERS + 16 + index * 4);
    let happened = match word(HEADERS) {
        // Parent's thread and process, child's thread and process.
        PROC_EVENT_FORK if about(2) == about(3) => {
            Happened::Fork { parent: about(1), child: about(3) }
        }
        PROC_EVENT_EXEC => Happened::Exec { pid: about(1) },
        PROC_EVENT_EXIT if about(0) == about(1) => Happened::Exit { pid: about(1) },
        // Also the answers to subscriptions, ours and others', which are numbered too.
        _ => return None,
    };
    Some((time, happened))
}
