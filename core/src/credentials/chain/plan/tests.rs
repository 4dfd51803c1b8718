use super::*;

const KEYS: &str = "aws_access_key_id = AKID\naws_secret_access_key = SECRET\n";
const ROLE: &str = "arn:aws:iam::123456789012:role/a-role";
const SSO: &str = "sso_account_id = 1\nsso_role_name = R\n";
const PORTAL: &str = "sso_start_url = https://x/start\nsso_region = eu-west-1\n";

/// Plans for a profile by name.
fn named(config: &str, credentials: &str, name: &str) -> Result<Plan, Error> {
    let files = Files::of(config, credentials);
    of_profile(files.profile(name).expect("the profile"), &|_| None)
}

/// Plans for the chain with these variables.
fn chain(config: &str, credentials: &str, variables: &[(&str, &str)]) -> Result<Plan, Error> {
    let files = Files::of(config, credentials);
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let mut name = String::new();
    let profile = profile_of_environment(&files, &mut name, &variable)?;
    of_chain(&files, profile, &variable, Vec::new())
}

fn key(plan: &Plan) -> &str {
    match &plan.base {
        Base::Keys(keys) => keys.access_key_id(),
        other => panic!("{other:?}"),
    }
}

/// Returns the error's message, after checking that it shows no secret.
fn refusal(plan: Result<Plan, Error>) -> String {
    let error = plan.unwrap_err();
    assert_eq!(error.code(), ErrorCode::CredentialsFailed);
    assert!(!error.message().contains("SECRET"), "{error}");
    error.message().to_owned()
}

#[test]
fn keys_of_the_credentials_file_come_before_a_process_and_a_process_before_the_config_file() {
    let process = "[default]\ncredential_process = p\n";
    let plan = chain(process, &format!("[default]\n{KEYS}"), &[]).unwrap();
    assert_eq!((plan.step, key(&plan)), (Step::CredentialsFile, "AKID"));
    let plan = chain(&format!("{process}{KEYS}"), "", &[]).unwrap();
    assert_eq!(plan.step, Step::Process);
    assert!(matches!(plan.base, Base::Process(command) if *command == "p"));
    let plan = chain(&format!("[default]\n{KEYS}"), "", &[]).unwrap();
    assert_eq!((plan.step, key(&plan)), (Step::ConfigFile, "AKID"));
}

#[test]
fn unused_sources_of_the_profile_are_listed() {
    let unused = |config: &str, credentials: &str| {
        let unused = named(config, credentials, "default").unwrap().unused;
        unused.into_iter().map(|u| u.source).collect::<Vec<_>>()
    };
    let all = format!("[default]\n{SSO}{PORTAL}credential_process = p\n{KEYS}");
    let keys = format!("[default]\n{KEYS}");
    let all_but_sso = ["credentials file", "credential process", "config file"];
    assert_eq!(unused(&all, &keys), all_but_sso);
    assert_eq!(
        unused(&format!("{keys}credential_process = p\n"), &keys),
        all_but_sso[1..]
    );
    assert_eq!(unused(&keys, ""), [""; 0]);
    let role = format!("role_arn = {ROLE}\nsource_profile = ");
    assert_eq!(
        unused(
            &format!("[default]\n{role}b\n"),
            &format!("{keys}[b]\n{KEYS}")
        ),
        all_but_sso[..1]
    );
    assert_eq!(
        unused(&format!("[default]\n{role}default\n"), &keys),
        [""; 0]
    );
}

#[test]
fn keys_are_never_combined_from_both_files() {
    let message = refusal(chain(
        "[default]\naws_secret_access_key = SECRET\n",
        "[default]\naws_access_key_id = AKID\n",
        &[],
    ));
    assert!(message.contains("CREDENTIALS, line 2: "), "{message}");
    assert!(
        message.contains("aws_secret_access_key is missing"),
        "{message}"
    );
}

#[test]
fn the_line_of_a_key_that_cannot_sign_is_named() {
    for (text, line, problem) in [
        (
            "aws_access_key_id = AKID\naws_secret_access_key =\n",
            3,
            "is empty",
        ),
        (
            "aws_access_key_id =\naws_secret_access_key = SECRET\n",
            2,
            "is empty",
        ),
        (
            "aws_access_key_id = AKID\naws_secret_access_key = SEC\u{1}RET\n",
            3,
            "has a control character",
        ),
        (
            "aws_access_key_id = AKID\naws_secret_access_key = SECRET\naws_session_token = SEC\u{1}RET\n",
            4,
            "has a control character",
        ),
    ] {
        let error = chain("", &format!("[default]\n{text}"), &[]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidCredentials);
        let message = error.message();
        let place = format!("CREDENTIALS, line {line}: aws_");
        assert!(message.contains(&place), "{message}");
        assert!(message.contains(problem), "{message}");
        assert!(!message.contains("RET"), "{message}");
    }
}

