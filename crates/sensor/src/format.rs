//! Where a tracepoint's record keeps its fields, read from its format file.
//!
//! Each tracepoint describes its record in `events/<system>/<name>/format` of
//! tracefs (`Documentation/trace/events.rst`). The layout is no promise: fields
//! were added in the middle before, and distributions add common ones of their
//! own at the front, which moves all others (Red Hat's `preempt_lazy_count`). So
//! nothing is read at an offset known beforehand, and a field that is not of the
//! expected kind is refused: a tracer that reads the wrong one tells lies.

use std::fmt;

/// Size of a system call's argument or result in a record: a register, whatever
/// its C type (`syscall_enter_define_fields`, `kernel/trace/trace_syscalls.c`).
const REGISTER_SIZE: u32 = 8;

/// Why a tracepoint's record cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormatError {
    /// The file lacks a line that every format file has.
    #[error("tracepoint format has no valid line \"{key}:\"")]
    NoLine {
        /// What the line begins with.
        key: &'static str,
    },
    /// A line about a field that cannot be understood.
    #[error("tracepoint {tracepoint}: line {line} of its format is not a field: {text:?}")]
    BadField {
        /// The tracepoint.
        tracepoint: String,
        /// The line, counted from one.
        line: usize,
        /// What it says.
        text: String,
    },
    /// The record has no such field.
    #[error("tracepoint {tracepoint} has no field {field}")]
    NoField {
        /// The tracepoint.
        tracepoint: String,
        /// The field.
        field: String,
    },
    /// The record has a field of that name, but of another kind.
    #[error("tracepoint {tracepoint}: field {field} is {found}, not {expected}")]
    OtherField {
        /// The tracepoint.
        tracepoint: String,
        /// The field.
        field: String,
        /// What it is.
        found: Field,
        /// What it was expected to be.
        expected: Expected,
    },
}

/// A field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// Distance in bytes from the start of the record.
    pub(crate) offset: u32,
    /// Size in bytes.
    pub(crate) size: u32,
    /// Whether it is a signed number.
    pub(crate) signed: bool,
    /// Whether it is a `__data_loc`: not the data, but where in the record they
    /// are (lower 16 bits) and how many bytes (upper 16).
    pub(crate) data_loc: bool,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, size, signed, data_loc } = self;
        let sign = if *signed { "signed" } else { "unsigned" };
        let place = if *data_loc { " data location" } else { "" };
        write!(f, "{size} bytes, {sign}{place}, at offset {offset}")
    }
}

/// The kinds of field that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// An argument of a system call.
    Argument,
    /// The result of a system call.
    Result,
    /// A process id.
    Pid,
    /// A string somewhere in the record.
    Text,
}

impl Expected {
    /// Whether `field` is of this kind. The kernel refuses programs that read
    /// a number across its alignment, so one that lies there is refused here.
    fn accepts(self, field: Field) -> bool {
        let Field { offset, size, signed, data_loc } = field;
        let shape = match self {
            // All arguments are said to be unsigned, so the sign tells nothing.
            Self::Argument => !data_loc && size == REGISTER_SIZE,
            Self::Result => !data_loc && size == REGISTER_SIZE && signed,
            Self::Pid => !data_loc && size == 4 && signed,
            // The sign is that of the data, and `char` has one or not by machine.
            Self::Text => data_loc && size == 4,
        };
        shape && offset.is_multiple_of(size)
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Argument => "an aligned system call argument of 8 bytes",
            Self::Result => "an aligned signed result of 8 bytes",
            Self::Pid => "an aligned signed process id of 4 bytes",
            Self::Text => "an aligned data location of 4 bytes",
        })
    }
}

/// What a tracepoint's format file says.
#[derive(Clone, Debug)]
pub(crate) struct TracepointFormat<'a> {
    /// The tracepoint's name.
    pub(crate) name: &'a str,
    /// Its number in the running kernel.
    pub(crate) id: u64,
    fields: Vec<(&'a str, Field)>,
}

impl<'a> TracepointFormat<'a> {
    /// Reads a format file's text.
    ///
    /// # Errors
    ///
    /// When the name or the id is missing, or a field cannot be understood.
    pub(crate) fn parse(text: &'a str) -> Result<Self, FormatError> {
        let name = header_line(text, "name").ok_or(FormatError::NoLine { key: "name" })?;
        let id = header_line(text, "ID")
            .and_then(|id| id.parse().ok())
            .ok_or(FormatError::NoLine { key: "ID" })?;
        let mut fields = Vec::new();
        for (index, line) in record_lines(text) {
            if let Some(description) = line.strip_prefix("field:") {
                fields.push(parse_field(description).ok_or_else(|| FormatError::BadField {
                    tracepoint: name.to_owned(),
                    line: index + 1,
                    text: line.to_owned(),
                })?);
            }
        }
        Ok(Self { name, id, fields })
    }

