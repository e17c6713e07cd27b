//! How far the judgement of an exec has come.

use exectrail_abi::rules::EntryRules;

/// A number that is written to memory and read from there, each time. Rule: what a register
/// holds is part of what the verifier tells ways apart by; what is read from a map is any
/// number, so all ways that lead to the same place are one.
#[repr(transparent)]
pub struct Kept(u64);

impl Kept {
    /// As it stands there.
    #[inline(always)]
    pub fn get(&self) -> u64 {
        // SAFETY: a reference is valid and aligned.
        unsafe { (&raw const self.0).read_volatile() }
    }

    #[inline(always)]
    fn set(&mut self, number: u64) {
        // SAFETY: as above.
        unsafe { (&raw mut self.0).write_volatile(number) }
    }
}

/// What rules have said so far.
#[repr(C)]
pub struct Judged {
    /// Bits of the combined rules that can still match.
    pub left: Kept,
    /// Bits of those that name the path, as it was given or as it is.
    pub by_path: Kept,
    /// Bits of those that name its last component.
    pub by_name: Kept,
    /// Number of a plain `exclude` rule that matches, plus one.
    pub exclude: Kept,
    /// Non-zero: a plain `only` rule does.
    pub only: Kept,
    /// Non-zero: the last component is known whole.
    pub names_are_whole: Kept,
}

impl Judged {
    /// Every rule can match, and no path or name has said anything.
    #[inline(always)]
    pub fn begin(&mut self) {
        self.left.set(u64::MAX);
        self.by_path.set(0);
        self.by_name.set(0);
        self.exclude.set(0);
        self.only.set(0);
        self.names_are_whole.set(0);
    }

    /// Of the rules that can still match, keeps these.
    #[inline(always)]
    pub fn keep(&mut self, rules: u64) {
        self.left.set(self.left.get() & rules);
    }

    /// What a path has to say.
    #[inline(always)]
    pub fn add_path(&mut self, entry: Option<&EntryRules>, generation: usize) {
        let Some(entry) = entry else { return };
        self.by_path.set(self.by_path.get() | entry.rules[generation]);
        self.add_plain(entry, generation);
    }

    /// What a name has to say.
    #[inline(always)]
    pub fn add_name(&mut self, entry: Option<&EntryRules>, generation: usize) {
        let Some(entry) = entry else { return };
        self.by_name.set(self.by_name.get() | entry.rules[generation]);
        self.add_plain(entry, generation);
    }

    /// Of plain `exclude` rules, the first one that is met is the one that counts.
    #[inline(always)]
    fn add_plain(&mut self, entry: &EntryRules, generation: usize) {
        if self.exclude.get() == 0 {
            self.exclude.set(u64::from(entry.exclude[generation]));
        }
        self.only.set(self.only.get() | u64::from(entry.only[generation]));
    }

    /// The last component is known whole.
    #[inline(always)]
    pub fn name_is_whole(&mut self) {
        self.names_are_whole.set(1);
    }
}
