//! Rules that are none: what is said, and where the carets stand.

use super::parse;

#[test]
fn what_is_wrong_where_and_what_to_write() {
    // rule, what the carets stand under, words of the message
    for (rule, under, says) in [
        ("", "", "a rule needs a path"),
        ("a\0", "a\0", "NUL"),
        ("./ls", "./ls", "neither an absolute path nor a program name"),
        ("bin/ls", "bin/ls", "`**/`"),
        ("path=bin/ls", "bin/ls", "neither an absolute path"),
        ("path=ls", "ls", "its key is `name`"),
        ("name=/bin/ls", "/bin/ls", "its key is `path`"),
        ("/opt/[a", "/opt/[a", "bad pattern"),
        ("user=root,/opt/{a,b", "/opt/{a,b", "bad pattern"),
        ("/usr//bin/ls", "/usr//bin/ls", "write `/usr/bin/ls`"),
        ("/usr/bin/", "/usr/bin/", "write `/usr/bin`"),
        ("/usr/./lib/../bin/**", "/usr/./lib/../bin/**", "write `/usr/bin/**`"),
        ("/usr//*/x", "/usr//*/x", "write `/usr/*/x`"),
        ("**/../x", "**/../x", "write `x`"),
        ("//", "//", "write `/**`"),
        ("//**", "//**", "write `/**`"),
        ("user=root,uid=0", "uid", "did you mean `user`?"),
        ("contaner=x", "contaner", "did you mean `container`?"),
        ("zzzzzzzzz=0", "zzzzzzzzz", "there are path, name, arg, user"),
        ("user=root,", "", "nothing stands here"),
        (",user=root", "", "nothing stands here"),
        ("user=", "user=", "`user` needs a value"),
        ("user=root,arg=,ls", "arg=", "`arg` needs a value"),
        ("ls,cat", "cat", "`name` is here twice"),
        ("ns=host,/x,pidns=1", "pidns=1", "`pidns` is here twice"),
        ("cgroup=/a,cgroup=cpu:/a", "cgroup=cpu:/a", "`cgroup` is here twice"),
        ("/x,user=nobody-here", "nobody-here", "no user of this host is called `nobody-here`"),
        ("egroup=root", "root", "no group of this host is called `root`"),
        ("user=4294967295", "4294967295", "from 0 to 4294967294"),
        ("user=99999999999", "99999999999", "from 0 to 4294967294"),
        ("tree=self", "self", "`self` is no process id"),
        ("tree=0", "0", "`0` is no process id"),
        ("netns=container", "container", "write `host`"),
        ("netns=0", "0", "write `host`"),
        ("mntns=host", "host", "/proc/1/ns/mnt cannot be read"),
        ("cgroup=a", "a", "`a` is no cgroup"),
        ("cgroup=cpu:a", "cpu:a", "is no cgroup"),
        ("cgroup=:/a", ":/a", "is no cgroup"),
        ("cgroup=/a/**", "/a/**", "that cgroup and all below"),
        ("cgroup=/a/", "/a/", "write `/a`"),
        ("cgroup=cpu:/a/../b", "cpu:/a/../b", "write `/b`"),
        ("container=a*", "a*", "is no container"),
        ("result=ENOENTT", "ENOENTT", "did you mean `ENOENT`?"),
        ("result=enoent", "enoent", "did you mean `ENOENT`?"),
        ("result=0", "0", "is no result"),
        ("parent=a/b", "a/b", "neither an absolute path"),
    ] {
        let error = parse(rule).unwrap_err();
        assert_eq!(&rule[error.at.clone()], under, "{rule}");
        let text = error.to_string();
        assert!(text.contains(says), "{rule} does not say {says:?}: {text}");
    }
}

#[test]
fn longer_than_can_be() {
    for (rule, most) in [
        (format!("/{}", "a".repeat(4095)), "4095"),
        ("n".repeat(256), "255"),
        (format!("**/{}", "a/".repeat(4000)), "4095"),
    ] {
        assert!(parse(&rule).unwrap_err().to_string().contains(most));
    }
    assert!(parse(&format!("/{}", "a".repeat(4094))).is_ok());
    assert!(parse(&"n".repeat(255)).is_ok());
}

#[test]
fn carets_stand_under_the_place() {
    let error = parse("/ü\t/x,user=nobody-here,ls").unwrap_err();
    let text = error.to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[1], "  /ü?/x,user=nobody-here,ls");
    assert_eq!(lines[2], "             ^^^^^^^^^^^");
    let text = parse("user=root,").unwrap_err().to_string();
    assert!(text.ends_with("\n  user=root,\n            ^"), "{text}");
    // Farther to the right than the standard library pads.
    let text = parse(&format!("arg={},x=y", "a".repeat(70_000))).unwrap_err().to_string();
    assert!(text.ends_with(" ^"), "{text:.200}");
}

/// What reads a pattern goes down with each brace, on a stack that ends.
#[test]
fn patterns_of_any_size_and_depth_are_rules_or_errors() {
    let nested = |depth: usize| format!("arg={}a,b{}", "{".repeat(depth), "}".repeat(depth));
    assert!(parse(&nested(32)).is_ok());
    for depth in [33, 60, 250, 100_000] {
        let error = parse(&nested(depth)).unwrap_err().to_string();
        assert!(error.contains("braces within braces"), "{depth}: {error:.200}");
    }
    // Braces that mean themselves are no depth.
    assert!(parse(&format!("arg=*{}", "[{]".repeat(100))).is_ok());
    assert!(parse(&format!("arg=*{}", "\\\\{".repeat(100))).is_ok());
    let error = parse(&format!("arg={}", "?".repeat(2_000_000))).unwrap_err().to_string();
    assert!(error.contains("bad pattern"), "{error:.200}");
}
