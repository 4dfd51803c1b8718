//! Reads PostgreSQL's description of a statement about roles, as its function `nodeToString` writes it.
//!
//! Since version 16 these descriptions are the same: `{GRANTROLESTMT :granted_roles ({ACCESSPRIV
//! :priv_name rds_iam …}) :is_grant true …}`. Spaces, tabs, line feeds and brackets in a text have
//! a backslash in front, other white space has none. `<>` is a null. The description has the password of a CREATE ROLE, so only names are copied.

/// What separates texts: the white space that PostgreSQL escapes within them, and no other.
const BLANKS: [char; 3] = [' ', '\n', '\t'];
/// How deep lists and nodes may be nested. A statement about roles needs 6.
const DEEPEST: usize = 16;

/// A statement about roles that names each of them: none is CURRENT_USER or PUBLIC.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Statement {
    /// GRANT or REVOKE of roles, without options and GRANTED BY.
    Grant { roles: Vec<String> },
    /// CREATE ROLE, USER or GROUP.
    Create {
        role: String,
        /// The names of PostgreSQL for the options, such as `canlogin`.
        options: Vec<String>,
        /// The roles after IN ROLE.
        member_of: Vec<String>,
    },
    /// ALTER of a role, also of its name.
    Alter { role: String },
    /// DROP of roles.
    Drop { roles: Vec<String> },
}

/// Reads the description of a statement. Returns `None` for any other statement.
pub(super) fn parse(description: &str) -> Option<Statement> {
    let mut reader = Reader { rest: description };
    let planned = reader.value(0)?;
    let statement = planned.node("PLANNEDSTMT")?.field("utilityStmt")?;
    let Value::Node(kind, fields) = statement else {
        return None;
    };
    let fields = Fields(fields);
    match *kind {
        "GRANTROLESTMT" => {
            let is_plain = fields.is_null("opt") && fields.is_null("grantor");
            fields.names("grantee_roles", role)?;
            let roles = fields.names("granted_roles", privilege)?;
            is_plain.then_some(Statement::Grant { roles })
        }
        "CREATEROLESTMT" => {
            let (mut options, mut member_of) = (Vec::new(), Vec::new());
            for option in fields.list("options")? {
                let option = option.node("DEFELEM")?;
                let name = option.text("defname")?;
                if name == "addroleto" {
                    member_of = option.names("arg", role)?;
                } else {
                    options.push(name);
                }
            }
            Some(Statement::Create {
                role: fields.text("role")?,
                options,
                member_of,
            })
        }
        "ALTERROLESTMT" | "ALTERROLESETSTMT" => Some(Statement::Alter {
            role: role(fields.field("role")?)?,
        }),
        // PostgreSQL tells the kind of what is renamed with the tag of the statement.
        "RENAMESTMT" => Some(Statement::Alter {
            role: fields.text("subname")?,
        }),
        "DROPROLESTMT" => Some(Statement::Drop {
            roles: fields.names("roles", role)?,
        }),
        _ => None,
    }
}

/// Returns the name of a role that is given as a name.
fn role(value: &Value<'_>) -> Option<String> {
    let node = value.node("ROLESPEC")?;
    (node.text("roletype")? == "0").then(|| node.text("rolename"))?
}

/// Returns the name of a granted role.
fn privilege(value: &Value<'_>) -> Option<String> {
    value.node("ACCESSPRIV")?.text("priv_name")
}

