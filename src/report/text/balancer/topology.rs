//! Listeners, where their rules lead, the target groups, and the targets with their state: what AWS says, and
//! what was seen from here. Equal targets are counted.

use gladhand_probes::Attempt;
use gladhand_probes::aws::inventory::{Action, Listener, LoadBalancer, Rule, Target, TargetGroup};
use gladhand_probes::aws::{Arn, Inventory, Section};
use gladhand_probes::tls::reach::ReachOutcome;
use time::OffsetDateTime;

use super::super::page::{BAD, BOLD, DIM, GOOD, PLAIN, Page, Span, WEAK};
use super::super::verdict::{Mark, verdict};
use super::super::words::{self, plural};
use super::super::{many, shown};
use crate::alb::{server_names, unprobed};
use crate::report::Detail;
use crate::report::model::{EndpointReport, Of, Purpose, Report, Role, TargetReport};

/// Rules of a listener shown at most, unless all are asked for.
const RULES: usize = 8;

/// Kinds of targets of a group shown at most, unless all are asked for.
const KINDS: usize = 6;

/// The target groups that a load balancer uses; none where they were not read.
pub(super) fn groups<'a>(
    report: &'a Report,
    balancer: &LoadBalancer,
) -> Option<Vec<&'a TargetGroup>> {
    let all = report.inventory.as_ref()?.target_groups.read()?;
    let used = |group: &&TargetGroup| group.load_balancer_arns.contains(&balancer.arn);
    Some(all.iter().filter(used).collect())
}

/// Writes the section.
pub(super) fn write(
    page: &mut Page,
    report: &Report,
    balancer: &LoadBalancer,
    probed: &[Of<'_>],
    detail: Detail,
) {
    let groups = groups(report, balancer);
    let Some(inventory) = &report.inventory else {
        return;
    };
    let view = View {
        inventory,
        groups: groups.as_deref().unwrap_or_default(),
        probed,
        detail,
        now: report.started_at,
    };
    page.blank();
    page.line(0, &[Span::new(BOLD, "Topology")]);
    match &balancer.listeners {
        Section::Read(listeners) => {
            for listener in listeners {
                view.listener(page, listener);
            }
            if listeners.is_empty() {
                page.line(2, &[Span::new(WEAK, "no listeners: nothing reaches it")]);
            }
        }
        Section::NotRead(why) => not_read(page, "listeners", &why.reason),
    }
    if groups.is_none() {
        not_read(page, "target groups", "see below");
    }
    for group in view.groups {
        view.group(page, group);
    }
    // Who looks for sporadic 502s should know what was not looked at.
    let (asked, timed) = view.keep_alive();
    if asked && !timed {
        page.blank();
        let told = "How long targets keep idle connections was not measured: --keep-alive does.";
        page.paragraph(2, &[], 0, &Span::new(DIM, told));
    }
}

fn not_read(page: &mut Page, what: &str, why: &str) {
    let told = format!("{what} were not read: {why}");
    page.paragraph(2, &[], 0, &Span::new(WEAK, told));
}

struct View<'a> {
    inventory: &'a Inventory,
    groups: &'a [&'a TargetGroup],
    probed: &'a [Of<'a>],
    detail: Detail,
    now: OffsetDateTime,
}

