use super::{GENERATION, NAME_MAX, QUESTIONS, Users, passwd_users};

const LIFETIME: u64 = 100;

fn known(uid: u32, name: &str) -> Users {
    let mut users = Users::new(LIFETIME);
    users.answer(uid, Some(name.to_owned()));
    users
}

#[test]
fn a_question_is_asked_once_and_its_answer_kept() {
    let mut users = Users::new(LIFETIME);
    assert!(users.is_empty());
    for _ in 0..3 {
        assert_eq!(users.get(1000), None);
    }
    assert_eq!(users.take_questions(), [1000]);
    assert_eq!(users.get(1000), None);
    users.answer(1000, Some("ada".to_owned()));
    assert_eq!(users.get(1000), Some("ada"));
    assert_eq!(users.name(1000), Some("ada"));
    assert_eq!(users.take_questions(), []);
}

#[test]
fn nobody_is_an_answer_too() {
    let mut users = Users::new(LIFETIME);
    for (uid, name) in [(1, None), (2, Some(String::new())), (3, Some("x".repeat(NAME_MAX + 1)))] {
        users.answer(uid, name);
        assert_eq!(users.get(uid), None);
    }
    assert_eq!(users.take_questions(), []);
    users.answer(4, Some("x".repeat(NAME_MAX)));
    assert_eq!(users.get(4).map(str::len), Some(NAME_MAX));
}

#[test]
fn to_look_is_not_to_ask() {
    let mut users = Users::new(LIFETIME);
    assert_eq!(users.name(7), None);
    assert_eq!(users.take_questions(), []);
}

#[test]
fn an_answer_out_of_date_stands_until_the_next() {
    let mut users = known(1, "old");
    users.tick(LIFETIME - 1);
    assert_eq!(users.get(1), Some("old"));
    assert_eq!(users.take_questions(), []);
    users.tick(LIFETIME);
    assert_eq!(users.get(1), Some("old"));
    assert_eq!(users.get(1), Some("old"));
    assert_eq!(users.take_questions(), [1]);
    users.answer(1, Some("new".to_owned()));
    assert_eq!(users.get(1), Some("new"));
    users.tick(2 * LIFETIME);
    assert_eq!(users.get(1), Some("new"));
    users.answer(1, None);
    assert_eq!(users.get(1), None);
}

#[test]
fn a_question_without_an_answer_is_asked_again() {
    let mut users = Users::new(LIFETIME);
    users.get(1);
    assert_eq!(users.take_questions(), [1]);
    users.tick(LIFETIME - 1);
    users.get(1);
    assert_eq!(users.take_questions(), []);
    users.tick(LIFETIME);
    users.get(1);
    assert_eq!(users.take_questions(), [1]);
}

#[test]
fn a_clock_that_runs_backwards_is_not_believed() {
    let mut users = known(1, "ada");
    users.tick(LIFETIME);
    users.tick(3);
    users.get(1);
    assert_eq!(users.take_questions(), [1]);
}

#[test]
fn a_question_withdrawn_is_asked_at_once() {
    let mut users = known(2, "bob");
    users.get(1);
    users.tick(LIFETIME);
    users.get(2);
    assert_eq!(users.take_questions(), [1, 2]);
    users.withdraw(1);
    users.withdraw(2);
    users.withdraw(3);
    assert_eq!(users.get(1), None);
    assert_eq!(users.get(2), Some("bob"));
    assert_eq!(users.take_questions(), [1, 2]);
}

#[test]
fn questions_have_a_bound_and_none_is_forgotten() {
    let mut users = Users::new(LIFETIME);
    let all = 3 * u32::try_from(QUESTIONS).unwrap();
    let mut asked = Vec::new();
    while asked.len() < all as usize {
        for uid in 0..all {
            users.get(uid);
        }
        let questions = users.take_questions();
        assert_eq!(questions.len(), QUESTIONS);
        for uid in &questions {
            users.answer(*uid, Some(format!("user{uid}")));
        }
        asked.extend(questions);
    }
    asked.sort_unstable();
    assert!(asked.iter().copied().eq(0..all));
}

#[test]
fn users_have_a_bound_and_those_who_come_up_stay() {
    let mut users = known(0, "root");
    for uid in 1..50_000 {
        users.get(uid);
        users.take_questions();
        if uid % 2 == 0 {
            users.answer(uid, Some("x".to_owned()));
        }
        assert_eq!(users.get(0), Some("root"));
        assert!(users.len() <= 2 * GENERATION);
    }
    assert_eq!(users.name(2), None);
    assert_eq!(users.take_questions(), []);
}

#[test]
fn a_user_is_of_one_generation() {
    let mut users = Users::new(LIFETIME);
    let most = u32::try_from(GENERATION).unwrap();
    for uid in 0..=most {
        users.answer(uid, Some("first".to_owned()));
    }
    users.answer(0, Some("second".to_owned()));
    assert_eq!(users.len(), GENERATION + 1);
    assert_eq!(users.name(0), Some("second"));
}

#[test]
fn a_file_of_users() {
    let text = b"root:x:0:0:root:/root:/bin/bash\n\
        # ada:x:1:1::/:/bin/sh\n\
        +nis::2:2:::\n+\n-@group\n\n\
        nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n\
        caf\xc3\xa9:x:1000:1000::/home/cafe:/bin/sh\n\
        \xff\xfe:x:3:3::/:/bin/sh\n\
        :x:4:4::/:/bin/sh\n\
        short:x\nsigned:x:+5:5::/:/bin/sh\nempty:x::6::/:/bin/sh\n\
        huge:x:4294967296:7::/:/bin/sh\n\
        last:x:4294967295:8";
    let users: Vec<_> = passwd_users(text).collect();
    assert_eq!(users, [(0, "root"), (65534, "nobody"), (1000, "caf\u{e9}"), (u32::MAX, "last")]);
}