enum Value<'a> {
    /// A text with its backslashes.
    Text(&'a str),
    List(Vec<Value<'a>>),
    /// The type of a node, and its fields.
    Node(&'a str, Vec<(&'a str, Value<'a>)>),
}

impl<'a> Value<'a> {
    fn node(&self, kind: &str) -> Option<Fields<'_, 'a>> {
        match self {
            Self::Node(own, fields) if *own == kind => Some(Fields(fields)),
            _ => None,
        }
    }
}

struct Fields<'v, 'a>(&'v [(&'a str, Value<'a>)]);

impl<'v, 'a> Fields<'v, 'a> {
    fn field(&self, name: &str) -> Option<&'v Value<'a>> {
        let field = self.0.iter().find(|(own, _)| *own == name);
        field.map(|(_, value)| value)
    }

    fn is_null(&self, name: &str) -> bool {
        matches!(self.field(name), Some(Value::Text("<>")))
    }

    fn text(&self, name: &str) -> Option<String> {
        match self.field(name)? {
            Value::Text("<>") => None,
            Value::Text(text) => Some(unescaped(text)),
            _ => None,
        }
    }

    fn list(&self, name: &str) -> Option<&'v [Value<'a>]> {
        match self.field(name)? {
            Value::List(values) => Some(values),
            Value::Text("<>") => Some(&[]),
            _ => None,
        }
    }

    fn names(&self, name: &str, read: fn(&Value<'_>) -> Option<String>) -> Option<Vec<String>> {
        self.list(name)?.iter().map(read).collect()
    }
}

fn unescaped(text: &str) -> String {
    let mut characters = text.chars();
    let next = || match characters.next()? {
        '\\' => characters.next(),
        other => Some(other),
    };
    std::iter::from_fn(next).collect()
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Reads the next value. Returns `None` at the end and at a bracket that closes.
    fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        if depth > DEEPEST {
            return None;
        }
        if self.takes('(') {
            let mut values = Vec::new();
            while !self.takes(')') {
                values.push(self.value(depth + 1)?);
            }
            return Some(Value::List(values));
        }
        if !self.takes('{') {
            return self.text().map(Value::Text);
        }
        let (kind, mut fields) = (self.text()?, Vec::new());
        while !self.takes('}') {
            let name = self.text()?.strip_prefix(':')?;
            let value = self.value(depth + 1)?;
            // A set or an array has more than one text. None of them matters here.
            while !self.rest.trim_start_matches(BLANKS).starts_with([':', '}']) {
                self.value(depth + 1)?;
            }
            fields.push((name, value));
        }
        Some(Value::Node(kind, fields))
    }

    fn takes(&mut self, bracket: char) -> bool {
        let rest = self.rest.trim_start_matches(BLANKS).strip_prefix(bracket);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn text(&mut self) -> Option<&'a str> {
        let text = self.rest.trim_start_matches(BLANKS);
        let mut is_escaped = false;
        let end = text.find(|c: char| {
            let ends = !is_escaped && (BLANKS.contains(&c) || "(){}".contains(c));
            is_escaped = !is_escaped && c == '\\';
            ends
        });
        let (text, rest) = text.split_at(end.unwrap_or(text.len()));
        self.rest = rest;
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As PostgreSQL 16 to 18 describe a statement, in short.
    fn described(statement: &str) -> Option<Statement> {
        parse(&format!(
            "{{PLANNEDSTMT :commandType 5 :queryId 0 :planTree <> :relationOids <> :utilityStmt {statement} \
             :stmt_location 0 :stmt_len 0}}"
        ))
    }

    fn rolespec(roletype: u8, name: &str) -> String {
        format!("{{ROLESPEC :roletype {roletype} :rolename {name} :location 22}}")
    }

    fn grant(roles: &str, grantees: &str, end: &str) -> String {
        format!(
            "{{GRANTROLESTMT :granted_roles ({roles}) :grantee_roles ({grantees}) :is_grant true {end}}}"
        )
    }

    const PLAIN: &str = ":opt <> :grantor <> :behavior 0";
    const RDS_IAM: &str = "{ACCESSPRIV :priv_name rds_iam :cols <>}";

    #[test]
    fn a_plain_grant_is_recognised() {
        let roles = |names: &[&str]| Statement::Grant {
            roles: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        let iam_user = rolespec(0, "iam_user");
        assert_eq!(
            described(&grant(RDS_IAM, &iam_user, PLAIN)),
            Some(roles(&["rds_iam"]))
        );
        let two = format!(r"{RDS_IAM} {{ACCESSPRIV :priv_name Max\ \(M\) :cols <>}}");
        let parsed = described(&grant(&two, &format!("{iam_user} {iam_user}"), PLAIN));
        assert_eq!(parsed, Some(roles(&["rds_iam", "Max (M)"])));
    }

    #[test]
    fn a_grant_with_options_or_to_whoever_runs_it_is_not() {
        let iam_user = rolespec(0, "iam_user");
        for statement in [
            grant(RDS_IAM, &rolespec(1, "<>"), PLAIN),
            grant(RDS_IAM, &format!("{iam_user} {}", rolespec(2, "<>")), PLAIN),
            grant(RDS_IAM, &rolespec(0, "<>"), PLAIN),
            grant(
                RDS_IAM,
                &iam_user,
                ":opt ({DEFELEM :defname admin}) :grantor <>",
            ),
            grant(RDS_IAM, &iam_user, &format!(":opt <> :grantor {iam_user}")),
            grant("{ACCESSPRIV :priv_name <> :cols <>}", &iam_user, PLAIN),
            "{CREATESTMT :relation <>}".to_owned(),
            "<>".to_owned(),
        ] {
            assert_eq!(described(&statement), None, "{statement}");
        }
    }

    #[test]
    fn the_options_of_a_new_role_are_read_without_their_values() {
        let statement = format!(
            r#"{{CREATEROLESTMT :stmt_type 1 :role a\"b :options ({{DEFELEM :defnamespace <> :defname password
            :arg "x\ :role\ y}}" :defaction 0}} {{DEFELEM :defname addroleto :arg ({}) :defaction 0}})}}"#,
            rolespec(0, "rds_iam")
        )
        .replace("y}", r"y\}");
        let expected = Statement::Create {
            role: "a\"b".to_owned(),
            options: vec!["password".to_owned()],
            member_of: vec!["rds_iam".to_owned()],
        };
        assert_eq!(described(&statement), Some(expected));
    }

    #[test]
    fn altered_renamed_and_dropped_roles_are_named() {
        let roles = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let statement = format!(
            "{{DROPROLESTMT :roles ({} {}) :missing_ok false}}",
            rolespec(0, "a"),
            rolespec(0, "b")
        );
        assert_eq!(
            described(&statement),
            Some(Statement::Drop {
                roles: roles(&["a", "b"])
            })
        );
        for kind in ["ALTERROLESTMT", "ALTERROLESETSTMT"] {
            let statement =
                |roletype| format!("{{{kind} :role {} :action 1}}", rolespec(roletype, "a"));
            let parsed = described(&statement(0));
            assert_eq!(
                parsed,
                Some(Statement::Alter {
                    role: "a".to_owned()
                })
            );
            assert_eq!(described(&statement(3)), None);
        }
        let rename =
            "{RENAMESTMT :renameType 35 :relation <> :subname a :newname b :missing_ok false}";
        assert_eq!(
            described(rename),
            Some(Statement::Alter {
                role: "a".to_owned()
            })
        );
    }

    #[test]
    fn white_space_that_postgresql_does_not_escape_is_part_of_a_name() {
        for other in ['\r', '\u{b}', '\u{c}', '\u{85}', '\u{a0}', '\u{3000}'] {
            for name in [
                format!("{other}pg_execute_server_program"),
                format!("rds_iam{other}x"),
                format!("rds_iam{other}"),
            ] {
                let statement = format!(
                    "{{DROPROLESTMT :roles ({}) :missing_ok false}}",
                    rolespec(0, &name)
                );
                let roles = vec![name.clone()];
                assert_eq!(
                    described(&statement),
                    Some(Statement::Drop { roles }),
                    "{name:?}"
                );
            }
        }
    }

    #[test]
    fn a_description_that_is_cut_or_nested_too_deeply_is_not_recognised() {
        let whole = grant(RDS_IAM, &rolespec(0, "iam_user"), PLAIN);
        for end in 0..whole.len() {
            assert_eq!(parse(&whole[..end]), None);
        }
        assert_eq!(described(&"(".repeat(100_000)), None);
    }
}
