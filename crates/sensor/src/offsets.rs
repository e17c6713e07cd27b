//! From the table of kernel fields to their offsets in the running kernel.
//!
//! The kernel side fetches members that stand side by side with one read, so an
//! offset is given out only where they do stand like that, and where each is
//! large enough for what is read. Otherwise it is absent, and said to be: a
//! wrong field would be worse than none.

use exectrail_abi::config::{ABSENT, KernelField, Offsets};

use crate::{btf::Btf, trust};

/// Rows of one member of which the kernel side reads other than eight bytes
/// (pointers, addresses, `u64`). Rows of several members say it by their
/// distances. Zero is for what is only pointed at.
const SIZES: [(&str, u32); 32] = [
    ("task_tgid", 4),
    ("task_flags", 4),
    ("task_loginuid", 4),
    ("task_sessionid", 4),
    ("task_exit_code", 4),
    ("task_comm", 16),
    ("pid_level", 4),
    ("pid_numbers", 0),
    ("upid_nr", 4),
    ("pid_namespace_inum", 4),
    ("mnt_namespace_inum", 4),
    ("uts_namespace_inum", 4),
    ("ipc_namespace_inum", 4),
    ("net_inum", 4),
    ("cgroup_namespace_inum", 4),
    ("user_namespace_inum", 4),
    ("signal_live", 4),
    ("signal_flags", 4),
    ("signal_group_exit_code", 4),
    ("tty_name", 16),
    ("inode_mode", 2),
    ("inode_uid", 4),
    ("inode_gid", 4),
    ("inode_nlink", 4),
    ("super_dev", 4),
    ("qstr_len", 4),
    ("dentry_iname", 32),
    ("dentry_shortname", 32),
    ("bprm_argc", 4),
    ("cgroup_root_hierarchy_id", 4),
    ("cgroup_level", 4),
    ("cgroup_ancestor_ids", 0),
];

/// A row of the table that this kernel cannot serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("struct {structure}: {why}")]
pub(crate) struct MissingField {
    /// Name of the offset.
    pub(crate) name: &'static str,
    /// The C structure.
    pub(crate) structure: &'static str,
    /// A kernel may do without it.
    pub(crate) optional: bool,
    /// What is amiss.
    pub(crate) why: Why,
}

/// Why a row cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Why {
    /// The structure or the member does not exist, or the member is a bit field.
    #[error("{member} is not there")]
    NotThere {
        /// The member.
        member: &'static str,
    },
    /// The members exist, but not where one read would fetch them all.
    #[error("{member} does not stand {expected} bytes after {first}")]
    NotSideBySide {
        /// The row's first member.
        first: &'static str,
        /// The one that stands elsewhere.
        member: &'static str,
        /// Where it would have to stand.
        expected: u32,
    },
    /// The member has fewer bytes than are read.
    #[error("{member} has {size} bytes, not {expected}")]
    TooSmall {
        /// The member.
        member: &'static str,
        /// How many bytes it has.
        size: u32,
        /// How many are read.
        expected: u32,
    },
}

/// What [`Btf::parse`] must look for, each name once: all structures that are read, and
/// what trust depends on.
pub(crate) fn names() -> Vec<&'static str> {
    let structures = Offsets::TABLE.iter().map(|field| field.structure);
    let mut names: Vec<_> = structures.chain(trust::NAMES).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Every offset that the kernel side can use, and the rows it has to do without.
/// `btf` must have been asked for [`names`].
pub(crate) fn kernel_offsets(btf: &Btf<'_>) -> (Offsets, Vec<MissingField>) {
    let mut missing = Vec::new();
    let offsets = Offsets::resolve(|field| {
        resolve(btf, field).unwrap_or_else(|why| {
            let KernelField { name, structure, optional, .. } = *field;
            missing.push(MissingField { name, structure, optional, why });
            ABSENT
        })
    });
    (offsets, missing)
}

/// Whether all is there that the kernel side loads without asking (`bpf/src/kernel/place.rs`).
pub(crate) fn can_be_loaded(missing: &[MissingField]) -> bool {
    missing.iter().all(|field| field.optional)
}

/// Offset of the first member, when all members are as the row says.
fn resolve(btf: &Btf<'_>, field: &KernelField) -> Result<u32, Why> {
    let expected = bytes_read(field);
    let mut base = None;
    for &(member, distance) in field.members {
        let place = btf.offset_of(field.structure, member).ok_or(Why::NotThere { member })?;
        let &mut (first, start) = base.get_or_insert((member, place.offset));
        if start.checked_add(distance) != Some(place.offset) {
            return Err(Why::NotSideBySide { first, member, expected: distance });
        }
        // Larger is right where a whole structure stands in the row: a kernel's
        // `qstr` or `vfsmount` is read or pointed at from its start.
        if place.size < expected {
            return Err(Why::TooSmall { member, size: place.size, expected });
        }
    }
    base.map(|(_, start)| start).ok_or(Why::NotThere { member: field.name })
}

