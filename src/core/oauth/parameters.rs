//! Request parameters: the defaults of RFC 6749, the provider's changes to them, and the two body formats.

use super::encode::form_encode;
use super::misconfigured::Misconfigured;
use super::provider::ParameterMap;
use super::secret_json::{SecretJson, scalar_text};
use super::template::Values;
use crate::secret::{SecretBytes, SecretString};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Filled-in parameters.
pub(super) struct Parameters(SecretJson);

impl Parameters {
    /// Fills the default templates, after the provider's changes: a value replaces or adds, null removes.
    pub fn new(
        defaults: &[(&str, &str)],
        changes: &ParameterMap,
        values: &Values,
    ) -> Result<Self, Misconfigured> {
        // In the order of their names, so that the same parameters always make the same request.
        let mut templates = BTreeMap::new();
        for (name, template) in defaults {
            templates.insert(name.to_string(), Value::from(*template));
        }
        for (name, template) in changes {
            templates.insert(name.clone(), template.clone());
        }
        templates.retain(|_, template| !template.is_null());
        let filled = fill(&Value::Object(templates.into_iter().collect()), values)?;
        Ok(Self(SecretJson(
            filled.unwrap_or_else(|| Value::Object(Map::new())),
        )))
    }

    /// As `application/x-www-form-urlencoded`.
    pub fn to_form(&self) -> Result<SecretString, Misconfigured> {
        let members = self.0.0.as_object().into_iter().flatten();
        let pairs: Result<Vec<_>, _> = members
            .map(|(name, value)| match scalar_text(value) {
                Some(text) => Ok((name.clone(), SecretString::new(text))),
                None => Err(Misconfigured::NestedParameter(name.clone())),
            })
            .collect();
        Ok(form_encode(&pairs?))
    }

    /// As a JSON object.
    pub fn to_json(&self) -> SecretBytes {
        // Escaping at most doubles a text without control characters, so the buffer does not grow and leave copies.
        let mut out = Vec::with_capacity(2 * size(&self.0.0) + 64);
        serde_json::to_writer(&mut out, &self.0.0).expect("writing JSON into memory does not fail");
        SecretBytes::from_vec(out)
    }
}

/// Fills every template in a JSON value; `None` for a text whose optional placeholder has no value.
fn fill(template: &Value, values: &Values) -> Result<Option<Value>, Misconfigured> {
    Ok(Some(match template {
        Value::String(text) => match values.fill(text)? {
            Some(filled) => Value::String(filled.expose().to_string()),
            None => return Ok(None),
        },
        Value::Array(items) => {
            let filled: Result<Vec<_>, _> = items.iter().map(|item| fill(item, values)).collect();
            Value::Array(filled?.into_iter().flatten().collect())
        }
        Value::Object(members) => {
            let mut filled = SecretJson(Value::Object(Map::new()));
            for (name, member) in members {
                if let (Some(value), Value::Object(out)) = (fill(member, values)?, &mut filled.0) {
                    out.insert(name.clone(), value);
                }
            }
            std::mem::take(&mut filled.0)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => template.clone(),
    }))
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| size(item) + 1).sum::<usize>() + 2,
        Value::Object(members) => {
            members
                .iter()
                .map(|(name, member)| name.len() + size(member) + 4)
                .sum::<usize>()
                + 2
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 24,
    }
}
