//! Chores of the exectrail tree that are longer than one line.

use std::{env, path::Path, process::ExitCode};

use anyhow::{Result, bail};
use exectrail_object::Tree;

mod bench;
mod docs;
mod fuzz;
mod instructions;
mod kernel_clippy;
mod kernels;
mod object;
mod tidy;

const MENU: &str = "\
cargo run -p xtask -- <chore>

  object update   rebuild the committed kernel object and its record
  object check    rebuild it and compare with the committed one
  kernel-clippy   clippy over the kernel side, with the compiler that builds it
  docs            write docs/ anew from the table of fields; --check compares
  tidy            the house rules that no compiler knows
  instructions    how many an event takes, against what is committed; --update writes that
  kernels         the live tests on many kernels, in emulated machines; --help tells more
  bench           what tracing costs, beside other tracers; --help tells more
  fuzz            any bytes for all that reads bytes; --help tells more";

fn main() -> ExitCode {
    if kernels::guest::is_guest() {
        kernels::guest::run();
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let tree = tree()?;
    match words[..] {
        ["object", "update"] => object::update(&tree),
        ["object", "check"] => object::check(&tree),
        ["kernel-clippy"] => kernel_clippy::run(&tree),
        ["docs"] => docs::write(tree.root()),
        ["docs", "--check"] => docs::check(tree.root()),
        ["tidy"] => tidy::run(tree.root()),
        ["bench", ref options @ ..] => bench::run(&tree, options),
        ["kernels", ref options @ ..] => kernels::run(&tree, options),
        ["instructions"] => instructions::run(tree.root(), false),
        ["instructions", "--update"] => instructions::run(tree.root(), true),
        ["fuzz", ref options @ ..] => fuzz::run(tree.root(), options),
        [] | ["help" | "--help" | "-h"] => {
            println!("{MENU}");
            Ok(())
        }
        _ => bail!("no chore is called `{}`\n\n{MENU}", words.join(" ")),
    }
}

/// The checkout this was built in.
fn tree() -> Result<Tree> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    match here.parent() {
        Some(root) if root.join("crates").is_dir() => Ok(Tree::at(root)),
        _ => bail!("{} has moved since xtask was built: run it through cargo", here.display()),
    }
}
