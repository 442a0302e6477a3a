//! Photos: a small PNG per user, drawn from the user's id, in every size Graph knows.
//!
//! The picture is a symmetric pattern of five by five fields in one colour on white. It is written by hand (PNG
//! specification, third edition) because one bit per pixel and stored blocks need no codec.

use axum::http::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::call::{Call, Reply};
use super::collection::{Collection, entity};
use super::error::GraphError;
use super::kinds;
use super::mailboxes::has_mailbox;
use super::people::Owner;
use super::permissions::PHOTO;

/// Sides of the squares (Graph documentation, "profilePhoto resource type").
const SIZES: [u32; 9] = [48, 64, 96, 120, 240, 360, 432, 504, 648];

/// `photo`, `photo/$value`, `photo/48x48/$value`, `photos`, `photos/48x48`, `photos/48x48/$value`: `rest` is what
/// follows the first word.
pub(super) fn answer(
    call: &Call<'_>,
    owner: &Owner,
    plural: bool,
    rest: &[&str],
) -> Result<Reply, GraphError> {
    call.only(&Method::GET, "GET")?;
    let user = owner.find(call, &PHOTO)?;
    if !has_mailbox(user) {
        return Err(GraphError::NoPhoto);
    }
    let of = format!("users('{}')/photo", user.id);
    match rest {
        [] if plural => {
            let rows = SIZES.iter().map(|&side| metadata(user.id, side)).collect();
            Collection::new(format!("{of}s"), &kinds::PHOTO, rows).answer(call, false)
        }
        [] => entity(call, &kinds::PHOTO, &of, metadata(user.id, 648)),
        ["$value"] if !plural => Ok(picture(user.id, 648)),
        [size] if *size != "$value" => entity(call, &kinds::PHOTO, &of, metadata(user.id, side(size)?)),
        [size, "$value"] => Ok(picture(user.id, side(size)?)),
        [.., last] => Err(call.no_such_path(last)),
    }
}

/// The largest size that is not above the one asked for.
fn side(asked: &str) -> Result<u32, GraphError> {
    let lower = asked.to_ascii_lowercase();
    let (width, height) = lower.split_once('x').ok_or(GraphError::NoPhoto)?;
    let number = |text: &str| text.parse::<u32>().map_err(|_| GraphError::NoPhoto);
    let asked = number(width)?.min(number(height)?);
    SIZES.iter().rev().copied().find(|&side| side <= asked).ok_or(GraphError::NoPhoto)
}

fn metadata(user: Uuid, side: u32) -> Value {
    let tag = u32::from_be_bytes([hash(user)[0], hash(user)[1], hash(user)[2], hash(user)[3]]);
    json!({
        "@odata.mediaContentType": "image/png",
        "@odata.mediaEtag": format!("\"{:08X}\"", tag ^ side),
        "id": format!("{side}x{side}"),
        "width": side,
        "height": side,
    })
}

fn picture(user: Uuid, side: u32) -> Reply {
    let tag = metadata(user, side)["@odata.mediaEtag"].as_str().unwrap_or_default().to_owned();
    Reply::bytes("image/png", png(&hash(user), side)).with("etag", tag)
}

fn hash(user: Uuid) -> [u8; 32] {
    Sha256::new().chain_update("photo").chain_update(user).finalize().into()
}

fn png(seed: &[u8; 32], side: u32) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut head = [side.to_be_bytes(), side.to_be_bytes()].concat();
    // One bit per pixel, palette, deflate, adaptive filter, not interlaced.
    head.extend([1, 3, 0, 0, 0]);
    chunk(&mut out, b"IHDR", &head);
    chunk(&mut out, b"PLTE", &[255, 255, 255, seed[0] / 2, seed[1] / 2, seed[2] / 2]);
    chunk(&mut out, b"IDAT", &zlib(&rows(seed, side)));
    chunk(&mut out, b"IEND", &[]);
    out
}

/// Filter byte 0, then eight pixels per byte, for each row.
fn rows(seed: &[u8; 32], side: u32) -> Vec<u8> {
    let mut rows = vec![];
    for y in 0..side {
        rows.push(0);
        for x8 in 0..side.div_ceil(8) {
            let bits = (0..8).map(|bit| u8::from(is_set(seed, side, x8 * 8 + bit, y)) << (7 - bit));
            rows.push(bits.sum());
        }
    }
    rows
}

fn is_set(seed: &[u8; 32], side: u32, x: u32, y: u32) -> bool {
    let (column, row) = ((x * 5 / side).min(4), y * 5 / side);
    let field = row * 3 + column.min(4 - column);
    seed.get(3 + field as usize).is_some_and(|byte| byte % 2 == 1)
}

/// Stored blocks (RFC 1950, RFC 1951 section 3.2.4).
fn zlib(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let blocks = data.chunks(65_535);
    let last = blocks.len().saturating_sub(1);
    for (i, block) in blocks.enumerate() {
        // A block is at most 65,535 bytes, so its length fits.
        let length = block.len() as u16;
        out.push(u8::from(i == last));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    let (a, b) = data.iter().fold((1_u32, 0_u32), |(a, b), &byte| {
        let a = (a + u32::from(byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    out.extend(((b << 16) | a).to_be_bytes());
    out
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    // The largest picture is 53 kB.
    out.extend((data.len() as u32).to_be_bytes());
    let from = out.len();
    out.extend(kind);
    out.extend(data);
    let crc = crc32(&out[from..]);
    out.extend(crc.to_be_bytes());
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_specification() {
        assert_eq!(crc32(b"IEND"), 0xae42_6082);
        assert_eq!(zlib(b"a")[8..], 0x0062_0062_u32.to_be_bytes());
    }
}
