//! How long an event takes through user space, step by step: `cargo bench -p
//! exectrail-sinks`.

#![expect(missing_docs, reason = "criterion's own functions")]

mod way;

use criterion::{Criterion, criterion_group, criterion_main};
use way::{Step, Way};

fn steps(criterion: &mut Criterion) {
    for (name, step) in Step::NAMED {
        let mut way = Way::new(step);
        way.go();
        assert_eq!(way.events(), 1, "{name}: the event comes through");
        criterion.bench_function(name, |bencher| bencher.iter(|| way.go()));
    }
}

criterion_group!(hot_path, steps);
criterion_main!(hot_path);
