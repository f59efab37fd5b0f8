"""The units are hardened and valid, and the operator's page tells the truth about exit codes."""

import re
import shutil
import subprocess

import pytest

from arsync.errors import ArsyncError
from tests.house.sources import ROOT
from tests.house.test_docs import wrong
from tools.errors_page import classes

DEPLOY = ROOT / "deploy"
MOST_EXPOSED = 2.0
STAYING = ("arsync-listen.service", "arsync-follow.service")
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing: apt-get install systemd"
)


@pytest.fixture
def units(tmp_path):
    """Both units for the ledger acme, with a program that exists here in the place of the installed one."""
    for kind in ("service", "timer"):
        text = (DEPLOY / f"arsync@.{kind}").read_text().replace("/opt/arsync/bin/arsync", "/bin/true")
        (tmp_path / f"arsync@acme.{kind}").write_text(text)
    for name in STAYING:
        text = (DEPLOY / name).read_text().replace("/opt/arsync/bin/arsync", "/bin/true")
        (tmp_path / name).write_text(text)
    return tmp_path


def analyze(*arguments, cwd):
    ran = subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    return ran.returncode, ran.stdout + ran.stderr


@needs_systemd
def test_the_units_are_valid(units):
    code, said = analyze("verify", "./arsync@acme.service", "./arsync@acme.timer", cwd=units)
    assert (code, said) == (0, "")


@needs_systemd
@pytest.mark.parametrize("name", STAYING)
def test_the_services_that_stay_are_valid_and_hardened(units, name):
    code, said = analyze("verify", f"./{name}", cwd=units)
    assert (code, said) == (0, "")
    _, said = analyze("security", "--offline=true", f"./{name}", cwd=units)
    exposure = float(re.search(r"exposure level for \S+: ([\d.]+)", said).group(1))
    assert exposure < MOST_EXPOSED, said


@pytest.mark.parametrize("name", STAYING)
def test_the_services_that_stay_start_commands_that_exist(name):
    words = re.search(r"ExecStart=/opt/arsync/bin/arsync (.*)", (DEPLOY / name).read_text()).group(1).split()
    assert wrong(words) is None


@needs_systemd
def test_a_wrong_setting_is_noticed(units):
    unit = units / "arsync@acme.service"
    unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystem=strictly"))
    assert "strictly" in analyze("verify", "./arsync@acme.service", cwd=units)[1]


@needs_systemd
def test_the_service_is_hardened(units):
    _, said = analyze("security", "--offline=true", "./arsync@acme.service", cwd=units)
    exposure = float(re.search(r"exposure level for \S+: ([\d.]+)", said).group(1))
    assert exposure < MOST_EXPOSED, said


@needs_systemd
def test_a_service_without_hardening_is_noticed(units):
    unit = units / "arsync@acme.service"
    unit.write_text(
        re.sub(r"^(Protect|Private|Restrict|SystemCall|Capability).*\n", "", unit.read_text(), flags=re.M)
    )
    _, said = analyze("security", "--offline=true", "./arsync@acme.service", cwd=units)
    assert float(re.search(r"exposure level for \S+: ([\d.]+)", said).group(1)) > MOST_EXPOSED


def test_every_exit_code_is_explained():
    told = {
        int(code) for code in re.findall(r"^\| (\d) \|", (DEPLOY / "README.md").read_text(), re.MULTILINE)
    }
    assert told == {0, 4, ArsyncError.exit_code} | {error.exit_code for error in classes()}


def test_service_and_cron_start_the_same_command():
    started = re.search(r"ExecStart=(.*) %i", (DEPLOY / "arsync@.service").read_text()).group(1)
    assert started in (DEPLOY / "arsync.cron").read_text()
