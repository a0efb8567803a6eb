//! Answers in XML, and ACM's in JSON, as the JSON that the AWS CLI prints.
//!
//! XML does not tell lists, numbers and truth values from text; a table made of AWS's service models does.
//! What the table does not know yet is kept as text, or by what it looks like.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use roxmltree::{Document, Node, ParsingOptions};
use serde::Deserialize;
use serde_json::{Map, Number, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use crate::aws::answers::most_values;
use crate::aws::operations::{Operation, Service};

/// Elements within elements at most.
const DEEPEST: usize = 64;
/// Elements of one answer at most: a page has some ten thousand.
const MOST_NODES: u32 = 2_000_000;

/// Octets of an error that are read.
const LONGEST_ERROR: usize = 256 << 10;
/// Octets of a tag at most.
const LONGEST_TAG: usize = 4_096;
/// Namespaces at most.
const MOST_NAMESPACES: usize = 16;
/// Values of one answer in JSON at most.
const MOST_VALUES: usize = 200_000;

/// From AWS's service models: `probes/data/aws-shapes.py` writes it.
const SHAPES: &str = include_str!("../../../data/aws-shapes.json");

#[derive(Deserialize)]
struct Shapes {
    /// The shape of an operation's answer: `elbv2.DescribeListeners`.
    operations: BTreeMap<String, String>,
    /// By shape, then by element: `NAME:KIND`. The name where it is not the element's with a capital; the
    /// kind where it is not text.
    shapes: BTreeMap<String, BTreeMap<String, String>>,
}

/// An error as AWS says it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// The code: `AccessDenied`.
    pub(super) code: String,
    /// The message.
    pub(super) message: String,
}

/// An answer as the AWS CLI prints it.
pub(super) fn answer(operation: &Operation, body: &[u8]) -> Result<Value, String> {
    let shape = format!("{}.{}", operation.service.cli(), operation.name);
    let kind = shapes().operations.get(&shape).map_or("", String::as_str);
    if matches!(operation.service, Service::Acm | Service::WafV2) {
        if most_values(body) > MOST_VALUES {
            return Err(format!("more than {MOST_VALUES} values"));
        }
        let value: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        if !value.is_object() {
            return Err("no JSON object".into());
        }
        return Ok(dated(value, kind));
    }
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let document = parse(text)?;
    let root = document.root_element();
    if too_deep(root) {
        return Err(format!("more than {DEEPEST} elements within elements"));
    }
    // Query: <XResponse><XResult>…</XResult><ResponseMetadata/></XResponse>; EC2 has no result.
    let result = match operation.service {
        Service::Ec2 => root,
        _ => elements(root)
            .find(|node| node.tag_name().name() == format!("{}Result", operation.name))
            .ok_or_else(|| format!("no {}Result in it", operation.name))?,
    };
    if !root.tag_name().name().starts_with(operation.name) {
        return Err(format!("it is a {}", root.tag_name().name()));
    }
    let mut value = structure(result, kind);
    if let Value::Object(members) = &mut value {
        members.remove("RequestId");
    }
    Ok(value)
}

/// The error in a body, as far as it can be told.
pub(super) fn error(body: &[u8], header: Option<&str>) -> Said {
    // com.amazonaws.acm#AccessDeniedException:http://…
    let bare = |code: &str| {
        let code = code.split(':').next().unwrap_or_default();
        code.rsplit('#').next().unwrap_or_default().to_owned()
    };
    let mut said = Said::default();
    // An error is short.
    let body = body.get(..LONGEST_ERROR).unwrap_or(body);
    if let Ok(Value::Object(members)) = serde_json::from_slice(body) {
        let text = |names: [&str; 2]| {
            let mut found = names.iter().filter_map(|name| members.get(*name)?.as_str());
            found.next().unwrap_or_default().to_owned()
        };
        said.code = bare(&text(["__type", "code"]));
        said.message = text(["message", "Message"]);
    } else if let Ok(text) = std::str::from_utf8(body)
        && let Ok(document) = parse(text)
    {
        let error = document
            .descendants()
            .find(|node| node.has_tag_name("Error") || node.tag_name().name() == "Error");
        let of = |name: &str| {
            let child = elements(error?).find(|node| node.tag_name().name() == name)?;
            Some(child.text()?.trim().to_owned())
        };
        said.code = of("Code").unwrap_or_default();
        said.message = of("Message").unwrap_or_default();
    }
    if said.code.is_empty()
        && let Some(header) = header
    {
        said.code = bare(header);
    }
    said
}

