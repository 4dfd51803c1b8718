use super::*;

fn files(config: &str, credentials: &str) -> Files {
    Files::of(config, credentials)
}

fn get(files: &Files, profile: &str, name: &str) -> Option<String> {
    let profile = files.profile(profile)?;
    let value = profile.get(name).unwrap()?;
    Some(value.text().to_owned())
}

#[test]
fn a_profile_s_name_may_have_spaces_quotes_and_accents() {
    let config = "[profile 'FOO BAR']\nx = 1\n[profile équipe]\nx = 2\n[profile \"Dev (eu)\"]\nx = 3\n\
                  [profile Audit/Power]\nx = 4\n[profile\ttabs]\nx = 5\n";
    let credentials = "[Foo Bar]\nx = 6\n[a]b]\nx = 7\n[profile x]\nx = 8\n";
    let files = files(config, credentials);
    for (profile, value) in [
        ("FOO BAR", "1"),
        ("équipe", "2"),
        ("Dev (eu)", "3"),
        ("Audit/Power", "4"),
        ("tabs", "5"),
        ("Foo Bar", "6"),
        ("a]b", "7"),
        ("profile x", "8"),
    ] {
        assert_eq!(
            get(&files, profile, "x").as_deref(),
            Some(value),
            "{profile}"
        );
    }
}

#[test]
fn spaces_inside_the_brackets_are_ignored() {
    let files = files(
        "[ profile a ]\nx = 1\n[ default ]\nx = 2\n",
        "[ b ]\nx = 3\n[c]\nx = 4\n[ c ]\nx = 5\n",
    );
    for (profile, value) in [
        ("a", "1"),
        ("default", "2"),
        ("b", "3"),
        (" b ", "3"),
        ("c", "4"),
        (" c ", "5"),
    ] {
        assert_eq!(
            get(&files, profile, "x").as_deref(),
            Some(value),
            "{profile}"
        );
    }
}

#[test]
fn other_sections_of_the_config_file_are_not_profiles() {
    let files = files(
        "[x]\na = 1\n[profile]\na = 1\n[profile y z]\na = 1\n[profile 'w]\na = 1\n",
        "",
    );
    for name in ["x", "profile", "y", "y z", "z", "w", "'w"] {
        assert!(files.profile(name).is_none(), "{name}");
    }
}

#[test]
fn each_setting_is_read_from_the_credentials_file_first() {
    let files = files("[default]\na = 1\nb = 2\n", "[default]\nb = 3\n");
    assert_eq!(get(&files, "default", "a").as_deref(), Some("1"));
    assert_eq!(get(&files, "default", "b").as_deref(), Some("3"));
    let profile = files.profile("default").unwrap();
    assert!(!profile.in_credentials().unwrap().has("a"));
    let config = profile.in_config().unwrap().get("b").unwrap().unwrap();
    assert_eq!(config.text(), "2");
}

#[test]
fn settings_of_the_section_default_apply_to_all_other_sections_of_its_file() {
    let files = files(
        "[DEFAULT]\na = 1\nb = 1\n[profile p]\nb = 2\n[sso-session s]\n",
        "[DEFAULT]\nb = 3\nodd\n[q]\n",
    );
    assert_eq!(get(&files, "p", "a").as_deref(), Some("1"));
    assert_eq!(get(&files, "p", "b").as_deref(), Some("2"));
    assert_eq!(get(&files, "q", "b").as_deref(), Some("3"));
    assert_eq!(get(&files, "q", "a"), None);
    assert!(files.profile("DEFAULT").is_none());
    assert!(files.sso_session("s").unwrap().setting("a").is_some());
    files.profile("p").unwrap().check().unwrap();
    let error = files.profile("q").unwrap().check().unwrap_err();
    assert!(error.message().contains("CREDENTIALS, line 3"), "{error}");
}

/// A search for each line would need hours.
#[test]
fn a_large_file_is_read() {
    let lines = |line: &dyn Fn(usize) -> String| (0..200_000).map(line).collect::<String>();
    let settings = lines(&|n| format!("x{n} = {n}\n"));
    let profiles = lines(&|n| format!("[profile p{n}]\n"));
    let files = files(
        &format!("[DEFAULT]\n{settings}{profiles}"),
        &format!("[p7]\n{settings}"),
    );
    assert_eq!(get(&files, "p199999", "x7").as_deref(), Some("7"));
    assert_eq!(get(&files, "p7", "x199999").as_deref(), Some("199999"));
}

