//! Tests that core's codes and IDs equal those in tests/codes.tsv and tests/ids.tsv, which the
//! tests of other languages and of the docs read.

#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

use rdsign::inspect::FindingId;
use rdsign::verify::Refusal;
use rdsign::{ErrorCode, ErrorKind};

/// Reads the fields of each line.
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

fn ids(kind: &str) -> Vec<String> {
    lines("ids.tsv", ["kind", "id"])
        .into_iter()
        .filter(|[of, _]| of == kind)
        .map(|[_, id]| id)
        .collect()
}

#[test]
fn codes_equal_the_contract() {
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

#[test]
fn finding_ids_equal_the_contract() {
    let expected: Vec<_> = FindingId::ALL.iter().map(|id| id.as_str()).collect();
    assert_eq!(ids("finding"), expected);
}

#[test]
fn refusal_ids_equal_the_contract() {
    assert_eq!(ids("refusal"), Refusal::IDS);
}

#[test]
fn every_refusal_that_a_token_shows_has_a_finding_with_its_id() {
    let findings = ids("finding");
    let mut without_finding = ids("refusal");
    without_finding.retain(|id| !findings.contains(id));
    // A token shows neither what the policies allow nor the grants of the database.
    assert_eq!(without_finding, ["not-allowed", "not-granted"]);
}
