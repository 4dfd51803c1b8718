//! Tests every finding: texts that have it, similar texts that do not, and no secret in any output.

#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdsign::inspect::{
    Driver, Expected, FindingId, Report, Severity, Signature, examine, parse, spoken,
};
use rdsign::names::Region;
use rdsign::{Credentials, Signer};

const HOST: &str = "mydb.abc123.eu-central-1.rds.amazonaws.com";
const USER: &str = "iam_user";
const KEY: &str = "ASIAIOSFODNN7EXAMPLE";
const LONG_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjEPlantedSessionToken//////////wEaCWV1LWNlbnRyYWw+a==";
const SIGNED_AT: u64 = 1_724_709_600;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// A token to sign, and how to examine it.
#[derive(Clone)]
struct Case {
    hostname: &'static str,
    port: u16,
    username: &'static str,
    region: &'static str,
    key: &'static str,
    session_token: Option<&'static str>,
    change: fn(String) -> String,
    now: u64,
    expected: Expected,
    available: Option<Credentials>,
}

fn case() -> Case {
    Case {
        hostname: HOST,
        port: 5432,
        username: USER,
        region: "eu-central-1",
        key: KEY,
        session_token: Some(SESSION_TOKEN),
        change: |token| token,
        now: SIGNED_AT + 60,
        expected: Expected::default(),
        available: None,
    }
}

impl Case {
    fn text(&self) -> String {
        let mut signer = Signer::builder()
            .hostname(self.hostname)
            .port(self.port)
            .username(self.username)
            .region(self.region)
            .access_key_id(self.key)
            .secret_access_key(SECRET);
        if let Some(session_token) = self.session_token {
            signer = signer.session_token(session_token);
        }
        let token = signer.build().unwrap().token_at(at(SIGNED_AT)).unwrap();
        (self.change)(token.into_value())
    }

    fn report(&self) -> Report {
        let text = self.text();
        let mut report = examine(&text, at(self.now), &self.expected);
        if let Some(credentials) = &self.available {
            report.check_signature(credentials);
        }
        assert!(
            parse(&text).is_ok() || report.has_errors(),
            "rejected, but without a finding: {report:?}"
        );
        has_no_secret(&report, &text);
        report
    }

    fn ids(&self) -> Vec<FindingId> {
        self.report().findings().iter().map(|f| f.id()).collect()
    }
}

fn changed(change: fn(String) -> String) -> Case {
    Case { change, ..case() }
}

fn for_user(username: &'static str) -> Case {
    Case { username, ..case() }
}

fn for_host(hostname: &'static str) -> Case {
    Case { hostname, ..case() }
}

fn for_port(port: u16, driver: Option<Driver>) -> Case {
    let expected = Expected {
        driver,
        ..Expected::default()
    };
    Case {
        port,
        expected,
        ..case()
    }
}

fn examined_at(now: u64) -> Case {
    Case { now, ..case() }
}

fn expecting(expected: Expected) -> Case {
    Case { expected, ..case() }
}

fn for_database(hostname: &str, port: u16) -> Case {
    expecting(Expected {
        hostname: Some(hostname.to_owned()),
        port: Some(port),
        ..Expected::default()
    })
}

fn for_login(username: &str) -> Case {
    expecting(Expected {
        username: Some(username.to_owned()),
        ..Expected::default()
    })
}

fn behind_alias(region: &str) -> Case {
    Case {
        hostname: "db.example.com",
        ..expecting(Expected {
            region: Some(Region::new(region).unwrap()),
            ..Expected::default()
        })
    }
}

fn signed_with(key: &'static str, session_token: Option<&'static str>) -> Case {
    Case {
        key,
        session_token,
        ..case()
    }
}

fn with_credentials(
    key: &str,
    secret: &str,
    session_token: Option<&str>,
    expiry: Option<u64>,
) -> Case {
    let session_token = session_token.map(str::to_owned);
    Case {
        available: Some(Credentials::new(
            key,
            secret,
            session_token,
            expiry.map(at),
            "test",
        )),
        ..case()
    }
}

fn with_its_credentials() -> Case {
    with_credentials(KEY, SECRET, Some(SESSION_TOKEN), Some(SIGNED_AT + 600))
}

