//! The configuration as a text to change: comments, order and spaces stay.

use rdsign::verify::AccessKey;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, TableLike, Value};

const KEYS: &str = "access_keys";
const GRANTS: &str = "iam_grants";
const TO: &str = "to";

/// The TOML of a configuration that [`Config`](super::Config) accepts.
pub(crate) struct Document(DocumentMut);

impl Document {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parsed = text.parse().map(Self);
        parsed.map_err(|_| "cannot be edited: not the TOML of a configuration".to_owned())
    }

    pub(crate) fn text(&self) -> String {
        self.0.to_string()
    }

    pub(crate) fn set_clock_offset(&mut self, seconds: i64) {
        set(
            self.0.as_table_mut(),
            "clock_offset_seconds",
            seconds.into(),
        );
    }

    /// Returns the table of a key.
    pub(crate) fn key(&mut self, access_key_id: &str) -> Result<&mut Table, String> {
        let keys = tables(&mut self.0, KEYS)?;
        let mut found = keys.iter_mut().filter(|key| is_key(key, access_key_id));
        found.next().ok_or_else(unknown_key)
    }

    /// Returns the tables of all keys.
    pub(crate) fn keys(&mut self) -> Result<impl Iterator<Item = &mut Table>, String> {
        tables(&mut self.0, KEYS).map(ArrayOfTables::iter_mut)
    }

    pub(crate) fn add_key(&mut self, key: &NewKey<'_>) -> Result<(), String> {
        let mut table = Table::new();
        key.write(&mut table);
        if let Some(time) = key.expires_at {
            set_expiry(&mut table, time)?;
        }
        set_policies(&mut table, key.policies.iter().copied());
        tables(&mut self.0, KEYS)?.push(table);
        for role in key.granted {
            let mut grant = Table::new();
            set(&mut grant, "role", (*role).into());
            set(&mut grant, TO, Array::from_iter([key.access_key_id]).into());
            tables(&mut self.0, GRANTS)?.push(grant);
        }
        Ok(())
    }

    /// Removes a key, and its grants.
    pub(crate) fn remove_key(&mut self, access_key_id: &str) -> Result<(), String> {
        let keys = tables(&mut self.0, KEYS)?;
        let place = keys.iter().position(|key| is_key(key, access_key_id));
        keys.remove(place.ok_or_else(unknown_key)?);
        self.change_grants(|to| to.retain(|id| id.as_str() != Some(access_key_id)))?;
        let grants = tables(&mut self.0, GRANTS)?;
        grants.retain(|grant| {
            !grant
                .get(TO)
                .and_then(Item::as_array)
                .is_some_and(Array::is_empty)
        });
        if grants.is_empty() {
            self.0.remove(GRANTS);
        }
        Ok(())
    }

    /// Gives a key another ID and secrets. Its policies and grants stay.
    pub(crate) fn replace_key(&mut self, old: &AccessKey, new: &NewKey<'_>) -> Result<(), String> {
        let old = old.credentials.access_key_id();
        let key = self.key(old)?;
        new.write(key);
        key.remove("expires_at");
        self.change_grants(|to| {
            for id in to.iter_mut().filter(|id| id.as_str() == Some(old)) {
                replace(id, new.access_key_id.into());
            }
        })
    }

    fn change_grants(&mut self, mut change: impl FnMut(&mut Array)) -> Result<(), String> {
        if self.0.contains_key(GRANTS) {
            for grant in tables(&mut self.0, GRANTS)?.iter_mut() {
                grant
                    .get_mut(TO)
                    .and_then(Item::as_array_mut)
                    .map(&mut change);
            }
        }
        Ok(())
    }
}

/// What to write about a key.
#[derive(Default)]
pub(crate) struct NewKey<'a> {
    pub(crate) access_key_id: &'a str,
    pub(crate) secret_access_key: &'a str,
    pub(crate) session_token: Option<&'a str>,
    /// As in RFC 3339.
    pub(crate) expires_at: Option<&'a str>,
    pub(crate) policies: &'a [&'a str],
    /// The roles of DSQL that it may be.
    pub(crate) granted: &'a [&'a str],
}

impl NewKey<'_> {
    fn write(&self, key: &mut Table) {
        set(key, "access_key_id", self.access_key_id.into());
        set(key, "secret_access_key", self.secret_access_key.into());
        if let Some(token) = self.session_token {
            set(key, "session_token", token.into());
        }
    }
}

pub(crate) fn set_expiry(key: &mut Table, time: &str) -> Result<(), String> {
    let time: toml_edit::Datetime = time
        .parse()
        .map_err(|_| "expires_at: accepted: a time such as 2026-01-01T00:00:00Z".to_owned())?;
    set(key, "expires_at", time.into());
    Ok(())
}

pub(crate) fn set_policies<'a>(key: &mut Table, policies: impl Iterator<Item = &'a str>) {
    set(key, "policies", Array::from_iter(policies).into());
}

/// Adds a policy to a key that does not have it.
pub(crate) fn add_policy(key: &mut Table, policy: &str) {
    match key.get_mut("policies").and_then(Item::as_array_mut) {
        Some(policies) if !policies.iter().any(|one| one.as_str() == Some(policy)) => {
            policies.push(policy);
        }
        Some(_) => {}
        None => set_policies(key, std::iter::once(policy)),
    }
}

pub(crate) fn remove_policy(key: &mut Table, policy: &str) {
    if let Some(policies) = key.get_mut("policies").and_then(Item::as_array_mut) {
        policies.retain(|one| one.as_str() != Some(policy));
    }
}

/// What is wrong with an ID that no key has.
pub(crate) fn unknown_key() -> String {
    "access_key_id: no such key in the configuration".to_owned()
}

fn is_key(key: &Table, access_key_id: &str) -> bool {
    key.get("access_key_id").and_then(Item::as_str) == Some(access_key_id)
}

/// Returns an array of tables, which is created if missing.
fn tables<'a>(document: &'a mut DocumentMut, name: &str) -> Result<&'a mut ArrayOfTables, String> {
    let item = document
        .entry(name)
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    // access_keys = [{ … }] is accepted too.
    if item.is_value() {
        let inline = std::mem::take(item);
        *item = inline
            .into_array_of_tables()
            .map_or_else(|other| other, Item::ArrayOfTables);
    }
    item.as_array_of_tables_mut()
        .ok_or_else(|| format!("{name}: accepted: tables, [[{name}]]"))
}

/// Sets a value. The comment after an old one stays.
fn set(table: &mut dyn TableLike, name: &str, value: Value) {
    match table.get_mut(name).and_then(Item::as_value_mut) {
        Some(old) => replace(old, value),
        None => {
            table.insert(name, Item::Value(value));
        }
    }
}

fn replace(old: &mut Value, new: Value) {
    let decor = old.decor().clone();
    *old = new;
    *old.decor_mut() = decor;
}
