//! Which card stands where. Columns and the order in them come from `dagre` (layers by a tight tree, few crossings by
//! barycentres); what it does not know, that lines begin at rows, is mended by `straighten`.
//!
//! A line that would lead back to where the call came from is not drawn: its row names the card. So everything runs from
//! left to right, and the picture stays one that can be followed with a finger.

use super::measure::{ENTRY, Size, row_middle, size};
use super::straighten::{Columns, Item, Span};
use super::{Leads, Picture, Weight};
use crate::target::StepKind;
use dagre::graph::{Graph, GraphOptions};
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, RankDir, Ranker};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Between what is drawn and the edge of the sheet.
pub(super) const MARGIN: f64 = 36.0;
/// Room for the heading.
pub(super) const TOP: f64 = 104.0;
/// Of the heading above cards beside the calls' way.
pub(super) const BESIDE_HEAD: f64 = 40.0;
const GAP_LEAST: f64 = 64.0;
const GAP_MOST: f64 = 170.0;
const GAP_PER_LINE: f64 = 7.0;
const SHEET_LEAST: f64 = 900.0;
/// More lines than this into one card are a tangle: those from far away are named in their rows instead.
const LINES_INTO_MOST: usize = 6;

/// How much more than a crossing of other lines one of a first line to a card counts.
const FIRST_WAY: i32 = 12;

/// A card on the sheet, by its left top corner.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Place {
    pub x: f64,
    pub y: f64,
    pub size: Size,
}

/// A line from a row to a card: points between which it is straight and curved by turns, beginning straight.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Wire {
    pub card: usize,
    pub row: usize,
    pub to: usize,
    pub points: Vec<(f64, f64)>,
}

#[derive(Debug)]
pub(super) struct Layout {
    pub places: Vec<Place>,
    pub wires: Vec<Wire>,
    /// Cards to which no line leads, and where the heading above them stands.
    pub beside: Vec<usize>,
    pub beside_top: f64,
    pub width: f64,
    pub height: f64,
}

/// A line before it has a way: from a row of a card to a card.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Link {
    card: usize,
    row: usize,
    to: usize,
}

pub(super) fn of(picture: &Picture) -> Layout {
    let sizes: Vec<Size> = picture.cards.iter().map(|card| size(picture, card)).collect();
    let (mut links, on_way) = forward(picture);
    let far = too_many(picture, &links);
    links.retain(|link| !far.contains(link));
    let ranks = Ranks::of(&sizes, &on_way, &links);
    let mut layout = place(picture, sizes, &ranks, &links);
    put_beside(&mut layout, &on_way);
    layout
}

fn leads_of(picture: &Picture, card: usize) -> impl Iterator<Item = Link> + '_ {
    picture.cards[card].rows.iter().enumerate().filter_map(move |(row, leads)| match leads.leads {
        Leads::Card(to) => Some(Link { card, row, to }),
        _ => None,
    })
}

/// Links that are drawn as lines, and all cards that links lead to from the line's own. A line leads to a card that is one
/// step further from the beginning; or to any card after which no menu comes, as such a card can stand far to the right. Without
/// this, menus that lead to each other like a web would stand in one long row.
fn forward(picture: &Picture) -> (Vec<Link>, BTreeSet<usize>) {
    let (level, parent) = levels(picture);
    // Deepest first, so that what is known of a card is known before its parent is asked.
    let mut before_menu: BTreeSet<usize> = (0..picture.cards.len()).filter(|card| is_menu(picture, *card)).collect();
    let mut deepest: Vec<usize> = level.keys().copied().collect();
    deepest.sort_by_key(|card| Reverse(level[card]));
    for card in deepest.iter().filter(|card| **card != 0) {
        if before_menu.contains(card) {
            before_menu.insert(parent[card]);
        }
    }
    let candidates = |card: usize| {
        let is_line = |link: &Link| level[&link.to] > level[&link.card] || !before_menu.contains(&link.to);
        leads_of(picture, card).filter(is_line).collect::<Vec<Link>>().into_iter()
    };
    // Without those that lead back to a card on the way to them. A search in depth, without recursion.
    let mut links = Vec::new();
    let mut seen = BTreeSet::from([0]);
    let mut open = BTreeSet::from([0]);
    let mut way = vec![(0, candidates(0))];
    while let Some((card, rest)) = way.last_mut() {
        let Some(link) = rest.next() else {
            open.remove(card);
            way.pop();
            continue;
        };
        if open.contains(&link.to) {
            continue;
        }
        links.push(link);
        if seen.insert(link.to) {
            open.insert(link.to);
            way.push((link.to, candidates(link.to)));
        }
    }
    links.sort();
    (links, seen)
}

