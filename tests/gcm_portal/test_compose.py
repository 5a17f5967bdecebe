"""What docker-compose.yml, Dockerfile and deploy/ promise, as far as it can be read from them."""

import re
from pathlib import Path

import pytest
import yaml
from django.apps import apps

from tests.gcm_portal import place

SERVICES = ["beat", "broker", "db", "migrate", "proxy", "web", "worker"]
OURS = ["beat", "migrate", "web", "worker"]
GIVEN = {
    "SECRET_KEY": "a",
    "DATABASE_PASSWORD": "b",
    "BROKER_PASSWORD": "c",
    "EMAIL_URL": "smtp://mail.example",
}
SECRET = re.compile("SECRET|PASSWORD|AUTH|_URL$")
NEEDED = [
    *("ALLOWED_HOSTS", "BASE_URL", "BROKER_PASSWORD", "CONTACT_EMAIL", "DATABASE_PASSWORD"),
    *("EMAIL_FROM", "EMAIL_URL", "SECRET_KEY"),
]
# Said by the image itself, or put together from passwords.
ELSEWHERE = {"PORTAL_VAR"}


@pytest.fixture
def services() -> dict[str, dict]:
    return place.compose()["services"]


def text_of(name: str) -> str:
    return (place.HOUSE / name).read_text()


def test_these_services_make_the_portal(services):
    assert sorted(services) == SERVICES
    assert sorted(name for name in services if "build" in services[name]) == OURS
    assert {services[name]["image"] for name in OURS} == {"gcm-portal"}


def test_each_service_says_whether_it_is_well(services):
    checks = {name: service["healthcheck"] for name, service in services.items()}

    assert checks.pop("migrate") == {"disable": True}
    assert {name: check["test"][-1] for name, check in checks.items()} == {
        "proxy": "http://127.0.0.1:2019/config/",
        "web": "deploy/ready.py",
        "worker": "worker",
        "beat": "beat",
        "db": "--dbname=portal",
        "broker": "valkey-cli ping | grep -q PONG",
    }


def test_everything_starts_again_but_the_one_that_ends(services):
    policies = {name: service["restart"] for name, service in services.items()}

    assert policies.pop("migrate") == "no"
    assert set(policies.values()) == {"unless-stopped"}


def test_ours_start_on_tables_that_are_as_they_should_be(services):
    assert services["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    for name in ("web", "worker", "beat"):
        assert services[name]["depends_on"]["migrate"] == {
            "condition": "service_completed_successfully"
        }


def test_only_the_proxy_is_reached_from_outside(services):
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}

    assert ports == {"proxy": ["80:80", "443:443", "443:443/udp"]}
    assert [name for name in SERVICES if "network_mode" in services[name]] == []
    assert place.compose()["networks"]["inside"] == {"internal": True}
    assert [name for name in SERVICES if "outside" in services[name]["networks"]] == [
        "proxy",
        "worker",
    ]
    assert [name for name in SERVICES if "inside" not in services[name]["networks"]] == []


def test_no_service_can_do_more_than_it_must(services):
    for service in services.values():
        assert service["read_only"] and service["init"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert {name: service.get("cap_add") for name, service in services.items()} == {
        **dict.fromkeys(SERVICES),
        "proxy": ["NET_BIND_SERVICE"],
        "db": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"],
    }


def test_what_must_last_lies_in_a_volume(services):
    volumes = place.compose()["volumes"]
    mounts = [mount for service in services.values() for mount in service.get("volumes", [])]

    assert sorted(volumes) == ["caddy", "certificates", "database"]
    assert "database:/var/lib/postgresql" in services["db"]["volumes"]
    for source, _inside, *mode in (mount.split(":") for mount in mounts):
        if source.startswith("./"):
            assert (place.HOUSE / source).is_file() and mode == ["ro"]
        else:
            assert source in volumes


def test_no_secret_stands_in_the_file(services):
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if SECRET.search(name):
                assert "${" in value and ":?" in value
    assert [name for name in place.example() if re.search("SECRET|PASSWORD", name)] == [
        "SECRET_KEY",
        "DATABASE_PASSWORD",
        "BROKER_PASSWORD",
    ]
    assert not any(place.example()[name] for name in GIVEN)


@pytest.mark.parametrize("name", NEEDED)
def test_nothing_starts_while_a_value_is_missing(name):
    values = place.example() | GIVEN | {name: ""}
    text = yaml.safe_dump(place.compose())

    with pytest.raises(place.Missing, match=f"^{name}$"):
        place.filled(text, values)


def test_the_example_has_all_that_is_asked_for_and_nothing_else():
    text = yaml.safe_dump(place.compose())
    asked = {found[1] for found in place.WANTED.finditer(text) if found[1]}

    assert place.filled(text, place.example() | GIVEN)
    assert set(place.example()) == asked


def test_the_portal_is_told_each_variable_that_its_settings_read():
    source = text_of("gcm_portal/settings.py")
    read = set(re.findall(r'(?:env\.\w+|environ\.get)\(\s*"([A-Z_]+)"', source)) | {"REDIS_URL"}

    assert {"SECRET_KEY", "DATABASE_URL", "EMAIL_URL"} < read
    for name in OURS:
        assert set(place.environment(name, place.example() | GIVEN)) == read - ELSEWHERE


def test_neither_demo_nor_debug_can_be_switched_on_from_outside():
    told = place.environment("web", place.example() | GIVEN | {"DEMO": "1", "DEBUG": "1"})

    assert (told["DEMO"], told["DEBUG"]) == ("0", "0")


def test_one_proxy_stands_in_front_and_one_is_trusted():
    told = place.environment("web", place.example() | GIVEN)

    assert told["TRUSTED_PROXIES"] == "1"
    assert "trusted_proxies" not in text_of("deploy/Caddyfile")


def test_images_are_named_by_version(services):
    images = [service["image"] for service in services.values() if "build" not in service]
    (base,) = re.findall(r"^ARG PYTHON=(\S+)$", text_of("Dockerfile"), re.MULTILINE)

    for image in [*images, base]:
        assert re.search(r":\d+\.\d+\.?\d*-", image)
    assert re.findall(r"^FROM (\S+)", text_of("Dockerfile"), re.MULTILINE) == ["${PYTHON}"] * 2


def test_the_image_runs_as_nobody_special_and_keeps_no_secret():
    stages = text_of("Dockerfile").split("FROM ${PYTHON}\n")

    assert len(stages) == 2
    assert re.findall(r"^USER (\S+)$", stages[1], re.MULTILINE) == ["portal"]
    assert not re.search(r"^(ENV|ARG).*(SECRET|_URL)", text_of("Dockerfile"), re.MULTILINE)
    for word in ("HEALTHCHECK", "CMD"):
        assert re.search(rf'^{word}.*\["', stages[1], re.MULTILINE)


def test_the_image_takes_in_the_house_and_no_more():
    lines = text_of(".dockerignore").splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    paths = [Path(config.path) for config in apps.get_app_configs()]
    house = {path.name for path in paths if path.parent == place.HOUSE}

    assert "*" in lines
    assert house | {"templates", "static", "locale", "launcher", "requirements.txt"} <= let_in
    assert not let_in & {"var", "tests", ".env", ".git", "requirements-dev.txt"}
    assert all((place.HOUSE / name).exists() for name in let_in)


def test_the_environment_is_not_kept_in_the_repository():
    assert "/.env" in text_of(".gitignore").splitlines()
