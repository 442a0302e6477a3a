//! The wasi-front component: `wasi:http/incoming-handler` on the outside, our typed entry on the inside.
//!
//! For hosts that speak `wasi:http` and know nothing of Valet. It bounds and reads the request, numbers it, and writes the answer.
//! Fields that such hosts add from the client's own words (`spin-*`) are dropped here, so nothing behind can believe them.

mod bindings;

use bindings::exports::wasi::http::incoming_handler::Guest;
use bindings::valet::mcp::endpoint;
use bindings::wasi::http::types::{
    Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use bindings::wasi::io::streams::{OutputStream, StreamError};
use bindings::wasi::random::random;

/// Longest request body that is read, in bytes: the same as our host's default.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Bytes asked for in one read.
const READ_BYTES: u64 = 64 * 1024;

/// Most bytes that `blocking-write-and-flush` takes at once, by its definition.
const WRITE_BYTES: usize = 4096;

struct Component;

impl Guest for Component {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let answer = match read(&request) {
            Ok(request) => endpoint::handle(&request),
            Err(status) => {
                endpoint::Response { status, headers: Vec::new(), body: endpoint::Body::Whole(Vec::new()) }
            }
        };
        write(answer, out);
    }
}

/// The request as plain values, or the status that refuses it.
fn read(request: &IncomingRequest) -> Result<endpoint::Request, u16> {
    let method = match request.method() {
        Method::Get => "GET".to_owned(),
        Method::Post => "POST".to_owned(),
        Method::Head => "HEAD".to_owned(),
        Method::Put => "PUT".to_owned(),
        Method::Delete => "DELETE".to_owned(),
        Method::Connect => "CONNECT".to_owned(),
        Method::Options => "OPTIONS".to_owned(),
        Method::Trace => "TRACE".to_owned(),
        Method::Patch => "PATCH".to_owned(),
        Method::Other(name) => name,
    };
    let mut headers = Vec::new();
    for (name, value) in request.headers().entries() {
        let name = name.to_ascii_lowercase();
        let value = String::from_utf8(value).map_err(|_| 400_u16)?;
        if !value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)) {
            return Err(400);
        }
        if !name.starts_with("spin-") {
            headers.push((name, value));
        }
    }
    // Some hosts keep `Host` out of the fields and hand it over as the authority.
    if let Some(authority) = request.authority()
        && !headers.iter().any(|(name, _)| name == "host")
    {
        headers.push(("host".to_owned(), authority));
    }
    let body = read_body(request)?;
    let target = request.path_with_query().unwrap_or_else(|| "/".to_owned());
    Ok(endpoint::Request {
        method,
        target,
        headers,
        body,
        request_id: format!("{:016x}", random::get_random_u64()),
    })
}

fn read_body(request: &IncomingRequest) -> Result<Vec<u8>, u16> {
    let incoming = request.consume().map_err(|()| 500_u16)?;
    let stream = incoming.stream().map_err(|()| 500_u16)?;
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(READ_BYTES) {
            Ok(chunk) if body.len() + chunk.len() > MAX_BODY_BYTES => return Err(413),
            Ok(chunk) => body.extend(chunk),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(_)) => return Err(400),
        }
    }
    drop(stream);
    IncomingBody::finish(incoming);
    Ok(body)
}

fn write(answer: endpoint::Response, out: ResponseOutparam) {
    let entries: Vec<(String, Vec<u8>)> =
        answer.headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
    let fields = Fields::from_list(&entries).expect("the gateway writes well-formed fields");
    let response = OutgoingResponse::new(fields);
    response.set_status_code(answer.status).expect("the gateway writes valid status codes");
    let body = response.body().expect("a new response has its body");
    ResponseOutparam::set(out, Ok(response));

    let stream = body.write().expect("a new body has its stream");
    let sent = match answer.body {
        endpoint::Body::Whole(whole) => send(&stream, &whole),
        endpoint::Body::Growing(pieces) => {
            // Whoever has no more to send, and whoever cannot send any more, stops asking, and the work ends with `pieces`.
            let mut pieces = std::iter::from_fn(|| pieces.next());
            pieces.try_for_each(|piece| send(&stream, &piece))
        }
    };
    // A client that has gone away is no one's fault. A body that is not finished tells those behind it that something is missing.
    if sent.is_ok() {
        drop(stream);
        let _ = OutgoingBody::finish(body, None);
    }
}

/// Sends `bytes` and waits until they are on their way.
fn send(stream: &OutputStream, bytes: &[u8]) -> Result<(), StreamError> {
    bytes.chunks(WRITE_BYTES).try_for_each(|chunk| stream.blocking_write_and_flush(chunk))
}
