//! A chart of steps over days: plain SVG, drawn here, with its numbers in words beside it. The page that shows it has the same
//! numbers in a table.

use jiff::ToSpan as _;
use jiff::civil::Date;
use maud::{Markup, html};

const WIDTH: i64 = 760;
const HEIGHT: i64 = 260;
const LEFT: i64 = 56;
const RIGHT: i64 = 12;
const TOP: i64 = 12;
const BOTTOM: i64 = 30;
/// Lines across, and dates below.
const LINES_ACROSS: u64 = 4;
const DATES: i64 = 4;
const LEAST_DAYS: i32 = 13;

/// How a series looks. The dashes tell them apart without their colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Units,
    Usage,
    Mark,
}

/// Numbers that hold from their day on until the next one, the last to the end of the day `until`: what was so after that nobody
/// has told.
pub(crate) struct Steps {
    pub(crate) name: String,
    pub(crate) look: Look,
    pub(crate) points: Vec<(Date, u64)>,
    pub(crate) until: Date,
}

/// From which day to which; the last one is drawn to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Days {
    pub(crate) from: Date,
    pub(crate) to: Date,
}

impl Days {
    /// The last `most` days up to `to`, without those before the first of `points`, and two weeks at least.
    pub(crate) fn with(points: impl IntoIterator<Item = Date>, to: Date, most: i32) -> Self {
        let back = |days: i32| to.saturating_sub(days.days());
        let first = points.into_iter().min().unwrap_or(to);
        Self { from: first.clamp(back(most), back(LEAST_DAYS)), to }
    }
}

/// The chart, called `title`, with what stands in it in words. Series without a point are left out.
pub(crate) fn chart(id: &str, title: &str, days: Days, series: &[Steps]) -> Markup {
    let series: Vec<&Steps> = series.iter().filter(|steps| !steps.points.is_empty()).collect();
    let most = series.iter().flat_map(|steps| &steps.points).map(|(_, value)| *value).max().unwrap_or_default();
    let scale = Scale { days, top: rounded_up(most) };
    html! {
        figure {
            // A narrow screen scrolls it: smaller, nobody could read its words.
            div.plot role="region" aria-label=(title) tabindex="0" {
                svg.chart viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-labelledby={ (id) "-title " (id) "-said" } {
                    title id={ (id) "-title" } { (title) }
                    desc id={ (id) "-said" } { @for steps in &series { (said(steps, days.to)) " " } }
                    (scale.across())
                    (scale.below())
                    @for steps in &series { path class=(class(steps.look)) d=(scale.drawn(&steps.points, steps.until)) {} }
                }
            }
            ul.legend { @for steps in &series {
                li { svg.key viewBox="0 0 36 8" aria-hidden="true" { path class=(class(steps.look)) d="M0 4H36" {} } " " (steps.name) }
            } }
        }
    }
}

fn class(look: Look) -> &'static str {
    match look {
        Look::Units => "units",
        Look::Usage => "usage",
        Look::Mark => "mark",
    }
}

fn said(steps: &Steps, last_day: Date) -> String {
    let values = || steps.points.iter().map(|(_, value)| *value);
    let (least, most) = (values().min().unwrap_or_default(), values().max().unwrap_or_default());
    let Some((day, last)) = steps.points.last() else { return String::new() };
    let said = format!("{}: between {least} and {most}, {last} since {day}.", steps.name);
    if steps.until < last_day { format!("{said} After {} nothing is known.", steps.until) } else { said }
}

/// Where numbers and days lie.
struct Scale {
    days: Days,
    top: u64,
}

impl Scale {
    fn x(&self, day: Date) -> i64 {
        let at = days_between(self.days.from, day).clamp(0, self.length());
        LEFT + at * (WIDTH - LEFT - RIGHT) / self.length()
    }

    /// In days, the last one included.
    fn length(&self) -> i64 {
        days_between(self.days.from, self.days.to).max(0) + 1
    }

    fn y(&self, value: u64) -> i64 {
        let high = HEIGHT - TOP - BOTTOM;
        let (value, top) = (i128::from(value), i128::from(self.top.max(1)));
        HEIGHT - BOTTOM - i64::try_from(value * i128::from(high) / top).unwrap_or(high)
    }

