//! The bytes of BTF, mapped where that can be.

use std::{
    fmt,
    fs::{self, File},
    io,
    ops::Deref,
    path::Path,
};

use crate::sys::KernelTypes;

/// BTF as it lies somewhere, of which nothing is checked.
pub(crate) enum BtfBytes {
    Mapped(KernelTypes),
    Read(Vec<u8>),
}

impl BtfBytes {
    /// Those that the kernel shows of itself in this file.
    ///
    /// # Errors
    ///
    /// When there is no such file, or it cannot be read.
    pub(crate) fn of_kernel(path: &Path) -> io::Result<Self> {
        match KernelTypes::map(&File::open(path)?) {
            Ok(mapped) => Ok(Self::Mapped(mapped)),
            Err(_) => Self::of_file(path),
        }
    }

    /// Those of any file.
    ///
    /// # Errors
    ///
    /// When there is no such file, or it cannot be read.
    pub(crate) fn of_file(path: &Path) -> io::Result<Self> {
        fs::read(path).map(Self::Read)
    }
}

impl fmt::Debug for BtfBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of BTF", self.len())
    }
}

impl Deref for BtfBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(bytes) => bytes,
            Self::Read(bytes) => bytes,
        }
    }
}
