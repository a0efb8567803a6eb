//! The attributes that hold where AWS gave none: its documented defaults, by type.
//!
//! AWS gives every attribute in its answers; saved answers of older tools, and stand-ins, do not.

use super::inventory::{Listener, LoadBalancer, LoadBalancerType, TargetGroup};

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html>
const APPLICATION: &[(&str, &str)] = &[
    ("access_logs.s3.enabled", "false"),
    ("client_keep_alive.seconds", "3600"),
    ("connection_logs.s3.enabled", "false"),
    ("deletion_protection.enabled", "false"),
    ("health_check_logs.s3.enabled", "false"),
    ("idle_timeout.timeout_seconds", "60"),
    ("load_balancing.cross_zone.enabled", "true"),
    ("routing.http.desync_mitigation_mode", "defensive"),
    ("routing.http.drop_invalid_header_fields.enabled", "false"),
    ("routing.http.preserve_host_header.enabled", "false"),
    (
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
        "false",
    ),
    ("routing.http.xff_client_port.enabled", "false"),
    ("routing.http.xff_header_processing.mode", "append"),
    ("routing.http2.enabled", "true"),
    ("waf.fail_open.enabled", "false"),
    ("zonal_shift.config.enabled", "false"),
];

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-load-balancer-attributes.html>
const NETWORK: &[(&str, &str)] = &[
    ("access_logs.s3.enabled", "false"),
    ("deletion_protection.enabled", "false"),
    ("dns_record.client_routing_policy", "any_availability_zone"),
    ("load_balancing.cross_zone.enabled", "false"),
    ("zonal_shift.config.enabled", "false"),
];

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-create-https-ssl-load-balancer.html>
const CLASSIC: &[(&str, &str)] = &[
    ("access_logs.s3.enabled", "false"),
    ("connection_draining.enabled", "false"),
    ("connection_draining.timeout_seconds", "300"),
    ("idle_timeout.timeout_seconds", "60"),
    ("load_balancing.cross_zone.enabled", "false"),
    ("routing.http.desync_mitigation_mode", "defensive"),
];

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html>
const TARGET_GROUP: &[(&str, &str)] = &[
    ("deregistration_delay.timeout_seconds", "300"),
    ("load_balancing.algorithm.type", "round_robin"),
    (
        "load_balancing.cross_zone.enabled",
        "use_load_balancer_configuration",
    ),
    ("slow_start.duration_seconds", "0"),
    ("stickiness.enabled", "false"),
    ("proxy_protocol_v2.enabled", "false"),
    (
        "target_group_health.dns_failover.minimum_healthy_targets.count",
        "1",
    ),
    (
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
        "1",
    ),
];

impl LoadBalancer {
    /// An attribute: as read, else AWS's default for the type. None where the attributes were not read, or
    /// where the type has no such attribute.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        let read = self.attributes.read()?;
        let defaults = match self.kind {
            LoadBalancerType::Application => APPLICATION,
            LoadBalancerType::Network => NETWORK,
            LoadBalancerType::Classic => CLASSIC,
            LoadBalancerType::Gateway => &[],
        };
        read.get(key)
            .map(String::as_str)
            .or_else(|| find(defaults, key))
    }

    /// Seconds that a connection may be idle; none where that is not known, or no such thing (NLB: it is the
    /// listener's).
    pub fn idle_timeout(&self) -> Option<u32> {
        self.attribute("idle_timeout.timeout_seconds")?.parse().ok()
    }
}

impl Listener {
    /// An attribute, as read; a listener's have no defaults but empty ones.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.read()?.get(key).map(String::as_str)
    }
}

impl TargetGroup {
    /// An attribute: as read, else AWS's default. None where the attributes were not read, or where there is
    /// no such attribute.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        let read = self.attributes.read()?;
        read.get(key)
            .map(String::as_str)
            .or_else(|| find(TARGET_GROUP, key))
    }
}

fn find(defaults: &[(&str, &'static str)], key: &str) -> Option<&'static str> {
    let found = defaults.iter().find(|(known, _)| *known == key);
    found.map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Section;

    #[test]
    fn a_default_holds_only_where_the_attributes_were_read() {
        let mut balancer = LoadBalancer::default();
        assert_eq!(balancer.idle_timeout(), None);
        balancer.attributes = Section::Read([].into());
        assert_eq!(balancer.idle_timeout(), Some(60));
        balancer.attributes =
            Section::Read([("idle_timeout.timeout_seconds".into(), "4000".into())].into());
        assert_eq!(balancer.idle_timeout(), Some(4000));
    }
}
