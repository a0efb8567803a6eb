//! What a load balancer gets from real and scripted targets.

use std::time::Duration;

use gladhand::checks::judge;
use gladhand::report::model::{EndpointReport, Finding, TargetReport};
use gladhand_probes::scan;
use gladhand_probes::settings::{BalancerClient, Selection};
use gladhand_probes::{Observations, Settings, Target};
use gladhand_testkit::faults::{Fault as OnTheWay, FaultProxy, HelloIs, Instead};
use gladhand_testkit::needs;
use gladhand_testkit::pki::{KeyKind, Pki, Spec};
use gladhand_testkit::real::{RealServer, Site, haproxy, nginx, plain_nginx, s_server};
use gladhand_testkit::scripted::{
    Action, Engine, Fault, Identity, Model, Rule, ScriptedServer, When,
};
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::harness::{HOST, Report, check_args, check_name, check_with, gladhand};

const OLD: &str = "alb:ELBSecurityPolicy-2016-08";
const NEW: &str = "alb:ELBSecurityPolicy-TLS13-1-0-2021-06";
const POST_QUANTUM: &str = "alb:ELBSecurityPolicy-TLS13-1-2-PQ-2025-09";
const FIPS: &str = "nlb:ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04";

fn rsa(pki: &Pki) -> Site {
    let leaf = pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048)));
    Site::serving(pki, &pki.chain(&leaf))
}

fn ask(pki: &Pki, port: u16, client: &str) -> Report {
    check_with(pki, port, &["--as", client, "--only", "backend"])
}

#[test]
fn every_policy_gets_through_to_an_ordinary_target() {
    needs!("nginx");
    let pki = Pki::new();
    let site = rsa(&pki).protocols("TLSv1.2 TLSv1.3");
    let server = nginx(&pki, &[site]);
    for (client, version) in [
        (OLD, "TLSv1.2"),
        (NEW, "TLSv1.3"),
        (POST_QUANTUM, "TLSv1.3"),
        (FIPS, "TLSv1.3"),
        (
            "alb:ELBSecurityPolicy-TLS13-1-2-RFC9151-FIPS-2023-07",
            "TLSv1.3",
        ),
    ] {
        let report = ask(&pki, server.port(), client);
        report
            .says("backend/hello/taken/answer", "yes")
            .says("backend/hello/version", version)
            .says("backend/handshake/completes/answer", "yes")
            .says("backend/handshake/version", version)
            .says("backend/client_certificate/requested/answer", "no")
            .finds_only(&[])
            .is_complete()
            .ends_with(0);
        assert!(report.connections() <= 4, "{report}");
    }
}

#[test]
fn the_report_names_the_policy_and_says_where_it_is_assumed() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&[HOST])));
    let client = "/targets/0/endpoints/0/client";
    let report = ask(&pki, server.port(), "alb");
    report.says(client, "alb:ELBSecurityPolicy-TLS13-1-0-2021-06");
    assert_eq!(report.at("backend/policy_assumed"), true, "{report}");
    // What a listener has decides about targets; it is not what they are offered.
    let report = ask(
        &pki,
        server.port(),
        "nlb:ELBSecurityPolicy-FS-1-2-Res-2020-10",
    );
    report.says(client, "nlb:ELBSecurityPolicy-2016-08");
    let hellos = server.seen().len();
    assert!(hellos > 0);
}

#[test]
fn a_target_with_tls_1_3_alone_has_no_version_for_the_old_policy() {
    needs!("nginx");
    let pki = Pki::new();
    let server = nginx(&pki, &[rsa(&pki).protocols("TLSv1.3")]);
    let report = ask(&pki, server.port(), OLD);
    report
        .says("backend/hello/taken/answer", "no")
        .finds_only(&["alb-target-no-common-version"])
        .is_complete()
        .ends_with(1);
    ask(&pki, server.port(), NEW).finds_only(&[]).ends_with(0);
}

