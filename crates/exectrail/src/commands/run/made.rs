//! The file of a run under sudo: it belongs to the user who called sudo, as the command
//! does.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    path::{Path, PathBuf},
};

use crate::{child::Identity, words::say};

/// A file that was not there before, for another user.
#[derive(Debug)]
pub(super) struct Made {
    file: File,
    path: PathBuf,
    uid: u32,
    gid: u32,
}

impl Made {
    /// Makes the file that is named, if it is to be another user's. What is there already, a
    /// link above all, is not ours to give away.
    pub(super) fn new(path: Option<&Path>, identity: &Identity) -> Option<Self> {
        let (path, (uid, gid)) = (path?, identity.another()?);
        let mut options = OpenOptions::new();
        // What is wrong with it otherwise, is told when it is opened.
        let file = options.write(true).create_new(true).mode(0o600).open(path).ok()?;
        Some(Self { file, path: path.to_owned(), uid, gid })
    }

    /// Gives it away, once it has been opened for what is to go into it: by then nothing
    /// else is asked of its name, under which there can be another file by now.
    pub(super) fn give_away(self) {
        if let Err(error) = fchown(&self.file, Some(self.uid), Some(self.gid)) {
            let path = self.path.display();
            say(format_args!("{path} stays root's, and is no file of user {}: {error}", self.uid));
        }
    }

    /// Takes it back: nothing will go into it.
    pub(super) fn take_back(self) {
        let ours = self.file.metadata().map(|found| (found.dev(), found.ino()));
        let there = self.path.symlink_metadata().map(|found| (found.dev(), found.ino()));
        if ours.ok() == there.ok() {
            // It stays, if it cannot be removed: an empty file, as others leave one.
            let _ = fs::remove_file(&self.path);
        }
    }
}