/// Fails if the report contains 16 characters in a row of a secret, in any of its formats.
fn has_no_secret(report: &Report, text: &str) {
    let behind = text.split("X-Amz-Signature=").nth(1).unwrap_or_default();
    let behind = behind.split('&').next().unwrap_or_default();
    // Another token may follow.
    let signature = behind.get(..64).unwrap_or(behind);
    let output = format!("{report:?}\n{}", report.to_json());
    for secret in [SECRET, SESSION_TOKEN, signature] {
        let characters: Vec<char> = secret.chars().collect();
        for window in characters.windows(16) {
            let piece = String::from_iter(window);
            assert!(!output.contains(&piece), "{piece} is in {output}");
        }
    }
}

/// Sorts the parameters, as another SDK does. The last one is X-Amz-SignedHeaders.
fn sorted(token: String) -> String {
    let (before, query) = token.split_once('?').unwrap();
    let mut parameters: Vec<&str> = query.split('&').collect();
    parameters.sort_unstable();
    format!("{before}?{}", parameters.join("&"))
}

fn encoded(text: &str) -> String {
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes()
        .map(|b| match is_bare(b) {
            true => char::from(b).to_string(),
            false => format!("%{b:02X}"),
        })
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        bytes.push(match (first, behind) {
            (b'%', [high, low, behind @ ..]) => {
                rest = behind;
                let digits = [*high, *low];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            _ => *first,
        });
    }
    String::from_utf8(bytes).unwrap()
}

fn in_base64(text: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = text.as_bytes().chunks(3).flat_map(|chunk| {
        let bits = chunk.iter().fold(0, |bits, b| bits << 8 | usize::from(*b));
        let bits = bits << (8 * (3 - chunk.len()));
        let digit = move |at: usize| match at <= chunk.len() {
            true => char::from(DIGITS[bits >> (18 - 6 * at) & 63]),
            false => '=',
        };
        (0..4).map(digit)
    });
    groups.collect()
}

/// Returns a presigned URL of S3, as an SDK prints it.
fn for_s3(token: String) -> String {
    let token = token.replace(
        "mydb.abc123.eu-central-1.rds.amazonaws.com:5432/?Action=connect&DBUser=iam_user&",
        "https://bucket.s3.eu-central-1.amazonaws.com/photo.jpg?",
    );
    token.replace("rds-db", "s3") + "&x-id=GetObject"
}

/// Returns a token as the AWS SDKs make it for Aurora DSQL, without port and user.
fn for_dsql(token: String) -> String {
    dsql_token_for_rds(token).replace(
        "mydb.abc123.eu-central-1.rds.amazonaws.com",
        "x.dsql.eu-central-1.on.aws",
    )
}

/// The same, but for the host name of an RDS endpoint.
fn dsql_token_for_rds(token: String) -> String {
    let token = token.replace(
        ":5432/?Action=connect&DBUser=iam_user",
        "/?Action=DbConnect",
    );
    token.replace("rds-db", "dsql")
}

/// Returns a token for RDS with the host name of a DSQL cluster.
fn rds_token_for_dsql(token: String) -> String {
    token.replace(
        "mydb.abc123.eu-central-1.rds.amazonaws.com",
        "x.dsql.eu-central-1.on.aws",
    )
}