#[test]
fn a_target_with_old_versions_alone_has_none_for_the_strictest_policy() {
    needs!("openssl");
    let pki = Pki::rsa();
    let chain = pki.chain(&pki.leaf(&[HOST]));
    let server = s_server(&pki, &chain, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    ask(
        &pki,
        server.port(),
        "alb:ELBSecurityPolicy-TLS13-1-2-RFC9151-FIPS-2023-07",
    )
    .finds_only(&["alb-target-no-common-version"])
    .ends_with(1);
    // The others offer TLS 1.0 and 1.1; no handshake of theirs can be completed here.
    let report = ask(&pki, server.port(), OLD);
    report
        .says("backend/hello/taken/answer", "yes")
        .says("backend/hello/version", "TLSv1.1")
        .says("backend/handshake/completes/answer", "undetermined")
        .finds_only(&["not-measured"])
        .ends_with(3);
}

#[test]
fn a_certificate_that_a_target_demands_is_the_one_cause_told() {
    needs!("nginx", "haproxy");
    let pki = Pki::new();
    let bundle = pki.bundle_file(&pki.chain(&pki.leaf(&[HOST])));
    let (bundle, root) = (bundle.display(), pki.root_file());
    let by_tls = format!("crt {bundle} verify required ca-file {}", root.display());
    let by_tls = haproxy(&pki, &by_tls);
    let by_http = nginx(&pki, &[rsa(&pki).client_certificates(&pki, "on")]);
    for server in [by_tls, by_http] {
        let probes = "backend,target_response";
        let args = ["--as", NEW, "--only", probes, "--health-path", "/health"];
        check_with(&pki, server.port(), &args)
            .finds_only(&["alb-target-client-certificate-required"])
            .ends_with(1);
    }
}

#[test]
fn a_target_with_chacha20_alone_has_no_suite() {
    needs!("nginx");
    let pki = Pki::new();
    let site = rsa(&pki)
        .protocols("TLSv1.2")
        .ciphers("ECDHE-RSA-CHACHA20-POLY1305");
    let server = nginx(&pki, &[site]);
    for client in [OLD, NEW, POST_QUANTUM] {
        let report = ask(&pki, server.port(), client);
        report
            .finds_only(&["alb-target-no-common-suite"])
            .is_complete()
            .ends_with(1);
        let message = report.finding("alb-target-no-common-suite")["message"].as_str();
        assert!(message.unwrap().contains("CHACHA20"), "{report}");
    }
}

#[test]
fn dhe_alone_is_no_common_suite_either() {
    needs!("openssl");
    let pki = Pki::rsa();
    let leaf = pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048)));
    let chain = pki.chain(&leaf);
    let server = s_server(
        &pki,
        &chain,
        &["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"],
    );
    ask(&pki, server.port(), NEW)
        .finds_only(&["alb-target-no-common-suite"])
        .ends_with(1);
}

#[test]
fn a_suite_that_rustls_has_not_is_taken_and_what_follows_stays_open() {
    needs!("nginx");
    let pki = Pki::new();
    let site = rsa(&pki).protocols("TLSv1.2").ciphers("AES128-SHA");
    let server = nginx(&pki, &[site]);
    let report = ask(&pki, server.port(), OLD);
    report
        .says("backend/hello/taken/answer", "yes")
        .says("backend/handshake/completes/answer", "undetermined")
        .says("backend/client_certificate/requested/answer", "no")
        .finds_only(&["not-measured"])
        .ends_with(3);
}

#[test]
fn a_target_without_a_default_server_wants_a_name() {
    needs!("nginx");
    let pki = Pki::new();
    let rejecting = Site::rejecting().default_server();
    let named = rsa(&pki).names(HOST).protocols("TLSv1.2 TLSv1.3");
    let server = nginx(&pki, &[rejecting, named]);
    let wants_name = |report: &Report| {
        report.finds_only(&["alb-target-sni-required"]).ends_with(1);
    };
    let report = ask(&pki, server.port(), NEW);
    wants_name(&report);
    report
        .is_complete()
        .says("backend/hello/taken/answer", "no");
    // The name of the HTTP request will do; without any, the alert says it.
    let report = check_name(
        "127.0.0.1",
        &pki,
        server.port(),
        &["--as", NEW, "--host", HOST, "--only", "backend"],
    );
    wants_name(&report);
    report.is_complete();
    let report = check_name(
        "127.0.0.1",
        &pki,
        server.port(),
        &["--as", NEW, "--only", "backend"],
    );
    wants_name(&report);
    report.says("backend/hello/taken/answer", "undetermined");
}

