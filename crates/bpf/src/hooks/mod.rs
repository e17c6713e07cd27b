//! One file per attach point: context in, steps called, out.
//!
//! Which kind of program a hook is decides whether it can be preempted, and so
//! which scratch buffer it may use:
//!
//! | kind | preemptible | used for |
//! |---|---|---|
//! | raw tracepoint | from 7.0 on (a46023d5616e) | successes and ends, up to 6.19 |
//! | the same | the same | births, and before classic ones what those do not tell: no scratch buffer |
//! | the same | the same | from 7.0 on, successes and ends that the classic one was not run for: a buffer of its own |
//! | classic tracepoint, `sched:*` | never (16718274ee75) | successes and ends, from 7.0 on |
//! | classic tracepoint, `syscalls:*` | from 7.2 on (57918341dd19) | failures |
//!
//! The raw kind is preferred where it is not preemptible, since classic ones
//! are skipped while an interrupted `bpf(2)` map operation stands on the same
//! CPU (`bpf_prog_active`, kernel/trace/bpf_trace.c). Where the raw kind is preemptible it
//! stands in for those that were skipped: it is skipped, too, but for another reason, while
//! it stands interrupted itself. Beside processes that do nothing but map operations, and
//! real-time workers, 313 to 586 of 4,000 execs were not shown without it, and 1 to 90 with
//! it (7.2 emulated with two CPUs, three preempt modes).

pub mod attempt;
pub mod birth;
pub mod exec;
pub mod exec_classic;
pub mod exec_raw;
pub mod exit;
pub mod given;
