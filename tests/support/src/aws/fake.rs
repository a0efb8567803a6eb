//! A server that answers as AWS does, from files, and misbehaves when told to.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::net;

/// Makes an answer of a call.
type Make = dyn Fn(&AwsCall) -> String + Send + Sync;

/// A call as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsCall {
    /// `elbv2.DescribeRules`, with the AWS CLI's name of the service.
    pub operation: String,
    /// `elasticloadbalancing:DescribeRules`: the service that was signed.
    pub action: String,
    /// The region that was signed.
    pub region: String,
    /// The access key that signed.
    pub access_key: String,
    /// Parameters, without action and version.
    pub params: BTreeMap<String, String>,
}

/// What an operation is answered with.
#[derive(Clone)]
pub enum Reply {
    /// A status with an error of AWS, in the service's own form.
    Error(u16, &'static str),
    /// A status with this body.
    Body(u16, String),
    /// 200, with a body made of the call.
    Made(Arc<Make>),
    /// 200, with a body that has no end.
    Endless,
    /// The connection is closed.
    Close,
    /// An error of AWS so many times, and then the answer.
    First(Arc<AtomicUsize>, u16, &'static str),
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reply")
    }
}

/// A server on 127.0.0.1 in AWS's place; it ends with the value.
///
/// It answers from files called `SERVICE.OPERATION.wire`, or `SERVICE.OPERATION@END.wire` where the value of
/// a parameter ends so. What it has no file for it says it does not know.
#[derive(Debug)]
pub struct FakeAws {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// By operation: the end of a parameter, and the body.
    files: HashMap<String, Vec<(Option<String>, String)>>,
    replies: Mutex<HashMap<String, Reply>>,
    asked: Mutex<Vec<AwsCall>>,
    delay: Mutex<Duration>,
    now: AtomicUsize,
    most: AtomicUsize,
    stop: AtomicBool,
}

impl FakeAws {
    /// One that answers from the files of this folder.
    pub fn replay(folder: &Path) -> Self {
        let mut files: HashMap<String, Vec<_>> = HashMap::new();
        for entry in folder.read_dir().expect("the folder of answers") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|end| end != "wire") {
                continue;
            }
            let stem = path.file_stem().expect("a name").to_string_lossy();
            let (operation, end) = match stem.split_once('@') {
                Some((operation, end)) => (operation, Some(end.to_owned())),
                None => (stem.as_ref(), None),
            };
            let body = fs::read_to_string(&path).expect("an answer");
            files.entry(operation.into()).or_default().push((end, body));
        }
        for answers in files.values_mut() {
            // Those for one thing first.
            answers.sort_by_key(|(end, _)| end.is_none());
        }
        let listener = TcpListener::bind(net::loopback(0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            files,
            ..Shared::default()
        });
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if served.stop.load(Ordering::Relaxed) {
                    break;
                }
                let shared = Arc::clone(&served);
                // Who hangs up early has its reasons.
                thread::spawn(move || _ = serve(&client, &shared));
            }
        });
        Self { port, shared }
    }

    /// For `--endpoint-url`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Answers an operation (`elbv2.DescribeRules`) so from now on.
    pub fn reply(&self, operation: &str, reply: Reply) {
        lock(&self.shared.replies).insert(operation.into(), reply);
    }

    /// Refuses an operation with this code, as IAM does.
    pub fn refuse(&self, operation: &str, code: &'static str) {
        self.reply(operation, Reply::Error(403, code));
    }

    /// Throttles an operation so many times before it answers.
    pub fn throttle(&self, operation: &str, times: usize) {
        let left = Arc::new(AtomicUsize::new(times));
        self.reply(operation, Reply::First(left, 400, "Throttling"));
    }

    /// Waits so long before each answer.
    pub fn delay(&self, delay: Duration) {
        *lock(&self.shared.delay) = delay;
    }

    /// Everything that was asked so far, what was asked again included.
    pub fn asked(&self) -> Vec<AwsCall> {
        lock(&self.shared.asked).clone()
    }

    /// The most calls that were under way at once.
    pub fn most_at_once(&self) -> usize {
        self.shared.most.load(Ordering::SeqCst)
    }
}

impl Drop for FakeAws {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let _ = net::connect(self.port);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers requests until the client hangs up.
fn serve(client: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(client);
    let mut client = client;
    while let Some(call) = read(&mut reader)? {
        lock(&shared.asked).push(call.clone());
        let now = shared.now.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most.fetch_max(now, Ordering::SeqCst);
        thread::sleep(*lock(&shared.delay));
        let reply = lock(&shared.replies).get(&call.operation).cloned();
        let answer = match reply {
            Some(Reply::Close) => None,
            Some(Reply::Endless) => Some(Err(())),
            Some(Reply::Error(status, code)) => Some(Ok((status, error(&call, code)))),
            Some(Reply::Body(status, body)) => Some(Ok((status, body))),
            Some(Reply::Made(make)) => Some(Ok((200, make(&call)))),
            Some(Reply::First(left, status, code))
                if left
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                        left.checked_sub(1)
                    })
                    .is_ok() =>
            {
                Some(Ok((status, error(&call, code))))
            }
            Some(Reply::First(..)) | None => Some(Ok(file(&call, shared))),
        };
        shared.now.fetch_sub(1, Ordering::SeqCst);
        match answer {
            None => return Ok(()),
            Some(Ok((status, body))) => {
                let length = body.len();
                write!(
                    client,
                    "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n{body}"
                )?;
                client.flush()?;
            }
            Some(Err(())) => {
                client.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<a>")?;
                while !shared.stop.load(Ordering::Relaxed) {
                    client.write_all(&[b' '; 8 * 1024])?;
                }
                return Ok(());
            }
        }
    }
    Ok(())
}

