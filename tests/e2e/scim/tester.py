# Runs scim2-tester (https://scim2-tester.readthedocs.io) against a service and prints one line a
# check.  Usage: tester.py URL TOKEN-FILE; ends with 1 if a check failed.
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server


def main():
    url, token_file = sys.argv[1:]
    with open(token_file, encoding="ascii") as file:
        headers = {"Authorization": "Bearer " + file.read().strip()}
    counts = {}
    with Client(base_url=url, headers=headers, timeout=30) as http:
        for result in check_server(SyncSCIMClient(http)):
            counts[result.status.name] = counts.get(result.status.name, 0) + 1
            print(result.status.name, result.title, result.resource_type or "-",
                  str(result.reason).replace("\n", " | "))
    print("scim2-tester:", ", ".join(f"{count} {name}" for name, count in sorted(counts.items())))
    good = {Status.SUCCESS.name, Status.SKIPPED.name}
    sys.exit(0 if set(counts) <= good and counts.get("SUCCESS", 0) > 50 else 1)


main()