/// How many steps each card is from the line's own, and the card before it on such a way.
fn levels(picture: &Picture) -> (BTreeMap<usize, usize>, BTreeMap<usize, usize>) {
    let mut level = BTreeMap::from([(0, 0)]);
    let mut parent = BTreeMap::new();
    let mut open = VecDeque::from([0]);
    while let Some(card) = open.pop_front() {
        for link in leads_of(picture, card) {
            if let std::collections::btree_map::Entry::Vacant(new) = parent.entry(link.to)
                && link.to != 0
            {
                new.insert(card);
                level.insert(link.to, level[&card] + 1);
                open.push_back(link.to);
            }
        }
    }
    (level, parent)
}

fn is_menu(picture: &Picture, card: usize) -> bool {
    picture.cards[card].at.as_ref().is_some_and(|at| at.kind == StepKind::Menu)
}

/// The line by which each card is reached with the fewest steps: these are to cross nothing, so that menus stand beside the
/// menus that lead to them and not beside a voicemail that they share.
fn first_ways(links: &[Link]) -> BTreeSet<Link> {
    let mut first = BTreeSet::new();
    let mut seen = BTreeSet::from([0]);
    let mut open = VecDeque::from([0]);
    while let Some(card) = open.pop_front() {
        let begin = links.partition_point(|link| link.card < card);
        for link in links[begin..].iter().take_while(|link| link.card == card) {
            if seen.insert(link.to) {
                first.insert(*link);
                open.push_back(link.to);
            }
        }
    }
    first
}

/// Of each card with too many lines, those that come from further than others: the card stands right of the last of them.
fn too_many(picture: &Picture, links: &[Link]) -> BTreeSet<Link> {
    let (level, _) = levels(picture);
    let mut into: BTreeMap<usize, Vec<(Reverse<usize>, Link)>> = BTreeMap::new();
    for link in links.iter().filter(|link| picture.cards[link.card].rows[link.row].weight != Weight::Human) {
        into.entry(link.to).or_default().push((Reverse(level[&link.card]), *link));
    }
    let mut far = BTreeSet::new();
    for lines in into.values_mut().filter(|lines| lines.len() > LINES_INTO_MOST) {
        lines.sort();
        let nearest = lines[0].0.0;
        far.extend(lines[LINES_INTO_MOST..].iter().filter(|(from, _)| from.0 < nearest).map(|(_, link)| *link));
    }
    far
}

/// What the layout crate says: the column of each card, and how high cards and passing lines are in it.
struct Ranks {
    column: BTreeMap<usize, usize>,
    height: BTreeMap<usize, f64>,
    /// For each link (in order) its heights in the columns that it passes.
    passes: Vec<Vec<f64>>,
}

