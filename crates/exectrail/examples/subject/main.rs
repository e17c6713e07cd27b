//! The subject of the live tests and benchmarks: execs in ways that a shell
//! cannot, as often as it is told.
//!
//! Each command prints what it did as far as a test needs to know, and fails
//! loudly when it could not do it.
#![expect(unsafe_code, reason = "fork, vfork and raw execs are the point of it")]
#![expect(clippy::panic, clippy::expect_used, reason = "a test program ends loudly")]
#![expect(clippy::multiple_unsafe_ops_per_block, reason = "system calls in a row")]

mod births;
mod chains;
mod conditions;
mod confined;
mod echo;
mod elf;
mod empty;
mod files;
mod hostile;
mod literals;
mod measured;
mod orders;
mod parents;
mod pointers;
mod process;
mod storm;
mod supervised;
mod tell;
mod threads;

use std::{env, ffi::OsString, hint::black_box, time::Instant};

fn main() {
    if env::var_os("EXECTRAIL_SUBJECT").is_some_and(|what| what == "echo") {
        return echo::echo();
    }
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let words: Vec<&str> = args.iter().map(|arg| arg.to_str().unwrap_or("")).collect();
    match words.as_slice() {
        ["exit", ..] => {}
        ["say", words @ ..] => println!("{}", words.join(" ")),
        ["orders", comm] => orders::follow(comm),
        ["wait", ..] => wait_for_end_of_input(),
        ["tell", names @ ..] => tell::tell(names),
        ["rewrite-own-args", ..] => pointers::rewrite_own(),
        ["resume", child] => parents::resume(number(child).try_into().expect("a process id")),
        ["end-each", leader, last] => threads::end_each(code(leader), code(last)),
        ["abort", ..] => std::process::abort(),
        ["getppid", count] => getppid(number(count)),
        ["empty-program"] => empty::hold(),
        ["under", words @ ..] => conditions::under(words),
        ["at-terminal", program, args @ ..] => conditions::at_terminal(program, args),
        ["crowd", sleeper, count] => conditions::crowd(sleeper, number(count)),
        ["step-clock", seconds] => conditions::step_clock(seconds),
        ["programs-of", user] => conditions::programs_of(user),
        ["literals", how, count] => literals::run(how, number(count)),
        other => {
            let done = writes(other) || storms(other) || measured_storms(other) || execs(other);
            assert!(done, "subject: unknown command: {words:?}");
        }
    }
}

/// Commands that write a program.
fn writes(words: &[&str]) -> bool {
    match words {
        ["tiny", path] => elf::tiny(path),
        ["sleeper", path] => elf::sleeper(path),
        #[cfg(target_arch = "x86_64")]
        ["tiny-32", path] => elf::tiny_32(path),
        #[cfg(target_arch = "x86_64")]
        ["exec-32", path, target, marker] => elf::exec_32(path, target, marker),
        ["unmappable", path] => elf::unmappable(path),
        ["chain-program", path] => chains::program(path),
        ["give-capability", path] => files::give_capability(path),
        _ => return false,
    }
    true
}

/// Commands that exec many times.
fn storms(words: &[&str]) -> bool {
    match words {
        ["alternate", long, short, count] => storm::alternate(long, short, number(count)),
        ["storm", target, count, workers] => storm::storm(target, number(count), number(workers)),
        ["storm-mixed", target, script, count, workers] => {
            storm::mixed(target, script, number(count), number(workers));
        }
        ["storm-of-failures", directory, count, workers] => {
            storm::failures(directory, number(count), number(workers));
        }
        ["real-time", words @ ..] => {
            hostile::become_real_time();
            assert!(storms(words), "subject: unknown storm: {words:?}");
        }
        ["hammer-map"] => hostile::hammer_map(),
        ["storm-of-chains", path, count, workers] => {
            chains::chains(path, number(count), number(workers));
        }
        ["storm-of-births", target, script, unmappable, count, workers] => {
            births::births([target, script, unmappable], number(count), number(workers));
        }
        _ => return false,
    }
    true
}

/// Commands that exec many times, for a benchmark.
fn measured_storms(words: &[&str]) -> bool {
    match words {
        ["storm-timed", target, count] => measured::timed(target, number(count)),
        ["storm-paced", target, rate, millis, workers] => {
            measured::paced(target, number(rate), number(millis), number(workers));
        }
        ["storm-sized", target, arguments, bytes, count, workers] => {
            let (arguments, bytes) = (number(arguments), number(bytes));
            measured::sized(target, arguments, bytes, number(count), number(workers));
        }
        ["storm-shared", target, other, percent, count, workers] => {
            measured::shared(target, other, number(percent), number(count), number(workers));
        }
        ["storm-beats", target, count, millis] => {
            measured::beats(target, number(count), number(millis));
        }
        _ => return false,
    }
    true
}

/// Commands that exec once, in an odd way.
fn execs(words: &[&str]) -> bool {
    match words {
        ["fexecve", target, args @ ..] => files::fexecve(target, args),
        ["fexecve-unlinked", target, args @ ..] => files::fexecve_unlinked(target, args),
        ["memfd", name, source, args @ ..] => files::memfd(name, source, args),
        ["execveat", directory, name, args @ ..] => files::execveat(directory, name, args),
        ["execveat-check", target] => files::check(target),
        ["fexecve-check", target] => files::check_descriptor(target),
        ["exec-null-argument", target] => pointers::bad_argument(target),
        ["exec-with-argv", how, target] => pointers::with_argv(how, target),
        ["exec-from-file", target, file] => pointers::from_file(target, file),
        ["exec-while-rewriting", target] => pointers::while_rewriting(target),
        ["exec-with-comm", target] => pointers::with_comm(target),
        ["exec-under-name", name, missing, target] => pointers::named(name, missing, target),
        ["exec-from-thread", target, marker] => threads::exec_from_thread(target, marker),
        ["fail-and-exec-from-thread", missing, target] => threads::fail_and_exec(missing, target),
        ["exec-from-all-threads", target] => threads::exec_from_all(target),
        ["exec-after-leader", target, marker] => threads::exec_after_leader(target, marker),
        ["leader-first", millis, code] => {
            threads::leader_first(number(millis) as u64, self::code(code));
        }
        ["clone-parent", target] => births::clone_parent(target),
        ["spawn-by-name", name, marker] => parents::spawn_by_name(name, marker),
        ["exec-under-new-parent", parent, target] => parents::under_new(parent, target),
        ["orphan", target, marker] => parents::orphan(target, marker),
        ["ptraced", target, marker] => parents::ptraced(target, marker),
        ["seccomp", action, target] => confined::seccomp(action, target),
        ["notified", answer, target] => supervised::notified(answer, target),
        ["landlocked", target] => confined::landlocked(target),
        ["with-core", target, args @ ..] => confined::with_core(target, args),
        ["without-core", target, args @ ..] => confined::without_core(target, args),
        _ => return false,
    }
    true
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn code(text: &str) -> i32 {
    number(text).try_into().expect("a code")
}

/// Lives for as long as its standard input is open.
fn wait_for_end_of_input() {
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).expect("reading");
}

/// A system call that does nothing, `count` times. Prints nanoseconds per call.
fn getppid(count: usize) {
    let start = Instant::now();
    for _ in 0..count {
        // SAFETY: no arguments. Not through libc's wrapper, which could cache.
        black_box(unsafe { libc::syscall(libc::SYS_getppid) });
    }
    let calls = u32::try_from(count).expect("a number of calls");
    println!("{:.2}", start.elapsed().as_secs_f64() * 1e9 / f64::from(calls));
}
