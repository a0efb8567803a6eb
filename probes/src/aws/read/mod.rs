//! AWS's answers to the inventory: pure, so that a saved audit and a live one cannot differ.
//!
//! Nothing is made up here. What was refused, or is not among the answers, is [`Section::NotRead`] and a
//! [`Gap`]; what AWS left out because it is the default is filled in only where AWS documents it. Members of
//! the wrong type count as missing; nothing panics, and what is kept is bounded.

mod balancers;
mod certificates;
mod classic;
mod groups;
mod json;
mod network;
mod sound;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use serde_json::Value;

use self::json::{MOST, clipped, list, text};
use self::sound::sound;
use super::answers::{Answer, Answers, Refusal};
use super::arn::Arn;
use super::inventory::{
    Gap, Interface, Inventory, LoadBalancer, LoadBalancerType, NotRead, Section, Target,
};

/// Everything that the answers tell.
pub fn inventory(answers: &Answers) -> Inventory {
    Reader::new(&sound(answers), None).read()
}

/// The same of one load balancer, and of what belongs to it: its ARN, its name, or its DNS name. The inventory
/// has no load balancer where the answers have none of that name.
pub fn inventory_of(answers: &Answers, load_balancer: &str) -> Inventory {
    Reader::new(&sound(answers), Some(load_balancer.trim())).read()
}

/// Why there is nothing, where nobody refused.
const ABSENT: &str = "not among the answers";

/// AWS says by these that there is none, and refuses nothing.
const NONE: [&str; 2] = ["TargetGroupNotFound", "WAFNonexistentItemException"];

/// An operation of AWS's.
#[derive(Clone, Copy)]
struct Operation {
    action: &'static str,
    classic: bool,
    /// Whether the audit lacks something without it.
    needed: bool,
}

const fn needed(action: &'static str) -> Operation {
    Operation {
        action,
        classic: false,
        needed: true,
    }
}

const fn optional(action: &'static str) -> Operation {
    Operation {
        needed: false,
        ..needed(action)
    }
}

const fn classic(action: &'static str) -> Operation {
    Operation {
        classic: true,
        ..needed(action)
    }
}

/// What is asked about: what people call it, and what an answer may call it.
struct Subject<'s> {
    shown: String,
    arn: &'s str,
    name: &'s str,
}

struct Reader<'a> {
    answers: HashMap<(&'a str, bool), Vec<&'a Answer>>,
    by_resource: HashMap<(&'a str, bool, &'a str), Vec<&'a Answer>>,
    wanted: Option<&'a str>,
    gaps: Vec<Gap>,
}

impl<'a> Reader<'a> {
    fn new(answers: &'a Answers, wanted: Option<&'a str>) -> Self {
        let mut reader = Self {
            answers: HashMap::new(),
            by_resource: HashMap::new(),
            wanted,
            gaps: Vec::new(),
        };
        for answer in &answers.all {
            let key = (answer.action.as_str(), answer.classic);
            reader.answers.entry(key).or_default().push(answer);
            if let Some(resource) = &answer.resource {
                let key = (key.0, key.1, resource.as_str());
                reader.by_resource.entry(key).or_default().push(answer);
            }
        }
        reader
    }

    fn read(mut self) -> Inventory {
        let mut all = Inventory::default();
        let caller = self.caller();
        let mut load_balancers = self.load_balancers();
        load_balancers.extend(self.classic_load_balancers(&caller));
        let arn = load_balancers
            .iter()
            .find_map(|balancer| balancer.arn.parse::<Arn>().ok());
        all.account = caller
            .account
            .or_else(|| arn.as_ref().map(|arn| arn.account.clone()))
            .filter(|account| !account.is_empty());
        all.region = arn
            .map(|arn| arn.region)
            .filter(|region| !region.is_empty());

        all.interfaces = self.interfaces(!load_balancers.is_empty());
        all.target_groups = self.target_groups(&load_balancers);
        self.classic_target_groups(&load_balancers, &mut all.target_groups);
        self.addresses(&mut all);
        if self.wanted.is_some() {
            only_of(&load_balancers, &mut all);
        }
        all.certificates = self.certificates(&load_balancers);
        all.ssl_policies = self.ssl_policies();
        all.trust_stores = self.trust_stores(&load_balancers);
        self.networks(&mut all, &load_balancers);
        self.classic_zones(&mut load_balancers, &all.subnets);
        all.load_balancers = load_balancers;
        all.not_read = self.gaps;
        all
    }

