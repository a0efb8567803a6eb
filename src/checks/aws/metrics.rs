//! What the checks of CloudWatch's metrics share. Metrics are sums over the hours before the audit.

use gladhand_probes::aws::inventory::LoadBalancerType;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, UtcOffset};

use super::AuditView;
use super::commands::aws;
use crate::checks::support::quote;

/// As far back as metrics are asked for.
const HOURS: i64 = 3;

/// The sum of a metric; none where it was not read, or is no number of events.
pub(super) fn sum(view: &AuditView<'_>, name: &str) -> Option<f64> {
    let metrics = view.balancer.metrics.read()?;
    metrics
        .get(name)
        .copied()
        .filter(|sum| sum.is_finite() && *sum >= 0.0)
}

/// The sum of a metric, where something was counted.
pub(super) fn counted(view: &AuditView<'_>, name: &str) -> Option<f64> {
    sum(view, name).filter(|sum| *sum >= 1.0)
}

/// A sum of events, which has no fraction worth reading.
pub(super) fn number(sum: f64) -> String {
    format!("{sum:.0}")
}

/// `1 answer`, `12 answers`.
pub(super) fn events(sum: f64, one: &str, many: &str) -> String {
    let number = number(sum);
    let what = if number == "1" { one } else { many };
    format!("{number} {what}")
}

/// `TargetConnectionErrorCount 12`, for each of these that was read.
pub(super) fn lines(view: &AuditView<'_>, names: &[&str]) -> Vec<String> {
    let told = names
        .iter()
        .filter_map(|name| Some(format!("{name} {}", number(sum(view, name)?))));
    told.collect()
}

/// `, beside 1200 requests in all`, where they were counted.
pub(super) fn of_requests(view: &AuditView<'_>) -> String {
    counted(view, "RequestCount")
        .map(|all| format!(", beside {} in all", events(all, "request", "requests")))
        .unwrap_or_default()
}

/// The metric by CloudWatch, over the hours before the audit.
pub(super) fn statistics(view: &AuditView<'_>, metric: &str) -> String {
    let balancer = view.balancer;
    let (namespace, dimension, value) = match balancer.kind {
        LoadBalancerType::Classic => ("AWS/ELB", "LoadBalancerName", balancer.name.as_str()),
        kind => {
            let namespace = match kind {
                LoadBalancerType::Network => "AWS/NetworkELB",
                _ => "AWS/ApplicationELB",
            };
            let arn = balancer.arn.as_str();
            let own = arn.split_once("loadbalancer/").map_or(arn, |(_, own)| own);
            (namespace, "LoadBalancer", own)
        }
    };
    let dimension = quote(&format!("Name={dimension},Value={value}"));
    let times = [view.now - Duration::hours(HOURS), view.now].map(timestamp);
    let command = format!(
        "cloudwatch get-metric-statistics --namespace {namespace} --metric-name {metric} --dimensions \
         {dimension} --statistics Sum --period 300 --start-time {} --end-time {}",
        times[0], times[1],
    );
    aws(view, &command)
}

/// To the minute: `2026-11-20T12:00:00Z`.
fn timestamp(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC).truncate_to_minute();
    at.format(&Rfc3339).unwrap_or_default()
}

/// The documentation of an Application Load Balancer's metrics.
pub(super) const METRIC_DOCS: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html";

/// The documentation of a Network Load Balancer's metrics.
pub(super) const NETWORK_METRIC_DOCS: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html";

/// The documentation of a Classic Load Balancer's metrics.
pub(super) const CLASSIC_METRIC_DOCS: &str =
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-cloudwatch-metrics.html";
