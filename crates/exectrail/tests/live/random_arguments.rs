//! Arguments of every size and shape: what an event tells, byte for byte, is what
//! the program found.

use rustix::process::Signal;

use crate::{
    echo::{Echo, Line, Strings, bytes_of, joined},
    support::real_kernel,
};

/// Cases of the property; `EXECTRAIL_CASES` gives another number.
const CASES: u64 = 500;
/// Where they begin; `EXECTRAIL_SEED` gives another one.
const SEED: u64 = 20_260_823;
/// The longest string, without its NUL (`MAX_ARG_STRLEN`, include/uapi/linux/binfmts.h).
const LONGEST: usize = 131_071;
/// The kernel counts the pointers too, eight bytes each, and takes 6 MiB in all
/// (`bprm_stack_limits`, fs/exec.c).
const MOST_STRINGS: usize = 400_000;

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from((self.next() >> 16) % end as u64).unwrap()
    }

    /// From 1 to `most`; each order of magnitude as likely as the next.
    fn size(&mut self, most: usize) -> usize {
        let bits = most.ilog2() as usize + 1;
        let floor = 1 << self.below(bits);
        (floor + self.below(floor)).min(most)
    }

    fn string(&mut self, length: usize, kind: usize) -> Vec<u8> {
        const TEXT: &[&str] = &["a", "Z", " ", "\"", "\\", "\n", "\u{1b}", "é", "\u{202e}", "🦀"];
        match kind {
            0 => (0..length).map(|_| u8::try_from(1 + self.below(255)).unwrap()).collect(),
            1 => (0..length).map(|_| u8::try_from(32 + self.below(95)).unwrap()).collect(),
            _ => {
                let mut text = Vec::new();
                while text.len() < length {
                    text.extend(TEXT[self.below(TEXT.len())].as_bytes());
                }
                // In the middle of a character, now and then.
                text.truncate(length);
                text
            }
        }
    }

    /// Strings of `total` bytes in all, NULs included.
    fn strings(&mut self, total: usize) -> Strings {
        // From one string to one for nearly every byte.
        let longest = self.size(LONGEST);
        let kind = self.below(3);
        let mut strings = Vec::new();
        let mut left = total;
        while left > 0 && strings.len() < MOST_STRINGS {
            let length = match self.below(8) {
                0 => 0,
                _ => self.size(longest + 1) - 1,
            };
            let length = length.min(left - 1);
            strings.push(self.string(length, kind));
            left -= length + 1;
        }
        for place in [0, strings.len() - 1] {
            if self.below(4) == 0 {
                strings[place].clear();
            }
        }
        strings
    }
}

/// Checks that an event tells these arguments, whole.
#[track_caller]
fn is_whole(line: &Line, strings: &[Vec<u8>], case: &str) {
    assert!(!line.args_truncated && line.args_cut.is_none(), "{case}");
    assert_eq!(line.unreadable, [""; 0], "{case}");
    let shown = line.strings();
    let differs = shown.iter().zip(strings).position(|(shown, string)| shown != string);
    assert!(shown == strings, "{case}: {} shown, differs at {differs:?}", shown.len());
}

/// Checks that an event tells the beginning and the end of these arguments, `kept`
/// bytes in all.
#[track_caller]
fn is_cut(line: &Line, strings: &[Vec<u8>], kept: usize) {
    assert!(line.args_truncated);
    let shown = line.strings();
    let (head, tail) = shown.split_at(line.args_cut.unwrap());
    let (whole, head) = (joined(strings), head.join(&0u8));
    assert!(whole.starts_with(&head), "the beginning");
    let tail = joined(tail);
    assert!(whole.ends_with(&tail), "the end");
    assert!(head.len() >= kept / 4 && tail.len() >= 512, "{} and {}", head.len(), tail.len());
    // If it is cut right behind a string, that one's NUL is among what is kept.
    let bytes = head.len() + tail.len();
    assert!(bytes == kept || bytes + 1 == kept, "{bytes} of {kept}");
}

/// Different ones, of so many bytes each, NULs included.
fn numbered(count: usize, bytes: usize) -> Strings {
    let padding = "-".repeat(bytes - 1 - 6);
    (0..count).map(|number| format!("{padding}{number:06}").into_bytes()).collect()
}

