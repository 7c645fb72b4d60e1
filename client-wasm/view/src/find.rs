//! Where a word occurs in a long text.
//!
//! A place is looked at closely only if the word's two rarest bytes are where they belong. Whether that is so anywhere in
//! a block is asked in a form that the compiler turns into a few vector instructions.

/// How many places are looked at together.
const BLOCK: usize = 32;

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
        let is_at = |place: usize| text[place..].starts_with(self.word);
        let [first, second] = self.rare;
        let Some((&one, &two)) = self.word.get(first).zip(self.word.get(second)) else {
            return Some(0);
        };
        let mut at = 0;
        while at + BLOCK <= places {
            let ones = &text[at + first..][..BLOCK];
            let twos = &text[at + second..][..BLOCK];
            if meet(ones, twos, one, two) {
                let candidates = (0..BLOCK).filter(|&near| ones[near] == one && twos[near] == two);
                let found = candidates.map(|near| at + near).find(|&place| is_at(place));
                if found.is_some() {
                    return found;
                }
            }
            at += BLOCK;
        }
        (at..places).find(|&place| is_at(place))
    }
}

/// Whether `one` is in the first block at some place where `two` is in the second. Without branches, so that it is vectorised.
fn meet(ones: &[u8], twos: &[u8], one: u8, two: u8) -> bool {
    let both = |(&first, &second): (&u8, &u8)| u8::from(first == one) & u8::from(second == two);
    ones.iter()
        .zip(twos)
        .map(both)
        .fold(0, |all, both| all | both)
        != 0
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