    /// The bodies of the answers about one thing. Where there is none: why, and it is a gap.
    fn about(
        &mut self,
        operation: Operation,
        subject: &Subject<'_>,
    ) -> Result<Vec<&'a Value>, NotRead> {
        let (bodies, refusal) = self.named(operation, subject);
        if !bodies.is_empty() || refusal.is_some_and(is_none) {
            return Ok(bodies);
        }
        // One that was given without saying about what cannot be taken for this one; a refusal can.
        let unnamed = self.unnamed(operation.action, operation.classic);
        let refusal = refusal.or_else(|| {
            let mut refused = unnamed.filter_map(|answer| answer.outcome.as_ref().err());
            refused.next()
        });
        Err(self.not_read(operation, &subject.shown, refusal))
    }

    /// The elements of the lists under a key that are about one thing, where each says itself whose it is; so
    /// the answer need not.
    fn elements(
        &mut self,
        operation: Operation,
        subject: &Subject<'_>,
        key: &str,
        is_own: impl Fn(&Value) -> bool,
    ) -> Result<Vec<&'a Value>, NotRead> {
        let mut own: Vec<&Value> = self
            .unnamed(operation.action, operation.classic)
            .filter_map(|answer| answer.outcome.as_ref().ok())
            .flat_map(|body| list(body, key))
            .filter(|one| is_own(one))
            .collect();
        let (mut named, _) = self.named(operation, subject);
        if own.is_empty() && named.is_empty() {
            named = self.about(operation, subject)?;
        }
        own.extend(named.into_iter().flat_map(|body| list(body, key)));
        own.truncate(MOST);
        Ok(own)
    }

    /// The bodies of the answers that were given about one thing, and a refusal.
    fn named(
        &self,
        operation: Operation,
        subject: &Subject<'_>,
    ) -> (Vec<&'a Value>, Option<&'a Refusal>) {
        let mut bodies = Vec::new();
        let mut refusal = None;
        for alias in subject.aliases() {
            let key = (operation.action, operation.classic, alias.as_str());
            for answer in self.by_resource.get(&key).into_iter().flatten() {
                match &answer.outcome {
                    Ok(body) => bodies.push(body),
                    Err(refused) => refusal = Some(refused),
                }
            }
        }
        (bodies, refusal)
    }

    /// The bodies of all answers. Each refusal is a gap; where there is nothing else: why.
    fn all(&mut self, operation: Operation, shown: &str) -> Result<Vec<&'a Value>, NotRead> {
        let key = (operation.action, operation.classic);
        let answers = self.answers.get(&key).cloned().unwrap_or_default();
        let mut bodies = Vec::new();
        let mut none = false;
        let mut first = None;
        for answer in answers {
            match &answer.outcome {
                Ok(body) => bodies.push(body),
                Err(refused) if is_none(refused) => none = true,
                Err(refused) => {
                    let subject = answer.resource.as_deref().unwrap_or(shown);
                    let why = self.not_read(operation, subject, Some(refused));
                    first.get_or_insert(why);
                }
            }
        }
        if !bodies.is_empty() || (none && first.is_none()) {
            return Ok(bodies);
        }
        Err(first.unwrap_or_else(|| self.not_read(operation, shown, None)))
    }

    /// The answers that do not say what they are about.
    fn unnamed(
        &self,
        action: &'a str,
        classic: bool,
    ) -> impl Iterator<Item = &'a Answer> + use<'a> {
        let all = self.answers.get(&(action, classic)).cloned();
        let all = all.unwrap_or_default().into_iter();
        all.filter(|answer| answer.resource.is_none())
    }

    fn not_read(
        &mut self,
        operation: Operation,
        subject: &str,
        refusal: Option<&Refusal>,
    ) -> NotRead {
        let action = operation.action.to_owned();
        let reason = refusal.map_or_else(|| ABSENT.into(), reason);
        let gap = Gap {
            subject: clipped(subject),
            action: action.clone(),
            reason: reason.clone(),
        };
        if (operation.needed || refusal.is_some()) && !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
        NotRead {
            action: Some(action),
            reason,
        }
    }

    /// Whether this is the load balancer that was asked for.
    fn is_wanted(&self, balancer: &LoadBalancer) -> bool {
        let Some(wanted) = self.wanted else {
            return true;
        };
        let host = |name: &str| {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name.strip_prefix("dualstack.")
                .map(str::to_owned)
                .unwrap_or(name)
        };
        let classic = balancer.kind == LoadBalancerType::Classic;
        let same_arn = balancer.arn == wanted || (classic && classic_name(wanted) == balancer.name);
        same_arn || balancer.name == wanted || host(&balancer.dns_name) == host(wanted)
    }

    fn caller(&mut self) -> Caller {
        let bodies = self.all(optional("sts:GetCallerIdentity"), "the account");
        let body = bodies.ok().and_then(|bodies| bodies.first().copied());
        let arn = body.and_then(|body| text(body, "Arn"));
        let arn = arn.and_then(|arn| arn.parse::<Arn>().ok());
        Caller {
            account: body.and_then(|body| text(body, "Account")),
            partition: arn.map(|arn| arn.partition),
        }
    }
}

