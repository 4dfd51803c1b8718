//! SHA-256 of a text that is the same each time but for a few bytes at a known place.
//!
//! A signer hashes the same request again and again, and only its signing time changes. So the
//! text is laid out in padded blocks once, what stands before the change is hashed once, and each
//! time only the blocks that differ are copied. The blocks hold a session token: they are wiped on
//! drop, and the copies too.
//!
//! Source: FIPS 180-4, sections 5.1.1 (padding) and 6.2.2; RFC 2104 for HMAC.

use std::ops::Range;

use sha2::block_api::compress256;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::wipe::wipe;

const BLOCK: usize = 64;

/// A hash as the eight numbers that it is made of; their bytes are big-endian.
pub(crate) type Sha256Words = [u32; 8];

/// What SHA-256 starts from (FIPS 180-4, section 5.3.3).
const START: Sha256Words = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The hash of some whole blocks, to go on from.
pub(crate) struct Prefix {
    state: Sha256Words,
    length: usize,
}

impl Prefix {
    /// Of as many whole blocks as a text starts with.
    pub(crate) fn of(text: &[u8]) -> Self {
        let (blocks, _) = text.as_chunks();
        Self::of_blocks(blocks)
    }

    fn of_blocks(blocks: &[[u8; BLOCK]]) -> Self {
        let mut state = START;
        compress256(&mut state, blocks);
        let length = blocks.len() * BLOCK;
        Self { state, length }
    }

    /// How many bytes that were: a multiple of 64.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    pub(crate) fn state(&self) -> &Sha256Words {
        &self.state
    }

    /// The two blocks that HMAC starts its inner and its outer hash with, for a key of 32 bytes.
    pub(crate) fn of_hmac_key(key: &[u8; 32]) -> [Self; 2] {
        [0x36, 0x5c].map(|pad| {
            let mut block = Zeroizing::new([pad; BLOCK]);
            for (byte, key) in block.iter_mut().zip(key) {
                *byte ^= key;
            }
            Self::of_blocks(std::slice::from_ref(&block))
        })
    }

    /// The hash of these blocks and of another hash.
    pub(crate) fn finish_with(&self, hash: &Sha256Words) -> Sha256Words {
        let mut block = [0; BLOCK];
        for (index, word) in hash.iter().enumerate() {
            block[4 * index..4 * index + 4].copy_from_slice(&word.to_be_bytes());
        }
        block[32] = 0x80;
        block[BLOCK - 8..].copy_from_slice(&bits(self.length + 32));
        let mut state = self.state;
        compress256(&mut state, &[block]);
        state
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        self.state.zeroize();
    }
}

/// Whole blocks of a text with a place that is filled anew for each hash. The place starts in the
/// first of them, and holds no more than a block.
pub(crate) struct Template {
    blocks: Zeroizing<Vec<[u8; BLOCK]>>,
    /// Where in `blocks` the place is.
    place: Range<usize>,
}

impl Template {
    /// Some whole blocks, at least one, at the start of `text`. What stands at the place does not
    /// matter.
    pub(crate) fn of_blocks(text: &[u8], place: Range<usize>) -> Self {
        let (blocks, _) = text.as_chunks();
        Self::new(blocks.to_vec(), place)
    }

    /// The end of a text that starts `before` bytes earlier, with its padding.
    pub(crate) fn of_end(before: usize, text: &[u8], place: Range<usize>) -> Self {
        // A bit 1, zeros, and the length in eight bytes.
        let mut blocks = vec![[0; BLOCK]; (text.len() + 9).div_ceil(BLOCK)];
        let padded = blocks.as_flattened_mut();
        padded[..text.len()].copy_from_slice(text);
        padded[text.len()] = 0x80;
        let end = padded.len();
        padded[end - 8..].copy_from_slice(&bits(before + text.len()));
        Self::new(blocks, place)
    }

    fn new(blocks: Vec<[u8; BLOCK]>, place: Range<usize>) -> Self {
        assert!(place.start < BLOCK && place.len() <= BLOCK && place.end <= blocks.len() * BLOCK);
        Self {
            blocks: Zeroizing::new(blocks),
            place,
        }
    }

