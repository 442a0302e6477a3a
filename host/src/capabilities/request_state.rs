//! `request-state`: seals what a client carries for us between two rounds of a request.

use super::Capabilities;
use crate::parts::bindings::request::valet::capability::request_state::{Host, Refusal};

impl Host for Capabilities {
    fn seal(&mut self, _: Vec<u8>, _: Vec<u8>, _: u32) -> Result<String, String> {
        Err("request state cannot be sealed yet".to_owned())
    }

    fn open(&mut self, _: String, _: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        Err(Refusal::Invalid)
    }
}