    /// Steps: across to the next day's place, then up or down. What began before the first day is drawn from there.
    fn drawn(&self, points: &[(Date, u64)], until: Date) -> String {
        let step = |(index, (day, value)): (usize, &(Date, u64))| match (index, self.x(*day), self.y(*value)) {
            (0, x, y) => format!("M{x} {y}"),
            (_, x, y) => format!("H{x}V{y}"),
        };
        let end = format!("H{}", self.x(until.tomorrow().unwrap_or(until)));
        points.iter().enumerate().map(step).chain([end]).collect()
    }

    fn across(&self) -> Markup {
        html! { @for step in 0..=LINES_ACROSS {
            @let value = self.top * step / LINES_ACROSS;
            @let y = self.y(value);
            line.axis x1=(LEFT) x2=(WIDTH - RIGHT) y1=(y) y2=(y) {}
            text x=(LEFT - 8) y=(y + 4) text-anchor="end" { (value) }
        } }
    }

    fn below(&self) -> Markup {
        let last = days_between(self.days.from, self.days.to).max(0);
        html! { @for step in 0..=DATES {
            @let day = self.days.from.saturating_add((step * last / DATES).days());
            @let (x, anchor) = match step { 0 => (LEFT, "start"), DATES => (WIDTH - RIGHT, "end"), _ => (self.x(day), "middle") };
            text x=(x) y=(HEIGHT - 8) text-anchor=(anchor) { (day.strftime("%-d %b %Y").to_string()) }
        } }
    }
}

fn days_between(from: Date, to: Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}

/// The next number whose lines across stand at round numbers.
fn rounded_up(most: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        let tops = [1, 2, 3, 4, 5, 6, 8].map(|step: u64| step.saturating_mul(power).saturating_mul(LINES_ACROSS));
        match tops.into_iter().find(|top| *top >= most) {
            Some(top) => return top,
            None => power = power.saturating_mul(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn steps_hold_until_the_next_day_that_has_one() {
        let days = Days { from: date(2026, 11, 1), to: date(2026, 11, 10) };
        let points = vec![(date(2026, 10, 1), 10), (date(2026, 11, 6), 20)];
        let scale = Scale { days, top: rounded_up(20) };
        assert_eq!((scale.top, scale.x(days.from)), (20, LEFT));
        assert!(scale.x(days.to) < WIDTH - RIGHT, "the last day has room");
        let (middle, half, full) = (scale.x(date(2026, 11, 6)), scale.y(10), scale.y(20));
        assert_eq!(scale.drawn(&points, days.to), format!("M{LEFT} {half}H{middle}V{full}H{}", WIDTH - RIGHT));
        let (sixth, eighth) = (date(2026, 11, 6), scale.x(date(2026, 11, 8)));
        assert_eq!(scale.drawn(&points[..1], sixth), format!("M{LEFT} {half}H{}", scale.x(date(2026, 11, 7))));
        assert_eq!(scale.drawn(&points, date(2026, 11, 7)), format!("M{LEFT} {half}H{middle}V{full}H{eighth}"));
        assert_eq!((scale.y(0), full), (HEIGHT - BOTTOM, TOP));
        let steps = |until| [Steps { name: "Units".into(), look: Look::Units, points: points.clone(), until }];
        let shown = chart("c", "Units", days, &steps(days.to)).into_string();
        assert!(shown.contains("Units: between 10 and 20, 20 since 2026-11-06. </desc>"), "{shown}");
        let ended = chart("c", "Units", days, &steps(date(2026, 11, 8))).into_string();
        assert!(ended.contains("20 since 2026-11-06. After 2026-11-08 nothing is known."), "{ended}");
        assert!(!shown.contains("style="), "our policy refuses styles in the page");
    }

    #[test]
    fn the_scale_ends_above_the_largest_number_and_divides_into_its_lines() {
        for most in [0, 1, 4, 5, 99, 100, 101, 12_345, 1_000_000] {
            let top = rounded_up(most);
            assert!(
                top >= most && top > 0 && top.is_multiple_of(LINES_ACROSS) && top <= most * 2 + LINES_ACROSS,
                "{most}: {top}"
            );
        }
    }
}