fn read(reader: &mut BufReader<&TcpStream>) -> std::io::Result<Option<AwsCall>> {
    let mut headers = HashMap::new();
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8_lossy(&body).into_owned();

    // AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …
    let signed = headers.get("authorization").map_or("", String::as_str);
    let scope = signed.split("Credential=").nth(1).unwrap_or_default();
    let mut scope = scope
        .split([',', ' '])
        .next()
        .unwrap_or_default()
        .split('/');
    let access_key = scope.next().unwrap_or_default().to_owned();
    let region = scope.nth(1).unwrap_or_default().to_owned();
    let service = scope.next().unwrap_or_default();

    let (name, version, params) = if let Some(target) = headers.get("x-amz-target") {
        let name = target.rsplit('.').next().unwrap_or_default().to_owned();
        let members: BTreeMap<String, String> = serde_json::from_str(&body).unwrap_or_default();
        (name, String::new(), members)
    } else {
        let mut params: BTreeMap<String, String> = body
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect();
        let name = params.remove("Action").unwrap_or_default();
        let version = params.remove("Version").unwrap_or_default();
        (name, version, params)
    };
    let cli = match service {
        "elasticloadbalancing" if version == "2012-06-01" => "elb",
        "elasticloadbalancing" => "elbv2",
        "monitoring" => "cloudwatch",
        other => other,
    };
    let iam = if service == "monitoring" {
        "cloudwatch"
    } else {
        service
    };
    Ok(Some(AwsCall {
        operation: format!("{cli}.{name}"),
        action: format!("{iam}:{name}"),
        region,
        access_key,
        params,
    }))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let hex = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                let hex = std::str::from_utf8(&hex).unwrap_or("00");
                u8::from_str_radix(hex, 16).unwrap_or(b'?')
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn file(call: &AwsCall, shared: &Shared) -> (u16, String) {
    let files = shared.files.get(&call.operation);
    let fits = |end: &Option<String>| {
        end.as_ref().is_none_or(|end| {
            call.params
                .values()
                .any(|value| value.ends_with(end.as_str()))
        })
    };
    let body = files.and_then(|files| files.iter().find(|(end, _)| fits(end)));
    let names: Vec<&String> = call
        .params
        .iter()
        .filter(|(name, _)| name.contains("Name") || name.contains("Arn"))
        .map(|(_, value)| value)
        .collect();
    match (call.operation.as_str(), body) {
        ("elbv2.DescribeLoadBalancers" | "elb.DescribeLoadBalancers", body)
            if !names.is_empty()
                && !body.is_some_and(|(_, body)| {
                    names.iter().all(|name| body.contains(&format!(">{name}<")))
                }) =>
        {
            (400, error(call, "LoadBalancerNotFound"))
        }
        ("elbv2.DescribeSSLPolicies", Some((_, body)))
            if !names.iter().all(|name| body.contains(&format!(">{name}<"))) =>
        {
            (400, error(call, "SSLPolicyNotFound"))
        }
        (_, Some((_, body))) => (200, body.clone()),
        ("elbv2.DescribeLoadBalancers" | "elb.DescribeLoadBalancers", None) => {
            let list = match call.operation.as_str() {
                "elb.DescribeLoadBalancers" => "LoadBalancerDescriptions",
                _ => "LoadBalancers",
            };
            let body = format!(
                "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><{list}/>\
                 </DescribeLoadBalancersResult></DescribeLoadBalancersResponse>"
            );
            (200, body)
        }
        (_, None) => (400, error(call, "NoSuchAnswer")),
    }
}

/// An error in the form of the call's service.
fn error(call: &AwsCall, code: &str) -> String {
    let message = format!(
        "User: arn:aws:iam::123456789012:user/audit: {code} for {}",
        call.action
    );
    match call.operation.split('.').next() {
        Some("acm" | "wafv2") => {
            format!("{{\"__type\":\"com.amazonaws#{code}\",\"message\":\"{message}\"}}")
        }
        Some("ec2") => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code>\
             <Message>{message}</Message></Error></Errors><RequestID>ea966190</RequestID></Response>"
        ),
        _ => format!(
            "<ErrorResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\"><Error>\
             <Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>5b703958</RequestId></ErrorResponse>"
        ),
    }
}
