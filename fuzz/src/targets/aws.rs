//! The files of the AWS CLI: the configuration, the credentials and the logins.

use rdsign::ErrorCode;
use rdsign::credentials::fuzz;

use super::first_line;
use crate::hidden::{check_hidden, secret_lines};

const SECRETS: [&str; 3] = [
    "aws_secret_access_key",
    "aws_session_token",
    "aws_security_token",
];

/// The first line is a profile, or empty. The second has variables, such as `AWS_PROFILE=a`, which tabs
/// separate. The config file follows and, after a line `----`, the credentials file.
pub(crate) fn aws_files(data: &[u8]) {
    let input = String::from_utf8_lossy(data);
    let (profile, rest) = first_line(&input);
    let (variables, texts) = first_line(rest);
    let variables: Vec<_> = variables
        .split('\t')
        .filter_map(|text| text.split_once('='))
        .collect();
    let (config, credentials) = texts.split_once("\n----\n").unwrap_or((texts, ""));
    sections_are_read_as_they_are_printed(config);
    let profile = Some(profile).filter(|profile| !profile.is_empty());
    let (secret, mut public) = secret_lines(texts, &SECRETS);
    public.push_str(
        input
            .split("----")
            .next()
            .unwrap()
            .lines()
            .next()
            .unwrap_or(""),
    );
    match fuzz::source(config, credentials, profile, &variables) {
        Ok((keys, whose)) => {
            check_hidden(&format!("{keys:?} {whose}"), &secret, &public);
            if let Some(keys) = keys {
                let given = keys.secret_access_key();
                assert!(!given.is_empty() && input.contains(given));
            }
        }
        Err(error) => {
            assert_ne!(error.code(), ErrorCode::Internal, "{error}");
            // A secret may have the same text as the name of a code.
            public.push_str(&format!("\n{:?}", error.code()));
            check_hidden(&format!("{error} {error:?}"), &secret, &public);
        }
    }
}

fn sections_are_read_as_they_are_printed(text: &str) {
    let Some(sections) = fuzz::sections(text) else {
        return;
    };
    let mut settings = sections.iter().flat_map(|(_, settings)| settings);
    if settings.any(|(_, value)| value.contains('\n')) {
        return;
    }
    let print = |(name, settings): &(String, Vec<(String, String)>)| {
        let settings = settings
            .iter()
            .map(|(name, value)| format!("{name} = {value}\n"));
        format!("[{name}]\n{}", settings.collect::<String>())
    };
    let printed: String = sections.iter().map(print).collect();
    assert_eq!(fuzz::sections(&printed), Some(sections), "{printed}");
}

/// The input is a file that `aws login` or `aws sso login` saved.
pub(crate) fn aws_logins(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match fuzz::login(data) {
        Ok(keys) => {
            let shown = format!("{keys:?}");
            check_hidden(&shown, keys.secret_access_key(), keys.access_key_id());
            check_hidden(&shown, keys.session_token().unwrap(), keys.access_key_id());
            assert!(keys.expiry().is_some());
        }
        Err(problem) => check_hidden(&problem, &text, ""),
    }
    match fuzz::sso_login(data) {
        Ok((token, _)) => assert!(!token.is_empty()),
        Err(problem) => check_hidden(&problem, &text, ""),
    }
}
