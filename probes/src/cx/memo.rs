//! What was found out, by question.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

use tokio::sync::OnceCell;

use crate::lock::lock;

/// Results by question; each is found once, also when asked for twice at the same time.
#[derive(Debug)]
pub(super) struct Memo<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone, V> Memo<K, V> {
    pub(super) fn cell(&self, key: &K) -> Arc<OnceCell<V>> {
        let mut map = lock(&self.0);
        Arc::clone(map.entry(key.clone()).or_default())
    }

    /// What is there so far.
    pub(super) fn filled(&self) -> Vec<(K, V)>
    where
        V: Clone,
    {
        let map = lock(&self.0);
        map.iter()
            .filter_map(|(key, cell)| Some((key.clone(), cell.get()?.clone())))
            .collect()
    }

    /// Takes the place of what is there.
    pub(super) fn put(&self, key: K, value: V) {
        let mut map = lock(&self.0);
        map.insert(key, Arc::new(OnceCell::new_with(Some(value))));
    }
}
