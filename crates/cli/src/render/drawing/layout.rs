//! Where boxes go: in columns, what is needed to the left of what needs it, with few crossings and short lines.
//!
//! The steps: a column for each box; a place in every column between for each line that goes over several; an order within
//! the columns by what the neighbours' orders are; heights as near to the neighbours' heights as the order allows. What
//! nothing needs and what needs nothing stands in a block of its own below. Everything is counted, nothing is random.

use std::collections::{BTreeMap, BTreeSet};

/// The size of a box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// From left to right.
    pub width: f64,
    /// From top to bottom.
    pub height: f64,
}

/// A place, from the upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Downwards.
    pub y: f64,
}

/// Where everything goes.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The upper left corner of each box.
    pub boxes: Vec<Point>,
    /// The points of each line, from the box that is needed to the one that needs it.
    pub lines: Vec<Vec<Point>>,
    /// The width of all.
    pub width: f64,
    /// The height of all.
    pub height: f64,
}

/// Between boxes above each other.
const GAP: f64 = 16.0;
/// The height that a line takes on its way past boxes.
const PASSING: f64 = 10.0;
/// Between columns.
const COLUMN_GAP: f64 = 72.0;
/// Around everything.
const MARGIN: f64 = 16.0;
/// How often orders and heights are looked at again.
const SWEEPS: usize = 8;
/// How many places for lines on their way there are at most; further lines go straight.
const MOST_PLACES: usize = 20_000;

/// Lays out boxes of these sizes. A line goes from a box to one that it needs.
pub fn layout(sizes: &[Size], needs: &[(usize, usize)]) -> Layout {
    let lines: Vec<(usize, usize)> =
        needs.iter().copied().filter(|(a, b)| a != b && *a < sizes.len() && *b < sizes.len()).collect();
    let joined: BTreeSet<usize> = lines.iter().flat_map(|(a, b)| [*a, *b]).collect();
    let mut web = Web::new(sizes, &lines, &joined);
    web.put_in_order();
    web.settle();
    let mut out = web.placed(sizes, needs.len(), needs);
    let alone: Vec<usize> = (0..sizes.len()).filter(|i| !joined.contains(i)).collect();
    block(sizes, &alone, &mut out);
    out.width += MARGIN;
    out.height += MARGIN;
    out
}

/// The boxes without lines, in rows below the others.
fn block(sizes: &[Size], alone: &[usize], out: &mut Layout) {
    let widest = alone.iter().filter_map(|i| sizes.get(*i)).map(|s| s.width).fold(0.0, f64::max);
    let columns = (alone.len() as f64).sqrt().ceil().max(1.0);
    let room = out.width.max(columns * (widest + GAP)).min(columns.max(4.0) * (widest + GAP));
    let (mut x, mut y, mut lowest) = (MARGIN, out.height.max(0.0) + MARGIN, 0.0_f64);
    for i in alone {
        let Some(size) = sizes.get(*i) else { continue };
        if x > MARGIN && x + size.width > room + MARGIN {
            x = MARGIN;
            y += lowest + GAP;
            lowest = 0.0;
        }
        if let Some(corner) = out.boxes.get_mut(*i) {
            *corner = Point { x, y };
        }
        x += size.width + GAP;
        lowest = lowest.max(size.height);
        out.width = out.width.max(x - GAP);
        out.height = out.height.max(y + size.height);
    }
}

/// Boxes and places of passing lines in columns.
struct Web {
    /// For each box or place, its height.
    heights: Vec<f64>,
    /// The width of each column.
    widths: Vec<f64>,
    /// What stands in each column, from top to bottom.
    columns: Vec<Vec<usize>>,
    /// The column of each.
    column_of: Vec<usize>,
    /// The neighbours to the left and to the right of each.
    left: Vec<Vec<usize>>,
    right: Vec<Vec<usize>>,
    /// The middle of each.
    middles: Vec<f64>,
    /// For each line, the places that it passes.
    ways: Vec<((usize, usize), Vec<usize>)>,
    /// The place at which the lines of a box pass a column: they go together until they part.
    passes: BTreeMap<(usize, usize), usize>,
    /// The pairs of neighbours.
    joined: BTreeSet<(usize, usize)>,
}

