//! The command line: exit codes, messages, ends.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    process::{Command, Output, Stdio},
};

use crate::support::{copy, exectrail, real_kernel, run, scratch};

fn output(args: &[&str]) -> Output {
    exectrail().args(args).output().unwrap()
}

fn fails(args: &[&str], code: i32, says: &[&str]) {
    let output = output(args);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    for words in says {
        assert!(stderr.contains(words), "{args:?} does not say {words:?}: {stderr}");
    }
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_is_right() {
    fails(&["--count", "x"], 2, &["--count", "invalid"]);
    fails(&["--count", "0"], 2, &["--count"]);
    fails(&["--duration", "soon"], 2, &["10s"]);
    fails(&["--exclude", "./ls"], 2, &["absolute path"]);
    fails(&["--exclude", "/usr//bin/ls"], 2, &["write `/usr/bin/ls`"]);
    fails(&["--only", "/x/[a"], 2, &["pattern"]);
    fails(&["--format", "jsno"], 2, &["json"]);
    fails(&["--fields", "pid,comn"], 2, &["comn", "comm", "exectrail fields"]);
    fails(&["--buffer", "1"], 2, &["64 KiB"]);
    fails(&["--max-args", "7M"], 2, &["out of range"]);
    fails(&["--json", "--format", "pretty"], 2, &["--format"]);
    fails(&["--no-such-flag"], 2, &["--help"]);
}

#[test]
fn a_wrong_configuration_ends_with_78_line_and_caret() {
    let directory = scratch();
    let file = directory.path().join("config.toml");
    let path = file.to_str().unwrap();
    fs::write(&file, "failed = true\nexcldue = 1\n").unwrap();
    fails(&["--config", path], 78, &[path, "line 2", "^", "unknown field `excldue`", "exclude"]);
    fs::write(&file, "[[exclude]]\npath = \"usr/bin/ls\"\n").unwrap();
    fails(&["--config", path], 78, &["line 2", "^", "begins with `/`"]);
    fs::write(&file, "format = \"xml\"\n").unwrap();
    fails(&["--config", path], 78, &["xml", "json"]);
    fs::write(&file, b"\xff\xfe").unwrap();
    fails(&["--config", path], 78, &[path]);
    fails(&["--config", "/no/such/file"], 78, &["/no/such/file"]);
}

#[test]
fn without_rights_it_ends_with_77_and_names_them() {
    if !real_kernel("without_rights_it_ends_with_77_and_names_them") {
        return;
    }
    let directory = scratch();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let binary = directory.path().join("exectrail");
    copy(env!("CARGO_BIN_EXE_exectrail"), &binary);
    let output = Command::new(&binary).uid(65534).gid(65534).current_dir("/").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(77), "{stderr}");
    assert!(stderr.contains("CAP_BPF") && stderr.contains("CAP_PERFMON"), "{stderr}");
    assert!(stderr.contains("sudo") && stderr.contains("setcap"), "{stderr}");
}

/// The two capabilities that the message names are really enough.
#[test]
fn two_capabilities_suffice() {
    if !real_kernel("two_capabilities_suffice") {
        return;
    }
    let directory = scratch();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let binary = directory.path().join("exectrail");
    copy(env!("CARGO_BIN_EXE_exectrail"), &binary);
    let capabilities = "-all,+bpf,+perfmon";
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .args([format!("--inh-caps={capabilities}"), format!("--ambient-caps={capabilities}")])
        .arg(&binary)
        .args(["--json", "--duration", "500ms"])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("tracing"), "{stderr}");
}

/// Whether or not there is anything to write to it.
#[test]
fn a_closed_pipe_is_a_quiet_end() {
    if !real_kernel("a_closed_pipe_is_a_quiet_end") {
        return;
    }
    for (format, only, run_one) in [
        ("json", "/usr/bin/true", true),
        ("json", "/nonexistent/program", false),
        ("pretty", "/nonexistent/program", false),
    ] {
        let mut command = exectrail();
        command.args(["--format", format, "--only", only]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("tracing") {
            assert!(stderr.read_line(&mut said).unwrap() > 0, "{said}");
        }
        drop(child.stdout.take());
        if run_one {
            run(Command::new("/usr/bin/true").arg("pipe-marker"));
        }
        assert!(child.wait().unwrap().success());
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut stderr, &mut rest).unwrap();
        assert_eq!(rest, "", "quiet");
    }
}

#[test]
fn a_full_disk_is_told() {
    if !real_kernel("a_full_disk_is_told") {
        return;
    }
    let mut command = exectrail();
    command.args(["--json", "--only", "/usr/bin/true", "-o", "/dev/full"]);
    let trace = crate::support::Trace::start_command(&mut command);
    run(Command::new("/usr/bin/true").arg("full-marker"));
    let outcome = trace.wait();
    assert_eq!(outcome.status.code(), Some(1));
    assert!(outcome.stderr.contains("No space left"), "{}", outcome.stderr);
}

#[test]
fn an_output_that_cannot_be_made_is_told_before_tracing() {
    fails(&["-o", "/no/such/directory/file"], 1, &["/no/such/directory/file"]);
}

#[test]
fn the_fields_are_listed() {
    let output = output(&["fields"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for field in exectrail_model::fields::FIELDS {
        assert!(text.contains(field.name) && text.contains(field.doc), "{}", field.name);
    }
}

#[test]
fn help_is_complete() {
    let output = output(&["--help"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for flag in [
        "--exclude",
        "--only",
        "--failed",
        "--config",
        "--format",
        "--json",
        "--fields",
        "--output",
        "--duration",
        "--count",
        "--color",
        "--max-args",
        "--buffer",
        "Examples",
        "77",
    ] {
        assert!(text.contains(flag), "{flag}");
    }
}
