//! Outbound HTTP: one base URL a capability, over `wasi:http/outgoing-handler`.

use crate::bindings::exports::valet::capability::{
    egress_authority, egress_custodian, egress_graph, egress_keys, http,
};
use crate::bindings::wasi::http::outgoing_handler;
use crate::bindings::wasi::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions,
    Scheme,
};
use crate::bindings::wasi::io::streams::StreamError;
use crate::{Component, configured};

/// Longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// Time to connect, in nanoseconds. Hosts' own defaults are minutes.
const CONNECT: u64 = 5_000_000_000;
/// Time to the first byte of an answer and between two bytes, in nanoseconds.
const FIRST_BYTE: u64 = 15_000_000_000;
/// The same for the custodian, which answers when it has asked Entra and then Graph, each of which is waited for that long.
const CUSTODIAN_FIRST_BYTE: u64 = 60_000_000_000;
/// Bytes asked for in one read.
const READ_BYTES: u64 = 64 * 1024;
/// Most bytes that `blocking-write-and-flush` takes at once, by its definition.
const WRITE_BYTES: usize = 4096;

impl egress_keys::Guest for Component {
    fn send(request: http::Request) -> Result<http::Response, http::Failure> {
        if request.method != "GET" {
            return Err(http::Failure::Denied("egress-keys sends GET only".to_owned()));
        }
        send("authority", FIRST_BYTE, request)
    }
}

impl egress_authority::Guest for Component {
    fn send(request: http::Request) -> Result<http::Response, http::Failure> {
        send("authority", FIRST_BYTE, request)
    }
}

impl egress_graph::Guest for Component {
    fn send(request: http::Request) -> Result<http::Response, http::Failure> {
        send("graph_url", FIRST_BYTE, request)
    }
}

impl egress_custodian::Guest for Component {
    fn send(request: http::Request) -> Result<http::Response, http::Failure> {
        send("custodian_url", CUSTODIAN_FIRST_BYTE, request)
    }
}

/// Sends `request` if it lies below the base URL that `setting` names. `first_byte` is waited for the answer to begin, in nanoseconds.
fn send(setting: &str, first_byte: u64, request: http::Request) -> Result<http::Response, http::Failure> {
    let denied = || http::Failure::Denied(format!("setting `{setting}` does not cover this URL"));
    let base = configured(setting).ok().flatten().ok_or_else(denied)?;
    let path = request.url.strip_prefix(&base).filter(|path| path.starts_with('/')).ok_or_else(denied)?;
    let (scheme, authority) = base.split_once("://").ok_or_else(denied)?;
    let outgoing = outgoing(&request, scheme, authority, path).ok_or_else(denied)?;
    // A body that is taken is sent chunked, even an empty one, which not every server accepts with GET.
    let body = (!request.body.is_empty()).then(|| outgoing.body().expect("a new request has its body"));

    let options = RequestOptions::new();
    for set in [
        options.set_connect_timeout(Some(CONNECT)),
        options.set_first_byte_timeout(Some(first_byte)),
        options.set_between_bytes_timeout(Some(FIRST_BYTE)),
    ] {
        // A host without that option keeps its own limit.
        let _ = set;
    }
    let future = outgoing_handler::handle(outgoing, Some(options)).map_err(failure)?;
    // A request that was refused cannot be written either, and the answer says why.
    let written = body.map_or(Ok(()), |body| write(body, &request.body));
    future.subscribe().block();
    let answer = future.get().expect("its pollable is ready").expect("it is taken once").map_err(failure)?;
    written?;
    read(answer)
}

fn outgoing(request: &http::Request, scheme: &str, authority: &str, path: &str) -> Option<OutgoingRequest> {
    let mut fields: Vec<(String, Vec<u8>)> =
        request.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
    if !request.body.is_empty() {
        fields.push(("content-length".to_owned(), request.body.len().to_string().into_bytes()));
    }
    let outgoing = OutgoingRequest::new(Fields::from_list(&fields).ok()?);
    let method = match request.method.as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        other => Method::Other(other.to_owned()),
    };
    let scheme = match scheme {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        _ => return None,
    };
    outgoing.set_method(&method).ok()?;
    outgoing.set_scheme(Some(&scheme)).ok()?;
    outgoing.set_authority(Some(authority)).ok()?;
    outgoing.set_path_with_query(Some(path)).ok()?;
    Some(outgoing)
}

fn write(body: OutgoingBody, bytes: &[u8]) -> Result<(), http::Failure> {
    let broke_off = || http::Failure::Protocol("the request could not be written".to_owned());
    let stream = body.write().map_err(|()| broke_off())?;
    for chunk in bytes.chunks(WRITE_BYTES) {
        stream.blocking_write_and_flush(chunk).map_err(|_| broke_off())?;
    }
    drop(stream);
    OutgoingBody::finish(body, None).map_err(failure)
}

fn read(answer: IncomingResponse) -> Result<http::Response, http::Failure> {
    let broke_off = || http::Failure::Protocol("the answer could not be read".to_owned());
    let headers = answer
        .headers()
        .entries()
        .into_iter()
        .filter(|(_, value)| value.iter().all(|byte| (b' '..=b'~').contains(byte)))
        .filter_map(|(name, value)| Some((name.to_ascii_lowercase(), String::from_utf8(value).ok()?)))
        .collect();
    let status = answer.status();
    let incoming = answer.consume().map_err(|()| broke_off())?;
    let stream = incoming.stream().map_err(|()| broke_off())?;
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(READ_BYTES) {
            Ok(chunk) if body.len() + chunk.len() > MAX_ANSWER_BYTES => return Err(http::Failure::TooLarge),
            Ok(chunk) => body.extend(chunk),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(_)) => return Err(broke_off()),
        }
    }
    drop(stream);
    IncomingBody::finish(incoming);
    Ok(http::Response { status, headers, body })
}

fn failure(code: ErrorCode) -> http::Failure {
    match code {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => {
            http::Failure::Denied("the runtime's list of allowed hosts does not cover this URL".to_owned())
        }
        ErrorCode::ConnectionTimeout | ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => {
            http::Failure::TimedOut
        }
        ErrorCode::DnsError(_)
        | ErrorCode::DnsTimeout
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::ConnectionRefused
        | ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => http::Failure::Unreachable(format!("{code:?}")),
        // From a host that reads the whole answer before it hands it on, within a limit of its own.
        ErrorCode::HttpResponseBodySize(_) => http::Failure::TooLarge,
        other => http::Failure::Protocol(format!("{other:?}")),
    }
}