#[test]
fn both_names_of_the_session_token_are_read() {
    for (text, token) in [
        ("aws_security_token = a\n", Some("a")),
        ("aws_session_token = b\naws_security_token = a\n", Some("a")),
        (
            "aws_session_token = b # c\naws_security_token =\n",
            Some("b"),
        ),
        ("aws_session_token =\n", None),
    ] {
        let plan = chain("", &format!("[default]\n{KEYS}{text}"), &[]).unwrap();
        let Base::Keys(keys) = plan.base else {
            panic!("{text}")
        };
        assert_eq!(keys.session_token(), token, "{text}");
    }
}

#[test]
fn a_role_collects_the_roles_of_its_source_profiles() {
    let config = format!(
        "[profile a]\nrole_arn = {ROLE}-a # mine\nsource_profile = b\nexternal_id = e f\n\
         role_session_name = n\nduration_seconds = 900\n\
         [profile b]\nrole_arn = {ROLE}-b\nsource_profile = c d\nduration_seconds = long\n"
    );
    let plan = named(&config, &format!("[c d]\n{KEYS}"), "a").unwrap();
    assert_eq!((plan.step, key(&plan)), (Step::Role, "AKID"));
    let [below, above] = &plan.roles[..] else {
        panic!("{plan:?}")
    };
    assert_eq!((&*below.arn, below.duration), (&*format!("{ROLE}-b"), None));
    assert_eq!(above.arn, format!("{ROLE}-a"));
    assert_eq!(above.external_id.as_deref(), Some("e f"));
    assert_eq!(above.session_name.as_deref(), Some("n"));
    assert_eq!(above.duration, Some(900));
}

#[test]
fn the_role_of_a_source_profile_with_keys_is_ignored() {
    let config = format!(
        "[profile a]\nrole_arn = {ROLE}\nsource_profile = b\n\
         [profile b]\nrole_arn = {ROLE}\nsource_profile = gone\n{KEYS}"
    );
    let plan = named(&config, "", "a").unwrap();
    assert_eq!((plan.roles.len(), key(&plan)), (1, "AKID"));
}

#[test]
fn a_source_profile_may_be_of_any_kind() {
    let config = format!(
        "[profile a]\nrole_arn = {ROLE}\nsource_profile = b\n[profile b]\n{SSO}{PORTAL}\
         [profile c]\nrole_arn = {ROLE}\nsource_profile = d\n[profile d]\ncredential_process = p\n\
         [profile e]\nrole_arn = {ROLE}\nsource_profile = f\n\
         [profile f]\nrole_arn = {ROLE}\nweb_identity_token_file = t\n"
    );
    assert!(matches!(
        named(&config, "", "a").unwrap().base,
        Base::Sso(_)
    ));
    assert!(matches!(
        named(&config, "", "c").unwrap().base,
        Base::Process(_)
    ));
    assert!(matches!(
        named(&config, "", "e").unwrap().base,
        Base::WebIdentity(_)
    ));
}

#[test]
fn an_invalid_profile_is_rejected_with_its_line() {
    for (settings, words) in [
        (
            "mfa_serial = arn:SECRET\nsource_profile = a",
            "line 3: mfa_serial: the role needs MFA",
        ),
        (
            "source_profile = a",
            "line 3: source_profile: profile \"a\" refers back to itself",
        ),
        ("source_profile = gone", "there is no profile \"gone\""),
        (
            "source_profile = bad",
            "profile \"bad\": CONFIG, line 5: neither a setting",
        ),
        (
            "credential_source = Environment",
            "AWS_ACCESS_KEY_ID is not set",
        ),
        (
            "credential_source = environment",
            "\"environment\" is not a source",
        ),
        ("source_profile =", "neither is set"),
        (
            "source_profile = a\n  credential_source = SECRET",
            "continues in indented lines",
        ),
        (
            "source_profile = a\nsource_profile = b",
            "set a second time, first in line 3",
        ),
        ("SECRET", "profile \"a\": CONFIG, line 3: neither a setting"),
    ] {
        let config = format!("[profile a]\nrole_arn = {ROLE}\n{settings}\n[profile bad]\nSECRET\n");
        let message = refusal(named(&config, "", "a"));
        assert!(message.contains(words), "{settings}: {message}");
    }
}

