"""What K explains in Explore."""

PROFILE_TEXT = (
    "▲ asks you to act: most rows missing, constant, drifted, spelled in several ways, dates or numbers as text, an "
    "identifier among the features, missing with the target, or a feature that tells 40% of the target's uncertainty, "
    "which is seldom known beforehand. What is muted is only to know: skewed, outliers, zeros, many categories.\n\n"
    "Columns come by interest: a point at most for missing half of the rows, telling a quarter of the target's "
    "uncertainty, drift of PSI 0.25 against the version before, and two notes that ask to act; {explore.order} goes on "
    "to missing, association, drift, notes, name, position. {explore.split} draws every column by the classes of the "
    "one under the cursor: its ten most frequent values, or the quarters of a number or a time. From two million rows "
    "on, a sample of 131,072 rows in 8 places comes first, marked ~, with 95% margins from the spread between the "
    "places; the exact figures replace it.\n\n"
    "Exact figures come from one read of the column, sorted or counted once. Quantiles are linear between two values. "
    "A histogram leaves out a long thin tail (at most 0.5% of the rows at either end) and says how many rows that are. "
    "The small histograms share bins and scale: what part of the class's own rows each bin holds. The last figure of a "
    "bin is the share of the last class among its labelled rows.\n\n"
    "Notes: missing from 20% of the rows; skewed from a skewness of 3; high cardinality from 51 categories; nearly "
    "constant from 99% of one value; missing with the target when the classes differ by 10 points between rows without "
    "and with a value; outliers when 1% of the values lie more than 3.5 robust deviations from the median; zeros from "
    "half of them; drifted from PSI 0.25; gaps when a period within the time span has no row; spellings when values "
    "differ only by case, spaces, width or, rare ones, by one letter. IQR fences stand 1.5 interquartile ranges beyond "
    "the quartiles. Commands: lemnis explore profile, column, missing, rows."
)
ROWS_TEXT = (
    "Rows come straight from the version's Parquet file: only the columns and rows on screen are read, and what lies "
    "beside them ahead of you. {explore.only} and {explore.without} filter by the value under the cursor, "
    "{explore.values} by any value of the column (! leaves it out, space marks several, v shows bins), {explore.facet} "
    "counts the column beside the rows; {explore.undo} takes the last filter back, {explore.clear} all of them. "
    "{app.filter} takes conditions such as carrier = UA and dep_delay > 60, gust is missing, or any SQL, which runs in "
    "a process of its own with bounded time, memory and reach. A search goes through the row groups once and keeps the "
    "numbers of the rows it found; until it ends their count stands behind ≥. {table.sort_up} and {table.sort_down} "
    "sort, once more gives the rows' own order back; missing values come last. {explore.column} goes to a column by a "
    "part of its name, {explore.keep} keeps one at the left, {table.open} shows a row in full, {explore.export} writes "
    "the rows into a file. Command: lemnis explore rows --where …"
)
MISSING_TEXT = (
    "A pattern is the set of columns that have no value in a row, the 50 most frequent first; NaN counts as missing. "
    "Columns that are always missing together usually come from one join or one device: what is lost is the match, not "
    "the value. {table.open} shows the rows of a pattern. Command: lemnis explore missing."
)
CELLS = {
    "columns.name": "A column of this version; the mark beside it is its role.",
    "columns.type": "Its type in the version's Parquet file.",
    "columns.missing": "Rows without a value / all rows, in percent; NaN counts as missing.",
    "columns.distinct": (
        "Different values, missing ones left out. Exact unless marked ~, which is an estimate of a sample."
    ),
    "columns.minimum": "The smallest value; of texts the first in order.",
    "columns.middle": (
        "The median of numbers and times (half of the rows lie below it), the most frequent value of others."
    ),
    "columns.maximum": "The largest value; of texts the last in order.",
    "columns.shape": "Rows per bin, from the smallest value to the largest; the tallest bar is the fullest bin.",
    "columns.notes": "What asks to be looked at, and the rule that says so; see below for where each bound lies.",
    "missing.rows": "Rows in which just these columns have no value.",
    "missing.share": "The same as a share of all rows.",
    "missing.bar": "The same share as a bar.",
    "missing.many": "How many columns are missing together.",
    "missing.names": "Their names.",
    "facets.value": "A value of the column, or a bin of it; {table.open} shows only its rows.",
    "facets.rows": "Rows with it among those that fit the filters.",
    "facets.share": "The same as a bar, against the most frequent value.",
}
