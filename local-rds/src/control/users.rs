//! Creates and drops users and databases.

use rdsign::policy::quoted_identifier;
use serde_json::{Value, json};

use super::database::{self, OWN, Session, SqlError, literal, same_rights};
use super::describe::describe_environment;
use super::{Control, Failure};
use crate::config::default::{random_text, random_text_of};
use crate::environment::Environment;

/// The longest name of PostgreSQL, in bytes.
const LONGEST_NAME: usize = 63;

impl Control {
    /// Creates a user who logs in with a token, or with a password.
    pub(super) fn create_user(
        &self,
        user: Option<String>,
        iam: bool,
        password: Option<String>,
    ) -> Result<Value, Failure> {
        if iam && password.is_some() {
            return Err("password: a user with iam has none; accepted: with \"iam\": false".into());
        }
        let user = name("user", user)?;
        let password = match (iam, password) {
            (true, _) => None,
            (false, Some(password)) => Some(password),
            (false, None) => Some(random()?),
        };
        let session = self.session(OWN)?;
        let created = self.create_role(&session, &user, password.as_deref());
        session.close();
        created?;
        Ok(json!({"user": user, "password": password}))
    }

    fn create_role(
        &self,
        session: &Session,
        user: &str,
        password: Option<&str>,
    ) -> Result<(), SqlError> {
        for statement in database::create_user(user, password) {
            session.run(&statement)?;
        }
        self.remember(&[user.to_owned()]);
        Ok(())
    }

    pub(super) fn drop_user(&self, user: &str) -> Result<(), Failure> {
        self.sql(OWN, &format!("DROP USER {}", quoted_identifier(user)))?;
        self.forget(user);
        Ok(())
    }

    /// Creates a database from a template, a user unless there is one, and a key with which that user logs in.
    pub(super) fn create_database(
        &self,
        database: Option<String>,
        user: Option<String>,
        template: Option<String>,
    ) -> Result<Value, Failure> {
        let config = self.config()?;
        let database = name("database", database)?;
        let user = name("user", Some(user.unwrap_or_else(|| database.clone())))?;
        let template = template.unwrap_or_else(|| self.default_database(&config));
        let session = self.session(OWN)?;
        let made = self.make_database(&session, &database, &user, &template);
        session.close();
        let key = made?;
        let config = self.config()?;
        let id = key["access_key_id"].as_str().unwrap_or_default();
        let (user, database) = (Some(&*user), Some(&*database));
        let environment =
            Environment::of_login(&config, &self.places(), config.key(id), user, database);
        Ok(json!({
            "database": database,
            "user": user,
            "access_key": key,
            "environment": describe_environment(&environment),
        }))
    }

    /// Returns the new key. Leaves nothing behind if a step fails.
    fn make_database(
        &self,
        session: &Session,
        database: &str,
        user: &str,
        template: &str,
    ) -> Result<Value, Failure> {
        let exists = format!("SELECT FROM pg_roles WHERE rolname = {}", literal(user));
        let is_new = session.run(&exists)?.rows.is_empty();
        if is_new {
            session.run(&database::create_visible_user(user))?;
            self.remember(&[user.to_owned()]);
        }
        let create = || -> Result<Value, Failure> {
            let (name, from) = (quoted_identifier(database), quoted_identifier(template));
            session.run(&format!("CREATE DATABASE {name} TEMPLATE {from}"))?;
            let finish = || -> Result<Value, Failure> {
                let mut statements = same_rights(template, user);
                if is_new {
                    statements += &database::finish_visible_user(user);
                }
                self.sql(database, &statements)?;
                self.create_key(&[user.to_owned()], false, None)
            };
            finish().inspect_err(|_| {
                let _ = session.run(&drop_statement(database));
            })
        };
        create().inspect_err(|_| {
            if is_new {
                let _ = session.run(&format!("DROP USER {}", quoted_identifier(user)));
                self.forget(user);
            }
        })
    }

    /// Drops a database and its sessions, and a user and a key if they are given.
    pub(super) fn drop_database(
        &self,
        database: &str,
        user: Option<&str>,
        access_key_id: Option<&str>,
    ) -> Result<(), Failure> {
        let session = self.session(OWN)?;
        let dropped = session.run(&drop_statement(database));
        // A user who owns objects elsewhere stays, but the key goes with the database.
        let more = user.filter(|_| dropped.is_ok()).map(|user| {
            let dropped = session.run(&format!("DROP USER {}", quoted_identifier(user)));
            dropped.inspect(|_| self.forget(user))
        });
        session.close();
        dropped?;
        access_key_id.map_or(Ok(()), |id| self.remove_key(id))?;
        more.transpose()?;
        Ok(())
    }
}

fn drop_statement(database: &str) -> String {
    format!("DROP DATABASE {} WITH (FORCE)", quoted_identifier(database))
}

/// Returns a new password.
fn random() -> Result<String, Failure> {
    Ok(random_text(24).map_err(|error| error.to_string())?)
}

/// Checks a name, or makes up a new one.
fn name(member: &str, given: Option<String>) -> Result<String, Failure> {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";
    let Some(given) = given else {
        let random = random_text_of(10, LETTERS).map_err(|error| error.to_string())?;
        return Ok(format!("test_{random}"));
    };
    match given.is_empty() || given.len() > LONGEST_NAME || given.contains(char::is_control) {
        true => Err(format!(
            "{member}: accepted: 1 to {LONGEST_NAME} bytes without control characters"
        )
        .into()),
        false => Ok(given),
    }
}