impl Web {
    fn new(sizes: &[Size], lines: &[(usize, usize)], joined: &BTreeSet<usize>) -> Web {
        let ranks = ranks(sizes.len(), lines);
        let column_of = columns(&ranks, joined);
        let count = joined.iter().filter_map(|i| column_of.get(*i)).max().map_or(0, |last| last + 1);
        let mut web = Web {
            heights: sizes.iter().map(|size| size.height).collect(),
            widths: vec![0.0; count],
            columns: vec![vec![]; count],
            column_of,
            left: vec![vec![]; sizes.len()],
            right: vec![vec![]; sizes.len()],
            middles: vec![],
            ways: vec![],
            passes: BTreeMap::new(),
            joined: BTreeSet::new(),
        };
        for i in joined {
            let (Some(column), Some(size)) = (web.column_of.get(*i).copied(), sizes.get(*i)) else {
                continue;
            };
            web.columns.get_mut(column).into_iter().for_each(|all| all.push(*i));
            web.widths.get_mut(column).into_iter().for_each(|width| *width = width.max(size.width));
        }
        for line in lines {
            web.lead(*line);
        }
        web.middles = vec![0.0; web.heights.len()];
        web
    }

    /// Leads a line from the box that is needed to the one that needs it, through the columns between.
    fn lead(&mut self, (needing, needed): (usize, usize)) {
        let column = |web: &Web, i: usize| web.column_of.get(i).copied().unwrap_or(0);
        let (mut from, mut to) = (needed, needing);
        if column(self, from) > column(self, to) {
            // In a ring of needs one line goes back.
            std::mem::swap(&mut from, &mut to);
        }
        let between = column(self, from) + 1..column(self, to);
        let mut way = Vec::new();
        if self.passes.len() + between.len() <= MOST_PLACES {
            way.extend(between.map(|column| self.place(from, column)));
        }
        let mut last = from;
        for next in way.iter().copied().chain([to]) {
            if self.joined.insert((last, next)) {
                self.right.get_mut(last).into_iter().for_each(|all| all.push(next));
                self.left.get_mut(next).into_iter().for_each(|all| all.push(last));
            }
            last = next;
        }
        if from == needing {
            way.reverse();
        }
        self.ways.push(((needing, needed), way));
    }

    fn place(&mut self, from: usize, column: usize) -> usize {
        if let Some(place) = self.passes.get(&(from, column)) {
            return *place;
        }
        let place = self.heights.len();
        self.heights.push(PASSING);
        self.column_of.push(column);
        self.left.push(vec![]);
        self.right.push(vec![]);
        self.columns.get_mut(column).into_iter().for_each(|all| all.push(place));
        self.passes.insert((from, column), place);
        place
    }

    /// Orders each column by the middle of the neighbours' places, from left to right and back.
    fn put_in_order(&mut self) {
        let mut places = vec![0.0; self.heights.len()];
        let number = |places: &mut Vec<f64>, column: &[usize]| {
            let half = column.len() as f64 / 2.0;
            for (i, member) in column.iter().enumerate() {
                places.get_mut(*member).into_iter().for_each(|place| *place = i as f64 - half);
            }
        };
        for column in &self.columns {
            number(&mut places, column);
        }
        for sweep in 0..SWEEPS {
            let forward = sweep % 2 == 0;
            let neighbours = if forward { &self.left } else { &self.right };
            for step in 0..self.columns.len() {
                let at = if forward { step } else { self.columns.len() - 1 - step };
                let Some(column) = self.columns.get_mut(at) else { continue };
                let mut keyed: Vec<(f64, usize)> = column
                    .iter()
                    .map(|member| {
                        let own = places.get(*member).copied().unwrap_or(0.0);
                        (mean(neighbours.get(*member), &places).unwrap_or(own), *member)
                    })
                    .collect();
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                *column = keyed.into_iter().map(|(_, member)| member).collect();
                number(&mut places, column);
            }
        }
    }

