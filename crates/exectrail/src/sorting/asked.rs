//! Which order was asked for, and whether there can be one.

use exectrail_model::{
    event::Kinds,
    fields::Field,
    order::Order,
    plan::Plan,
    report::{Key, OfProcess},
};
use exectrail_recording::Description;

use crate::{
    args::{FormArgs, ReplayArgs, StreamArgs},
    exit::UsageError,
};

/// The order that the events of a live trace are to be shown in at its end, if any.
pub(crate) fn of_trace(args: &StreamArgs, plan: &Plan) -> Result<Option<Order<Field>>, UsageError> {
    let Some(list) = &args.sort else { return Ok(None) };
    let has = |kind| has(plan.failed, plan.exits, kind);
    let cure = |flag: &str| format!("which are not traced; add {flag}");
    let order = order(list, &args.trace.form, has, cure)?;
    if args.session.duration.is_none() && args.session.count.is_none() {
        return Err(refused(
            "without an end there is nothing to sort; say when, with --duration or --count, or \
             `record` the trace, and `replay --sort` that (a table that is kept up: `top --sort`)",
        ));
    }
    Ok(Some(order))
}

/// The order that those of a recording are to be shown in, if any.
pub(crate) fn of_recording(
    args: &ReplayArgs,
    description: &Description,
) -> Result<Option<Order<Field>>, UsageError> {
    let Some(list) = args.sort.as_deref().filter(|_| !args.summary_only) else { return Ok(None) };
    let has = |kind| has(description.failed, description.exits, kind);
    let cure = |flag: &str| format!("which were not recorded; record them with {flag}");
    let order = order(list, &args.form, has, cure)?;
    if args.tail {
        return Err(refused(
            "while a recording is being written, it has no end, and so no order but that of time; \
             leave out --tail, to sort what is there by now",
        ));
    }
    Ok(Some(order))
}

/// The order that the processes of a summary are to be told in, if another one than that of
/// their births was asked for.
pub(crate) fn of_processes(
    list: Option<&str>,
) -> Result<Option<Order<Key<OfProcess>>>, UsageError> {
    list.map(Order::parse).transpose().map_err(|error| refused(&error.to_string()))
}

fn refused(words: &str) -> UsageError {
    UsageError(format!("--sort: {words}"))
}

/// The order that a list asks for. `has` says which kinds of events there are, and `cure`
/// what to do about one that there is not.
fn order(
    list: &str,
    form: &FormArgs,
    has: impl Fn(Kinds) -> bool,
    cure: impl Fn(&str) -> String,
) -> Result<Order<Field>, UsageError> {
    let order = Order::<Field>::parse(list).map_err(|error| refused(&error.to_string()))?;
    if form.tree {
        return Err(refused(
            "a tree has an order of its own, each program below those that it descends from; \
             leave out --tree, or --sort",
        ));
    }
    for term in order.terms() {
        let Field { name, events, .. } = term.row;
        let kinds = || Kinds::NAMED.iter().filter(|(kind, _)| events.contains(*kind));
        if kinds().any(|(kind, _)| *kind != Kinds::SUMMARY && has(*kind)) {
            continue;
        }
        let why = match kinds().map(|(_, name)| *name).next().unwrap_or_default() {
            "summary" => format!("`{name}` is in the account alone, which is always the last"),
            kind => {
                let cure = cure(if kind == "exit" { "--exit" } else { "--failed" });
                format!("only events of the kind `{kind}` have `{name}`, {cure}")
            }
        };
        return Err(refused(&why));
    }
    Ok(order)
}

/// Whether there are events of this kind.
fn has(failed: bool, exits: bool, kind: Kinds) -> bool {
    match kind {
        Kinds::FAILED => failed,
        Kinds::EXIT => exits,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn of_words(words: &str) -> Result<usize, String> {
        let cli = Cli::try_parse_from(words.split(' ')).unwrap();
        let Cli { command, stream } = cli;
        let order = match command {
            None => {
                let collect = &stream.trace.collect;
                let plan = Plan { failed: collect.failed, exits: collect.exit, ..Plan::default() };
                of_trace(&stream, &plan)
            }
            Some(Command::Replay(args)) => {
                let description = Description { exits: true, ..Description::default() };
                of_recording(&args, &description)
            }
            Some(other) => panic!("{other:?}"),
        };
        let terms = order.map(|order| order.map_or(0, |order| order.terms().len()));
        terms.map_err(|error| error.to_string())
    }

    #[test]
    fn what_can_be_sorted_is() {
        for (words, terms) in [
            ("exectrail", 0),
            ("exectrail --sort pid --count 3", 1),
            ("exectrail --duration 10s --sort -cpu_user_ns,pid --exit", 2),
            ("exectrail --duration 1s --sort -errno -x", 1),
            ("exectrail --duration 1s --sort count", 1),
            ("exectrail replay --sort -duration_ns a.rec", 1),
            ("exectrail replay --sort=-exe,args --count 3 --summary a.rec", 2),
            ("exectrail replay --summary-only --sort -cpu_ns a.rec", 0),
        ] {
            assert_eq!(of_words(words), Ok(terms), "{words}");
        }
    }

    #[test]
    fn what_cannot_says_why_and_what_to_do() {
        for (words, expect) in [
            ("exectrail --sort pid", ["--duration or --count", "`replay --sort`", "`top --sort`"]),
            ("exectrail --sort pid --count 1 --tree", ["tree has an order", "--tree", "--sort"]),
            ("exectrail --sort pdi --count 1", ["no field", "'pid'", "exectrail fields"]),
            ("exectrail --sort signal --count 1", ["`exit`", "`signal`", "add --exit"]),
            ("exectrail --sort errno --count 1", ["`failed`", "`errno`", "add --failed"]),
            ("exectrail --sort seen --count 1", ["`seen`", "account", "last"]),
            ("exectrail replay --sort pid --tree a", ["tree", "leave out --tree", "--sort"]),
            ("exectrail replay --sort pid --tail a", ["--tail", "no end", "leave out"]),
            ("exectrail replay --sort errno a", ["`failed`", "not recorded", "with --failed"]),
            ("exectrail replay --sort pid, a", ["--sort", "empty item", "list of fields"]),
        ] {
            let said = of_words(words).unwrap_err();
            for part in expect {
                assert!(said.contains(part), "{words}: {said}");
            }
        }
    }

    #[test]
    fn columns_of_the_summary_are_in_the_help() {
        use clap::CommandFactory;
        use exectrail_model::order::Row;

        let mut cli = Cli::command();
        let run = cli.find_subcommand_mut("run").unwrap();
        let help = run.render_long_help().to_string();
        let help = help.split_once("--sort").unwrap().1;
        for key in Key::<OfProcess>::all() {
            assert!(help.contains(key.name), "{}", key.name);
        }
        assert!(of_processes(Some("-cpu_ns,pid")).unwrap().is_some());
        let error = of_processes(Some("took")).unwrap_err().to_string();
        assert!(error.contains("'exectrail run --help' lists them all"), "{error}");
    }
}
