//! All that is known of an event.

use exectrail_model::{
    event::Event,
    fields::{FIELDS, Field},
};
use exectrail_sinks::{Cells, command_line};

use crate::{
    look::{Look, Seen},
    pane::{Line, Lines},
    store::Store,
};

/// Cells for the names of fields.
const NAMES: usize = 18;

/// The lines that tell of the event of this number, and their title.
pub(crate) fn lines(
    store: &Store,
    look: &mut Look,
    number: u64,
    width: usize,
) -> Option<(String, Vec<Line>)> {
    look.at(store, number, |cells, (event, end): Seen<'_, '_>| {
        let mut lines = Lines::new(width);
        if let Some(command) = command_line(event) {
            lines.title("command, as a shell takes it");
            lines.named("", 2, &command);
            lines.title("arguments");
            let mut index = 0_usize;
            Cells::arguments(event, |word| {
                lines.named(&format!("{index:>5}"), 7, word);
                index += 1;
            });
        }
        lines.title("fields");
        fields(cells, event, |_| true, &mut lines);
        if let Some(end) = end {
            lines.title("its end");
            let kind = event.kind();
            // What the exec has told already is not told again.
            fields(cells, end, |field| !field.events.contains(kind), &mut lines);
        }
        (event.kind().name().to_owned(), lines.into_lines())
    })
}

fn fields(
    cells: &mut Cells,
    event: &Event<'_>,
    is_told: impl Fn(&Field) -> bool,
    lines: &mut Lines,
) {
    let of_kind = FIELDS.iter().filter(|field| field.events.contains(event.kind()));
    let mut text = String::new();
    for field in of_kind.filter(|field| is_told(field)) {
        text.clear();
        cells.field(field, event, &mut text);
        lines.named(field.name, NAMES, &text);
    }
}
