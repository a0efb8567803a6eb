//! The one place of the testkit that reads the clock.

use time::OffsetDateTime;

/// Now.
#[allow(clippy::disallowed_methods)]
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