/// Returns for each finding some texts that have it, and similar ones that do not.
fn table() -> Vec<(FindingId, Vec<Case>, Vec<Case>)> {
    use FindingId::*;
    vec![
        (
            Empty,
            vec![changed(|_| String::new()), changed(|_| "\n".into())],
            vec![case(), changed(|_| "x".into())],
        ),
        (
            Malformed,
            vec![
                changed(|_| "correct horse battery staple?".into()),
                changed(|_| "postgres://me:hunter2@localhost:5432/db?sslmode=require".into()),
                changed(|_| "localhost:5432/".into()),
                changed(|t| t.replace("HMAC", "ECDSA")),
                changed(|t| t.replace("X-Amz-Date=2024", "X-Amz-Date=2023")),
                changed(|t| t.replace("&X-Amz-Date", "&Action=connect&X-Amz-Date")),
                changed(|t| t.replace("=iam_user", "=")),
                changed(|t| t.replace("X-Amz-Expires=900", "X-Amz-Expires=0")),
                changed(|t| t.replace("/?", "/db?")),
                changed(|t| t + "0"),
                changed(|t| t.replace("iam_user", &"u".repeat(66_000))),
                changed(|t| {
                    let deep = "%25".to_owned() + &"25".repeat(30_000) + "3FAction%";
                    deep + &t.replace('?', "")
                }),
            ],
            vec![
                changed(|t| t.replace("iam_user", &"u".repeat(60_000))),
                case(),
                changed(sorted),
                for_user("é \u{1f980}"),
            ],
        ),
        (
            Masked,
            vec![
                changed(|_| "***".into()),
                changed(|_| "********".into()),
                changed(|_| "\u{2022}\u{2022}\u{2022}\u{2022}".into()),
                changed(|t| t.split("Signature=").next().unwrap().to_owned() + "Signature=***"),
                changed(|t| t.replace(KEY, "***")),
            ],
            vec![case(), for_user("***"), changed(|_| "**".into())],
        ),
        (
            CutShort,
            vec![
                changed(|t| t[..t.len() - 1].into()),
                changed(|t| t[..256].into()),
                changed(|t| t[..t.find('&').unwrap()].into()),
                changed(|t| sorted(t.clone())[..t.len() - 1].into()),
                changed(|t| sorted(t).replace("&X-Amz-SignedHeaders=host", "")),
                changed(|t| t[..t.find('?').unwrap()].into()),
                changed(|t| t[t.find(":5432").unwrap()..].into()),
                changed(|t| t[t.find('?').unwrap()..].into()),
                changed(|t| t[t.find("ion=connect").unwrap()..].into()),
            ],
            vec![case(), changed(sorted), changed(|_| "mydb:5432/".into())],
        ),
        (
            SeveralTokens,
            vec![
                changed(|t| t.repeat(2)),
                changed(|t| format!("{t}\n{t}")),
                changed(|t| sorted(t).repeat(3)),
                changed(|t| format!("{t}{}", &t[..120])),
            ],
            vec![case(), for_user("a/?Action=connect&")],
        ),
        (
            Surrounded,
            vec![
                changed(|t| format!("PGPASSWORD={t}")),
                changed(|t| format!("export PGPASSWORD='{t}'; psql")),
                changed(|t| format!("password: {t}")),
                changed(|t| format!("host=x password='{t}' sslmode=verify-full")),
                changed(|t| format!("host=x password={t} sslmode=verify-full")),
                changed(|t| format!("{{\"password\": \"{t}\", \"port\": 5432}}")),
                changed(|t| format!("postgresql://iam_user:{}@db:5432/app?x=y", encoded(&t))),
                changed(|t| format!("jdbc:postgresql://db/app?user=u&password={}", encoded(&t))),
                changed(|t| format!("mysql+x://iam_user:{t}@db:3306/app")),
                changed(|t| format!("iam_user:{t}")),
            ],
            vec![
                case(),
                changed(sorted),
                for_user("PGPASSWORD=a"),
                for_host("[fd00::5]"),
                for_host("db.example.com."),
                changed(for_s3),
                changed(|t| format!("https://{t}")),
                changed(|t| format!(" '{t}'")),
                changed(|t| t.replace("/?", "/db?")),
                changed(|t| t.replace("/?", "?")),
                changed(|_| "PGPASSWORD=hunter2".into()),
                changed(|_| "postgresql://me:hunter2@db:5432/app?Action=connect".into()),
            ],
        ),
        (
            Base64,
            vec![
                changed(|t| in_base64(&t)),
                changed(|t| in_base64(&t).trim_end_matches('=').replace('/', "_")),
                changed(|t| {
                    let text = in_base64(&t);
                    format!("{}\n{}", &text[..76], &text[76..])
                }),
            ],
            vec![
                case(),
                changed(|_| in_base64("correct horse battery staple")),
            ],
        ),
        (
            WhiteSpace,
            vec![
                changed(|t| t + "\n"),
                changed(|t| t + "\r\n"),
                changed(|t| format!(" {t}")),
                changed(|t| format!("\u{feff}{t}")),
                changed(|t| format!("{}\n  {}", &t[..200], &t[200..])),
                changed(|t| format!("{} {}", &t[..200], &t[200..])),
            ],
            vec![case(), for_user(" a b ")],
        ),
        (
            Quoted,
            vec![
                changed(|t| format!("\"{t}\"")),
                changed(|t| format!("'{t}'")),
                changed(|t| format!("\u{201c}{t}\u{201d}")),
                changed(|t| format!("\\\"{t}\\\"")),
                changed(|t| format!("{t}'")),
            ],
            vec![case(), for_user("\"a'")],
        ),
        (
            Escaped,
            vec![
                changed(|t| t.replace('&', "\\u0026")),
                changed(|t| t.replace('&', "&amp;")),
                changed(|t| t.replace(':', "\\:")),
                changed(|t| {
                    t.replace('?', "\\?")
                        .replace('=', "\\=")
                        .replace('&', "\\&")
                }),
                changed(|t| t.replace('/', "\\/")),
            ],
            vec![case(), for_user("\\u0026&amp;\\:")],
        ),
        (
            Scheme,
            vec![
                changed(|t| format!("https://{t}")),
                changed(|t| format!("HTTPS://{t}")),
                changed(|t| format!("http://{t}")),
            ],
            vec![case(), for_user("https://")],
        ),
        (
            EncodedTwice,
            vec![
                changed(|t| encoded(&t)),
                changed(|t| encoded(&t).replace("%3F", "%3f").replace("%2F", "%2f")),
                changed(|t| encoded(&encoded(&t))),
                changed(|t| t.replace('%', "%25")),
            ],
            vec![
                case(),
                for_user("a%2Fb?"),
                signed_with(KEY, Some("a%2Fb%3D%3D")),
            ],
        ),
        (
            NotEncoded,
            vec![
                changed(|t| decoded(&t)),
                changed(|t| t.replace("%2F", "/")),
                Case {
                    username: "R&D",
                    ..changed(|t| decoded(&t))
                },
                Case {
                    username: "a b",
                    ..changed(|t| t.replace("a%20b", "a b"))
                },
                Case {
                    username: "a b",
                    ..changed(|t| t.replace("a%20b", "a+b"))
                },
            ],
            vec![
                case(),
                for_user("R&D + a b"),
                changed(|t| decoded(&t)[..60].into()),
            ],
        ),
        (
            MissingSlash,
            vec![
                changed(|t| t.replace("/?", "?")),
                changed(|t| t.replace("/?", "?")[..100].into()),
            ],
            vec![case(), for_user("/?")],
        ),
        (
            DsqlToken,
            vec![
                changed(dsql_token_for_rds),
                changed(|t| dsql_token_for_rds(t).replace("DbConnect", "DbConnectAdmin")),
                changed(|t| t.replace("%2Frds-db%2F", "%2Fdsql%2F")),
            ],
            vec![
                case(),
                changed(for_dsql),
                changed(|t| for_dsql(t)[..200].to_owned()),
                for_host("dsql.abc.eu-central-1.rds.amazonaws.com"),
                for_user("dsql"),
            ],
        ),
        (
            WrongRegionOrService,
            vec![
                changed(|t| t.replace("%2Frds-db%2F", "%2Frds%2F")),
                changed(|t| t.replace("%2Feu-central-1%2F", "%2Feu-west-1%2F")),
                changed(|t| t.replace("%2Feu-central-1%2F", "%2FFrankfurt%2F")),
                Case {
                    hostname: "db.example.com",
                    ..changed(|t| t.replace("%2Feu-central-1%2F", "%2FFrankfurt%2F"))
                },
                behind_alias("eu-west-1"),
                changed(rds_token_for_dsql),
                changed(|t| for_dsql(t).replace("%2Feu-central-1%2F", "%2Feu-west-1%2F")),
                changed(|t| t.replace("%2Feu-central-1%2F", "%2Feu-central-1a%2F")),
                changed(for_s3),
                changed(|t| {
                    let host = "https://sts.eu-central-1.amazonaws.com/?";
                    let t = t.replace(&t[..t.find("DBUser").unwrap()], host);
                    format!("k8s-aws-v1.{}", in_base64(&t.replace("rds-db", "sts")))
                }),
            ],
            vec![
                case(),
                for_host("MYDB.ABC.EU-CENTRAL-1.RDS.AMAZONAWS.COM"),
                for_host("db.example.com"),
                behind_alias("eu-central-1"),
            ],
        ),
        (
            LoopbackHost,
            vec![
                for_host("localhost"),
                for_host("LOCALHOST."),
                for_host("127.0.0.1"),
                for_host("[::1]"),
                for_host("host.docker.internal"),
            ],
            vec![
                case(),
                for_host("localhost.abc.eu-central-1.rds.amazonaws.com"),
                for_host("10.0.0.5"),
                for_host("db.example.com"),
            ],
        ),
        (
            NotAnRdsHost,
            vec![
                for_host("db.example.com"),
                for_host("10.0.0.5"),
                for_host("[fd00::5]"),
                for_host("mydb.abc123.eu-central-1.rds.amazonaws.com.example.com"),
            ],
            vec![
                case(),
                for_host("mydb.cluster-ro-abc.eu-central-1.rds-fips.amazonaws.com"),
                for_host("ro.endpoint.proxy-abc.eu-central-1.rds.amazonaws.com."),
                for_host("localhost"),
                for_host("db.global-abc.global.rds.amazonaws.com"),
            ],
        ),
        (
            GlobalEndpoint,
            vec![for_host("db.global-abc.global.rds.amazonaws.com")],
            vec![
                case(),
                for_host("global.abc.eu-central-1.rds.amazonaws.com"),
            ],
        ),
        (
            WrongEndpoint,
            vec![
                for_database("other.abc123.eu-central-1.rds.amazonaws.com", 5432),
                for_database(HOST, 5433),
                for_database("other.abc123.eu-central-1.rds.amazonaws.com", 5433),
            ],
            vec![
                case(),
                for_database(HOST, 5432),
                for_database("MYDB.abc123.eu-central-1.rds.amazonaws.com.", 5432),
            ],
        ),
        (
            PortOfAnotherDriver,
            vec![
                for_port(3306, Some(Driver::Postgresql)),
                for_port(5432, Some(Driver::Mysql)),
            ],
            vec![
                for_port(3306, None),
                for_port(3306, Some(Driver::Mysql)),
                for_port(5432, Some(Driver::Postgresql)),
                for_port(5433, Some(Driver::Postgresql)),
            ],
        ),
        (
            UnusualPort,
            vec![
                for_port(15432, None),
                for_port(443, None),
                changed(|t| t.replace(":5432", "")),
            ],
            vec![
                for_port(3306, None),
                for_port(5432, None),
                Case {
                    port: 15432,
                    ..for_database(HOST, 15432)
                },
                Case {
                    port: 15432,
                    ..expecting(Expected {
                        dialled_port: Some(15432),
                        ..Expected::default()
                    })
                },
            ],
        ),
        (
            WrongUser,
            vec![for_login("other"), for_login("IAM_user")],
            vec![case(), for_login(USER)],
        ),
        (
            NotYetValid,
            vec![examined_at(SIGNED_AT - 301), examined_at(0)],
            vec![examined_at(SIGNED_AT - 300), case()],
        ),
        (
            Expired,
            vec![
                examined_at(SIGNED_AT + 900),
                examined_at(SIGNED_AT + 10_000_000),
                with_credentials(KEY, SECRET, Some(SESSION_TOKEN), Some(SIGNED_AT + 60)),
            ],
            vec![examined_at(SIGNED_AT + 899), with_its_credentials()],
        ),
        (
            LifetimeTooLong,
            vec![changed(|t| t.replace("Expires=900", "Expires=901"))],
            vec![case(), changed(|t| t.replace("Expires=900", "Expires=1"))],
        ),
        (
            OddAccessKeyId,
            vec![signed_with(SECRET, None), signed_with("AK ID", None)],
            vec![case(), signed_with("AKIDEXAMPLE", None)],
        ),
        (
            UnknownAccessKey,
            vec![
                with_credentials(LONG_KEY, SECRET, None, None),
                with_credentials(SECRET, KEY, None, None),
            ],
            vec![case(), with_its_credentials()],
        ),
        (
            WrongSessionToken,
            vec![
                signed_with(KEY, None),
                signed_with(LONG_KEY, Some(SESSION_TOKEN)),
                with_credentials(KEY, SECRET, Some("another"), None),
                with_credentials(KEY, SECRET, None, None),
            ],
            vec![
                case(),
                signed_with(LONG_KEY, None),
                signed_with("AKIDEXAMPLE", Some(SESSION_TOKEN)),
                with_its_credentials(),
            ],
        ),
        (
            EmptySessionToken,
            vec![Case {
                session_token: None,
                ..changed(|t| {
                    t.replace(KEY, LONG_KEY)
                        .replace("&X-Amz-Sig", "&X-Amz-Security-Token=&X-Amz-Sig")
                })
            }],
            vec![
                case(),
                signed_with(LONG_KEY, None),
                changed(|t| t[..t.find("IQoJb3Jp").unwrap()].into()),
            ],
        ),
        (
            WrongSignature,
            vec![
                with_credentials(KEY, "another", Some(SESSION_TOKEN), None),
                Case {
                    change: |t| t.replace("iam_user", "admin"),
                    ..with_its_credentials()
                },
            ],
            vec![
                with_its_credentials(),
                with_credentials(LONG_KEY, "another", None, None),
                Case {
                    change: |t| t.replace("%2Frds-db%2F", "%2Frds%2F"),
                    ..with_its_credentials()
                },
            ],
        ),
    ]
}