#[test]
fn what_the_child_found_is_what_is_told() {
    if !real_kernel("what_the_child_found_is_what_is_told") {
        return;
    }
    let given = |name, other| std::env::var(name).map_or(other, |text| text.parse().unwrap());
    let (cases, seed) = (given("EXECTRAIL_CASES", CASES), given("EXECTRAIL_SEED", SEED));
    let echo = Echo::start(&["--max-args", "6M"]);
    let (mut bytes, mut most) = (0, 0);
    for number in seed..seed + cases {
        // Each can be had again alone, with this seed and one case.
        let mut random = Random(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let total = random.size(2 << 20);
        let strings = random.strings(total);
        let case = format!("EXECTRAIL_SEED={number}: {} strings, {total} bytes", strings.len());
        let line = echo.run(&strings);
        is_whole(&line, &strings, &case);
        (bytes, most) = (bytes + bytes_of(&strings), most.max(strings.len()));
    }
    let summary = echo.stop(cases);
    assert_eq!(summary.shortened, 0);
    eprintln!("{cases} cases, {bytes} bytes, up to {most} strings");
}

#[test]
fn nearly_all_that_the_kernel_takes_is_told() {
    if !real_kernel("nearly_all_that_the_kernel_takes_is_told") {
        return;
    }
    let echo = Echo::start(&["--max-args", "6M"]);
    let strings = numbered(47, LONGEST + 1);
    is_whole(&echo.run(&strings), &strings, "47 of the longest");
    assert_eq!(echo.stop(1).shortened, 0);
}

#[test]
fn beyond_a_limit_of_one_mebibyte_the_middle_goes() {
    if !real_kernel("beyond_a_limit_of_one_mebibyte_the_middle_goes") {
        return;
    }
    let echo = Echo::start(&["--max-args", "1M"]);
    for strings in [numbered(3 << 10, 1 << 10), numbered(24, LONGEST + 1), numbered(300_000, 10)] {
        let line = echo.run(&strings);
        is_cut(&line, &strings, 1 << 20);
        // That is what was asked for.
        assert_eq!(line.unreadable, [""; 0]);
    }
    assert_eq!(echo.stop(3).shortened, 0);
}

#[test]
fn what_a_buffer_has_no_room_for_is_marked() {
    if !real_kernel("what_a_buffer_has_no_room_for_is_marked") {
        return;
    }
    let echo = Echo::start(&["--buffer", "64K", "--max-args", "6M"]);
    let strings = numbered(2 << 10, 1 << 10);
    let line = echo.run(&strings);
    assert!(line.is_shortened(), "{:?}", line.unreadable);
    let (whole, tail) = (joined(&strings), joined(&line.strings()));
    assert!(whole.ends_with(&tail[tail.len() - 1024..]), "the end is there");
    assert_eq!(echo.stop(1).shortened, 1);
}

/// A reader that sleeps: before an event is dropped, arguments over 1 KiB are
/// shortened to that, so that the buffer holds many more.
#[test]
fn arguments_are_shortened_before_events_are_dropped() {
    if !real_kernel("arguments_are_shortened_before_events_are_dropped") {
        return;
    }
    let echo = Echo::start(&["--buffer", "64K"]);
    let (long, short, longest) =
        (numbered(20, 1 << 10), numbered(1, 1 << 10), numbered(60, 1 << 10));
    is_whole(&echo.run(&long), &long, "while there is room");
    echo.trace.signal(Signal::STOP);
    let cases: Vec<_> =
        [&long, &long, &long, &longest].into_iter().chain([&short, &longest].repeat(4)).collect();
    let pids: Vec<_> = cases.iter().map(|strings| echo.found_by(strings)).collect();
    echo.trace.signal(Signal::CONT);
    let mut shortened = 0;
    for (index, (pid, strings)) in pids.into_iter().zip(cases).enumerate() {
        let line = echo.event_of(pid, strings);
        // Two of the long ones fill three quarters of the buffer.
        if index < 2 || strings == &short {
            is_whole(&line, strings, "while there is room");
        } else {
            assert!(line.is_shortened(), "{index}: {:?}", line.unreadable);
            is_cut(&line, strings, 1 << 10);
            shortened += 1;
        }
    }
    is_whole(&echo.run(&long), &long, "there is room again");
    assert_eq!((shortened, echo.stop(14).shortened), (6, 6));
}
