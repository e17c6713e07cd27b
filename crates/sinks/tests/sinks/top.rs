//! What was counted in the kernel, as people and as programs see it.

use std::collections::HashMap;

use exectrail_model::{
    event::Moment,
    tally::{By, Column, Counts, Name, Reading, Snapshot, Tallied},
};
use exectrail_sinks::{Table, TopClock, top_json, top_table};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

const TABLE: Table = Table {
    width: None,
    height: None,
    rows: usize::MAX,
    failures: true,
    sorted: "execs_per_s",
    color: false,
};

fn counts(execs: u64, failures: u64, ends: u64) -> Counts {
    Counts { execs, failures, ends, run_time: ends * 1_500_000 }
}

/// Two seconds: three rows, and what the kernel has forgotten.
fn reading(by: By, names: [Name; 3]) -> Reading {
    let [first, second, third] = names;
    let tallied = |counts| Tallied { counts, ..Tallied::default() };
    let rows = [
        (first, tallied(counts(3000, 0, 2999))),
        (second, tallied(counts(7, 5, 0))),
        (third, tallied(counts(0, 1, 0))),
    ];
    let after = Snapshot {
        moment: Moment { ktime: 12_000_000_000, wall: 1_709_210_096_000_000_007 },
        totals: counts(3010, 6, 3000),
        rows: HashMap::from(rows),
    };
    let mut reading = Reading::between(by, 10_000_000_000, None, &after);
    reading.sort(Column::named("execs_per_s").unwrap());
    reading
}

fn programs() -> Reading {
    let path = |bytes: &[u8]| Name::Path(bytes.to_vec());
    let names =
        [path(b"/usr/bin/true"), path(b"/opt/a b\x1b[31m\xff"), Name::End(b"deep/x".to_vec())];
    reading(By::Program, names)
}

fn table(reading: &Reading, table: Table) -> String {
    top_table(reading, &table, &mut TopClock::of(TimeZone::UTC))
}

#[test]
fn a_table() {
    let expect = r"12:34:56  after 2.000 s: 1505 execs/s, 3010 in all; 3.0 failed/s, 6 in all; 3000 runs ended
  EXECS/S FAILED/S    EXECS  FAILED    ENDED      MEAN       P99  PROGRAM
     1500      0.0     3000       0     2999    1.5 ms         -  /usr/bin/true
      3.5      2.5        7       5        0         -         -  $'/opt/a b\e[31m\xff'
      0.0      0.5        0       1        0         -         -  […]/deep/x
others: 3 execs, 0 failed, 1 ended, in 0 more rows; 3 execs, 0 failed, 1 ended of these in rows forgotten for want of room
";
    assert_eq!(table(&programs(), TABLE), expect);
}

#[test]
fn a_table_fits_its_terminal() {
    let small = Table { width: Some(40), height: Some(5), color: true, ..TABLE };
    let text = table(&programs(), small);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 5, "{text}");
    let is_whole = |line: &&str| !line.contains('…') || line.contains("  …");
    let is_cut = |line: &&str| line.ends_with("\u{1b}[0m…");
    assert!(lines.iter().all(|line| is_whole(line) || is_cut(line)), "{text}");
    assert!(
        lines[4].starts_with("others: 3 execs, 1 failed, 1 ended, in 1…")
            || lines[4].ends_with('…')
    );
    let wide = table(&programs(), Table { width: Some(200), ..small });
    assert!(wide.contains("3 execs, 1 failed, 1 ended, in 1 more row;"), "{wide}");
    // What has failed stands out.
    assert!(wide.contains("\u{1b}[33m5\u{1b}[0m") && !wide.contains("\u{1b}[33m0\u{1b}[0m"));
    // A terminal of no size at all still says what there is in all.
    assert_eq!(table(&programs(), Table { height: Some(1), ..TABLE }).lines().count(), 3);
}

