//! Checks that an output shows no secret.
//!
//! Up to 15 characters of a secret may be shown: see `LONGEST_PIECE` in core. Only runs of letters and
//! digits count, because no sentence of rdsign's has a run of 16. Lower-case letters alone are a word,
//! which `inspect` shows.

use std::collections::HashSet;

const TOO_LONG: usize = 16;

/// Panics if the output shows a piece of the secret that is not in `public`, too.
pub(crate) fn check_hidden(output: &str, secret: &str, public: &str) {
    let mut secrets = runs(secret).peekable();
    if secrets.peek().is_none() {
        return;
    }
    let shown: HashSet<&[u8]> = runs(output).collect();
    let public: HashSet<&[u8]> = runs(public).collect();
    for run in secrets {
        let is_shown = shown.contains(run) && !public.contains(run);
        let run = String::from_utf8_lossy(run);
        assert!(!is_shown, "{run} of a secret is shown in: {output}");
    }
}

fn runs(text: &str) -> impl Iterator<Item = &[u8]> {
    let windows = text.as_bytes().windows(TOO_LONG);
    windows.filter(|run| {
        run.iter().all(u8::is_ascii_alphanumeric) && !run.iter().all(u8::is_ascii_lowercase)
    })
}

/// Separates lines that set one of the fields from all others.
pub(crate) fn secret_lines(text: &str, fields: &[&str]) -> (String, String) {
    let (mut secret, mut public) = (String::new(), String::new());
    for line in text.split(['\n', '\r']) {
        let value = line.split_once(['=', ':']).and_then(|(name, value)| {
            let name = name.trim().to_lowercase();
            fields.contains(&name.as_str()).then_some(value)
        });
        match value {
            Some(value) => secret += &format!("{value}\n"),
            None => public += &format!("{line}\n"),
        }
    }
    (secret, public)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_characters_of_a_secret_are_too_many() {
        let secret = "x/0123456789abcdefg";
        let shown =
            |output, public| std::panic::catch_unwind(|| check_hidden(output, secret, public));
        assert!(shown("0123456789abcdef", "").is_err());
        assert!(shown("key 123456789abcdefg.", "").is_err());
        assert!(shown("0123456789abcde", "").is_ok());
        assert!(shown("0123456789abcdef", "a 0123456789abcdefg").is_ok());
        let word = "abcdefghijklmnopqrs";
        check_hidden(word, word, "");
    }

    #[test]
    fn the_lines_of_secrets_are_found() {
        let text = "a = 1\n  Secret : 2=3\r\nsecret=4\nsecrets = 5";
        let expected = (" 2=3\n4\n".to_owned(), "a = 1\n\nsecrets = 5\n".to_owned());
        assert_eq!(secret_lines(text, &["secret"]), expected);
    }
}
