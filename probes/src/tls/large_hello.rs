//! Whether hellos are answered that do not fit into one packet, as post-quantum clients send them; and
//! where not, who is in the way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::{Answer, Fact};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::ask::{Reply, question};
use crate::tls::hellos::{Delivery, Hello, HelloOutcome};
use crate::wire::record::HEADER;
use crate::wire::registry::{Group, ProtocolVersion};

/// A hello about as long as a browser's with X25519MLKEM768: two packets of 1500 bytes.
const LARGE: usize = 1800;

/// A hello of three packets.
const LARGER: usize = 3200;

/// So much padding makes no hello large.
const LITTLE: usize = 8;

/// Sends the largest hello in two pieces. Only where that is not answered, it is taken apart: a large
/// one, a small one in two pieces, and the large one again in small segments.
pub struct LargeHello;

impl Probe for LargeHello {
    const ID: &'static str = "large_hello";
    const ABOUT: &'static str =
        "whether hellos of more than one packet are answered, or who drops them";
    const STAGE: Stage = Stage::Recheck;
    const NEEDS: &'static [&'static str] = &["reach"];
    type Seen = LargeHelloSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<LargeHelloSeen, ProbeError> {
        if !cx.answers_anything() {
            return answers_lost(cx).await;
        }
        let base = extensible(cx)?;
        let small = match &cx.ask(&base).await.outcome {
            Ok(outcome) if outcome.is_hello() => Fact::new(Answer::Yes, outcome.to_string()),
            _ => Fact::new(Answer::Undetermined, "it was answered once, and then not"),
        };
        let everything = lengthen(&base, LARGER).delivered(Delivery::InTwo);
        let told = cx.ask(&everything).await;
        let (large, larger) = (lengthen(&base, LARGE), lengthen(&base, LARGER));
        let mut seen = LargeHelloSeen::new(&base, small);
        match told.outcome {
            Ok(outcome) if outcome.is_hello() => {
                let how = format!("{outcome}, to {} bytes in two pieces", larger.bytes());
                let fact = Fact::new(Answer::Yes, how);
                seen.large = LengthSeen::new(&large, fact.clone());
                seen.larger = Some(LengthSeen::new(&larger, fact.clone()));
                seen.in_two = fact;
            }
            _ => Box::pin(seen.take_apart(cx, &base)).await,
        }
        Ok(seen)
    }
}

/// The ordinary hello in small segments, for a port that answers no other way.
pub(crate) fn clamped(cx: &Cx) -> Hello {
    Hello::ordinary(cx.sni()).delivered(Delivery::Clamped)
}

/// Where no hello is answered: whether one is in small segments, and the same is not in full ones, time
/// and again.
async fn answers_lost(cx: &Cx) -> Result<LargeHelloSeen, ProbeError> {
    let (whole, clamped) = (Hello::ordinary(cx.sni()), clamped(cx));
    let silent = || ProbeError::undecided("the port accepts connections and never answers");
    if !cx.knows(&clamped) || !cx.ask(&clamped).await.is_hello() {
        return Err(silent());
    }
    let quiet = cx.quiet().await?;
    let mut evidence = String::new();
    // The other way round each time: of nodes that take turns, one may be silent.
    for time in 0..cx.repeats() * 2 {
        if matches!(time % 4, 0 | 3) {
            let told = quiet.ask(&whole, cx.silence()).await;
            if !matches!(told.outcome, Ok(HelloOutcome::Silent)) {
                return Err(silent());
            }
            continue;
        }
        let told = quiet.ask(&clamped, cx.settings.timeout).await;
        match &told.outcome {
            Ok(outcome) if outcome.is_hello() => evidence = outcome.to_string(),
            _ => return Err(silent()),
        }
    }
    let lost = Fact::new(
        Answer::No,
        "no answer in time, again and again; in small segments it was answered",
    );
    let mut seen = LargeHelloSeen::new(&whole, lost);
    seen.clamped = Some(Fact::new(Answer::Yes, evidence));
    seen.limit_bytes = Some(seen.small.bytes);
    seen.cause = Cause::PathMtu;
    Ok(seen)
}

/// A hello that is known to be answered, and has extensions to be made longer by.
pub(crate) fn extensible(cx: &Cx) -> Result<Hello, ProbeError> {
    match cx.known_good() {
        Some(Hello::Tls(hello)) if hello.versions.first() > Some(&ProtocolVersion::SSL3) => {
            Ok(Hello::Tls(hello))
        }
        Some(_) => Err(ProbeError::not_applicable(
            "hellos of SSLv2 and SSLv3 have no extensions that make them longer",
        )),
        None => Err(ProbeError::not_applicable("no hello was answered")),
    }
}