#[test]
fn the_later_of_two_sections_for_one_profile_wins() {
    let files = files("[profile default]\na = 1\nb = 1\n[default]\na = 2\n", "");
    assert_eq!(get(&files, "default", "a").as_deref(), Some("2"));
    assert_eq!(get(&files, "default", "b"), None);
}

#[test]
fn an_invalid_line_affects_only_its_own_profile() {
    let files = files(
        "[profile a]\nx = 1\nSECRET\n[profile b]\nx = 2\n",
        "[c]\nSECRET\n",
    );
    files.profile("b").unwrap().check().unwrap();
    let error = files.profile("a").unwrap().check().unwrap_err();
    assert_eq!(error.code(), ErrorCode::CredentialsFailed);
    let expected = "credentials: profile \"a\": CONFIG, line 3: ";
    assert!(error.message().starts_with(expected), "{error}");
    let error = files.profile("c").unwrap().check().unwrap_err();
    assert!(error.message().contains("CREDENTIALS, line 2"), "{error}");
    assert!(!error.message().contains("SECRET"), "{error}");
}

#[test]
fn a_value_of_several_lines_is_rejected_with_its_line() {
    let files = files(
        "[profile a]\nregion = x\n  aws_secret_access_key = SECRET\n",
        "",
    );
    let error = files.profile("a").unwrap().get("region").err().unwrap();
    assert!(
        error.message().contains("CONFIG, line 2: region: "),
        "{error}"
    );
    assert!(!error.message().contains("SECRET"), "{error}");
}

#[test]
fn an_empty_setting_counts_as_missing() {
    let files = files("[default]\nregion =\n", "");
    let profile = files.profile("default").unwrap();
    assert!(profile.get("region").unwrap().is_none());
    assert!(profile.written("region").unwrap().is_some());
}

#[test]
fn a_comment_after_a_word_is_not_part_of_it() {
    let files = files("[default]\na = b # c\nd = e ;f\ng = h#i\nj = k l # m\n", "");
    let profile = files.profile("default").unwrap();
    let word = |name| profile.get(name).unwrap().unwrap().word();
    assert_eq!(["a", "d", "g", "j"].map(word), ["b", "e", "h#i", "k l # m"]);
}

#[test]
fn a_missing_profile_is_reported_with_the_existing_ones() {
    let files = files("[default]\n[profile 'a b']\n", "[c]\n");
    let error = files.missing("typo");
    assert_eq!(
        error.message(),
        "credentials: profile \"typo\": not found; CONFIG has the profiles \"default\", \"a b\"; \
         CREDENTIALS has the profile \"c\""
    );
}

#[test]
fn a_profile_in_the_form_of_the_other_file_is_reported() {
    let files = files("[dev]\n[ other ]\n", "[profile prod]\n[profile 'a b']\n");
    let config =
        |name| format!("; the section [{name}] of CONFIG is ignored: write [profile {name}]");
    let credentials =
        |name| format!("; the section [profile {name}] of CREDENTIALS is ignored: write [{name}]");
    for (name, end) in [
        ("dev", config("dev")),
        ("other", config("other")),
        ("prod", credentials("prod")),
        ("a b", credentials("a b")),
        ("a", String::new()),
        ("profile", String::new()),
    ] {
        let error = files.missing(name);
        let list = "CREDENTIALS has the profiles \"profile prod\", \"profile 'a b'\"";
        let (_, after) = error.message().split_once(list).expect(list);
        assert_eq!(after, end, "{name}");
    }
}

#[test]
fn keys_above_the_first_section_are_an_error() {
    let without = files("", "aws_access_key_id = SECRET\n");
    let error = without.check_stray().unwrap_err();
    assert!(error.message().contains("CREDENTIALS, line 1"), "{error}");
    assert!(!error.message().contains("SECRET"), "{error}");
    assert!(files("", "").check_stray().is_ok());
}

#[test]
fn endpoints_of_services_are_read_from_their_block() {
    let config = "[profile a]\nservices = s\n[services s]\nsts =\n  endpoint_url = http://x\nsso =\n  a = b\n";
    let config = format!("{config}[profile b]\nservices = gone\n");
    let files = files(&config, "");
    let profile = files.profile("a").unwrap();
    let (url, _) = profile.service_endpoint("sts").unwrap().unwrap();
    assert_eq!(*url, "http://x");
    assert!(profile.service_endpoint("sso").unwrap().is_none());
    assert!(profile.service_endpoint("s3").unwrap().is_none());
    let error = files
        .profile("b")
        .unwrap()
        .service_endpoint("sts")
        .err()
        .unwrap();
    assert!(
        error.message().contains("CONFIG, line 9: services: "),
        "{error}"
    );
}