#[test]
fn each_finding_is_reported_for_its_texts_but_not_for_similar_ones() {
    let table = table();
    for (id, with, without) in &table {
        assert!(!with.is_empty() && !without.is_empty(), "{id}");
        for (number, case) in with.iter().enumerate() {
            assert!(case.ids().contains(id), "{id} {number}: {:?}", case.ids());
        }
        for (number, case) in without.iter().enumerate() {
            assert!(
                !case.ids().contains(id),
                "not {id} {number}: {:?}",
                case.ids()
            );
        }
    }
    let tested: HashSet<FindingId> = table.iter().map(|(id, ..)| *id).collect();
    assert_eq!(tested.len(), FindingId::ALL.len());
}

#[test]
fn a_text_with_one_problem_has_one_finding() {
    let several: HashSet<(&str, usize)> = [
        ("empty", 1),         // only white space
        ("missing-slash", 1), // cut short as well
        ("malformed", 11),
        ("cut-short", 4),
        ("not-encoded", 2),
        ("wrong-region-or-service", 3), // an alias
        ("wrong-region-or-service", 4), // an alias
        ("wrong-region-or-service", 9), // in base64
        ("expired", 2),
    ]
    .into_iter()
    .collect();
    for (id, with, _) in table() {
        for (number, case) in with.iter().enumerate() {
            if !several.contains(&(id.as_str(), number)) {
                assert_eq!(case.ids(), [id], "{number}");
            }
        }
    }
}

