"""Known vulnerabilities of what is installed: `make audit` asks the services that pip-audit knows."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def main() -> int:
    """What pip-audit finds; where no service can be asked, 2 and a line that nothing was looked at."""
    command = [sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--progress-spinner", "off"]
    for service in ("osv", "pypi"):
        ran = subprocess.run([*command, "-s", service, "-f", "json", "--timeout", "20"], capture_output=True, text=True)
        packages = json.loads(ran.stdout)["dependencies"] if ran.stdout.startswith("{") else []
        looked = [one for one in packages if "vulns" in one]
        # pip-audit says "no known vulnerabilities" also where it could ask of no package at all.
        if looked:
            return told(looked, len(packages))
        print(f"{service}: {(ran.stderr.strip().splitlines() or ['it knows none of the packages'])[-1][:200]}")
    print("NOT AUDITED: no service for vulnerabilities could be asked from here")
    return 2


def told(looked: list[Any], total: int) -> int:
    """Prints what is known of the packages that were looked up; 1 where anything is."""
    known = [(one["name"], one["version"], found["id"]) for one in looked for found in one["vulns"]]
    for name, version, what in known:
        print(f"{name} {version}: {what}")
    print(f"{len(looked)} of {total} packages looked up, {len(known)} known vulnerabilities")
    return int(bool(known))


if __name__ == "__main__":
    sys.exit(main())