impl LargeHelloSeen {
    fn new(base: &Hello, small: Fact) -> Self {
        let not_asked = || Fact::new(Answer::Undetermined, "not asked");
        Self {
            small: LengthSeen::new(base, small),
            large: LengthSeen::new(&lengthen(base, LARGE), not_asked()),
            larger: None,
            in_two: not_asked(),
            clamped: None,
            without_share: None,
            segment_bytes: Delivery::SEGMENT,
            limit_bytes: None,
            cause: Cause::None,
        }
    }

    /// Asks one thing at a time.
    async fn take_apart(&mut self, cx: &Cx, base: &Hello) {
        let large = lengthen(base, LARGE);
        let in_two = base.clone().delivered(Delivery::InTwo);
        let (mut of_large, of_two) = tokio::join!(fact(cx, &large, base), fact(cx, &in_two, base));
        if of_large.answer == Answer::No {
            // Padding is an extension, and may be refused for that.
            let padded = base.clone().padded_to(base.bytes() + LITTLE);
            let of_padded = fact(cx, &padded, base).await;
            if of_padded.answer != Answer::Yes {
                of_large.answer = Answer::Undetermined;
                let more = format!("; with little padding: {}", of_padded.evidence);
                of_large.evidence.push_str(&more);
            }
        }
        self.in_two = of_two;
        let mut refused = (of_large.answer == Answer::No).then(|| large.clone());
        if of_large.answer == Answer::Yes {
            let larger = lengthen(base, LARGER);
            let of_larger = fact(cx, &larger, base).await;
            refused = (of_larger.answer == Answer::No).then(|| larger.clone());
            self.larger = Some(LengthSeen::new(&larger, of_larger));
        }
        self.large = LengthSeen::new(&large, of_large);
        let mut silent = false;
        if let Some(refused) = &refused {
            self.limit_bytes = Some(refused.bytes());
            silent = matches!(cx.ask(refused).await.outcome, Ok(HelloOutcome::Silent));
            let clamped = refused.clone().delivered(Delivery::Clamped);
            // As long, and without the share.
            let without = base.clone().padded_to(refused.bytes() - HEADER);
            // Behind a proxy, the segments of this connection end at the proxy.
            let direct = cx.settings.before_tls.via.is_none();
            let shared = base.offers(ProtocolVersion::TLS1_3);
            let (clamped, without) = tokio::join!(
                async {
                    if direct {
                        Some(fact(cx, &clamped, base).await)
                    } else {
                        None
                    }
                },
                async {
                    if shared {
                        Some(fact(cx, &without, base).await)
                    } else {
                        None
                    }
                }
            );
            self.clamped = clamped;
            self.without_share = without;
        }
        self.cause = self.told_apart(silent);
    }

    /// Who is in the way, of the facts; `silent` is whether the hello that is refused is met with
    /// silence.
    fn told_apart(&self, silent: bool) -> Cause {
        let answer = |fact: &Option<Fact>| fact.as_ref().map(|fact| fact.answer);
        let lengths = [Some(&self.large), self.larger.as_ref()];
        let lengths = || lengths.iter().flatten().map(|seen| seen.answer);
        if self.in_two.answer == Answer::No {
            return Cause::Segmentation;
        }
        if self.in_two.answer == Answer::Undetermined
            || lengths().any(|answer| answer == Answer::Undetermined)
        {
            return Cause::Undetermined;
        }
        if lengths().all(|answer| answer == Answer::Yes) {
            return Cause::None;
        }
        match (answer(&self.clamped), answer(&self.without_share)) {
            (_, Some(Answer::Yes)) => Cause::KeyShare,
            (Some(Answer::Yes), _) if silent => Cause::PathMtu,
            (Some(Answer::No), None | Some(Answer::No)) => Cause::Server,
            _ => Cause::Undetermined,
        }
    }
}

/// The hello with a post-quantum share, where it offers TLS 1.3, and made so long by padding.
fn lengthen(base: &Hello, length: usize) -> Hello {
    let mut hello = base.clone();
    if let Hello::Tls(hello) = &mut hello
        && hello.versions.contains(&ProtocolVersion::TLS1_3)
    {
        for list in [&mut hello.groups, &mut hello.shares] {
            list.retain(|group| *group != Group::X25519_MLKEM768);
            list.insert(0, Group::X25519_MLKEM768);
        }
    }
    hello.padded_to(length)
}

