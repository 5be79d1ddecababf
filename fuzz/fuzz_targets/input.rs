//! The arguments of a target, taken from the front of its input.

#![allow(dead_code, reason = "each target uses its part")]

/// What is left of the input. Once it has run out, everything is 0 or empty.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        byte
    }

    /// A length in one byte, and that many bytes.
    pub fn text(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte()).min(self.0.len());
        let (text, rest) = self.0.split_at(len);
        self.0 = rest;
        text
    }

    pub fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::from(self.byte()) % from.len()]
    }

    pub fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// Pseudo-random numbers, the same for the same seed.
pub struct Noise(u32);

impl Noise {
    pub fn new(seed: u8) -> Noise {
        Noise(u32::from(seed).wrapping_mul(0x9E37_79B9) | 1)
    }

    /// True once in `of` calls or so.
    pub fn once_in(&mut self, of: u32) -> bool {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 16).is_multiple_of(of)
    }
}

/// Where to cut a stream of `len` bytes: after how many of them a chunk ends.
pub fn cuts(len: usize, seed: u8) -> Vec<bool> {
    let mut noise = Noise::new(seed);
    let spread = [2, 3, 7, 40][usize::from(seed) % 4];
    (0..=len).map(|_| noise.once_in(spread)).collect()
}