impl View<'_> {
    /// Whether targets were asked over HTTP, and whether their idle connections were timed.
    fn keep_alive(&self) -> (bool, bool) {
        let endpoints = || {
            let targets = self.probed.iter().map(|of| of.target);
            targets
                .filter(|target| matches!(target.role, Some(Role::Target { .. })))
                .flat_map(|target| &target.endpoints)
        };
        let asked =
            |endpoint: &EndpointReport| endpoint.observations.target_response.seen().is_some();
        let timed = |endpoint: &EndpointReport| {
            matches!(
                endpoint.observations.keep_alive,
                Attempt::Seen(_) | Attempt::Failed(_)
            )
        };
        (endpoints().any(asked), endpoints().any(timed))
    }

    fn listener(&self, page: &mut Page, listener: &Listener) {
        let seen: Vec<&Of<'_>> = self
            .probed
            .iter()
            .filter(|of| {
                matches!(&of.target.role, Some(Role::Listener { listener: arn, .. }) if *arn == listener.arn)
            })
            .collect();
        let lead = Span::new(BOLD, format!("{}:{}", listener.protocol, listener.port));
        let told = configured(listener);
        let gap = Span::plain(if told.is_empty() { "" } else { "  " });
        page.paragraph(2, &[lead, gap], 4, &Span::plain(told));
        self.seen_at(page, listener, &seen);
        let rules = listener.rules.read().map(Vec::as_slice).unwrap_or_default();
        let shown = if self.detail >= Detail::Verbose {
            rules.len()
        } else {
            RULES
        };
        for rule in rules.iter().take(shown) {
            let lead = Span::new(DIM, format!("{:>5}  ", rule.priority));
            let told = format!("{} → {}", conditions(rule), self.actions(&rule.actions));
            page.paragraph(4, &[lead], 9, &Span::plain(told));
        }
        if let Some(more @ 1..) = rules.len().checked_sub(shown) {
            let told = format!("       +{} (-v)", plural(more, "more rule"));
            page.line(4, &[Span::new(DIM, told)]);
        }
        if let Section::NotRead(why) = &listener.rules {
            not_read(page, "  rules", &why.reason);
        }
        let lead = Span::new(DIM, "    ·  ");
        let told = self.actions(&listener.default_actions);
        let told = match rules {
            [] => format!("→ {told}"),
            _ => format!("else → {told}"),
        };
        page.paragraph(4, &[lead], 9, &Span::plain(told));
    }

    /// What the probes saw, one line for equal sentences.
    fn seen_at(&self, page: &mut Page, listener: &Listener, seen: &[&Of<'_>]) {
        let sentences = many::group(seen.iter().map(|of| {
            let verdict = verdict(of, self.now);
            ((verdict.mark, verdict.sentence), of.target)
        }));
        for ((mark, sentence), targets) in sentences {
            let (sign, style) = shown(mark);
            let names: Vec<&str> = targets
                .iter()
                .map(|target| target.target.as_str())
                .collect();
            let mut addresses: Vec<_> = targets
                .iter()
                .flat_map(|target| &target.endpoints)
                .map(|endpoint| (endpoint.ip, endpoint.port))
                .collect();
            addresses.sort_unstable();
            addresses.dedup();
            let place = format!(
                "{} at {}",
                many::named(&names),
                plural(addresses.len(), "address")
            );
            let lead = [
                Span::new(style.bold(), format!("{sign} ")),
                Span::plain(format!("{place}: ")),
            ];
            page.paragraph(4, &lead, 2, &Span::new(style, sentence));
        }
        let left_out = server_names(self.inventory, listener).left_out;
        if !seen.is_empty() && left_out > 0 {
            let told = format!("· {} not asked", plural(left_out, "more server name"));
            page.line(4, &[Span::new(DIM, told)]);
        }
    }

    fn actions(&self, actions: &[Action]) -> String {
        let told: Vec<_> = actions.iter().map(|action| self.action(action)).collect();
        if told.is_empty() {
            "nothing".into()
        } else {
            told.join(", then ")
        }
    }

    fn action(&self, action: &Action) -> String {
        match action.kind.as_str() {
            "forward" => {
                let groups = action.target_groups.iter().map(|weighted| {
                    let name = self.group_name(&weighted.target_group_arn);
                    match action.target_groups.len() {
                        1 => name,
                        _ => format!("{name} (weight {})", weighted.weight),
                    }
                });
                groups.collect::<Vec<_>>().join(", ")
            }
            "redirect" => match &action.redirect {
                Some(to) => {
                    let status = to.status_code.trim_start_matches("HTTP_");
                    format!("{status} to {}", redirect(to))
                }
                None => "a redirect".into(),
            },
            "fixed-response" => match &action.status_code {
                Some(status) => format!("a fixed response, {status}"),
                None => "a fixed response".into(),
            },
            other => other.to_owned(),
        }
    }

    fn group_name(&self, arn: &str) -> String {
        if let Some(known) = self.groups.iter().find(|group| group.arn == arn) {
            return self.name_of(known);
        }
        let name = arn.parse::<Arn>().ok();
        let name = name
            .as_ref()
            .map(|arn| arn.name().split('/').next().unwrap_or_default());
        name.unwrap_or(arn).to_owned()
    }

    /// Its name, with protocol and port where others have the same: a Classic Load Balancer has a group for
    /// each port of its instances, and all have its name.
    fn name_of(&self, group: &TargetGroup) -> String {
        let same = self.groups.iter().filter(|other| other.name == group.name);
        match (&group.protocol, group.port) {
            (Some(protocol), Some(port)) if same.count() > 1 => {
                format!("{} {protocol}:{port}", group.name)
            }
            _ => group.name.clone(),
        }
    }

    fn group(&self, page: &mut Page, group: &TargetGroup) {
        page.blank();
        let lead = Span::new(BOLD, format!("{}  ", group.name));
        page.paragraph(2, &[lead], 4, &Span::plain(about(group)));
        let Section::Read(targets) = &group.targets else {
            page.line(4, &[Span::new(WEAK, "its targets were not read")]);
            return;
        };
        if targets.is_empty() {
            page.line(4, &[Span::new(WEAK, "no targets")]);
        }
        let cannot = unprobed(group).map(|why| why.words().to_owned());
        let mut kinds = many::group(targets.iter().map(|target| {
            let seen = match &cannot {
                Some(why) => why.clone(),
                None => self.seen_at_target(group, target),
            };
            let kind = (
                target.state.clone(),
                target.reason.clone(),
                target.description.clone(),
                seen,
            );
            (kind, target)
        }));
        kinds.sort_by_key(|((state, ..), _)| rank(state));
        let shown_kinds = if self.detail >= Detail::Verbose {
            kinds.len()
        } else {
            KINDS
        };
        for ((state, reason, description, seen), targets) in kinds.iter().take(shown_kinds) {
            let (sign, style) = shown_state(state);
            let count = match targets.len() {
                1 if kinds.len() == 1 => state.clone(),
                count => format!("{count} {state}"),
            };
            let names: Vec<String> = targets.iter().map(|target| called(target)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let mut told = vec![many::named(&names)];
            let why = [reason.as_deref(), description.as_deref()];
            let why: Vec<&str> = why
                .into_iter()
                .flatten()
                .filter(|w| !w.is_empty())
                .collect();
            if !why.is_empty() {
                told.push(why.join(": "));
            }
            if !seen.is_empty() {
                told.push(match &cannot {
                    Some(_) => seen.clone(),
                    None => format!("from here: {seen}"),
                });
            }
            let lead = [
                Span::new(style.bold(), format!("{sign} ")),
                Span::new(style, format!("{count}  ")),
            ];
            page.paragraph(4, &lead, 2, &Span::plain(told.join(" · ")));
        }
        if let Some(more @ 1..) = kinds.len().checked_sub(shown_kinds) {
            let targets: usize = kinds
                .iter()
                .skip(shown_kinds)
                .map(|(_, all)| all.len())
                .sum();
            let told = format!("+{} of {more} more kinds (-v)", plural(targets, "target"));
            page.line(4, &[Span::new(DIM, told)]);
        }
    }

    /// What was seen at a target's ports, in a few words; empty where nothing was probed.
    fn seen_at_target(&self, group: &TargetGroup, target: &Target) -> String {
        let of = |purpose: Purpose| {
            self.probed.iter().find(|of| {
                matches!(
                    &of.target.role,
                    Some(Role::Target { target_group, id, port, purpose: asked, .. })
                        if *target_group == group.arn
                            && *id == target.id
                            && Some(*port) == target.port.or(group.port)
                            && *asked == purpose
                )
            })
        };
        let mut told = Vec::new();
        if let Some(of) = of(Purpose::Traffic) {
            told.push(seen(of.target));
        }
        if let Some(of) = of(Purpose::HealthCheck) {
            let port = of.target.endpoints.first().map(|endpoint| endpoint.port);
            let port = port.map(|port| format!(" (:{port})")).unwrap_or_default();
            told.push(format!("health check{port} {}", seen(of.target)));
        }
        told.join(", ")
    }
}

/// What was seen at one port of a target.
fn seen(target: &TargetReport) -> String {
    let Some(endpoint) = target.endpoints.first() else {
        return target.error.clone().unwrap_or_else(|| "not probed".into());
    };
    let seen = &endpoint.observations;
    let reach = match &seen.reach {
        Attempt::Seen(reach) => reach,
        Attempt::Failed(error) => return error.to_string(),
        Attempt::NotApplicable(why) => return why.clone(),
        Attempt::Skipped => return "not probed".into(),
    };
    match reach.outcome {
        ReachOutcome::Tls => {
            let handshake = seen.handshake.seen();
            match handshake.map(|handshake| (words::handshake_break(handshake), handshake)) {
                Some((Some(how), _)) => format!("TLS, but {how}"),
                Some((None, handshake)) => match &handshake.version {
                    Some(version) => version.clone(),
                    None => "TLS".into(),
                },
                None => "TLS".into(),
            }
        }
        ReachOutcome::PlaintextHttp => "HTTP".into(),
        ReachOutcome::PlaintextOther => format!("{} without TLS", words::protocol(reach)),
        ReachOutcome::Refused => "refused".into(),
        ReachOutcome::Timeout => "no way there".into(),
        ReachOutcome::Silent => "connects, and never answers".into(),
        ReachOutcome::Reset => "resets every hello".into(),
        ReachOutcome::Closed => "closes on every hello".into(),
        ReachOutcome::Alert => format!("answers every hello with {}", words::alert(reach.alert)),
        ReachOutcome::ProtocolError | ReachOutcome::OpeningFailed => {
            "no TLS that can be read".into()
        }
    }
}

/// What a listener is set to.
fn configured(listener: &Listener) -> String {
    let mut told = Vec::new();
    if listener.has_tls() {
        let policy = listener.ssl_policy.as_deref();
        told.extend(policy.map(|name| name.trim_start_matches("ELBSecurityPolicy-").to_owned()));
        let others = listener.certificates.read().map_or(0, |all| {
            let own = |arn: &&String| Some(arn.as_str()) != listener.default_certificate.as_deref();
            all.iter().filter(own).count()
        });
        let default = usize::from(listener.default_certificate.is_some());
        let count = plural(default + others, "certificate");
        told.push(match listener.certificates {
            Section::Read(_) => count,
            Section::NotRead(_) => format!("{count} or more"),
        });
    }
    if let Some(mutual) = &listener.mutual_authentication
        && mutual.mode != "off"
        && !mutual.mode.is_empty()
    {
        told.push(match mutual.mode.as_str() {
            "verify" => "client certificates are verified".into(),
            mode => format!("client certificates: {mode}"),
        });
    }
    if !listener.alpn_policy.is_empty() {
        told.push(format!("ALPN {}", listener.alpn_policy.join(", ")));
    }
    if let Some(instance) = &listener.instance {
        told.push(format!(
            "to instances as {}:{}",
            instance.protocol, instance.port
        ));
    }
    told.join(", ")
}

fn redirect(to: &gladhand_probes::aws::inventory::Redirect) -> String {
    let or = |text: &str, own: &str| {
        if text.is_empty() {
            own.to_owned()
        } else {
            text.to_owned()
        }
    };
    let protocol = or(&to.protocol, "#{protocol}").to_ascii_lowercase();
    let (host, port) = (or(&to.host, "#{host}"), or(&to.port, "#{port}"));
    let port = match (protocol.as_str(), port.as_str()) {
        ("https", "443") | ("http", "80") => String::new(),
        (_, port) => format!(":{port}"),
    };
    let path = or(&to.path, "/#{path}");
    format!("{protocol}://{host}{port}{path}")
}

/// What must hold for a rule.
fn conditions(rule: &Rule) -> String {
    const VALUES: usize = 4;
    let told = rule.conditions.iter().map(|condition| {
        let field = match condition.field.as_str() {
            "host-header" => "host",
            "path-pattern" => "path",
            "http-header" => condition.header.as_deref().unwrap_or("header"),
            "http-request-method" => "method",
            "query-string" => "query",
            "source-ip" => "from",
            other => other,
        };
        let values: Vec<&str> = condition
            .values
            .iter()
            .chain(&condition.regex_values)
            .map(String::as_str)
            .collect();
        let some = values
            .iter()
            .take(VALUES)
            .copied()
            .collect::<Vec<_>>()
            .join(" or ");
        match values.len().checked_sub(VALUES) {
            Some(more @ 1..) => format!("{field} {some} or {more} more"),
            _ => format!("{field} {some}"),
        }
    });
    let told: Vec<_> = told.collect();
    if told.is_empty() {
        "always".into()
    } else {
        told.join(", ")
    }
}

/// What a group is set to.
fn about(group: &TargetGroup) -> String {
    let mut told = Vec::new();
    if let Some(protocol) = &group.protocol {
        let port = group
            .port
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        let version = match group.protocol_version.as_deref() {
            None | Some("HTTP1") => String::new(),
            Some(version) => format!(" ({version})"),
        };
        told.push(format!("{protocol}{port}{version}"));
    }
    told.push(format!("{} targets", group.target_type));
    let check = &group.health_check;
    told.push(if check.enabled {
        let protocol = check.protocol.as_deref().unwrap_or_default();
        let port = match check.port.as_deref() {
            None | Some("traffic-port") => "traffic port",
            Some(port) => port,
        };
        let path = check.path.as_deref().unwrap_or_default();
        format!("health check {protocol} on {port} {path}")
            .trim_end()
            .to_owned()
    } else {
        "no health check".into()
    });
    told.join(", ")
}

fn called(target: &Target) -> String {
    let port = target
        .port
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    match target.address {
        Some(ip) if ip.is_ipv6() => format!("[{ip}]{port}"),
        Some(ip) if ip.to_string() != target.id => format!("{} ({ip}{port})", target.id),
        _ => format!("{}{port}", target.id),
    }
}

/// The worst first.
fn rank(state: &str) -> u8 {
    match state {
        "unhealthy" | "unhealthy.draining" => 0,
        "unavailable" => 1,
        "initial" => 2,
        "draining" | "unused" => 3,
        _ => 4,
    }
}

fn shown_state(state: &str) -> (&'static str, anstyle::Style) {
    match state {
        "healthy" => (shown(Mark::Works).0, GOOD),
        "unhealthy" | "unhealthy.draining" => (shown(Mark::Broken).0, BAD),
        "draining" | "unused" => ("·", PLAIN),
        _ => (shown(Mark::Unknown).0, WEAK),
    }
}