/// Whether a hello is answered that differs from one which is.
async fn fact(cx: &Cx, hello: &Hello, control: &Hello) -> Fact {
    match question(cx, hello, Some(control)).await {
        Reply::Accepted(outcome) => Fact::new(Answer::Yes, outcome.to_string()),
        Reply::Refused(refusal) => Fact::new(Answer::No, refusal.evidence),
        Reply::Unclear(why) => Fact::new(Answer::Undetermined, why),
        Reply::Unasked(error) => Fact::new(Answer::Undetermined, error.to_string()),
    }
}

/// Which lengths of hello are answered, and who is in the way of the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LargeHelloSeen {
    /// The hello that is known to be answered; where none is but in small segments, the ordinary one.
    pub small: LengthSeen,
    /// The same, longer than one packet, and where TLS 1.3 is offered with an X25519MLKEM768 share.
    pub large: LengthSeen,
    /// The same, longer than two packets. Absent where the large one is not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub larger: Option<LengthSeen>,
    /// Whether a hello is answered that comes in two pieces: where the larger one was not answered so,
    /// the small one.
    pub in_two: Fact,
    /// Whether the hello that is refused is answered when it goes out in segments of
    /// [`segment_bytes`](Self::segment_bytes), and the answer comes back so. Asked only where one is
    /// refused, and not through a proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clamped: Option<Fact>,
    /// Whether a hello of the same length is answered that has padding in place of the post-quantum
    /// share. Asked only where the one with the share is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_share: Option<Fact>,
    /// Bytes of payload in a segment of the clamped connection, at most.
    pub segment_bytes: u32,
    /// Bytes of the shortest hello that was refused, its record included. The limit is between this
    /// and the longest that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_bytes: Option<usize>,
    /// What the facts have in common.
    pub cause: Cause,
}

/// The answer to a hello of one length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LengthSeen {
    /// Whether it is answered.
    pub answer: Answer,
    /// Its bytes, the record included.
    pub bytes: usize,
    /// What came back, and how it was confirmed.
    pub evidence: String,
}

impl LengthSeen {
    fn new(hello: &Hello, fact: Fact) -> Self {
        Self {
            answer: fact.answer,
            bytes: hello.bytes(),
            evidence: fact.evidence,
        }
    }
}

/// Why large hellos are not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cause {
    /// They are.
    None,
    /// The length of the hello, however it is sent: the server, or a box that reads hellos.
    Server,
    /// The post-quantum key share, not the length.
    KeyShare,
    /// The size of the packets: the path loses full ones and does not say so (RFC 2923 §2.1).
    PathMtu,
    /// More than one segment, however small: a box that reads the first packet only.
    Segmentation,
    /// The facts do not tell.
    Undetermined,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(answer: Answer) -> Fact {
        Fact::new(answer, "")
    }

    fn seen(large: Answer, in_two: Answer, clamped: Answer, without: Answer) -> LargeHelloSeen {
        let length = |answer| LengthSeen {
            answer,
            bytes: 0,
            evidence: String::new(),
        };
        LargeHelloSeen {
            small: length(Answer::Yes),
            large: length(large),
            larger: None,
            in_two: fact(in_two),
            clamped: Some(fact(clamped)),
            without_share: Some(fact(without)),
            segment_bytes: Delivery::SEGMENT,
            limit_bytes: None,
            cause: Cause::Undetermined,
        }
    }

    #[test]
    fn causes_are_told_apart() {
        use Answer::{No, Undetermined, Yes};
        for (large, in_two, clamped, without, silent, cause) in [
            (Yes, Yes, No, No, false, Cause::None),
            (No, Yes, Yes, No, true, Cause::PathMtu),
            (No, Yes, No, No, true, Cause::Server),
            (No, Yes, No, No, false, Cause::Server),
            (No, No, No, No, true, Cause::Segmentation),
            (Yes, No, No, No, true, Cause::Segmentation),
            (No, Yes, No, Yes, false, Cause::KeyShare),
            // A reset of full packets alone is nothing that a path does.
            (No, Yes, Yes, No, false, Cause::Undetermined),
            (No, Yes, Undetermined, No, true, Cause::Undetermined),
            (No, Yes, No, Undetermined, true, Cause::Undetermined),
            (No, Undetermined, Yes, No, true, Cause::Undetermined),
            (Undetermined, Yes, Yes, No, true, Cause::Undetermined),
        ] {
            let seen = seen(large, in_two, clamped, without);
            assert_eq!(seen.told_apart(silent), cause, "{seen:?} {silent}");
        }
    }

    #[test]
    fn large_hellos_are_as_long_as_they_say() {
        for base in [
            Hello::ordinary(Some("lb.example.com".into())),
            Hello::small(None),
            Hello::lean(None),
        ] {
            for wanted in [LARGE, LARGER] {
                let hello = lengthen(&base, wanted);
                assert_eq!(hello.bytes(), wanted + HEADER);
            }
        }
    }
}
