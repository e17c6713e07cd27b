//! On the kernel side `unsafe` has rooms, so that a review knows where to look.
//! The user side needs no rule here: `unsafe_code` is denied for its workspace.

use super::{File, Finding};

const KERNEL_SIDE: &str = "crates/bpf/src/";
const ROOMS: [&str; 8] =
    ["account", "collect", "config", "emit", "kernel", "maps", "scratch", "verifier"];

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    files.iter().filter(|file| is_outside(&file.name)).flat_map(findings).collect()
}

/// Whether a file of the kernel side lies in none of the rooms.
fn is_outside(name: &str) -> bool {
    let Some(inside) = name.strip_prefix(KERNEL_SIDE) else {
        return false;
    };
    let room = inside.split(['/', '.']).next().unwrap_or_default();
    !ROOMS.iter().any(|allowed| room.starts_with(allowed))
}

fn findings(file: &File) -> impl Iterator<Item = Finding> {
    file.text.lines().zip(1..).filter(|(line, _)| is_unsafe(line)).map(|(_, number)| {
        let what = format!("`unsafe` outside of {}: move it there", ROOMS.join(", "));
        Finding::new(format!("{}:{number}", file.name), what)
    })
}

/// Whether a line has the keyword: not in a comment, and not as an attribute,
/// `#[unsafe(…)]`, which says how an item is linked and not what it does.
fn is_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices("unsafe").any(|(at, keyword)| {
        let (before, after) = (&code[..at], &code[at + keyword.len()..]);
        !before.ends_with(is_word) && !after.starts_with(is_word) && !after.starts_with('(')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn rooms_are_files_and_folders() {
        let count = |name: &str| check(&[file(name, "unsafe { x() }")]).len();
        assert_eq!(count("crates/bpf/src/kernel/task.rs"), 0);
        assert_eq!(count("crates/bpf/src/emit.rs"), 0);
        assert_eq!(count("crates/sensor/src/sys.rs"), 0);
        assert_eq!(count("crates/bpf/src/hooks/exec.rs"), 1);
        assert_eq!(count("crates/bpf/src/main.rs"), 1);
    }

    #[test]
    fn only_the_keyword_counts() {
        let check = |line, expected| assert_eq!(is_unsafe(line), expected, "{line}");
        check("    unsafe { *pointer }", true);
        check("pub unsafe fn read() {}", true);
        check("#[unsafe(no_mangle)]", false);
        check("// unsafe", false);
        check("#![deny(unsafe_op_in_unsafe_fn)]", false);
    }
}
