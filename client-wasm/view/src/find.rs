//! Where a word occurs in a long text.
//!
//! A place is looked at closely only if the word's two rarest bytes are where they belong. Where that is so
//! in a block is asked for all its places together.

/// How many places are looked at together.
const BLOCK: usize = u32::BITS as usize;

/// How much of a text is read to learn which bytes are rare in it.
const SAMPLE: usize = 1 << 14;

/// A word that is looked for.
pub struct Finder<'a> {
    word: &'a [u8],
    /// Where in the word its rarest byte is, and its second rarest one.
    rare: [usize; 2],
}

impl<'a> Finder<'a> {
    /// Prepares to look for `word` in texts like `text`.
    pub fn new(word: &'a [u8], text: &[u8]) -> Self {
        let mut counts = [0_u32; 256];
        for &byte in text.iter().take(SAMPLE) {
            counts[usize::from(byte)] += 1;
        }
        let mut rare = [0, word.len().saturating_sub(1)];
        let count = |at: usize| word.get(at).map_or(0, |&byte| counts[usize::from(byte)]);
        if count(rare[1]) < count(rare[0]) {
            rare.swap(0, 1);
        }
        for at in 1..word.len().saturating_sub(1) {
            if count(at) < count(rare[0]) {
                rare = [at, rare[0]];
            } else if count(at) < count(rare[1]) {
                rare[1] = at;
            }
        }
        Self { word, rare }
    }

    /// The first place of the word in `text`.
    pub fn find(&self, text: &[u8]) -> Option<usize> {
        let places = (text.len() + 1).checked_sub(self.word.len())?;
        let [first, second] = self.rare;
        let Some((&one, &two)) = self.word.get(first).zip(self.word.get(second)) else {
            return Some(0);
        };
        // Of a word that short, nothing else is left to look at.
        let is_at = |place: usize| self.word.len() <= 2 || text[place..].starts_with(self.word);
        let mut at = 0;
        while at + BLOCK <= places {
            let mut near = meet(&text[at + first..], &text[at + second..], one, two);
            while near != 0 {
                let place = at + near.trailing_zeros() as usize;
                if is_at(place) {
                    return Some(place);
                }
                near &= near - 1;
            }
            at += BLOCK;
        }
        (at..places).find(|&place| text[place..].starts_with(self.word))
    }
}

/// The places in a block where `one` is in the first text and `two` in the second, a bit for each.
#[cfg(not(target_feature = "simd128"))]
fn meet(ones: &[u8], twos: &[u8], one: u8, two: u8) -> u32 {
    let blocks = ones[..BLOCK].iter().zip(&twos[..BLOCK]);
    let both = |(&first, &second)| u32::from(first == one && second == two);
    blocks
        .rev()
        .fold(0, |places, bytes| places << 1 | both(bytes))
}

/// The same in a few instructions.
#[cfg(target_feature = "simd128")]
fn meet(ones: &[u8], twos: &[u8], one: u8, two: u8) -> u32 {
    use core::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_splat, v128, v128_and, v128_load};

    let half = |ones: &[u8; BLOCK / 2], twos: &[u8; BLOCK / 2]| {
        // SAFETY: each is as long as what is read, and reading needs no alignment.
        let (ones, twos): (v128, v128) = unsafe {
            (
                v128_load(ones.as_ptr().cast()),
                v128_load(twos.as_ptr().cast()),
            )
        };
        let both = v128_and(
            u8x16_eq(ones, u8x16_splat(one)),
            u8x16_eq(twos, u8x16_splat(two)),
        );
        u32::from(u8x16_bitmask(both))
    };
    let [ones, twos] = [ones, twos].map(|text| text.as_chunks().0);
    half(&ones[0], &twos[0]) | half(&ones[1], &twos[1]) << (BLOCK / 2)
}

/// Whether `word` is anywhere in `text`, which is short.
pub fn contains(text: &[u8], word: &[u8]) -> bool {
    let Some((&first, rest)) = word.split_first() else {
        return true;
    };
    let mut text = text;
    while let Some(at) = text.iter().position(|&byte| byte == first) {
        text = &text[at + 1..];
        if text.starts_with(rest) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(text: &[u8], word: &[u8]) -> Option<usize> {
        (0..=text.len()).find(|&at| text[at..].starts_with(word))
    }

    #[test]
    fn a_word_is_found_wherever_it_stands() {
        for length in 0..3 * BLOCK {
            for word in ["x", "xy", "xyz", "aax", "xaaaaaaaaaaa"] {
                for at in 0..=length {
                    let text = ["a".repeat(at), word.into(), "a".repeat(length - at)].concat();
                    let (text, word) = (text.as_bytes(), word.as_bytes());
                    let found = Finder::new(word, text).find(text);
                    assert_eq!(found, naive(text, word), "{word:?} in {text:?}");
                }
            }
        }
    }

    #[test]
    fn no_word_is_everywhere() {
        assert_eq!(Finder::new(b"", b"a").find(b"a"), Some(0));
        assert_eq!(Finder::new(b"", b"").find(b""), Some(0));
        assert!(contains(b"", b""));
    }

    proptest! {
        #[test]
        fn it_finds_what_looking_everywhere_finds(
            text in "[ab]{0,200}|[a-d]{0,200}",
            word in "[ab]{0,8}|[a-d]{0,40}",
            like in "[a-d]{0,9}",
        ) {
            let (text, word) = (text.as_bytes(), word.as_bytes());
            let wanted = naive(text, word);
            prop_assert_eq!(Finder::new(word, like.as_bytes()).find(text), wanted);
            prop_assert_eq!(contains(text, word), wanted.is_some());
        }
    }
}
