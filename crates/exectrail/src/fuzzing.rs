//! What fuzzing reaches of this crate.

use std::path::Path;

use exectrail_model::{filter::Host, plan::Plan};

use crate::{args::TraceArgs, config::Config, plan, plan::Scope};

/// The plan of a trace without flags whose only configuration file has this text.
///
/// # Errors
///
/// When the file is wrong, in words for people.
pub fn configured(text: &str, host: &dyn Host) -> Result<Plan, String> {
    let config =
        Config::parse(Path::new("fuzzed.toml"), text, host).map_err(|error| error.to_string())?;
    let plan = plan::plan(&TraceArgs::default(), Scope::Host { follow: &[] }, &config, host);
    let mut plan = plan.map_err(|error| format!("{error:#}"))?;
    plan::collect_what_is_shown(&mut plan, 0);
    Ok(plan)
}
