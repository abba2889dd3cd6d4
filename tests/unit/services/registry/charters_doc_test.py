#!/usr/bin/env python3
"""docs/charters.md names every field an object may have, and says "recorded" or
"compared" wherever services/registry/plan.c says that a field is not enforced;
SECURITY.md lists exactly those fields."""
import os
import re
import sys

root = sys.argv[1]


def read(*parts):
    with open(os.path.join(root, *parts), encoding="utf-8") as file:
        return file.read()


page = read("docs", "charters.md")
shapes = read("src", "domain", "charter", "object.c")
plan = read("src", "services", "registry", "plan.c")

fields = set(re.findall(r'\b(?:REQUIRED|OPTIONAL|LIST)\(\s*\w+,\s*"([a-z-]+)"', shapes))
fields |= set(re.findall(r'\{"([a-z-]+)",\s*FORM_\w+', shapes)) - {"object"}
table = plan[plan.index("unenforced_fields[] = {"):]
unenforced = re.findall(r'\{"([a-z-]+)",\s*"([^"]+)"', table[:table.index("{NULL")])

missing = sorted(f for f in fields if not re.search(rf"\b{re.escape(f)}\b", page))
unsaid = []
for kind, field in unenforced:
    name = field.split("[].")[-1]
    lines = [line for line in page.split("\n") if re.search(rf"`{name}`", line)]
    if not any("recorded" in line or "compared" in line for line in lines):
        unsaid.append(f"{kind} {field}")

security = read("SECURITY.md")
security = security[security.index("## Recorded, not yet enforced"):]
listed = set()
for line in security.split("\n"):
    row = re.match(r"\| (`[^|]*) \(([^|]*)\) \|", line)
    if row:
        listed |= {(kind, field) for field in re.findall(r"`([^`]+)`", row[1])
                   for kind in row[2].split(", ")}
differing = sorted(listed ^ set(unenforced))

if len(fields) < 40 or len(unenforced) < 8:
    sys.exit(f"found only {len(fields)} fields and {len(unenforced)} unenforced ones")
for field in missing:
    print(f"docs/charters.md does not name {field}")
for field in unsaid:
    print(f"docs/charters.md does not say that {field} is recorded only")
for kind, field in differing:
    print(f"SECURITY.md and services/registry/plan.c differ on {kind} {field}")
sys.exit(1 if missing or unsaid or differing else 0)