    /// The field called `name`.
    pub(crate) fn field(&self, name: &str) -> Option<Field> {
        self.fields.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
    }

    /// Offset of the field called `name`.
    ///
    /// # Errors
    ///
    /// When there is none, or it is not as expected.
    pub(crate) fn offset_of(&self, name: &str, expected: Expected) -> Result<u32, FormatError> {
        let found = self.field(name).ok_or_else(|| FormatError::NoField {
            tracepoint: self.name.to_owned(),
            field: name.to_owned(),
        })?;
        if !expected.accepts(found) {
            return Err(FormatError::OtherField {
                tracepoint: self.name.to_owned(),
                field: name.to_owned(),
                found,
                expected,
            });
        }
        Ok(found.offset)
    }
}

/// The lines that may describe fields, numbered from zero. What follows the
/// print format is free text.
fn record_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().map(str::trim).enumerate().take_while(|(_, line)| !line.starts_with("print fmt:"))
}

/// What stands behind `key:` on a line of its own.
fn header_line<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    record_lines(text)
        .find_map(|(_, line)| line.strip_prefix(key)?.strip_prefix(':'))
        .map(str::trim)
        .filter(|value| !value.is_empty())
}

/// Reads what stands behind `field:`, such as
/// `const char * filename; offset:16; size:8; signed:0;` with tabs between.
fn parse_field(description: &str) -> Option<(&str, Field)> {
    let (declaration, properties) = description.split_once(';')?;
    // Properties that are not known are left alone: later kernels may add some.
    let property = |key: &str| {
        properties
            .split(';')
            .find_map(|property| property.trim().strip_prefix(key)?.strip_prefix(':'))
    };
    let field = Field {
        offset: property("offset")?.parse().ok()?,
        size: property("size")?.parse().ok()?,
        signed: match property("signed")? {
            "0" => false,
            "1" => true,
            _ => return None,
        },
        data_loc: declaration.split_whitespace().next() == Some("__data_loc"),
    };
    Some((declared_name(declaration)?, field))
}

