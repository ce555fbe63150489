"""How many packages a second one core validates, next to the bare parse of the same bytes.

    python benchmarks/validate_throughput.py [--packages 300] [--seconds 10] [--json]

Packages are generated: a manifest with three handlers, a Deployment with two containers, and a shell script; names,
images, limits and the mistakes in them vary from package to package, so nothing is seen twice in a round. Every
measurement is warm and single-threaded. `validate` runs the rules; `assess` also scores,
decides and builds the report document; `parse` is `yaml.load` with CSafeLoader over the same YAML, without positions.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import time
from collections.abc import Callable
from typing import TypeAlias

import yaml

from atomctl import rules
from atomctl.canonical import digest
from atomctl.policy.assessment import assess
from atomctl.wpk.archive import FileEntry, Package
from atomctl.wpk.manifest import parse_manifest

Work: TypeAlias = Callable[[Package], object]

_MANIFEST = """\
apiVersion: atom/v1
kind: WorkflowPackage
metadata: {{name: restart-{n}, version: 1.{n}.0, description: Restarts {app} when its health check fails.}}
spec:
  runtime: {{type: shell, requirements: {{cpu: 200m, memory: 256Mi}}}}
  parameters:
    type: object
    properties: {{service: {{type: string, pattern: "^[a-z-]+$"}}}}
  safety: {{mode: {mode}}}
  handlers:
    - name: check
      type: api
      config: {{url: "https://{app}.shop.svc/health/{n}"}}
      timeout: 30s
    - name: restart
      type: shell
      config: {{script: scripts/restart.sh, env: {{TARGET: "${{{{ params.service }}}}"}}}}
      idempotency: safe
    - name: apply
      type: k8s
      config: {{action: apply, manifest: manifests/{app}.yaml}}
  rollback:
    handlers:
      - {{name: undo, type: k8s, compensates: apply, config: {{action: undo, kind: Deployment, name: {app}}}}}
"""
_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {app}, namespace: shop, labels: {{app: {app}}}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {app}}}}}
  template:
    metadata: {{labels: {{app: {app}}}}}
    spec:
      automountServiceAccountToken: false
      securityContext: {{runAsNonRoot: true, seccompProfile: {{type: RuntimeDefault}}}}
      containers:
        - name: {app}
          image: registry.example/{app}@sha256:{sha}
          ports: [{{containerPort: 8080}}]
          env: [{{name: MODE, value: production}}]
          securityContext: {{allowPrivilegeEscalation: {escalate}, capabilities: {{drop: [ALL]}}}}
          resources: {{requests: {{cpu: 100m, memory: 128Mi}}, limits: {{cpu: 500m, memory: {memory}Mi}}}}
        - name: proxy
          image: registry.example/proxy:{tag}
          securityContext: {{allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}, privileged: {privileged}}}
          resources: {{limits: {{cpu: 250m, memory: 64Mi}}}}
"""
_SCRIPT = """\
#!/bin/sh
set -eu
if [ -z "${{TARGET:-}}" ]; then
  echo "nothing to do" >&2
  exit 2
fi
systemctl restart "$TARGET"
for attempt in 1 2 3; do
  systemctl is-active --quiet "$TARGET" && break
  sleep {n}
done
{mistake}
"""
_MISTAKES = ("true", 'rm -rf "$DIR"/cache', "curl -fsS https://api.example.com/done", "chmod 640 /srv/done")


def make_package(n: int, chance: random.Random) -> Package:
    """The n-th package of the round."""
    app = chance.choice(["web", "cart", "search", "mail"]) + str(n)
    files = {
        "wpk.yaml": _MANIFEST.format(n=n, app=app, mode=chance.choice(["manual", "auto"])),
        f"manifests/{app}.yaml": _DEPLOYMENT.format(
            app=app,
            replicas=n % 7,
            sha=f"{chance.getrandbits(256):064x}",
            escalate=chance.choice(["false", "false", "true"]),
            memory=chance.choice([256, 512, 16384]),
            tag=chance.choice(["1.2", "latest"]),
            privileged=chance.choice(["false", "false", "false", "true"]),
        ),
        "scripts/restart.sh": _SCRIPT.format(n=n, mistake=chance.choice(_MISTAKES)),
    }
    data = {name: text.encode() for name, text in sorted(files.items())}
    entries = {name: FileEntry(content, executable=name.startswith("scripts/")) for name, content in data.items()}
    return Package(parse_manifest(data["wpk.yaml"]), data["wpk.yaml"], entries, digest(b"".join(data.values())))


def parse(package: Package) -> None:
    """The baseline: every YAML file of the package as plain values."""
    for name, entry in package.files.items():
        if name.endswith(".yaml"):
            list(yaml.load_all(entry.data, Loader=yaml.CSafeLoader))


def measure(works: dict[str, Work], packages: list[Package], seconds: float) -> dict[str, float]:
    """Packages a second of each work, in process time: the best of rounds that take turns.

    Taking turns and taking the best keeps other load on the machine out of the comparison.
    """
    best = dict.fromkeys(works, 0.0)
    gc.collect()
    gc.freeze()  # the packages held here are not the validator's garbage; the same for every work
    end = time.perf_counter() + seconds
    turn = 0
    while turn < 4 or time.perf_counter() < end:
        for name, work in works.items():
            gc.collect()
            start = time.process_time()
            for package in packages:
                work(package)
            if turn:  # the first turn warms up
                best[name] = max(best[name], len(packages) / (time.process_time() - start))
        turn += 1
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description="Packages validated per second on one core.")
    parser.add_argument("--packages", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    options = parser.parse_args()
    chance = random.Random(7)
    packages = [make_package(n, chance) for n in range(options.packages)]
    size = sum(len(entry.data) for package in packages for entry in package.files.values()) / len(packages)
    findings = sum(len(rules.run(package).findings) for package in packages) / len(packages)
    rates = measure({"parse": parse, "validate": rules.run, "assess": assess}, packages, options.seconds)
    result = {
        "schema": "atom.benchmark/v1",
        "name": "validate_throughput",
        "packages": options.packages,
        "bytes_per_package": round(size),
        "findings_per_package": round(findings, 2),
        "packages_per_second": {name: round(rate) for name, rate in rates.items()},
        "microseconds_per_package": {name: round(1e6 / rate) for name, rate in rates.items()},
        "of_baseline": {name: round(rates["parse"] / rate, 2) for name, rate in rates.items()},
    }
    print(json.dumps(result, indent=None if options.json else 2))
    if not options.json:
        print(f"\n{'':10}{'packages/s':>12}{'us/package':>12}{'x parse':>10}")
        for name, rate in rates.items():
            print(f"{name:10}{rate:12,.0f}{1e6 / rate:12,.0f}{rates['parse'] / rate:10.2f}")


if __name__ == "__main__":
    main()
