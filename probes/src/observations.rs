//! All that was observed at one endpoint: a typed field a probe.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::{Answer, Attempt};
use crate::http;
use crate::probe::{Probe, ProbeError, ProbeInfo, Stage};
use crate::settings::Selection;
use crate::tls;

/// Makes the typed fields of [`Observations`], the list for `--only`/`--skip`, and the run of a stage.
macro_rules! probes {
    ($( $field:ident : $probe:ty ),* $(,)?) => {
        /// What the probes saw. A probe that has no result says why in its place.
        #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(default)]
        pub struct Observations {
            $(
                #[doc = concat!("The observation of the probe `", stringify!($field), "`.")]
                pub $field: Attempt<<$probe as Probe>::Seen>,
            )*
        }

        /// Every probe, in the order of the report.
        pub const PROBES: &[ProbeInfo] = &[$(
            ProbeInfo {
                id: <$probe>::ID,
                about: <$probe>::ABOUT,
                stage: <$probe>::STAGE,
                needs: <$probe>::NEEDS,
            }
        ),*];

        impl Observations {
            /// Runs the chosen probes of one stage, those without a result yet, side by side.
            pub(crate) async fn run_stage(&mut self, stage: Stage, cx: &Cx) {
                let so_far = &*self;
                let ($($field,)*) = tokio::join!($(async {
                    match so_far.$field {
                        // On the heap: all of them side by side are more than a thread's stack holds. And
                        // only where it runs: each is large.
                        Attempt::Skipped if <$probe>::STAGE == stage => Box::pin(attempt::<$probe>(stage, cx, so_far)).await,
                        _ => None,
                    }
                }),*);
                $( if let Some(attempt) = $field { self.$field = attempt; } )*
            }

            /// Why probes that were asked for have no result: probe id and reason.
            pub fn failures(&self) -> Vec<(&'static str, &ProbeError)> {
                let mut failures = Vec::new();
                $( if let Some(error) = self.$field.failure() { failures.push((<$probe>::ID, error)); } )*
                failures
            }

            /// Where the nodes behind the address disagree, each probe says what of its result still counts.
            pub(crate) fn doubt(&mut self) {
                let Some(nodes) = self.nodes.seen().filter(|nodes| nodes.agree == Answer::No).cloned() else {
                    return;
                };
                let why = "several nodes behind this address answer differently";
                $( <$probe>::doubt(&mut self.$field, &nodes, why); )*
            }

            /// Whether a probe has not run yet, and has not been told not to.
            pub(crate) fn is_open(&self, id: &str) -> bool {
                $( if id == <$probe>::ID { return matches!(self.$field, Attempt::Skipped); } )*
                false
            }

            /// Marks chosen probes of the stages after `Reach` as failed, where there is a reason.
            pub(crate) fn fail_rest(&mut self, cx: &Cx, why: impl Fn(&ProbeInfo) -> Option<ProbeError>) {
                for probe in PROBES.iter().filter(|probe| probe.stage != Stage::Reach && cx.chosen(probe.id)) {
                    let Some(error) = why(probe) else { continue };
                    $( if probe.id == <$probe>::ID {
                        self.$field = match error.clone() {
                            ProbeError::NotApplicable { reason } => Attempt::NotApplicable(reason),
                            error => Attempt::Failed(error),
                        };
                    } )*
                }
            }
        }
    };
}

probes! {
    reach: tls::reach::Reach,
    handshake: tls::handshake::Handshake,
    versions: tls::versions::Versions,
    suites: tls::suites::Suites,
    groups: tls::groups::Groups,
    certificate: tls::certificate::Certificate,
    issuers: tls::issuers::Issuers,
    verification: tls::verification::Verification,
    certificate_transparency: tls::certificate_transparency::CertificateTransparency,
    certificates: tls::key_types::Certificates,
    stapling: tls::stapling::Stapling,
    revocation: tls::revocation::Revocation,
    sni: tls::sni::Sni,
    alpn: tls::alpn::Alpn,
    renegotiation: tls::renegotiation::Renegotiation,
    extended_master_secret: tls::extended_master_secret::ExtendedMasterSecret,
    encrypt_then_mac: tls::encrypt_then_mac::EncryptThenMac,
    compression: tls::compression::Compression,
    fallback_scsv: tls::fallback_scsv::FallbackScsv,
    dh_parameters: tls::dh_parameters::DhParameters,
    signature_algorithms: tls::signature_algorithms::SignatureAlgorithms,
    client_auth: tls::client_auth::ClientAuth,
    http: http::Http,
    session: tls::resumption::Resumption,
    large_hello: tls::large_hello::LargeHello,
    intolerance: tls::intolerance::Intolerance,
    nodes: tls::nodes::Nodes,
    limits: tls::limits::Limits,
    backend: tls::backend::Backend,
    target_response: http::target_response::TargetResponse,
    keep_alive: http::keep_alive::KeepAlive,
}

/// Only these probes (all, where empty) without those. What a probe needs runs with it, even where it
/// is to be skipped.
///
/// # Errors
/// The first id that is no probe's.
pub fn select<S: AsRef<str>>(only: &[S], skip: &[S]) -> Result<Selection, String> {
    let known = |id: &S| {
        let id = id.as_ref().trim();
        PROBES
            .iter()
            .find(|probe| probe.id == id)
            .ok_or_else(|| id.to_owned())
    };
    let skip: Vec<_> = skip.iter().map(known).collect::<Result<_, _>>()?;
    let only: Vec<_> = only.iter().map(known).collect::<Result<_, _>>()?;
    let mut wanted: Vec<_> = PROBES
        .iter()
        .filter(|probe| only.is_empty() || only.iter().any(|o| o.id == probe.id))
        .filter(|probe| !skip.iter().any(|s| s.id == probe.id))
        .collect();
    let mut chosen = BTreeSet::new();
    while let Some(probe) = wanted.pop() {
        if chosen.insert(probe.id) {
            wanted.extend(
                PROBES
                    .iter()
                    .filter(|other| probe.needs.contains(&other.id)),
            );
        }
    }
    Ok(Selection::Of(chosen))
}

/// Runs one probe if it belongs to this stage and was chosen; its panic becomes a `Failed`.
async fn attempt<P: Probe>(
    stage: Stage,
    cx: &Cx,
    so_far: &Observations,
) -> Option<Attempt<P::Seen>> {
    if P::STAGE != stage || !cx.chosen(P::ID) {
        return None;
    }
    let run = async {
        cx.fail_point(P::ID);
        P::run(cx, so_far).await
    };
    Some(match AssertUnwindSafe(run).catch_unwind().await {
        Ok(Ok(seen)) => Attempt::Seen(seen),
        Ok(Err(ProbeError::NotApplicable { reason })) => Attempt::NotApplicable(reason),
        Ok(Err(error)) => Attempt::Failed(error),
        Err(panic) => Attempt::Failed(ProbeError::Panicked {
            message: panic_message(&*panic),
        }),
    })
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_probe_needs_runs_with_it() {
        let chosen = select(&["verification"], &[]).unwrap();
        assert!(chosen.contains("certificate") && chosen.contains("reach"));
        assert!(!chosen.contains("groups"));
    }

    #[test]
    fn refuses_an_unknown_probe() {
        assert_eq!(select(&["suits"], &[]), Err("suits".into()));
    }
}