    /// Gives each a height near those of its neighbours, without changing the order.
    fn settle(&mut self) {
        for column in &self.columns {
            let wanted = vec![0.0; column.len()];
            stack(column, &wanted, &self.heights, &mut self.middles);
        }
        for sweep in 0..SWEEPS {
            let forward = sweep % 2 == 0;
            for step in 0..self.columns.len() {
                let at = if forward { step } else { self.columns.len() - 1 - step };
                let Some(column) = self.columns.get(at) else { continue };
                let wanted: Vec<f64> = column
                    .iter()
                    .map(|member| {
                        let own = self.middles.get(*member).copied().unwrap_or(0.0);
                        let (near, far) = match forward {
                            true => (self.left.get(*member), self.right.get(*member)),
                            false => (self.right.get(*member), self.left.get(*member)),
                        };
                        mean(near, &self.middles).or_else(|| mean(far, &self.middles)).unwrap_or(own)
                    })
                    .collect();
                stack(column, &wanted, &self.heights, &mut self.middles);
            }
        }
    }

    fn placed(&self, sizes: &[Size], count: usize, needs: &[(usize, usize)]) -> Layout {
        let top = |i: usize| self.middles.get(i).copied().unwrap_or(0.0) - self.height(i) / 2.0;
        let all = || self.columns.iter().flatten().copied();
        let highest = all().map(top).fold(f64::INFINITY, f64::min);
        let shift = if highest.is_finite() { MARGIN - highest } else { 0.0 };
        let mut starts = Vec::with_capacity(self.widths.len());
        let mut x = MARGIN;
        for width in &self.widths {
            starts.push(x);
            x += width + COLUMN_GAP;
        }
        let start = |i: usize| self.column_of.get(i).and_then(|c| starts.get(*c)).copied().unwrap_or(0.0);
        let middle = |i: usize| self.middles.get(i).copied().unwrap_or(0.0) + shift;
        let mut out = Layout { boxes: vec![Point { x: 0.0, y: 0.0 }; sizes.len()], ..Layout::default() };
        for i in all().filter(|i| *i < sizes.len()) {
            out.boxes.get_mut(i).into_iter().for_each(|b| *b = Point { x: start(i), y: top(i) + shift });
        }
        let width = |i: usize| sizes.get(i).map_or(0.0, |size| size.width);
        let mut ways = self.ways.iter().peekable();
        for need in needs.iter().take(count) {
            let mut line = Vec::new();
            if let Some(((needing, needed), way)) = ways.next_if(|(line, _)| line == need) {
                line.push(Point { x: start(*needed) + width(*needed), y: middle(*needed) });
                for place in way {
                    let column = self.column_of.get(*place).copied().unwrap_or(0);
                    let wide = self.widths.get(column).copied().unwrap_or(0.0);
                    line.push(Point { x: start(*place), y: middle(*place) });
                    line.push(Point { x: start(*place) + wide, y: middle(*place) });
                }
                line.push(Point { x: start(*needing), y: middle(*needing) });
            }
            out.lines.push(line);
        }
        if let Some(last) = self.widths.last() {
            out.width = starts.last().copied().unwrap_or(0.0) + last;
            out.height = all().map(|i| top(i) + shift + self.height(i)).fold(0.0, f64::max);
        }
        out
    }

    fn height(&self, i: usize) -> f64 {
        self.heights.get(i).copied().unwrap_or(0.0)
    }
}

fn mean(neighbours: Option<&Vec<usize>>, places: &[f64]) -> Option<f64> {
    let neighbours = neighbours.filter(|all| !all.is_empty())?;
    let sum: f64 = neighbours.iter().filter_map(|i| places.get(*i)).sum();
    Some(sum / neighbours.len() as f64)
}

