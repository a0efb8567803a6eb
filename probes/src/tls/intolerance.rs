//! What a server has to pass over in a hello, and does not: reserved values, unknown extensions and
//! versions, long lists, odd lengths.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::{Answer, Fact};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::alpn::WithoutOverlap;
use crate::tls::ask::{Reply, question};
use crate::tls::hellos::{Hello, HelloOutcome, TlsHello};
use crate::tls::quirks::{Quirk, is_reserved};
use crate::tls::{large_hello, versions};
use crate::wire::client_hello::Extension;
use crate::wire::flight::Flight;
use crate::wire::record::HEADER;
use crate::wire::registry::{Group, ProtocolVersion};

/// What goes into one hello of an ordinary client.
const MODERN: &[Quirk] = &[
    Quirk::Over128Suites,
    Quirk::GreaseSuite,
    Quirk::GreaseGroup,
    Quirk::GreaseVersion,
    Quirk::GreaseExtension,
    Quirk::GreaseProtocol,
    Quirk::UnknownExtension,
    Quirk::ExtensionOrder,
    Quirk::EmptyLastExtension,
    Quirk::UnknownVersion,
    Quirk::RecordVersion,
];

/// What goes into a short one, of one version.
const SHORT: &[Quirk] = &[Quirk::Length256To511, Quirk::UnknownLegacyVersion];

/// A length between 256 and 511 bytes; the longest that padding reaches there; and one above.
const BETWEEN: usize = 384;
const LONGEST_BETWEEN: usize = 508;
const ABOVE: usize = 600;

/// A list that no server finds too long.
const FEW_SUITES: usize = 16;

/// Sends everything odd in two hellos. Only where one is not answered, each thing is asked on its own.
pub struct Intolerance;

impl Probe for Intolerance {
    const ID: &'static str = "intolerance";
    const ABOUT: &'static str =
        "which odd but allowed hellos are not tolerated: GREASE, lengths, lists";
    const STAGE: Stage = Stage::Recheck;
    const NEEDS: &'static [&'static str] = &["reach", "versions"];
    type Seen = IntoleranceSeen;

    async fn run(cx: &Cx, so_far: &Observations) -> Result<IntoleranceSeen, ProbeError> {
        let base = large_hello::extensible(cx)?;
        let mut modern = Part {
            base: with_tls13(&base),
            quirks: MODERN.to_vec(),
            protocols: vec!["h2".into(), "http/1.1".into()],
        };
        if let Some(alpn) = so_far.alpn.seen() {
            if !alpn.accepted.is_empty() {
                modern.protocols.clone_from(&alpn.accepted);
            } else if alpn.without_overlap != WithoutOverlap::Ignored {
                // Who has no protocol and minds that refuses every list.
                modern
                    .quirks
                    .retain(|quirk| *quirk != Quirk::GreaseProtocol);
            }
        }
        let (modern, short) = tokio::join!(modern.ask(cx, &base), async {
            match short(cx).await {
                Some(part) => part.ask(cx, &part.base).await,
                None => BTreeMap::new(),
            }
        });
        let mut seen = short;
        for (quirk, fact) in modern {
            // All of it at once is asked in both.
            let known = seen.entry(quirk).or_insert_with(|| fact.clone());
            if known.answer == Answer::Yes {
                *known = fact;
            }
        }
        Ok(IntoleranceSeen(seen))
    }
}

/// What is asked in one hello.
struct Part {
    /// A hello without any of it.
    base: Hello,
    quirks: Vec<Quirk>,
    /// The protocols beside the reserved one.
    protocols: Vec<String>,
}

