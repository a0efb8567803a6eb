//! Remedies that several rules share, word for word.

use super::RuleFix;

/// Versions: nginx.
pub(super) const NGINX_PROTOCOLS: RuleFix = RuleFix {
    product: "nginx",
    text: "Leave only TLS 1.2 and 1.3 in the `server` block that listens first on this address and \
           port: the version is settled there, before the name is known.",
    snippet: Some("ssl_protocols TLSv1.2 TLSv1.3;"),
};

/// Versions: HAProxy.
pub(super) const HAPROXY_PROTOCOLS: RuleFix = RuleFix {
    product: "HAProxy",
    text: "Raise the minimum on the bind line, or for all of them in `global`.",
    snippet: Some("ssl-default-bind-options ssl-min-ver TLSv1.2"),
};

/// TLS 1.0 and 1.1: AWS.
pub(super) const ALB_PROTOCOLS: RuleFix = RuleFix {
    product: "AWS ALB",
    text: "Choose a security policy that begins at TLS 1.2. The default of the API, the CLI and \
           CloudFormation is ELBSecurityPolicy-2016-08, which accepts TLS 1.0 and 1.1. The field \
           ssl_protocol of the access log tells who still needs them.",
    snippet: Some(ALB_RES),
};

/// TLS 1.0 and 1.1: Java.
pub(super) const JVM_PROTOCOLS: RuleFix = RuleFix {
    product: "JVM",
    text: "TLS 1.0 and 1.1 stand in `jdk.tls.disabledAlgorithms` since the updates of April 2021: \
           put them back. Name the protocols of the connector, too.",
    snippet: Some("server.ssl.enabled-protocols=TLSv1.2,TLSv1.3"),
};

/// A revoked certificate: whoever has it.
pub(super) const NEW_KEY: RuleFix = RuleFix {
    product: "any",
    text: "Order a new certificate with a new key, install it, and find out why the old \
                    one was revoked before its key is used again.",
    snippet: Some("certbot certonly --force-renewal --cert-name www.example.com"),
};

/// A revoked certificate: AWS.
pub(super) const ACM_NEW_CERTIFICATE: RuleFix = RuleFix {
    product: "AWS ALB",
    text: "A certificate of ACM is revoked by AWS only on request or by an incident: \
                    request a new one. Import a new one in the place of an imported one.",
    snippet: Some(
        "aws acm import-certificate --certificate-arn <ARN> --certificate fileb://leaf.pem --private-key fileb://key.pem --certificate-chain fileb://chain.pem",
    ),
};

/// Stapled responses: HAProxy.
pub(super) const HAPROXY_STAPLING: RuleFix = RuleFix {
    product: "HAProxy",
    text: "HAProxy fetches no response by itself before 2.8. From 2.8 on it does; \
                    before, renew the `.ocsp` file beside the certificate and send it to the \
                    stats socket.",
    snippet: Some("ocsp-update on"),
};

/// A policy with TLS 1.2 and 1.3, and with nothing but ECDHE and AEAD.
pub(super) const ALB_RES: &str = "aws elbv2 modify-listener --listener-arn <ARN> \
                                  --ssl-policy ELBSecurityPolicy-TLS13-1-2-Res-2021-06";

/// Suites: nginx.
pub(super) const NGINX_SUITES: RuleFix = RuleFix {
    product: "nginx",
    text: "Name the suites of TLS 1.2: ECDHE with an AEAD, and nothing else. Also in the `server` \
           block that is the default of this address and port: clients without SNI end there.",
    snippet: Some(
        "ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
         ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
         ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;",
    ),
};

/// Suites: HAProxy.
pub(super) const HAPROXY_SUITES: RuleFix = RuleFix {
    product: "HAProxy",
    text: "Name the suites of TLS 1.2 in `global`, and see that no bind line has `ciphers` of its \
           own.",
    snippet: Some(
        "ssl-default-bind-ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
         ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
         ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305",
    ),
};

/// Suites that no ALB policy has.
pub(super) const CLB_SUITES: RuleFix = RuleFix {
    product: "AWS CLB",
    text: "No policy of an Application or Network Load Balancer has such suites. On a Classic Load \
           Balancer, make a policy of ELBSecurityPolicy-TLS-1-2-2017-01 and set it for the \
           listener.",
    snippet: Some(
        "aws elb create-load-balancer-policy --load-balancer-name <NAME> --policy-name tls-1-2 \
         --policy-type-name SSLNegotiationPolicyType --policy-attributes \
         AttributeName=Reference-Security-Policy,AttributeValue=ELBSecurityPolicy-TLS-1-2-2017-01\n\
         aws elb set-load-balancer-policies-of-listener --load-balancer-name <NAME> \
         --load-balancer-port 443 --policy-names tls-1-2",
    ),
};

/// Suites that Java disables unless somebody has changed that.
pub(super) const JVM_SUITES: RuleFix = RuleFix {
    product: "JVM",
    text: "Java disables them in `jdk.tls.disabledAlgorithms` of `java.security`: somebody has \
           taken them out there. Put them back.",
    snippet: Some(
        "jdk.tls.disabledAlgorithms=SSLv3, TLSv1, TLSv1.1, RC4, DES, 3DES_EDE_CBC, MD5withRSA, \
         DH keySize < 2048, EC keySize < 224, anon, NULL",
    ),
};

/// A new chain or certificate: ACM.
pub(super) const ACM_IMPORT: &str = "aws acm import-certificate --certificate-arn <ARN> --certificate fileb://leaf.pem \
     --private-key fileb://key.pem --certificate-chain fileb://chain.pem";

/// The documentation of ALB's policies.
pub(super) const ALB_POLICIES: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html";
