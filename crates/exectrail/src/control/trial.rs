//! What would become of an exec: the rules are asked, and nothing is run.

use exectrail_abi::record::{Creds, Namespaces};
use exectrail_model::{
    args::Args,
    event::{Failure, NO_PROCESS, Parent, Program},
    filter::{
        Draft, Host, IdKind, Key, NamespaceKind, Outcome, Rule, Rules, Selector, Subject, Told,
        Verdict,
    },
};

use super::{
    live::row,
    message::{Decided, Judged, Trial},
};
use crate::exit::UsageError;

/// Bytes of a program's short name.
const COMM: usize = 15;

/// No user and no group: the number that stands for "none".
const NOBODY_AT_ALL: Creds = Creds {
    uid: u32::MAX,
    gid: u32::MAX,
    suid: u32::MAX,
    sgid: u32::MAX,
    euid: u32::MAX,
    egid: u32::MAX,
    fsuid: u32::MAX,
    fsgid: u32::MAX,
};

/// What is known of the exec besides its paths and arguments.
#[derive(Debug)]
struct Given {
    creds: Creds,
    /// Inodes; zero for what is not known.
    namespaces: Namespaces,
    pid_namespace: u32,
    parent: Option<String>,
    cgroup: Option<String>,
    /// Bits of what only the kernel side can tell.
    told: u64,
    failure: Option<Failure>,
}

/// Asks the rules. `in_kernel` says of each whether the kernel decides it.
pub(crate) fn judge(
    trial: &Trial,
    rules: &Rules,
    in_kernel: &[bool],
    host: &dyn Host,
) -> Result<Judged, UsageError> {
    let given = Given::of(trial, rules, host)?;
    let args: Vec<u8> =
        trial.args.iter().flat_map(|arg| [arg.as_bytes(), b"\0"].concat()).collect();
    let exe = trial.exe.as_ref().unwrap_or(&trial.filename);
    let parent = given.parent.as_deref().map(parent);
    let process = exectrail_abi::record::Process { pid_ns: given.pid_namespace, ..NO_PROCESS };
    let program = Program {
        process,
        parent,
        creds: Some(given.creds),
        cgroup: given.cgroup.as_deref().map(str::as_bytes),
        namespaces: Some(given.namespaces),
        filename: Some(trial.filename.as_bytes()),
        exe: Some(exe.as_bytes()),
        args: Some(Args::whole(&args)),
        told: Some(given.told),
        ..Program::UNKNOWN
    };
    let decision = rules.decide(&Subject { program: &program, failure: given.failure });
    let at = |number: usize| in_kernel.get(number).copied().unwrap_or(false);
    let rule = decision.rule.and_then(|number| Some(row(number, rules.get(number)?, at(number))));
    Ok(Judged { shown: decision.keep, decided: decided(&decision, rules, at), rule })
}

/// Where that is decided. The kernel turns away what an `exclude` rule of its own
/// matches, and, if it has every `only` rule, what matches none as far as it can tell.
fn decided(
    decision: &exectrail_model::filter::Decision,
    rules: &Rules,
    in_kernel: impl Fn(usize) -> bool,
) -> Option<Decided> {
    if let Some(number) = decision.rule.filter(|_| !decision.keep) {
        return Some(if in_kernel(number) { Decided::Kernel } else { Decided::Here });
    }
    let mut only = rules.iter().enumerate().filter(|(_, rule)| rule.verdict == Verdict::Only);
    let first = only.next()?;
    let has_all = in_kernel(first.0) && only.all(|(number, _)| in_kernel(number));
    Some(if has_all { Decided::Both } else { Decided::Here })
}

fn parent(text: &str) -> Parent<'_> {
    let name = text.rsplit('/').next().unwrap_or(text).as_bytes();
    Parent {
        process: NO_PROCESS,
        id: None,
        image: 0,
        comm: name.get(..COMM).unwrap_or(name),
        exe: text.starts_with('/').then_some(text.as_bytes()),
    }
}

impl Given {
    fn of(trial: &Trial, rules: &Rules, host: &dyn Host) -> Result<Self, UsageError> {
        let mut given = Self {
            creds: NOBODY_AT_ALL,
            namespaces: Namespaces { mnt: 0, uts: 0, ipc: 0, net: 0, cgroup: 0, user: 0 },
            pid_namespace: 0,
            parent: None,
            cgroup: None,
            told: 0,
            failure: None,
        };
        for (key, value) in &trial.given {
            given.add(key, value, rules, host)?;
        }
        // Most programs run as whoever starts them.
        let Creds { uid, gid, euid, egid, .. } = &mut given.creds;
        for (effective, real) in [(euid, *uid), (egid, *gid)] {
            if *effective == u32::MAX {
                *effective = real;
            }
        }
        Ok(given)
    }