fn shapes() -> &'static Shapes {
    static TABLE: OnceLock<Shapes> = OnceLock::new();
    TABLE.get_or_init(|| {
        serde_json::from_str(SHAPES).unwrap_or(Shapes {
            operations: BTreeMap::new(),
            shapes: BTreeMap::new(),
        })
    })
}

fn parse(text: &str) -> Result<Document<'_>, String> {
    sound(text)?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|error| error.to_string())
}

/// The parser takes the square of the number of attributes of an element, and of namespaces: AWS has one.
fn sound(text: &str) -> Result<(), String> {
    let longest = text
        .split('<')
        .map(|tag| tag.find('>').unwrap_or(tag.len()));
    if longest.max().is_some_and(|longest| longest > LONGEST_TAG) {
        return Err(format!("a tag of more than {LONGEST_TAG} octets"));
    }
    if text.matches("xmlns").nth(MOST_NAMESPACES).is_some() {
        return Err(format!("more than {MOST_NAMESPACES} namespaces"));
    }
    Ok(())
}

/// Whether elements stand in elements further than AWS's do: the conversion goes down with them.
fn too_deep(root: Node<'_, '_>) -> bool {
    let (mut node, mut depth) = (root, 0);
    loop {
        if let Some(child) = node.first_child() {
            (node, depth) = (child, depth + 1);
            if depth > DEEPEST {
                return true;
            }
            continue;
        }
        loop {
            if node == root {
                return false;
            }
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            let Some(parent) = node.parent() else {
                return false;
            };
            (node, depth) = (parent, depth - 1);
        }
    }
}

fn elements<'a, 'input>(node: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(Node::is_element)
}

fn structure(node: Node<'_, '_>, shape: &str) -> Value {
    let known = shapes().shapes.get(shape);
    let mut members = Map::new();
    for child in elements(node) {
        let element = child.tag_name().name();
        let spec = known.and_then(|known| known.get(element));
        let (name, kind) = spec
            .and_then(|spec| spec.split_once(':'))
            .map_or(("", None), |(name, kind)| (name, Some(kind)));
        let name = if name.is_empty() {
            capital(element)
        } else {
            name.to_owned()
        };
        let value = match kind {
            Some(kind) => typed(child, kind),
            None => untyped(child),
        };
        members.insert(name, value);
    }
    Value::Object(members)
}

fn typed(node: Node<'_, '_>, kind: &str) -> Value {
    let text = node.text().unwrap_or_default().trim();
    let number = match kind {
        "" => None,
        "integer" => text.parse::<i64>().ok().map(Number::from),
        "float" => text.parse::<f64>().ok().and_then(Number::from_f64),
        "boolean" => {
            return text
                .parse()
                .map_or_else(|_| Value::String(text.into()), Value::Bool);
        }
        "timestamp" => return Value::String(date(text).unwrap_or_else(|| text.into())),
        "map" => return map(node),
        _ => {
            let Some(of) = kind
                .strip_prefix('[')
                .and_then(|kind| kind.strip_suffix(']'))
            else {
                return structure(node, kind);
            };
            return elements(node).map(|item| typed(item, of)).collect();
        }
    };
    number.map_or_else(
        || Value::String(node.text().unwrap_or_default().into()),
        Value::Number,
    )
}

/// `<entry><key>…</key><value>…</value></entry>`.
fn map(node: Node<'_, '_>) -> Value {
    let of = |entry: Node<'_, '_>, name: &str| {
        let child = elements(entry).find(|child| child.tag_name().name() == name)?;
        Some(child.text().unwrap_or_default().to_owned())
    };
    let entries = elements(node).filter_map(|entry| {
        let value = Value::String(of(entry, "value")?);
        Some((of(entry, "key")?, value))
    });
    Value::Object(entries.collect())
}

