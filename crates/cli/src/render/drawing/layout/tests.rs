//! Layouts: what must be so, on graphs made by hand and at random.

use proptest::prelude::*;

use super::*;

fn same(count: usize) -> Vec<Size> {
    vec![Size { width: 100.0, height: 40.0 }; count]
}

/// No two boxes overlap, everything lies within the whole, and lines begin and end at their boxes.
fn is_sound(sizes: &[Size], needs: &[(usize, usize)], layout: &Layout) -> Result<(), TestCaseError> {
    prop_assert_eq!(layout.boxes.len(), sizes.len());
    prop_assert_eq!(layout.lines.len(), needs.len());
    for (i, (a, size)) in layout.boxes.iter().zip(sizes).enumerate() {
        prop_assert!(a.x >= 0.0 && a.y >= 0.0, "{a:?}");
        prop_assert!(a.x + size.width <= layout.width && a.y + size.height <= layout.height, "{a:?}");
        for (b, other) in layout.boxes.iter().zip(sizes).skip(i + 1) {
            let apart = a.x + size.width <= b.x
                || b.x + other.width <= a.x
                || a.y + size.height <= b.y
                || b.y + other.height <= a.y;
            prop_assert!(apart, "{a:?} {b:?}");
        }
    }
    for ((needing, needed), line) in needs.iter().zip(&layout.lines) {
        if needing == needed {
            prop_assert!(line.is_empty());
            continue;
        }
        let (first, last) = (line[0], line[line.len() - 1]);
        prop_assert_eq!(first.x, layout.boxes[*needed].x + sizes[*needed].width);
        prop_assert_eq!(last.x, layout.boxes[*needing].x);
    }
    Ok(())
}

#[test]
fn what_is_needed_stands_to_the_left() {
    let needs = [(1, 0), (2, 1), (2, 0)];
    let layout = layout(&same(3), &needs);
    let x: Vec<f64> = layout.boxes.iter().map(|b| b.x).collect();
    assert!(x[0] < x[1] && x[1] < x[2], "{x:?}");
    // The line past the one in the middle has two more points.
    assert_eq!(layout.lines.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 4]);
}

#[test]
fn two_rows_do_not_cross() {
    // 0 and 1 are needed by 3 and 2: in the order of their numbers the lines would cross.
    let layout = layout(&same(4), &[(3, 0), (2, 1)]);
    let y = |i: usize| layout.boxes[i].y;
    assert_eq!(y(0) < y(1), y(3) < y(2));
    assert_eq!((y(0), y(1)), (y(3), y(2)));
}

#[test]
fn rings_and_nonsense_do_no_harm() {
    for needs in [&[(0, 1), (1, 0)][..], &[(0, 0)], &[(0, 9), (9, 0)], &[(0, 1), (1, 2), (2, 0), (2, 1)]] {
        let layout = layout(&same(3), needs);
        assert!(layout.width.is_finite() && layout.height.is_finite());
        assert_eq!(layout.lines.len(), needs.len());
    }
    assert_eq!(layout(&[], &[]).boxes, []);
}

#[test]
fn long_chains_and_wide_fans_are_quick() {
    let chain: Vec<(usize, usize)> = (1..2_000).map(|i| (i, i - 1)).collect();
    assert!(layout(&same(2_000), &chain).width > 2_000.0 * 100.0);
    let fan: Vec<(usize, usize)> = (1..2_000).map(|i| (i, 0)).collect();
    let layout = layout(&same(2_000), &fan);
    assert!(layout.height < 80.0 * 80.0, "a tall column is several: {}", layout.height);
}

#[test]
fn heights_are_as_near_as_the_order_allows() {
    let mut middles = vec![0.0; 3];
    stack(&[0, 1, 2], &[100.0, 100.0, 500.0], &[40.0, 40.0, 40.0], &mut middles);
    assert_eq!(middles, [72.0, 128.0, 500.0]);
}

proptest! {
    #[test]
    fn nothing_overlaps(count in 1usize..40, pairs in proptest::collection::vec((0usize..40, 0usize..40), 0..80)) {
        let sizes: Vec<Size> =
            (0..count).map(|i| Size { width: 60.0 + (i % 7) as f64 * 20.0, height: 40.0 }).collect();
        // What is needed has the smaller number, so that there is no ring.
        let needs: Vec<(usize, usize)> =
            pairs.into_iter().map(|(a, b)| (a.max(b) % count, a.min(b) % count)).filter(|(a, b)| a > b).collect();
        let layout = layout(&sizes, &needs);
        is_sound(&sizes, &needs, &layout)?;
        for (needing, needed) in &needs {
            prop_assert!(layout.boxes[*needed].x < layout.boxes[*needing].x);
        }
    }
}