#[test]
fn strict_sni_of_haproxy_is_the_same() {
    needs!("haproxy");
    let pki = Pki::new();
    let bundle = pki.bundle_file(&pki.chain(&pki.leaf(&[HOST])));
    let server = haproxy(&pki, &format!("strict-sni crt {}", bundle.display()));
    ask(&pki, server.port(), NEW)
        .finds_only(&["alb-target-sni-required"])
        .ends_with(1);
    // Both at once: no version without a name, and none with it.
    let bind = format!("strict-sni ssl-min-ver TLSv1.3 crt {}", bundle.display());
    let server = haproxy(&pki, &bind);
    ask(&pki, server.port(), OLD)
        .finds_only(&["alb-target-no-common-version", "alb-target-sni-required"])
        .ends_with(1);
}

#[test]
fn nginx_wants_a_client_certificate_in_http() {
    needs!("nginx");
    let pki = Pki::new();
    for (protocols, client) in [("TLSv1.2", OLD), ("TLSv1.3", NEW)] {
        let site = rsa(&pki)
            .protocols(protocols)
            .client_certificates(&pki, "on");
        let server = nginx(&pki, &[site]);
        let report = ask(&pki, server.port(), client);
        report
            .says("backend/client_certificate/requested/answer", "yes")
            .says("backend/client_certificate/required_by_http/answer", "yes")
            .finds_only(&["alb-target-client-certificate-required"])
            .ends_with(1);
        let site = rsa(&pki)
            .protocols(protocols)
            .client_certificates(&pki, "optional");
        let server = nginx(&pki, &[site]);
        let report = ask(&pki, server.port(), client);
        report.is_complete().ends_with(0);
        let finding = report.finding("alb-target-client-certificate-required");
        assert_eq!(finding["severity"], "info", "{report}");
    }
}

#[test]
fn haproxy_and_openssl_want_it_in_the_handshake() {
    needs!("haproxy", "openssl");
    let pki = Pki::new();
    let chain = pki.chain(&pki.leaf(&[HOST]));
    let bundle = pki.bundle_file(&chain);
    let root = pki.root_file().display().to_string();
    let mut servers: Vec<RealServer> = ["ssl-max-ver TLSv1.2", "ssl-min-ver TLSv1.3"]
        .map(|versions| {
            let bundle = bundle.display();
            haproxy(
                &pki,
                &format!("crt {bundle} {versions} verify required ca-file {root}"),
            )
        })
        .into();
    for version in ["-tls1_2", "-tls1_3"] {
        let args = [
            version,
            "-Verify",
            "3",
            "-verify_return_error",
            "-CAfile",
            &root,
        ];
        servers.push(s_server(&pki, &chain, &args));
    }
    for server in &servers {
        let report = ask(&pki, server.port(), NEW);
        report
            .says("backend/handshake/completes/answer", "no")
            .says(
                "backend/client_certificate/required_by_handshake/answer",
                "yes",
            )
            .finds_only(&["alb-target-client-certificate-required"])
            .ends_with(1);
    }
}

#[test]
fn plaintext_and_tls_where_the_other_is_expected() {
    needs!("nginx");
    let pki = Pki::new();
    let plain = plain_nginx(&pki);
    ask(&pki, plain.port(), "alb")
        .finds_only(&["alb-target-plaintext"])
        .is_complete()
        .ends_with(1);
    let tls = nginx(&pki, &[rsa(&pki)]);
    let url = format!("http://127.0.0.1:{}/", tls.port());
    let report = gladhand(&["check", &url, "--as", "alb", "-o", "json"]).report();
    report
        .finds_only(&["alb-target-tls-on-http-group"])
        .ends_with(1);
}

#[test]
fn who_speaks_first_speaks_plaintext() {
    let rule = Rule {
        when: When::default(),
        then: vec![Action::Banner("smtp".into()), Action::Close],
    };
    let pki = Pki::new();
    let identity = Identity::of(pki.chain(&pki.leaf(&[HOST])));
    let server = ScriptedServer::start(Model::default(), Fault::default(), vec![rule], identity);
    ask(&pki, server.port(), "nlb")
        .finds_only(&["alb-target-plaintext"])
        .ends_with(1);
}