#[test]
fn texts_of_findings_are_one_line() {
    for (_, with, _) in table() {
        for case in with {
            for finding in case.report().findings() {
                for text in [finding.problem(), finding.advice()] {
                    assert!(!text.contains('\n') && !text.contains("  "), "{text:?}");
                }
            }
        }
    }
}

#[test]
fn a_valid_token_has_no_finding_and_all_parts() {
    let report = with_its_credentials().report();
    assert!(report.findings().is_empty(), "{report:?}");
    assert_eq!(report.signature(), Signature::Right);
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    let expected = serde_json::json!({
        "hostname": HOST,
        "port": 5432,
        "action": "connect",
        "username": USER,
        "region": "eu-central-1",
        "service": "rds-db",
        "access_key_id": KEY,
        "temporary": true,
        "signed_at": "2024-08-26T22:00:00Z",
        "expires_in": 900,
        "expires_at": "2024-08-26T22:15:00Z",
        "seconds_left": 840,
        "signature": "right",
        "findings": [],
    });
    assert_eq!(json, expected);
}

#[test]
fn the_order_of_another_sdk_has_the_right_signature() {
    let case = Case {
        change: sorted,
        ..with_its_credentials()
    };
    assert_eq!(case.report().signature(), Signature::Right);
    assert_eq!(case.ids(), []);
}