    /// Values are read as those of rules are, with the same words for mistakes.
    fn add(
        &mut self,
        key: &str,
        value: &str,
        rules: &Rules,
        host: &dyn Host,
    ) -> Result<(), UsageError> {
        let wrong = |why: &dyn std::fmt::Display| UsageError(format!("{key}={value}: {why}"));
        let known = Key::named(key).map_err(|mistake| wrong(&mistake))?;
        if known == Key::Parent {
            self.parent = Some(value.to_owned());
            return Ok(());
        }
        let mut draft = Draft::new(host);
        let rule = draft.add(known, value).and_then(|()| draft.rule(Verdict::Only));
        let rule: Rule = rule.map_err(|mistake| wrong(&mistake))?;
        let [selector] = rule.selectors() else { return Ok(()) };
        match selector {
            Selector::Id(kind, id) => *self.id(*kind) = id.number,
            Selector::Namespace(kind, namespace) => *self.namespace(*kind) = namespace.inode,
            Selector::Cgroup(path) => self.cgroup = Some(path.as_str().to_owned()),
            Selector::Told(Told { what, .. }) => {
                let slot = rules.told().iter().position(|known| known == what);
                self.told |= slot.map_or(0, |slot| 1 << slot);
            }
            Selector::Result(Outcome::Errno(errno)) => {
                self.failure = Some(Failure { errno: *errno });
            }
            Selector::Result(Outcome::Ok) => self.failure = None,
            _ => return Err(wrong(&"this cannot be tried out")),
        }
        Ok(())
    }

    fn id(&mut self, kind: IdKind) -> &mut u32 {
        match kind {
            IdKind::User => &mut self.creds.uid,
            IdKind::EffectiveUser => &mut self.creds.euid,
            IdKind::Group => &mut self.creds.gid,
            IdKind::EffectiveGroup => &mut self.creds.egid,
        }
    }

    fn namespace(&mut self, kind: NamespaceKind) -> &mut u32 {
        match kind {
            NamespaceKind::Pid => &mut self.pid_namespace,
            NamespaceKind::Mount => &mut self.namespaces.mnt,
            NamespaceKind::Net => &mut self.namespaces.net,
            NamespaceKind::User => &mut self.namespaces.user,
            NamespaceKind::Uts => &mut self.namespaces.uts,
            NamespaceKind::Ipc => &mut self.namespaces.ipc,
            NamespaceKind::Cgroup => &mut self.namespaces.cgroup,
        }
    }
}

#[cfg(test)]
mod tests {
    use exectrail_model::filter::{Rule, Rules, Verdict};

    use super::{Decided, Trial, judge};

    fn rules(given: &[(Verdict, &str)]) -> Rules {
        let mut rules = Rules::default();
        for &(verdict, text) in given {
            rules.push(Rule::parse(verdict, text, &()).unwrap()).unwrap();
        }
        rules
    }

    fn trial(path: &str, args: &[&str], given: &[(&str, &str)]) -> Trial {
        Trial {
            filename: path.to_owned(),
            exe: None,
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            given: given.iter().map(|&(key, value)| (key.into(), value.into())).collect(),
        }
    }

    /// Whether it is shown, by which rule, and where that is decided.
    fn says(rules: &Rules, trial: &Trial) -> (bool, Option<usize>, Option<Decided>) {
        // All but globs and arguments.
        let of_kernel = |rule: &Rule| !rule.to_string().contains(['?', '-']);
        let in_kernel: Vec<_> = rules.iter().map(of_kernel).collect();
        let judged = judge(trial, rules, &in_kernel, &()).unwrap();
        (judged.shown, judged.rule.map(|rule| rule.number), judged.decided)
    }

    #[test]
    fn rules_say_what_they_would() {
        use Verdict::{Exclude, Only};
        let list =
            rules(&[(Exclude, "/bin/ls,user=7"), (Exclude, "l?,arg=-l"), (Exclude, "tree=9")]);
        let ls =
            |args: &[&str], given: &[(&str, &str)]| says(&list, &trial("/bin/ls", args, given));
        assert_eq!(ls(&[], &[]), (true, None, None));
        assert_eq!(ls(&[], &[("user", "7")]), (false, Some(1), Some(Decided::Kernel)));
        assert_eq!(ls(&["ls", "-l"], &[("user", "8")]), (false, Some(2), Some(Decided::Here)));
        assert_eq!(ls(&[], &[("tree", "9")]), (false, Some(3), Some(Decided::Kernel)));
        assert_eq!(ls(&[], &[("tree", "8")]), (true, None, None));

        let list = rules(&[(Only, "euser=7"), (Only, "parent=sh"), (Only, "result=ENOENT")]);
        let any = |given: &[(&str, &str)]| says(&list, &trial("/x", &[], given));
        assert_eq!(any(&[]), (false, None, Some(Decided::Both)));
        assert_eq!(any(&[("user", "7")]), (true, Some(1), Some(Decided::Both)));
        assert_eq!(any(&[("user", "7"), ("euser", "0")]), (false, None, Some(Decided::Both)));
        assert_eq!(any(&[("parent", "/bin/sh")]), (true, Some(2), Some(Decided::Both)));
        assert_eq!(any(&[("result", "2")]), (true, Some(3), Some(Decided::Both)));
    }

    #[test]
    fn mistakes_are_told() {
        let wrong = |key: &str, value: &str| {
            let trial = trial("/x", &[], &[(key, value)]);
            judge(&trial, &Rules::default(), &[], &()).unwrap_err().0
        };
        assert!(wrong("usr", "x").contains("did you mean `user`"));
        assert!(wrong("user", "nobody-here").contains("no user"));
        assert!(wrong("name", "ls").contains("cannot be tried out"));
    }
}