/// Leaves out the interfaces of everybody else: a folder may hold those of the whole account.
fn only_of(load_balancers: &[LoadBalancer], all: &mut Inventory) {
    let groups = all.target_groups.read().into_iter().flatten();
    let targets: Vec<&Target> = groups
        .filter_map(|group| group.targets.read())
        .flatten()
        .collect();
    let nodes = load_balancers
        .iter()
        .flat_map(|balancer| all.node_interfaces(balancer).map(|node| node.id.clone()));
    let nodes: BTreeSet<String> = nodes.collect();
    let instances: BTreeSet<&str> = targets.iter().map(|target| target.id.as_str()).collect();
    let addresses: BTreeSet<IpAddr> = targets.iter().filter_map(|target| target.address).collect();
    let is_own = |interface: &Interface| {
        let of_instance = interface.instance_id.as_deref();
        nodes.contains(&interface.id)
            || of_instance.is_some_and(|id| instances.contains(id))
            || interface.addresses.iter().any(|ip| addresses.contains(ip))
    };
    if let Section::Read(interfaces) = &all.interfaces {
        let own = interfaces.iter().filter(|one| is_own(one)).cloned();
        all.interfaces = Section::Read(own.collect());
    }
}

/// Whose credentials were used.
struct Caller {
    account: Option<String>,
    partition: Option<String>,
}

impl<'s> Subject<'s> {
    fn new(shown: impl Into<String>, arn: &'s str, name: &'s str) -> Self {
        Self {
            shown: shown.into(),
            arn,
            name,
        }
    }

    /// What an answer may call it: the ARN, what stands behind its account, its name, and those as they
    /// stand in the name of a file.
    fn aliases(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::from([self.arn.to_owned(), self.name.to_owned()]);
        if let Ok(arn) = self.arn.parse::<Arn>() {
            all.insert(arn.name().to_owned());
            all.insert(arn.resource);
        }
        let in_file = |c: char| {
            if matches!(c, '/' | ':') { '_' } else { c }
        };
        let files: Vec<String> = all
            .iter()
            .map(|name| name.chars().map(in_file).collect())
            .collect();
        all.extend(files);
        all.remove("");
        all
    }
}

/// The name in the ARN of a Classic Load Balancer; empty where it is another one's.
fn classic_name(arn: &str) -> String {
    let arn = arn.parse::<Arn>().ok();
    let name = arn.map(|arn| arn.name().to_owned()).unwrap_or_default();
    if name.contains('/') {
        String::new()
    } else {
        name
    }
}

fn is_none(refusal: &Refusal) -> bool {
    NONE.contains(&refusal.code.as_str())
}

fn reason(refusal: &Refusal) -> String {
    let Refusal { code, message } = refusal;
    match (code.is_empty(), message.is_empty()) {
        (true, true) => "no answer".into(),
        (true, false) => clipped(message),
        (false, true) => clipped(code),
        (false, false) => clipped(&format!("{code}: {message}")),
    }
}

/// A section of what all the answers have under a key.
fn section<T>(
    bodies: Result<Vec<&Value>, NotRead>,
    read: impl FnOnce(Vec<&Value>) -> T,
) -> Section<T> {
    match bodies {
        Ok(bodies) => Section::Read(read(bodies)),
        Err(why) => Section::NotRead(why),
    }
}
