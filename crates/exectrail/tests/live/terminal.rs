//! A terminal of a test's own: what is typed there, and what has been written to it.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};

/// Lines that each of them has.
pub(crate) const LINES: u16 = 24;

/// A terminal, and what has been written to it.
pub(crate) struct Terminal {
    master: File,
    slave: File,
    written: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
    is_gone: Arc<AtomicBool>,
}

impl Terminal {
    pub(crate) fn new(columns: u16) -> Self {
        Self::stopped(columns).read()
    }

    /// One of which nobody reads what is written to it.
    pub(crate) fn stopped(columns: u16) -> Self {
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let master = File::from(master);
        let (written, is_gone) = (Arc::default(), Arc::default());
        let terminal = Self { master, slave, written, reader: None, is_gone };
        terminal.resize(columns);
        terminal
    }

    fn read(mut self) -> Self {
        let (mut reader, into) = (self.master.try_clone().unwrap(), Arc::clone(&self.written));
        let is_gone = Arc::clone(&self.is_gone);
        self.reader = Some(thread::spawn(move || {
            let mut bytes = [0; 4096];
            // An error is its end: nobody has it open any more.
            while let Ok(read @ 1..) = reader.read(&mut bytes) {
                into.lock().unwrap().extend_from_slice(&bytes[..read]);
                if is_gone.load(Ordering::Relaxed) {
                    return;
                }
            }
        }));
        self
    }

    /// It is closed, as a window is, or a connection that breaks: whoever has it open still
    /// reads nothing from it, and cannot write.
    pub(crate) fn hang_up(mut self) {
        self.is_gone.store(true, Ordering::Relaxed);
        // So that the reader looks.
        self.slave.write_all(b" ").unwrap();
        self.reader.take().unwrap().join().unwrap();
    }

    /// Whether keys come by lines, and are seen, as a shell has it.
    pub(crate) fn is_cooked(&self) -> bool {
        let modes = tcgetattr(&self.slave).unwrap().local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    pub(crate) fn resize(&self, columns: u16) {
        let size = Winsize { ws_row: LINES, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.master, size).unwrap();
    }

    pub(crate) fn open(&self) -> Stdio {
        self.slave.try_clone().unwrap().into()
    }

    /// Keys that are pressed.
    pub(crate) fn types(&self, keys: &[u8]) {
        (&self.master).write_all(keys).unwrap();
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    /// What has been written, once `is_there` says so.
    #[track_caller]
    pub(crate) fn wait(&self, is_there: impl Fn(&str) -> bool) -> String {
        let give_up = Instant::now() + Duration::from_secs(120);
        loop {
            let text = self.text();
            if is_there(&text) {
                return text;
            }
            assert!(Instant::now() < give_up, "it has only {text:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }
}