#[test]
fn text_that_is_too_long_is_not_measured() {
    let text = case().text() + &"0".repeat(70_000);
    let report = examine(&text, at(SIGNED_AT), &Expected::default());
    let problem = report.findings()[0].problem();
    assert_eq!(problem, "It is not a token: it is longer than 65535 bytes.");
    assert!(parse(&text).is_err());
}

#[test]
fn a_zone_in_the_place_of_the_region_is_named() {
    let report = changed(|t| t.replace("%2Feu-central-1%2F", "%2Feu-central-1a%2F")).report();
    let problem = report.findings()[0].problem();
    assert!(
        problem.starts_with("It is signed for eu-central-1a, but"),
        "{problem}"
    );
}

#[test]
fn a_wrapped_token_is_read_and_verified() {
    for change in [
        |t: String| format!(" \"https://{}\"\n", t.replace('&', "\\u0026")),
        |t: String| encoded(&t),
        |t: String| t.replace('%', "%25"),
        |t: String| t.replace("/?", "?"),
        |t: String| decoded(&t),
        |t: String| t.repeat(2),
        |t: String| in_base64(&format!("PGPASSWORD={t}\n")),
        |t: String| format!("postgresql://{USER}:{}@db:5432/app?x=y", encoded(&t)),
        |t: String| format!("db:5432:*:{USER}:{}\n", t.replace(':', "\\:")),
    ] {
        let case = Case {
            change,
            ..with_its_credentials()
        };
        let report = case.report();
        assert_eq!(report.signature(), Signature::Right, "{report:?}");
        assert_eq!(report.details().username.as_deref(), Some(USER));
        assert!(report.has_errors());
    }
}

