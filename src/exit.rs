//! Exit codes: the contract with scripts. Pure; ending the process is `main`'s.

use gladhand_probes::ProbeError;

use crate::report::model::{Report, Severity, Status};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: everything asked was measured, nothing at or above `--fail-on`.
    Clean,
    /// 1: findings at or above `--fail-on`.
    Findings,
    /// 2: usage or configuration error; nothing was probed.
    Usage,
    /// 3: something asked could not be measured.
    Incomplete,
    /// 70: a bug, caught.
    Bug,
    /// 130 or 143: a signal ended the run.
    Signalled(Signal),
}

/// A signal that asks the program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// What, besides the report, decides how the program ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Something panicked and was caught.
    pub panicked: bool,
    /// A signal ended the run early.
    pub signal: Option<Signal>,
}

impl Exit {
    /// The process's exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
            Self::Bug => 70,
            Self::Signalled(Signal::Interrupt) => 130,
            Self::Signalled(Signal::Terminate) => 143,
        }
    }
}

/// How a run ends: a signal wins over a bug, a bug over findings, findings over gaps.
///
/// `fail_on` is the lowest severity that counts; with none, no finding counts.
pub fn exit_code(report: &Report, fail_on: Option<Severity>, ended: Ended) -> Exit {
    let counts = |severity| fail_on.is_some_and(|lowest| severity >= lowest);
    if let Some(signal) = ended.signal {
        Exit::Signalled(signal)
    } else if ended.panicked || has_panicked(report) {
        Exit::Bug
    } else if report
        .findings
        .iter()
        .any(|f| f.status == Status::Open && counts(f.severity))
    {
        Exit::Findings
    } else if !report.complete {
        Exit::Incomplete
    } else {
        Exit::Clean
    }
}

/// Whether a probe panicked.
fn has_panicked(report: &Report) -> bool {
    let endpoints = report.targets.iter().flat_map(|target| &target.endpoints);
    endpoints
        .flat_map(|endpoint| endpoint.observations.failures())
        .any(|(_, error)| matches!(error, ProbeError::Panicked { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    const CALM: Ended = Ended {
        panicked: false,
        signal: None,
    };

    #[test]
    fn the_table_of_the_contract() {
        let high = Some(Severity::High);
        let clean = sample::healthy();
        let broken = sample::expired();
        let gap = sample::refused();
        let both = sample::expired_and_refused();
        assert_eq!(exit_code(&clean, high, CALM).code(), 0);
        assert_eq!(exit_code(&broken, high, CALM).code(), 1);
        assert_eq!(exit_code(&gap, high, CALM).code(), 3);
        assert_eq!(
            exit_code(&both, high, CALM).code(),
            1,
            "findings win over gaps"
        );
        assert_eq!(
            exit_code(&both, None, CALM).code(),
            3,
            "--fail-on none leaves the gap"
        );
        assert_eq!(exit_code(&broken, None, CALM).code(), 0);
    }

    #[test]
    fn the_lowest_severity_that_counts_is_the_users() {
        let medium = sample::with_severity(Severity::Medium);
        assert_eq!(exit_code(&medium, Some(Severity::High), CALM), Exit::Clean);
        assert_eq!(
            exit_code(&medium, Some(Severity::Medium), CALM),
            Exit::Findings
        );
        assert_eq!(
            exit_code(&medium, Some(Severity::Low), CALM),
            Exit::Findings
        );
    }

    #[test]
    fn a_panic_wins_over_findings_and_gaps() {
        let high = Some(Severity::High);
        let panicked = Ended {
            panicked: true,
            ..CALM
        };
        for report in [sample::healthy(), sample::expired(), sample::refused()] {
            assert_eq!(exit_code(&report, high, panicked).code(), 70);
        }
        assert_eq!(
            exit_code(&sample::panicked(), high, CALM).code(),
            70,
            "a probe's too"
        );
    }

    #[test]
    fn a_signal_wins_over_everything() {
        for (signal, code) in [(Signal::Interrupt, 130), (Signal::Terminate, 143)] {
            let ended = Ended {
                panicked: true,
                signal: Some(signal),
            };
            assert_eq!(
                exit_code(&sample::expired(), Some(Severity::High), ended).code(),
                code
            );
        }
    }
}
