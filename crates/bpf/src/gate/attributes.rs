//! What rules ask about besides paths and names.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use exectrail_abi::rules::{
    ANY_ERRNO, Attribute, CGROUP_DEPTHS, CONTROLLERS, NumberKey, RuleSet, TOLD_MAX, V1_LEVELS,
    V1Key,
};

use super::{by, has};
use crate::{
    config::config,
    kernel::{Address, KernfsNode, Task, ancestor_cgroup},
    maps::{rules_of_cgroup, rules_of_number, rules_of_parent, told_of_v1, trees_of},
    scratch::Scratch,
};

/// Bits of attributes that are read together.
const CREDS: u32 = Attribute::User.bit()
    | Attribute::EffectiveUser.bit()
    | Attribute::Group.bit()
    | Attribute::EffectiveGroup.bit();
const NAMESPACES: u32 = Attribute::MountNamespace.bit()
    | Attribute::NetNamespace.bit()
    | Attribute::UserNamespace.bit()
    | Attribute::UtsNamespace.bit()
    | Attribute::IpcNamespace.bit()
    | Attribute::CgroupNamespace.bit();

/// All that are judged here.
const JUDGED: u32 =
    ((1 << Attribute::COUNT) - 1) & !(Attribute::Path.bit() | Attribute::Name.bit());

/// One side of the judgement: rules, and the active generation of them.
#[derive(Clone, Copy)]
struct Judge {
    rules: &'static RuleSet,
    generation: usize,
}

/// Leaves in the buffer the rules that all of these attributes leave.
#[inline(always)]
pub fn judge(
    scratch: &mut Scratch,
    task: Task,
    rules: &'static RuleSet,
    generation: usize,
    result: u32,
) {
    scratch.left = u64::MAX;
    // Most rules are paths and names alone: one question instead of seven.
    if !has(rules, JUDGED) {
        return;
    }
    let judge = Judge { rules, generation };
    scratch.left = judge.result(result);
    if has(rules, Attribute::Told.bit()) {
        let told = judge.told(scratch);
        scratch.keep(told);
    }
    if has(rules, CREDS) {
        scratch.keep(judge.creds(task));
    }
    if has(rules, Attribute::Cgroup.bit()) {
        scratch.keep(judge.cgroup());
    }
    if has(rules, Attribute::PidNamespace.bit()) {
        scratch.keep(judge.number(Attribute::PidNamespace, task.pid_namespace()));
    }
    if has(rules, NAMESPACES) {
        scratch.keep(judge.namespaces(task));
    }
    if has(rules, Attribute::Parent.bit()) {
        scratch.keep(judge.parent(task));
    }
}

impl Judge {
    /// What cannot be known matches no `exclude` rule, and may match any other.
    #[inline(always)]
    fn unknown(self, attribute: Attribute) -> u64 {
        by(self.rules, attribute, self.rules.only)
    }

    #[inline(always)]
    fn number(self, attribute: Attribute, number: Option<u32>) -> u64 {
        if !has(self.rules, attribute.bit()) {
            return u64::MAX;
        }
        let Some(number) = number else { return self.unknown(attribute) };
        let key = NumberKey { attribute: attribute as u32, number };
        by(self.rules, attribute, rules_of_number(key, self.generation))
    }

    #[inline(always)]
    fn result(self, errno: u32) -> u64 {
        let exactly = self.number(Attribute::Result, Some(errno));
        if errno == 0 {
            return exactly;
        }
        exactly | self.number(Attribute::Result, Some(ANY_ERRNO))
    }

    #[inline(always)]
    fn creds(self, task: Task) -> u64 {
        let creds = task.creds();
        self.number(Attribute::User, creds.map(|creds| creds.uid))
            & self.number(Attribute::EffectiveUser, creds.map(|creds| creds.euid))
            & self.number(Attribute::Group, creds.map(|creds| creds.gid))
            & self.number(Attribute::EffectiveGroup, creds.map(|creds| creds.egid))
    }

    #[inline(always)]
    fn namespaces(self, task: Task) -> u64 {
        let all = task.namespaces();
        // Zero is a kind that this kernel does not have.
        let inode = |inode: u32| Some(inode).filter(|&inode| inode != 0);
        self.number(Attribute::MountNamespace, all.and_then(|all| inode(all.mnt)))
            & self.number(Attribute::NetNamespace, all.and_then(|all| inode(all.net)))
            & self.number(Attribute::UserNamespace, all.and_then(|all| inode(all.user)))
            & self.number(Attribute::UtsNamespace, all.and_then(|all| inode(all.uts)))
            & self.number(Attribute::IpcNamespace, all.and_then(|all| inode(all.ipc)))
            & self.number(Attribute::CgroupNamespace, all.and_then(|all| inode(all.cgroup)))
    }

    /// A cgroup is below another if that is among its ancestors; those are asked for
    /// at the depths that rules have.
    #[inline(always)]
    fn cgroup(self) -> u64 {
        let mut found = 0;
        for depth in 0..CGROUP_DEPTHS {
            if self.rules.cgroup_depths & 1 << depth == 0 {
                continue;
            }
            let id = ancestor_cgroup(depth);
            if let Some(rules) = rules_of_cgroup(id, self.generation) {
                found |= rules;
            } else if id > self.rules.newest_cgroup {
                // It can have taken the path of one that is gone.
                found |= self.rules.only;
            }
        }
        by(self.rules, Attribute::Cgroup, found)
    }

    #[inline(always)]
    fn parent(self, task: Task) -> u64 {
        let comm = task.real_parent().and_then(Task::leader).and_then(Task::comm);
        let Some(comm) = comm else { return self.unknown(Attribute::Parent) };
        by(self.rules, Attribute::Parent, rules_of_parent(&comm, self.generation))
    }

    /// What the kernel side alone can tell goes into the record, too.
    #[inline(always)]
    fn told(self, scratch: &mut Scratch) -> u64 {
        let pid = (bpf_get_current_pid_tgid() >> 32) as u32;
        scratch.record.told = trees_of(pid);
        // A constant: the verifier walks so many levels of so many controllers, which
        // takes 20 ms of every start.
        if config!(v1_cgroups) != 0 {
            tell_v1_cgroups(scratch, Task::current());
        }
        let told = scratch.record.told;
        let mut found = 0;
        for slot in 0..TOLD_MAX {
            if told & 1 << slot != 0 {
                found |= self.rules.told[slot];
            }
        }
        by(self.rules, Attribute::Told, found)
    }
}

/// Looks at the cgroups of all controllers that are in a hierarchy of version 1, and at
/// those above. What is found goes to the record, where the verifier does not follow it.
#[inline(always)]
fn tell_v1_cgroups(scratch: &mut Scratch, task: Task) {
    for controller in 0..CONTROLLERS {
        // Behind the last controller stands something else, which is no address.
        let Some((hierarchy, directory)) = task.controller_directory(controller) else { return };
        if hierarchy != 0 {
            let _ = tell_v1_cgroup(scratch, u64::from(hierarchy), directory);
        }
    }
}

#[inline(always)]
fn tell_v1_cgroup(
    scratch: &mut Scratch,
    hierarchy: u64,
    mut directory: KernfsNode<Address>,
) -> Option<()> {
    for _ in 0..V1_LEVELS {
        scratch.record.told |= told_of_v1(V1Key { hierarchy, id: directory.id()? });
        directory = directory.parent()??;
    }
    None
}
