//! The committed corpus: few inputs that together reach most of what all reach.
//!
//! libFuzzer's own merge keeps every input that reaches anything new, which is hundreds
//! of files. So its notes are read (what each input reaches), and those inputs are
//! taken that add most for their size, until there are enough.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use super::target::Target;

/// Most files of a target's corpus, and most bytes in all.
const FILES_MAX: usize = 30;
const BYTES_MAX: u64 = 48 * 1024;

/// An input, and what it reaches.
struct Input {
    path: PathBuf,
    bytes: u64,
    features: Vec<u64>,
}

/// Puts the best of both corpora of a target into the committed one.
pub(super) fn keep(target: &Target<'_>) -> Result<usize> {
    let folder = tempfile::tempdir().context("cannot create a folder")?;
    let (notes, merged) = (folder.path().join("notes"), folder.path().join("merged"));
    fs::create_dir(&merged).context("cannot create a folder")?;
    let output = target
        .command()
        .arg("-set_cover_merge=1")
        .arg(format!("-merge_control_file={}", notes.display()))
        .args([&merged, &target.corpus, &target.seeds])
        .output()
        .context("cannot start the target")?;
    if !output.status.success() {
        bail!("{}: the corpus cannot be merged: {}", target.name, output.status);
    }
    let notes = fs::read_to_string(&notes).context("libFuzzer left no notes")?;
    let chosen = chosen(inputs(&notes)?);
    let read = |input: &Input| -> Result<(Option<PathBuf>, Vec<u8>)> {
        let name = input.path.file_name().map(PathBuf::from);
        let cannot = || format!("cannot read {}", input.path.display());
        Ok((name, fs::read(&input.path).with_context(cannot)?))
    };
    // All of it is read before anything goes: seeds are among what is chosen.
    let contents = chosen.iter().map(read).collect::<Result<Vec<_>>>()?;
    replace(&target.seeds, &contents)?;
    Ok(contents.len())
}

fn replace(folder: &Path, contents: &[(Option<PathBuf>, Vec<u8>)]) -> Result<()> {
    let cannot = || format!("cannot write {}", folder.display());
    fs::remove_dir_all(folder).with_context(cannot)?;
    fs::create_dir_all(folder).with_context(cannot)?;
    for (name, bytes) in contents {
        if let Some(name) = name {
            fs::write(folder.join(name), bytes).with_context(cannot)?;
        }
    }
    Ok(())
}

/// Reads libFuzzer's notes: how many files, how many of them were there first, their
/// paths, and lines `FT <number> <feature>…`.
fn inputs(notes: &str) -> Result<Vec<Input>> {
    let mut lines = notes.lines();
    let count: usize = lines
        .next()
        .and_then(|line| line.parse().ok())
        .context("libFuzzer's notes do not begin with a number")?;
    let paths = lines.by_ref().skip(1).take(count);
    let mut inputs: Vec<_> = paths
        .map(|path| Input {
            path: path.into(),
            bytes: fs::metadata(path).map_or(0, |meta| meta.len()),
            features: Vec::new(),
        })
        .collect();
    for line in lines {
        let Some(numbers) = line.strip_prefix("FT ") else { continue };
        let mut numbers = numbers.split_whitespace().map_while(|number| number.parse().ok());
        let input = numbers.next().and_then(|number: u64| usize::try_from(number).ok());
        if let Some(input) = input.and_then(|number| inputs.get_mut(number)) {
            input.features = numbers.collect();
        }
    }
    Ok(inputs)
}

/// One after the other, the input that adds most of what none before it has.
fn chosen(mut inputs: Vec<Input>) -> Vec<Input> {
    let mut reached: HashSet<u64> = HashSet::new();
    let (mut chosen, mut bytes) = (Vec::new(), 0);
    while chosen.len() < FILES_MAX {
        let adds = |input: &Input| {
            input.features.iter().filter(|&feature| !reached.contains(feature)).count()
        };
        inputs.retain(|input| bytes + input.bytes <= BYTES_MAX && adds(input) > 0);
        // Of two that add as much, the smaller one.
        let best = inputs
            .iter()
            .enumerate()
            .max_by_key(|(_, input)| (adds(input), std::cmp::Reverse(input.bytes)));
        let Some((best, _)) = best else { break };
        let input = inputs.swap_remove(best);
        reached.extend(&input.features);
        bytes += input.bytes;
        chosen.push(input);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::{Input, chosen, inputs};

    #[test]
    fn the_notes_of_libfuzzer() {
        let notes = "2\n0\n/a\n/b\nSTARTED 0 3\nFT 0 5 6\nCOV 0 1\nSTARTED 1 3\nFT 1 7\nCOV 1\n";
        let inputs = inputs(notes).unwrap();
        let features: Vec<_> = inputs.iter().map(|input| &input.features[..]).collect();
        assert_eq!(features, [&[5, 6][..], &[7]]);
        assert!(super::inputs("").is_err());
    }

    #[test]
    fn what_adds_most_comes_first_and_what_adds_nothing_not_at_all() {
        let input = |name: &str, bytes, features: &[u64]| Input {
            path: name.into(),
            bytes,
            features: features.to_vec(),
        };
        let chosen = chosen(vec![
            input("small", 1, &[1, 2]),
            input("most", 9, &[1, 2, 3, 4]),
            input("same", 2, &[5]),
            input("other", 1, &[5]),
            input("huge", 1 << 20, &[6, 7]),
        ]);
        let names: Vec<_> = chosen.iter().map(|input| input.path.to_str().unwrap()).collect();
        assert_eq!(names, ["most", "other"]);
    }
}
