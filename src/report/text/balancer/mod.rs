//! The report on a load balancer: the verdict, the findings with what they are about, the topology, and what
//! was seen at its listeners.

mod topology;

use gladhand_probes::aws::inventory::{LoadBalancer, LoadBalancerType};
use time::OffsetDateTime;

use super::findings::{self, Told};
use super::page::{BOLD, DIM, Page, Span};
use super::verdict::{Mark, Verdict, verdict};
use super::words::plural;
use super::{facts, shown, summary};
use crate::report::model::{Finding, Of, Report, Role, Severity, Status};
use crate::report::{Detail, RenderOptions};

/// Writes the report on every load balancer of its inventory.
pub(super) fn write(page: &mut Page, report: &Report, options: &RenderOptions) {
    let Some(inventory) = &report.inventory else {
        return;
    };
    for balancer in &inventory.load_balancers {
        of_balancer(page, report, balancer, options.detail);
    }
    summary::write(page, report, &[], &[], options);
}

fn of_balancer(page: &mut Page, report: &Report, balancer: &LoadBalancer, detail: Detail) {
    let mine = |role: Option<&Role>| match role {
        Some(Role::Listener { load_balancer, .. } | Role::Target { load_balancer, .. }) => {
            *load_balancer == balancer.arn
        }
        None => false,
    };
    let probed: Vec<Of<'_>> = report
        .by_target()
        .into_iter()
        .filter(|of| mine(of.target.role.as_ref()))
        .collect();
    let at_probed = |finding: &Finding| {
        let mut targets = probed.iter();
        targets.any(|of| of.target.target == finding.target)
    };
    let found: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|finding| finding.status == Status::Open)
        .filter(|finding| finding.target == balancer.name || at_probed(finding))
        .collect();
    let verdict = whole(report, &found, !probed.is_empty());
    let (sign, style) = shown(verdict.mark);
    let lead = [
        Span::new(style.bold(), format!("{sign} ")),
        Span::new(BOLD, format!("{}  ", balancer.name)),
    ];
    let sentence = Span::new(style, verdict.sentence);
    let mut told = Told::with_subjects();
    if detail == Detail::Quiet {
        page.line(0, &lead.into_iter().chain([sentence]).collect::<Vec<_>>());
        findings::write(page, &found, detail, &mut told);
        return;
    }
    page.blank();
    page.paragraph(0, &lead, 2, &sentence);
    page.paragraph(2, &[], 0, &Span::new(DIM, who(balancer)));
    page.paragraph(
        2,
        &[],
        0,
        &Span::new(DIM, meta(report, balancer, &probed, found.len())),
    );
    findings::write(page, &found, detail, &mut told);
    topology::write(page, report, balancer, &probed, detail);
    if detail >= Detail::Verbose {
        facts_of(page, &probed, detail, report.started_at);
    }
}

/// How the load balancer stands, in one sentence.
fn whole(report: &Report, found: &[&Finding], probed: bool) -> Verdict {
    let told = |first: &Finding| {
        let more = found
            .iter()
            .filter(|finding| finding.severity >= Severity::Medium)
            .count()
            - 1;
        let and = match more {
            0 => String::new(),
            more => format!(" And {}.", plural(more, "more finding")),
        };
        format!("{}: {}{and}", first.subject, first.message)
    };
    let notes = found.len();
    let gaps = report.not_measured.len();
    let (mark, sentence) = match found.first() {
        Some(first) if first.severity >= Severity::High => (Mark::Broken, told(first)),
        _ if report.interrupted => (Mark::Unknown, "Interrupted before all was seen.".into()),
        Some(first) if first.severity == Severity::Medium && gaps == 0 => (Mark::Weak, told(first)),
        Some(first) if first.severity == Severity::Medium => (Mark::Unknown, told(first)),
        _ if gaps > 0 => {
            let told = format!(
                "No fault as far as it was measured; {} could not be.",
                plural(gaps, "thing")
            );
            (Mark::Unknown, told)
        }
        first => {
            let by = if probed {
                "No fault was found"
            } else {
                "No fault by what AWS says (nothing was probed)"
            };
            let notes = match first {
                Some(_) => format!(" {}.", plural(notes, "note")),
                None => String::new(),
            };
            (Mark::Works, format!("{by}.{notes}"))
        }
    };
    Verdict { mark, sentence }
}

/// What it is, and where.
fn who(balancer: &LoadBalancer) -> String {
    let kind = match balancer.kind {
        LoadBalancerType::Application => "Application Load Balancer",
        LoadBalancerType::Network => "Network Load Balancer",
        LoadBalancerType::Gateway => "Gateway Load Balancer",
        LoadBalancerType::Classic => "Classic Load Balancer",
    };
    let mut told = vec![kind.to_owned(), balancer.scheme.clone()];
    told.extend(balancer.state.clone());
    told.push(plural(balancer.zones.len(), "zone"));
    told.push(balancer.dns_name.clone());
    told.retain(|part| !part.is_empty());
    told.join(" · ")
}

/// How much there is to read.
fn meta(report: &Report, balancer: &LoadBalancer, probed: &[Of<'_>], findings: usize) -> String {
    let mut told = vec![match findings {
        0 => "no findings".into(),
        count => plural(count, "finding"),
    }];
    let connections: u32 = probed
        .iter()
        .flat_map(|of| &of.target.endpoints)
        .map(|endpoint| endpoint.connections)
        .sum();
    if let Some(listeners) = balancer.listeners.read() {
        told.push(plural(listeners.len(), "listener"));
    }
    let groups = topology::groups(report, balancer);
    if let Some(groups) = groups {
        told.push(plural(groups.len(), "target group"));
        let targets = groups.iter().filter_map(|group| group.targets.read());
        told.push(plural(targets.map(Vec::len).sum(), "target"));
    }
    if connections > 0 {
        told.push(plural(connections as usize, "connection"));
    }
    if let gaps @ 1.. = report.not_measured.len() {
        told.push(format!("{} not measured", plural(gaps, "thing")));
    }
    told.join(" · ")
}

/// What was seen at the listeners; with all the evidence, at the targets, too.
fn facts_of(page: &mut Page, probed: &[Of<'_>], detail: Detail, now: OffsetDateTime) {
    for of in probed {
        let listener = matches!(of.target.role, Some(Role::Listener { .. }));
        if of.target.endpoints.is_empty() || (!listener && detail < Detail::Evidence) {
            continue;
        }
        page.blank();
        let verdict = verdict(of, now);
        let (sign, style) = shown(verdict.mark);
        let lead = [
            Span::new(style.bold(), format!("{sign} ")),
            Span::new(BOLD, format!("{}  ", of.target.target)),
        ];
        page.paragraph(0, &lead, 2, &Span::new(style, verdict.sentence));
        facts::write(page, of.target, detail, now);
    }
}