/// Puts what stands in a column above each other, as near to the wanted middles as the order and the gaps allow: the least
/// sum of squares, by joining neighbours that get in each other's way.
fn stack(column: &[usize], wanted: &[f64], heights: &[f64], middles: &mut [f64]) {
    let height = |i: usize| heights.get(i).copied().unwrap_or(0.0);
    // Without the heights of all above, only the order is left to be kept.
    let mut offsets = Vec::with_capacity(column.len());
    let mut above = 0.0;
    for member in column {
        offsets.push(above + height(*member) / 2.0);
        above += height(*member) + GAP;
    }
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for (want, offset) in wanted.iter().zip(&offsets) {
        let mut group = (want - offset, 1);
        while let Some(last) = groups.pop_if(|last| last.0 >= group.0) {
            let count = last.1 + group.1;
            group = ((last.0 * last.1 as f64 + group.0 * group.1 as f64) / count as f64, count);
        }
        groups.push(group);
    }
    let bases = groups.iter().flat_map(|(base, count)| std::iter::repeat_n(*base, *count));
    for ((member, offset), base) in column.iter().zip(&offsets).zip(bases) {
        middles.get_mut(*member).into_iter().for_each(|middle| *middle = base + offset);
    }
}

/// How many boxes stand before each on the longest way. In a ring of needs the first box counts as if it needed nothing.
fn ranks(count: usize, lines: &[(usize, usize)]) -> Vec<usize> {
    let mut needing: Vec<Vec<usize>> = vec![vec![]; count];
    let mut waits = vec![0_usize; count];
    for (from, to) in lines {
        needing.get_mut(*to).into_iter().for_each(|all| all.push(*from));
        waits.get_mut(*from).into_iter().for_each(|wait| *wait += 1);
    }
    let mut ranks = vec![0; count];
    let mut done = vec![false; count];
    let mut ready: Vec<usize> = (0..count).filter(|i| waits.get(*i) == Some(&0)).rev().collect();
    let mut first_open = 0;
    loop {
        while let Some(next) = ready.pop() {
            if done.get_mut(next).is_none_or(|done| std::mem::replace(done, true)) {
                continue;
            }
            let rank = ranks.get(next).copied().unwrap_or(0) + 1;
            for follower in needing.get(next).into_iter().flatten() {
                if done.get(*follower) == Some(&true) {
                    continue;
                }
                ranks.get_mut(*follower).into_iter().for_each(|own| *own = rank.max(*own));
                let wait = waits.get_mut(*follower).map(|wait| {
                    *wait = wait.saturating_sub(1);
                    *wait
                });
                if wait == Some(0) {
                    ready.push(*follower);
                }
            }
        }
        while done.get(first_open) == Some(&true) {
            first_open += 1;
        }
        if first_open >= count {
            return ranks;
        }
        ready.push(first_open);
    }
}

/// A column for each box: its rank, where columns that would be too tall are several side by side.
fn columns(ranks: &[usize], joined: &BTreeSet<usize>) -> Vec<usize> {
    let most = (((joined.len() as f64).sqrt() * 1.6).ceil() as usize).max(12);
    let count = joined.iter().filter_map(|i| ranks.get(*i)).max().map_or(0, |last| last + 1);
    let mut members: Vec<Vec<usize>> = vec![vec![]; count];
    for i in joined {
        if let Some(all) = ranks.get(*i).and_then(|rank| members.get_mut(*rank)) {
            all.push(*i);
        }
    }
    let mut columns = vec![0; ranks.len()];
    let mut next = 0;
    for all in members {
        let parts = all.len().div_ceil(most).max(1);
        let each = all.len().div_ceil(parts).max(1);
        for (at, member) in all.iter().enumerate() {
            columns.get_mut(*member).into_iter().for_each(|column| *column = next + at / each);
        }
        next += parts;
    }
    columns
}

#[cfg(test)]
mod tests;