/// What the table does not know: new in the API.
fn untyped(node: Node<'_, '_>) -> Value {
    let mut children = elements(node).peekable();
    if children.peek().is_none() {
        return Value::String(node.text().unwrap_or_default().into());
    }
    if children.all(|child| matches!(child.tag_name().name(), "member" | "item")) {
        return elements(node).map(untyped).collect();
    }
    structure(node, "")
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_ascii_uppercase().to_string() + letters.as_str()
    })
}

/// JSON of AWS with its times as the CLI prints them: on the wire they are seconds since 1970.
fn dated(value: Value, kind: &str) -> Value {
    if kind == "timestamp" {
        let text = match &value {
            Value::Number(seconds) => seconds.as_f64().and_then(epoch),
            Value::String(text) => date(text),
            _ => None,
        };
        return text.map_or(value, Value::String);
    }
    let element = kind
        .strip_prefix('[')
        .and_then(|kind| kind.strip_suffix(']'));
    match value {
        Value::Array(items) if element.is_some() => items
            .into_iter()
            .map(|item| dated(item, element.unwrap_or_default()))
            .collect(),
        Value::Object(members) => {
            let known = shapes().shapes.get(kind);
            let of = |name: &str| {
                let spec = known.and_then(|known| known.get(name));
                spec.and_then(|spec| spec.split_once(':'))
                    .map_or("", |(_, kind)| kind)
            };
            let members = members.into_iter().map(|(name, value)| {
                let value = dated(value, of(&name));
                (name, value)
            });
            Value::Object(members.collect())
        }
        other => other,
    }
}

/// In the CLI's form: `2026-01-31T12:00:00.123000+00:00`.
fn date(text: &str) -> Option<String> {
    printed(OffsetDateTime::parse(text, &Rfc3339).ok()?)
}

fn epoch(seconds: f64) -> Option<String> {
    #[allow(clippy::cast_possible_truncation)]
    let nanoseconds = (seconds * 1000.0).round() as i128 * 1_000_000;
    printed(OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?)
}

