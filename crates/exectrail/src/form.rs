//! In which form the stream is shown: the sink that flags and files ask for.

use std::{fmt, fs::File};

use exectrail_model::{fields::Field, plan::Plan};
use exectrail_sinks::{Options, Sink, SinkKind, has_tree_column, select};

use crate::{
    args::{ColorChoice, FormArgs},
    config::Config,
    exit::{ConfigError, UsageError},
    output::{self, Standard},
};

/// A sink on an open output.
pub(crate) struct Opened {
    /// Writes there.
    pub(crate) sink: Box<dyn Sink>,
    /// What tells that nobody reads it any more, if it is a pipe.
    pub(crate) reader: Option<File>,
    /// Whether it is for people.
    pub(crate) is_for_people: bool,
    /// Whether it goes into a file, which nobody looks at meanwhile.
    pub(crate) is_file: bool,
}

/// Opens the output, and the sink that flags and files ask for on it.
pub(crate) fn open(
    args: &FormArgs,
    config: &Config,
    plan: &Plan,
    otherwise: Standard,
) -> anyhow::Result<Opened> {
    let format = match (&args.format, args.json) {
        (Some(format), _) => format.as_str(),
        (None, true) => "json",
        (None, false) => config.format.as_deref().unwrap_or("pretty"),
    };
    let from_flags = args.format.is_some() || args.json || config.format.is_none();
    let kind = SinkKind::named(format).map_err(|error| wrong(from_flags, "format", &error))?;
    let fields = fields(args, config)?;
    let is_for_people = kind.name == "pretty";
    if args.tree {
        check_tree(is_for_people, fields.as_deref())?;
    }
    let color = args.color.or(config.color).unwrap_or(ColorChoice::Auto);
    let output = output::open(args.output.as_deref(), otherwise, color)?;
    let sink = (kind.build)(Options {
        out: output.writer,
        can_take_long: output.can_take_long,
        fields,
        color: output.color,
        failed: plan.failed,
        exits: plan.exits,
        room: output.width.as_ref().and_then(|columns| columns()),
        width: output.width,
        header: true,
        tree: args.tree,
        time_zone: None,
    });
    Ok(Opened { sink, reader: output.reader, is_for_people, is_file: output.is_file })
}

/// The fields that flags and files ask for.
pub(crate) fn fields(
    args: &FormArgs,
    config: &Config,
) -> anyhow::Result<Option<Vec<&'static Field>>> {
    let list = args.fields.as_deref().or(config.fields.as_deref());
    let selected = list.map(select).transpose();
    selected.map_err(|error| wrong(args.fields.is_some(), "fields", &error))
}

/// Refuses a tree that would not be seen.
pub(crate) fn check_tree(
    is_for_people: bool,
    fields: Option<&[&'static Field]>,
) -> Result<(), UsageError> {
    if !is_for_people {
        return Err(UsageError(
            "a tree is for people: leave out --tree, or --json and --format (JSON has `parent` \
             and, with --ancestors, `ancestors`)"
                .to_owned(),
        ));
    }
    fields.map_or(Ok(()), has_tree_column).map_err(|words| UsageError(format!("--tree: {words}")))
}

/// The same mistake is one of usage on the command line, and one of
/// configuration in a file.
fn wrong(from_flags: bool, key: &str, error: &impl fmt::Display) -> anyhow::Error {
    if from_flags {
        UsageError(error.to_string()).into()
    } else {
        ConfigError::wrong(key.as_ref(), error).into()
    }
}