#[test]
fn a_self_signed_or_expired_certificate_is_worth_no_more_than_knowing() {
    let pki = Pki::new();
    for (spec, key) in [
        (Spec::leaf(&[HOST]), "self-signed"),
        (Spec::leaf(&[HOST]).days(-20, -10), "self-signed,expired"),
    ] {
        let server = ScriptedServer::serving(vec![spec.self_signed()]);
        let report = ask(&pki, server.port(), NEW);
        report
            .finds_only(&["alb-target-certificate-invalid"])
            .is_complete()
            .ends_with(0);
        let finding = report.finding("alb-target-certificate-invalid");
        assert_eq!(finding["severity"], "info", "{report}");
        assert_eq!(finding["evidence"]["key"], key, "{report}");
    }
}

#[test]
fn a_certificate_that_no_scheme_of_the_policy_signs_for_breaks_the_handshake() {
    let pki = Pki::new();
    let leaf = pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Ed25519));
    let server = ScriptedServer::serving(pki.chain(&leaf));
    for client in [OLD, NEW] {
        let report = ask(&pki, server.port(), client);
        report
            .finds_only(&["alb-target-handshake-fails"])
            .is_complete()
            .ends_with(1);
        let finding = report.finding("alb-target-handshake-fails");
        assert_eq!(finding["evidence"]["key"], "signature-scheme", "{report}");
    }
}

#[test]
fn groups_that_the_policy_is_not_known_to_have_break_it_too() {
    needs!("nginx");
    let pki = Pki::new();
    let site = rsa(&pki).protocols("TLSv1.3").curves("X448");
    let server = nginx(&pki, &[site]);
    let report = ask(&pki, server.port(), NEW);
    report
        .finds_only(&["alb-target-handshake-fails"])
        .ends_with(1);
    let finding = report.finding("alb-target-handshake-fails");
    assert_eq!(finding["evidence"]["key"], "group", "{report}");
}

#[test]
fn a_target_that_does_not_bear_a_long_hello_fails_with_post_quantum_policies_alone() {
    needs!("nginx");
    let pki = Pki::new();
    let server = nginx(&pki, &[rsa(&pki).protocols("TLSv1.2 TLSv1.3")]);
    for instead in [Instead::Reset, Instead::Close] {
        let faults = [OnTheWay::Hello(HelloIs::Over(1200), instead)];
        let proxy = FaultProxy::before(server.port(), &faults);
        ask(&pki, proxy.port(), NEW).finds_only(&[]).ends_with(0);
        let report = ask(&pki, proxy.port(), POST_QUANTUM);
        // It may be the length, and it may be the path: no "no" is claimed.
        report
            .says("backend/hello/taken/answer", "undetermined")
            .says("backend/instead/1/change", "no-post-quantum")
            .says("backend/instead/1/taken/answer", "yes")
            .finds_only(&["not-measured"])
            .ends_with(3);
    }
}

#[test]
fn nothing_there_is_no_proof_that_the_load_balancer_meets_the_same() {
    let pki = Pki::new();
    let port = {
        let gone = ScriptedServer::serving(pki.chain(&pki.leaf(&[HOST])));
        gone.port()
    };
    let report = ask(&pki, port, "alb");
    report.finds_only(&["alb-target-unreachable"]).ends_with(3);
    assert_eq!(report.finding("alb-target-unreachable")["severity"], "info");
}

#[test]
fn who_closes_every_hello_has_refused_nothing() {
    let pki = Pki::new();
    for action in [Action::Close, Action::Reset] {
        let rule = Rule {
            when: When::default(),
            then: vec![action],
        };
        let identity = Identity::of(pki.chain(&pki.leaf(&[HOST])));
        let server =
            ScriptedServer::start(Model::default(), Fault::default(), vec![rule], identity);
        let report = ask(&pki, server.port(), "alb");
        report
            .says("backend/hello/taken/answer", "undetermined")
            .finds_only(&["not-measured"])
            .ends_with(3);
    }
}

#[test]
fn who_refuses_every_hello_by_an_alert_refuses_the_load_balancers() {
    let pki = Pki::new();
    let rule = Rule {
        when: When::default(),
        then: vec![Action::Alert(40)],
    };
    let identity = Identity::of(pki.chain(&pki.leaf(&[HOST])));
    let server = ScriptedServer::start(Model::default(), Fault::default(), vec![rule], identity);
    let report = ask(&pki, server.port(), NEW);
    report
        .says("backend/hello/taken/answer", "no")
        .finds_only(&["alb-target-handshake-fails"])
        .ends_with(1);
    let finding = report.finding("alb-target-handshake-fails");
    assert_eq!(finding["evidence"]["key"], "refused", "{report}");
}