#[test]
fn every_prefix_of_a_token_is_cut_short() {
    let whole = case().text();
    for whole in [whole.clone(), sorted(whole)] {
        for end in whole.find(":5432").unwrap()..whole.len() {
            let report = examine(&whole[..end], at(SIGNED_AT), &Expected::default());
            let ids: Vec<_> = report.findings().iter().map(|f| f.id()).collect();
            // A text that ends with the colon does not start with an endpoint.
            if !whole[..end].ends_with(':') {
                assert_eq!(ids, [FindingId::CutShort], "{}", &whole[..end]);
            }
            has_no_secret(&report, &whole);
        }
    }
}

#[test]
fn the_parts_before_a_cut_are_shown_and_the_cut_one_is_not() {
    let report = changed(|t| t[..t.find("-1%2Frds-db").unwrap()].into()).report();
    let details = report.details();
    assert_eq!(details.hostname.as_deref(), Some(HOST));
    assert_eq!(details.username.as_deref(), Some(USER));
    assert_eq!((&details.region, &details.access_key_id), (&None, &None));
    let report = changed(|t| t[..t.find("r&X-Amz-Algorithm").unwrap()].into()).report();
    assert_eq!(report.details().username, None);
}

#[test]
fn a_cut_token_is_reported_with_its_length() {
    let report = changed(|t| t[..255].into()).report();
    let problem = report.findings()[0].problem();
    assert!(
        problem.contains("255 characters long, a common limit"),
        "{problem}"
    );
    let report = changed(|t| t[..280].into()).report();
    let problem = report.findings()[0].problem();
    assert!(problem.ends_with("It is 280 characters long."), "{problem}");
}

#[test]
fn the_expected_endpoint_is_named_in_the_advice() {
    let mut case = for_host("localhost");
    case.expected.hostname = Some(HOST.to_owned());
    let report = case.report();
    let finding = report
        .findings()
        .iter()
        .find(|f| f.id() == FindingId::LoopbackHost);
    let advice = finding.unwrap().advice();
    assert!(
        advice.starts_with(&format!("Sign for {HOST}, ")),
        "{advice}"
    );
}

