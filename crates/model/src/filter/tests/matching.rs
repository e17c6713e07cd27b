//! What each selector matches.

use exectrail_abi::{
    fault::Fault,
    record::{Creds, Namespaces, Process},
};

use super::parse;
use crate::{
    args::Args,
    event::{Failure, Faults, NO_PROCESS, Parent, Program},
    filter::{Rules, Subject},
};

fn program<'a>(filename: &'a [u8], exe: &'a [u8]) -> Program<'a> {
    Program { filename: Some(filename), exe: Some(exe), ..Program::UNKNOWN }
}

fn check(rule: &str, program: &Program<'_>, expect: bool) {
    let found = parse(rule).unwrap().matches(&Subject::started(program));
    assert_eq!(found, expect, "{rule} with {program:?}");
}

#[test]
fn paths_and_names() {
    // rule, name given to exec, executable, expected
    for (rule, filename, exe, expect) in [
        ("/usr/bin/ls", "/usr/bin/ls", "/usr/bin/ls", true),
        ("/usr/bin/ls", "ls", "/usr/bin/ls", true),
        ("/bin/ls", "/bin/ls", "/usr/bin/ls", true),
        ("/usr/bin/ls", "/usr/bin/lsof", "/usr/bin/lsof", false),
        ("/usr/bin/ls", "/usr/bin", "/usr/bin", false),
        ("path=/usr/bin/ls", "ls", "/usr/bin/ls", true),
        ("/opt/x.sh", "/opt/x.sh", "/usr/bin/dash", true),
        ("/usr/lib/**", "x", "/usr/lib/git/git-x", true),
        ("/usr/lib/**", "x", "/usr/lib", false),
        ("/usr/lib/**", "x", "/usr/lib64/x", false),
        ("/**", "x", "/anything", true),
        ("/opt/*/bin", "x", "/opt/a/bin", true),
        ("/opt/*/bin", "x", "/opt/a/b/bin", false),
        ("/opt/**/bin", "x", "/opt/a/b/bin", true),
        ("/opt/{a,b}/x", "x", "/opt/b/x", true),
        ("/opt/[,;]/x", "x", "/opt/,/x", true),
        ("/opt/a\\,b", "x", "/opt/a,b", true),
        ("/opt/a\\\\b", "x", "/opt/a\\b", true),
        ("/opt/a\\b", "x", "/opt/a\\b", true),
        ("/opt/\\*", "x", "/opt/*", true),
        ("/opt/\\*", "x", "/opt/x", false),
        ("/opt/a=b", "x", "/opt/a=b", true),
        ("**/bin/ls", "x", "/usr/bin/ls", true),
        ("**/bin/ls", "bin/ls", "/x", true),
        ("**/bin/ls", "./ls", "/usr/sbin/ls", false),
        ("**/bin/ls", "./ls", "/bin/ls/x", false),
        ("**/*.sh", "./x.sh", "/usr/bin/dash", true),
        ("**/*.sh", "x", "/usr/x.sh/y", false),
        ("**/lib/**", "x", "/usr/lib/y", true),
        ("ls", "./ls", "/tmp/other", true),
        ("ls", "x", "/usr/bin/ls", true),
        ("ls", "x", "/usr/bin/lsof", false),
        ("name=a=b", "x", "/a=b", true),
        ("python3*", "x", "/usr/bin/python3.11", true),
        ("python3*", "x", "/usr/python3/x", false),
        ("*", "x/", "/", false),
        // Each of them by either path.
        ("/opt/**,dash", "/opt/x.sh", "/usr/bin/dash", true),
        ("/opt/**,bash", "/opt/x.sh", "/usr/bin/dash", false),
    ] {
        check(rule, &program(filename.as_bytes(), exe.as_bytes()), expect);
    }
}

#[test]
fn bytes_that_are_no_utf8_do_not_match_by_chance() {
    check("/tmp/\u{fffd}", &program(b"/tmp/\xff", b"/tmp/\xff"), false);
    check("/tmp/*", &program(b"/tmp/\xff", b"/tmp/\xff"), true);
}

