"""What `K` says of the numbers in Validate. Pure."""

CELLS = {
    "checks.verdict": "passed, warned, failed, waived, or not evaluated, which is never taken for a pass.",
    "checks.name": "Its name in [[checks]] of lemnis.toml.",
    "checks.rule": "What must hold, in words; {table.open} shows the rows for which it does not.",
    "checks.failing": (
        "Rows that break the rule. The bound is warn_if and error_if of the check: a count, or a share of the rows."
    ),
    "checks.share": "Failing rows / rows that the rule speaks of, in percent.",
    "checks.change": (
        "Rows that fail since the run before / rows that failed then and do not now, told apart by the dataset's key."
    ),
    "checks.trend": "Failing rows of the latest runs, oldest first; each is scaled by the worst.",
    "checks.severity": "error keeps the data from being trained on, warn only says so: `severity` of the check.",
    "checks.owner": "Who is asked when it fails: `owner` of the check.",
    "sample.row": "The row's number in the version, from 0.",
}
