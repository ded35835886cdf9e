//! How figures grow: the same bench at several sizes, drawn as an SVG, ours beside what the machine alone could do.

use super::BenchError;
use super::figures::Figures;
use plotters::coord::Shift;
use plotters::prelude::*;

/// Of the size that was asked for, what is measured, in eighths.
pub const EIGHTHS: [u64; 5] = [1, 2, 4, 6, 8];

const PANEL: (u32, u32) = (430, 360);
const COLOURS: [RGBColor; 4] =
    [RGBColor(0, 90, 160), RGBColor(200, 80, 20), RGBColor(120, 120, 120), RGBColor(60, 140, 60)];
const GRID: RGBColor = RGBColor(225, 225, 225);

/// One picture: its title, its unit, and the figures that it compares.
struct Panel {
    title: &'static str,
    figures: &'static [&'static str],
}

const fn panel(title: &'static str, figures: &'static [&'static str]) -> Panel {
    Panel { title, figures }
}

const CALLS: &[Panel] = &[
    panel(
        "processor",
        &["processor per call-second", "limit, a port each", "limit, a connected port each", "limit, one port"],
    ),
    panel("lateness", &["p50 late", "p99 late", "p99.9 late"]),
    panel("memory", &["resident memory per call"]),
];
const SETUP: &[Panel] = &[
    panel("processor", &["processor per call"]),
    panel("to the answer", &["p50 to the answer", "p99 to the answer", "p99.9 to the answer"]),
    panel("calls per second", &["calls per second"]),
];
const KEYS: &[Panel] = &[panel(
    "from the first packet of a 0",
    &["p50 to the agent's INVITE", "p99 to the agent's INVITE", "p99.9 to the agent's INVITE"],
)];
const REGISTRY: &[Panel] = &[
    panel("finding a number", &["p50 to find a number", "p99 to find a number"]),
    panel("rows imported per second", &["rows imported per second"]),
    panel("on the disk", &["on the disk per row"]),
];
const CHECK: &[Panel] = &[panel("processor", &["processor"]), panel("for each step", &["processor per step"])];
const LIMIT: &[Panel] = &[
    panel(
        "processor",
        &[
            "sending, a port each: processor per call-second",
            "sending, a connected port each: processor per call-second",
            "sending, one port: processor per call-second",
        ],
    ),
    panel(
        "p99 of lateness",
        &["sending, a port each: p99 late", "sending, a connected port each: p99 late", "sending, one port: p99 late"],
    ),
    panel(
        "processor, forwarding",
        &[
            "forwarding, a port each: processor per bridged call-second",
            "forwarding, a connected port each: processor per bridged call-second",
            "forwarding, one port: processor per bridged call-second",
        ],
    ),
];

/// All panels of one bench side by side.
///
/// # Errors
/// Nothing was measured, or it cannot be drawn.
pub fn svg(found: &[Figures]) -> Result<String, BenchError> {
    let first = found.first().ok_or_else(|| BenchError("there is nothing to draw".to_owned()))?;
    let panels = match first.bench {
        "limit" => LIMIT,
        "setup" => SETUP,
        "keys" => KEYS,
        "registry" => REGISTRY,
        "check" => CHECK,
        _ => CALLS,
    };
    let mut text = String::new();
    {
        let size = (PANEL.0 * panels.len() as u32, PANEL.1);
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        area.fill(&WHITE).map_err(failed)?;
        for (panel, place) in panels.iter().zip(area.split_evenly((1, panels.len()))) {
            draw(panel, found, &place)?;
        }
        area.present().map_err(failed)?;
    }
    Ok(text)
}

fn draw(panel: &Panel, found: &[Figures], place: &DrawingArea<SVGBackend<'_>, Shift>) -> Result<(), BenchError> {
    let lines: Vec<(&str, Vec<(f64, f64)>)> = panel.figures.iter().map(|name| (*name, points(found, name))).collect();
    let all = || lines.iter().flat_map(|(_, points)| points.iter());
    let right = all().map(|(x, _)| *x).fold(1.0, f64::max);
    let top = all().map(|(_, y)| *y).fold(0.0, f64::max);
    // Both axes begin at 0: what grows is seen to grow, and what is flat to be flat. Above is room for the names.
    let top = (top * (1.12 + 0.09 * lines.len() as f64)).max(1e-6);
    let mut chart = ChartBuilder::on(place)
        .caption(caption(panel.title, unit(found, panel)), ("sans-serif", 15))
        .margin(12)
        .x_label_area_size(34)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..right * 1.02, 0.0..top)
        .map_err(failed)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .x_desc(found.first().and_then(|figures| figures.of.first()).map_or("", |(name, _)| *name))
        .x_labels(5)
        .y_labels(6)
        .x_label_formatter(&|x| shown(*x))
        .y_label_formatter(&|y| shown(*y))
        .draw()
        .map_err(failed)?;
    for ((name, points), colour) in lines.into_iter().zip(COLOURS) {
        let dots = points.clone().into_iter().map(move |point| Circle::new(point, 3, colour.filled()));
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))
            .map_err(failed)?
            .label(name)
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], colour.stroke_width(2)));
        chart.draw_series(dots).map_err(failed)?;
    }
    let labels = chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .label_font(("sans-serif", 11))
        .draw();
    labels.map_err(failed)
}

/// Size against figure; what could not be measured has no point.
fn points(found: &[Figures], name: &str) -> Vec<(f64, f64)> {
    let point = |figures: &Figures| {
        let size = figures.of.first()?.1 as f64;
        let figure = figures.list.iter().find(|figure| figure.name == name)?;
        figure.value.is_finite().then_some((size, figure.value))
    };
    found.iter().filter_map(point).collect()
}

fn unit(found: &[Figures], panel: &Panel) -> &'static str {
    let all = found.iter().flat_map(|figures| &figures.list);
    all.clone().find(|figure| panel.figures.contains(&figure.name)).map_or("", |figure| figure.unit)
}

fn caption(title: &str, unit: &str) -> String {
    if unit.is_empty() { title.to_owned() } else { format!("{title}, {unit}") }
}

fn shown(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 => format!("{:.0} M", value / 1e6),
        size if size >= 10.0 || size == 0.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn failed(error: impl std::fmt::Display) -> BenchError {
    BenchError(format!("the plot cannot be drawn: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_is_a_line_and_all_of_it_is_in_the_picture() {
        let measured = |calls: u64| {
            let mut figures = Figures::new("prompts", &[("calls", calls)]);
            figures.add("processor per call-second", 250.0, "us");
            figures.add("limit, a port each", 200.0, "us");
            figures.add("p99 late", calls as f64 / 1000.0, "ms");
            figures.add("resident memory per call", f64::NAN, "KiB");
            figures
        };
        let found = [measured(125), measured(1000)];
        assert_eq!(points(&found, "p99 late"), [(125.0, 0.125), (1000.0, 1.0)]);
        assert_eq!(points(&found, "resident memory per call"), []);
        let text = svg(&found).unwrap();
        for shown in ["processor, us", "limit, a port each", "lateness, ms", "memory, KiB", "calls", "<polyline"] {
            assert!(text.contains(shown), "no {shown} in {text}");
        }
        assert!(svg(&[]).is_err());
    }
}