#[test]
fn arguments() {
    let cut = b"x\0--version\0secret\0".as_slice();
    for (rule, args, expect) in [
        ("arg=--version", Args::whole(b"ls\0--version\0"), true),
        ("arg=--version", Args::whole(b"--version\0"), false),
        ("arg=--version", Args::whole(b"ls\0--versions\0"), false),
        ("arg=--config=*", Args::whole(b"x\0--config=/etc/a/b\0"), true),
        ("arg=a,arg=b", Args::whole(b"x\0b\0c\0a\0"), true),
        ("arg=a,arg=b", Args::whole(b"x\0b\0c\0"), false),
        ("arg=a\\,b", Args::whole(b"x\0a,b\0"), true),
        ("arg=*", Args::whole(b"x\0"), false),
        ("arg=*", Args::whole(b"x\0\0"), true),
        // What is only a piece of a word is not that word.
        ("arg=--version", Args::whole(cut).cut_at(11), false),
        ("arg=secret", Args::whole(cut).cut_at(13), false),
        ("arg=--version", Args::whole(cut).cut_at(13), true),
        ("arg=*", Args::whole(b"x\0\0").without(0b10), false),
    ] {
        check(rule, &Program { args: Some(args), ..Program::UNKNOWN }, expect);
    }
}

#[test]
fn ids() {
    let creds =
        Creds { uid: 1000, gid: 10, suid: 3, sgid: 4, euid: 0, egid: 6, fsuid: 7, fsgid: 8 };
    let program = Program { creds: Some(creds), ..Program::UNKNOWN };
    for (rule, expect) in [
        ("user=ada", true),
        ("user=1000", true),
        ("user=root", false),
        ("euser=root", true),
        ("euser=ada", false),
        ("group=wheel", true),
        ("group=6", false),
        ("egroup=6", true),
        ("user=ada,euser=root", true),
        ("user=ada,euser=ada", false),
    ] {
        check(rule, &program, expect);
    }
}

#[test]
fn parents() {
    let parent = |comm: &'static [u8], exe: Option<&'static [u8]>| Program {
        parent: Some(Parent { process: NO_PROCESS, id: None, image: 0, comm, exe }),
        ..Program::UNKNOWN
    };
    let make = parent(b"make", Some(b"/usr/bin/gmake"));
    let cut = Program { faults: Faults(Fault::ParentExeCut.bit()), ..make };
    for (rule, program, expect) in [
        ("parent=make", &make, true),
        ("parent=gmake", &make, true),
        ("parent=*make", &make, true),
        ("parent=bin", &make, false),
        ("parent=/usr/bin/gmake", &make, true),
        ("parent=/usr/bin/make", &make, false),
        ("parent=/usr/**", &make, true),
        ("parent=**/gmake", &make, true),
        ("parent=gmake", &cut, true),
        ("parent=/usr/**", &cut, false),
        ("parent=*", &parent(b"", None), false),
        ("parent=sh", &parent(b"sh", None), true),
        ("parent=/usr/bin/sh", &parent(b"sh", None), false),
    ] {
        check(rule, program, expect);
    }
}

#[test]
fn cgroups_and_containers() {
    let id = "4f2a".repeat(16);
    let docker = format!("/system.slice/docker-{id}.scope");
    let exact = format!("container={id}");
    // rule, cgroup, expected
    for (rule, cgroup, expect) in [
        ("cgroup=/a", "/a", true),
        ("cgroup=/a", "/a/b", true),
        ("cgroup=/a", "/ab", false),
        ("cgroup=/a", "/", false),
        ("cgroup=/", "/", true),
        ("cgroup=/", "/a", true),
        ("container=*", "/user.slice", false),
        ("container=none", "/user.slice", true),
        ("container=none", &docker, false),
        ("container=*", &docker, true),
        (&exact, &docker, true),
        ("container=4f2a4f2a4f2a", &docker, true),
        ("container=4f2a4f2a4f2b", &docker, false),
        ("container=4f2a4f2a4f2", &docker, false),
        ("container=my-box", "/machine.slice/machine-my\\x2dbox.scope", true),
        ("container=my\\x2dbox", "/machine.slice/machine-my\\x2dbox.scope", true),
        ("container=box", "/machine.slice/machine-my\\x2dbox.scope", false),
    ] {
        check(rule, &Program { cgroup: Some(cgroup.as_bytes()), ..Program::UNKNOWN }, expect);
    }
}

