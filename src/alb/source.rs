//! From where an inventory comes, and which load balancer of it is meant.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use gladhand_probes::Untrusted;
use gladhand_probes::aws::answers::{Answers, most_values};
use gladhand_probes::aws::inventory::LoadBalancer;
use gladhand_probes::aws::read;
use gladhand_probes::aws::{Inventory, Section};
use gladhand_probes::untrusted::escape;

/// A saved report of many targets is not larger.
const MOST: u64 = 64 * 1024 * 1024;

/// JSON values at most: short ones take many times as much memory as space in a file.
const MOST_VALUES: usize = 4_000_000;

/// Why there is no load balancer to audit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A file that cannot be read, or is none that was asked for.
    #[error("cannot use `{}` as --from-json: {}", Untrusted::from(.path.to_string_lossy().as_ref()), escape(.why))]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A folder that cannot be used; the message says which file, and why.
    #[error("--from-json: {0}")]
    Folder(String),
    /// Nothing there has the name, ARN or DNS name that was asked for; or nothing was asked for, and there
    /// are several.
    #[error("{asked}; there {}", there(.known))]
    Which {
        /// What was asked for, in words.
        asked: String,
        /// The names of those that are there.
        known: Vec<String>,
    },
}

/// Reads what was saved of a load balancer: a folder of AWS's answers, a report of an earlier run (its
/// `.inventory`), or an inventory. Without a name, of the only one there is.
///
/// # Errors
/// [`SourceError`].
pub fn saved(path: &Path, asked: Option<&str>) -> Result<Inventory, SourceError> {
    if !path.is_dir() {
        return choose(from_file(path)?, asked);
    }
    let answers = Answers::load(path, asked)
        .map_err(|error| SourceError::Folder(escape(&error.to_string())))?;
    choose(read::inventory(&answers), None)
}

fn from_file(path: &Path) -> Result<Inventory, SourceError> {
    let wrong = |why: String| SourceError::File {
        path: path.into(),
        why,
    };
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MOST + 1).read_to_string(&mut text));
    read.map_err(|error| wrong(error.to_string()))?;
    if text.len() as u64 > MOST {
        return Err(wrong("it is larger than 64 MiB".into()));
    }
    if most_values(text.as_bytes()) > MOST_VALUES {
        return Err(wrong(format!("it has more than {MOST_VALUES} values")));
    }
    let mut value: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| wrong(format!("no JSON: {error}")))?;
    let of_report = value.get_mut("inventory").map(serde_json::Value::take);
    let bare = value.get("load_balancers").is_some();
    let Some(inventory) = of_report.or(bare.then_some(value)) else {
        let why = "a report of `gladhand alb -o json`, or a folder of AWS's answers (--save)";
        return Err(wrong(format!("it is not {why}")));
    };
    serde_json::from_value(inventory)
        .map_err(|error| wrong(format!("its inventory cannot be read: {error}")))
}

/// The inventory of the one load balancer that is meant: by ARN, name or DNS name; without any, the only one.
///
/// # Errors
/// [`SourceError::Which`].
pub fn choose(mut inventory: Inventory, asked: Option<&str>) -> Result<Inventory, SourceError> {
    let known = &inventory.load_balancers;
    let names = || known.iter().map(|balancer| balancer.name.clone()).collect();
    let mut meant = known
        .iter()
        .filter(|balancer| asked.is_none_or(|asked| is(balancer, asked)));
    let (first, second) = (meant.next(), meant.next());
    let chosen = match (first, second, asked) {
        (Some(only), None, _) => only.arn.clone(),
        (Some(_), Some(_), None) => {
            return Err(SourceError::Which {
                asked: "say which load balancer".into(),
                known: names(),
            });
        }
        (Some(_), Some(_), Some(asked)) => {
            return Err(SourceError::Which {
                asked: format!(
                    "several load balancers are `{}`; give the ARN",
                    Untrusted::from(asked)
                ),
                known: names(),
            });
        }
        (None, ..) => {
            return Err(SourceError::Which {
                asked: match asked {
                    Some(asked) => format!("no load balancer is `{}`", Untrusted::from(asked)),
                    None => "it has no load balancer".into(),
                },
                known: names(),
            });
        }
    };
    inventory
        .load_balancers
        .retain(|balancer| balancer.arn == chosen);
    if let Section::Read(groups) = &mut inventory.target_groups {
        groups.retain(|group| group.load_balancer_arns.contains(&chosen));
    }
    Ok(inventory)
}

