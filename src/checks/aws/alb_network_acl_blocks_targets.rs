use super::network::{Sender, Way, severity, ways};
use super::network_acls::{Dropped, acls, allow, denied, describe_acls};
use super::targets::{Group, TROUBLE_DOCS, count, groups};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::support::{enumeration, group_by};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::{Fix, Severity};

/// The rule's id, to which findings about health refer.
pub(super) const ID: &str = "alb-network-acl-blocks-targets";

pub(super) struct AlbNetworkAclBlocksTargets;

static RULE: Rule = Rule {
    id: ID,
    title: "A network ACL drops packets between the load balancer and its targets",
    severity: Severity::High,
    what: "The network ACL of a node's subnet or of a target's denies the way to the target's port, or the way \
           back to the ephemeral ports, 1024-65535. The first entry that matches decides, each way by itself; \
           within a subnet ACLs have no say. Medium where only some of the ephemeral ports are denied, a thousand and more. Silent \
           where an ACL or the target's interface was not read, and where health checks at that port pass.",
    why: "The packets are dropped in silence: requests wait 10 s for the connection and end with 504, health \
          checks with `Target.Timeout`. Where only some zones are concerned, or some ephemeral ports, it is now \
          one request and now another that fails.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Let the port in at the targets' subnet, and the ephemeral ports back out; and the reverse at the \
               load balancer's.",
        snippet: Some(
            "aws ec2 create-network-acl-entry --network-acl-id <ACL> --egress --rule-number 90 --protocol tcp --port-range From=1024,To=65535 --cidr-block <BALANCER-SUBNET> --rule-action allow",
        ),
    }],
    references: &[
        "https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html",
        "https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports",
        TROUBLE_DOCS,
    ],
};

impl Audit for AlbNetworkAclBlocksTargets {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for group in groups(view) {
            let mut all = Vec::new();
            for way in ways(view, group) {
                let (dropped, everywhere) = acls(view, group.group, &way);
                // Of the health checks that pass, none can be dropped from every node.
                let whole = dropped.iter().all(|dropped| !dropped.partly);
                if way.sender == Sender::Nodes && !(everywhere && whole && way.is_proven()) {
                    all.extend(
                        dropped
                            .into_iter()
                            .map(|dropped| (dropped.partly, (way, dropped))),
                    );
                }
            }
            for (partly, dropped) in group_by(all) {
                out.about(
                    group_subject(group.group),
                    tell(view, group, partly, &dropped),
                );
            }
        }
    }
}

fn tell(view: &AuditView<'_>, group: Group<'_>, partly: bool, all: &[(Way<'_>, Dropped)]) -> Found {
    let mut ids: Vec<&str> = all
        .iter()
        .map(|(_, dropped)| dropped.denial.acl.as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let missing = all
        .iter()
        .map(|(way, dropped)| (&dropped.denial, way.protocol, dropped.range, &dropped.ports));
    let commands = allow(view, missing);
    let lines = all.iter().map(|(way, dropped)| {
        let line = format!(
            "{}, on the way between {} and",
            denied(&dropped.denial, way.protocol),
            dropped.zone,
        );
        (line, way.name())
    });
    let lines = group_by(lines.collect()).into_iter().take(8);
    let seen = lines.map(|(line, mut names)| {
        names.dedup();
        names.truncate(10);
        format!("{line} {}", enumeration(&names))
    });
    let mut targets: Vec<&str> = all.iter().map(|(way, _)| way.target.id.as_str()).collect();
    targets.sort_unstable();
    targets.dedup();
    let worst = all
        .iter()
        .map(|(way, _)| severity(view, group, way.purpose))
        .max();
    let what = if partly {
        "drop a part of the ephemeral ports"
    } else {
        "drop the packets"
    };
    Found {
        key: if partly { "some-ports" } else { "blocked" }.into(),
        message: format!(
            "Network ACLs {what} between the load balancer and {}.",
            count(targets.len()),
        ),
        seen: seen.collect(),
        reproduce: vec![describe_acls(view, &ids)],
        severity: if partly {
            Some(Severity::Medium)
        } else {
            worst
        },
        fix: vec![Fix {
            product: "AWS".into(),
            text: "Add the entries that are missing, before those that deny.".into(),
            snippet: (!commands.is_empty()).then(|| commands.join("\n")),
        }],
        ..Found::default()
    }
}
