//! The list of events.

use exectrail_model::{event::Body, value::Align};
use exectrail_sinks::{Heading, lost_words};
use ratatui_core::style::Style;
use unicode_width::UnicodeWidthStr;

use super::{CHOSEN, Canvas, FOUND, Styled, TITLE, WARNING};
use crate::{
    look::{Look, Seen},
    search::Search,
    state::State,
    view::Entry,
};

/// Cells that the column with the rest of the line has, before others go.
const REST: u16 = 40;

/// Cells of a column that would take what there is, where it is not the last one.
const FREE: u16 = 24;

/// Of a narrow list, a fifth of its columns at most is left empty for a tree.
const COLUMNS_A_STEP: u16 = 10;

/// A column that has room.
#[derive(Clone, Copy, Debug)]
struct Place {
    column: usize,
    x: u16,
    width: u16,
    heading: Heading,
}

/// Those that are seen, from the left, in a terminal of this width.
pub(crate) fn columns(look: &Look, width: u16) -> Vec<usize> {
    let seen = places(&look.headings, width).into_iter().filter(|place| place.width > 0);
    seen.map(|place| place.column).collect()
}

/// Columns from the left, as many as have room.
fn places(headings: &[Heading], width: u16) -> Vec<Place> {
    let mut shown: Vec<usize> = (0..headings.len()).collect();
    let yields = |column: usize| headings.get(column).map_or(0, |heading| heading.yields);
    loop {
        let places = laid_out(headings, &shown, width);
        let rest = places.last().map_or(0, |place| place.width);
        let least = shown.iter().copied().filter(|&column| yields(column) > 0);
        match least.max_by_key(|&column| yields(column)) {
            Some(first) if rest < REST => shown.retain(|&column| column != first),
            _ => return places,
        }
    }
}

fn laid_out(headings: &[Heading], shown: &[usize], width: u16) -> Vec<Place> {
    let mut x: u16 = 0;
    let mut places = Vec::new();
    for (index, &column) in shown.iter().enumerate() {
        let Some(&heading) = headings.get(column) else { continue };
        let title = u16::try_from(heading.title.len()).unwrap_or(0);
        let (gap, least) = match heading.align {
            Align::Right(least) => (1, least),
            Align::Left(0) => (2, FREE.into()),
            Align::Left(least) => (2, least),
        };
        x += if index == 0 { 0 } else { gap };
        let is_last = index + 1 == shown.len();
        let left = width.saturating_sub(x);
        let wanted = u16::try_from(least).unwrap_or(u16::MAX).max(title);
        let own = if is_last { left } else { wanted.min(left) };
        places.push(Place { column, x, width: own, heading });
        x = x.saturating_add(own);
    }
    places
}

/// What stands above the columns.
pub(super) fn titles(canvas: &mut Canvas<'_>, look: &Look, (y, lines): (u16, u16)) {
    if lines == 0 {
        return;
    }
    for place in places(&look.headings, canvas.width) {
        let title = Styled::of(place.heading.title);
        put(canvas, &place, y, (&title, TITLE), None);
    }
}

/// The lines that are seen.
pub(super) fn lines(
    canvas: &mut Canvas<'_>,
    state: &State,
    look: &mut Look,
    (from, lines): (u16, u16),
) {
    let places = places(&look.headings, canvas.width);
    for (line, y) in (state.cursor.top..).zip(from..from + lines) {
        let Some(entry) = state.view.get(line) else { return };
        self::line(canvas, (state, look), &places, entry, y);
        if line == state.cursor.at {
            canvas.mark(y, CHOSEN);
        }
    }
}

fn line(
    canvas: &mut Canvas<'_>,
    (state, look): (&State, &mut Look),
    places: &[Place],
    entry: &Entry,
    y: u16,
) {
    let search = state.search.as_ref();
    let most = canvas.width / COLUMNS_A_STEP;
    let indent = usize::from(2 * u16::from(entry.depth).min(most));
    look.at(&state.store, entry.number, |cells, seen: Seen<'_, '_>| {
        if let Body::Lost(lost) = &seen.0.body {
            canvas.put(0, y, &lost_words(lost), WARNING);
            return;
        }
        let mut cell = String::new();
        for place in places {
            cell.clear();
            let style = cells.write(place.column, seen, &mut cell);
            if place.heading.is_tree {
                cell.insert_str(0, &" ".repeat(indent));
            }
            put(canvas, place, y, (&Styled::of(&cell), style.into()), search);
        }
    });
}

/// Puts a cell into its place. Where there is too little room, `…` says so.
fn put(
    canvas: &mut Canvas<'_>,
    place: &Place,
    y: u16,
    (cell, style): (&Styled, Style),
    search: Option<&Search>,
) {
    if place.width == 0 {
        return;
    }
    let width = usize::from(place.width);
    let (kept, is_cut) = cell.fit(width, place.heading.is_path);
    let mut x = place.x;
    if let Align::Right(_) = place.heading.align {
        let used = cell.text.get(kept.clone()).unwrap_or("").width() + usize::from(is_cut);
        x += u16::try_from(width.saturating_sub(used)).unwrap_or(0);
    }
    if is_cut && place.heading.is_path {
        x = canvas.put(x, y, "…", style);
    }
    let begins = x;
    for (piece, own) in cell.pieces(kept.clone()) {
        x = canvas.put(x, y, piece, style.patch(own));
    }
    if is_cut && !place.heading.is_path {
        canvas.put(x, y, "…", style);
    }
    let Some(search) = search else { return };
    for (from, until) in search.places(&cell.text) {
        let (from, until) = (from.max(kept.start), until.min(kept.end));
        let Some(found) = cell.text.get(from..until).filter(|found| !found.is_empty()) else {
            continue;
        };
        let before = cell.text.get(kept.start..from).unwrap_or("").width();
        canvas.put(begins + u16::try_from(before).unwrap_or(0), y, found, FOUND);
    }
}

#[cfg(test)]
mod tests {
    use exectrail_model::fields::Field;
    use exectrail_sinks::Cells;

    use super::places;

    fn shown(width: u16, fields: Option<&[&'static Field]>) -> Vec<&'static str> {
        let headings: Vec<_> = Cells::new(fields, None).headings().collect();
        let places = places(&headings, width);
        assert!(places.iter().all(|place| place.x + place.width <= width.max(place.x)));
        places.iter().filter(|place| place.width > 0).map(|place| place.heading.title).collect()
    }

    #[test]
    fn columns_go_where_there_is_no_room() {
        let all = ["time", "pid", "ppid", "uid", "result", "took", "exe", "program"];
        assert_eq!(shown(200, None), all);
        assert_eq!(shown(120, None), ["time", "pid", "ppid", "uid", "result", "took", "program"]);
        assert_eq!(shown(80, None), ["time", "pid", "result", "program"]);
        assert_eq!(shown(60, None), ["pid", "result", "program"]);
        assert_eq!(shown(20, None), ["program"]);
        assert_eq!(shown(0, None), [""; 0]);
    }

    #[test]
    fn what_was_asked_for_stays() {
        let fields = ["pid", "cwd", "args", "exe"].map(|name| Field::named(name).unwrap());
        assert_eq!(shown(200, Some(&fields)), ["pid", "cwd", "args", "exe"]);
        assert_eq!(shown(30, Some(&fields)), ["pid", "cwd"]);
        for width in 0..200 {
            shown(width, Some(&fields));
            shown(width, None);
        }
    }
}