impl Ranks {
    fn of(sizes: &[Size], on_way: &BTreeSet<usize>, links: &[Link]) -> Ranks {
        let options = GraphOptions { directed: true, multigraph: true, compound: false };
        let mut graph: Graph<NodeLabel, EdgeLabel> = Graph::with_options(options);
        for card in on_way {
            let (width, height) = (sizes[*card].width, sizes[*card].height);
            graph.set_node(card.to_string(), Some(NodeLabel { width, height, ..NodeLabel::default() }));
        }
        let first = first_ways(links);
        for link in links {
            let name = link.row.to_string();
            let weight = if first.contains(link) { FIRST_WAY } else { 1 };
            let label = EdgeLabel { weight, ..EdgeLabel::default() };
            graph.set_edge(link.card.to_string(), link.to.to_string(), Some(label), Some(&name));
        }
        // The first of equal orders is the one in which rows stand. Network simplex would make lines a little shorter, but
        // with hundreds of menus it can go round for ever.
        let options = LayoutOptions {
            rankdir: RankDir::LR,
            nodesep: 26.0,
            edgesep: 14.0,
            ranksep: 80.0,
            ranker: Ranker::TightTree,
            tie_keep_first: true,
            ..LayoutOptions::default()
        };
        dagre::layout(&mut graph, Some(options));
        let label = |card: usize| graph.node(&card.to_string());
        let rank = |card: usize| label(card).and_then(|label| label.rank).unwrap_or(0);
        let known: BTreeSet<i32> = on_way.iter().map(|card| rank(*card)).collect();
        let column_of: BTreeMap<i32, usize> = known.into_iter().enumerate().map(|(nth, rank)| (rank, nth)).collect();
        let column: BTreeMap<usize, usize> = on_way.iter().map(|card| (*card, column_of[&rank(*card)])).collect();
        let middle = |card: usize| label(card).map_or((0.0, 0.0), |at| (at.x.unwrap_or(0.0), at.y.unwrap_or(0.0)));
        let mut across: BTreeMap<usize, f64> = BTreeMap::new();
        for card in on_way {
            across.entry(column[card]).or_insert(middle(*card).0);
        }
        let passes = |link: &Link| {
            let edge = graph.edge(&link.card.to_string(), &link.to.to_string(), Some(&link.row.to_string()));
            let points: Vec<(f64, f64)> =
                edge.map_or(Vec::new(), |edge| edge.points.iter().map(|point| (point.x, point.y)).collect());
            (column[&link.card] + 1..column[&link.to]).map(|passed| height_at(&points, across[&passed])).collect()
        };
        Ranks {
            height: on_way.iter().map(|card| (*card, middle(*card).1)).collect(),
            passes: links.iter().map(passes).collect(),
            column,
        }
    }
}

/// How high a line of these points, from left to right, is at `x`.
fn height_at(points: &[(f64, f64)], x: f64) -> f64 {
    let ends = points.windows(2).find(|ends| ends[0].0 <= x && x <= ends[1].0);
    match (ends, points.first()) {
        (Some([from, to]), _) if to.0 > from.0 => from.1 + (to.1 - from.1) * (x - from.0) / (to.0 - from.0),
        (Some([from, ..]), _) => from.1,
        (_, first) => first.map_or(0.0, |first| first.1),
    }
}

fn place(picture: &Picture, sizes: Vec<Size>, ranks: &Ranks, links: &[Link]) -> Layout {
    let count = ranks.column.values().max().map_or(0, |last| last + 1);
    let mut columns: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut items = Vec::new();
    let mut item_of: BTreeMap<usize, usize> = BTreeMap::new();
    for (card, column) in &ranks.column {
        let height = sizes[*card].height;
        item_of.insert(*card, items.len());
        columns[*column].push(items.len());
        items.push(Item { height, y: ranks.height[card] - height / 2.0, is_card: true });
    }
    let mut spans = Vec::new();
    let mut passing: Vec<Vec<usize>> = Vec::new();
    for (link, heights) in links.iter().zip(&ranks.passes) {
        let mut passed = Vec::new();
        let (mut from, mut leaves) = (item_of[&link.card], row_middle(&picture.cards[link.card], link.row));
        for (nth, y) in heights.iter().enumerate() {
            let item = items.len();
            items.push(Item { height: 0.0, y: *y, is_card: false });
            columns[ranks.column[&link.card] + 1 + nth].push(item);
            spans.push(Span { from, leaves, to: item, enters: 0.0 });
            (from, leaves) = (item, 0.0);
            passed.push(item);
        }
        spans.push(Span { from, leaves, to: item_of[&link.to], enters: ENTRY });
        passing.push(passed);
    }
    for column in &mut columns {
        column.sort_by(|one, other| items[*one].y.total_cmp(&items[*other].y).then(one.cmp(other)));
    }
    let tops = Columns::new(items, columns, spans).settle(&passing);
    let bands = bands(&sizes, ranks, links);
    let places: Vec<Place> = sizes
        .into_iter()
        .enumerate()
        .map(|(card, size)| match (ranks.column.get(&card), item_of.get(&card)) {
            (Some(column), Some(item)) => Place { x: bands[*column].0, y: (TOP + tops[*item]).round(), size },
            _ => Place { x: MARGIN, y: 0.0, size },
        })
        .collect();
    let wire = |(link, passed): (&Link, &Vec<usize>)| {
        let (from, to) = (&places[link.card], &places[link.to]);
        let column = ranks.column[&link.card];
        let y = from.y + row_middle(&picture.cards[link.card], link.row);
        let mut points = vec![(from.x + from.size.width, y), (bands[column].1, y)];
        for (nth, item) in passed.iter().enumerate() {
            let (left, right) = bands[column + 1 + nth];
            let y = TOP + tops[*item];
            points.extend([(left, y), (right, y)]);
        }
        points.push((to.x, to.y + ENTRY));
        Wire { card: link.card, row: link.row, to: link.to, points }
    };
    let wires: Vec<Wire> = links.iter().zip(&passing).map(wire).collect();
    let width = bands.last().map_or(0.0, |(_, right)| right + MARGIN).max(SHEET_LEAST);
    let lowest = ranks.column.keys().map(|card| places[*card].y + places[*card].size.height);
    let lines = wires.iter().flat_map(|wire| wire.points.iter().map(|(_, y)| *y));
    let height = lowest.chain(lines).fold(TOP, f64::max);
    Layout { places, wires, beside: Vec::new(), beside_top: height, width, height }
}

