//! What a recording can answer. The rest is refused: half an answer looks like a whole one.

use std::{os::unix::fs::MetadataExt, path::Path};

use exectrail_model::filter::{Host, NamespaceKind, Rules, Selector, What};
use exectrail_recording::Description;

use crate::{
    args::ReplayArgs,
    exit::UsageError,
    host::ThisHost,
    plan::{self, Scope},
};

/// The rules that were asked for, if a recording can answer them.
pub(super) fn checked(args: &ReplayArgs, description: &Description) -> anyhow::Result<Rules> {
    let host = RecordedHost(&description.namespaces);
    let scope = Scope::Host { follow: &args.follow };
    let rules = plan::rules_of_flags(&args.wanted, scope, &host)?;
    let mut set = Rules::default();
    for rule in rules {
        for selector in rule.selectors() {
            if let Selector::Told(told) = selector {
                let what = match told.what {
                    What::Tree(_) => "which processes descend from which",
                    What::CgroupV1 { .. } => "cgroups of version 1",
                };
                return Err(refused(&format!(
                    "`{selector}` asks for what the running kernel alone can answer, {what}; \
                     record it with that rule"
                )));
            }
        }
        set.push(rule).map_err(|error| refused(&error.to_string()))?;
    }
    if !description.failed {
        plan::check_that_something_is_wanted(&set)
            .map_err(|_| refused("failed execs were not recorded; record them with --failed"))?;
    }
    Ok(set)
}

/// Whether the output is another file than the recording, which it would take the place of.
pub(super) fn check_output(args: &ReplayArgs) -> anyhow::Result<()> {
    let place = |path: &Path| path.metadata().ok().map(|found| (found.dev(), found.ino()));
    let output = args.form.output.as_deref().and_then(place);
    if output.is_some() && output == place(&args.file) {
        return Err(refused("-o names the recording itself, which would be overwritten"));
    }
    Ok(())
}

/// Whether there is what a summary is made of.
pub(super) fn check_summary(description: &Description, is_told: bool) -> anyhow::Result<()> {
    if !is_told {
        return Err(refused("this format has no summary: leave out --format, or use --json"));
    }
    if !description.exits {
        return Err(refused(
            "the recording has no ends of processes, of which the summary is made; record them \
             with --exit",
        ));
    }
    Ok(())
}

fn refused(words: &str) -> anyhow::Error {
    UsageError(words.to_owned()).into()
}

/// The host that was recorded, as far as the recording knows it. Users and groups are
/// those of this one.
struct RecordedHost<'d>(&'d [(NamespaceKind, u32)]);

impl Host for RecordedHost<'_> {
    fn user(&self, name: &str) -> Option<u32> {
        ThisHost.user(name)
    }

    fn group(&self, name: &str) -> Option<u32> {
        ThisHost.group(name)
    }

    fn namespace(&self, kind: NamespaceKind) -> Option<u32> {
        self.0.iter().find(|(known, _)| *known == kind).map(|(_, inode)| *inode)
    }
}
