//! The Merkle tree of RFC 6962, kept as its right edge: the roots of the full subtrees that the
//! entries so far make up, largest first.

use sha2::{Digest as _, Sha256};

use super::chain::Hash;

/// The right edge of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Edge {
    size: u64,
    roots: Vec<Hash>,
}

fn leaf(entry: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(entry);
    hash.finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

impl Edge {
    /// Adds an entry.
    pub(crate) fn push(&mut self, entry: &[u8]) {
        let mut root = leaf(entry);
        let mut size = self.size;
        while size & 1 == 1 {
            if let Some(left) = self.roots.pop() {
                root = node(&left, &root);
            }
            size >>= 1;
        }
        self.roots.push(root);
        self.size += 1;
    }

    /// The root over all entries.
    pub(crate) fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        match roots.next() {
            Some(last) => roots.fold(*last, |right, left| node(left, &right)),
            None => Sha256::digest([]).into(),
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.size.to_be_bytes().to_vec();
        for root in &self.roots {
            out.extend_from_slice(root);
        }
        out
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (size, rest) = bytes.split_first_chunk::<8>()?;
        let size = u64::from_be_bytes(*size);
        let (roots, left_over) = rest.as_chunks::<32>();
        (left_over.is_empty() && roots.len() == size.count_ones() as usize).then(|| Self {
            size,
            roots: roots.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 6962, section 2.1, word for word.
    fn by_definition(entries: &[Vec<u8>]) -> Hash {
        match entries {
            [] => Sha256::digest([]).into(),
            [one] => leaf(one),
            many => {
                let mut k = 1;
                while k * 2 < many.len() {
                    k *= 2;
                }
                node(&by_definition(&many[..k]), &by_definition(&many[k..]))
            }
        }
    }

    #[test]
    fn the_edge_gives_the_root_of_the_definition_at_every_size() {
        let mut edge = Edge::default();
        let mut entries = Vec::new();
        for number in 0..70_u8 {
            assert_eq!(edge.root(), by_definition(&entries));
            let read = Edge::from_bytes(&edge.to_bytes()).unwrap();
            assert_eq!(read, edge);
            edge.push(&[number]);
            entries.push(vec![number]);
        }
    }
}