    /// Fills the place, with as much as it holds. Best done some time before the hash is needed: a
    /// processor that reads at once what was just written in other pieces has to wait.
    pub(crate) fn fill(&self, text: &[u8]) -> Filled<'_> {
        let (changed, rest) = self.blocks.split_at(self.place.end.div_ceil(BLOCK).max(1));
        let mut copy = [[0; BLOCK]; 2];
        copy[..changed.len()].copy_from_slice(changed);
        copy.as_flattened_mut()[self.place.clone()].copy_from_slice(text);
        Filled {
            copy,
            copied: changed.len(),
            rest,
        }
    }
}

/// A template with its place filled.
pub(crate) struct Filled<'a> {
    copy: [[u8; BLOCK]; 2],
    /// One block or two.
    copied: usize,
    rest: &'a [[u8; BLOCK]],
}

impl Filled<'_> {
    /// The hash of what stands before, and of this.
    pub(crate) fn hash(&self, before: &Sha256Words) -> Sha256Words {
        let mut state = *before;
        compress256(&mut state, &self.copy[..self.copied]);
        compress256(&mut state, self.rest);
        state
    }
}

impl Drop for Filled<'_> {
    fn drop(&mut self) {
        wipe(self.copy.as_flattened_mut());
    }
}

fn bits(length: usize) -> [u8; 8] {
    (length as u64 * 8).to_be_bytes()
}

/// The hash of a text.
pub(crate) fn sha256(text: &[u8]) -> Sha256Words {
    words(&Sha256::digest(text).into())
}

fn words(bytes: &[u8; 32]) -> Sha256Words {
    let (chunks, _) = bytes.as_chunks();
    std::array::from_fn(|index| u32::from_be_bytes(chunks[index]))
}

/// A hash as 64 lower-case hexadecimal digits. All eight of a number's digits are made at once, in
/// the bytes of a wider one, without a branch or a table.
pub(crate) fn hex(hash: &Sha256Words) -> [u8; 64] {
    let mut digits = [0; 64];
    for (index, word) in hash.iter().enumerate() {
        let mut nibbles = u64::from(*word);
        nibbles = (nibbles << 16 | nibbles) & 0x0000_ffff_0000_ffff;
        nibbles = (nibbles << 8 | nibbles) & 0x00ff_00ff_00ff_00ff;
        nibbles = (nibbles << 4 | nibbles) & 0x0f0f_0f0f_0f0f_0f0f;
        // 1 for each digit past 9, which is a letter: `a` stands 39 behind where `:` does.
        let letters = (nibbles + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
        let text = nibbles + 0x3030_3030_3030_3030 + letters * 39;
        digits[8 * index..8 * index + 8].copy_from_slice(&text.to_be_bytes());
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_those_that_format_prints() {
        let mut text = [0];
        for byte in 0..=u8::MAX {
            text[0] = byte;
            let hash = Sha256::digest(text);
            let printed: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex(&sha256(&text)), printed.as_bytes());
        }
        assert_eq!(
            hex(&[0x0123_4567, 0x89ab_cdef, 0, !0, 0, 0, 0, 0])[..32],
            *b"0123456789abcdef00000000ffffffff"
        );
    }

    #[test]
    fn templates_hash_as_the_filled_text_does_wherever_their_places_are() {
        for length in 0..300 {
            for start in 0..=length {
                let mut text: Vec<u8> = (0..length).map(|i| i as u8).collect();
                let most = (length - start).min(64);
                for end in [start, start + most / 2, start + most] {
                    let filled = vec![b'x'; end - start];
                    let prefix = Prefix::of(&text[..start]);
                    let before = prefix.length();
                    let place = start - before..end - before;
                    let template = Template::of_end(before, &text[before..], place);
                    text[start..end].copy_from_slice(&filled);
                    let hash = template.fill(&filled).hash(prefix.state());
                    assert_eq!(hash, sha256(&text), "{length} {start} {end}");
                }
            }
        }
    }

    #[test]
    fn templates_behind_a_key_are_an_hmac() {
        use hmac::{Hmac, KeyInit, Mac};
        let key = [7; 32];
        for length in 80..200 {
            let text = vec![b't'; length];
            let [inner, outer] = Prefix::of_hmac_key(&key);
            let start = Template::of_blocks(&text[..64], 3..16);
            let end = Template::of_end(inner.length() + 64, &text[64..], 2..13);
            let started = start.fill(&text[3..16]).hash(inner.state());
            let digest = outer.finish_with(&end.fill(&text[66..77]).hash(&started));
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(&text);
            let expected = words(&mac.finalize().into_bytes().into());
            assert_eq!(digest, expected, "{length}");
        }
    }
}