#[test]
fn refusals_of_every_kind_are_confirmed_by_a_control() {
    let pki = Pki::new();
    for refusal in [
        Action::Close,
        Action::Reset,
        Action::Alert(0),
        Action::Alert(80),
    ] {
        // Answers with a name alone, and refuses in its own way.
        let rule = Rule {
            when: When {
                has_sni: Some(false),
                ..When::default()
            },
            then: vec![refusal],
        };
        let identity = Identity::of(pki.chain(&pki.leaf(&[HOST])));
        let server =
            ScriptedServer::start(Model::default(), Fault::default(), vec![rule], identity);
        ask(&pki, server.port(), NEW)
            .says("backend/hello/taken/answer", "no")
            .finds_only(&["alb-target-sni-required"])
            .ends_with(1);
    }
}

#[test]
fn what_was_not_offered_is_no_answer() {
    let pki = Pki::new();
    let model = Model {
        engine: Engine::Synthetic,
        versions: vec!["TLSv1.2".into()],
        ..Model::default()
    };
    let fault = Fault {
        unoffered_suite: Some("TLS_DHE_RSA_WITH_SEED_CBC_SHA".into()),
        ..Fault::default()
    };
    let identity = Identity::of(pki.chain(&pki.leaf(&[HOST])));
    let server = ScriptedServer::start(model, fault, vec![], identity);
    let report = ask(&pki, server.port(), NEW);
    report
        .says("backend/hello/taken/answer", "undetermined")
        .does_not_find("alb-target-no-common-suite")
        .ends_with(3);
}

/// Asks a scripted server as a load balancer that gives up after so long; what it saw, and the rules.
fn impatient(
    server: &ScriptedServer,
    gives_up: Duration,
    timeout: Duration,
) -> (Observations, Vec<Finding>) {
    let (_raise, interrupt) = watch::channel(false);
    let now = OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000);
    let mut client: BalancerClient = NEW.parse().unwrap();
    client.gives_up = gives_up;
    let name = client.to_string();
    let settings = Settings {
        timeout,
        client: Some(client),
        selection: Selection::Of(BalancerClient::PROBES.into()),
        ..Settings::new(now, interrupt)
    };
    let target: Target = format!("127.0.0.1:{}", server.port()).parse().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let scan = runtime.block_on(async {
        let endpoints = scan::endpoints(&target, &settings).await.unwrap();
        scan::scan(&endpoints[0], &settings, &|| ()).await
    });
    let report = TargetReport {
        target: target.to_string(),
        plaintext_expected: false,
        range: None,
        role: None,
        error: None,
        endpoints: vec![EndpointReport {
            ip: "127.0.0.1".parse().unwrap(),
            port: server.port(),
            sni: None,
            client: Some(name),
            connections: scan.connections,
            duration_ms: 0,
            observations: scan.observations.clone(),
            mozilla: None,
        }],
    };
    (scan.observations, judge(&[report], now).findings)
}

fn slow(delay_ms: u64) -> ScriptedServer {
    let pki = Pki::new();
    let fault = Fault {
        delay_ms,
        ..Fault::default()
    };
    let identity = Identity::of(pki.chain(&pki.leaf(&[HOST])));
    ScriptedServer::start(Model::default(), fault, vec![], identity)
}

#[test]
fn a_handshake_slower_than_the_load_balancer_waits_is_measured_beyond_that() {
    let server = slow(700);
    let (seen, findings) = impatient(&server, Duration::from_millis(600), Duration::from_secs(20));
    let seen = seen.backend.seen().expect("seen");
    assert!(seen.hello.ms.unwrap() >= 700.0, "{seen:?}");
    assert!(seen.is_too_slow());
    let finding = findings
        .iter()
        .find(|f| f.rule == "alb-target-handshake-slow");
    assert_eq!(finding.unwrap().severity.name(), "high", "{findings:?}");
}