#[test]
fn a_profile_may_repeat_settings_of_its_sso_session() {
    let section = format!("[sso-session corp]\n{PORTAL}");
    for (own, region) in [
        ("", true),
        (PORTAL, true),
        ("sso_region = eu-west-2\n", false),
    ] {
        let config = format!("[profile a]\nsso_session = corp\n{SSO}{own}{section}");
        let plan = named(&config, "", "a");
        if region {
            let Base::Sso(sso) = plan.unwrap().base else {
                panic!("{own}")
            };
            assert_eq!(
                (&*sso.region, sso.session.as_deref()),
                ("eu-west-1", Some("corp"))
            );
            assert_eq!(sso.start_url, "https://x/start");
        } else {
            let message = refusal(plan);
            assert!(message.contains("line 5: sso_region: differs"), "{message}");
        }
    }
    for (config, words) in [
        (
            format!("[profile a]\nsso_session = gone\n{SSO}"),
            "line 2: sso_session: there is no",
        ),
        (format!("[profile a]\n{SSO}"), "SSO needs sso_start_url"),
        (
            "[profile a]\nsso_role_name = R\n".to_owned(),
            "SSO needs sso_account_id",
        ),
        (
            format!("[profile a]\nsso_session = c\n{SSO}[sso-session c]\nSECRET\n"),
            "line 6: neither",
        ),
    ] {
        let message = refusal(named(&config, "", "a"));
        assert!(message.contains(words), "{config}: {message}");
    }
}

#[test]
fn a_web_identity_combines_the_environment_and_the_profile() {
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"),
        ("AWS_ROLE_SESSION_NAME", "n"),
    ];
    let profile = format!("[default]\nrole_arn = {ROLE}\nweb_identity_token_file = /u\n");
    let plan = chain(&profile, "", &variables).unwrap();
    let Base::WebIdentity(identity) = plan.base else {
        panic!("{plan:?}")
    };
    assert_eq!((&*identity.token_file, &*identity.role_arn), ("/t", ROLE));
    assert_eq!(identity.session_name.as_deref(), Some("n"));
    // For a profile that an option names, the environment does not count.
    let files = Files::of(&profile, "");
    let variable = |name: &str| (name == "AWS_WEB_IDENTITY_TOKEN_FILE").then(|| "/t".to_owned());
    let plan = of_profile(files.profile("default").unwrap(), &variable).unwrap();
    assert!(matches!(plan.base, Base::WebIdentity(identity) if identity.token_file == "/u"));
}

#[test]
fn a_profile_without_credentials_is_an_error_only_by_name() {
    let config = "[default]\nregion = eu-west-1\n";
    let message = refusal(named(config, "", "default"));
    assert!(
        message.contains("profile \"default\": no credentials"),
        "{message}"
    );
    assert_eq!(chain(config, "", &[]).unwrap().step, Step::InstanceMetadata);
    let container = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/")];
    assert_eq!(chain(config, "", &container).unwrap().step, Step::Container);
}

#[test]
fn a_line_outside_any_section_matters_if_nothing_is_found() {
    let message = refusal(chain("", KEYS, &[]));
    assert!(message.contains("CREDENTIALS, line 1: a setting above the first section"));
    let message = refusal(chain("[default]\nregion = x\n", "[default\nSECRET\n", &[]));
    assert!(
        message.contains("CREDENTIALS, line 1: `]` is missing"),
        "{message}"
    );
    let plan = chain("odd\n", &format!("[default]\n{KEYS}"), &[]).unwrap();
    assert_eq!(key(&plan), "AKID");
}

#[test]
fn a_login_session_comes_before_a_process_and_after_the_credentials_file() {
    let config = "[profile a]\nlogin_session = arn\ncredential_process = p\n";
    let plan = named(config, "", "a").unwrap();
    assert!(matches!(plan.base, Base::Login(login) if login.session == "arn"));
    let plan = named(config, &format!("[a]\n{KEYS}"), "a").unwrap();
    assert_eq!(plan.step, Step::CredentialsFile);
}
