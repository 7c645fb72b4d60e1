//! The list of features that a compiled module says it uses, which decides how `wasm-bindgen` binds it: with reference types,
//! JavaScript's values live in a table of the module; without, in an array of the bindings. Only the latter can do without
//! WebAssembly.
//!
//! What must stay true: nothing but that list changes.

use std::ops::Range;

const MAGIC: &[u8] = b"\0asm\x01\0\0\0";
const CUSTOM: u8 = 0;
const FEATURES: &[u8] = b"\x0ftarget_features";

/// The module with an empty list of features; `None` if it is no module or has no list.
pub(crate) fn withdrawn(module: &[u8]) -> Option<Vec<u8>> {
    let list = sections(module)?
        .into_iter()
        .find(|Section { id, body, .. }| {
            *id == CUSTOM && module[body.clone()].starts_with(FEATURES)
        })?;
    let mut empty = vec![CUSTOM, u8::try_from(FEATURES.len() + 1).ok()?];
    empty.extend_from_slice(FEATURES);
    empty.push(0);
    let before = &module[..list.start];
    let after = &module[list.body.end..];
    Some([before, &empty, after].concat())
}

struct Section {
    start: usize,
    id: u8,
    body: Range<usize>,
}

/// The module's sections in order; `None` if it ends in the middle of one.
fn sections(module: &[u8]) -> Option<Vec<Section>> {
    let mut at = module.starts_with(MAGIC).then_some(MAGIC.len())?;
    let mut found = Vec::new();
    while at < module.len() {
        let (length, size) = leb128(module.get(at + 1..)?)?;
        let begin = at + 1 + size;
        let body = begin..begin.checked_add(length)?;
        module.get(body.clone())?;
        found.push(Section {
            start: at,
            id: module[at],
            body: body.clone(),
        });
        at = body.end;
    }
    Some(found)
}

/// An unsigned number of at most 32 bits, and how many bytes it takes.
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, index + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(id: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![id];
        let length = body.len();
        // Padded to two bytes, as linkers write it.
        bytes.push(u8::try_from(length % 128).expect("seven bits") | 0x80);
        bytes.push(u8::try_from(length / 128).expect("a short section"));
        bytes.extend_from_slice(body);
        bytes
    }

    fn module(parts: &[Vec<u8>]) -> Vec<u8> {
        [MAGIC.to_vec(), parts.concat()].concat()
    }

    #[test]
    fn only_the_list_is_emptied() {
        let code = section(10, &[7; 200]);
        let name = section(CUSTOM, b"\x04namexyz");
        let list = section(CUSTOM, b"\x0ftarget_features\x01+\x0freference-types");
        let empty = [&[CUSTOM, 17], FEATURES, &[0]].concat();
        assert_eq!(
            withdrawn(&module(&[code.clone(), list, name.clone()])),
            Some(module(&[code, empty, name])),
        );
    }

    #[test]
    fn what_is_no_module_of_rustcs_is_told_apart() {
        assert_eq!(withdrawn(b"no module"), None);
        assert_eq!(withdrawn(&module(&[section(10, &[1])])), None);
        let list = section(CUSTOM, b"\x0ftarget_features\0");
        let whole = module(&[list]);
        assert_eq!(withdrawn(&whole[..whole.len() - 1]), None);
    }
}
