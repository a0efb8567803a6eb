//! Results as Markdown.

use std::fmt::Write;

use crate::measure::{Sample, median};

/// What one tool took for one job.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) tool: String,
    pub(crate) samples: Vec<Sample>,
    /// Connections of one run, counted in a run of its own.
    pub(crate) connections: Option<usize>,
    /// What it found, as a proof that it did the job.
    pub(crate) found: String,
    /// Its time by gladhand's, for each pair of runs. Empty for gladhand.
    pub(crate) ratios: Vec<f64>,
    /// What the times and ratios are divided by: targets, where each tool had its own number of them.
    pub(crate) targets: usize,
}

/// One job as a heading and a table; `finds` says what [`Row::found`] counts.
pub(crate) fn section(heading: &str, finds: &str, rows: &[Row]) -> String {
    let many = rows.iter().any(|row| row.targets > 1);
    let unit = if many {
        "targets a second"
    } else {
        "connections"
    };
    let mut text = format!(
        "### {heading}\n\n| tool | time | by gladhand's | CPU | memory | {unit} | {finds} | runs |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|\n"
    );
    for row in rows {
        let _ = writeln!(text, "{}", row.markdown(many));
    }
    text
}

impl Row {
    fn markdown(&self, many: bool) -> String {
        let middle = |of: fn(&Sample) -> f64| median(self.samples.iter().map(of).collect());
        let wall = middle(|sample| sample.wall);
        let ratio = if self.ratios.is_empty() {
            "1".into()
        } else {
            let least = self.ratios.iter().copied().fold(f64::INFINITY, f64::min);
            let most = self.ratios.iter().copied().fold(0.0, f64::max);
            let middle = median(self.ratios.clone());
            format!("**{}** ({}–{})", short(middle), short(least), short(most))
        };
        let connections = match (many, self.connections) {
            (true, _) => short(targets(self.targets) / wall),
            (false, Some(all)) => all.to_string(),
            (false, None) => "–".into(),
        };
        let memory = self
            .samples
            .iter()
            .map(|sample| sample.memory)
            .fold(0.0, f64::max);
        format!(
            "| {} | {} s | {ratio} | {} s | {memory:.0} MiB | {connections} | {} | {} |",
            self.tool,
            short(wall),
            short(middle(|sample| sample.cpu)),
            self.found,
            self.samples.len()
        )
    }
}

/// Three digits that count.
pub(crate) fn short(value: f64) -> String {
    match value {
        value if value >= 99.5 => format!("{value:.0}"),
        value if value >= 9.995 => format!("{value:.1}"),
        value if value >= 0.995 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

/// A number of targets to reckon with.
pub(crate) fn targets(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}
