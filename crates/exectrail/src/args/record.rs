//! `exectrail record`: its own options.

use std::path::PathBuf;

use clap::Args;

use super::{CollectArgs, FormArgs, SessionArgs, StreamArgs, TraceArgs, WantedArgs};

pub(super) const AFTER_HELP: &str = "\
Examples:
  exectrail record -o day.rec                    every exec, until Ctrl-C
  exectrail record -x --exit -o day.rec          failures and ends, too: for replay --summary
  exectrail record --duration 1h --exclude 'user=root' -o hour.rec
  exectrail replay day.rec                       to see it, as often as you like

Every field of an event is recorded, whether or not it is shown later, and each failed
exec by itself; what leaves out is --exclude and its like, for good. What is recorded is
on the disk within a second, and can be replayed while this runs; also after a crash.

Exit codes: those of a trace.";

/// Options of `record`.
#[derive(Args, Clone, Debug)]
pub(crate) struct RecordArgs {
    /// The file to make, readable by its owner only; what is there is not overwritten
    #[arg(long, short = 'o', value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Overwrite what is there
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) wanted: WantedArgs,

    #[command(flatten)]
    pub(crate) collect: CollectArgs,

    #[command(flatten)]
    pub(crate) session: SessionArgs,
}

impl RecordArgs {
    /// The trace that is recorded. Its failures are not folded: replay can do that.
    pub(crate) fn stream(&self) -> StreamArgs {
        let Self { wanted, collect, session, .. } = self.clone();
        let form = FormArgs { no_fold: true, ..FormArgs::default() };
        StreamArgs { trace: TraceArgs { wanted, collect, form }, session, sort: None }
    }
}