/// The name in a C declaration: the last word, without stars before it and
/// without the length of an array behind it (which may be a whole expression).
fn declared_name(declaration: &str) -> Option<&str> {
    let declaration = declaration.trim();
    let declaration = match declaration.strip_suffix(']') {
        Some(array) => array.split_once('[')?.0.trim_end(),
        None => declaration,
    };
    let name = declaration.rsplit([' ', '\t', '*']).next()?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMON: &str = "\
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;
";

    fn file(name: &str, fields: &str) -> String {
        format!(
            "name: {name}\nID: 861\nformat:\n{COMMON}\n{fields}\n\nprint fmt: \"field:bad ID: 1\", REC->x\n"
        )
    }

    fn exec() -> String {
        file(
            "sched_process_exec",
            "\tfield:__data_loc char[] filename;\toffset:8;\tsize:4;\tsigned:1;
\tfield:pid_t pid;\toffset:12;\tsize:4;\tsigned:1;
\tfield:pid_t old_pid;\toffset:16;\tsize:4;\tsigned:1;",
        )
    }

    fn error(text: &str, field: &str, expected: Expected) -> String {
        let format = TracepointFormat::parse(text).unwrap();
        format.offset_of(field, expected).unwrap_err().to_string()
    }

    #[test]
    fn a_tracepoint_with_a_data_location() {
        let text = exec();
        let format = TracepointFormat::parse(&text).unwrap();
        assert_eq!((format.name, format.id), ("sched_process_exec", 861));
        let filename = Field { offset: 8, size: 4, signed: true, data_loc: true };
        assert_eq!(format.field("filename"), Some(filename));
        assert_eq!(format.offset_of("filename", Expected::Text), Ok(8));
        assert_eq!(format.offset_of("old_pid", Expected::Pid), Ok(16));
        assert_eq!(format.field("common_pid").map(|field| field.offset), Some(4));
        assert_eq!(format.field("fmt"), None);
    }

    #[test]
    fn system_calls() {
        let text = file(
            "sys_enter_execveat",
            "\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;
\tfield:int fd;\toffset:16;\tsize:8;\tsigned:0;
\tfield:const char * filename;\toffset:24;\tsize:8;\tsigned:0;
\tfield:const char *const * argv;\toffset:32;\tsize:8;\tsigned:0;
\tfield:const char *const *envp;\toffset:40;\tsize:8;\tsigned:0;
\tfield:int flags;\toffset:48;\tsize:8;\tsigned:0;
\tfield:__data_loc char[] __filename_val;\toffset:56;\tsize:4;\tsigned:0;",
        );
        let format = TracepointFormat::parse(&text).unwrap();
        for (name, offset) in [("filename", 24), ("argv", 32), ("envp", 40), ("flags", 48)] {
            assert_eq!(format.offset_of(name, Expected::Argument), Ok(offset), "{name}");
        }
        let text = file("sys_exit_execve", "\tfield:long ret;\toffset:16;\tsize:8;\tsigned:1;");
        let format = TracepointFormat::parse(&text).unwrap();
        assert_eq!(format.offset_of("ret", Expected::Result), Ok(16));
    }

    #[test]
    fn a_common_field_more_moves_all_others() {
        let lazy = "\
\tfield:unsigned char common_preempt_lazy_count;\toffset:8;\tsize:1;\tsigned:0;

\tfield:__data_loc char[] filename;\toffset:12;\tsize:4;\tsigned:1;
\tfield:pid_t old_pid;\toffset:20;\tsize:4;\tsigned:1;
\tfield:long ret;\toffset:24;\tsize:8;\tsigned:1;";
        let text = file("sched_process_exec", lazy);
        let format = TracepointFormat::parse(&text).unwrap();
        assert_eq!(format.offset_of("filename", Expected::Text), Ok(12));
        assert_eq!(format.offset_of("old_pid", Expected::Pid), Ok(20));
        assert_eq!(format.offset_of("ret", Expected::Result), Ok(24));
    }

    #[test]
    fn declarations() {
        for (declaration, name) in [
            ("char comm[16]", Some("comm")),
            ("__u8 saddr[sizeof(struct sockaddr_in6)]", Some("saddr")),
            ("__data_loc char[] filename", Some("filename")),
            ("unsigned long\tx", Some("x")),
            ("const char *const *argv", Some("argv")),
            ("void *", None),
            ("[4]", None),
            ("", None),
        ] {
            assert_eq!(declared_name(declaration), name, "{declaration}");
        }
    }

    #[test]
    fn fields_that_are_not_as_expected() {
        assert_eq!(
            error(&exec(), "flags", Expected::Argument),
            "tracepoint sched_process_exec has no field flags"
        );
        assert_eq!(
            error(&exec(), "old_pid", Expected::Result),
            "tracepoint sched_process_exec: field old_pid is 4 bytes, signed, at offset 16, \
             not an aligned signed result of 8 bytes"
        );
        assert_eq!(
            error(&exec(), "filename", Expected::Pid),
            "tracepoint sched_process_exec: field filename is 4 bytes, signed data location, \
             at offset 8, not an aligned signed process id of 4 bytes"
        );
        for (field, expected) in [
            ("const char * x;\toffset:16;\tsize:4;\tsigned:0;", Expected::Argument),
            ("const char * x;\toffset:20;\tsize:8;\tsigned:0;", Expected::Argument),
            ("unsigned long x;\toffset:16;\tsize:8;\tsigned:0;", Expected::Result),
            ("u32 x;\toffset:16;\tsize:4;\tsigned:0;", Expected::Pid),
            ("char * x;\toffset:16;\tsize:4;\tsigned:0;", Expected::Text),
            ("__rel_loc char[] x;\toffset:16;\tsize:4;\tsigned:0;", Expected::Text),
            ("__data_loc char[] x;\toffset:16;\tsize:8;\tsigned:0;", Expected::Text),
            ("x;\toffset:0;\tsize:0;\tsigned:0;", Expected::Text),
        ] {
            let text = file("fake", &format!("\tfield:{field}"));
            assert!(error(&text, "x", expected).contains("field x is"), "{field}");
        }
    }

    #[test]
    fn files_that_are_not_formats() {
        let parse = |text: &str| TracepointFormat::parse(text).map(|_| ()).unwrap_err();
        assert_eq!(parse(""), FormatError::NoLine { key: "name" });
        assert_eq!(parse("name: x\n"), FormatError::NoLine { key: "ID" });
        assert_eq!(parse("name: x\nID: -1\n"), FormatError::NoLine { key: "ID" });
        for line in [
            "field:",
            "field:int x",
            "field:int x;\toffset:8;\tsize:4;",
            "field:int x;\toffset:-8;\tsize:4;\tsigned:1;",
            "field:int x;\toffset:8;\tsize:4;\tsigned:2;",
            "field:int x;\toffset:8;\tsize:99999999999;\tsigned:1;",
            "field:;\toffset:8;\tsize:4;\tsigned:1;",
        ] {
            let FormatError::BadField { tracepoint, line: number, text } =
                parse(&file("x", &format!("\t{line}")))
            else {
                panic!("{line}: another error");
            };
            assert_eq!((tracepoint.as_str(), number, text.as_str()), ("x", 9, line));
        }
    }

    #[test]
    fn unknown_properties_are_left_alone() {
        let field = "\tfield:long ret;\toffset:16;\tsize:8;\tsigned:1;\tlen:4;";
        let text = file("x", field);
        let format = TracepointFormat::parse(&text).unwrap();
        assert_eq!(format.offset_of("ret", Expected::Result), Ok(16));
    }
}
