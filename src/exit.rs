//! Exit codes: the contract with scripts. Pure; ending the process is `main`'s.

use gladhand_probes::ProbeError;

use crate::report::model::{Row, Severity, Status, Summary, TargetReport, Verdict};

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

/// What decides how the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The most severe of the open findings.
    pub worst: Option<Severity>,
    /// Everything asked was measured.
    pub complete: bool,
    /// Something panicked and was caught.
    pub panicked: bool,
    /// A signal ended the run early.
    pub signal: Option<Signal>,
}

impl Ended {
    /// A run of which nothing is known yet.
    pub const NEW: Self = Self {
        worst: None,
        complete: true,
        panicked: false,
        signal: None,
    };

    /// Takes in one target's findings and gaps.
    pub fn add(&mut self, row: &Row) {
        let open = row.findings.iter().filter(|f| f.status == Status::Open);
        self.worst = self.worst.max(open.map(|finding| finding.severity).max());
        self.complete &= row.not_measured.is_empty();
        self.panicked |= has_panicked(&row.target);
    }
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

    /// Notes it in a report.
    pub fn note(self, summary: &mut Summary) {
        summary.verdict = self.verdict();
        summary.exit_code = Some(self.code());
    }

    /// The word for it in a report; none where there is no report.
    const fn verdict(self) -> Option<Verdict> {
        match self {
            Self::Clean => Some(Verdict::Clean),
            Self::Findings => Some(Verdict::Findings),
            Self::Usage => None,
            Self::Incomplete => Some(Verdict::Incomplete),
            Self::Bug => Some(Verdict::Bug),
            Self::Signalled(_) => Some(Verdict::Interrupted),
        }
    }
}

/// How a run ends: a signal wins over a bug, a bug over findings, findings over gaps.
///
/// `fail_on` is the lowest severity that counts; with none, no finding counts.
pub fn exit_code(ended: Ended, fail_on: Option<Severity>) -> Exit {
    if let Some(signal) = ended.signal {
        Exit::Signalled(signal)
    } else if ended.panicked {
        Exit::Bug
    } else if fail_on.is_some_and(|lowest| ended.worst >= Some(lowest)) {
        Exit::Findings
    } else if !ended.complete {
        Exit::Incomplete
    } else {
        Exit::Clean
    }
}

/// Whether a probe panicked.
fn has_panicked(target: &TargetReport) -> bool {
    let mut failures = target
        .endpoints
        .iter()
        .flat_map(|endpoint| endpoint.observations.failures());
    failures.any(|(_, error)| matches!(error, ProbeError::Panicked { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::Report;
    use crate::report::sample;

    /// How a run of this report ends.
    fn of(report: &Report) -> Ended {
        let mut ended = Ended::NEW;
        for of in report.by_target() {
            ended.add(&of.to_row());
        }
        ended
    }

    #[test]
    fn the_table_of_the_contract() {
        let high = Some(Severity::High);
        let clean = of(&sample::healthy());
        let broken = of(&sample::expired());
        let gap = of(&sample::refused());
        let both = of(&sample::expired_and_refused());
        assert_eq!(exit_code(clean, high).code(), 0);
        assert_eq!(exit_code(broken, high).code(), 1);
        assert_eq!(exit_code(gap, high).code(), 3);
        assert_eq!(exit_code(both, high).code(), 1, "findings win over gaps");
        assert_eq!(
            exit_code(both, None).code(),
            3,
            "--fail-on none leaves the gap"
        );
        assert_eq!(exit_code(broken, None).code(), 0);
    }

    #[test]
    fn the_lowest_severity_that_counts_is_the_users() {
        let medium = of(&sample::with_severity(Severity::Medium));
        assert_eq!(exit_code(medium, Some(Severity::High)), Exit::Clean);
        assert_eq!(exit_code(medium, Some(Severity::Medium)), Exit::Findings);
        assert_eq!(exit_code(medium, Some(Severity::Low)), Exit::Findings);
    }

    #[test]
    fn a_panic_wins_over_findings_and_gaps() {
        let high = Some(Severity::High);
        for report in [sample::healthy(), sample::expired(), sample::refused()] {
            let panicked = Ended {
                panicked: true,
                ..of(&report)
            };
            assert_eq!(exit_code(panicked, high).code(), 70);
        }
        let probe = of(&sample::panicked());
        assert_eq!(exit_code(probe, high).code(), 70, "a probe's too");
    }

    #[test]
    fn a_signal_wins_over_everything() {
        for (signal, code) in [(Signal::Interrupt, 130), (Signal::Terminate, 143)] {
            let ended = Ended {
                panicked: true,
                signal: Some(signal),
                ..of(&sample::expired())
            };
            assert_eq!(exit_code(ended, Some(Severity::High)).code(), code);
        }
    }
}
