//! How many hellos are kept: what is read of one takes many times the bytes that it came in.

/// Hellos that are kept, at most; and connections without one.
pub const MAX_HELLOS: usize = 10_000;

/// Bytes of those hellos, at most: so many of a browser have fewer.
const MAX_BYTES: usize = 24 << 20;

/// The room that is taken.
#[derive(Debug, Default)]
pub struct Room {
    hellos: usize,
    bytes: usize,
}

impl Room {
    /// Takes room for a hello of so many bytes; false where there is none.
    pub fn take(&mut self, length: usize) -> bool {
        if self.hellos >= MAX_HELLOS || self.bytes.saturating_add(length) > MAX_BYTES {
            return false;
        }
        self.hellos += 1;
        self.bytes += length;
        true
    }
}

#[cfg(test)]
mod tests {
    use gladhand_probes::wire::client_hello_read::MAX_HELLO;

    use super::*;

    /// How many hellos of this length are kept.
    fn kept(length: usize) -> usize {
        let mut room = Room::default();
        (0..=MAX_HELLOS).filter(|_| room.take(length)).count()
    }

    #[test]
    fn ordinary_hellos_are_counted_and_huge_ones_weighed() {
        assert_eq!(kept(517), MAX_HELLOS);
        assert_eq!(kept(2000), MAX_HELLOS);
        assert_eq!(kept(MAX_HELLO), MAX_BYTES / MAX_HELLO);
    }
}
