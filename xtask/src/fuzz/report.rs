//! What libFuzzer says of a run, and the table of all runs.

/// What came of a target.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) target: String,
    pub(super) seconds: u64,
    pub(super) stats: Stats,
    /// The input that it failed with.
    pub(super) finding: Option<String>,
}

/// What stands in the log of a run; empty where it does not say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stats {
    executions: String,
    per_second: String,
    /// Edges of the program that inputs have reached.
    coverage: String,
    /// Edges with how often, compared values, and the like.
    features: String,
    /// Inputs and their size.
    corpus: String,
    /// The input that it failed with.
    pub(super) finding: Option<String>,
}

impl Stats {
    pub(super) fn of(log: &str) -> Self {
        let after = |line: &str, key: &str| {
            let value = line.split_once(key)?.1.split_whitespace().next()?;
            Some(value.to_owned())
        };
        let last = |key| log.lines().rev().find_map(|line| after(line, key)).unwrap_or_default();
        Self {
            executions: last("stat::number_of_executed_units:"),
            per_second: last("stat::average_exec_per_sec:"),
            coverage: last(" cov: "),
            features: last(" ft: "),
            corpus: last(" corp: "),
            finding: log.lines().rev().find_map(|line| after(line, "Test unit written to ")),
        }
    }
}

/// The table of all runs.
pub(super) fn table(reports: &[Report]) -> String {
    const HEAD: [&str; 8] =
        ["target", "seconds", "executions", "exec/s", "cov", "ft", "corpus", "findings"];
    let rows = reports.iter().map(|report| {
        let Report { target, seconds, stats, finding } = report;
        [
            target.clone(),
            seconds.to_string(),
            stats.executions.clone(),
            stats.per_second.clone(),
            stats.coverage.clone(),
            stats.features.clone(),
            stats.corpus.clone(),
            u8::from(finding.is_some()).to_string(),
        ]
    });
    let rows = [HEAD.map(str::to_owned)].into_iter().chain(rows);
    let lines = rows.map(|[target, others @ ..]| {
        let others: Vec<_> = others.iter().map(|cell| format!("{cell:>12}")).collect();
        format!("{target:<10}{}\n", others.concat())
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::{Report, Stats, table};

    const LOG: &str = "\
#2	INITED cov: 4 ft: 5 corp: 1/1b exec/s: 0 rss: 44Mb
#53047	DONE   cov: 4637 ft: 19050 corp: 964/8129b lim: 25 exec/s: 3315 rss: 480Mb
stat::number_of_executed_units: 53047
stat::average_exec_per_sec:     3315
";

    #[test]
    fn a_run_that_found_nothing() {
        let stats = Stats::of(LOG);
        assert_eq!((stats.coverage.as_str(), stats.features.as_str()), ("4637", "19050"));
        assert_eq!((stats.executions.as_str(), stats.corpus.as_str()), ("53047", "964/8129b"));
        assert_eq!(stats.finding, None);
        let report = Report { target: "rules".into(), seconds: 16, stats, finding: None };
        let table = table(&[report]);
        let lines: Vec<_> = table.lines().map(str::len).collect();
        assert_eq!(lines, [94, 94], "{table}");
        assert!(table.ends_with("3315        4637       19050   964/8129b           0\n"));
    }

    #[test]
    fn a_run_that_found_something() {
        let log = "artifact_prefix='/x/'; Test unit written to /x/crash-da39\nBase64: Cg==\n";
        assert_eq!(Stats::of(log).finding.as_deref(), Some("/x/crash-da39"));
        assert_eq!(Stats::of(""), Stats::default());
    }
}
