//! Two plots: how many reads a second each side serves, and how far each ratio is from what is wanted.

use super::svg::{Anchor, Svg};
use super::table::{judged, number, span};
use super::{CALLS, Range, Ratio, Report};
use crate::reads;

const WIDTH: f64 = 900.0;
const LEFT: f64 = 290.0;
const RIGHT: f64 = 620.0;
const TOP: f64 = 56.0;
const ROW: f64 = 26.0;
/// What is worse or better than that is drawn at the edge.
const OFF: (f64, f64) = (1.0 / 16.0, 64.0);

/// Calls a second of all sides that read one token; nothing if reads were not measured.
pub fn reads(report: &Report) -> Option<String> {
    let sides: Vec<(&str, Range)> = report
        .figures
        .iter()
        .filter(|figure| figure.measurement == reads::THROUGH_CLIENTS && figure.unit == CALLS)
        .map(|figure| (figure.side.as_str(), Range::of(&figure.values)))
        .collect();
    let most = sides.iter().map(|(_, range)| range.most).reduce(f64::max)?;
    let mut svg = Svg::new(WIDTH, TOP + ROW * sides.len() as f64 + 20.0);
    svg.text(
        16.0,
        26.0,
        Anchor::Start,
        "",
        "Reading one token of 1.2 kB: calls a second",
    );
    svg.text(
        16.0,
        44.0,
        Anchor::Start,
        "faint",
        "median of the rounds, with their range",
    );
    let x = |value: f64| LEFT + (RIGHT - LEFT) * value / most;
    for (place, (side, range)) in sides.iter().enumerate() {
        let y = TOP + ROW * (place as f64 + 0.5);
        let class = if *side == reads::GET_TOKEN_SIDE {
            "ours"
        } else {
            "peer"
        };
        svg.text(LEFT - 10.0, y + 4.0, Anchor::End, "", side);
        svg.bar((LEFT, y - 8.0), x(range.median) - LEFT, 16.0, class);
        svg.line((x(range.least), y), (x(range.most), y), "range");
        let value = format!("{} ({})", number(range.median), span(*range));
        svg.text(RIGHT + 10.0, y + 4.0, Anchor::Start, "faint", &value);
    }
    Some(svg.finish())
}

/// All ratios of which something is wanted, on one axis: how many times better than wanted; nothing without any.
pub fn ratios(report: &Report) -> Option<String> {
    let judged: Vec<&Ratio> = report
        .ratios
        .iter()
        .filter(|ratio| ratio.wanted.margin(1.0).is_some())
        .collect();
    let margins = |ratio: &Ratio| -> Vec<f64> {
        let margins = ratio
            .values
            .iter()
            .filter_map(|value| ratio.wanted.margin(*value));
        margins.map(|margin| margin.clamp(OFF.0, OFF.1)).collect()
    };
    let all: Vec<f64> = judged.iter().flat_map(|ratio| margins(ratio)).collect();
    if all.is_empty() {
        return None;
    }
    let all = Range::of(&all);
    let (least, most) = (all.least.min(0.5).ln(), all.most.max(2.0).ln());
    let x = |margin: f64| LEFT + (RIGHT - LEFT) * (margin.ln() - least) / (most - least);
    let bottom = TOP + ROW * judged.len() as f64;
    let mut svg = Svg::new(WIDTH, bottom + 34.0);
    svg.text(
        16.0,
        26.0,
        Anchor::Start,
        "",
        "What is wanted, and what was measured",
    );
    svg.text(
        16.0,
        44.0,
        Anchor::Start,
        "faint",
        "right of the line: better than wanted, so many times",
    );
    for tick in [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0] {
        if (least..=most).contains(&f64::ln(tick)) {
            let class = if tick == 1.0 { "wanted" } else { "grid" };
            svg.line((x(tick), TOP), (x(tick), bottom), class);
            svg.text(
                x(tick),
                bottom + 18.0,
                Anchor::Middle,
                "faint",
                &format!("{tick}"),
            );
        }
    }
    for (place, ratio) in judged.iter().enumerate() {
        ratio_row(
            &mut svg,
            ratio,
            Range::of(&margins(ratio)),
            TOP + ROW * (place as f64 + 0.5),
            x,
        );
    }
    Some(svg.finish())
}

fn ratio_row(svg: &mut Svg, ratio: &Ratio, margin: Range, y: f64, x: impl Fn(f64) -> f64) {
    let range = Range::of(&ratio.values);
    let (wanted, _) = judged(ratio.wanted, range.median);
    let class = if margin.median >= 1.0 {
        "ours"
    } else {
        "short"
    };
    svg.text(LEFT - 10.0, y + 4.0, Anchor::End, "", &ratio.name);
    svg.line((x(margin.least), y), (x(margin.most), y), class);
    svg.dot(x(margin.median), y, class);
    let value = format!(
        "{} ({}), {wanted} wanted",
        number(range.median),
        span(range)
    );
    svg.text(RIGHT + 10.0, y + 4.0, Anchor::Start, "faint", &value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Wanted;

    #[test]
    fn nothing_is_drawn_without_figures() {
        let mut report = Report::default();
        report.ratio("x", Wanted::Nothing, 0.5);
        assert!(reads(&report).is_none());
        assert!(ratios(&report).is_none());
    }

    #[test]
    fn what_falls_short_of_what_is_wanted_has_another_colour() {
        let drawn = |value| {
            let mut report = Report::default();
            report.ratio("x", Wanted::AtMost(1.0), value);
            ratios(&report).unwrap()
        };
        assert!(drawn(1.2).contains("class=\"short\""));
        assert!(!drawn(0.9).contains("class=\"short\""));
    }

    #[test]
    fn a_ratio_beyond_all_bounds_stays_on_the_page() {
        let mut report = Report::default();
        report.ratio("x", Wanted::AtMost(1.0), 0.0);
        let drawing = ratios(&report).unwrap();
        assert!(
            !drawing.contains("NaN") && !drawing.contains("inf"),
            "{drawing}"
        );
    }
}
