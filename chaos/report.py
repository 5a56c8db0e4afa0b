"""The table of a round of chaos, as Markdown."""
import re
import time
from pathlib import Path

BEGIN, END = "<!-- chaos: begin -->", "<!-- chaos: end -->"
COLUMNS = ("tool", "what happened", "trials", "failed first runs", "unreadable states", "orphans", "duplicates",
           "failed second runs", "not whole in the end")


def lost(row):
    """What one trial lost: (failed though only the cloud misbehaved, unreadable state, orphans and duplicates after the
    second run, it failed, not whole)."""
    again = row["again"]
    failed = row["part"] == "faults" and row["exit"] != 0
    unreadable = not (row["found"]["state_readable"] and again["state_readable"])
    return (int(failed), int(unreadable), again["orphans"], again["duplicates"], int(again["exit"] != 0),
            int(bool(again["missing"] or again["dangling"])))


def losses(rows, tool):
    return sum(sum(lost(row)) for row in rows if row["tool"] == tool)


def of(rows, options, missing):
    groups = {}
    for row in rows:
        what = row["trial"] if row["part"] != "faults" else row["trial"].rpartition(" in ")[0]
        groups.setdefault((row["tool"], what), []).append(row)
    lines = [f"Measured on {time.strftime('%Y-%m-%d', time.gmtime())}: a stack of {options.n} AWS resources, "
             f"{options.latency} ms a call, seed {options.seed}."]
    lines += [f"{name} was not measured: {why}." for name, why in missing.items()]
    lines += ["", "| " + " | ".join(COLUMNS) + " |", "|---|---|" + "--:|" * (len(COLUMNS) - 2)]
    for (tool, what), members in groups.items():
        sums = [sum(column) for column in zip(*map(lost, members))]
        if members[0]["part"] != "faults":
            sums[0] = "-"
        lines.append("| " + " | ".join(map(str, (tool, what, len(members), *sums))) + " |")
    return "\n".join(lines) + "\n"


def into(path, table):
    """Replaces what stands between the two marks."""
    text = Path(path).read_text()
    if BEGIN not in text or END not in text:
        raise SystemExit(f"{path} has no place for the table: {BEGIN} ... {END}")
    Path(path).write_text(re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{table}{END}", text, flags=re.DOTALL))
