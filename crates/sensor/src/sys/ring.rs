//! The reading end of a ring buffer, as it is mapped (kernel/bpf/ringbuf.c, 5.8 to 7.2).
//!
//! The kernel maps a page with the reader's position, a page with the writers', and the data
//! *twice*, one copy behind the other, so that no record is ever in two parts. We map the data
//! once: the second copy is resident, too, another 2 MiB by default. Of some four thousand
//! records, the one that goes over the end is copied.
#![expect(unsafe_code, reason = "memory that is shared with the kernel; each block says why")]

use std::{
    io,
    os::fd::BorrowedFd,
    sync::atomic::{AtomicU32, AtomicUsize, Ordering},
};

use super::pages::{Access, Pages};

/// `BPF_RINGBUF_HDR_SZ` (include/uapi/linux/bpf.h): the length and its two flags, and where
/// the page of the record is, which is the kernel's own affair.
pub(crate) const HEAD: usize = 8;
/// `BPF_RINGBUF_BUSY_BIT`: it is still being written.
const BUSY: u32 = 1 << 31;
/// `BPF_RINGBUF_DISCARD_BIT`: it is none.
const DISCARDED: u32 = 1 << 30;

/// After so many bytes, writers are told that they can have them again. Not for each record:
/// a writer looks at that position, too, and each time it has changed it has to be fetched
/// from another CPU.
const GIVE_BACK: usize = 32 << 10;

/// A ring buffer, of which nobody else is the reader.
pub(crate) struct Ring {
    /// The reader's position, in a page of its own.
    ours: Pages,
    /// The writers' position, in a page of its own, and the data.
    theirs: Pages,
    page: usize,
    size: usize,
    /// Up to where records have been handed out, and up to where writers know of that.
    read: usize,
    told: usize,
    /// Up to where writers have come, when we last looked.
    written: usize,
    /// The last record that went over the end.
    joined: Vec<u8>,
}

impl Ring {
    /// Maps the ring buffer of this map, which has so many bytes.
    ///
    /// # Errors
    ///
    /// When the kernel refuses, for want of memory or since it is no such map.
    pub(crate) fn map(map: BorrowedFd<'_>, size: usize) -> io::Result<Self> {
        let page = rustix::param::page_size();
        let ours = Pages::map(map, Access::Write, page, 0)?;
        let theirs = Pages::map(map, Access::Watch, page + size, page)?;
        let mut ring =
            Self { ours, theirs, page, size, read: 0, told: 0, written: 0, joined: Vec::new() };
        ring.read = position(&ring.ours).load(Ordering::Acquire);
        ring.told = ring.read;
        Ok(ring)
    }

    /// The next record, if there is one that is whole. What was handed out before is the
    /// writers' again.
    pub(crate) fn next(&mut self) -> Option<&[u8]> {
        loop {
            if self.read.wrapping_sub(self.told) >= GIVE_BACK.min(self.size / 4) {
                self.give_back();
            }
            if self.read == self.written {
                self.written = position(&self.theirs).load(Ordering::Acquire);
                if self.read == self.written {
                    return None;
                }
            }
            let at = self.place(self.read);
            let head = self.head(at).load(Ordering::Acquire);
            if head & BUSY != 0 {
                return None;
            }
            let (len, first) = ((head & !DISCARDED) as usize, self.read.wrapping_add(HEAD));
            self.read = first.wrapping_add(len.next_multiple_of(HEAD));
            if head & DISCARDED == 0 {
                return Some(self.record(self.place(first), len));
            }
        }
    }

    /// Tells the writers how far we are: before we wait, or there seems to be something.
    pub(crate) fn give_back(&mut self) {
        if self.told != self.read {
            position(&self.ours).store(self.read, Ordering::Release);
            self.told = self.read;
        }
    }

    /// Where in the data a position is. The size is a power of two.
    fn place(&self, position: usize) -> usize {
        position & (self.size - 1)
    }

    /// The bytes of a record from there on, in one stretch.
    fn record(&mut self, at: usize, len: usize) -> &[u8] {
        let len = len.min(self.size);
        let before_end = len.min(self.size - at);
        if before_end == len {
            return self.data(at, len);
        }
        let mut joined = std::mem::take(&mut self.joined);
        joined.clear();
        joined.extend_from_slice(self.data(at, before_end));
        joined.extend_from_slice(self.data(0, len - before_end));
        self.joined = joined;
        &self.joined
    }

    /// Bytes of records that have been written and not been given back.
    fn data(&self, at: usize, len: usize) -> &[u8] {
        debug_assert!(at + len <= self.size);
        // SAFETY: the data are mapped behind the first page, and the callers stay within them.
        let start = unsafe { self.theirs.start().as_ptr().add(self.page + at) };
        // SAFETY: what is neither busy nor given back is not written to, and it is not given
        // back while `self` is borrowed.
        unsafe { std::slice::from_raw_parts(start, len) }
    }

