"""What a deployment is made of: the Compose file and the Kubernetes manifests, against the standards' own schemas
and against our commands, settings and promises."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from compose_spec import PyCompose
from django_prometheus.middleware import Metrics
from prometheus_client import REGISTRY

from calls import metrics
from config import alive, env, options
from config.launcher import commands, run
from config.options import Kind, Process
from transfers import observing

HERE = env.ROOT / "config" / "deploy"
MANIFESTS = HERE / "kubernetes"
KUBERNETES = "1.34"
PROGRAMS = {name: Process(name) for name in run.NAMES}
VARIABLE = re.compile(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}")


def interpolated(text: str) -> str:
    """As Compose does, where nothing is set but what has to be."""

    def value(match: re.Match[str]) -> str:
        return (match[3] or "") if match[2] == ":-" else "set"

    return VARIABLE.sub(value, text)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(interpolated((HERE / "compose.yaml").read_text()))
    return found


def accepted(data: dict[str, Any]) -> list[str]:
    parsed = PyCompose.from_yaml(yaml.safe_dump(data))
    parsed.validate()
    return parsed.service_names()


def ours(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: compose["services"][name] for name in PROGRAMS}


def test_the_compose_file_is_one_by_the_specification(compose: dict[str, Any]) -> None:
    assert set(accepted(compose)) == {*PROGRAMS, "migrate", "postgres", "valkey"}


@pytest.mark.parametrize("slip", ["intervall", "ports", "grace"])
def test_the_specification_would_find_a_slip(compose: dict[str, Any], slip: str) -> None:
    broken = copy.deepcopy(compose)
    match slip:
        case "intervall":
            broken["services"]["web"]["healthcheck"]["intervall"] = "3s"
        case "ports":
            broken["services"]["web"]["ports"] = ["http"]
        case "grace":
            broken["services"]["web"]["stop_grace_period"] = "1 fortnight"
    with pytest.raises(ValueError):
        accepted(broken)


def test_each_service_runs_its_program_and_gets_what_that_reads(compose: dict[str, Any]) -> None:
    for name, service in ours(compose).items():
        assert service["command"] == ["python", "manage.py", "run", name]
        given, known = set(service["environment"]), options.of(PROGRAMS[name])
        assert given - set(known) == set(), name
        assert set(options.required(PROGRAMS[name])) - given == set(), name
    assert compose["services"]["migrate"]["command"] == ["python", "manage.py", "migrate"]


def test_a_variable_of_the_compose_file_is_a_setting_of_ours() -> None:
    used = {match[1] for match in VARIABLE.finditer((HERE / "compose.yaml").read_text())}
    assert used - set(options.OPTIONS) == {"POSTGRES_BUFFERS", "POSTGRES_PASSWORD", "WEB_PORTS"}


def test_nothing_of_the_compose_file_runs_as_root_or_writes_where_it_should_not(compose: dict[str, Any]) -> None:
    for name, service in (ours(compose) | {"migrate": compose["services"]["migrate"]}).items():
        assert service["read_only"], name
        assert service["tmpfs"] == ["/tmp"], name
        assert service["cap_drop"] == ["ALL"], name
    assert "\nUSER 10001\n" in (HERE / "Dockerfile").read_text()


def seconds(text: str) -> int:
    units = {"s": 1, "m": 60, "h": 3600}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([smh])", text))


def test_compose_gives_agents_the_time_that_they_may_take(compose: dict[str, Any]) -> None:
    agents = compose["services"]["agents"]
    drain = int(agents["environment"]["AGENT_DRAIN_SECONDS"])
    assert drain > 0
    assert seconds(agents["stop_grace_period"]) > drain


def test_compose_looks_after_every_program(compose: dict[str, Any]) -> None:
    looked = {name: " ".join(service["healthcheck"]["test"]) for name, service in ours(compose).items()}
    assert f":{compose['services']['web']['environment']['PORT']}/healthz/ready" in looked["web"]
    assert f":{compose['services']['agents']['environment']['AGENT_HTTP_PORT']}/'" in looked["agents"]
    for role in alive.ROLES:
        assert looked[role] == f"CMD python manage.py alive {role}"


# ── Kubernetes ───────────────────────────────────────────────────────────────────────────────────


def manifests() -> Iterator[dict[str, Any]]:
    for path in sorted(MANIFESTS.glob("*.yaml")):
        if path.name != "kustomization.yaml":
            yield from yaml.safe_load_all(path.read_text())


def title(manifest: dict[str, Any]) -> str:
    return f"{manifest['kind']}-{manifest['metadata']['name']}"


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in manifests() if one["kind"] == kind}


def program_of(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A Deployment's pod and its one container."""
    pod = of_kind("Deployment")[f"patchbay-{name}"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    return pod, container


def secrets_of(name: str) -> set[str]:
    lines = (MANIFESTS / f"{name.removeprefix('patchbay-')}.env.example").read_text().splitlines()
    return {line.split("=")[0] for line in lines if line and not line.startswith("#")}


def given_to(container: dict[str, Any]) -> set[str]:
    """Every variable that a container gets."""
    given = {one["name"] for one in container.get("env", ())}
    for source in container["envFrom"]:
        if "configMapRef" in source:
            given |= set(of_kind("ConfigMap")[source["configMapRef"]["name"]]["data"])
        else:
            given |= secrets_of(source["secretRef"]["name"])
    return given


def value_of(container: dict[str, Any], name: str) -> str:
    maps = [
        of_kind("ConfigMap")[s["configMapRef"]["name"]]["data"]
        for s in container["envFrom"]
        if "configMapRef" in s
    ]
    known = {key: value for data in maps for key, value in data.items()}
    return str({one["name"]: one["value"] for one in container.get("env", ())}.get(name) or known[name])


@pytest.mark.parametrize("manifest", list(manifests()), ids=title)
def test_a_manifest_is_one_by_kubernetes_own_schema(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_the_schema_would_find_a_slip() -> None:
    broken = copy.deepcopy(of_kind("Deployment")["patchbay-web"])
    broken["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, KUBERNETES, strict=True)


def test_every_manifest_is_applied() -> None:
    kustomization = yaml.safe_load((MANIFESTS / "kustomization.yaml").read_text())
    files = {path.name for path in MANIFESTS.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == files
    for secret in kustomization["secretGenerator"]:
        assert secrets_of(secret["name"])
        assert secret["envs"] == [f"{secret['name'].removeprefix('patchbay-')}.env"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_deployment_runs_its_program_and_gets_what_that_reads(name: str) -> None:
    _, container = program_of(name)
    assert container["command"] == ["python", "manage.py", "run", name]
    given = given_to(container)
    # One set for the console's three: what one of them reads may be in the environment of the others.
    readers = [Process.AGENTS] if name == "agents" else [Process.WEB, Process.WORKER, Process.CLOCK]
    known = set().union(*map(options.of, readers))
    assert given - known == set()
    assert set(options.required(PROGRAMS[name])) - given == set()


def test_what_is_secret_is_in_a_secret() -> None:
    for name, data in ((name, one["data"]) for name, one in of_kind("ConfigMap").items()):
        assert [key for key in data if options.OPTIONS[key].kind == Kind.SECRET] == [], name


def test_agents_get_no_secret_of_the_console() -> None:
    _, container = program_of("agents")
    assert given_to(container) & {"DATABASE_URL", "VALKEY_URL", "PATCHBAY_SECRET_KEY", "METRICS_TOKEN"} == set()


def containers() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for name, one in (of_kind("Deployment") | of_kind("Job")).items():
        pod = one["spec"]["template"]["spec"]
        for container in pod["containers"]:
            yield name, pod, container


@pytest.mark.parametrize(
    ("name", "pod", "container"), list(containers()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_pod_may_do_nothing_that_it_need_not(name: str, pod: dict[str, Any], container: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["runAsUser"] == 10001
    assert not pod["automountServiceAccountToken"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
    assert {"cpu", "memory"} <= set(container["resources"]["requests"])
    assert "memory" in container["resources"]["limits"]


def test_pods_get_longer_to_end_than_they_take() -> None:
    pod, container = program_of("agents")
    assert pod["terminationGracePeriodSeconds"] > int(value_of(container, "AGENT_DRAIN_SECONDS")) > 0
    pod, container = program_of("web")
    assert pod["terminationGracePeriodSeconds"] > container["lifecycle"]["preStop"]["sleep"]["seconds"] + 10


def test_probes_ask_what_the_programs_answer() -> None:
    _, web = program_of("web")
    assert web["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert web["readinessProbe"]["httpGet"]["path"] == "/healthz/ready"
    for role in alive.ROLES:
        _, container = program_of(role)
        for probe in ("startupProbe", "livenessProbe"):
            assert container[probe]["exec"]["command"] == ["python", "manage.py", "alive", role]
    _, agents = program_of("agents")
    ports = {port["name"]: port["containerPort"] for port in agents["ports"]}
    assert ports["http"] == int(value_of(agents, "AGENT_HTTP_PORT"))
    assert {agents[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe")} == {"/", "/worker"}


def test_selectors_find_their_pods() -> None:
    labels = {name: one["spec"]["template"]["metadata"]["labels"] for name, one in of_kind("Deployment").items()}
    for name, one in of_kind("Deployment").items():
        assert one["spec"]["selector"]["matchLabels"] == labels[name]
        assert one["spec"]["replicas"] >= 2
    assert of_kind("Service")["patchbay-web"]["spec"]["selector"] == labels["patchbay-web"]
    for name, one in of_kind("PodDisruptionBudget").items():
        assert one["spec"]["selector"]["matchLabels"] == labels[name]
    assert set(of_kind("PodDisruptionBudget")) == set(labels)


def test_agents_are_sent_to_the_service_of_the_console() -> None:
    _, agents = program_of("agents")
    service = of_kind("Service")["patchbay-web"]
    where = f"http://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"
    assert value_of(agents, "PATCHBAY_CONSOLE_URL") == where


# ── the programs ─────────────────────────────────────────────────────────────────────────────────


def test_a_program_is_started_as_the_launcher_starts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_HOST", "0.0.0.0")
    monkeypatch.setenv("PORT", "8765")
    argv = run.program("web").argv
    assert (argv[argv.index("-b") + 1], argv[argv.index("-p") + 1]) == ("0.0.0.0", "8765")
    launched = {command.name: command.argv for command in (commands.agents(), *commands.programs(8000))}
    for name, started_as in (("worker", "worker"), ("clock", "clock-1"), ("agents", "agents")):
        assert run.program(name).argv == launched[started_as]


def test_only_known_programs_are_run() -> None:
    with pytest.raises(SystemExit, match="web, worker, clock, agents"):
        run.main(["database"])


# ── monitoring ───────────────────────────────────────────────────────────────────────────────────

MONITORING = HERE / "monitoring"
METRIC = re.compile(r"\b(?:patchbay|django)_\w+")
SELECTED = re.compile(r"(\w+)\{([^}]*)\}")


def expressions() -> list[str]:
    """Of every alert and of every panel."""
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"][0]["rules"]
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    return [rule["expr"] for rule in rules] + asked


def exported() -> dict[str, tuple[str, ...]]:
    """Every series that we can export, with its labels."""
    Metrics.get_instance()  # those of the pages are made with the first page
    known: dict[str, tuple[str, ...]] = {}
    families = [*REGISTRY._names_to_collectors.items()]
    for name, collector in families:
        known[name] = (*getattr(collector, "_labelnames", ()), "le")
    gauges = re.compile(r'"(patchbay_\w+)"(?:, (?:"[^"]*"|says), "(\w+)")?')
    for path in (metrics.__file__, observing.__file__):
        for match in gauges.finditer(re.sub(r"\s+", " ", Path(path).read_text())):
            known.setdefault(match[1], (match[2],) if match[2] else ())
    return known


@pytest.mark.parametrize("expression", expressions())
def test_alerts_and_panels_ask_for_what_is_exported(expression: str) -> None:
    known = exported()
    assert [name for name in METRIC.findall(expression) if name not in known] == []
    for name, labels in SELECTED.findall(expression):
        assert {label.split("=")[0].strip() for label in labels.split(",")} <= set(known[name])
    by = re.search(r"by \(([\w, ]+)\)", expression)
    if by:
        known_labels = set().union(*(known[name] for name in METRIC.findall(expression)))
        assert set(by[1].split(", ")) <= known_labels


def test_every_alert_says_what_it_means_and_what_to_do() -> None:
    for rule in yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"][0]["rules"]:
        assert {"summary", "action"} == set(rule["annotations"]), rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_panels_do_not_lie_on_each_other() -> None:
    places = [panel["gridPos"] for panel in json.loads((MONITORING / "dashboard.json").read_text())["panels"]]
    cells = [(x, place["y"]) for place in places for x in range(place["x"], place["x"] + place["w"])]
    assert len(cells) == len(set(cells))


def test_prometheus_asks_every_program_at_the_port_that_it_serves(compose: dict[str, Any]) -> None:
    jobs = yaml.safe_load((MONITORING / "prometheus.yaml").read_text())["scrape_configs"]
    ports = {job["dns_sd_configs"][0]["names"][0]: job["dns_sd_configs"][0]["port"] for job in jobs}
    environments = {name: service["environment"] for name, service in ours(compose).items()}
    assert ports == {name: int(e.get("METRICS_PORT") or e["PORT"]) for name, e in environments.items()}
