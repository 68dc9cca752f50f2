"""The product's rules as loaded from profiles/*.yaml, with the digest that names their version."""

import dataclasses
import hashlib
from functools import cache
from importlib import resources
from types import MappingProxyType

import yaml

from alerts import definition
from alerts.rules import Catalogue, Profile, RuleError


@cache
def product() -> Catalogue:
    """Return the profiles that come with the product; RuleError stops the start."""
    folder = resources.files("alerts").joinpath("profiles")
    texts = {f.name: f.read_text(encoding="utf-8") for f in folder.iterdir()}
    return load({name: text for name, text in texts.items() if name.endswith(".yaml")})


def load(files: dict[str, str]) -> Catalogue:
    """Return the catalogue of these files (name -> text), every rule stamped with the version."""
    ordered = sorted(files.items())
    version = hashlib.sha256("\x1f".join(text for _, text in ordered).encode()).hexdigest()[:12]
    profiles: dict[str, Profile] = {}
    for name, text in ordered:
        made = definition.profile(yaml.safe_load(text))
        if f"{made.id}.yaml" != name:
            raise RuleError(f"{name} holds the profile {made.id}")
        stamped = tuple(dataclasses.replace(rule, version=version) for rule in made.rules)
        profiles[made.id] = dataclasses.replace(made, rules=stamped)
    _consistent(profiles)
    return Catalogue(profiles=MappingProxyType(profiles), version=version)


def definitions() -> dict[str, object]:
    """The product's definitions as plain values, for the record of what was in force."""
    folder = resources.files("alerts").joinpath("profiles")
    names = sorted(f.name for f in folder.iterdir() if f.name.endswith(".yaml"))
    texts = [folder.joinpath(name).read_text(encoding="utf-8") for name in names]
    return {name: yaml.safe_load(text) for name, text in zip(names, texts, strict=True)}


def _consistent(profiles: dict[str, Profile]) -> None:
    """Refuse repeated rule ids and references to profiles that do not exist."""
    seen: set[str] = set()
    for profile in profiles.values():
        for rule in profile.rules:
            if rule.id in seen:
                raise RuleError(f"{profile.id}/{rule.id}: another profile has a rule of this id")
            seen.add(rule.id)
        named = (*profile.include, *profile.replaces, *filter(None, [profile.otherwise]))
        for other in named:
            if other not in profiles:
                raise RuleError(f"{profile.id}: there is no profile {other}")


@cache
def sources() -> dict[str, str]:
    """Source id -> where the numbers come from."""
    text = resources.files("alerts").joinpath("sources.yaml").read_text(encoding="utf-8")
    return {str(key): str(value) for key, value in yaml.safe_load(text).items()}


@cache
def defaults() -> dict[str, dict[str, dict[str, str]]]:
    """What holds for every rule, as written in defaults.yaml."""
    text = resources.files("alerts").joinpath("defaults.yaml").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, dict[str, str]]] = yaml.safe_load(text)
    return loaded
