//! Recognises GRANT and REVOKE of rds_iam by their text.
//!
//! A recognised statement runs as the superuser, so only two exact forms are recognised, without
//! options or comments. Any other statement runs with the rights of the current user.

/// The role whose members log in with tokens.
pub(super) const RDS_IAM: &str = "rds_iam";

/// Words that are not the name of a role. Some mean the current user: here, the superuser.
const NOT_NAMES: [&str; 5] = [
    "current_role",
    "current_user",
    "session_user",
    "public",
    "none",
];

/// Reports whether `query` is `GRANT rds_iam TO name, …` or `REVOKE rds_iam FROM name, …`.
pub(super) fn is_grant_of_rds_iam(query: &[u8]) -> bool {
    std::str::from_utf8(query).ok().and_then(parse).is_some()
}

fn parse(query: &str) -> Option<()> {
    let query = query.trim_ascii_end();
    let query = query.strip_suffix(';').unwrap_or(query);
    let (verb, rest) = name(query)?;
    let (role, rest) = name(rest)?;
    let (preposition, mut rest) = name(rest)?;
    let is_grant_or_revoke = matches!(
        (verb, preposition),
        (Name::Plain(verb), Name::Plain(preposition))
            if verb == "grant" && preposition == "to" || verb == "revoke" && preposition == "from"
    );
    if !is_grant_or_revoke || !role.is(RDS_IAM) {
        return None;
    }
    loop {
        let (grantee, after) = name(rest)?;
        if matches!(&grantee, Name::Plain(name) if NOT_NAMES.contains(&name.as_str())) {
            return None;
        }
        match after.trim_ascii_start() {
            "" => return Some(()),
            after => rest = after.strip_prefix(',')?,
        }
    }
}

/// An SQL word.
enum Name {
    /// Without quotes: a keyword or a name, in lower case.
    Plain(String),
    /// The text between double quotes, which is never a keyword.
    Quoted(String),
}

impl Name {
    fn is(&self, other: &str) -> bool {
        let (Self::Plain(name) | Self::Quoted(name)) = self;
        name == other
    }
}

/// Reads the next word. Returns it and the text after it.
fn name(text: &str) -> Option<(Name, &str)> {
    let text = text.trim_ascii_start();
    if let Some(quoted) = text.strip_prefix('"') {
        // A quote in a name is doubled. No role of RDS has one, so this is not accepted.
        let (name, rest) = quoted.split_once('"')?;
        return (!rest.starts_with('"')).then(|| (Name::Quoted(name.to_owned()), rest));
    }
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii();
    let end = text.find(|c| !inside(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let starts_well = !name.starts_with(|c: char| c.is_ascii_digit() || c == '$');
    (!name.is_empty() && starts_well).then(|| (Name::Plain(name.to_ascii_lowercase()), rest))
}

#[cfg(test)]
mod tests {
    use super::is_grant_of_rds_iam;

    #[test]
    fn the_usual_forms_are_recognised() {
        for query in [
            "GRANT rds_iam TO postgres",
            "grant RDS_IAM to postgres;",
            " REVOKE\n\trds_iam\nFROM postgres ; ",
            "GRANT \"rds_iam\" TO \"Max, the 1st\", other_1,é",
        ] {
            assert!(is_grant_of_rds_iam(query.as_bytes()), "{query}");
        }
    }

    #[test]
    fn nothing_else_is_recognised() {
        for query in [
            "",
            "GRANT",
            "GRANT rds_iam",
            "GRANT rds_iam TO",
            "GRANT rds_iam TO postgres,",
            "GRANT rds_iam FROM postgres",
            "REVOKE rds_iam TO postgres",
            "GRANT rds_superuser TO postgres",
            "GRANT rds_iam, pg_write_server_files TO postgres",
            "GRANT \"RDS_IAM\" TO postgres",
            "GRANT rds_iam TO postgres WITH ADMIN OPTION",
            "GRANT rds_iam TO postgres GRANTED BY rdsadmin",
            "GRANT rds_iam TO CURRENT_USER",
            "GRANT rds_iam TO a, session_user",
            "GRANT rds_iam TO public",
            "GRANT rds_iam TO postgres; DROP DATABASE testdb",
            "GRANT rds_iam TO postgres;;",
            "DROP DATABASE testdb; GRANT rds_iam TO postgres",
            "GRANT rds_iam TO postgres -- why",
            "GRANT rds_iam/**/TO postgres",
            "GRANT rds_iam TO \"postgres",
            "GRANT rds_iam TO \"a\"\"b\"",
            "\"GRANT\" rds_iam TO postgres",
            "GRANT rds_iam TO 1a",
        ] {
            assert!(!is_grant_of_rds_iam(query.as_bytes()), "{query}");
        }
    }
}