#[test]
fn namespaces() {
    let namespaces = Namespaces { mnt: 1, uts: 105, ipc: 3, net: 4, cgroup: 5, user: 0 };
    let process = Process { pid_ns: 101, ..NO_PROCESS };
    let program = Program { process, namespaces: Some(namespaces), ..Program::UNKNOWN };
    for (rule, expect) in [
        ("ns=host", true),
        ("pidns=host", true),
        ("pidns=101", true),
        ("pidns=102", false),
        ("mntns=1", true),
        ("netns=host", false),
        ("netns=4", true),
        ("utsns=host", true),
        ("ipcns=3", true),
        ("cgroupns=5", true),
        ("userns=5", false),
    ] {
        check(rule, &program, expect);
    }
    let unread = Program { faults: Faults(Fault::Process.bit()), ..program };
    check("ns=host", &unread, false);
}

#[test]
fn results() {
    for (rule, errno, expect) in [
        ("result=ok", None, true),
        ("result=ok", Some(2), false),
        ("result=failed", None, false),
        ("result=failed", Some(2), true),
        ("result=ENOENT", Some(2), true),
        ("result=2", Some(2), true),
        ("result=EACCES", Some(2), false),
        ("result=4000", Some(4000), true),
    ] {
        let failure = errno.map(|errno| Failure { errno });
        let subject = Subject { program: &Program::UNKNOWN, failure };
        assert_eq!(parse(rule).unwrap().matches(&subject), expect, "{rule} {errno:?}");
    }
}

#[test]
fn what_the_kernel_side_tells() {
    let mut rules = Rules::default();
    for text in ["tree=7", "cgroup=memory:/a,tree=8", "tree=7,cgroup=memory:/b"] {
        rules.push(parse(text).unwrap()).unwrap();
    }
    assert_eq!(rules.told().len(), 4);
    // The bits are those of 7, memory:/a, 8, memory:/b.
    for (told, expect) in [
        (None, [false, false, false]),
        (Some(0), [false, false, false]),
        (Some(0b0001), [true, false, false]),
        (Some(0b0010), [false, false, false]),
        (Some(0b0110), [false, true, false]),
        (Some(0b1001), [true, false, true]),
    ] {
        let program = Program { told, ..Program::UNKNOWN };
        let found: Vec<_> =
            rules.iter().map(|rule| rule.matches(&Subject::started(&program))).collect();
        assert_eq!(found, expect, "{told:?}");
    }
    // A rule that is in no set has no bits.
    check("tree=7", &Program { told: Some(u64::MAX), ..Program::UNKNOWN }, false);
}

#[test]
fn what_is_not_known_does_not_match() {
    for rule in [
        "/**",
        "*",
        "arg=*",
        "user=0",
        "egroup=0",
        "parent=*",
        "parent=/**",
        "cgroup=/",
        "container=*",
        "container=none",
        "pidns=1",
        "mntns=1",
        "tree=1",
    ] {
        check(rule, &Program::UNKNOWN, false);
    }
    let cut = Program {
        exe: Some(b"/end/of/path"),
        cgroup: Some(b"/end/of/path"),
        faults: Faults(Fault::ExeCut.bit() | Fault::CgroupCut.bit()),
        ..Program::UNKNOWN
    };
    for rule in ["/**", "/end/of/path", "cgroup=/", "cgroup=/end", "container=none"] {
        check(rule, &cut, false);
    }
    // But the last component is there.
    check("path", &cut, true);
}
