//! A table of short cells: as wide as its widest cells, cut where the page ends.

use super::layout::{Line, Page};
use super::styles::Role;

/// Columns between two cells.
const GAP: usize = 2;

/// A heading and its rows, aligned. Columns that do not fit are left out.
pub(super) fn grid(heading: &[&str], rows: Vec<Vec<Line>>, page: Page) -> Vec<Line> {
    let head = heading.iter().map(|text| Line::new().with(Role::Dim, text)).collect();
    let rows: Vec<Vec<Line>> = std::iter::once(head).chain(rows).collect();
    let widths: Vec<usize> = (0..heading.len())
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(Line::width).max().unwrap_or(0))
        .collect();
    let mut left = page.width();
    let fitting = widths.iter().take_while(|width| {
        let fits = **width <= left;
        left = left.saturating_sub(**width + GAP);
        fits
    });
    // The first column is shown whatever its width is.
    let columns = fitting.count().max(1);
    rows.into_iter()
        .map(|cells| {
            let mut line = Line::new();
            for (index, cell) in cells.into_iter().take(columns).enumerate() {
                let is_last = index + 1 == columns;
                line.append(if is_last { cell } else { cell.padded(widths[index] + GAP) });
            }
            page.fit(line, page.width())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::layout::page;

    fn shown(columns: usize) -> String {
        let row = |cells: [&str; 3]| cells.map(Line::plain).into();
        let rows = vec![row(["p620", "x", "generation"]), row(["razer", "longer", "-"])];
        page(columns).render_all(&grid(&["HOST", "B", "C"], rows, page(columns)))
    }

    #[test]
    fn columns_are_aligned_and_those_that_do_not_fit_are_left_out() {
        assert_eq!(shown(80), "HOST   B       C\np620   x       generation\nrazer  longer  -\n");
        assert_eq!(shown(20), "HOST   B\np620   x\nrazer  longer\n");
    }
}
