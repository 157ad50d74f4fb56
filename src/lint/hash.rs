//! A hash of contents that is the same in every run and on every machine.
//!
//! Fast and well mixed, not cryptographic: who could make a collision could
//! write into the cache as well.

const SEEDS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f];
const MULTIPLIERS: [u64; 2] = [0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db];

/// 128 bits for a content.
pub(crate) fn hash(bytes: &[u8]) -> u128 {
    let mut lanes = [SEEDS[0] ^ bytes.len() as u64, SEEDS[1].wrapping_add(bytes.len() as u64)];
    let mut chunks = bytes.chunks_exact(16);
    for chunk in &mut chunks {
        mix(&mut lanes, word(&chunk[..8]), word(&chunk[8..]));
    }
    let rest = chunks.remainder();
    let (first, second) = rest.split_at(rest.len().min(8));
    mix(&mut lanes, word(first), word(second));
    mix(&mut lanes, MULTIPLIERS[1], MULTIPLIERS[0]);
    (u128::from(lanes[0]) << 64) | u128::from(lanes[1])
}

/// A hash of several texts, as 16 hexadecimal digits.
pub(crate) fn fingerprint(parts: &[&str]) -> String {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    format!("{:016x}", (hash(&bytes) >> 64) as u64)
}

fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

fn mix(lanes: &mut [u64; 2], first: u64, second: u64) {
    let low = fold(first ^ MULTIPLIERS[0] ^ lanes[0], second ^ lanes[1].rotate_left(23) ^ SEEDS[1]);
    let high = fold(second ^ MULTIPLIERS[1] ^ lanes[1], first.rotate_left(32) ^ lanes[0] ^ SEEDS[0]);
    *lanes = [low, high];
}

fn fold(first: u64, second: u64) -> u64 {
    let product = u128::from(first) * u128::from(second);
    (product as u64) ^ ((product >> 64) as u64) ^ first.rotate_left(17)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_and_the_length_count() {
        let mut seen = std::collections::HashSet::new();
        let base = vec![0_u8; 70];
        for length in 0..=70 {
            assert!(seen.insert(hash(&base[..length])), "{length} zeros");
        }
        for index in 0..70 {
            for bit in 0..8 {
                let mut changed = base.clone();
                changed[index] ^= 1 << bit;
                assert!(seen.insert(hash(&changed)), "bit {bit} of byte {index}");
            }
        }
    }

    #[test]
    fn fingerprints_do_not_change_between_releases() {
        assert_eq!(fingerprint(&["firewall-off", "a.nix", "x"]), fingerprint(&["firewall-off", "a.nix", "x"]));
        assert_ne!(fingerprint(&["ab", "c"]), fingerprint(&["a", "bc"]));
        assert_eq!(fingerprint(&["firewall-off", "hosts/web.nix", "false"]), "052dc21fe5b4f49f");
    }
}
