//! `--fields`: which fields, in which order.

use std::{error::Error, fmt};

use exectrail_model::{
    fields::{FIELDS, Field},
    nearest::nearest,
};

/// Why a list of fields was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelectError {
    /// There is no such field.
    Unknown {
        /// What was asked for.
        name: String,
        /// What was probably meant.
        nearest: Option<&'static str>,
    },
    /// This one is in the list twice.
    Twice(&'static str),
    /// There is nothing between two commas, or nothing at all.
    Empty,
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, nearest } => {
                write!(f, "no field is named '{}'", name.escape_debug())?;
                if let Some(nearest) = nearest {
                    write!(f, "; did you mean '{nearest}'?")?;
                }
                f.write_str(" ('exectrail fields' lists them all)")
            }
            Self::Twice(name) => write!(f, "the field '{name}' is in the list twice"),
            Self::Empty => f.write_str("the list of fields has an empty item"),
        }
    }
}

impl Error for SelectError {}

/// The fields that a list separated by commas names, in its order.
///
/// # Errors
///
/// When an item is empty, unknown or there twice.
pub fn select(list: &str) -> Result<Vec<&'static Field>, SelectError> {
    let mut selected: Vec<&'static Field> = Vec::new();
    for name in list.split(',').map(str::trim) {
        let field = named(name)?;
        if selected.iter().any(|other| other.name == field.name) {
            return Err(SelectError::Twice(field.name));
        }
        selected.push(field);
    }
    Ok(selected)
}

fn named(name: &str) -> Result<&'static Field, SelectError> {
    if name.is_empty() {
        return Err(SelectError::Empty);
    }
    Field::named(name).ok_or_else(|| SelectError::Unknown {
        name: name.to_owned(),
        nearest: nearest(name, FIELDS.iter().map(|field| field.name)),
    })
}

#[cfg(test)]
mod tests {
    use super::{SelectError, select};

    #[test]
    fn the_order_is_the_users() {
        let names = |list| select(list).unwrap().iter().map(|field| field.name).collect::<Vec<_>>();
        assert_eq!(names("pid"), ["pid"]);
        assert_eq!(names("exe, pid ,time"), ["exe", "pid", "time"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (list, words) in [
            ("", "the list of fields has an empty item"),
            ("pid,,exe", "the list of fields has an empty item"),
            ("pid,", "the list of fields has an empty item"),
            ("pid,exe,pid", "the field 'pid' is in the list twice"),
            (
                "pdi",
                "no field is named 'pdi'; did you mean 'pid'? ('exectrail fields' lists them all)",
            ),
            (
                "time,Filname",
                "no field is named 'Filname'; did you mean 'filename'? \
                 ('exectrail fields' lists them all)",
            ),
            (
                "colour of\u{1b}it",
                "no field is named 'colour of\\u{1b}it' ('exectrail fields' lists them all)",
            ),
        ] {
            assert_eq!(select(list).unwrap_err().to_string(), words, "{list}");
        }
        assert_eq!(select(",").unwrap_err(), SelectError::Empty);
    }
}