/// How many bytes the kernel side reads of each member of a row.
fn bytes_read(field: &KernelField) -> u32 {
    match field.members {
        [(_, first), (_, second), ..] => second.saturating_sub(*first),
        _ => SIZES.iter().find(|(name, _)| *name == field.name).map_or(8, |(_, size)| *size),
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::*;
    use crate::btf::builder::Builder;

    fn offsets_of(types: &Builder) -> (Offsets, Vec<MissingField>) {
        let bytes = types.build();
        let wanted = names();
        let (offsets, missing) = kernel_offsets(&Btf::parse(&bytes, &wanted).unwrap());
        (offsets, missing)
    }

    fn why(missing: &[MissingField], name: &str) -> Option<Why> {
        missing.iter().find(|field| field.name == name).map(|field| field.why)
    }

    #[test]
    fn exceptions_name_rows_of_one_member() {
        for (name, _) in SIZES {
            let row = Offsets::TABLE.iter().find(|field| field.name == name);
            assert!(row.is_some_and(|field| field.members.len() == 1), "{name}");
        }
    }

    #[test]
    fn nothing_known_means_everything_missing() {
        let (offsets, missing) = offsets_of(&Builder::new());
        assert_eq!(missing.len(), Offsets::TABLE.len());
        assert_eq!(offsets.task_mm, ABSENT);
        assert_eq!(missing[0].to_string(), "struct task_struct: parent_exec_id is not there");
    }

    #[test]
    fn members_side_by_side() {
        let mut types = Builder::new();
        let pointer = types.pointer(0);
        let mounted = types.structure("vfsmount", 32, &[("mnt_root", pointer, 0)]);
        let members =
            [("mnt_parent", pointer, 16), ("mnt_mountpoint", pointer, 24), ("mnt", mounted, 32)];
        types.structure("mount", 64, &members);
        let (offsets, missing) = offsets_of(&types);
        assert_eq!((offsets.mount_parent, offsets.mount_mnt), (16, 32));
        assert_eq!(missing.len(), Offsets::TABLE.len() - 2);
    }

    #[test]
    fn members_apart_or_the_other_way_round() {
        for (parent, mountpoint) in [(16, 32), (24, 16)] {
            let mut types = Builder::new();
            let pointer = types.pointer(0);
            let members =
                [("mnt_parent", pointer, parent), ("mnt_mountpoint", pointer, mountpoint)];
            types.structure("mount", 64, &members);
            let (offsets, missing) = offsets_of(&types);
            assert_eq!(offsets.mount_parent, ABSENT);
            let apart =
                Why::NotSideBySide { first: "mnt_parent", member: "mnt_mountpoint", expected: 8 };
            assert_eq!(why(&missing, "mount_parent"), Some(apart));
        }
    }

    #[test]
    fn members_narrower_than_what_is_read() {
        let mut types = Builder::new();
        let int = types.int(4);
        types.structure("task_struct", 8, &[("self_exec_id", int, 0), ("tgid", int, 4)]);
        let (offsets, missing) = offsets_of(&types);
        assert_eq!((offsets.task_self_exec_id, offsets.task_tgid), (ABSENT, 4));
        let small = Why::TooSmall { member: "self_exec_id", size: 4, expected: 8 };
        assert_eq!(why(&missing, "task_self_exec_id"), Some(small));
        assert_eq!(why(&missing, "task_tgid"), None);
    }

    #[test]
    fn ids_of_other_sizes() {
        let names = ["uid", "gid", "suid", "sgid", "euid", "egid", "fsuid", "fsgid"];
        for (size, known) in [(2, false), (4, true)] {
            let mut types = Builder::new();
            let id = types.int(size);
            let id = types.structure("", size, &[("val", id, 0)]);
            let members: Vec<_> =
                names.iter().zip((8..).step_by(4)).map(|(name, at)| (*name, id, at)).collect();
            types.structure("cred", 64, &members);
            let (offsets, _) = offsets_of(&types);
            assert_eq!(offsets.cred_ids == 8, known, "{size}");
        }
    }

    /// What a kernel may do without is asked for; of the rest, one that is not there is enough.
    #[test]
    fn only_what_is_optional_may_be_missing() {
        let (_, missing) = offsets_of(&Builder::new());
        let is_optional = |name: &str| missing.iter().any(|row| row.name == name && row.optional);
        assert!(is_optional("task_loginuid") && is_optional("nsproxy_net"));
        assert!(!is_optional("task_mm") && !is_optional("mm_args"));
        assert!(!can_be_loaded(&missing));
        let optional: Vec<_> = missing.into_iter().filter(|row| row.optional).collect();
        assert!(can_be_loaded(&optional));
    }

    /// The machine that runs the tests is one more kernel that must be readable.
    #[test]
    fn the_running_kernel_has_every_field() {
        const PATH: &str = "/sys/kernel/btf/vmlinux";
        let bytes = match fs::read(PATH) {
            Ok(bytes) => bytes,
            Err(error) if env::var_os("CI").is_some() => panic!("{PATH}: {error}"),
            Err(error) => return eprintln!("NOT TESTED: {PATH}: {error}"),
        };
        let wanted = names();
        let (offsets, mut missing) = kernel_offsets(&Btf::parse(&bytes, &wanted).unwrap());
        eprintln!("{offsets:#?}");
        // Two names of one member, what a module may describe elsewhere, and what
        // newer kernels have a helper for.
        assert_ne!(offsets.kernfs_parent == ABSENT, offsets.kernfs_parent_rcu == ABSENT);
        assert_ne!(offsets.dentry_iname == ABSENT, offsets.dentry_shortname == ABSENT);
        let may_lack = [
            "kernfs_parent",
            "kernfs_parent_rcu",
            "dentry_iname",
            "dentry_shortname",
            "ovl_inode_vfs",
            "ovl_inode_upper",
            "cgroup_ancestor_ids",
        ];
        missing.retain(|row| !may_lack.contains(&row.name));
        assert_eq!(missing, []);
    }
}
