//! Which profiles of Mozilla's guidelines are met, in one line.

use super::super::page::{DIM, GOOD, Span, WEAK};
use super::{Facts, INDENT, LABEL};
use crate::report::model::MozillaStanding;

impl Facts<'_> {
    pub(super) fn mozilla(&mut self, standing: Option<&MozillaStanding>) {
        let Some(standing) = standing else { return };
        let is_wanted = |profile: &String| standing.wanted.as_ref() == Some(profile);
        let missed = |profile: &String| if is_wanted(profile) { WEAK } else { DIM };
        let met = standing.met.iter();
        let met = met.map(|profile| Span::new(GOOD, format!("{profile} yes")));
        let open = standing.undetermined.iter();
        let open = open.map(|profile| Span::new(WEAK, format!("{profile} ?")));
        let not = standing.missed.iter();
        let not = not.map(|profile| Span::new(missed(profile), format!("{profile} no")));
        let items: Vec<Span> = met.chain(open).chain(not).collect();
        let label = format!("Mozilla {}", standing.version);
        self.page.items(INDENT, &label, LABEL, &items);
    }
}
