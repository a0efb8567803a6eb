//! Why nothing could be collected at all.

use serde::{Deserialize, Serialize};

use crate::Untrusted;
use crate::aws::answers::Refusal;
use crate::aws::subject::SubjectError;

/// AWS's codes for credentials that were good once.
const EXPIRED: &[&str] = &[
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "TokenRefreshRequired",
];
/// AWS's codes for credentials that it does not know.
const UNKNOWN: &[&str] = &[
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "AuthFailure",
    "InvalidAccessKeyId",
];

/// Why it could not be told which load balancer is meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "error")]
#[non_exhaustive]
pub enum CollectError {
    /// What was given names no load balancer, none that exists, or several.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// Neither environment nor profile nor this machine's role has credentials.
    #[error("no AWS credentials{of}: run `aws sso login`, set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or audit saved answers with --from-json", of = of_profile(.profile.as_deref()))]
    NoCredentials {
        /// The profile that was asked for.
        profile: Option<String>,
    },
    /// There is a source of credentials, and it gave none: a role that may not be assumed, a session
    /// of SSO that has ended.
    #[error("AWS credentials{of} could not be had: {shown}; `aws sts get-caller-identity` tells whether the AWS CLI has any, and --from-json audits saved answers without", of = of_profile(.profile.as_deref()), shown = shown(.message))]
    Credentials {
        /// The profile that was asked for.
        profile: Option<String>,
        /// Why.
        message: String,
    },
    /// Neither ARN nor DNS name nor profile nor environment tells the region.
    #[error("no region: give the load balancer's ARN, --region, or set AWS_REGION")]
    NoRegion,
    /// Settings that cannot be used.
    #[error("{}", shown(.message))]
    Settings {
        /// What is wrong with them.
        message: String,
    },
    /// The credentials were good once.
    #[error("the AWS credentials have expired ({}): get new ones, as with `aws sso login`", shown(.code))]
    Expired {
        /// AWS's code.
        code: String,
        /// AWS's words.
        message: String,
    },
    /// AWS does not know the credentials.
    #[error("AWS does not accept the credentials: {}: {}", shown(.code), shown(.message))]
    UnknownCredentials {
        /// AWS's code.
        code: String,
        /// AWS's words.
        message: String,
    },
    /// AWS was not reached.
    #[error("{} is not reached: {}", shown(.endpoint), shown(.message))]
    Unreachable {
        /// The endpoint.
        endpoint: String,
        /// What happened.
        message: String,
    },
    /// AWS does not say which load balancers there are.
    #[error("{action} was refused, so the load balancer cannot be found: {}: {}", shown(.code), shown(.message))]
    Refused {
        /// The action.
        action: String,
        /// AWS's code.
        code: String,
        /// AWS's words.
        message: String,
    },
}

impl CollectError {
    /// What the refusal of the very first question means.
    pub(super) fn refused(action: String, endpoint: String, refusal: Refusal) -> Self {
        let Refusal { code, message } = refusal;
        if code.is_empty() {
            Self::Unreachable { endpoint, message }
        } else if EXPIRED.contains(&code.as_str()) {
            Self::Expired { code, message }
        } else if UNKNOWN.contains(&code.as_str()) {
            Self::UnknownCredentials { code, message }
        } else {
            Self::Refused {
                action,
                code,
                message,
            }
        }
    }
}

fn of_profile(profile: Option<&str>) -> String {
    profile
        .map(|profile| format!(" of profile {profile:?}"))
        .unwrap_or_default()
}

/// What came from outside, as it may be shown.
fn shown(text: &str) -> Untrusted {
    Untrusted::from_bytes(text.as_bytes())
}
