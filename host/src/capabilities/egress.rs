//! `egress-keys`, `egress-authority` and `egress-graph`: one sender each; and `egress-metadata`.

use super::Capabilities;
use crate::egress::{self, Sender};
use crate::parts::bindings::authorization::valet::capability::egress_metadata;
use crate::parts::bindings::custodian::valet::capability::{egress_authority, egress_graph};
use crate::parts::bindings::identity::valet::capability::egress_keys;
use crate::parts::bindings::identity::valet::capability::http::{Failure, Host, Request, Response};

impl Host for Capabilities {}

impl egress_keys::Host for Capabilities {
    async fn send(&mut self, request: Request) -> Result<Response, Failure> {
        if request.method != "GET" {
            return Err(Failure::Denied("egress-keys sends GET only".to_owned()));
        }
        send(&self.lent.keys, request).await
    }
}

impl egress_authority::Host for Capabilities {
    async fn send(&mut self, request: Request) -> Result<Response, Failure> {
        send(&self.lent.authority, request).await
    }
}

impl egress_graph::Host for Capabilities {
    async fn send(&mut self, request: Request) -> Result<Response, Failure> {
        send(&self.lent.graph, request).await
    }
}

impl egress_metadata::Host for Capabilities {
    async fn get(&mut self, url: String) -> Result<Response, egress_metadata::Failure> {
        match self.lent.documents.get(&url).await {
            Some(fetched) => answer(fetched).map_err(egress_metadata::Failure::Failed),
            None => Err(egress_metadata::Failure::Busy),
        }
    }
}

async fn send(sender: &Sender, request: Request) -> Result<Response, Failure> {
    let Request { method, url, headers, body } = request;
    answer(sender.send(egress::Request { method, url, headers, body }).await)
}

fn answer(answer: Result<egress::Response, egress::Failure>) -> Result<Response, Failure> {
    match answer {
        Ok(egress::Response { status, headers, body }) => Ok(Response { status, headers, body }),
        Err(egress::Failure::Denied(why)) => Err(Failure::Denied(why)),
        Err(egress::Failure::Unreachable(why)) => Err(Failure::Unreachable(why)),
        Err(egress::Failure::TimedOut) => Err(Failure::TimedOut),
        Err(egress::Failure::TooLarge) => Err(Failure::TooLarge),
        Err(egress::Failure::Protocol(why)) => Err(Failure::Protocol(why)),
    }
}
