//! One file per attach point: context in, steps called, out.
//!
//! Which kind of program a hook is decides whether it can be preempted, and so
//! which scratch buffer it may use:
//!
//! | kind | preemptible | used for |
//! |---|---|---|
//! | raw tracepoint | from 7.0 on (a46023d5616e) | successes and ends, up to 6.19 |
//! | the same | the same | births, and before classic ones what those do not tell: no scratch buffer |
//! | classic tracepoint, `sched:*` | never (16718274ee75) | successes and ends, from 7.0 on |
//! | classic tracepoint, `syscalls:*` | from 7.2 on (57918341dd19) | failures |
//!
//! The raw kind is preferred where it is not preemptible, since classic ones
//! are skipped while an interrupted `bpf(2)` map operation stands on the same
//! CPU (`bpf_prog_active`, kernel/trace/bpf_trace.c).

pub mod attempt;
pub mod birth;
pub mod exec;
pub mod exec_classic;
pub mod exec_raw;
pub mod exit;
pub mod given;
