//! Recordings in memory: what goes in comes out, whatever happens to the bytes between.

mod damage;
mod samples;

use samples::{all, dumped, recorded, replayed};

use crate::{Description, Reader, Step, VERSION};

#[test]
fn every_event_comes_back_as_it_was() {
    let bytes = recorded(&all(), true);
    let replayed = replayed(&bytes);
    assert_eq!(replayed.events, dumped(&all()));
    assert!(replayed.end.is_whole && replayed.damages.is_empty());
}

#[test]
fn the_description_comes_back() {
    let bytes = recorded(&all(), true);
    let mut reader = Reader::open(&*bytes).unwrap();
    let Step::Description(description) = reader.step().unwrap() else { panic!() };
    assert_eq!(*description, samples::description());
    assert_ne!(*description, Description::default());
}

#[test]
fn many_frames_and_long_events() {
    let long = vec![b'x'; 3 << 20];
    let events: Vec<_> = (0..3000).map(|number| samples::numbered(number, &long)).collect();
    let bytes = recorded(&events, true);
    assert!(bytes.len() < 1 << 20, "{}", bytes.len());
    let replayed = replayed(&bytes);
    assert_eq!(replayed.events.len(), 3000);
    assert_eq!(replayed.events, dumped(&events));
}

#[test]
fn what_is_no_recording_of_this_version_is_refused() {
    let error = |bytes: &[u8]| Reader::open(bytes).unwrap_err().to_string();
    assert!(error(b"{\"v\":1}\n, and more of it").contains("no recording"));
    assert!(error(b"x").contains("no recording"));
    let mut head = recorded(&all(), true)[..16].to_vec();
    head[8] += 1;
    let checksum = crc32fast::hash(&head[..12]).to_le_bytes();
    head[12..].copy_from_slice(&checksum);
    let words = error(&head);
    assert!(words.contains(&format!("version {}", VERSION + 1)), "{words}");
    assert!(words.contains("newer"), "{words}");
}

#[test]
fn an_event_by_itself_comes_back_as_it_was() {
    let events = all();
    let mut packer = crate::Packer::new(samples::description().boot);
    let all_bytes: Vec<_> = events
        .iter()
        .map(|event| {
            let mut bytes = Vec::new();
            packer.pack(event, &mut bytes);
            bytes
        })
        .collect();
    let back: Vec<_> = all_bytes
        .iter()
        .rev()
        .map(|bytes| dumped(&[packer.unpack(bytes).unwrap()]).remove(0))
        .collect();
    let mut expect = dumped(&events);
    expect.reverse();
    assert_eq!(back, expect);
    assert!(packer.unpack(b"").is_err() && packer.unpack(&all_bytes[0][..9]).is_err());
}