/// The left and the right of each column; the more lines there are between two, the further they stand apart.
fn bands(sizes: &[Size], ranks: &Ranks, links: &[Link]) -> Vec<(f64, f64)> {
    let count = ranks.column.values().max().map_or(0, |last| last + 1);
    let mut widths = vec![0.0_f64; count];
    for (card, column) in &ranks.column {
        widths[*column] = widths[*column].max(sizes[*card].width);
    }
    let mut left = MARGIN;
    let mut bands = Vec::with_capacity(count);
    for (column, width) in widths.into_iter().enumerate() {
        bands.push((left, left + width));
        let passing = links.iter().filter(|link| ranks.column[&link.card] <= column && column < ranks.column[&link.to]);
        left += width + (GAP_LEAST + GAP_PER_LINE * passing.count() as f64).min(GAP_MOST);
    }
    bands
}

/// Cards that no line leads to, in rows below the others.
fn put_beside(layout: &mut Layout, on_way: &BTreeSet<usize>) {
    layout.beside = (0..layout.places.len()).filter(|card| !on_way.contains(card)).collect();
    if layout.beside.is_empty() {
        return;
    }
    layout.beside_top = (layout.height + 34.0).round();
    let (mut x, mut y, mut tallest) = (MARGIN, layout.beside_top + BESIDE_HEAD, 0.0_f64);
    for card in &layout.beside {
        let size = layout.places[*card].size.clone();
        if x > MARGIN && x + size.width > layout.width - MARGIN {
            (x, y, tallest) = (MARGIN, y + tallest + 24.0, 0.0);
        }
        (layout.places[*card].x, layout.places[*card].y) = (x, y);
        x += size.width + 28.0;
        tallest = tallest.max(size.height);
        layout.width = layout.width.max(MARGIN + size.width + MARGIN);
    }
    layout.height = y + tallest;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::StepName;
    use crate::picture::{Card, Help, Row};
    use crate::target::StepRef;

    /// A picture of `count` menus and plays that lead to each other as dice fall.
    fn random(seed: u64, count: usize) -> Picture {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = |most: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % most as u64) as usize
        };
        let row = |to: usize| Row {
            role: None,
            when: "1".to_owned(),
            leads: Leads::Card(to),
            weight: Weight::Key,
            codes: BTreeSet::new(),
        };
        let mut cards = Vec::new();
        for card in 0..count {
            let kind = if below(3) == 0 { StepKind::Play } else { StepKind::Menu };
            let name = "n".repeat(1 + below(30));
            cards.push(Card {
                at: (card > 0).then(|| StepRef { kind, name: StepName::new(&name) }),
                name,
                about: vec!["welcome".to_owned(); below(3)],
                rows: (0..below(6) + usize::from(card == 0)).map(|_| row(below(count))).collect(),
                met: true,
                help: Help::Unknown,
                codes: BTreeSet::new(),
            });
        }
        Picture {
            line: "care".to_owned(),
            numbers: Vec::new(),
            language: "en".to_owned(),
            human: "queue care".to_owned(),
            cards,
            figures: Vec::new(),
            refused: BTreeMap::new(),
            elsewhere: 0,
        }
    }

    /// Left, top, right, bottom.
    fn corners(place: &Place) -> (f64, f64, f64, f64) {
        (place.x, place.y, place.x + place.size.width, place.y + place.size.height)
    }

    #[test]
    fn no_card_lies_on_another_and_no_line_runs_through_one() {
        for seed in 1..150 {
            let picture = random(seed, 3 + seed as usize % 30);
            let layout = of(&picture);
            let boxes: Vec<_> = layout.places.iter().map(corners).collect();
            for (card, (left, top, right, bottom)) in boxes.iter().enumerate() {
                assert!(*left >= 0.0 && *right <= layout.width && *bottom <= layout.height, "seed {seed}: {card}");
                let apart = |other: &(f64, f64, f64, f64)| {
                    other.0 >= *right || other.2 <= *left || other.1 >= *bottom || other.3 <= *top
                };
                assert!(boxes[card + 1..].iter().all(apart), "seed {seed}: something lies on card {card}");
            }
            for wire in &layout.wires {
                // The straight parts pass columns; between columns, where the others are, there is nothing.
                for part in wire.points.chunks_exact(2) {
                    let (from, to, y) = (part[0].0, part[1].0, part[0].1);
                    assert!(from <= to, "seed {seed}: {wire:?} runs back");
                    let hit = boxes.iter().position(|at| at.0 < to && from < at.2 && at.1 < y && y < at.3);
                    assert_eq!(hit, None, "seed {seed}: {wire:?}");
                }
                let bends = wire.points[1..].chunks_exact(2);
                assert!(
                    bends.into_iter().all(|bend| bend[1].0 - bend[0].0 >= GAP_LEAST - 0.01),
                    "seed {seed}: {wire:?}"
                );
            }
        }
    }

    #[test]
    fn a_line_is_drawn_once_and_leads_to_every_card_that_can_be_reached() {
        for seed in 1..150 {
            let picture = random(seed, 3 + seed as usize % 30);
            let layout = of(&picture);
            let wires: BTreeSet<(usize, usize)> = layout.wires.iter().map(|wire| (wire.card, wire.row)).collect();
            assert_eq!(wires.len(), layout.wires.len(), "seed {seed}");
            for wire in &layout.wires {
                assert_eq!(picture.cards[wire.card].rows[wire.row].leads, Leads::Card(wire.to));
            }
            let led: BTreeSet<usize> = layout.wires.iter().map(|wire| wire.to).chain([0]).collect();
            let (level, _) = levels(&picture);
            assert_eq!(led, level.keys().copied().collect(), "seed {seed}");
        }
    }

    #[test]
    fn many_lines_into_one_card_are_named_in_their_rows() {
        let mut picture = random(1, 1);
        let row = |to| Row {
            role: None,
            when: "1".to_owned(),
            leads: Leads::Card(to),
            weight: Weight::Key,
            codes: BTreeSet::new(),
        };
        let card = picture.cards[0].clone();
        // A chain of menus, all of which lead to the last card.
        let named = |kind, rows| Card { at: Some(StepRef { kind, name: StepName::new("x") }), rows, ..card.clone() };
        picture.cards[0].rows = vec![row(1)];
        (1..11).for_each(|at| picture.cards.push(named(StepKind::Menu, vec![row(at + 1), row(12)])));
        picture.cards.push(named(StepKind::Menu, vec![row(12)]));
        picture.cards.push(named(StepKind::Voicemail, Vec::new()));
        let into = of(&picture).wires.iter().filter(|wire| wire.to == 12).count();
        assert_eq!(into, LINES_INTO_MOST);
    }

    #[test]
    fn a_plan_of_hundreds_of_menus_is_laid_out() {
        let layout = of(&random(5, 600));
        assert!(layout.wires.len() > 300, "{}", layout.wires.len());
    }
}
