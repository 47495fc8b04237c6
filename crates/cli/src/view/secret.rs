//! One secret as `secret ls` and `secret inspect` show it.

use crate::error::{CliError, Result};
use crate::format::time::{Time, since};
use crate::format::{Show, View};
use engine::Engine;
use engine::secrets::SecretRecord;
use gotmpl::Value;
use serde::Serialize;
use std::collections::BTreeMap;

/// A row of `secret ls`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Row {
    /// 25 digits.
    #[serde(rename = "ID")]
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// Always `file`.
    pub(crate) driver: String,
    /// When the first of this name was made.
    pub(crate) created_at: Time,
    /// When it got its value.
    pub(crate) updated_at: Time,
    #[serde(skip)]
    ages: (i64, i64),
}

impl View for Row {
    const HEADINGS: &'static [(&'static str, &'static str)] = &[("CreatedAt", "CREATED"), ("UpdatedAt", "UPDATED")];

    fn methods(&self, show: Show) -> Vec<(&'static str, Value)> {
        let ago = |second| Value::String(format!("{} ago", since(second, show.now)).as_str().into());
        vec![("CreatedAt", ago(self.ages.0)), ("UpdatedAt", ago(self.ages.1))]
    }
}

impl Row {
    /// As the store has it.
    pub(crate) fn of(record: &SecretRecord) -> Self {
        Self {
            id: record.id.clone(),
            name: record.name.clone(),
            driver: "file".to_owned(),
            created_at: Time::utc(record.created),
            updated_at: Time::utc(record.updated),
            ages: (record.created.as_second(), record.updated.as_second()),
        }
    }
}

/// A secret as `secret inspect` shows it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Secret {
    /// 25 digits.
    #[serde(rename = "ID")]
    id: String,
    /// When the first of this name was made.
    created_at: Time,
    /// When it got its value.
    updated_at: Time,
    /// What was asked for.
    spec: Spec,
    /// Its value, if that was asked for.
    #[serde(skip_serializing_if = "String::is_empty")]
    secret_data: String,
}

/// What was asked of a secret.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Spec {
    name: String,
    driver: Driver,
    labels: BTreeMap<String, String>,
}

/// Where a value is kept.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Driver {
    name: String,
    options: BTreeMap<String, String>,
}

impl View for Secret {
    const TIMES: &'static [&'static str] = &["CreatedAt", "UpdatedAt"];

    fn methods(&self, _: Show) -> Vec<(&'static str, Value)> {
        vec![("SecretData", Value::String(self.secret_data.as_str().into()))]
    }
}

impl Secret {
    /// As the store has it, with its value if that is asked for.
    pub(crate) fn of(record: &SecretRecord, engine: &Engine, with_value: bool) -> Result<Self> {
        let mut options = record.options.clone();
        options.insert("path".to_owned(), engine.secrets_path().display().to_string());
        let value = match with_value {
            true => String::from_utf8_lossy(&engine.secret_value(record).map_err(CliError::from)?).into_owned(),
            false => String::new(),
        };
        Ok(Self {
            id: record.id.clone(),
            created_at: Time::utc(record.created),
            updated_at: Time::utc(record.updated),
            spec: Spec {
                name: record.name.clone(),
                driver: Driver { name: "file".to_owned(), options },
                labels: record.labels.clone(),
            },
            secret_data: value,
        })
    }

    /// Lines for people, as podman writes them.
    pub(crate) fn pretty(&self) -> String {
        let labels: String = self.spec.labels.iter().map(|(name, value)| format!("\n - {name}={value}")).collect();
        let mut text = format!(
            "ID:              {}\nName:              {}\nLabels:          {labels}\nDriver:            {}\n\
             Created at:        {}\nUpdated at:        {}\n",
            self.id,
            self.spec.name,
            self.spec.driver.name,
            self.created_at.go(),
            self.updated_at.go()
        );
        if !self.secret_data.is_empty() {
            text.push_str(&format!("SecretData:        {}\n", self.secret_data));
        }
        text
    }
}
