//! The configuration file: the same words as the flags, and tables of rules.
//!
//! ```toml
//! failed = true
//!
//! [[exclude]]
//! path = "/usr/bin/sleep"
//! comment = "the watchdog, every second"
//!
//! [[only]]
//! name = "python3*"
//! user = "ada"
//! ```
//!
//! Files are read one after the other; rules add up, and of single values the
//! last one holds. Flags win over all.

mod lines;
mod rules;

use std::{
    env, fs, io, mem,
    path::{Path, PathBuf},
};

use exectrail_model::{
    environment::Wanted,
    filter::{Host, Rule, Verdict},
    plan::BufferSize,
};
use serde::Deserialize;
use toml::Spanned;

use self::rules::Table;
use crate::{args::ColorChoice, exit::ConfigError, quantity};

/// What one file, or all of them, say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Config {
    exclude: Vec<Spanned<Table>>,
    only: Vec<Spanned<Table>>,
    /// What these tables say, checked.
    #[serde(skip)]
    rules: Vec<Rule>,
    pub(crate) failed: Option<bool>,
    pub(crate) fold: Option<bool>,
    pub(crate) exit: Option<bool>,
    pub(crate) env: Option<Env>,
    pub(crate) ancestors: Option<Ancestors>,
    pub(crate) format: Option<String>,
    pub(crate) fields: Option<String>,
    pub(crate) color: Option<ColorChoice>,
    pub(crate) max_args: Option<ArgsMax>,
    pub(crate) buffer: Option<Buffer>,
}

/// A size in the file: a number, or text such as `"4M"`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "Size")]
pub(crate) struct Buffer(pub(crate) BufferSize);

/// The same for the limit of arguments.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "Size")]
pub(crate) struct ArgsMax(pub(crate) u32);

#[derive(Deserialize)]
#[serde(untagged, expecting = "a size: 65536, \"64K\", \"4M\" or \"1G\"")]
enum Size {
    Number(u64),
    Text(String),
}

impl Size {
    fn text(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text,
        }
    }
}

impl TryFrom<Size> for Buffer {
    type Error = String;
    fn try_from(size: Size) -> Result<Self, String> {
        quantity::buffer(&size.text()).map(Self)
    }
}

/// Names of environment variables, as `--env` has them.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Env(pub(crate) Wanted);

impl TryFrom<String> for Env {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Wanted::parse(&text).map(Self).map_err(|error| error.to_string())
    }
}

/// How many ancestors to tell.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u32")]
pub(crate) struct Ancestors(pub(crate) u32);

impl TryFrom<u32> for Ancestors {
    type Error = String;
    fn try_from(number: u32) -> Result<Self, String> {
        quantity::ancestors(&number.to_string()).map(Self)
    }
}

impl TryFrom<Size> for ArgsMax {
    type Error = String;
    fn try_from(size: Size) -> Result<Self, String> {
        quantity::args_max(&size.text()).map(Self)
    }
}

impl Config {
    /// Reads the usual files, where they exist, and then `chosen`, which must. Names
    /// in rules are this `host`'s.
    pub(crate) fn read(chosen: Option<&Path>, host: &dyn Host) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        for path in usual_places() {
            match fs::read_to_string(&path) {
                Ok(text) => config.add(Self::parse(&path, &text, host)?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                // With another user's $HOME (`sudo -u`, `setpriv`) it is none of ours.
                Err(error) if is_foreign(&path, &error) => {
                    log::warn!("{} cannot be read and is left out: {error}", path.display());
                }
                Err(error) => return Err(ConfigError::unreadable(&path, &error)),
            }
        }
        if let Some(path) = chosen {
            let text =
                fs::read_to_string(path).map_err(|error| ConfigError::unreadable(path, &error))?;
            config.add(Self::parse(path, &text, host)?);
        }
        Ok(config)
    }

    /// Reads the text of one file.
    pub(crate) fn parse(path: &Path, text: &str, host: &dyn Host) -> Result<Self, ConfigError> {
        let mut config: Self =
            toml::from_str(text).map_err(|error| ConfigError::wrong(path, &error))?;
        let tables = [
            (Verdict::Exclude, mem::take(&mut config.exclude)),
            (Verdict::Only, mem::take(&mut config.only)),
        ];
        config.rules = rules::checked(tables, (path, text), host)?;
        Ok(config)
    }

    /// Puts a later file over this.
    fn add(&mut self, later: Self) {
        self.rules.extend(later.rules);
        self.failed = later.failed.or(self.failed);
        self.fold = later.fold.or(self.fold);
        self.exit = later.exit.or(self.exit);
        self.env = later.env.or(self.env.take());
        self.ancestors = later.ancestors.or(self.ancestors);
        self.format = later.format.or(self.format.take());
        self.fields = later.fields.or(self.fields.take());
        self.color = later.color.or(self.color);
        self.max_args = later.max_args.or(self.max_args);
        self.buffer = later.buffer.or(self.buffer);
    }

    /// What the files say besides rules, by key.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("failed", format!("{:?}", self.failed)),
            ("fold", format!("{:?}", self.fold)),
            ("exit", format!("{:?}", self.exit)),
            ("env", format!("{:?}", self.env)),
            ("ancestors", format!("{:?}", self.ancestors)),
            ("format", format!("{:?}", self.format)),
            ("fields", format!("{:?}", self.fields)),
            ("color", format!("{:?}", self.color)),
            ("max-args", format!("{:?}", self.max_args)),
            ("buffer", format!("{:?}", self.buffer)),
        ]
    }

    /// Every rule in the files, in the order of the files and of the rules in them.
    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

fn is_foreign(path: &Path, error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && !path.starts_with("/etc")
}

fn usual_places() -> Vec<PathBuf> {
    let home = env::var_os("XDG_CONFIG_HOME")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".config")));
    let mut places = vec![PathBuf::from("/etc/exectrail/config.toml")];
    places.extend(home.map(|home| home.join("exectrail/config.toml")));
    places
}

#[cfg(test)]
mod tests;