#[test]
fn half_of_that_time_is_told_as_well() {
    let server = slow(700);
    let (_, findings) = impatient(
        &server,
        Duration::from_millis(1300),
        Duration::from_secs(20),
    );
    let finding = findings
        .iter()
        .find(|f| f.rule == "alb-target-handshake-slow");
    let severity = finding.map(|finding| finding.severity.name());
    assert!(matches!(severity, Some("medium" | "high")), "{findings:?}");
    let (_, findings) = impatient(&server, Duration::from_secs(60), Duration::from_secs(20));
    assert!(
        findings
            .iter()
            .all(|f| f.rule != "alb-target-handshake-slow"),
        "{findings:?}"
    );
}

#[test]
fn silence_ends_and_is_what_the_load_balancer_meets() {
    let pki = Pki::new();
    let rule = Rule {
        when: When::default(),
        then: vec![Action::Silence],
    };
    let identity = Identity::of(pki.chain(&pki.leaf(&[HOST])));
    let server = ScriptedServer::start(Model::default(), Fault::default(), vec![rule], identity);
    let short = Duration::from_millis(400);
    let (seen, findings) = impatient(&server, short, short);
    let seen = seen.backend.seen().expect("seen");
    assert_eq!(seen.causes(), []);
    let rules: Vec<_> = findings.iter().map(|f| f.rule.as_str()).collect();
    assert!(rules.contains(&"alb-target-handshake-slow"), "{findings:?}");
}

#[test]
fn a_target_that_stops_behind_its_hello_lets_the_load_balancer_wait() {
    let pki = Pki::new();
    let model = Model {
        engine: Engine::Synthetic,
        versions: vec!["TLSv1.2".into()],
        ..Model::default()
    };
    let identity = Identity::of(pki.chain(&pki.leaf(&[HOST])));
    let server = ScriptedServer::start(model, Fault::default(), vec![], identity);
    // The scripted server has no key to finish with: what it does then is its own; no hang is what counts.
    let short = Duration::from_millis(500);
    let (seen, _) = impatient(&server, short, short);
    assert!(seen.backend.seen().is_some(), "{seen:?}");
}

#[test]
fn the_text_report_says_first_how_the_load_balancer_fares() {
    needs!("nginx");
    let pki = Pki::new();
    let told = |site: Site, client: &str| {
        let server = nginx(&pki, &[site]);
        let target = format!("127.0.0.1:{}", server.port());
        gladhand(&["check", &target, "--as", client, "--only", "backend"]).stdout
    };
    let works = told(rsa(&pki).protocols("TLSv1.2 TLSv1.3"), "alb");
    assert!(works.contains("The load balancer gets through."), "{works}");
    assert!(works.contains("assumed: --as alb:POLICY"), "{works}");
    let fails = told(rsa(&pki).protocols("TLSv1.3"), OLD);
    assert!(
        fails.contains("The load balancer cannot connect"),
        "{fails}"
    );
    assert!(fails.contains("with other versions yes"), "{fails}");
}

#[test]
fn a_profile_that_does_not_exist_is_a_usage_error_with_a_suggestion() {
    let pki = Pki::new();
    let told = |args: &[&str]| {
        let args = check_args(HOST, 9, &pki.root_file(), args);
        let ran = gladhand(&args);
        ran.ends_with(2);
        ran.stderr
    };
    let unknown = told(&["--as", "alb:ELBSecurityPolicy-TLS-1-3-1-2-2021-06"]);
    assert!(
        unknown.contains("did you mean `ELBSecurityPolicy-TLS"),
        "{unknown}"
    );
    assert!(told(&["--as", "ablb"]).contains("did you mean `alb`?"));
    assert!(told(&["--as", "alb:ELBSecurityPolicy-2015-03"]).contains("Classic"));
    assert!(told(&["--only", "backend"]).contains("--as"));
    assert!(told(&["--as", "alb", "--starttls", "smtp"]).contains("--starttls"));
    assert!(told(&["--as", "alb", "--mozilla", "modern"]).contains("--mozilla"));
}

#[test]
fn other_probes_run_where_they_are_named() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&[HOST])));
    let report = check_with(
        &pki,
        server.port(),
        &["--as", "alb", "--only", "versions,backend"],
    );
    report
        .speaks_only(&["TLSv1.2", "TLSv1.3"])
        .says("backend/hello/taken/answer", "yes")
        .says("suites/status", "skipped")
        .finds_only(&[]);
}