impl Part {
    /// All of it in one hello, and where that is not answered, one by one. `known` is answered.
    async fn ask(&self, cx: &Cx, known: &Hello) -> BTreeMap<Quirk, Fact> {
        let mut seen = BTreeMap::new();
        let newer = self.base.offers(ProtocolVersion::TLS1_3);
        let all = self.hello(&self.base, &self.quirks);
        if let Ok(outcome) = &cx.ask(&all).await.outcome
            && outcome.is_hello()
        {
            let fact = picked(outcome, &all);
            if fact.answer == Answer::Yes {
                let how = format!("{}, with all of it in one hello", fact.evidence);
                let fact = Fact::new(Answer::Yes, how);
                for quirk in self
                    .quirks
                    .iter()
                    .copied()
                    .chain(newer.then_some(Quirk::Tls13))
                {
                    seen.insert(quirk, fact.clone());
                }
                if seen.contains_key(&Quirk::Over128Suites) {
                    seen.insert(Quirk::Over64Suites, fact);
                }
                return seen;
            }
        }
        let mut base = self.base.clone();
        if newer && known.offers(ProtocolVersion::TLS1_3) {
            let how = "the hello that it is known to answer offers it";
            seen.insert(Quirk::Tls13, Fact::new(Answer::Yes, how));
        } else if newer {
            let fact = judge(cx, &self.base, known, Quirk::Tls13).await;
            if fact.answer != Answer::Yes {
                base = known.clone();
            }
            seen.insert(Quirk::Tls13, fact);
        }
        // Without supported_versions there is no place for other versions.
        let has_place = |quirk: &&Quirk| {
            base.offers(ProtocolVersion::TLS1_3)
                || !matches!(quirk, Quirk::GreaseVersion | Quirk::UnknownVersion)
        };
        let asked: Vec<Quirk> = self.quirks.iter().filter(has_place).copied().collect();
        let each = asked.iter().map(|quirk| self.one(cx, &base, *quirk));
        seen.extend(join_all(each).await.into_iter().flatten());
        if seen
            .get(&Quirk::Over128Suites)
            .is_some_and(|fact| fact.answer == Answer::Yes)
        {
            let fact = seen.get(&Quirk::Over128Suites).cloned();
            seen.extend(fact.map(|fact| (Quirk::Over64Suites, fact)));
        } else if seen.contains_key(&Quirk::Over128Suites) {
            seen.extend(self.one(cx, &base, Quirk::Over64Suites).await);
        }
        if seen.values().all(|fact| fact.answer == Answer::Yes) {
            let asked: Vec<Quirk> = asked
                .into_iter()
                .filter(|one| seen.contains_key(one))
                .collect();
            let all = self.hello(&base, &asked);
            // What its length alone is refused for is told of large hellos.
            if length_is_answered(cx, &all, &base).await {
                seen.insert(
                    Quirk::Together,
                    judge(cx, &all, &base, Quirk::Together).await,
                );
            }
        }
        seen
    }

    /// One thing alone; none where it cannot be asked.
    async fn one(&self, cx: &Cx, base: &Hello, quirk: Quirk) -> Option<(Quirk, Fact)> {
        // What stands around the odd thing must not be what is refused.
        let control = match quirk {
            Quirk::GreaseProtocol => self.with_protocols(base.clone()),
            // One suite more is one too many for some.
            Quirk::GreaseSuite => fewer_suites(cx, base).await,
            _ => base.clone(),
        };
        if control != *base
            && !matches!(question(cx, &control, Some(base)).await, Reply::Accepted(_))
        {
            return None;
        }
        let hello = match quirk {
            Quirk::GreaseSuite => self.hello(&control, &[quirk]),
            _ => self.hello(base, &[quirk]),
        };
        Some((quirk, judge(cx, &hello, &control, quirk).await))
    }

    fn hello(&self, base: &Hello, quirks: &[Quirk]) -> Hello {
        let mut hello = base.clone();
        if quirks.contains(&Quirk::GreaseProtocol) {
            hello = self.with_protocols(hello);
        }
        if quirks.contains(&Quirk::Length256To511) {
            hello = hello.padded_to(BETWEEN);
        }
        hello.change(|extras| extras.quirks = quirks.to_vec())
    }

    fn with_protocols(&self, hello: Hello) -> Hello {
        let names: Vec<&str> = self.protocols.iter().map(String::as_str).collect();
        hello.change(|extras| extras.extensions.push(Extension::alpn(&names)))
    }
}

/// Whether a hello is answered that differs from one which is by something odd.
async fn judge(cx: &Cx, hello: &Hello, control: &Hello, quirk: Quirk) -> Fact {
    let refusal = match question(cx, hello, Some(control)).await {
        Reply::Accepted(outcome) => return picked(&outcome, hello),
        Reply::Refused(refusal) => refusal,
        Reply::Unclear(why) => return Fact::new(Answer::Undetermined, why),
        Reply::Unasked(error) => return Fact::new(Answer::Undetermined, error.to_string()),
    };
    // It may be the length of the hello, and nothing that is in it.
    let as_long = match quirk {
        Quirk::Length256To511 => control.clone().padded_to(ABOVE),
        _ => hello.clone(),
    };
    if !length_is_answered(cx, &as_long, control).await {
        let why = format!(
            "{}; a hello of {} bytes without it is not answered either",
            refusal.evidence,
            message_length(&as_long)
        );
        return Fact::new(Answer::Undetermined, why);
    }
    Fact::new(Answer::No, refusal.evidence)
}

