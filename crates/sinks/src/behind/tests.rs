use std::{
    io::{self, Write},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::WriteBehind;

/// A place that takes nothing until it is opened, and then has room for so many bytes.
#[derive(Clone)]
struct Door {
    bytes: Arc<Mutex<Vec<u8>>>,
    open: Arc<(Mutex<bool>, Condvar)>,
    room: usize,
}

impl Door {
    fn closed(room: usize) -> Self {
        Self { bytes: Arc::default(), open: Arc::default(), room }
    }

    fn open(&self) {
        *self.open.0.lock().unwrap() = true;
        self.open.1.notify_all();
    }

    fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }
}

impl Write for Door {
    /// As many whole lines as there is room for.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut open = self.open.0.lock().unwrap();
        while !*open {
            open = self.open.1.wait(open).unwrap();
        }
        let mut taken = self.bytes.lock().unwrap();
        let room = bytes.len().min(self.room - taken.len());
        let whole = bytes[..room].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        if whole == 0 {
            return Err(io::Error::from_raw_os_error(28));
        }
        taken.extend_from_slice(&bytes[..whole]);
        Ok(whole)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn line(number: usize) -> Vec<u8> {
    format!("{number} {}\n", "x".repeat(number % 50)).into_bytes()
}

/// While the place takes nothing, nobody waits for it, and the order stays.
#[test]
fn who_hands_over_does_not_wait() {
    let door = Door::closed(1 << 20);
    let mut behind = WriteBehind::new(Box::new(door.clone()));
    let mut expected = Vec::new();
    for number in 0..10_000 {
        expected.extend_from_slice(&line(number));
        let mut bytes = line(number);
        behind.put(&mut bytes, 1).unwrap();
        assert!(bytes.is_empty());
    }
    assert_eq!(behind.resting(), 10_000);
    assert!(behind.due().is_some());
    assert!(door.bytes().is_empty());
    door.open();
    behind.flush().unwrap();
    assert_eq!((behind.resting(), behind.due()), (0, None));
    assert!(door.bytes() == expected);
}

/// More than has room as it is, and all of it comes out as it was.
#[test]
fn what_waits_long_is_packed() {
    let door = Door::closed(usize::MAX);
    let mut behind = WriteBehind::with_room(Box::new(door.clone()), 3 << 20);
    let mut expected = Vec::new();
    let mut any = 1_u32;
    for number in 0..400 {
        let mut bytes = Vec::new();
        while bytes.len() < 20_000 {
            // Every tenth cannot be made shorter.
            if number % 10 == 0 {
                any = any.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                bytes.push((any >> 24) as u8);
            } else {
                bytes.extend_from_slice(&line(number + bytes.len() % 7));
            }
        }
        bytes.push(b'\n');
        expected.extend_from_slice(&bytes);
        behind.put(&mut bytes, 1).unwrap();
        assert!(bytes.is_empty());
    }
    assert!(expected.len() > 7 << 20);
    assert_eq!(behind.resting(), 400);
    door.open();
    behind.flush().unwrap();
    assert_eq!(behind.resting(), 0);
    assert!(door.bytes() == expected);
}

/// There is a limit to what waits.
#[test]
fn who_brings_too_much_waits() {
    let door = Door::closed(1 << 20);
    let mut behind = WriteBehind::with_room(Box::new(door.clone()), 100);
    let opened = Arc::new(AtomicBool::new(false));
    let soon = thread::spawn({
        let (door, opened) = (door.clone(), Arc::clone(&opened));
        move || {
            thread::sleep(Duration::from_millis(100));
            opened.store(true, Ordering::SeqCst);
            door.open();
        }
    });
    let mut taken = 0;
    while !opened.load(Ordering::SeqCst) {
        assert!(taken <= 110, "no more than has room, and one");
        behind.put(&mut vec![b'\n'; 10], 10).unwrap();
        taken += 10;
    }
    behind.flush().unwrap();
    assert_eq!(door.bytes().len(), taken);
    soon.join().unwrap();
}

/// A failure is known without more being handed over, told again and again in the words of
/// the system, and each line is out or not.
#[test]
fn what_is_not_out_is_known() {
    for room in [0, 1, 7, 1000, 5000, 77_777] {
        let door = Door::closed(room);
        let mut behind = WriteBehind::new(Box::new(door.clone()));
        for number in 0..10_000 {
            behind.put(&mut line(number), 1).unwrap();
        }
        door.open();
        let since = Instant::now();
        while behind.check().is_ok() {
            assert!(since.elapsed() < Duration::from_secs(60));
            thread::sleep(Duration::from_millis(1));
        }
        assert!(behind.due().is_some(), "whoever has not asked yet is to ask");
        let out = super::lines(&door.bytes());
        assert_eq!(out + behind.resting(), 10_000, "{room}");
        let mut bytes = line(1);
        for error in [behind.put(&mut bytes, 1), behind.flush(), behind.check()] {
            assert_eq!(error.unwrap_err().to_string(), "No space left on device (os error 28)");
        }
        assert_eq!(bytes, line(1), "stays with who brought it");
        assert_eq!(out + behind.resting(), 10_000, "{room}");
    }
}

/// Who is dropped has written all.
#[test]
fn nothing_is_left_behind() {
    let door = Door::closed(1 << 20);
    door.open();
    let mut behind = WriteBehind::new(Box::new(door.clone()));
    for number in 0..1000 {
        behind.put(&mut line(number), 1).unwrap();
    }
    drop(behind);
    assert_eq!(super::lines(&door.bytes()), 1000);
}
