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
//! ```
//!
//! Files are read one after the other; rules add up, and of single values the
//! last one holds. Flags win over all.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use exectrail_model::{
    environment::Wanted,
    filter::{Rule, Selector, Verdict},
    plan::BufferSize,
};
use serde::Deserialize;

use crate::{args::ColorChoice, exit::ConfigError, quantity};

/// What one file, or all of them, say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Config {
    exclude: Vec<RuleTable>,
    only: Vec<RuleTable>,
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

/// A table of a rule. The conversion is where its values are checked, so that
/// an error carries its line.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "RawRule")]
struct RuleTable(Selector);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    path: Option<PathText>,
    name: Option<NameText>,
    #[expect(dead_code, reason = "for people who read the file")]
    comment: Option<String>,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct PathText(Selector);

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct NameText(Selector);

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

impl TryFrom<String> for PathText {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if !text.starts_with('/') {
            return Err(format!(
                "a path begins with `/`; for a program name write name = \"{text}\""
            ));
        }
        Selector::parse(&text).map(Self).map_err(|error| error.to_string())
    }
}

impl TryFrom<String> for NameText {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with('/') {
            return Err(format!("a name has no `/`; for a path write path = \"{text}\""));
        }
        Selector::parse(&text).map(Self).map_err(|error| error.to_string())
    }
}

impl TryFrom<RawRule> for RuleTable {
    type Error = &'static str;
    fn try_from(raw: RawRule) -> Result<Self, &'static str> {
        match (raw.path, raw.name) {
            (Some(PathText(selector)), None) | (None, Some(NameText(selector))) => {
                Ok(Self(selector))
            }
            (Some(_), Some(_)) => Err("a rule has either a path or a name, not both"),
            (None, None) => Err("a rule needs path = \"...\" or name = \"...\""),
        }
    }
}

impl Config {
    /// Reads the usual files, where they exist, and then `chosen`, which must.
    pub(crate) fn read(chosen: Option<&Path>) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        for path in usual_places() {
            match fs::read_to_string(&path) {
                Ok(text) => config.add(Self::parse(&path, &text)?),
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
            config.add(Self::parse(path, &text)?);
        }
        Ok(config)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError::wrong(path, &error))
    }

    /// Puts a later file over this.
    fn add(&mut self, later: Self) {
        self.exclude.extend(later.exclude);
        self.only.extend(later.only);
        self.failed = later.failed.or(self.failed);
        self.exit = later.exit.or(self.exit);
        self.env = later.env.or(self.env.take());
        self.ancestors = later.ancestors.or(self.ancestors);
        self.format = later.format.or(self.format.take());
        self.fields = later.fields.or(self.fields.take());
        self.color = later.color.or(self.color);
        self.max_args = later.max_args.or(self.max_args);
        self.buffer = later.buffer.or(self.buffer);
    }

    /// Every rule in the files.
    pub(crate) fn rules(&self) -> impl Iterator<Item = Rule> {
        let of = |verdict: Verdict| {
            move |RuleTable(selector): &RuleTable| Rule { verdict, selector: selector.clone() }
        };
        let exclude = self.exclude.iter().map(of(Verdict::Exclude));
        exclude.chain(self.only.iter().map(of(Verdict::Only)))
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
mod tests {
    use std::path::Path;

    use super::Config;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(Path::new("c.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_whole_file() {
        let config = parse(
            "failed = true\nbuffer = \"1M\"\nmax-args = 4096\ncolor = \"never\"\n\
             [[exclude]]\npath = \"/usr/bin/ls\"\ncomment = \"noise\"\n\
             [[exclude]]\nname = \"cat\"\n[[only]]\npath = \"/usr/**\"\n",
        )
        .unwrap();
        assert_eq!(config.rules().count(), 3);
        assert_eq!(config.failed, Some(true));
        assert_eq!(config.buffer.unwrap().0.bytes(), 1 << 20);
    }

    #[test]
    fn later_files_win_and_rules_add_up() {
        let mut config = parse("failed = true\nformat = \"json\"\n[[only]]\nname = \"a\"").unwrap();
        config.add(parse("failed = false\n[[only]]\nname = \"b\"").unwrap());
        assert_eq!((config.failed, config.format.as_deref()), (Some(false), Some("json")));
        assert_eq!(config.rules().count(), 2);
    }

    #[test]
    fn errors_have_line_caret_and_cure() {
        for (text, line, says) in [
            ("x = 1", "line 1", "unknown field `x`"),
            ("\n[[exclude]]\npaht = \"/x\"", "line 3", "unknown field `paht`"),
            ("[[exclude]]\npath = \"ls\"", "line 2", "name = \"ls\""),
            ("[[exclude]]\nname = \"/ls\"", "line 2", "path = \"/ls\""),
            ("[[exclude]]\npath = \"/a//b\"", "line 2", "write `/a/b`"),
            ("[[only]]\n", "line 1", "a rule needs"),
            ("buffer = \"1X\"", "line 1", "is no size"),
            ("max-args = 99999999", "line 1", "out of range"),
            ("failed = maybe", "line 1", "^"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains("c.toml"), "{error}");
            assert!(error.contains(line) && error.contains('^') && error.contains(says), "{error}");
        }
    }
}