/// Whether a hello is answered that is as long as this one, and has nothing odd.
async fn length_is_answered(cx: &Cx, hello: &Hello, control: &Hello) -> bool {
    let length = message_length(hello);
    if cx.longest_in_bytes() >= length + HEADER {
        return true;
    }
    let padded = control.clone().padded_to(length);
    matches!(
        question(cx, &padded, Some(control)).await,
        Reply::Accepted(_)
    )
}

/// The hello with fewer suites, the one among them that the server picks.
async fn fewer_suites(cx: &Cx, base: &Hello) -> Hello {
    let told = cx.ask(base).await;
    let flight = told.outcome.as_ref().ok().and_then(HelloOutcome::flight);
    let picked = flight.map(|flight| flight.hello.suite);
    let mut fewer = base.clone();
    if let Hello::Tls(hello) = &mut fewer
        && hello.suites.len() > FEW_SUITES
    {
        let rest = hello.suites.split_off(FEW_SUITES);
        hello
            .suites
            .extend(rest.into_iter().find(|suite| Some(*suite) == picked));
    }
    fewer
}

/// Whether what the server picks is an offer: who takes up a reserved value does not pass it over.
fn picked(outcome: &HelloOutcome, hello: &Hello) -> Fact {
    let (Some(flight), Hello::Tls(offered)) = (outcome.flight(), hello) else {
        return Fact::new(Answer::Undetermined, outcome.to_string());
    };
    if values(flight).into_iter().any(is_reserved) {
        let how = format!("{outcome}: it takes up a reserved value");
        return Fact::new(Answer::No, how);
    }
    let (version, suite) = (flight.hello.version(), flight.hello.suite);
    if !offered.versions.contains(&version) || !offered.suites.contains(&suite) {
        let how = format!("{outcome}, which was not offered");
        return Fact::new(Answer::Undetermined, how);
    }
    Fact::new(Answer::Yes, outcome.to_string())
}

fn values(flight: &Flight) -> Vec<u16> {
    let group = flight.hello.group().map(|group| group.0);
    let picked = [flight.hello.version().0, flight.hello.suite.0];
    picked.into_iter().chain(group).collect()
}

/// A short hello of one version that is spoken, and what can be asked in it.
async fn short(cx: &Cx) -> Option<Part> {
    let mut quirks = SHORT.to_vec();
    let mut found = None;
    for version in [
        ProtocolVersion::TLS1_2,
        ProtocolVersion::TLS1_1,
        ProtocolVersion::TLS1_0,
        ProtocolVersion::TLS1_3,
    ] {
        let seen = versions::spoken(cx, version).await;
        if seen.answer.answer == Answer::Yes {
            found = Some((version, seen));
            break;
        }
    }
    let (version, seen) = found?;
    let flight = seen.flight?;
    let group = flight.hello.group().or_else(|| {
        let exchange = flight.key_exchange.as_ref();
        exchange.and_then(|exchange| exchange.group)
    });
    let base = Hello::short(version, flight.hello.suite, group, cx.sni());
    let base = match base {
        Hello::Tls(hello) if seen.answer.needs_key_share => Hello::Tls(TlsHello {
            shares: vec![Group::X25519],
            ..hello
        }),
        base => base,
    };
    if version == ProtocolVersion::TLS1_3 {
        // There the old place of the version is fixed (RFC 8446 §4.1.2).
        quirks.retain(|quirk| *quirk != Quirk::UnknownLegacyVersion);
    }
    if message_length(&base.clone().padded_to(0)) > LONGEST_BETWEEN {
        quirks.retain(|quirk| *quirk != Quirk::Length256To511);
    }
    (!quirks.is_empty()).then(|| Part {
        base,
        quirks,
        protocols: Vec::new(),
    })
}

fn message_length(hello: &Hello) -> usize {
    hello.bytes() - HEADER
}

/// The hello with TLS 1.3 among its versions.
fn with_tls13(base: &Hello) -> Hello {
    let mut hello = base.clone();
    if let Hello::Tls(hello) = &mut hello
        && !hello.versions.contains(&ProtocolVersion::TLS1_3)
    {
        hello.versions.insert(0, ProtocolVersion::TLS1_3);
        hello.suites.splice(0..0, Hello::ORDINARY_TLS13);
        hello.groups.retain(|group| *group != Group::X25519);
        hello.groups.insert(0, Group::X25519);
        hello.shares = vec![Group::X25519];
    }
    hello
}

/// What the server tolerates in a hello, of what it has to; what could not be asked has no entry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct IntoleranceSeen(pub BTreeMap<Quirk, Fact>);
