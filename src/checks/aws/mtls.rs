//! mTLS of listeners, for the rules about it.

use gladhand_probes::aws::inventory::{Listener, MutualAuthentication};

use super::AuditView;

/// Every listener with this mode of mTLS.
pub(super) fn with_mode<'a>(
    view: &AuditView<'a>,
    mode: &str,
) -> impl Iterator<Item = (&'a Listener, &'a MutualAuthentication)> {
    view.listeners().filter_map(move |listener| {
        let mutual = listener.mutual_authentication.as_ref()?;
        (mutual.mode == mode).then_some((listener, mutual))
    })
}