/// Numbers without names say nothing; nor do rows whose order cannot be seen.
#[test]
fn a_narrow_table_leaves_columns_out_and_no_names() {
    let titles = |width, failures, sorted| {
        let table = Table { width: Some(width), failures, sorted, ..TABLE };
        let text = self::table(&programs(), table);
        text.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let all = "EXECS/S FAILED/S EXECS FAILED ENDED MEAN P99 PROGRAM";
    assert_eq!(titles(86, true, "execs_per_s"), all);
    assert_eq!(titles(85, true, "execs_per_s"), all.replace(" P99", ""));
    assert_eq!(titles(85, true, "p99_ns"), all.replace(" MEAN", ""));
    assert_eq!(titles(60, true, "execs"), "EXECS/S FAILED/S EXECS FAILED PROGRAM");
    assert_eq!(titles(61, false, "execs"), "EXECS/S EXECS ENDED MEAN PROGRAM");
    assert_eq!(titles(10, true, "p99_ns"), "EXECS/S…");
    for width in 31..120 {
        let text = table(&programs(), Table { width: Some(width), ..TABLE });
        assert!(text.contains("/usr/bin/true"), "{width}: {text}");
        let cells = |line: &str| line.chars().count();
        assert!(text.lines().all(|line| cells(line) <= width), "{width}: {text}");
    }
}

/// Two programs of one directory are not called the same.
#[test]
fn a_path_that_is_cut_keeps_its_end() {
    let path = |end: &str| Name::Path(format!("/opt/a long way/down/to/{end}").into_bytes());
    let names = [path("one"), path("two"), Name::End(b"an end that is long, too/three".to_vec())];
    let reading = reading(By::Program, names);
    let text = table(&reading, Table { width: Some(60), ..TABLE });
    let rows: Vec<_> = text.lines().skip(2).take(3).map(|line| line.rsplit_once("  ")).collect();
    let expect = ["… long way/down/to/one'", "… long way/down/to/two'", "…at is long, too/three'"];
    for (row, expect) in rows.into_iter().zip(expect) {
        let (numbers, name) = row.unwrap();
        assert_eq!((name, numbers.len() + 2 + name.chars().count()), (expect, 60), "{text}");
    }
}

#[test]
fn without_failures_nothing_is_said_of_them() {
    let text = table(&programs(), Table { failures: false, ..TABLE });
    assert!(!text.to_lowercase().contains("failed"), "{text}");
}

#[test]
fn users_have_names_or_numbers() {
    let names = [Name::User(0, Some("root".to_owned())), Name::User(7, None), Name::Unknown];
    let reading = reading(By::User, names);
    let text = table(&reading, TABLE);
    let ends: Vec<_> = text.lines().skip(1).take(4).map(|line| &line[line.len() - 4..]).collect();
    assert_eq!(ends, ["USER", "root", "-  7", "-  -"], "{text}");
    let line: Value = serde_json::from_slice(&top_json(&reading, 3, true)).unwrap();
    let pair = |row: &Value| (row["uid"].clone(), row["name"].clone());
    let rows: Vec<_> = line["rows"].as_array().unwrap().iter().map(pair).collect();
    let expect = [(json!(0), json!("root")), (json!(7), json!(null)), (json!(null), json!(null))];
    assert_eq!(rows, expect);
}

#[test]
fn an_object_a_line() {
    let line = top_json(&programs(), 2, true);
    assert_eq!(str::from_utf8(&line).unwrap().lines().count(), 1);
    let value: Value = serde_json::from_slice(&line).unwrap();
    let mut expect = json!({
        "v": 1, "event": "top", "time": "2024-02-29T12:34:56.000000007Z",
        "ktime": 12_000_000_000u64, "by": "program",
        "elapsed_ns": 2_000_000_000, "interval_ns": 2_000_000_000,
        "execs_per_s": 1505.0, "failures_per_s": 3.0,
        "execs": 3010, "failures": 6, "ends": 3000,
        "other_execs": 3, "other_failures": 1, "other_ends": 1,
        "forgotten_execs": 3, "forgotten_failures": 0, "rows_in_all": 3,
    });
    expect["rows"] = json!([
        {
            "execs_per_s": 1500.0, "failures_per_s": 0.0, "execs": 3000, "failures": 0,
            "ends": 2999, "mean_ns": 1_500_000, "p99_ns": null, "uid": null,
            "name": "/usr/bin/true",
        },
        {
            "execs_per_s": 3.5, "failures_per_s": 2.5, "execs": 7, "failures": 5, "ends": 0,
            "mean_ns": null, "p99_ns": null, "uid": null,
            "name": "/opt/a b\u{1b}[31m\u{fffd}", "name_raw": "L29wdC9hIGIbWzMxbf8=",
        },
    ]);
    assert_eq!(value, expect);
    let without: Value = serde_json::from_slice(&top_json(&programs(), 1, false)).unwrap();
    assert_eq!(
        (&without["failures"], &without["rows"][0]["failures"]),
        (&json!(null), &json!(null))
    );
}