fn printed(time: OffsetDateTime) -> Option<String> {
    let time = time.to_offset(time::UtcOffset::UTC);
    let whole = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]+00:00");
    let micros = format_description!(
        "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]+00:00"
    );
    if time.nanosecond() == 0 {
        time.format(whole)
    } else {
        time.format(micros)
    }
    .ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::aws::operations::{
        CERTIFICATE, INSTANCES, LISTENERS, NETWORK_ACLS, OPERATIONS, RULES, SECURITY_GROUPS,
        WEB_ACL,
    };

    #[test]
    fn what_costs_a_parser_the_square_is_not_parsed() {
        let many: String = (0..200_000)
            .map(|number| format!(" a{number}=''"))
            .collect();
        let spaces: String = (0..5_000)
            .map(|number| format!("<a xmlns:n{number}='u'>"))
            .collect();
        let begun = std::time::Instant::now();
        for text in [format!("<DescribeListenersResponse{many}/>"), spaces] {
            let error = answer(&LISTENERS, text.as_bytes()).unwrap_err();
            assert!(error.contains("more than"), "{error}");
        }
        let zeros = format!("{{\"a\":[{}0]}}", "0,".repeat(MOST_VALUES));
        assert!(
            answer(&CERTIFICATE, zeros.as_bytes())
                .unwrap_err()
                .contains("values")
        );
        assert!(begun.elapsed().as_secs() < 30);
    }

    #[test]
    fn the_table_knows_every_operation() {
        for operation in OPERATIONS
            .iter()
            .filter(|operation| ***operation != WEB_ACL)
        {
            let shape = format!("{}.{}", operation.service.cli(), operation.name);
            let shape = shapes()
                .operations
                .get(&shape)
                .unwrap_or_else(|| panic!("{shape}"));
            let members = shapes()
                .shapes
                .get(shape)
                .unwrap_or_else(|| panic!("{shape}"));
            let named = members
                .keys()
                .any(|member| capital(member) == operation.key)
                || members
                    .values()
                    .any(|spec| spec.split(':').next() == Some(operation.key));
            // What is text is not in the table.
            let text = matches!(operation.key, "Account" | "CertificateChain");
            assert!(named || text, "{operation}: {}", operation.key);
        }
    }

    #[test]
    fn lists_numbers_and_truth_values_are_told_from_text() {
        let body = br#"<DescribeListenersResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">
          <DescribeListenersResult><Listeners><member><ListenerArn>arn:x</ListenerArn><Port>443</Port>
            <Certificates/><AlpnPolicy><member>HTTP2Only</member></AlpnPolicy>
            <DefaultActions><member><Type>forward</Type><Order>1</Order><ForwardConfig>
              <TargetGroupStickinessConfig><Enabled>false</Enabled></TargetGroupStickinessConfig></ForwardConfig>
            </member></DefaultActions>
            <SomethingNew><member><Deep>1</Deep></member></SomethingNew></member></Listeners>
          </DescribeListenersResult><ResponseMetadata><RequestId>x</RequestId></ResponseMetadata>
        </DescribeListenersResponse>"#;
        let expected = json!({"Listeners": [{
            "ListenerArn": "arn:x", "Port": 443, "Certificates": [], "AlpnPolicy": ["HTTP2Only"],
            "DefaultActions": [{"Type": "forward", "Order": 1, "ForwardConfig":
                {"TargetGroupStickinessConfig": {"Enabled": false}}}],
            "SomethingNew": [{"Deep": "1"}],
        }]});
        assert_eq!(answer(&LISTENERS, body).unwrap(), expected);
    }

    #[test]
    fn ec2_has_other_names_on_the_wire() {
        let body = br"<DescribeSecurityGroupsResponse><requestId>x</requestId><securityGroupInfo><item>
            <groupId>sg-1</groupId><groupDescription>d</groupDescription><ipPermissions><item>
            <ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><groups><item><groupId>sg-2</groupId></item></groups>
            <ipRanges/><ipv6Ranges><item><cidrIpv6>::/0</cidrIpv6></item></ipv6Ranges></item></ipPermissions>
            </item></securityGroupInfo></DescribeSecurityGroupsResponse>";
        let expected = json!({"SecurityGroups": [{
            "GroupId": "sg-1", "Description": "d", "IpPermissions": [{
                "IpProtocol": "tcp", "FromPort": 443, "UserIdGroupPairs": [{"GroupId": "sg-2"}],
                "IpRanges": [], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}],
        }]});
        assert_eq!(answer(&SECURITY_GROUPS, body).unwrap(), expected);
    }

    #[test]
    fn names_of_instances_and_acls_are_the_clis() {
        let body = br"<DescribeInstancesResponse><reservationSet><item><instancesSet><item>
            <instanceId>i-1</instanceId><privateIpAddress>10.0.0.1</privateIpAddress><instanceState><code>16</code>
            <name>running</name></instanceState><groupSet><item><groupId>sg-1</groupId></item></groupSet>
            <networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><attachment>
            <deviceIndex>0</deviceIndex></attachment></item></networkInterfaceSet>
            </item></instancesSet></item></reservationSet></DescribeInstancesResponse>";
        let expected = json!({"Reservations": [{"Instances": [{
            "InstanceId": "i-1", "PrivateIpAddress": "10.0.0.1", "State": {"Code": 16, "Name": "running"},
            "SecurityGroups": [{"GroupId": "sg-1"}],
            "NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "Attachment": {"DeviceIndex": 0}}],
        }]}]});
        assert_eq!(answer(&INSTANCES, body).unwrap(), expected);
        let body = br"<DescribeNetworkAclsResponse><networkAclSet><item><networkAclId>acl-1</networkAclId>
            <default>true</default><entrySet><item><ruleNumber>100</ruleNumber><protocol>6</protocol>
            <egress>false</egress><portRange><from>443</from><to>443</to></portRange></item></entrySet>
            <associationSet><item><subnetId>subnet-1</subnetId></item></associationSet>
            </item></networkAclSet></DescribeNetworkAclsResponse>";
        let expected = json!({"NetworkAcls": [{
            "NetworkAclId": "acl-1", "IsDefault": true,
            "Entries": [{"RuleNumber": 100, "Protocol": "6", "Egress": false,
                "PortRange": {"From": 443, "To": 443}}],
            "Associations": [{"SubnetId": "subnet-1"}],
        }]});
        assert_eq!(answer(&NETWORK_ACLS, body).unwrap(), expected);
    }

    #[test]
    fn acms_times_are_dates() {
        let body = br#"{"Certificate": {"NotAfter": 1798761599.0, "CreatedAt": 1700000000.123, "InUseBy": ["a"]}}"#;
        let expected = json!({"Certificate": {
            "NotAfter": "2026-12-31T23:59:59+00:00", "CreatedAt": "2023-11-14T22:13:20.123000+00:00",
            "InUseBy": ["a"],
        }});
        assert_eq!(answer(&CERTIFICATE, body).unwrap(), expected);
    }

    #[test]
    fn parameters_of_an_identity_provider_are_a_map() {
        let body = br"<DescribeRulesResponse><DescribeRulesResult><Rules><member><Actions><member>
            <AuthenticateOidcConfig><AuthenticationRequestExtraParams><entry><key>display</key><value>page</value>
            </entry></AuthenticationRequestExtraParams></AuthenticateOidcConfig></member></Actions></member></Rules>
            </DescribeRulesResult></DescribeRulesResponse>";
        let value = answer(&RULES, body).unwrap();
        let action = &value["Rules"][0]["Actions"][0]["AuthenticateOidcConfig"];
        assert_eq!(
            action["AuthenticationRequestExtraParams"],
            json!({"display": "page"})
        );
    }

    #[test]
    fn errors_of_every_api_have_code_and_message() {
        for (body, code, message) in [
            (
                "<ErrorResponse xmlns=\"http://x/\"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>",
                "AccessDenied",
                "no",
            ),
            (
                "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>",
                "UnauthorizedOperation",
                "no",
            ),
            (
                r#"{"__type":"com.amazon.coral#AccessDeniedException","Message":"no"}"#,
                "AccessDeniedException",
                "no",
            ),
            ("<html><h1>502</h1>", "", ""),
        ] {
            let said = error(body.as_bytes(), None);
            assert_eq!((said.code.as_str(), said.message.as_str()), (code, message));
        }
        assert_eq!(error(b"", Some("Throttled:http://x")).code, "Throttled");
    }

    #[test]
    fn what_goes_too_deep_or_is_no_answer_is_refused() {
        let name = "DescribeListenersResponse";
        let deep = format!("<{name}>{}", "<a><!--</a>-->".repeat(100_000));
        let deep = format!("{deep}{}</{name}>", "</a>".repeat(100_000));
        let error = answer(&LISTENERS, deep.as_bytes()).unwrap_err();
        assert!(error.contains("elements within elements"), "{error}");
        for body in [
            "",
            "<html/>",
            "<DescribeListenersResponse/>",
            "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>",
        ] {
            assert!(answer(&LISTENERS, body.as_bytes()).is_err());
        }
        assert!(answer(&CERTIFICATE, b"[]").is_err());
        assert!(answer(&LISTENERS, b"\xFF\xFE").is_err());
    }

    proptest! {
        #[test]
        fn whatever_comes_is_an_answer_or_refused(
            tags in proptest::collection::vec(("[a-zA-Z]{1,8}|member|item|entry|key|Port", any::<bool>()), 0..40),
            text in "\\PC{0,20}",
        ) {
            let mut open = Vec::new();
            let mut body = String::from("<DescribeListenersResponse><DescribeListenersResult>");
            for (tag, closes) in &tags {
                if *closes && let Some(last) = open.pop() {
                    body.push_str(&text.replace(['<', '&', '>'], ""));
                    body.extend(["</", last, ">"]);
                } else {
                    body.extend(["<", tag, ">"]);
                    open.push(tag.as_str());
                }
            }
            while let Some(last) = open.pop() {
                body.extend(["</", last, ">"]);
            }
            body += "</DescribeListenersResult></DescribeListenersResponse>";
            prop_assert!(answer(&LISTENERS, body.as_bytes()).is_ok_and(|value| value.is_object()));
            let _ = error(body.as_bytes(), Some(&text));
            let _ = answer(&LISTENERS, text.as_bytes());
            let _ = answer(&CERTIFICATE, text.as_bytes());
        }
    }
}
