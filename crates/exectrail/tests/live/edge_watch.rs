//! Two traces for all edge cases: a kernel takes long to check programs where it is
//! emulated, and every test would have it done again.

use std::{
    fs,
    io::{self, BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::{
        Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::support::{Outcome, Trace};

/// Where all places of edge cases lie. It comes with the first, and goes with the last.
static PLACES: LazyLock<PathBuf> = LazyLock::new(|| {
    let temporary = std::env::temp_dir().canonicalize().unwrap();
    temporary.join(format!("exectrail-edges-{}", std::process::id()))
});

/// What lies below these places.
static BELOW: LazyLock<Shared> =
    LazyLock::new(|| Shared::start(&["--only", &format!("{}/**", PLACES.display())]));
/// Everything: for what has no name that a rule could find.
static ALL: LazyLock<Shared> = LazyLock::new(|| Shared::start(&[]));

/// A trace of many watches. It ends by itself when nobody reads it any more.
struct Shared(Arc<(Mutex<Shown>, Condvar)>);

/// What it has shown since there are watches.
#[derive(Default)]
struct Shown {
    lines: Vec<String>,
    watches: usize,
}

impl Shared {
    fn start(more: &[&str]) -> Self {
        let common = ["--failed", "--no-fold", "--exit", "--buffer", "16M"];
        let out = Trace::start_unread(&[&common, more].concat());
        let shared = Arc::new((Mutex::new(Shown::default()), Condvar::new()));
        let (shown, more) = (shared.clone(), shared.clone());
        thread::spawn(move || {
            for line in BufReader::new(out).lines() {
                let mut shown = shown.0.lock().unwrap_or_else(PoisonError::into_inner);
                if shown.watches > 0 {
                    shown.lines.push(line.unwrap());
                    more.1.notify_all();
                }
            }
        });
        Self(shared)
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        // Another test may have failed while it looked.
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A directory of a test's own among these.
pub(crate) fn directory() -> tempfile::TempDir {
    loop {
        fs::create_dir_all(&*PLACES).unwrap();
        match tempfile::Builder::new().prefix("place-").tempdir_in(&*PLACES) {
            // Another test's was the last one just then.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            made => break made.unwrap(),
        }
        fs::set_permissions(&*PLACES, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// Removes what all have in common, if this was the last one.
pub(crate) fn left() {
    let _ = fs::remove_dir(&*PLACES);
}

/// What is traced from now on, below a place or everywhere.
pub(crate) struct Watch<'p> {
    shared: &'static Shared,
    place: Option<&'p Path>,
    from: usize,
}

impl<'p> Watch<'p> {
    pub(crate) fn below(place: &'p Path) -> Self {
        assert!(place.starts_with(&*PLACES));
        Self::start(&BELOW, Some(place))
    }

    pub(crate) fn all() -> Self {
        Self::start(&ALL, None)
    }

    fn start(shared: &'static Shared, place: Option<&'p Path>) -> Self {
        let mut shown = shared.shown();
        shown.watches += 1;
        Self { shared, place, from: shown.lines.len() }
    }

    /// All until now: a program that is not there tells when everything before it has
    /// been shown. There is no summary; the trace goes on.
    pub(crate) fn stop(self) -> Outcome {
        let began = Instant::now();
        let shown = loop {
            let shown = self.shown_until_now();
            if let Some(shown) = shown {
                break shown;
            }
            // A failed exec can go unseen: before 7.2 while a bpf(2) map operation that was
            // interrupted stands on its CPU (`trace_call_bpf`, kernel/trace/bpf_trace.c),
            // and a trace that starts does many.
            assert!(began.elapsed() < Duration::from_secs(60), "the trace shows what there was");
        };
        let is_end = |line: &str| line.contains(&format!("{}/over-", PLACES.display()));
        let place = self.place.map_or("", |place| place.to_str().unwrap());
        let lines = &shown.lines[self.from..];
        let ours = lines.iter().filter(|line| line.contains(place) && !is_end(line));
        let events = ours.map(|line| serde_json::from_str(line).expect("a JSON object")).collect();
        drop(shown);
        Outcome { events, stderr: String::new(), status: ExitStatus::default() }
    }
}

impl Watch<'_> {
    /// Runs a program that is not there, and waits until that is shown.
    fn shown_until_now(&self) -> Option<MutexGuard<'static, Shown>> {
        static STOPS: AtomicUsize = AtomicUsize::new(0);
        let number = STOPS.fetch_add(1, Ordering::Relaxed);
        let last = PLACES.join(format!("over-{number}"));
        assert!(Command::new(&last).spawn().is_err());
        let (last, patience) = (format!("{}\"", last.display()), Duration::from_secs(10));
        let goes_on =
            |shown: &mut Shown| !shown.lines[self.from..].iter().any(|line| line.contains(&last));
        let (more, shown) = (&self.shared.0.1, self.shared.shown());
        let (shown, out) = more
            .wait_timeout_while(shown, patience, goes_on)
            .unwrap_or_else(PoisonError::into_inner);
        (!out.timed_out()).then_some(shown)
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let mut shown = self.shared.shown();
        shown.watches -= 1;
        if shown.watches == 0 {
            shown.lines.clear();
        }
    }
}
