//! Core's codes are those of tests/codes.tsv, which the tests of other languages and of the README
//! read. A line that is missing on either side fails here.

use rdsign::{ErrorCode, ErrorKind};

/// The fields of each line.
fn lines<const FIELDS: usize>(file: &str, columns: [&str; FIELDS]) -> Vec<[String; FIELDS]> {
    let path = format!("{}/../tests/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<String> = line.split('\t').map(str::to_owned).collect();
            <[String; FIELDS]>::try_from(fields).unwrap()
        });
    assert_eq!(lines.next().unwrap(), columns);
    lines.collect()
}

#[test]
fn every_code_has_its_number_and_its_kind() {
    let lines = lines("codes.tsv", ["code", "number", "kind"]);
    let (of_c, of_core): (Vec<_>, Vec<_>) = lines.into_iter().partition(|[.., kind]| kind == "c");
    let expected: Vec<_> = ErrorCode::ALL
        .iter()
        .map(|code| {
            let kind = match code.kind() {
                ErrorKind::Request => "request",
                ErrorKind::Credentials => "credentials",
                ErrorKind::Internal => "internal",
            };
            assert_eq!(code.is_invalid_request(), kind == "request");
            let number = *code as i32;
            [code.to_string(), number.to_string(), kind.to_owned()]
        })
        .collect();
    assert_eq!(of_core, expected);
    assert_eq!(of_c.len(), 2);
}

#[test]
fn numbers_ascend() {
    // If several options are wrong, the lowest number is reported.
    assert!(ErrorCode::ALL.is_sorted_by_key(|code| *code as i32));
}
