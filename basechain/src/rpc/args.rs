//! Positional parameters, taken one after the other.

use super::error::RpcError;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub struct Args {
    values: std::vec::IntoIter<Value>,
    place: usize,
}

impl Args {
    pub fn new(values: Vec<Value>) -> Self {
        Self {
            values: values.into_iter(),
            place: 0,
        }
    }

    /// The next parameter; absent and null are the same.
    pub fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, RpcError> {
        let place = self.place;
        self.place += 1;
        match self.values.next() {
            None | Some(Value::Null) => Ok(None),
            Some(value) => serde_json::from_value(value)
                .map(Some)
                .map_err(|e| RpcError::params(format!("parameter {place} ({name}): {e}"))),
        }
    }

    pub fn required<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, RpcError> {
        let place = self.place;
        self.optional(name)?
            .ok_or_else(|| RpcError::params(format!("parameter {place} ({name}) is missing")))
    }

    /// Refuses what is left: a parameter that is ignored, such as a state override, would give a
    /// wrong answer.
    pub fn end(&mut self) -> Result<(), RpcError> {
        match self.values.find(|value| !value.is_null()) {
            None => Ok(()),
            Some(_) => Err(RpcError::params(format!(
                "more parameters than the {} that are supported",
                self.place
            ))),
        }
    }
}
