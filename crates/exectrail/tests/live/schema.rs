//! Each line of JSON is what `docs/schema.json` says it is, and each reading of `top` what
//! `docs/top-schema.json` says.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt, process::Command};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

use crate::support::{Trace, exectrail, executable_at, program_at, real_kernel, run, scratch};

pub(crate) struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    /// The committed one; to compile it is to compare it with what a schema may be.
    pub(crate) fn committed() -> Self {
        Self::compile(include_str!("../../../../docs/schema.json"))
    }

    /// That of readings of `top`.
    pub(crate) fn of_top() -> Self {
        Self::compile(include_str!("../../../../docs/top-schema.json"))
    }

    fn compile(text: &str) -> Self {
        let schema = serde_json::from_str(text).unwrap();
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.enable_format_assertions();
        compiler.enable_content_assertions();
        compiler.add_resource("schema.json", schema).unwrap();
        let index = compiler.compile("schema.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    pub(crate) fn refusal(&self, line: &Value) -> Option<String> {
        self.schemas.validate(line, self.index).err().map(|error| error.to_string())
    }
}

/// Lines of every kind, those among them that no test can ask the kernel for.
fn written() -> impl Iterator<Item = Value> {
    let lines = include_str!("../../../sinks/tests/sinks/golden/all.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap())
}

#[test]
fn the_schema_refuses_what_no_line_is() {
    let schema = Schema::committed();
    for line in written() {
        assert_eq!(schema.refusal(&line), None, "{line}");
        for (key, value) in [
            ("v", json!(2)),
            ("event", json!("unheard-of")),
            ("time", json!("yesterday")),
            ("ktime", json!("3")),
            ("ktime", json!(-3)),
            ("another", json!(null)),
        ] {
            let mut line = line.clone();
            line[key] = value;
            assert!(schema.refusal(&line).is_some(), "{key} {line}");
        }
        let keys = line.as_object().unwrap().keys();
        for key in keys.filter(|key| !key.ends_with("_raw")) {
            let mut line = line.clone();
            line.as_object_mut().unwrap().remove(key);
            assert!(schema.refusal(&line).is_some(), "{key} {line}");
        }
    }
}

#[test]
fn every_line_is_what_the_schema_says() {
    if !real_kernel("every_line_is_what_the_schema_says") {
        return;
    }
    let directory = scratch();
    let program = program_at(&directory.path().join("program")).to_owned();
    let script = directory.path().join("script");
    executable_at(&script, b"#!/bin/sh\nkill -9 $$\n");
    let shell = fs::read(fs::canonicalize("/bin/sh").unwrap()).unwrap();
    let odd = directory.path().join(OsStr::from_bytes(b"odd\xff"));
    executable_at(&odd, &shell);
    let below = format!("{}/**", directory.path().display());
    let options = ["--failed", "--exit", "--env", "*", "--ancestors", "8", "--only", &below];
    let trace = Trace::start(&options);
    // The odd one is the program's grandparent, and so one of its ancestors.
    run(Command::new(odd)
        .args(["-c", "/bin/sh -c \"$0 exit; true\"; true", &program])
        .arg(OsStr::from_bytes(b"\xfe\""))
        .env("ODD", OsStr::from_bytes(b"\xfd=")));
    run(&mut Command::new(script));
    Command::new(directory.path().join("not-there")).arg("x").status().unwrap_err();
    let outcome = trace.stop();

    let schema = Schema::committed();
    for line in &outcome.events {
        assert_eq!(schema.refusal(line), None, "{line}");
    }
    assert_eq!(outcome.of_kind("exec").count(), 3);
    assert_eq!(outcome.of_kind("exit").count(), 3);
    assert_eq!(outcome.of_kind("failed").count(), 1);
    assert_eq!(outcome.of_kind("summary").count(), 1);
    for raw in ["filename_raw", "exe_raw", "args_raw", "env_raw"] {
        assert!(outcome.of_kind("exec").any(|event| event.get(raw).is_some()), "{raw}");
    }
    let ancestor = &outcome.execs_of(&program)[0]["ancestors"][0];
    assert!(ancestor["comm_raw"].is_string(), "{ancestor}");
}

/// With and without a row, which is called something that is not UTF-8, where it can be.
#[test]
fn every_reading_is_what_the_schema_says() {
    if !real_kernel("every_reading_is_what_the_schema_says") {
        return;
    }
    let directory = scratch();
    let program = program_at(&directory.path().join("program")).to_owned();
    let odd = directory.path().join(OsStr::from_bytes(b"odd\xff"));
    executable_at(&odd, &fs::read(program).unwrap());
    let below = format!("{}/**", directory.path().display());
    let schema = Schema::of_top();
    let common = ["top", "--json", "--once", "--interval", "1h", "--only", &below];
    for by in ["program", "user", "parent", "cgroup"] {
        for failed in [&["--failed"][..], &[]] {
            let mut command = exectrail();
            let words = [&common[..], &["--by", by], failed].concat();
            let trace = Trace::start_command(command.args(words));
            run(Command::new(&odd).arg("exit"));
            Command::new(directory.path().join("not-there")).arg("x").status().unwrap_err();
            let outcome = trace.stop();
            let [reading] = &outcome.events[..] else { panic!("{by}: {}", outcome.stderr) };
            assert_eq!(schema.refusal(reading), None, "{reading:#}");
            assert_eq!(reading["execs"], 1, "{reading:#}");
            let failures = if failed.is_empty() { json!(null) } else { json!(1) };
            assert_eq!(reading["failures"], failures, "{reading:#}");
            let rows = reading["rows"].as_array().unwrap();
            assert_eq!(rows[0].get("name_raw").is_some(), by == "program", "{reading:#}");
            refuses_what_it_is_not(&schema, reading);
        }
    }
}

fn refuses_what_it_is_not(schema: &Schema, reading: &Value) {
    let refuses = |pointer: &str, value: Value| {
        let mut reading = reading.clone();
        *reading.pointer_mut(pointer).unwrap() = value;
        assert!(schema.refusal(&reading).is_some(), "{pointer} {reading:#}");
    };
    refuses("/v", json!(2));
    refuses("/by", json!("colour"));
    refuses("/execs", json!(null));
    refuses("/execs_per_s", json!("3.0"));
    refuses("/rows", json!({}));
    refuses("/rows/0/name", json!(3));
    refuses("/rows/0/ends", json!(-3));
    refuses("/rows/0", json!({}));
    let mut more = reading.clone();
    more["rows"][0]["another"] = json!(1);
    assert!(schema.refusal(&more).is_some(), "{more:#}");
}