/// Whether a load balancer is called so.
fn is(balancer: &LoadBalancer, asked: &str) -> bool {
    let asked = asked.trim();
    let dns = |name: &str| {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        // AWS's own alias records point to this name of the same load balancer.
        name.strip_prefix("dualstack.")
            .map_or(name.clone(), Into::into)
    };
    balancer.arn == asked
        || balancer.name == asked
        || (!balancer.dns_name.is_empty() && dns(&balancer.dns_name) == dns(asked))
}

fn there(known: &[String]) -> String {
    const NAMED: usize = 12;
    if known.is_empty() {
        return "is none".into();
    }
    let names: Vec<_> = known
        .iter()
        .take(NAMED)
        .map(|name| Untrusted::from(name.as_str()).to_string())
        .collect();
    let more = match known.len().checked_sub(NAMED) {
        Some(more @ 1..) => format!(", and {more} more"),
        _ => String::new(),
    };
    format!("are: {}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_parser_repeats_of_a_file_is_escaped() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let evil = "\n::error::x\u{202e}\u{1b}[2J";
        let text = serde_json::json!({"load_balancers": [{
            "arn": "a", "name": "a", "dns_name": "a", "type": evil, "scheme": evil,
        }]});
        std::fs::write(file.path(), text.to_string()).unwrap();
        let told = saved(file.path(), None).unwrap_err().to_string();
        assert!(told.contains("unknown variant"), "{told}");
        assert!(!told.contains(['\n', '\u{202e}', '\u{1b}']), "{told:?}");
    }

    #[test]
    fn what_takes_much_memory_is_not_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("[{}0]", "0,".repeat(MOST_VALUES))).unwrap();
        let told = saved(file.path(), None).unwrap_err().to_string();
        assert!(told.contains("values"), "{told}");
    }

    fn healthy() -> Inventory {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/audits/healthy.json");
        from_file(&path).unwrap()
    }

    #[test]
    fn one_is_chosen_by_name_arn_or_dns_name() {
        for asked in [
            "shop",
            "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188",
            "shop-1234567890.eu-central-1.elb.amazonaws.com",
            "dualstack.SHOP-1234567890.eu-central-1.elb.amazonaws.com.",
        ] {
            let chosen = choose(healthy(), Some(asked)).unwrap();
            let [only] = chosen.load_balancers.as_slice() else {
                panic!("{asked}")
            };
            assert_eq!(only.name, "shop");
            let groups = chosen.target_groups.read().unwrap();
            assert_eq!(
                groups.len(),
                2,
                "those of other load balancers are left out"
            );
        }
    }

    #[test]
    fn what_is_not_clear_is_told_with_the_names() {
        let told = choose(healthy(), None).unwrap_err().to_string();
        assert_eq!(
            told,
            "say which load balancer; there are: shop, edge, legacy"
        );
        let told = choose(healthy(), Some("x\u{1b}[2J"))
            .unwrap_err()
            .to_string();
        assert_eq!(
            told,
            "no load balancer is `x\\u{1b}[2J`; there are: shop, edge, legacy"
        );
        let told = choose(Inventory::default(), None).unwrap_err().to_string();
        assert_eq!(told, "it has no load balancer; there is none");
    }

    #[test]
    fn what_is_no_inventory_is_told_with_the_file() {
        let folder = tempfile::tempdir().unwrap();
        for (text, told) in [
            ("{", "no JSON"),
            ("[]", "it is not a report"),
            ("{\"inventory\": {\"load_balancers\": 7}}", "cannot be read"),
        ] {
            let path = folder.path().join("a.json");
            std::fs::write(&path, text).unwrap();
            let error = saved(&path, None).unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("a.json"), "{error}");
        }
    }
}
