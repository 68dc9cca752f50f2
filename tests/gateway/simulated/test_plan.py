"""Plans of simulated homes: read, or refused with the reason."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from devices import models as catalogue
from gateway.simulated import models, plan
from gateway.simulated.peripherals.behaviour import Bonding
from gateway.simulated.plan import PlanError

CUFF = {"kind": "cuff", "address": "F1:00:5E:00:53:10", "name": "UA-651BLE"}


def written(directory: Path, *devices: Mapping[str, object], **settings: object) -> Path:
    path = directory / "plan.json"
    homes = [{"gateway": "gw-0001", "devices": devices}]
    path.write_text(json.dumps({"homes": homes, **settings}))
    return path


def test_a_plan_is_read(tmp_path: Path) -> None:
    profile = {"systolic": [130, 8]}
    path = written(tmp_path, {**CUFF, "patient_profile": profile}, every_s=5, seed=9)
    loaded = plan.load(path)
    assert (loaded.every_s, loaded.seed) == (5, 9)
    assert loaded.homes[0].devices[0].patient_profile == {"systolic": (130, 8)}


def test_a_model_brings_its_habits_and_single_ones_can_be_changed(tmp_path: Path) -> None:
    device = {**CUFF, "kind": "", "model": "contour_next_one", "behaviour": {"passkey": 871204}}
    [home] = plan.load(written(tmp_path, device)).homes
    behaviour = plan.behaviour_of(home.devices[0])
    assert plan.kind_of(home.devices[0]) == "glucometer"
    assert (behaviour.bonding, behaviour.passkey) == (Bonding.PASSKEY, 871204)
    assert behaviour.silent_until_bonded


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        ({**CUFF, "kind": "toaster"}, "kind 'toaster' is none of"),
        ({**CUFF, "model": "toaster"}, "model toaster is none of"),
        ({**CUFF, "behaviour": {"copies": "many"}}, "Expected `int`"),
        ({**CUFF, "colour": "blue"}, "unknown field"),
    ],
    ids=["kind", "model", "behaviour", "field"],
)
def test_nonsense_is_refused_with_its_reason(
    tmp_path: Path, device: dict[str, object], reason: str
) -> None:
    with pytest.raises(PlanError, match=reason):
        plan.load(written(tmp_path, device))


def test_an_address_can_be_there_only_once(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="there twice"):
        plan.load(written(tmp_path, CUFF, {**CUFF, "name": "other"}))


def test_a_plan_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"nowhere\.json"):
        plan.load(tmp_path / "nowhere.json")


def test_every_virtual_model_is_in_the_catalogue() -> None:
    virtual = {key.removesuffix("_own_service") for key in models.MODELS}
    assert virtual <= {model.key for model in catalogue.known()}
