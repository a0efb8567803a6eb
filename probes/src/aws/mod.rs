//! What AWS knows of a load balancer, as facts: one model, whatever it was read from.
//!
//! - [`inventory`]: the model that checks judge and the report shows;
//! - [`answers`]: AWS's answers as they came, which are saved, loaded and read into the inventory;
//! - [`read`]: the one into the other;
//! - [`policy`]: what a listener's security policy takes, and the one towards targets, by content;
//! - [`defaults`]: the attributes that hold where AWS gave none;
//! - [`reachability`]: what security groups and network ACLs let through;
//! - [`derived`]: what follows from the model;
//! - [`arn`]: what an ARN says;
//! - [`subject`]: which load balancer is meant;
//! - [`operations`] and [`plan`]: what there is to ask, and what has to be asked next;
//! - [`iam`]: the policy that allows it.
//!
//! Only `collect` (feature `aws`) talks to AWS, and nothing else here knows its SDK.

pub mod answers;
pub mod arn;
#[cfg(feature = "aws")]
pub mod collect;
pub mod defaults;
pub mod derived;
pub mod iam;
pub mod inventory;
pub mod operations;
pub mod plan;
pub mod policy;
pub mod reachability;
pub mod read;
pub mod subject;

pub use self::arn::Arn;
pub use self::inventory::{Inventory, Section};
pub use self::policy::PolicyContent;