#[test]
fn a_password_is_not_shown() {
    for text in [
        "hunter2hunter2hunter2",
        "hunter2?hunter2=1",
        "https://hunter2:hunter2@db.example.com/",
        "hunter2.abc.eu-central-1.rds.amazonaws.com.hunter2:5432",
        "\"hunter2 \n",
        "hunter2/?Action=connect",
        "x-amz-hunter2",
        "x?Action=hunter2",
        "x?Action=hunter2&DBUser=hunter2hunter2hunter2&X-Amz-Date=hunter2",
    ] {
        let report = examine(text, at(SIGNED_AT), &Expected::default());
        let output = format!("{report:?}{}", report.to_json());
        assert!(
            report.has_errors() && !output.contains("hunter2"),
            "{output}"
        );
    }
}

#[test]
fn a_secret_in_the_place_of_the_key_id_is_not_shown() {
    let report = signed_with(SECRET, None).report();
    assert_eq!(report.details().access_key_id, None);
    // The token is cut, so the strict parser rejects it.
    let case = Case {
        change: |t| t[..t.len() - 3].into(),
        ..signed_with(SECRET, None)
    };
    assert_eq!(case.report().details().access_key_id, None);
}

#[test]
fn part_of_the_signature_in_another_part_is_not_shown() {
    let report = changed(|t| {
        let signature = t.split("X-Amz-Signature=").nth(1).unwrap();
        t.replace("=iam_user", &format!("={}", &signature[20..40]))
    })
    .report();
    assert_eq!(report.details().username, None);
    assert_eq!(report.findings()[0].id(), FindingId::Malformed);
}

#[test]
fn a_token_in_the_place_of_the_user_is_not_shown() {
    for name in ["Signature", "Security-Token", "Credential"] {
        let inner = format!(
            "db:5432/?Action=connect&DBUser=u&X-Amz-{name}={}",
            "hunter2".repeat(9)
        );
        let text = case()
            .text()
            .replace("=iam_user", &format!("={}", encoded(&inner)));
        let report = examine(&text, at(SIGNED_AT), &for_login("iam_user").expected);
        assert_eq!(report.details().username, None);
        let ids: Vec<_> = report.findings().iter().map(|f| f.id()).collect();
        assert_eq!(ids, [FindingId::Malformed]);
        let output = format!("{report:?}\n{}", report.to_json());
        assert!(!output.contains("hunter2"), "{output}");
    }
    // The name of the user may be odd.
    let report = for_user("peccy&X-Amz-Expires=1#").report();
    assert!(!report.has_errors(), "{report:?}");
}

#[test]
fn a_text_that_is_only_similar_to_a_zone_is_not_shown() {
    for place in ["%1b%5b31mEVIL-1", "wJalrXUtnFEMI-1", "%0a-1"] {
        let region = format!("%2Feu-central-1-{place}%2F");
        let text = case().text().replace("%2Feu-central-1%2F", &region);
        let report = examine(&text, at(SIGNED_AT), &Expected::default());
        assert_eq!(report.details().region, None);
        let problem = report.findings()[0].problem();
        assert!(
            problem.starts_with("It is signed for an invalid region name, but"),
            "{problem}"
        );
    }
}

#[test]
fn ids_are_lower_case_and_four_findings_are_warnings() {
    let ids: HashSet<&str> = FindingId::ALL.iter().map(|id| id.as_str()).collect();
    assert_eq!(ids.len(), FindingId::ALL.len());
    for id in ids {
        assert!(
            id.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "{id}"
        );
    }
    let warnings = FindingId::ALL
        .iter()
        .filter(|id| id.severity() == Severity::Warning);
    let warnings: Vec<&str> = warnings.map(|id| id.as_str()).collect();
    let expected = [
        "global-endpoint",
        "port-of-another-driver",
        "unusual-port",
        "unknown-access-key",
    ];
    assert_eq!(warnings, expected);
}

#[test]
fn durations_are_formatted_in_at_most_two_units() {
    for (seconds, text) in [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (843, "14 min 3 s"),
        (3_600, "1 h"),
        (11_550, "3 h 12 min"),
        (86_400, "1 d"),
        (187_200, "2 d 4 h"),
    ] {
        assert_eq!(spoken(Duration::from_secs(seconds)), text);
    }
}
