//! The inputs that fuzzing starts from: those of `fuzz/seeds/`, and some that are made from
//! `tests/vectors.tsv`.

/// The files of `fuzz/seeds/`, in which a line of `%%%` separates the seeds.
const FILES: [(&str, &str); 11] = [
    ("parse", ""),
    ("inspect", include_str!("../seeds/inspect.txt")),
    ("verify", include_str!("../seeds/verify.txt")),
    ("policy", include_str!("../seeds/policy.txt")),
    ("local_config", include_str!("../seeds/local_config.txt")),
    ("aws_files", include_str!("../seeds/aws_files.txt")),
    ("aws_logins", include_str!("../seeds/aws_logins.txt")),
    ("hostname", include_str!("../seeds/hostname.txt")),
    ("libpq_strings", include_str!("../seeds/libpq_strings.txt")),
    (
        "libpq_arguments",
        include_str!("../seeds/libpq_arguments.txt"),
    ),
    ("c_options", include_str!("../seeds/c_options.txt")),
];

/// Words that rdsign reads, one on a line.
const WORDS: &str = include_str!("../seeds/words.txt");

const VECTORS: &str = include_str!("../../tests/vectors.tsv");

/// Longer tokens slow down every step of fuzzing.
const LONGEST: usize = 1_000;

/// Returns the seeds of a target.
///
/// # Panics
/// If no target has this name.
pub fn of(target: &str) -> Vec<String> {
    let (_, file) = FILES.iter().find(|(name, _)| *name == target).unwrap();
    let seeds = file.split("\n%%%\n").filter(|seed| !seed.is_empty());
    let mut seeds: Vec<String> = seeds.map(str::to_owned).collect();
    seeds.extend(vectors().filter_map(|vector| of_vector(target, &vector)));
    seeds
}

/// Returns words to put into inputs, and the same as a dictionary of libFuzzer.
pub fn words() -> (Vec<&'static str>, String) {
    let words: Vec<_> = WORDS.lines().collect();
    let quoted = words.iter().map(|word| {
        let bytes = word.bytes().map(|byte| format!("\\x{byte:02x}"));
        format!("\"{}\"\n", bytes.collect::<String>())
    });
    let dictionary = quoted.collect();
    (words, dictionary)
}

/// The fields of the vectors without escapes, in the order of the file.
fn vectors() -> impl Iterator<Item = Vec<&'static str>> {
    let lines = VECTORS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1);
    let vectors = lines.map(|line| line.split('\t').collect::<Vec<_>>());
    vectors.filter(|fields| {
        fields
            .iter()
            .all(|field| *field == r"\N" || !field.contains('\\'))
    })
}

fn of_vector(target: &str, fields: &[&str]) -> Option<String> {
    let given = |at: usize| Some(fields[at]).filter(|field| *field != r"\N");
    let token = given(11).filter(|token| token.len() <= LONGEST);
    let hostname = given(1).unwrap_or_default();
    let port = given(2).unwrap_or("5432");
    match target {
        "parse" => token.map(str::to_owned),
        "inspect" => token.map(|token| format!("1724709600\t{hostname}\t{port}\n{token}")),
        "verify" => token.map(|_| format!("{}\n900 0 0 0\n", given(3).unwrap_or_default())),
        "hostname" => Some(format!("{hostname}\n{port}")),
        "c_options" => {
            let names = [
                "hostname",
                "port",
                "username",
                "region",
                "access_key_id",
                "secret_access_key",
                "session_token",
                "time",
                "expires_in",
            ];
            let lines = names.iter().zip(1..).filter_map(|(name, at)| {
                let value = given(at).filter(|value| value.len() <= LONGEST)?;
                Some(format!("{name}={value}\n"))
            });
            Some(lines.collect())
        }
        _ => None,
    }
}