    /// The first word of a record's head. It begins at a multiple of eight, so all of it is
    /// before the end.
    fn head(&self, at: usize) -> &AtomicU32 {
        // SAFETY: as above.
        let start = unsafe { self.theirs.start().as_ptr().add(self.page + at) };
        // SAFETY: mapped and aligned; the kernel writes it by atomic stores.
        unsafe { AtomicU32::from_ptr(start.cast()) }
    }
}

/// The position that these pages begin with.
fn position(pages: &Pages) -> &AtomicUsize {
    // SAFETY: mapped and aligned; the kernel reads and writes it atomically, as an
    // `unsigned long`.
    unsafe { AtomicUsize::from_ptr(pages.start().as_ptr().cast()) }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, os::fd::AsFd, os::unix::fs::FileExt};

    use rustix::fs::{MemfdFlags, memfd_create};

    use super::{BUSY, DISCARDED, HEAD, Ring};

    /// A file that looks like a ring buffer, and is written as the kernel does.
    struct Kernel {
        file: File,
        page: usize,
        size: usize,
        position: usize,
    }

    impl Kernel {
        fn new(size: usize) -> Self {
            let file = File::from(memfd_create("ring", MemfdFlags::CLOEXEC).unwrap());
            let page = rustix::param::page_size();
            file.set_len((2 * page + size) as u64).unwrap();
            Self { file, page, size, position: 0 }
        }

        fn ring(&self) -> Ring {
            Ring::map(self.file.as_fd(), self.size).unwrap()
        }

        fn put(&self, position: usize, bytes: &[u8]) {
            for (index, byte) in bytes.iter().enumerate() {
                let place = 2 * self.page + (position + index) % self.size;
                self.file.write_all_at(&[*byte], place as u64).unwrap();
            }
        }

        fn head(&self, position: usize, len: usize, flags: u32) {
            let word = u32::try_from(len).unwrap() | flags;
            self.put(position, &word.to_ne_bytes());
        }

        /// Where the record begins.
        fn write(&mut self, bytes: &[u8], flags: u32) -> usize {
            let begin = self.position;
            self.head(begin, bytes.len(), flags);
            self.put(begin + HEAD, bytes);
            self.position += HEAD + bytes.len().next_multiple_of(HEAD);
            self.file.write_all_at(&self.position.to_ne_bytes(), self.page as u64).unwrap();
            begin
        }

        /// Up to where the reader says that it is.
        fn read(&self) -> usize {
            let mut position = [0; size_of::<usize>()];
            self.file.read_exact_at(&mut position, 0).unwrap();
            usize::from_ne_bytes(position)
        }
    }

    /// Records of each length, so that their bytes, and nothing else, go over the end.
    #[test]
    fn records_are_whole_wherever_they_stand() {
        let mut kernel = Kernel::new(rustix::param::page_size());
        let mut ring = kernel.ring();
        for len in (0..500).chain(900..1000).cycle().take(3000) {
            let bytes: Vec<u8> = (0..=u8::MAX).cycle().skip(len % 7).take(len).collect();
            kernel.write(&bytes, 0);
            assert_eq!(ring.next(), Some(&bytes[..]));
            assert!(kernel.position - kernel.read() <= kernel.size, "room for another");
        }
        assert_eq!(ring.next(), None);
        ring.give_back();
        assert_eq!(kernel.read(), kernel.position);
    }

    #[test]
    fn what_is_busy_is_waited_for_and_what_is_discarded_is_none() {
        let mut kernel = Kernel::new(rustix::param::page_size());
        let mut ring = kernel.ring();
        kernel.write(b"none", DISCARDED);
        let busy = kernel.write(b"first", BUSY);
        kernel.write(b"second", 0);
        assert_eq!(ring.next(), None);
        ring.give_back();
        assert_eq!(kernel.read(), busy);
        kernel.head(busy, 5, 0);
        assert_eq!(ring.next(), Some(&b"first"[..]));
        assert_eq!(ring.next(), Some(&b"second"[..]));
        assert_eq!(ring.next(), None);
    }

    /// Another reader goes on where the one before stopped.
    #[test]
    fn the_position_lasts() {
        let mut kernel = Kernel::new(rustix::param::page_size());
        kernel.write(b"first", 0);
        kernel.write(b"second", 0);
        let mut ring = kernel.ring();
        assert_eq!(ring.next(), Some(&b"first"[..]));
        ring.give_back();
        drop(ring);
        assert_eq!(kernel.ring().next(), Some(&b"second"[..]));
    }
}
